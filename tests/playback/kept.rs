//! A daemon with recordings that nobody had to wait for: real clips, written as the recorder writes.

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::SystemTime;

use h5edge::base::footage::Cause;
use h5edge::base::time::MediaTime;
use h5edge::base::wall::{Offset, Wall};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::hybrid::{COVER_AT, Index, Label, cover, head};

use crate::clips::Clip;
use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::kept::Footage;

/// Length of a clip.
const CLIP: i64 = 2000;
/// The zone in which these tests ask: Kathmandu, which nobody's default is.
pub const ZONE: Offset = Offset(345);

pub static BASELINE: LazyLock<Clip> = LazyLock::new(Clip::h264_baseline);
pub static SOUND: LazyLock<Clip> = LazyLock::new(|| Clip::h264_baseline().with_aac());
pub static HIGH: LazyLock<Clip> = LazyLock::new(|| Clip::h264_high().with_aac());
pub static H265: LazyLock<Clip> = LazyLock::new(Clip::h265);

/// A daemon, and when its recordings begin.
pub struct Site {
    pub daemon: Daemon,
    /// A whole second, an hour ago; milliseconds since 1970.
    pub t0: i64,
}

impl Site {
    /// With these recordings of `token1`: name, clip, first and last second after `t0`.
    pub fn new(recordings: &[(&str, &Clip, i64, i64)]) -> Self {
        let mut daemon = Daemon::start(DaemonOptions::default());
        daemon.login();
        let t0 = Wall::from(SystemTime::now()).0 / 1000 * 1000 - 3_600_000;
        let site = Self { daemon, t0 };
        for (name, clip, from, to) in recordings {
            site.add(name, &[clip], *from, *to);
        }
        site
    }

    /// Adds a recording of these clips, one after the other, and over again; where it is served.
    pub fn add(&self, name: &str, clips: &[&Clip], from: i64, to: i64) -> String {
        let (start, end) = (self.t0 + from * 1000, self.t0 + to * 1000);
        let (day, time) = Wall(start).folders(ZONE);
        let path = format!("{day}/{time}/{name}.mp4");
        let footage = Footage { path: &path, start, end, ..Footage::default() };
        footage.add(self.daemon.data_dir(), &file(clips, start, end - start));
        footage.url()
    }

    /// So many seconds after `t0`, as pages send it.
    pub fn time(&self, seconds: i64) -> String {
        Wall(self.t0 + seconds * 1000).iso(ZONE)
    }

    /// The target of a playback socket as the newest pages ask for it, with these parameters.
    pub fn target(&self, api: &str, params: &[(&str, &str)]) -> String {
        let mut target =
            format!("/api/v1/{api}?token=token1&hevc=false&playback=true&profile=main&serverpb=true");
        for (name, value) in params {
            target += &format!("&{name}={}", value.replace(':', "%3A").replace('+', "%2B"));
        }
        format!("{target}&session={}", self.daemon.session)
    }

    /// The same for a span of seconds after `t0`.
    pub fn span(&self, api: &str, from: i64, to: i64) -> String {
        let (from, to) = (self.time(from), self.time(to));
        let times = [("begintime", from.as_str()), ("endtime", &to), ("moveto", &from), ("filename", "fake")];
        self.target(api, &times)
    }
}

/// A completed recording of `millis`, the clips over and over; all have the same parameters.
fn file(clips: &[&Clip], start: i64, millis: i64) -> Vec<u8> {
    let label = Label { start: Wall(start), offset: ZONE, cause: Cause::Manual };
    let params = &clips[0].params;
    assert!(clips.iter().all(|clip| clip.params == *params));
    let mut bytes = head(params, &label);
    let mut index = Index::new(params);
    for at in (0..millis).step_by(CLIP as usize) {
        let end = MediaTime::from_millis((at + CLIP).min(millis));
        let clip = clips[(at / CLIP) as usize % clips.len()];
        let frames: Vec<_> =
            round(clip, MediaTime::from_millis(at)).filter(|frame| frame.dts < end).collect();
        let fragment = index.fragment(&frames, end, bytes.len() as u64);
        bytes.extend(fragment.pieces.concat());
    }
    let end = bytes.len();
    bytes.extend(index.moov(params, &label));
    bytes[COVER_AT as usize..][..16].copy_from_slice(&cover(end as u64));
    bytes
}

/// The clip's frames from `at` on; sound that hangs over is left out.
fn round(clip: &Clip, at: MediaTime) -> impl Iterator<Item = Arc<Frame>> {
    let first = clip.frames.iter().find(|frame| frame.track == Track::Video).expect("a picture").dts;
    let inside = move |frame: &&Frame| frame.dts - first < MediaTime::from_millis(CLIP);
    clip.frames.iter().filter(inside).map(move |frame| {
        let shift = at - first;
        Arc::new(Frame { dts: frame.dts + shift, pts: frame.pts + shift, ..frame.clone() })
    })
}
