//! Pictures of key frames, as JPEG, made in a child process.
//!
//! The daemon never decodes video itself: a decoder that hangs or crashes costs one picture, not the
//! box. [`Snapshots`] hands key frames to one [`process`] task, which owns the child (same binary,
//! [`worker_main`]) and gives it one at a time. Each key frame is decoded once per width, however
//! many ask.
//!
//! Memory: up to [`MAX_WIDTHS`] pictures of the newest key frame of each source that was asked for in
//! the last seconds, and of [`MAX_SOURCES`] sources at most.

mod cache;
mod decode;
mod process;
mod protocol;
mod worker;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

pub use self::worker::worker_main;

use self::cache::Cache;
use self::process::Process;
use crate::base::time::MonoTime;
use crate::base::{Error, Result};
use crate::media::hub::Picture;

/// Sources whose newest picture is kept; beyond that, the one unused for longest is forgotten.
const MAX_SOURCES: usize = 256;
/// Widths that are kept of one key frame.
const MAX_WIDTHS: usize = 4;
/// Narrowest picture that can be asked for.
const MIN_WIDTH: u32 = 16;

/// A finished picture.
#[derive(Clone, Debug)]
pub struct Jpeg {
    pub bytes: Bytes,
    /// When the key frame came from the camera.
    pub arrived: MonoTime,
}

/// What is shown in place of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The source is off-line.
    Offline,
    /// The source is being opened.
    Loading,
}

impl Placeholder {
    /// A JPEG of 640 x 360 pixels.
    pub fn jpeg(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Offline => include_bytes!("assets/offline.jpg"),
            Self::Loading => include_bytes!("assets/loading.jpg"),
        })
    }
}

/// Maker of pictures, for all sources.
#[derive(Debug)]
pub struct Snapshots {
    process: Process,
    cache: Mutex<Cache>,
}

impl Snapshots {
    /// Pictures are decoded by `exe snapshot-worker`, which is started when first needed and ends
    /// at `shutdown`. To be called inside a tokio runtime.
    pub fn new(exe: PathBuf, shutdown: CancellationToken) -> Self {
        Self { process: Process::start(exe, shutdown), cache: Mutex::default() }
    }

    /// A key frame of the source `token` as JPEG, `width` pixels wide (never wider than the video;
    /// the height follows), or in the video's own size.
    ///
    /// # Errors
    /// `BadInput` for a width below 16 and for a frame that does not decode; `Timeout` when the
    /// decoder hangs; `Full` when too many pictures wait; `Internal` when the child does not start.
    pub async fn jpeg(&self, token: &str, picture: &Picture, width: Option<u32>) -> Result<Jpeg> {
        if width.is_some_and(|width| width < MIN_WIDTH) {
            return Err(Error::bad_input(format!("width: at least {MIN_WIDTH} pixels")));
        }
        let width = width.filter(|&width| width < picture.params.video.width);
        let pending = {
            // Map operations leave the cache valid.
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(token, &picture.frame, width, || self.process.decode(picture, width))?
        };
        let bytes = pending.await?;
        Ok(Jpeg { bytes, arrived: picture.frame.arrived })
    }

    /// How many key frames went to the child so far.
    pub fn decodes(&self) -> u64 {
        self.process.decodes()
    }

    /// Process id of the child, while it runs.
    pub fn worker_pid(&self) -> Option<u32> {
        self.process.pid()
    }
}
