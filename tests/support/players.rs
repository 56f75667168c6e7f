//! Ordinary players' view of a file: what ffprobe (with ffmpeg's decoders) and GStreamer find in it, and
//! that they have nothing to complain about.

use std::path::Path;
use std::process::Command;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use serde_json::Value;

/// What a player found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found {
    /// Of the whole file, in seconds.
    pub seconds: f64,
    /// Packets of each kind.
    pub video: usize,
    pub audio: usize,
}

/// By ffprobe, which reads all packets; at level `warning` it says no word.
pub fn ffprobe(path: &Path) -> Found {
    let report = probe(path, &["-show_entries", "packet=codec_type:format=duration"]);
    let count = |kind: &str| {
        report["packets"].as_array().unwrap().iter().filter(|packet| packet["codec_type"] == kind).count()
    };
    let seconds = report["format"]["duration"].as_str().unwrap().parse().unwrap();
    Found { seconds, video: count("video"), audio: count("audio") }
}

/// What ffprobe says in JSON; that it says no word on stderr is part of each test.
pub fn probe(path: &Path, arguments: &[&str]) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-of", "json"])
        .args(arguments)
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{path:?} {arguments:?}");
    assert!(output.status.success(), "{path:?} {arguments:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many pictures ffmpeg's decoder makes of it, all sound decoded too, without complaint.
pub fn decoded(path: &Path) -> usize {
    let report = probe(path, &["-count_frames", "-show_entries", "stream=codec_type,nb_read_frames"]);
    let video = report["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == "video");
    video.unwrap()["nb_read_frames"].as_str().expect("a count of frames").parse().unwrap()
}

/// By GStreamer's `qtdemux`, in the pull mode of a file player.
pub fn qtdemux(path: &Path) -> Found {
    gst::init().unwrap();
    let pipeline = gst::Pipeline::new();
    let source = gst::ElementFactory::make("filesrc").property("location", path.to_str().unwrap());
    let (source, demuxer) = (source.build().unwrap(), gst::ElementFactory::make("qtdemux").build().unwrap());
    pipeline.add_many([&source, &demuxer]).unwrap();
    source.link(&demuxer).unwrap();
    let (sender, sinks) = std::sync::mpsc::channel();
    let weak = pipeline.downgrade();
    demuxer.connect_pad_added(move |_, pad| {
        let sink = AppSink::builder().sync(false).async_(false).build();
        weak.upgrade().unwrap().add(&sink).unwrap();
        pad.link(&sink.static_pad("sink").unwrap()).unwrap();
        // Not by its parent's state, which is changing just now.
        sink.set_state(gst::State::Playing).unwrap();
        sender.send((pad.name().starts_with("video"), sink)).unwrap();
    });
    demuxer.connect_no_more_pads(|demuxer| {
        let message = gst::message::Application::new(gst::Structure::new_empty("all-pads"));
        demuxer.post_message(message).unwrap();
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    wait_for_pads(&pipeline);
    let threads: Vec<_> =
        sinks.try_iter().map(|(video, sink)| std::thread::spawn(move || (video, drain(&sink)))).collect();
    let counts: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let bus = pipeline.bus().unwrap();
    if let Some(bad) = bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]) {
        panic!("{path:?}: {bad:?}");
    }
    let mut found = Found::default();
    for (video, count) in counts {
        let count = count.unwrap_or_else(|| panic!("{path:?}: no end in time"));
        *(if video { &mut found.video } else { &mut found.audio }) = count;
    }
    let duration = pipeline.query_duration::<gst::ClockTime>().unwrap();
    found.seconds = duration.nseconds() as f64 / 1e9;
    pipeline.set_state(gst::State::Null).unwrap();
    found
}

fn wait_for_pads(pipeline: &gst::Pipeline) {
    let wanted = [gst::MessageType::Application, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &wanted);
    let message = message.expect("qtdemux finds the streams");
    assert_eq!(message.type_(), gst::MessageType::Application, "{message:?}");
}

/// How many samples come up to the end; `None` if that does not.
fn drain(sink: &AppSink) -> Option<usize> {
    let samples = std::iter::from_fn(|| sink.try_pull_sample(gst::ClockTime::from_seconds(20)));
    let count = samples.count();
    sink.is_eos().then_some(count)
}
