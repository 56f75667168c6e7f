//! Writes a demo file that loops well: the simulator's test picture with B-frames and sound.
//!
//! `cargo run --example makeclip -- --out FILE.mp4`; the name's end picks the container (`.mp4`,
//! `.mkv`, `.ts`). An existing file is replaced only when the new one is complete.

#[path = "fakecam/picture.rs"]
mod picture;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use h5edge::base::{Error, Result};

use picture::{Painter, Size};

/// Demo clip writer
#[derive(Parser)]
struct Args {
    /// File to write: .mp4, .mkv or .ts
    #[arg(long)]
    out: PathBuf,
    #[arg(long, value_enum, default_value = "h264")]
    codec: Codec,
    #[arg(long, default_value = "1280x720")]
    size: Size,
    /// Frames per second
    #[arg(long, default_value_t = 25)]
    fps: usize,
    #[arg(long, default_value_t = 10)]
    seconds: usize,
    /// Video bit rate in kbit/s
    #[arg(long, default_value_t = 2000)]
    bitrate: usize,
    /// B-frames in a row
    #[arg(long, default_value_t = 2)]
    bframes: usize,
    /// Leave the sound out
    #[arg(long)]
    silent: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Codec {
    H264,
    H265,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("makeclip: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    gst::init().map_err(|error| Error::internal(error.to_string()))?;
    let part = args.out.with_extension("part");
    write(args, &part)?;
    fs::rename(&part, &args.out)?;
    println!("{}", args.out.display());
    Ok(())
}

fn write(args: &Args, path: &Path) -> Result<()> {
    let broken = |what: &str| Error::internal(format!("pipeline: {what}"));
    let pipeline = gst::parse::launch(&launch_line(args)?)
        .map_err(|error| broken(&error.to_string()))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| broken("no pipeline"))?;
    let file = pipeline.by_name("file").ok_or_else(|| broken("no file"))?;
    // Set here and not in the launch line, where a blank in the path would end it.
    file.set_property("location", path);
    let input: AppSrc =
        pipeline.by_name("in").and_then(|e| e.downcast().ok()).ok_or_else(|| broken("no input"))?;
    let painter = Painter::new(args.size, args.fps, args.seconds * args.fps);
    input.set_caps(Some(&painter.caps()));
    pipeline.set_state(gst::State::Playing).map_err(|_| broken("does not start"))?;
    paint(&painter, &input, args.seconds * args.fps, args.fps);
    let bus = pipeline.bus().ok_or_else(|| broken("no bus"))?;
    let end = bus.timed_pop_filtered(gst::ClockTime::NONE, &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).map_err(|_| broken("does not stop"))?;
    match end.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(broken(&error.error().to_string())),
        _ => Ok(()),
    }
}

/// Pushes all pictures. Stops early if the pipeline failed; the bus then says why.
fn paint(painter: &Painter, input: &AppSrc, frames: usize, fps: usize) {
    let tick = |index: usize| gst::ClockTime::from_nseconds(index as u64 * 1_000_000_000 / fps as u64);
    for index in 0..frames {
        let mut buffer = gst::Buffer::from_slice(painter.frame(index));
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(tick(index));
            buffer.set_duration(tick(index + 1) - tick(index));
        }
        if input.push_buffer(buffer).is_err() {
            return;
        }
    }
    // Fails only where pushing would have, and then the bus has the reason.
    let _ = input.end_of_stream();
}

fn launch_line(args: &Args) -> Result<String> {
    let Args { fps, seconds, bitrate, bframes, .. } = args;
    let gop = fps * 2;
    let mux = match args.out.extension().and_then(|end| end.to_str()) {
        Some("mp4") => "mp4mux faststart=true",
        Some("mkv") => "matroskamux",
        Some("ts") => "mpegtsmux",
        _ => return Err(Error::bad_input("--out: the name has to end in .mp4, .mkv or .ts")),
    };
    let encoder = match args.codec {
        Codec::H264 => format!(
            "x264enc speed-preset=fast bitrate={bitrate} key-int-max={gop} bframes={bframes} \
             option-string=scenecut=0:open-gop=0 ! video/x-h264,profile=high ! h264parse"
        ),
        Codec::H265 => format!(
            "x265enc speed-preset=superfast bitrate={bitrate} key-int-max={gop} log-level=none \
             option-string=scenecut=0:open-gop=0:bframes={bframes} ! h265parse"
        ),
    };
    let mut line = format!(
        "appsrc name=in format=time block=true max-bytes=16000000 ! {encoder} ! queue max-size-time=0 \
         max-size-buffers=0 ! mux. {mux} name=mux ! filesink name=file"
    );
    if !args.silent {
        let packets = seconds * 48_000 / 1024;
        line += &format!(
            " audiotestsrc wave=ticks volume=0.4 sine-periods-per-tick=80 samplesperbuffer=1024 \
             num-buffers={packets} ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! avenc_aac ! aacparse \
             ! queue max-size-time=0 max-size-buffers=0 ! mux."
        );
    }
    Ok(line)
}
