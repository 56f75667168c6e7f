//! One recording file and its row, from open to close. All of it blocks.
//!
//! Order of the steps, for a power cut at any of them: the file stands, with its head, before its row is
//! inserted; a fragment is written with one call and synced before anybody is told of it; at the end the
//! index is synced before the cover makes it count, and the row is closed last. The row is touched twice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::Recorder;
use super::running::{Entry, Progress};
use super::volume::Volume;
use crate::base::footage::{Cause, Footage, What};
use crate::base::time::MediaTime;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::frame::Frame;
use crate::media::hybrid::{self, Index, Label};
use crate::media::params::Params;

/// What a new file is about.
#[derive(Clone, Debug)]
pub struct Opening {
    pub token: String,
    pub cause: Cause,
    /// Below the volume's root.
    pub path: String,
    /// Of the first picture.
    pub start: Wall,
    pub offset: Offset,
    pub params: Arc<Params>,
}

/// An open recording. Dropping it without [`RecordingFile::close`] leaves what is in it to the recovery
/// at the next start.
pub struct RecordingFile {
    file: File,
    recorder: Arc<Recorder>,
    volume: Arc<Volume>,
    opening: Opening,
    label: Label,
    index: Index,
    /// A write failed: the index may know of more than the file has.
    torn: bool,
    /// Offset behind the last whole fragment, where the next one goes.
    end: u64,
    duration: MediaTime,
    id: i64,
    entry: Entry,
}

impl RecordingFile {
    /// Makes the file with its folders, then its row.
    ///
    /// # Errors
    /// `Refused` when the path is used or the volume cannot be written to, `Full` when it has no room;
    /// then nothing is left of it.
    pub fn open(recorder: Arc<Recorder>, volume: Arc<Volume>, opening: Opening) -> Result<Self> {
        volume.ready()?;
        let label = Label { start: opening.start, offset: opening.offset, cause: opening.cause };
        let head = hybrid::head(&opening.params, &label);
        let path = volume.file(&opening.path);
        let file = create(&volume, &opening.path, &head)?;
        let end = head.len() as u64;
        volume.written(end);
        let id = match recorder.store.insert_footage(&row(&volume, &opening, end)) {
            Ok(id) => id,
            Err(error) => {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
        };
        let entry = recorder.running.begin(id);
        let index = Index::new(&opening.params);
        let duration = MediaTime::ZERO;
        Ok(Self { file, recorder, volume, opening, label, index, torn: false, end, duration, id, entry })
    }

    pub fn path(&self) -> &str {
        &self.opening.path
    }

    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    pub fn start(&self) -> Wall {
        self.opening.start
    }

    /// Where its last picture ends.
    pub fn end(&self) -> Wall {
        self.opening.start.plus_millis(millis(self.duration))
    }

    /// Writes and syncs a fragment; see [`Index::fragment`].
    ///
    /// # Errors
    /// When the volume cannot be written to. The file then ends with the fragment before, and can only be
    /// closed.
    pub fn append(&mut self, frames: &[Arc<Frame>], until: MediaTime) -> Result<()> {
        self.volume.writable()?;
        let fragment = self.index.fragment(frames, until, self.end);
        let written = write_all(&mut self.file, &fragment.pieces).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.torn = true;
            return Err(self.failed(&error));
        }
        self.end += fragment.bytes;
        self.volume.written(fragment.bytes);
        self.duration = self.index.duration();
        self.entry.set(Progress { millis: millis(self.duration), bytes: self.end });
        Ok(())
    }

    /// Completes the file and closes its row. One without a picture is taken away.
    ///
    /// # Errors
    /// When the disk or the database fails; it may be tried again.
    pub fn close(&mut self) -> Result<()> {
        let path = self.volume.file(self.path());
        if self.duration == MediaTime::ZERO {
            fs::remove_file(&path).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            return self.recorder.store.delete_footage(self.id);
        }
        if self.torn {
            self.file.rewind()?;
            self.index = hybrid::scan(&mut self.file, self.end, false)?.index;
            self.file.seek(SeekFrom::Start(self.end))?;
            self.torn = false;
        }
        let moov = Bytes::from(self.index.moov(&self.opening.params, &self.label));
        let bytes = self.end + moov.len() as u64;
        let cover = hybrid::cover(self.end);
        let completed = write_all(&mut self.file, &[moov])
            .and_then(|()| self.file.sync_data())
            .and_then(|()| self.file.write_all_at(&cover, hybrid::COVER_AT));
        if let Err(error) = completed {
            return Err(self.failed(&error));
        }
        self.volume.written(bytes - self.end + cover.len() as u64);
        self.recorder.store.close_footage(self.id, self.end(), bytes)
    }

    /// Takes what was torn off the end, and has the volume looked at.
    fn failed(&mut self, error: &io::Error) -> Error {
        // When that fails too, the recovery finds the end by the checksums.
        let _ = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        self.volume.failed(error);
        self.volume.writable().err().unwrap_or_else(|| {
            Error::internal(format!("volume {} cannot be written to: {error}", self.volume.name))
        })
    }
}

fn row(volume: &Volume, opening: &Opening, bytes: u64) -> Footage {
    Footage {
        id: 0,
        what: What::Record,
        token: opening.token.clone(),
        cause: opening.cause,
        volume: volume.name.clone(),
        path: opening.path.clone(),
        start: opening.start,
        end: opening.start,
        offset: opening.offset,
        bytes,
        open: true,
        locked: false,
    }
}

/// A new file with its first bytes, synced together with its folders.
///
/// # Errors
/// `Refused` where there is one already; else what the volume says of itself.
pub(super) fn create(volume: &Volume, path: &str, head: &[u8]) -> Result<File> {
    let full = volume.file(path);
    let made = make_folders(&volume.root, Path::new(path)).and_then(|()| {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&full)?;
        let written = file
            .write_all(head)
            .and_then(|()| file.sync_all())
            .and_then(|()| full.parent().map_or(Ok(()), sync_folder));
        match written {
            Ok(()) => Ok(file),
            Err(error) => {
                let _ = fs::remove_file(&full);
                Err(error)
            }
        }
    });
    made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::refused(format!("there is {path} already")),
        _ => {
            volume.failed(&error);
            let failed = || Error::internal(format!("volume {} cannot be written to: {error}", volume.name));
            volume.writable().err().unwrap_or_else(failed)
        }
    })
}

/// The folders of `path` below `root`, which itself is not made: it is missing when its disk is.
fn make_folders(root: &Path, path: &Path) -> io::Result<()> {
    let mut folder = root.to_owned();
    for part in path.parent().into_iter().flat_map(Path::components) {
        let parent = folder.clone();
        folder.push(part);
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(&parent)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// All pieces, with as few calls as the system allows: mostly one.
fn write_all(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = slices.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Rounded down, as everything that says how much is safely there.
fn millis(time: MediaTime) -> i64 {
    time.0 / (crate::base::time::TICKS_PER_SECOND / 1000)
}
