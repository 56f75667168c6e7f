//! A camera simulator: a real RTSP server that shows pre-encoded clips in an endless loop at almost no
//! cost, stamps every access unit with the wall clock (`tests/support/stamp.rs` has the layout), and
//! misbehaves on request (`control.rs` lists the calls).
//!
//! `cargo run --example fakecam -- --port 8554` serves `rtsp://127.0.0.1:8554/cam0`. When it is ready
//! it prints one line of JSON: `{"rtsp":"rtsp://127.0.0.1:PORT/cam0","control":PORT,"cams":N}`.
//!
//! Threads: GLib's main loop, one per RTSP client, one per camera that is being watched, and this
//! one, which serves the control port.

mod camera;
mod clip;
mod control;
mod feed;
mod picture;
mod server;
#[path = "../../tests/support/stamp.rs"]
#[allow(dead_code, reason = "the simulator writes stamps; reading them is for its clients")]
mod stamp;

use std::{io::Read, process::ExitCode, sync::Arc};

use clap::{Parser, ValueEnum};
use gstreamer as gst;
use h5edge::base::{Error, Result};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    camera::Camera,
    clip::{AudioCodec, Clip, VideoCodec, VideoSpec},
    picture::Size,
    server::{Auth, Server},
};

/// IP camera simulator
#[derive(Parser)]
struct Args {
    /// RTSP port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// HTTP control port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// How many cameras: /cam0, /cam1, ...
    #[arg(long, default_value_t = 1, value_parser = positive)]
    cams: usize,
    #[arg(long, value_enum, default_value = "h264")]
    codec: VideoCodec,
    /// Picture size
    #[arg(long, default_value = "1920x1080")]
    size: Size,
    /// Frames from key frame to key frame
    #[arg(long, default_value_t = 50, value_parser = positive)]
    gop: usize,
    /// Frames per second
    #[arg(long, default_value_t = 25, value_parser = positive)]
    fps: usize,
    /// Video bit rate in kbit/s
    #[arg(long, default_value_t = 4000, value_parser = positive)]
    bitrate: usize,
    /// B-frames in a row
    #[arg(long, default_value_t = 0)]
    bframes: usize,
    /// Sound: none, aac, pcma or pcmu
    #[arg(long, default_value = "none", value_parser = sound)]
    audio: Sound,
    /// Log-in that clients need
    #[arg(long, value_enum, default_value = "none")]
    auth: Auth,
    #[arg(long, default_value = "admin")]
    user: String,
    #[arg(long, default_value = "12345")]
    password: String,
    /// Length of the loop, rounded up to whole GOPs
    #[arg(long, default_value_t = 4, value_parser = positive)]
    clip_seconds: usize,
    /// End when standard input is closed, so as never to outlive the test that started it
    #[arg(long)]
    until_stdin_closes: bool,
}

/// Not written as an `Option` in [`Args`], where that would mean an option without a default.
type Sound = Option<AudioCodec>;

fn sound(text: &str) -> std::result::Result<Sound, String> {
    if text == "none" { Ok(None) } else { AudioCodec::from_str(text, true).map(Some) }
}

fn positive(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| format!("{text:?} is not a positive number"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fakecam: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    gst::init().map_err(|error| Error::internal(error.to_string()))?;
    let spec = VideoSpec {
        codec: args.codec,
        size: args.size,
        fps: args.fps,
        gop: args.gop,
        bitrate: args.bitrate,
        bframes: args.bframes,
        seconds: args.clip_seconds,
    };
    let encode = |codec| Clip::audio(codec, args.clip_seconds).map(|clip| (codec, clip));
    let audio = args.audio.map(encode).transpose()?;
    let video = Clip::video(&spec)?;
    let cameras = (0..args.cams).map(|index| Camera::new(index, spec, Arc::clone(&video), audio.clone()));
    let server = Server::start(args.port, cameras.collect(), args.auth, &args.user, &args.password)?;
    let listener = TcpListener::bind(("127.0.0.1", args.control_port)).await?;
    let rtsp = format!("rtsp://127.0.0.1:{}/cam0", server.port());
    println!("{}", json!({"rtsp": rtsp, "control": listener.local_addr()?.port(), "cams": args.cams}));
    if args.until_stdin_closes {
        std::thread::spawn(|| {
            // An error is as much an end as the end.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
    }
    control::serve(listener, Arc::new(server)).await;
    Ok(())
}
