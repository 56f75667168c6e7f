//! The table `footage`: recordings and snapshots.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Store;
use crate::base::footage::{Cause, Footage, What};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};

/// No recording lasts longer: what begins earlier than this before a span cannot reach into it.
pub const LONGEST_MS: i64 = 2 * 60 * 60 * 1000;

pub(super) const COLUMNS: &str =
    "id, what, token, cause, volume, path, start_ms, end_ms, offset_min, bytes, open, locked";

impl Store {
    /// Adds an entry and gives its id (`footage.id` is not looked at).
    ///
    /// # Errors
    /// `Refused` when the path is used.
    pub fn insert_footage(&self, footage: &Footage) -> Result<i64> {
        insert(&self.db(), footage)
    }

    /// The recording has come to its end.
    pub fn close_footage(&self, id: i64, end: Wall, bytes: u64) -> Result<()> {
        self.db()
            .prepare_cached(
                "UPDATE footage SET end_ms = max(start_ms, ?2), bytes = ?3, open = 0 WHERE id = ?1",
            )?
            .execute(params![id, end.0, bytes as i64])?;
        Ok(())
    }

    pub fn delete_footage(&self, id: i64) -> Result<()> {
        self.db().prepare_cached("DELETE FROM footage WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    pub fn lock_footage(&self, id: i64, locked: bool) -> Result<()> {
        self.db()
            .prepare_cached("UPDATE footage SET locked = ?2 WHERE id = ?1")?
            .execute(params![id, locked])?;
        Ok(())
    }

    pub fn footage(&self, id: i64) -> Result<Option<Footage>> {
        let sql = format!("SELECT {COLUMNS} FROM footage WHERE id = ?1");
        Ok(self.reader().prepare_cached(&sql)?.query_row([id], footage).optional()?)
    }

    pub fn footage_by_path(&self, path: &str) -> Result<Option<Footage>> {
        let sql = format!("SELECT {COLUMNS} FROM footage WHERE path = ?1");
        Ok(self.reader().prepare_cached(&sql)?.query_row([path], footage).optional()?)
    }

    /// The newest recording of `token` with that file name (`name.mp4`), whatever its folder.
    pub fn recording_by_name(&self, token: &str, name: &str) -> Result<Option<Footage>> {
        let sql = by_name();
        let (first, end) = (format!("record/{token}/"), format!("record/{token}0"));
        let row =
            self.reader().prepare_cached(&sql)?.query_row(params![first, end, format!("/{name}")], footage);
        Ok(row.optional()?)
    }

    /// What overlaps `from..to`, by start, at most `limit` entries. Open recordings that began before
    /// `to` are among them, whatever their end.
    pub fn find_footage(
        &self,
        what: What,
        token: &str,
        from: Wall,
        to: Wall,
        limit: usize,
    ) -> Result<Vec<Footage>> {
        self.search_footage(&Search { what, token, from, to, cause: None, after: None, limit })
    }

    /// As [`Store::find_footage`], with more to choose by.
    pub fn search_footage(&self, search: &Search) -> Result<Vec<Footage>> {
        let db = self.reader();
        let mut query = db.prepare_cached(&by_time())?;
        let earliest = Wall(search.from.0.saturating_sub(LONGEST_MS));
        // Rows are in the order of start and number: what comes after the last one that is known.
        let (start, id) = search.after.filter(|after| after.0 >= earliest).unwrap_or((earliest, 0));
        let rows = query.query_map(
            params![
                search.token,
                search.what.as_str(),
                start.0,
                id,
                search.to.0,
                search.from.0,
                search.cause.map(Cause::as_str),
                i64::try_from(search.limit).unwrap_or(i64::MAX),
            ],
            footage,
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a recording of `token` began in `from..to`.
    pub fn recording_began(&self, token: &str, from: Wall, to: Wall) -> Result<bool> {
        let db = self.reader();
        let mut query = db.prepare_cached(BEGAN)?;
        Ok(query.exists(params![token, What::Record.as_str(), from.0, to.0])?)
    }

    /// Whether there is anything of `token`.
    pub fn has_footage(&self, token: &str) -> Result<bool> {
        Ok(self.reader().prepare_cached("SELECT 1 FROM footage WHERE token = ?1")?.exists([token])?)
    }
}

/// What [`Store::search_footage`] looks for.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    pub what: What,
    pub token: &'a str,
    /// Overlapping `from..to`.
    pub from: Wall,
    pub to: Wall,
    /// `None`: any.
    pub cause: Option<Cause>,
    /// Start and number of an entry: only what comes behind it.
    pub after: Option<(Wall, i64)>,
    pub limit: usize,
}

/// Goes down the index `footage_by_source`, in whose order the rows come.
fn by_time() -> String {
    format!(
        "SELECT {COLUMNS} FROM footage
         WHERE token = ?1 AND what = ?2 AND start_ms >= ?3 AND start_ms < ?5
           AND (start_ms > ?3 OR id > ?4)
           AND (start_ms >= ?6 OR end_ms > ?6 OR open) AND (?7 IS NULL OR cause = ?7)
         ORDER BY start_ms, id LIMIT ?8"
    )
}

/// Looks at the paths of one source in the index that keeps paths unique, and at no row but those found.
fn by_name() -> String {
    format!(
        "SELECT {COLUMNS} FROM footage WHERE path IN
             (SELECT path FROM footage WHERE path >= ?1 AND path < ?2 AND substr(path, -length(?3)) = ?3)
         ORDER BY start_ms DESC LIMIT 1"
    )
}

const BEGAN: &str =
    "SELECT 1 FROM footage WHERE token = ?1 AND what = ?2 AND start_ms >= ?3 AND start_ms < ?4";

/// See [`Store::insert_footage`].
pub(super) fn insert(db: &Connection, footage: &Footage) -> Result<i64> {
    let added = db
        .prepare_cached(
            "INSERT INTO footage (what, token, cause, volume, path, start_ms, end_ms, offset_min, bytes, open, locked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (path) DO NOTHING",
        )?
        .execute(params![
            footage.what.as_str(),
            footage.token,
            footage.cause.as_str(),
            footage.volume,
            footage.path,
            footage.start.0,
            footage.end.0,
            footage.offset.0,
            footage.bytes as i64,
            footage.open,
            footage.locked,
        ])?;
    match added {
        0 => Err(Error::refused(format!("there is {} already", footage.path))),
        _ => Ok(db.last_insert_rowid()),
    }
}

pub(super) fn footage(row: &Row) -> rusqlite::Result<Footage> {
    Ok(Footage {
        id: row.get(0)?,
        what: super::named(row, "what", What::parse)?,
        token: row.get(2)?,
        cause: super::named(row, "cause", Cause::parse)?,
        volume: row.get(4)?,
        path: row.get(5)?,
        start: Wall(row.get(6)?),
        end: Wall(row.get(7)?),
        offset: Offset(row.get(8)?),
        bytes: row.get::<_, i64>(9)?.max(0) as u64,
        open: row.get(10)?,
        locked: row.get(11)?,
    })
}

#[cfg(test)]
mod tests;
