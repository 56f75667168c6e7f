//! Volumes: the folders that footage lies in, and whether each can be used now.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::base::Result;
use crate::base::config::VolumeEntry;
use crate::store::Store;

/// What a volume is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Reading and writing.
    Online,
    /// Reading: nothing can be deleted any more and less is free than should be.
    Full(String),
    /// Reading only, for another reason.
    ReadOnly(String),
    /// Nothing: not mounted, unplugged, broken.
    Gone(String),
}

/// One volume.
pub struct Volume {
    pub name: String,
    pub root: PathBuf,
    /// Bytes.
    pub keep_free: u64,
    state: watch::Sender<State>,
}

/// All volumes, in the order of the configuration; at least one.
pub struct Volumes {
    all: Vec<Arc<Volume>>,
}

impl Volumes {
    /// Looks at all of them; one that is not there is `Gone` and no error.
    pub fn open(entries: &[VolumeEntry], store: &Arc<Store>) -> Result<Arc<Self>> {
        let _ = store;
        let all = entries.iter().map(|entry| {
            std::fs::create_dir_all(&entry.path)?;
            Ok(Arc::new(Volume {
                name: entry.name.clone(),
                root: entry.path.clone(),
                keep_free: entry.keep_free_mb << 20,
                state: watch::Sender::new(State::Online),
            }))
        });
        Ok(Arc::new(Self { all: all.collect::<Result<_>>()? }))
    }

    /// Where the source is recorded.
    pub fn of_source(&self, token: &str) -> Arc<Volume> {
        let _ = token;
        self.all[0].clone()
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Volume>> {
        self.all.iter().find(|volume| volume.name == name)
    }

    pub fn list(&self) -> &[Arc<Volume>] {
        &self.all
    }
}

impl Volume {
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
        Ok(())
    }

    /// `Ok` when it can be read from; as [`Volume::writable`].
    pub fn readable(&self) -> Result<()> {
        Ok(())
    }

    /// A writer's call failed: finds out what that says about the volume. Blocks.
    pub fn failed(&self, error: &io::Error) {
        let _ = error;
    }

    /// Adds to what was written today.
    pub fn written(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Of an entry of the database.
    pub fn file(&self, path: &str) -> PathBuf {
        let _: &Path = self.root.as_path();
        self.root.join(path)
    }
}
