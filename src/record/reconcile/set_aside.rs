//! Files that cannot be used are kept in `<root>/set-aside`, out of everybody's way, each with a text
//! that says why. Nobody deletes them but people.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

const FOLDER: &str = "set-aside";
/// Of a file name, with room for a number and an extension.
const LONGEST: usize = 200;

/// Moves the file at `path` below `root`.
///
/// # Errors
/// When the disk does not let it; the file is then where it was.
pub fn set_aside(root: &Path, path: &str, reason: &str) -> io::Result<()> {
    let folder = root.join(FOLDER);
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let flat: String = path.replace('/', "_");
    let from = flat.len().saturating_sub(LONGEST);
    // The end tells more than the beginning.
    let name = (from..).find_map(|from| flat.get(from..)).unwrap_or_default();
    let free = |number: &u32| !folder.join(format!("{number}-{name}")).exists();
    let number = (1..).find(free).unwrap_or_default();
    let kept = folder.join(format!("{number}-{name}"));
    fs::write(folder.join(format!("{number}-{name}.txt")), format!("{path}\n{reason}\n"))?;
    fs::rename(root.join(path), kept)
}

/// How many files are there: those that have a text beside them.
pub fn count(root: &Path) -> u64 {
    let folder = root.join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else { return 0 };
    let has_text = |name: &OsStr| {
        let mut text = name.to_owned();
        text.push(".txt");
        folder.join(text).exists()
    };
    entries.flatten().filter(|entry| has_text(&entry.file_name())).count() as u64
}
