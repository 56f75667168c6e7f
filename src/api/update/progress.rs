//! How far an update is. What RAUC does it tells itself, also after a restart of the daemon; what comes before
//! that is kept here, with the outcome of the last one.
//!
//! The lock is held for single look-ups, never across an await.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::base::Error;
use crate::system::inbox::Inbox;
use crate::system::update::{Bundle, State};

/// The steps of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Idle,
    Receiving,
    Checking,
    Installing,
    Done,
    Failed,
}

impl Phase {
    /// `strState`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Receiving => "receiving",
            Self::Checking => "checking",
            Self::Installing => "installing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// The right to receive or install: one at a time.
pub type Turn = tokio::sync::OwnedMutexGuard<()>;

/// The daemon's part of updates.
pub struct Updates {
    pub inbox: Inbox,
    /// Held by who receives or installs.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    now: Mutex<Now>,
    changes: AtomicU64,
    outcomes: watch::Sender<String>,
}

#[derive(Default)]
struct Now {
    phase: Phase,
    percent: u8,
    text: String,
    /// Lies in the inbox, received and checked by this daemon.
    ready: Option<Bundle>,
}

impl Updates {
    /// `dir` is the configuration's `appliance.update_dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            inbox: Inbox::new(dir),
            turn: Arc::default(),
            now: Mutex::default(),
            changes: AtomicU64::new(0),
            outcomes: watch::Sender::default(),
        }
    }

    pub fn set(&self, phase: Phase, percent: u8, text: &str) {
        let mut now = self.change();
        if phase == Phase::Receiving {
            now.ready = None;
        }
        (now.phase, now.percent, now.text) = (phase, percent, text.to_owned());
    }

    pub fn percent(&self, percent: u8) {
        self.change().percent = percent;
    }

    pub fn is_ready(&self, bundle: &Bundle) {
        self.set(Phase::Idle, 0, &format!("version {} is ready to be installed", bundle.version));
        self.change().ready = Some(bundle.clone());
    }

    /// The bundle that can be installed now.
    pub fn ready(&self) -> Option<Bundle> {
        self.now().ready.clone()
    }

    /// Nothing is kept of an update that failed, but why.
    pub async fn fail(&self, error: &Error, turn: Turn) {
        tracing::warn!("an update failed: {error}");
        self.end(Phase::Failed, &error.to_string(), turn).await;
    }

    /// The update is in slot `next`.
    pub async fn finish(&self, next: &str, turn: Turn) {
        self.end(Phase::Done, &started_next(next), turn).await;
    }

    /// What the last one came to is no longer true.
    pub fn forget(&self) {
        let ready = self.ready();
        *self.change() = Now { ready, ..Now::default() };
    }

    /// Whoever sees the end finds the turn free: both change under one lock, after the clearing.
    async fn end(&self, phase: Phase, text: &str, turn: Turn) {
        if let Err(error) = self.inbox.clear().await {
            tracing::warn!("the bundle is not removed: {error}");
        }
        let mut now = self.change();
        *now = Now { phase, percent: 100, text: text.to_owned(), ready: None };
        drop(turn);
        self.outcomes.send_replace(text.to_owned());
    }

    /// How often what is seen here changed.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// What updates come to from now on, in words.
    pub fn outcomes(&self) -> watch::Receiver<String> {
        self.outcomes.subscribe()
    }

    /// What `GetUpdate` says: phase, percentage, text.
    pub fn seen_with(&self, state: &State) -> (Phase, u8, String) {
        let mut now = self.now();
        if state.installing && now.phase == Phase::Installing {
            // Still said in the moment between the updater's end and ours.
            (now.percent, now.text) = (state.percent, state.step.clone());
        }
        match now.phase {
            _ if state.installing => (Phase::Installing, state.percent, state.step.clone()),
            // Since this daemon started there was none.
            Phase::Idle if now.ready.is_none() => {
                if state.reboot_needed() {
                    (Phase::Done, 100, started_next(&state.next))
                } else if state.last_error.is_empty() {
                    (Phase::Idle, 0, String::new())
                } else {
                    (Phase::Failed, 100, state.last_error.clone())
                }
            }
            phase => (phase, now.percent, now.text.clone()),
        }
    }

    /// Counted under the lock, so that whoever has seen the count sees the change.
    fn change(&self) -> MutexGuard<'_, Now> {
        let now = self.now();
        self.changes.fetch_add(1, Ordering::Relaxed);
        now
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // No method leaves it half changed.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn started_next(slot: &str) -> String {
    format!("slot {slot} is started next: a restart is needed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::update::Slot;

    #[tokio::test]
    async fn what_is_seen_is_the_newest_truth() {
        let dir = tempfile::tempdir().unwrap();
        let updates = Updates::new(dir.path());
        let seen = |state: &State| {
            let (phase, percent, text) = updates.seen_with(state);
            (phase.as_str(), percent, text)
        };
        let slot = Slot { name: "A".into(), booted: true, ..Slot::default() };
        let calm = State { slots: vec![slot], next: "A".into(), ..State::default() };
        assert_eq!(seen(&calm), ("idle", 0, String::new()));
        // The daemon was started while it went on, and after.
        let installing =
            State { installing: true, percent: 40, step: "Updating slots".into(), ..calm.clone() };
        assert_eq!(seen(&installing), ("installing", 40, "Updating slots".into()));
        let waiting = State { next: "B".into(), ..calm.clone() };
        assert_eq!(seen(&waiting), ("done", 100, "slot B is started next: a restart is needed".into()));
        let broken = State { last_error: "no space".into(), ..calm.clone() };
        assert_eq!(seen(&broken), ("failed", 100, "no space".into()));

        updates.set(Phase::Receiving, 0, "comes");
        updates.percent(7);
        assert_eq!(seen(&broken), ("receiving", 7, "comes".into()));
        let bundle = Bundle { version: "2.0".into(), compatible: "h5edge-qemu".into() };
        updates.is_ready(&bundle);
        assert_eq!(seen(&broken), ("idle", 0, "version 2.0 is ready to be installed".into()));
        assert_eq!(updates.ready(), Some(bundle));
        std::fs::write(dir.path().join("bundle.raucb"), "x").unwrap();
        let turn = updates.turn.clone().lock_owned().await;
        updates.fail(&Error::refused("not for this box"), turn).await;
        assert!(updates.turn.try_lock().is_ok());
        assert_eq!(seen(&calm), ("failed", 100, "not for this box".into()));
        assert!(updates.ready().is_none() && std::fs::read_dir(dir.path()).unwrap().next().is_none());
        updates.forget();
        assert_eq!(seen(&calm), ("idle", 0, String::new()));
    }
}
