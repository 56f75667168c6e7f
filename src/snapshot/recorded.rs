//! Pictures of what was recorded, for people who scrub: many requests in a row, most of which nobody
//! waits for any more when they are due. No camera is asked.
//!
//! One of them at a time reads and decodes ([`turns`]), so that pictures of live sources wait for one at
//! most. Disks are read on threads that may block, and whoever waits for one is answered in time. What has
//! begun goes on to its end in a task of its own, also when its asker leaves: it will be asked for again.
//!
//! Memory: [`shelf`]'s bounds, the waiting requests, and one access unit.

mod keys;
mod shelf;
mod turns;

use std::cmp::Reverse;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use self::keys::{Key, Keys};
use self::shelf::{Name, Shelf};
use self::turns::Turns;
use super::process::Process;
use super::{Snapshots, fitting};
use crate::base::time::{MediaTime, MonoTime};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::Picture;
use crate::media::recorded::{Library, Piece, Reading};

/// A disk that takes longer is taken for gone.
const DISK_PATIENCE: Duration = Duration::from_secs(4);
/// A recording that ended this much before still has the picture of a moment: fragments are written
/// whole, 2 s at most, and there may be a breath between two files.
const SLACK_MS: i64 = 2500;

/// Which picture.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub token: String,
    pub at: Wall,
    /// The zone in which that is told.
    pub offset: Offset,
    pub width: u32,
}

/// A picture of a moment.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub jpeg: Bytes,
    /// It will be the same whenever it is asked for.
    pub settled: bool,
}

/// What all requests share.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    turns: Turns,
    shelf: Arc<Mutex<Shelf>>,
}

impl Snapshots {
    /// The key frame that was shown at that moment, or the last one before it in the same recording.
    /// `who` waits behind others, see [`turns`].
    ///
    /// # Errors
    /// `NotFound` when nothing is recorded of that moment, or its file is gone; `Full` and `Refused` as for
    /// [`Turns::take`]; `Timeout` when disk or decoder hang; those of [`Snapshots::jpeg`].
    pub async fn recorded(&self, library: Arc<dyn Library>, who: &str, wanted: Wanted) -> Result<Recorded> {
        let turn = self.recordings.turns.take(who).await?;
        let (shelf, process) = (self.recordings.shelf.clone(), self.process.clone());
        let work = tokio::spawn(async move {
            let _turn = turn;
            picture(library, shelf, process, wanted).await
        });
        work.await.map_err(|_| Error::internal("the picture was given up"))?
    }
}

async fn picture(
    library: Arc<dyn Library>,
    shelf: Arc<Mutex<Shelf>>,
    process: Process,
    wanted: Wanted,
) -> Result<Recorded> {
    let (on, width) = (shelf.clone(), wanted.width);
    let look = spawn_blocking(move || find(&*library, &on, &wanted));
    let silent = |_| Error::timeout("the disk of the recordings does not answer");
    let found = timeout(DISK_PATIENCE, look).await.map_err(silent)?;
    let Found { name, unit, settled } = found.map_err(|_| Error::internal("the reading was given up"))??;
    let jpeg = match unit {
        Unit::Known(jpeg) => jpeg,
        Unit::Read(picture) => {
            let width = fitting(Some(width), &picture.params)?;
            let jpeg = process.decode(&picture, width)?.await?;
            lock(&shelf).put(name, jpeg.clone());
            jpeg
        }
    };
    Ok(Recorded { jpeg, settled })
}

struct Found {
    name: Name,
    unit: Unit,
    settled: bool,
}

enum Unit {
    /// It was decoded before.
    Known(Bytes),
    Read(Picture),
}

/// Looks through the recordings of that moment; one that cannot be read is passed over while another one
/// has it too. Blocks.
fn find(library: &dyn Library, shelf: &Mutex<Shelf>, wanted: &Wanted) -> Result<Found> {
    let Wanted { token, at, offset, .. } = wanted;
    let mut pieces = library.pieces(token, at.plus_millis(-SLACK_MS), at.plus_millis(1))?;
    // As playback chooses; and those that last until then go before those that have just ended.
    pieces.sort_by_key(|piece| Reverse(piece.end));
    let mut failed = None;
    for piece in pieces {
        match look_into(library, shelf, &piece, wanted) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    }
    let nothing = || Error::not_found(format!("nothing is recorded of {token} at {}", at.iso(*offset)));
    Err(failed.unwrap_or_else(nothing))
}

/// `None` when there is no picture in it.
fn look_into(
    library: &dyn Library,
    shelf: &Mutex<Shelf>,
    piece: &Piece,
    wanted: &Wanted,
) -> Result<Option<Found>> {
    // Not deleted from here on; and gone for us, too, once it is deleted.
    let reading = library.open(piece.id)?;
    let known = lock(shelf).keys(piece.id, reading.bytes);
    let keys = match known {
        Some(keys) => keys,
        None => {
            let keys = Arc::new(Keys::read(&reading).map_err(|error| error.context(&piece.url))?);
            lock(shelf).put_keys(piece.id, reading.bytes, keys.clone());
            keys
        }
    };
    let Some(key) = keys.at(MediaTime::from_millis(wanted.at.0.saturating_sub(piece.start.0))) else {
        return Ok(None);
    };
    let name = Name { file: piece.id, at: key.at, width: wanted.width };
    let jpeg = lock(shelf).jpeg(&name);
    let unit = match jpeg {
        Some(jpeg) => Unit::Known(jpeg),
        None => Unit::Read(unit(&reading, &keys, key).map_err(|error| error.context(&piece.url))?),
    };
    Ok(Some(Found { name, unit, settled: piece.end > wanted.at }))
}

fn unit(reading: &Reading, keys: &Keys, key: Key) -> Result<Picture> {
    if key.size > Keys::MAX_UNIT || key.at.saturating_add(key.size.into()) > reading.bytes {
        return Err(Error::bad_input("a key frame is not where it should be"));
    }
    let mut data = vec![0; key.size as usize];
    reading.file.read_exact_at(&mut data, key.at)?;
    let frame = Frame {
        track: Track::Video,
        dts: key.shown,
        pts: key.shown,
        duration: MediaTime(1),
        key: true,
        data: data.into(),
        arrived: MonoTime::default(),
    };
    Ok(Picture { params: keys.params.clone(), frame: Arc::new(frame), stamp: (0, 0) })
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    // No method leaves it half changed.
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
