//! Recording: sessions that write what a hub delivers into files on volumes, retention, recovery at
//! start, search.
//!
//! [`Recorder`] is the handle that everybody else uses. Each running recording is one task
//! ([`session`]) with a cursor in its source's hub; the ring is its only queue, and it holds at most
//! one fragment of frames (2 s, by reference). Blocking file work runs on threads that may block.

mod control;
mod cut;
pub mod export;
mod file;
pub mod forecast;
pub mod housekeeping;
pub mod library;
pub mod pins;
pub mod place;
mod reconcile;
pub mod recover;
mod retain;
mod retention;
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
use crate::base::time::{Clock, MediaTime};
use crate::store::Store;
pub use control::Phase;
use export::Exports;
use pins::Pins;
use retention::Rule;
pub use retention::{Chosen, Retention};
use running::Running;
use schedule::Schedules;
use sessions::Sessions;
pub use sessions::{Request, Started};
pub use status::{RecState, Report};
use volume::Volumes;

/// How far a source's ring has to reach back so that recordings lose nothing while a disk takes its time
/// to sync: cheap flash is busy for seconds at times.
pub const DISK_SLACK: MediaTime = MediaTime::from_secs(4);

/// What holds for all recordings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub pre_roll: Duration,
    pub rollover: Duration,
    /// As configured; what an administrator has set holds over it.
    pub retention: Retention,
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
    retention: Rule,
    schedules: Schedules,
    sessions: Sessions,
    exports: Exports,
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
            retention: Rule::load(settings.retention, store.clone())?,
            settings,
            schedules: Schedules::load(store.clone())?,
            store,
            clock,
            volumes,
            pins: Arc::default(),
            running: Arc::default(),
            sessions: Sessions::default(),
            exports: Exports::default(),
            shutdown,
        });
        recorder.fail_interrupted_exports()?;
        recorder.sessions.tasks.spawn(schedule::run(recorder.clone()));
        housekeeping::start(&recorder);
        recorder.sessions.tasks.spawn(recorder.clone().age_exports());
        Ok(recorder)
    }

    /// How long footage is kept now.
    pub fn retention(&self) -> Retention {
        self.retention.now()
    }

    /// Keeps it so from now on; what is to go goes at once.
    ///
    /// # Errors
    /// When the database fails; then all stays as it was.
    pub async fn set_retention(&self, change: Chosen) -> Result<Retention> {
        self.retention.set(change).await
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let recording = &config.recording;
        Self {
            pre_roll: Duration::from_secs(recording.pre_roll_seconds),
            rollover: Duration::from_secs(recording.rollover_seconds),
            retention: recording.into(),
        }
    }
}
