//! What playback needs to know of recordings, without knowing who keeps them: `record` implements
//! [`Library`], `play` reads through it.

use std::any::Any;
use std::fs::File;

use crate::base::Result;
use crate::base::wall::Wall;

/// One recording file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Names it to [`Library::open`].
    pub id: i64,
    /// Wall time of the first picture; the file's own time line starts at 0 there.
    pub start: Wall,
    /// Of the end of the last picture that is safely in the file.
    pub end: Wall,
    /// It is still being written: later looks find more in it.
    pub open: bool,
    /// Where it is served, as it stands in an address: `/mediastore/record/…`.
    pub url: String,
}

/// A file open for reading; it is not deleted while this lives.
pub struct Reading {
    /// Of the source that it was recorded from.
    pub token: String,
    /// Positioned anywhere; read with positions of your own.
    pub file: File,
    /// How many bytes may be read: whole boxes, all synced.
    pub bytes: u64,
    pub open: bool,
    /// Holds the file.
    pub hold: Box<dyn Any + Send + Sync>,
}

/// All recordings. Methods block; call them on a thread that may.
pub trait Library: Send + Sync + 'static {
    /// Recordings of `token` that overlap `from..to`, by start.
    ///
    /// # Errors
    /// When the database fails.
    fn pieces(&self, token: &str, from: Wall, to: Wall) -> Result<Vec<Piece>>;

    /// The recording with that file name (with or without `.mp4`) or path below `/mediastore/`.
    ///
    /// # Errors
    /// `NotFound` naming it.
    fn named(&self, token: &str, file: &str) -> Result<Piece>;

    /// Opens one.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `Refused` when its volume is not there.
    fn open(&self, id: i64) -> Result<Reading>;
}
