//! What lies on a daemon's volume, and what is in the files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use h5edge::media::hybrid::{Scan, scan};

use super::daemon::Daemon;

/// The volume that is there without configuration.
pub fn volume(daemon: &Daemon) -> PathBuf {
    daemon.data_dir().join("mediastore")
}

/// The file that an answer's `strPath` names.
pub fn file(daemon: &Daemon, path: &str) -> PathBuf {
    volume(daemon).join(path.strip_prefix("/mediastore/").expect("a path below /mediastore/"))
}

/// All recordings of a source, oldest first.
pub fn recordings(daemon: &Daemon, token: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&volume(daemon).join("record").join(token), &mut found);
    found.sort_by_key(|path| read(path).label.start);
    found
}

/// All files of footage on a volume.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root.join("record"), &mut found);
    walk(&root.join("snapshot"), &mut found);
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => walk(&path, found),
            false => found.push(path),
        }
    }
}

/// The file as it is now; all checksums right.
pub fn read(path: &Path) -> Scan {
    let mut file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let length = file.metadata().expect("its length").len();
    scan(&mut file, length, true).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Seconds of video in it.
pub fn seconds(scan: &Scan) -> f64 {
    scan.index.duration().as_secs_f64()
}

/// The number that the camera gave each picture, in decoding order: microseconds since 1970.
pub fn stamps(path: &Path) -> Vec<u64> {
    let bytes = fs::read(path).expect("the file");
    let scan = read(path);
    let samples = scan.index.samples(h5edge::media::frame::Track::Video);
    samples
        .map(|sample| {
            let at = sample.at as usize;
            super::stamp::find_stamp(&bytes[at..at + sample.size as usize]).expect("a stamp in each picture")
        })
        .collect()
}
