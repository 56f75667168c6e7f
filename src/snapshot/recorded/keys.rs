//! Where the key frames of a recording lie: what is kept of a file's index between two requests, since
//! reading that anew costs a look at each fragment. Memory: 24 bytes for each key frame.

use std::sync::Arc;

use crate::base::Result;
use crate::base::time::MediaTime;
use crate::media::frame::Track;
use crate::media::hybrid;
use crate::media::params::Params;
use crate::media::recorded::Reading;

/// One key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// On the file's own line, which starts at 0 with the first picture.
    pub shown: MediaTime,
    /// Offset in the file.
    pub at: u64,
    pub size: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Keys {
    pub params: Arc<Params>,
    /// By the time at which they are shown.
    all: Box<[Key]>,
}

impl Keys {
    /// Largest access unit that is read: what the decoding child takes.
    pub const MAX_UNIT: u32 = super::super::protocol::MAX_UNIT as u32;

    /// Blocks.
    ///
    /// # Errors
    /// `BadInput` when the file is none of ours; others when it cannot be read.
    pub fn read(reading: &Reading) -> Result<Self> {
        let scan = hybrid::scan(&mut &reading.file, reading.bytes, false)?;
        let keys = scan.index.samples(Track::Video).filter(|sample| sample.key);
        let mut all: Box<[Key]> =
            keys.map(|sample| Key { shown: sample.pts, at: sample.at, size: sample.size }).collect();
        all.sort_by_key(|key| key.shown);
        Ok(Self { params: scan.params, all })
    }

    /// The one that is shown at `time` or before; the first of all if `time` is before it.
    pub fn at(&self, time: MediaTime) -> Option<Key> {
        let later = self.all.partition_point(|key| key.shown <= time);
        self.all.get(later.saturating_sub(1)).copied()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    #[cfg(test)]
    pub fn of(params: Arc<Params>, shown: &[i64]) -> Self {
        let key = |&at: &i64| Key { shown: MediaTime(at), at: at as u64, size: 1 };
        Self { params, all: shown.iter().map(key).collect() }
    }
}
