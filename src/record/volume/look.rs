//! A look at a volume: whether its own disk is there, how much is free, and whether it can be written
//! to. Blocks. Costs no write unless one failed before: a disk in good state is only read from.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};

use super::marker::{self, Found};
use crate::store::Store;

/// Written, synced and deleted to see whether that works again.
const PROBE: &str = ".h5edge-probe";
/// Fewer free inodes than this are no room.
const MIN_INODES: u64 = 64;

/// Of a file system, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    pub total: u64,
    /// For a program without special rights.
    pub free: u64,
    /// Tells file systems apart.
    pub device: u64,
    /// Files can be made.
    inodes: bool,
}

impl Space {
    /// Whether `bytes` are free, and files can be made.
    pub fn has_room(self, bytes: u64) -> bool {
        self.free >= bytes && self.inodes
    }
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub space: Space,
    pub read_only: bool,
    /// Writing was tried and worked.
    pub wrote: bool,
    /// It is another disk than before.
    pub changed: bool,
}

/// Why a volume cannot be used at all, for people.
#[derive(Clone, Debug)]
pub struct Unfit(pub String);

impl Unfit {
    /// A look did not come back.
    pub fn silent(name: &str) -> Self {
        Self(format!("volume {name} does not answer"))
    }
}

/// See the module. Writing is tried where `write` says so.
pub fn look(
    name: &str,
    root: &Path,
    store: &Store,
    write: impl FnOnce(Space) -> bool,
) -> Result<Look, Unfit> {
    let changed = match marker::check(name, root, store)? {
        Found::Known => false,
        Found::New => true,
    };
    let failed = |error: io::Error| Unfit(format!("volume {name} cannot be used: {error}"));
    let fs = statvfs(root).map_err(|errno| failed(errno.into()))?;
    let space = space(root, &fs).map_err(failed)?;
    let look = Look { space, read_only: fs.flags().contains(FsFlags::ST_RDONLY), wrote: false, changed };
    if look.read_only || !write(space) {
        return Ok(look);
    }
    match probe(root) {
        Ok(()) => Ok(Look { wrote: true, ..look }),
        Err(error) => match errno(&error) {
            Errno::ENOSPC | Errno::EDQUOT => Ok(look),
            Errno::EROFS | Errno::EACCES | Errno::EPERM => Ok(Look { read_only: true, ..look }),
            _ => Err(failed(error)),
        },
    }
}

#[allow(clippy::unnecessary_cast, reason = "these types have 32 bits on 32-bit ARM")]
fn space(root: &Path, fs: &Statvfs) -> io::Result<Space> {
    use std::os::unix::fs::MetadataExt;
    let block = fs.fragment_size() as u64;
    // File systems without a table of inodes say 0 of 0.
    let inodes = fs.files() == 0 || fs.files_available() as u64 >= MIN_INODES;
    Ok(Space {
        total: fs.blocks() as u64 * block,
        free: fs.blocks_available() as u64 * block,
        device: fs::metadata(root)?.dev(),
        inodes,
    })
}

fn probe(root: &Path) -> io::Result<()> {
    let path = root.join(PROBE);
    let mut file = File::create(&path)?;
    let written = file.write_all(&[0; 512]).and_then(|()| file.sync_all());
    let removed = fs::remove_file(&path);
    written.and(removed)
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}
