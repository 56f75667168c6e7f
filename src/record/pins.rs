//! Footage that is in use (played, downloaded, exported, written) and therefore not deleted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts of users by id of the footage. As many entries as files in use.
#[derive(Debug, Default)]
pub struct Pins(Mutex<HashMap<i64, usize>>);

/// One use; dropping it ends it.
#[derive(Debug)]
pub struct Pin {
    pins: Arc<Pins>,
    id: i64,
}

impl Pins {
    pub fn pin(self: &Arc<Self>, id: i64) -> Pin {
        *self.lock().entry(id).or_default() += 1;
        Pin { pins: self.clone(), id }
    }

    pub fn is_pinned(&self, id: i64) -> bool {
        self.lock().contains_key(&id)
    }

    /// Runs `delete` unless the footage is in use; nobody can begin to use it meanwhile.
    pub fn unless_pinned<T>(&self, id: i64, delete: impl FnOnce() -> T) -> Option<T> {
        let pins = self.lock();
        (!pins.contains_key(&id)).then(delete)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, usize>> {
        // Map operations leave the map valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.pins.lock();
        if let Some(count) = pins.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.id);
            }
        }
    }
}
