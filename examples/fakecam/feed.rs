//! The thread that pushes a camera's clip into its pipeline: one thread per camera that has clients,
//! awake once per frame and audio packet.
//!
//! Pace and media time both follow the monotonic clock from one starting point, so there is no drift
//! and the loop is not to be seen. Bounded: what the pipeline has not yet taken may reach
//! [`MAX_BACKLOG`]; beyond it, and after any other pause, frames are left out up to a key frame while
//! media time goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;

use crate::{
    camera::Camera,
    clip::{Clip, Unit, VideoCodec},
    stamp,
};

/// Bytes waiting in the pipeline's entrance.
const MAX_BACKLOG: u64 = 8 << 20;
/// Whoever is later than this was asleep (a stopped process): old frames are then not sent in a burst,
/// but left out until it is no later than [`ON_TIME`].
const MAX_LATE: Duration = Duration::from_millis(500);
const ON_TIME: Duration = Duration::from_millis(60);
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// One pipeline's supply of frames.
pub struct Feed {
    camera: Arc<Camera>,
    video: AppSrc,
    audio: Option<AppSrc>,
    /// Cleared when the pipeline is taken down.
    alive: Arc<AtomicBool>,
    /// The clip on show, and the frame number at which its first round began.
    clip: Arc<Clip>,
    clip_start: u64,
    /// The pipeline's running time at frame 0.
    origin: gst::ClockTime,
    /// Video was left out: go on at a key frame.
    resync: bool,
}

/// The pipeline takes no more.
struct Gone;

impl Feed {
    pub fn new(camera: Arc<Camera>, video: AppSrc, audio: Option<AppSrc>, alive: Arc<AtomicBool>) -> Self {
        let (_, clip) = camera.video();
        let origin = gst::ClockTime::ZERO;
        Self { camera, video, audio, alive, clip, clip_start: 0, origin, resync: false }
    }

    /// Starts the thread; it ends with the pipeline.
    pub fn spawn(self) {
        let name = self.camera.path.trim_start_matches('/').to_owned();
        if let Err(error) = std::thread::Builder::new().name(name).spawn(move || self.run()) {
            eprintln!("no thread for a camera: {error}");
        }
    }

    fn run(mut self) {
        self.origin = self.video.current_running_time().unwrap_or_default();
        let started = Instant::now();
        let audio = self.audio.take().zip(self.camera.audio.as_ref().map(|(_, clip)| Arc::clone(clip)));
        let (mut frame, mut packet, mut late) = (0, 0, false);
        while self.alive.load(Relaxed) {
            let video_due = self.clip.time(frame);
            let audio_due = audio.as_ref().map(|(_, clip)| clip.time(packet)).filter(|&due| due < video_due);
            let due = started + Duration::from(audio_due.unwrap_or(video_due));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            late = due.elapsed() > if late { ON_TIME } else { MAX_LATE };
            let silent = late || self.camera.is_stalled();
            let pushed = match (&audio, audio_due) {
                (Some((source, clip)), Some(_)) => {
                    packet += 1;
                    if silent { Ok(()) } else { self.push_audio(source, clip, packet - 1) }
                }
                _ => {
                    self.change_clip(frame);
                    frame += 1;
                    self.push_video(frame - 1, silent)
                }
            };
            if pushed.is_err() {
                return;
            }
        }
    }

    /// Takes up a clip of another size between two rounds' GOPs.
    fn change_clip(&mut self, frame: u64) {
        let (_, clip) = self.camera.video();
        if !Arc::ptr_eq(&clip, &self.clip) && unit(&self.clip, frame - self.clip_start).key {
            self.clip = clip;
            self.clip_start = frame;
        }
    }

    fn push_video(&mut self, frame: u64, silent: bool) -> Result<(), Gone> {
        let unit = unit(&self.clip, frame - self.clip_start);
        self.resync |= silent || self.video.current_level_bytes() > MAX_BACKLOG;
        if silent || (self.resync && !unit.key) {
            return Ok(());
        }
        self.resync = false;
        let less = |gops: u32| gops.checked_sub(1);
        let bare = unit.key && self.camera.bare_gops.fetch_update(Relaxed, Relaxed, less).is_ok();
        let data = access_unit(self.camera.video().0.codec, &unit.data, bare, stamp::now_us());
        self.camera.frames.fetch_add(1, Relaxed);
        let dts = self.origin + self.clip.time(frame);
        let pts = self.origin + self.clip.time(frame + unit.shift);
        push(&self.video, data, pts, Some(dts))
    }

    fn push_audio(&self, source: &AppSrc, clip: &Clip, packet: u64) -> Result<(), Gone> {
        push(source, unit(clip, packet).data.clone(), self.origin + clip.time(packet), None)
    }
}

/// The unit shown at `index`, counted over all rounds.
fn unit(clip: &Clip, index: u64) -> &Unit {
    &clip.units[(index % clip.units.len() as u64) as usize]
}

fn push(
    source: &AppSrc,
    data: Vec<u8>,
    pts: gst::ClockTime,
    dts: Option<gst::ClockTime>,
) -> Result<(), Gone> {
    let mut buffer = gst::Buffer::from_slice(data);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(pts);
        buffer.set_dts(dts);
    }
    source.push_buffer(buffer).map(drop).map_err(|_| Gone)
}

/// The clip's access unit with the stamp before its first slice, and without parameter sets if `bare`.
fn access_unit(codec: VideoCodec, mut rest: &[u8], bare: bool, micros: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(rest.len() + 64);
    while let Some(&header) = rest.get(start_code_len(rest)) {
        let (slice, parameters) = match codec {
            VideoCodec::H264 => (matches!(header & 31, 1..=5), matches!(header & 31, 7 | 8)),
            VideoCodec::H265 => (header >> 1 & 63 < 32, matches!(header >> 1 & 63, 32..=34)),
        };
        if slice {
            break;
        }
        let (nal, after) = rest.split_at(nal_len(rest));
        if !(bare && parameters) {
            out.extend_from_slice(nal);
        }
        rest = after;
    }
    let nal_header: &[u8] = match codec {
        VideoCodec::H264 => &[6],
        VideoCodec::H265 => &[39 << 1, 1],
    };
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(&stamp::stamp_nal(nal_header, micros));
    out.extend_from_slice(rest);
    out
}

/// Encoders write 4 bytes before an access unit and its parameter sets, and 3 elsewhere.
fn start_code_len(bytes: &[u8]) -> usize {
    if bytes.starts_with(&[0, 0, 1]) { 3 } else { 4 }
}

/// Length of the first NAL unit of `bytes` with its start code, up to the next start code.
fn nal_len(bytes: &[u8]) -> usize {
    let start = start_code_len(bytes);
    let body = &bytes[start..];
    match body.windows(3).position(|window| window == [0, 0, 1]) {
        Some(at) if body[..at].ends_with(&[0]) => start + at - 1,
        Some(at) => start + at,
        None => bytes.len(),
    }
}
