//! Volumes: the folders that footage lies in, and whether each can be used now.
//!
//! A volume is known by its marker ([`marker`]): a folder without it is an empty mount point, and nothing
//! is written there. What is known of a volume comes from looks at it ([`look`]) that
//! [`super::housekeeping`] takes every few seconds and a writer takes when its call failed; [`State`]
//! follows from the newest look and from what retention and reconciliation say. Memory: some numbers and
//! texts for each volume.

mod look;
mod marker;
mod state;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use crate::base::config::VolumeEntry;
use crate::base::{Error, Result};
use crate::store::Store;
use look::Look;
pub use look::Space;
pub(super) use look::Unfit;
pub use marker::MARKER;
use state::Facts;
pub(super) use state::Owed;
pub use state::{Checked, State};

/// A disk that has not answered for this long is taken for gone.
pub(super) const LOOK_PATIENCE: Duration = Duration::from_secs(4);

/// One volume.
pub struct Volume {
    pub name: String,
    pub root: PathBuf,
    /// Bytes.
    pub keep_free: u64,
    store: Arc<Store>,
    state: watch::Sender<State>,
    facts: Mutex<Facts>,
    /// Bytes written since the last look.
    since_look: AtomicU64,
    /// Bytes that are not in the table `written` yet.
    unsaved: AtomicU64,
    /// Wakes its retention.
    room_wanted: Notify,
}

/// All volumes, in the order of the configuration; at least one.
pub struct Volumes {
    all: Vec<Arc<Volume>>,
    /// Tokens that the configuration puts on a volume, with its place in `all`.
    homes: Vec<(String, usize)>,
    pub(super) tasks: TaskTracker,
}

impl Volumes {
    /// Looks at all of them; one that is not there is `Gone` and no error. Until rows and files of a
    /// volume have been compared, it is `Checking`; one that is used for the first time is `Online`.
    /// Blocks, for each disk that does not answer at most 4 s.
    ///
    /// # Errors
    /// `BadInput` without an entry, `Internal` when the database fails.
    pub fn open(entries: &[VolumeEntry], store: &Arc<Store>) -> Result<Arc<Self>> {
        if entries.is_empty() {
            return Err(Error::bad_input("there is no volume"));
        }
        let mut all = Vec::new();
        let mut homes = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            homes.extend(entry.sources.iter().map(|token| (token.clone(), at)));
            all.push(Volume::open(entry, store)?);
        }
        Ok(Arc::new(Self { all, homes, tasks: TaskTracker::new() }))
    }

    /// Where the source is recorded.
    pub fn of_source(&self, token: &str) -> Arc<Volume> {
        let home = self.homes.iter().find(|(name, _)| name == token).map_or(0, |(_, at)| *at);
        self.all[home].clone()
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Volume>> {
        self.all.iter().find(|volume| volume.name == name)
    }

    pub fn list(&self) -> &[Arc<Volume>] {
        &self.all
    }

    /// Space of all volumes together, a disk with two of them counted once.
    pub fn space(&self) -> Space {
        let mut seen = Vec::new();
        let mut sum = Space::default();
        for space in self.all.iter().filter_map(|volume| volume.space()) {
            if !seen.contains(&space.device) {
                seen.push(space.device);
                sum.total += space.total;
                sum.free += space.free;
            }
        }
        sum
    }
}

impl Volume {
    fn open(entry: &VolumeEntry, store: &Arc<Store>) -> Result<Arc<Self>> {
        let known = store.volume_marker(&entry.name)?;
        let first_use = known.is_none();
        let volume = Arc::new(Self {
            name: entry.name.clone(),
            root: entry.path.clone(),
            keep_free: entry.keep_free_mb << 20,
            store: store.clone(),
            state: watch::Sender::new(State::Checking(format!("volume {} is being looked at", entry.name))),
            facts: Mutex::new(Facts::default()),
            since_look: AtomicU64::new(0),
            unsaved: AtomicU64::new(0),
            room_wanted: Notify::new(),
        });
        let look = volume.clone().look_with_patience();
        let empty = first_use && look.is_ok() && !volume.has_footage();
        volume.settle(look);
        if empty {
            volume.update(|facts| facts.owed = Owed::Nothing);
        }
        Ok(volume)
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Those who wait for it to be usable again.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// `Ok` when it can be written to.
    ///
    /// # Errors
    /// `Full` or `Refused`, with a text for people that names the volume.
    pub fn writable(&self) -> Result<()> {
        match &*self.state.borrow() {
            State::Online => Ok(()),
            State::Full(text) => Err(Error::full(text)),
            State::Checking(text) | State::ReadOnly(text) | State::Gone(text) => Err(Error::refused(text)),
        }
    }

    /// As [`Volume::writable`], but looks whether it is there at this moment: before a file is made, so
    /// that none is made in an empty mount point. Blocks.
    pub fn ready(&self) -> Result<()> {
        self.writable()?;
        if !self.root.join(MARKER).exists() {
            self.settle(self.look());
            self.writable()?;
        }
        Ok(())
    }

    /// `Ok` when it can be read from; as [`Volume::writable`].
    pub fn readable(&self) -> Result<()> {
        match &*self.state.borrow() {
            State::Gone(text) => Err(Error::refused(text)),
            _ => Ok(()),
        }
    }

    /// A writer's call failed: finds out what that says about the volume. Blocks.
    pub fn failed(&self, error: &io::Error) {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        tracing::warn!(volume = self.name, "a call failed: {error}");
        if matches!(error.kind(), StorageFull | QuotaExceeded) {
            self.facts().full = true;
        } else {
            self.facts().suspect = true;
        }
        self.settle(self.look());
    }

    /// Adds to what was written today.
    pub fn written(&self, bytes: u64) {
        self.unsaved.fetch_add(bytes, Ordering::Relaxed);
        let since_look = self.since_look.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let short = |space: Space| space.free < self.keep_free.saturating_add(since_look);
        if self.space().is_some_and(short) {
            self.room_wanted.notify_one();
        }
    }

    /// Of an entry of the database.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// As of the last look; `None` when it is gone.
    pub fn space(&self) -> Option<Space> {
        self.facts().space
    }

    /// Rows and files agree.
    pub fn is_reconciled(&self) -> bool {
        self.facts().owed == Owed::Nothing
    }

    /// How far rows and files have been compared.
    pub fn checked(&self) -> Checked {
        self.facts().checked
    }

    /// Bytes written that are not in the table `written` yet.
    pub fn unsaved(&self) -> u64 {
        self.unsaved.load(Ordering::Relaxed)
    }

    /// The same, and they are counted as saved from now on.
    pub(super) fn take_unsaved(&self) -> u64 {
        self.unsaved.swap(0, Ordering::Relaxed)
    }

    /// Gives back what could not be saved.
    pub(super) fn return_unsaved(&self, bytes: u64) {
        self.unsaved.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Completes when it has too little room, or has become full.
    pub(super) async fn room_wanted(&self) {
        self.room_wanted.notified().await;
    }

    /// Looks at the disk. Blocks, on a broken disk for as long as that likes.
    pub(super) fn look(&self) -> std::result::Result<Look, Unfit> {
        let (suspect, full) = {
            let facts = self.facts();
            (facts.suspect, facts.full)
        };
        let write = |space: Space| suspect || full && space.has_room(self.enough_free(space.total));
        look::look(&self.name, &self.root, &self.store, write)
    }

    /// As [`Volume::look`], but returns in time; the thread that was left behind ends with the look.
    fn look_with_patience(self: Arc<Self>) -> std::result::Result<Look, Unfit> {
        let (tell, told) = std::sync::mpsc::channel();
        let volume = self.clone();
        std::thread::spawn(move || {
            let _ = tell.send(volume.look());
        });
        told.recv_timeout(LOOK_PATIENCE).unwrap_or_else(|_| Err(Unfit::silent(&self.name)))
    }

    /// Takes in what a look found.
    pub(super) fn settle(&self, look: std::result::Result<Look, Unfit>) {
        self.since_look.store(0, Ordering::Relaxed);
        self.update(|facts| facts.take_in(look, self.keep_free));
    }

    /// Retention has nothing left to delete here and too little is free.
    pub(super) fn exhausted(&self) {
        self.update(|facts| facts.full = true);
    }

    /// What is to be compared now, with a number that has to come back in [`Volume::reconciled`].
    pub(super) fn to_reconcile(&self) -> Option<(Owed, u64)> {
        let facts = self.facts();
        let ready = facts.unfit.is_none() && !facts.read_only && facts.owed != Owed::Nothing;
        ready.then_some((facts.owed, facts.generation))
    }

    /// Rows and files agree, unless something happened since [`Volume::to_reconcile`] gave `generation`.
    pub(super) fn reconciled(&self, generation: u64) {
        self.update(|facts| {
            if facts.generation == generation {
                facts.owed = Owed::Nothing;
            }
        });
    }

    pub(super) fn set_checked(&self, change: impl FnOnce(&mut Checked)) {
        self.update(|facts| change(&mut facts.checked));
    }

    /// What has to be free before a full volume is used again.
    pub(super) fn enough_free(&self, total: u64) -> u64 {
        state::enough_free(self.keep_free, total)
    }

    fn update(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts();
        change(&mut facts);
        let next = facts.state(&self.name, self.keep_free);
        // Under the lock, so that states are published in the order of their facts.
        self.state.send_if_modified(|state| {
            if *state == next {
                return false;
            }
            // For each change of the kind of state, not for each figure in its text.
            if std::mem::discriminant(state) != std::mem::discriminant(&next) {
                report(&self.name, &next);
                if matches!(next, State::Full(_)) {
                    self.room_wanted.notify_one();
                }
            }
            *state = next;
            true
        });
    }

    fn has_footage(&self) -> bool {
        ["record", "snapshot"].iter().any(|folder| self.root.join(folder).exists())
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        // Facts are replaced one by one, and each is valid alone.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn report(volume: &str, state: &State) {
    match state {
        State::Online => tracing::info!(volume, "the volume is in use"),
        State::Checking(text) => tracing::info!(volume, "{text}"),
        State::Full(text) | State::ReadOnly(text) | State::Gone(text) => tracing::error!(volume, "{text}"),
    }
}

#[cfg(test)]
mod tests;
