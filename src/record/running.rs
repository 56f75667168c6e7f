//! How far the open recordings are: what the database does not know, as it is written to at their
//! beginning and end only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// What is safely in the file of an open recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub millis: i64,
    /// Whole fragments, synced.
    pub bytes: u64,
}

/// By id of the footage; one entry for each open recording.
#[derive(Debug, Default)]
pub struct Running {
    open: Mutex<HashMap<i64, Progress>>,
    ended: watch::Sender<()>,
}

/// An open recording's entry; dropping it takes it away.
#[derive(Debug)]
pub struct Entry {
    running: Arc<Running>,
    id: i64,
}

impl Running {
    pub fn begin(self: &Arc<Self>, id: i64) -> Entry {
        self.lock().insert(id, Progress::default());
        Entry { running: self.clone(), id }
    }

    /// `None` for what is not being written.
    pub fn progress(&self, id: i64) -> Option<Progress> {
        self.lock().get(&id).copied()
    }

    /// Changes when a recording has been closed.
    pub fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Progress>> {
        // Map operations leave the map valid.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub fn set(&self, progress: Progress) {
        self.running.lock().insert(self.id, progress);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
        self.running.ended.send_replace(());
    }
}
