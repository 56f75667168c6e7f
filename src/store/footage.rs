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
        Ok(self.db().prepare_cached(&sql)?.query_row([id], footage).optional()?)
    }

    pub fn footage_by_path(&self, path: &str) -> Result<Option<Footage>> {
        let sql = format!("SELECT {COLUMNS} FROM footage WHERE path = ?1");
        Ok(self.db().prepare_cached(&sql)?.query_row([path], footage).optional()?)
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
        let sql = format!(
            "SELECT {COLUMNS} FROM footage
             WHERE token = ?1 AND what = ?2 AND start_ms >= ?3 AND start_ms < ?4 AND (end_ms >= ?5 OR open)
             ORDER BY start_ms, id LIMIT ?6"
        );
        let db = self.db();
        let mut query = db.prepare_cached(&sql)?;
        let earliest = from.0.saturating_sub(LONGEST_MS);
        let rows =
            query.query_map(params![token, what.as_str(), earliest, to.0, from.0, limit as i64], footage)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

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
