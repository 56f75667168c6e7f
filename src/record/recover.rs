//! Completes one file that was not closed in order: after a power cut, or when its session failed.
//!
//! Every step can be cut off itself and the whole be done again: the file is cut behind its last whole
//! fragment, the `moov` appended and synced, and only then the head of the covering `mdat` written.
//! Blocks; memory: the file's index (see [`scan`]) and its encoded `moov`.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::hybrid::{COVER_AT, Index, Label, Scan, cover, scan};
use crate::media::params::Params;

/// What the completed file holds.
#[derive(Clone, Debug)]
pub struct Completed {
    pub label: Label,
    pub params: Arc<Params>,
    pub duration: MediaTime,
    /// Length of the file.
    pub bytes: u64,
}

/// Completes the file in place; what is complete already is only read. Checksums decide what is whole.
///
/// # Errors
/// `BadInput` when it is not a recording; `NotFound` when there is not one whole fragment in it, so
/// that nothing is lost with the file; others when reading or writing fails.
pub fn complete(path: &Path) -> Result<Completed> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let found = scan(&mut file, length, true)?;
    if found.index.is_empty() {
        return Err(Error::not_found("there is not one whole fragment in it"));
    }
    let bytes = if found.complete {
        length
    } else {
        file.set_len(found.end)?;
        let bytes = append(&mut file, &found.index, &found.params, &found.label, found.end)?;
        file.sync_data()?;
        bytes
    };
    let Scan { label, params, index, .. } = found;
    Ok(Completed { label, params, duration: index.duration(), bytes })
}

/// Completes a file that ends with its last fragment, at `end`, and gives its length. The cover is not
/// synced: without it the file is one to be completed again.
pub fn append(file: &mut File, index: &Index, params: &Params, label: &Label, end: u64) -> io::Result<u64> {
    let movie = index.moov(params, label);
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&movie)?;
    file.sync_data()?;
    file.write_all_at(&cover(end), COVER_AT)?;
    Ok(end + movie.len() as u64)
}

#[cfg(test)]
mod tests;
