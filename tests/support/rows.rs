//! What the database knows of footage, read behind the daemon's back, and whether the disk agrees.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags};

use super::footage;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: i64,
    pub token: String,
    pub volume: String,
    pub path: String,
    /// Milliseconds since 1970.
    pub start: i64,
    pub end: i64,
    pub bytes: u64,
    pub open: bool,
    pub locked: bool,
}

/// All entries, oldest first.
pub fn rows(data_dir: &Path) -> Vec<Row> {
    let db = Connection::open_with_flags(data_dir.join("h5edge.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let db = db.expect("the database");
    let mut query = db
        .prepare(
            "SELECT id, token, volume, path, start_ms, end_ms, bytes, open, locked FROM footage
             ORDER BY start_ms, id",
        )
        .expect("the table");
    let rows = query.query_map([], |row| {
        Ok(Row {
            id: row.get(0)?,
            token: row.get(1)?,
            volume: row.get(2)?,
            path: row.get(3)?,
            start: row.get(4)?,
            end: row.get(5)?,
            bytes: row.get::<_, i64>(6)? as u64,
            open: row.get(7)?,
            locked: row.get(8)?,
        })
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// Changes rows of a daemon that does not run.
pub fn execute(data_dir: &Path, sql: &str) {
    let db = Connection::open(data_dir.join("h5edge.db")).expect("the database");
    db.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Panics unless each row has its file and each file its row, and closed ones are complete and as long and
/// as large as their rows say. `roots` are the volumes by name. Gives the rows.
pub fn consistent(data_dir: &Path, roots: &[(&str, PathBuf)]) -> Vec<Row> {
    consistent_since(data_dir, roots, SystemTime::now())
}

/// The same of a daemon that records again since `since`: a file that was made later may still wait for its
/// row.
pub fn consistent_since(data_dir: &Path, roots: &[(&str, PathBuf)], since: SystemTime) -> Vec<Row> {
    let rows = rows(data_dir);
    let mut known: BTreeMap<PathBuf, &Row> = BTreeMap::new();
    for row in &rows {
        let root = roots.iter().find(|(name, _)| *name == row.volume);
        known.insert(root.unwrap_or_else(|| panic!("no volume for {row:?}")).1.join(&row.path), row);
    }
    for file in roots.iter().flat_map(|(_, root)| footage::files(root)) {
        let is_new = fs::metadata(&file).and_then(|data| data.modified()).is_ok_and(|time| time > since);
        assert!(known.contains_key(&file) || is_new, "a file without a row: {}", file.display());
    }
    for (path, row) in known {
        let length = fs::metadata(&path).unwrap_or_else(|error| panic!("{row:?}: {error}")).len();
        if row.open || !row.path.starts_with("record/") {
            continue;
        }
        assert_eq!(length, row.bytes, "{row:?}");
        let scan = footage::read(&path);
        assert!(scan.complete, "{row:?}");
        let millis = scan.index.duration().0 / 90;
        assert!((millis - (row.end - row.start)).abs() <= 1, "{row:?} holds {millis} ms");
    }
    rows
}
