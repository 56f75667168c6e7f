//! What an edge sends through its tunnel: its hello, and records of a live source, which are muxed as for viewers.

#![no_main]

use bytes::Bytes;
use h5edge::base::time::MonoTime;
use h5edge::cloud::hello::Hello;
use h5edge::cloud::live::record::{Record, parse};
use h5edge::media::fmp4::{Run, Sample, fragment_head, init_segment};
use h5edge::media::params::Params;
use h5edge::media::rtp::packetize;
use h5edge::media::ts::TsMuxer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|records: Vec<&[u8]>| {
    let mut known: Option<Params> = None;
    for bytes in records {
        if let Ok(hello) = serde_json::from_slice::<Hello>(bytes) {
            assert!(hello.check("a challenge that nobody signed").is_err());
        }
        match (parse(Bytes::copy_from_slice(bytes), MonoTime::default()), &known) {
            (Ok(Record::Params(params)), _) => {
                init_segment(&params);
                known = Some(params);
            }
            (Ok(Record::Frame(frame)), Some(params)) => {
                let size = frame.data.len() as u32;
                let offset = frame.pts - frame.dts;
                let samples = [Sample { duration: frame.duration, offset, key: frame.key, size }];
                fragment_head(1, &[Run { track: frame.track, start: frame.dts, samples: &samples }]);
                let packets = packetize(&params.video, &frame, 1200);
                assert!(packets.iter().all(|packet| packet.payload.len() <= 1200));
                let mut out = Vec::new();
                TsMuxer::new(params).write_frame(&frame, &mut out);
                assert_eq!(out.len() % 188, 0);
            }
            _ => {}
        }
    }
});
