//! Ordinary players' view of a file: what ffprobe, ffmpeg and GStreamer find in it, and that they have
//! nothing to complain about.

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
    let output = run("ffprobe", &[&["-v", "warning", "-of", "json"], arguments, &[path.to_str().unwrap()]]);
    serde_json::from_slice(&output).unwrap()
}

/// How many pictures ffmpeg decodes, without complaint.
pub fn decoded(path: &Path) -> usize {
    let file = path.to_str().unwrap();
    let arguments: [&[&str]; 2] = [
        &["-v", "warning", "-xerror", "-i", file],
        &["-map", "0", "-fps_mode", "passthrough", "-progress", "-", "-f", "null", "-"],
    ];
    let progress = String::from_utf8(run("ffmpeg", &arguments)).unwrap();
    let frames = progress.lines().rev().find_map(|line| line.strip_prefix("frame="));
    frames.expect("a count of frames").parse().unwrap()
}

/// A program that must succeed and say nothing on stderr; its stdout.
fn run(program: &str, arguments: &[&[&str]]) -> Vec<u8> {
    let output = Command::new(program).args(arguments.concat()).output().expect("the program is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{program} {arguments:?}");
    assert!(output.status.success(), "{program} {arguments:?}");
    output.stdout
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
        let sink = AppSink::builder().sync(false).build();
        weak.upgrade().unwrap().add(&sink).unwrap();
        pad.link(&sink.static_pad("sink").unwrap()).unwrap();
        sink.sync_state_with_parent().unwrap();
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
    let mut found = Found::default();
    for thread in threads {
        let (video, count) = thread.join().unwrap();
        *(if video { &mut found.video } else { &mut found.audio }) = count;
    }
    let duration = pipeline.query_duration::<gst::ClockTime>().unwrap();
    found.seconds = duration.nseconds() as f64 / 1e9;
    pipeline.set_state(gst::State::Null).unwrap();
    let bus = pipeline.bus().unwrap();
    if let Some(bad) = bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]) {
        panic!("{bad:?}");
    }
    found
}

fn wait_for_pads(pipeline: &gst::Pipeline) {
    let wanted = [gst::MessageType::Application, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &wanted);
    let message = message.expect("qtdemux finds the streams");
    assert_eq!(message.type_(), gst::MessageType::Application, "{message:?}");
}

fn drain(sink: &AppSink) -> usize {
    let samples = std::iter::from_fn(|| sink.try_pull_sample(gst::ClockTime::from_seconds(20)));
    let count = samples.count();
    assert!(sink.is_eos(), "no end in time");
    count
}
