//! All files of a volume that could be footage, in the order of their paths as bytes, which is also that
//! of the database. Memory: the names of one folder per level.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::Result;

/// Deeper folders are none of ours.
const MAX_DEPTH: usize = 8;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Below the volume's root, as in the database.
    pub path: String,
    pub bytes: u64,
    pub modified: SystemTime,
}

/// See the module. Folders that hold nothing are removed on the way.
pub struct Walk {
    root: PathBuf,
    levels: Vec<Level>,
}

struct Level {
    /// With a slash at its end; empty for the root.
    folder: String,
    /// Sorted; of folders with a slash at their end, which puts them where their files' paths belong.
    names: std::vec::IntoIter<String>,
}

impl Walk {
    pub fn new(root: &Path) -> Self {
        let names = vec!["record/".to_owned(), "snapshot/".to_owned()].into_iter();
        Self { root: root.to_owned(), levels: vec![Level { folder: String::new(), names }] }
    }

    /// The next file; `None` at the end.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn next(&mut self) -> Result<Option<Found>> {
        loop {
            let depth = self.levels.len();
            let Some(level) = self.levels.last_mut() else { return Ok(None) };
            let Some(name) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            let path = format!("{}{name}", level.folder);
            if !name.ends_with('/') {
                if let Some(found) = find(&self.root, &path)? {
                    return Ok(Some(found));
                }
            } else if depth > MAX_DEPTH {
                tracing::warn!("{path} is not looked into: it is deeper than footage can lie");
            } else if let Some(names) = self.names(&path)? {
                self.levels.push(Level { folder: path, names: names.into_iter() });
            }
        }
    }

    /// What is in the folder; `None` when there is nothing.
    fn names(&self, folder: &str) -> Result<Option<Vec<String>>> {
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if entries.is_empty() {
            // Only so that no empty folders pile up.
            let _ = fs::remove_dir(&path);
            return Ok(None);
        }
        let mut names: Vec<_> = entries.iter().filter_map(name).collect();
        names.sort_unstable();
        Ok(Some(names))
    }
}

fn name(entry: &DirEntry) -> Option<String> {
    let kind = entry.file_type().ok()?;
    match entry.file_name().into_string() {
        Ok(name) if kind.is_dir() => Some(name + "/"),
        Ok(name) if kind.is_file() => Some(name),
        _ => {
            tracing::warn!(
                "{} is neither file nor folder with a name in UTF-8: left",
                entry.path().display()
            );
            None
        }
    }
}

/// The file at `path` below `root`, if there is one.
///
/// # Errors
/// When the disk fails.
pub fn find(root: &Path, path: &str) -> Result<Option<Found>> {
    match fs::symlink_metadata(root.join(path)) {
        Ok(data) if data.is_file() => {
            let modified = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Ok(Some(Found { path: path.to_owned(), bytes: data.len(), modified }))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
