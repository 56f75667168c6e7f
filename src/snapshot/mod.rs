//! Pictures of key frames, as JPEG, made in a child process.
//!
//! The daemon never decodes video itself: a decoder that hangs or crashes costs a second, not the box.
//! [`Snapshots`] hands key frames to one [`process`] task, which owns the child (same binary,
//! [`worker_main`]) and gives it one at a time. Each key frame is decoded once per width, however
//! many ask. [`choice`] says with which elements: hardware that passed the [`probe`], then software.
//!
//! Memory: up to [`MAX_WIDTHS`] pictures of the newest key frame of each source that was asked for in
//! the last seconds, and of [`MAX_SOURCES`] sources at most; what [`recorded`] keeps.

mod board;
mod cache;
mod child;
mod choice;
mod decode;
mod encode;
mod inventory;
mod pipeline;
mod probe;
mod process;
mod protocol;
pub mod recorded;
mod verdicts;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

pub use self::choice::{CodecReport, State};
pub use self::inventory::Duty;
pub use self::worker::worker_main;

use self::cache::Cache;
use self::process::Process;
use self::recorded::Recordings;
use crate::base::config;
use crate::base::time::MonoTime;
use crate::base::{Error, Result};
use crate::media::hub::Picture;
use crate::media::params::Params;

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

/// What may be used for decoding and encoding.
#[derive(Clone, Debug, Default)]
pub struct CodecSettings {
    /// Whether hardware is used at all.
    pub hardware: bool,
    /// Elements that are not used, with the reason.
    pub deny: BTreeMap<String, String>,
    /// Elements that go before all others, best first.
    pub prefer: Vec<String>,
    /// Where the verdicts of probes are kept; nowhere without it.
    pub data_dir: Option<PathBuf>,
}

impl CodecSettings {
    /// Those of the configuration, with what this board must not use. Blocks.
    pub fn load(config: &config::Snapshot, data_dir: &Path) -> Self {
        let mut deny = board::denied(&config.board_dir, Path::new(board::COMPATIBLE));
        for element in &config.deny {
            deny.insert(element.clone(), "denied in the configuration".into());
        }
        let (hardware, prefer) = (config.hardware, config.prefer.clone());
        Self { hardware, deny, prefer, data_dir: Some(data_dir.to_owned()) }
    }
}

/// Maker of pictures, for all sources.
#[derive(Debug)]
pub struct Snapshots {
    process: Process,
    cache: Mutex<Cache>,
    recordings: Recordings,
}

impl Snapshots {
    /// Pictures are decoded by `exe snapshot-worker`, which is started when first needed and ends
    /// at `shutdown`. To be called inside a tokio runtime.
    pub fn new(exe: PathBuf, codecs: CodecSettings, shutdown: CancellationToken) -> Self {
        let process = Process::start(exe, codecs, shutdown);
        Self { process, cache: Mutex::default(), recordings: Recordings::default() }
    }

    /// A key frame of the source `token` as JPEG, `width` pixels wide (never wider than the video;
    /// the height follows), or in the video's own size.
    ///
    /// # Errors
    /// `BadInput` for a width below 16 and for a frame that does not decode; `Timeout` when the
    /// decoder hangs; `Full` when too many pictures wait; `Internal` when the child does not start.
    pub async fn jpeg(&self, token: &str, picture: &Picture, width: Option<u32>) -> Result<Jpeg> {
        let width = fitting(width, &picture.params)?;
        let pending = {
            // Map operations leave the cache valid.
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(token, &picture.frame, width, || self.process.decode(picture, width))?
        };
        let bytes = pending.await?;
        Ok(Jpeg { bytes, arrived: picture.frame.arrived })
    }

    /// Makes a picture of the bundled key frame, with whatever makes pictures now.
    ///
    /// # Errors
    /// As for a camera's.
    pub async fn self_test(&self) -> Result<()> {
        self.process.decode(&probe::picture()?, None)?.await.map(drop)
    }

    /// How each decoder and encoder stands, best first for each duty. Starts the child if there has
    /// been none.
    ///
    /// # Errors
    /// `Full` when too many pictures wait; `Internal` when the child does not start.
    pub async fn codecs(&self) -> Result<Vec<CodecReport>> {
        self.process.report().await
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

/// What the child is asked for: never more than the video has.
fn fitting(width: Option<u32>, params: &Params) -> Result<Option<u32>> {
    if width.is_some_and(|width| width < MIN_WIDTH) {
        return Err(Error::bad_input(format!("width: at least {MIN_WIDTH} pixels")));
    }
    Ok(width.filter(|&width| width < params.video.width))
}
