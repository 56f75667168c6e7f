//! Two-second clips from GStreamer's encoders, as frames with parameters.

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use h5edge::base::time::{MediaTime, MonoTime};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::params::{Params, VideoParams};
use h5edge::media::{aac, h264, h265, nal};

pub struct Clip {
    pub params: Params,
    /// Both tracks, by decoding time.
    pub frames: Vec<Frame>,
}

const PICTURE: &str =
    "videotestsrc num-buffers=50 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1";
const H264: &str = "h264parse ! video/x-h264,stream-format=avc,alignment=au";
const H265: &str = "h265parse ! video/x-h265,stream-format=hvc1,alignment=au";

impl Clip {
    pub fn h264_baseline() -> Self {
        Self::plain("smpte")
    }

    pub fn h264_high() -> Self {
        let encoder = "x264enc bframes=3 b-adapt=false key-int-max=20 ! video/x-h264,profile=high";
        let clip = Self::new(&format!("{PICTURE} ! {encoder} ! {H264}"), h264::from_avcc);
        assert!(clip.frames.iter().any(|frame| frame.pts > frame.dts + frame.duration));
        clip
    }

    pub fn h265() -> Self {
        Self::plain_h265("smpte")
    }

    /// H.264 baseline of another pattern of `videotestsrc`: colours can be told apart.
    pub fn plain(pattern: &str) -> Self {
        let picture = PICTURE.replacen("videotestsrc", &format!("videotestsrc pattern={pattern}"), 1);
        let encoder = "x264enc tune=zerolatency key-int-max=20 ! video/x-h264,profile=constrained-baseline";
        Self::new(&format!("{picture} ! {encoder} ! {H264}"), h264::from_avcc)
    }

    pub fn plain_h265(pattern: &str) -> Self {
        let picture = PICTURE.replacen("videotestsrc", &format!("videotestsrc pattern={pattern}"), 1);
        let encoder = "x265enc key-int-max=20 speed-preset=ultrafast";
        Self::new(&format!("{picture} ! {encoder} ! {H265}"), h265::from_hvcc)
    }

    fn new(pipeline: &str, parse: fn(&Bytes) -> h5edge::base::Result<VideoParams>) -> Self {
        let (config, samples) = run(pipeline);
        let video = parse(&config).unwrap();
        let frames = frames(Track::Video, samples, |data| {
            (nal::is_key(video.codec, &data), nal::without_parameter_sets(video.codec, data))
        });
        assert_eq!(frames.len(), 50);
        assert!(frames.iter().filter(|frame| frame.key).count() >= 2);
        Self { params: Params { video, audio: None }, frames }
    }

    /// The same with two seconds of a tone.
    pub fn with_aac(mut self) -> Self {
        let sound = "audiotestsrc num-buffers=94 ! audio/x-raw,rate=48000,channels=2";
        let (config, samples) = run(&format!("{sound} ! voaacenc ! aacparse ! audio/mpeg,stream-format=raw"));
        let audio = aac::from_config(&config).unwrap();
        self.params.audio = Some(audio);
        self.frames.extend(frames(Track::Audio, samples, |data| (true, data)));
        self.frames.sort_by_key(|frame| frame.dts);
        self
    }
}

/// A sample's data, presentation and decoding time in nanoseconds.
type Taken = (Bytes, i64, i64);

/// Runs a pipeline to its end and takes all that comes out, with the `codec_data` of its caps.
fn run(description: &str) -> (Bytes, Vec<Taken>) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(&format!("{description} ! appsink name=out sync=false")).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut config = Bytes::new();
    let mut taken = Vec::new();
    while let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(20)) {
        let buffer = sample.buffer().unwrap();
        let codec_data = sample.caps().unwrap().structure(0).unwrap().get::<gst::Buffer>("codec_data");
        config = Bytes::copy_from_slice(&codec_data.unwrap().map_readable().unwrap());
        let data = Bytes::copy_from_slice(&buffer.map_readable().unwrap());
        let pts = buffer.pts().unwrap();
        let nanos = |time: gst::ClockTime| i64::try_from(time.nseconds()).unwrap();
        taken.push((data, nanos(pts), nanos(buffer.dts().unwrap_or(pts))));
    }
    assert!(sink.is_eos(), "{description}: no end in time");
    pipeline.set_state(gst::State::Null).unwrap();
    (config, taken)
}

fn frames(track: Track, samples: Vec<Taken>, split: impl Fn(Bytes) -> (bool, Bytes)) -> Vec<Frame> {
    let start = samples.iter().map(|(_, _, dts)| *dts).min().unwrap();
    let times: Vec<_> = samples.iter().map(|(_, _, dts)| MediaTime::from_nanos(dts - start)).collect();
    let frame = |(index, (data, pts, _)): (usize, Taken)| {
        let (key, data) = split(data);
        let dts = times[index];
        let duration = match times.get(index + 1) {
            Some(next) => *next - dts,
            None => dts - times[index - 1],
        };
        let pts = MediaTime::from_nanos(pts - start);
        Frame { track, dts, pts, duration, key, data, arrived: MonoTime::default() }
    };
    samples.into_iter().enumerate().map(frame).collect()
}
