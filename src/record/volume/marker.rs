//! The marker: a file in the volume's root with an id that the database remembers. A folder without
//! it is not the volume, most likely an empty mount point.
//!
//! | database | marker | so |
//! |---|---|---|
//! | knows none | none | first use: the folder and the marker are made |
//! | knows none | any | a disk of another box, or the database is new: taken over |
//! | knows one | the same | all is well |
//! | knows one | none | not mounted |
//! | knows one | another | another disk: taken over, and said so in the log |
//! | knows one | without an id | somebody put an empty file there to say "use this disk": taken over |

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use uuid::Uuid;

use super::look::Unfit;
use crate::store::Store;

/// Name of the file.
pub const MARKER: &str = ".h5edge-volume";

/// What the marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This is the volume.
    Known,
    /// It is from now on.
    New,
}

/// Reads the marker and compares it with the database; makes or takes over what is new.
pub fn check(name: &str, root: &Path, store: &Store) -> Result<Found, Unfit> {
    let path = root.join(MARKER);
    let known = store.volume_marker(name).map_err(|error| Unfit(format!("volume {name}: {error}")))?;
    let failed = |error: io::Error| Unfit(format!("volume {name} cannot be used: {error}"));
    let there = read(&path).map_err(failed)?;
    let id = match (&known, there) {
        (Some(known), Some(there)) if *known == there => return Ok(Found::Known),
        (Some(_), None) => {
            return Err(Unfit(format!(
                "volume {name} is not there: no file {MARKER} in {} (is its disk mounted?)",
                root.display()
            )));
        }
        (None, None) => {
            fs::create_dir_all(root).map_err(failed)?;
            make(root).map_err(failed)?
        }
        (_, Some(there)) if there.is_empty() => make(root).map_err(failed)?,
        (known, Some(there)) => {
            let was = known.as_deref().unwrap_or("none");
            tracing::warn!(volume = name, "another disk than before (marker {there}, was {was}): taken over");
            there
        }
    };
    store.set_volume_marker(name, &id).map_err(|error| Unfit(format!("volume {name}: {error}")))?;
    Ok(Found::New)
}

/// The marker's id, from the disk itself and not from memory; empty when it holds none, `None` when
/// there is no such file.
fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // A disk that was pulled out answers from the page cache for long. Where that advice is not
    // taken, the writers find out.
    let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    let mut text = Vec::new();
    file.take(200).read_to_end(&mut text)?;
    let id = Uuid::try_parse_ascii(text.trim_ascii());
    Ok(Some(id.map(|id| id.to_string()).unwrap_or_default()))
}

/// Writes a new marker, safely on the disk before the database learns of it.
fn make(root: &Path) -> io::Result<String> {
    let id = Uuid::new_v4().to_string();
    let mut file = File::create(root.join(MARKER))?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    File::open(root)?.sync_all()?;
    Ok(id)
}
