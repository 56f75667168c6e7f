//! Recordings and snapshots that nobody had to wait for: rows written into a daemon's database beside
//! it, and files where it looks for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};

/// A row of the table, with the file's content.
#[derive(Clone, Debug)]
pub struct Footage<'a> {
    /// `record` or `snapshot`.
    pub what: &'a str,
    pub token: &'a str,
    pub cause: &'a str,
    pub volume: &'a str,
    /// Folders and name: `2018-3-29TZ8/20-3-29/name.mp4`.
    pub path: &'a str,
    /// Milliseconds since 1970.
    pub start: i64,
    pub end: i64,
}

impl Default for Footage<'_> {
    fn default() -> Self {
        Self {
            what: "record",
            token: "token1",
            cause: "H5_REC_MANUAL",
            volume: "main",
            path: "",
            start: 0,
            end: 0,
        }
    }
}

impl Footage<'_> {
    /// Below the volume and below `/mediastore/`.
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.what, self.token, self.path)
    }

    pub fn url(&self) -> String {
        format!("/mediastore/{}", self.place())
    }

    /// In the volume that is there without configuration.
    pub fn file(&self, data_dir: &Path) -> PathBuf {
        data_dir.join("mediastore").join(self.place())
    }

    /// Adds row and file.
    pub fn add(&self, data_dir: &Path, bytes: &[u8]) {
        let file = self.file(data_dir);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        std::fs::write(file, bytes).expect("a file");
        self.insert(&database(data_dir), bytes.len());
    }

    /// Adds the row alone.
    pub fn insert(&self, db: &Connection, bytes: usize) {
        db.prepare_cached(
            "INSERT INTO footage (what, token, cause, volume, path, start_ms, end_ms, offset_min, bytes, open, locked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 480, ?8, 0, 0)",
        )
        .and_then(|mut insert| {
            let bytes = bytes as i64;
            insert.execute(params![
                self.what, self.token, self.cause, self.volume, self.place(), self.start, self.end, bytes
            ])
        })
        .expect("a row");
    }
}

/// The daemon's database; it may be running.
pub fn database(data_dir: &Path) -> Connection {
    let db = Connection::open(data_dir.join("h5edge.db")).expect("a database");
    db.busy_timeout(Duration::from_secs(30)).expect("a timeout");
    db
}
