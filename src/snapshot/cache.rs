//! The newest picture of each source, or the decoding of it that is under way: whoever asks for the
//! same key frame and width shares one result.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::process::Pending;
use super::{MAX_SOURCES, MAX_WIDTHS};
use crate::base::{Kind, Result};
use crate::media::frame::Frame;

/// A source that nobody asked for so long is forgotten when the next one is asked for.
const KEEP: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cache {
    sources: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Identifies the key frame, also between two sources that had the same token.
    frame: Weak<Frame>,
    last_use: Instant,
    /// Newest last.
    by_width: Vec<(Option<u32>, Pending)>,
}

impl Cache {
    /// The picture of this frame, or what `decode` makes if there is none yet.
    pub fn get(
        &mut self,
        token: &str,
        frame: &Arc<Frame>,
        width: Option<u32>,
        decode: impl FnOnce() -> Result<Pending>,
    ) -> Result<Pending> {
        let now = Instant::now();
        self.sources.retain(|_, entry| now - entry.last_use < KEEP);
        if let Some(entry) = self.sources.get_mut(token).filter(|entry| entry.is_of(frame)) {
            entry.last_use = now;
            entry.by_width.retain(|(_, pending)| !has_failed(pending));
            if let Some((_, found)) = entry.by_width.iter().find(|(w, _)| *w == width) {
                return Ok(found.clone());
            }
        }
        let pending = decode()?;
        self.make_room(token);
        let fresh = || Entry { frame: Arc::downgrade(frame), last_use: now, by_width: Vec::new() };
        let entry = self.sources.entry(token.to_owned()).or_insert_with(fresh);
        if !entry.is_of(frame) {
            *entry = fresh();
        }
        if entry.by_width.len() == MAX_WIDTHS {
            drop(entry.by_width.remove(0));
        }
        entry.by_width.push((width, pending.clone()));
        Ok(pending)
    }

    fn make_room(&mut self, token: &str) {
        if self.sources.len() < MAX_SOURCES || self.sources.contains_key(token) {
            return;
        }
        let oldest = self.sources.iter().min_by_key(|(_, entry)| entry.last_use);
        if let Some(oldest) = oldest.map(|(token, _)| token.clone()) {
            self.sources.remove(&oldest);
        }
    }
}

impl Entry {
    fn is_of(&self, frame: &Arc<Frame>) -> bool {
        std::ptr::eq(self.frame.as_ptr(), Arc::as_ptr(frame))
    }
}

/// Failed for a reason that says nothing about the frame: the next asker tries again.
fn has_failed(pending: &Pending) -> bool {
    matches!(pending.peek(), Some(Err(error)) if error.kind() != Kind::BadInput)
}
