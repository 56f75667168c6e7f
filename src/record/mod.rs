//! Recording: sessions that write what a hub delivers into files on volumes, retention, recovery at
//! start, search.
//!
//! [`Recorder`] is the handle that everybody else uses. Each running recording is one task
//! ([`session`]) with a cursor in its source's hub; the ring is its only queue, and it holds at most
//! one fragment of frames (2 s, by reference). Blocking file work runs on threads that may block.

mod control;
mod cut;
mod file;
pub mod housekeeping;
pub mod library;
pub mod pins;
pub mod place;
mod reconcile;
pub mod recover;
mod retain;
pub mod running;
pub mod schedule;
mod session;
mod sessions;
mod status;
pub mod stills;
pub mod volume;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::base::Result;
use crate::base::config::Config;
use crate::base::time::Clock;
use crate::store::Store;
pub use control::Phase;
use pins::Pins;
use running::Running;
use schedule::Schedules;
use sessions::Sessions;
pub use sessions::{Request, Started};
pub use status::{RecState, Report};
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
    schedules: Schedules,
    sessions: Sessions,
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
    ) -> Result<Arc<Self>> {
        let recorder = Arc::new(Self {
            settings,
            schedules: Schedules::load(store.clone())?,
            store,
            clock,
            volumes,
            pins: Arc::default(),
            running: Arc::default(),
            sessions: Sessions::default(),
            shutdown,
        });
        recorder.sessions.tasks.spawn(schedule::run(recorder.clone()));
        housekeeping::start(&recorder);
        Ok(recorder)
    }
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
