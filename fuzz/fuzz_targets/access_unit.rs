//! An access unit from anywhere: walked, stripped, and cut into RTP payloads of the size asked for.

#![no_main]

use bytes::Bytes;
use h5edge::base::time::{MediaTime, MonoTime};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::nal;
use h5edge::media::params::{Params, VideoCodec, VideoParams};
use h5edge::media::rtp::packetize;
use h5edge::media::ts::TsMuxer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (h265, max, data) = input;
    let codec = if h265 { VideoCodec::H265 } else { VideoCodec::H264 };
    let stripped = nal::without_parameter_sets(codec, Bytes::copy_from_slice(data));
    assert_eq!(nal::without_parameter_sets(codec, stripped.clone()), stripped);
    let _ = nal::rbsp(data);
    let _ = nal::from_annex_b(data);

    let key = nal::is_key(codec, data);
    let (time, duration) = (MediaTime::ZERO, MediaTime(3600));
    for data in [stripped, Bytes::copy_from_slice(data)] {
        let track = Track::Video;
        let frame = Frame { track, dts: time, pts: time, duration, key, data, arrived: MonoTime::default() };
        let params = params(codec);
        let largest = usize::from(max).max(16);
        let packets = packetize(&params, &frame, largest);
        assert!(packets.iter().all(|packet| packet.payload.len() <= largest));
        let mut out = Vec::new();
        TsMuxer::new(&Params { video: params, audio: None }).write_frame(&frame, &mut out);
        assert_eq!(out.len() % 188, 0);
    }
});

fn params(codec: VideoCodec) -> VideoParams {
    let set = || vec![Bytes::from_static(&[0x67, 1, 2, 3])];
    VideoParams {
        codec,
        vps: Vec::new(),
        sps: set(),
        pps: set(),
        config: Bytes::new(),
        width: 0,
        height: 0,
        codec_string: String::new(),
        reorder: None,
    }
}
