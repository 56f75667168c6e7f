//! What retention, reconciliation and the storage overview ask of the table `footage`, its sums in
//! `totals` (kept by triggers), and the table `written`.

use rusqlite::{Connection, params};

use super::Store;
use super::footage::{COLUMNS, footage};
use crate::base::Result;
use crate::base::footage::{Footage, What};
use crate::base::wall::Wall;

/// Days that `written` reaches back, beyond which lines are dropped.
const WRITTEN_DAYS: u32 = 400;

/// Where a walk from the oldest to the newest entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub start: Wall,
    pub id: i64,
}

impl Place {
    /// Before everything.
    pub const START: Self = Self { start: Wall(i64::MIN), id: 0 };
}

impl From<&Footage> for Place {
    fn from(entry: &Footage) -> Self {
        Self { start: entry.start, id: entry.id }
    }
}

/// How much there is of one source on one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    pub volume: String,
    pub token: String,
    pub what: What,
    pub entries: u64,
    /// Of open recordings only what the database knows.
    pub bytes: u64,
}

/// How much was written to a volume in one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `2026-03-29`, local time.
    pub day: String,
    pub volume: String,
    pub bytes: u64,
}

/// One correction of the table; see [`Store::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The entry's id is not looked at.
    Add(Footage),
    /// What was taken for the footage of another volume lies on this one.
    Move {
        id: i64,
        volume: String,
    },
    Close {
        id: i64,
        end: Wall,
        bytes: u64,
    },
    Remove(i64),
}

impl Store {
    /// Makes all changes, or none, with one commit.
    ///
    /// # Errors
    /// When the database fails, also because an added path is used.
    pub fn apply(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut db = self.db();
        let step = db.transaction()?;
        changes.iter().try_for_each(|change| apply(&step, change))?;
        Ok(step.commit()?)
    }

    /// Entries of a volume in the order of their paths (as bytes), after `path`.
    pub fn footage_after_path(&self, volume: &str, path: &str, limit: usize) -> Result<Vec<Footage>> {
        let sql =
            format!("SELECT {COLUMNS} FROM footage WHERE path > ?2 AND +volume = ?1 ORDER BY path LIMIT ?3");
        self.list(&sql, params![volume, path, limit as i64])
    }

    /// Closed entries of a volume that began before `before`, oldest first, after `place`.
    pub fn oldest_on_volume(
        &self,
        volume: &str,
        what: What,
        locked: bool,
        before: Wall,
        place: Place,
        limit: usize,
    ) -> Result<Vec<Footage>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM footage
             WHERE volume = ?1 AND what = ?2 AND locked = ?3 AND start_ms < ?4 AND (start_ms, id) > (?5, ?6)
               AND NOT open
             ORDER BY start_ms, id LIMIT ?7"
        );
        let Place { start, id } = place;
        self.list(&sql, params![volume, what.as_str(), locked, before.0, start.0, id, limit as i64])
    }

    /// Closed entries of a source on all volumes, oldest first, after `place`.
    pub fn oldest_of_source(
        &self,
        token: &str,
        what: What,
        locked: bool,
        place: Place,
        limit: usize,
    ) -> Result<Vec<Footage>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM footage
             WHERE token = ?1 AND what = ?2 AND (start_ms, id) > (?4, ?5) AND locked = ?3 AND NOT open
             ORDER BY start_ms, id LIMIT ?6"
        );
        let Place { start, id } = place;
        self.list(&sql, params![token, what.as_str(), locked, start.0, id, limit as i64])
    }

    /// Entries of a volume that are open: being written, or were when the power went.
    pub fn open_footage(&self, volume: &str) -> Result<Vec<Footage>> {
        let sql = format!("SELECT {COLUMNS} FROM footage WHERE open = 1 AND volume = ?1 ORDER BY id");
        self.list(&sql, params![volume])
    }

    /// The highest id that was given; entries of the last minutes are not far below.
    pub fn newest_footage_id(&self) -> Result<i64> {
        let db = self.db();
        Ok(db.query_row("SELECT coalesce(max(id), 0) FROM footage", [], |row| row.get(0))?)
    }

    /// Start of the oldest entry of a volume.
    pub fn oldest_start(&self, volume: &str) -> Result<Option<Wall>> {
        let db = self.db();
        // One step in the index for each of the four.
        let mut query = db.prepare_cached(
            "SELECT min(oldest) FROM (
               SELECT (SELECT min(start_ms) FROM footage
                       WHERE volume = ?1 AND what = kinds.what AND locked = locks.locked) AS oldest
               FROM (SELECT 'record' AS what UNION ALL SELECT 'snapshot') AS kinds,
                    (SELECT 0 AS locked UNION ALL SELECT 1) AS locks)",
        )?;
        Ok(query.query_row([volume], |row| row.get::<_, Option<i64>>(0))?.map(Wall))
    }

    /// As many entries as sources with footage, times volumes.
    pub fn totals(&self) -> Result<Vec<Total>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT volume, token, what, entries, bytes FROM totals ORDER BY volume, token, what",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Total {
                volume: row.get(0)?,
                token: row.get(1)?,
                what: super::named(row, "what", What::parse)?,
                entries: row.get::<_, i64>(3)?.max(0) as u64,
                bytes: row.get::<_, i64>(4)?.max(0) as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds to what was written that day, with one commit for all volumes.
    pub fn add_written(&self, written: &[Written]) -> Result<()> {
        let mut db = self.db();
        let step = db.transaction()?;
        for Written { day, volume, bytes } in written {
            step.execute(
                "INSERT INTO written (day, volume, bytes) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
                params![day, volume, *bytes as i64],
            )?;
            let oldest = format!("-{WRITTEN_DAYS} days");
            step.execute("DELETE FROM written WHERE day < date(?1, ?2)", params![day, oldest])?;
        }
        Ok(step.commit()?)
    }

    /// Newest days first, at most `days` of them.
    pub fn written(&self, days: u32) -> Result<Vec<Written>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT day, volume, bytes FROM written
             WHERE day IN (SELECT DISTINCT day FROM written ORDER BY day DESC LIMIT ?1)
             ORDER BY day DESC, volume",
        )?;
        let rows = query.query_map([days], |row| {
            Ok(Written { day: row.get(0)?, volume: row.get(1)?, bytes: row.get::<_, i64>(2)?.max(0) as u64 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn list(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Footage>> {
        let db = self.db();
        let mut query = db.prepare_cached(sql)?;
        let rows = query.query_map(params, footage)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn apply(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::Add(entry) => super::footage::insert(db, entry).map(drop),
        Change::Move { id, volume } => {
            // Taken out and put in again, so that the sums follow.
            let sql = format!("SELECT {COLUMNS} FROM footage WHERE id = ?1");
            let entry = db.prepare_cached(&sql)?.query_row([id], footage)?;
            apply(db, &Change::Remove(*id))?;
            apply(db, &Change::Add(Footage { volume: volume.clone(), ..entry }))
        }
        Change::Close { id, end, bytes } => {
            db.prepare_cached(
                "UPDATE footage SET end_ms = max(start_ms, ?2), bytes = ?3, open = 0 WHERE id = ?1",
            )?
            .execute(params![id, end.0, *bytes as i64])?;
            Ok(())
        }
        Change::Remove(id) => {
            db.prepare_cached("DELETE FROM footage WHERE id = ?1")?.execute([id])?;
            Ok(())
        }
    }
}
