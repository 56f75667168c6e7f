//! The table `alarms`: sources whose events start recordings.

use rusqlite::params;

use super::Store;
use crate::base::Result;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    pub source: String,
    pub motion: bool,
    pub input: bool,
    pub post_seconds: u32,
}

impl Store {
    pub fn alarms(&self) -> Result<Vec<AlarmRow>> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT source, motion, input, post_seconds FROM alarms")?;
        let rows = query.query_map([], |row| {
            Ok(AlarmRow {
                source: row.get(0)?,
                motion: row.get(1)?,
                input: row.get(2)?,
                post_seconds: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sets the one of a source.
    pub fn put_alarm(&self, row: &AlarmRow) -> Result<()> {
        self.db().execute(
            "INSERT INTO alarms (source, motion, input, post_seconds) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source) DO UPDATE SET motion = ?2, input = ?3, post_seconds = ?4",
            params![row.source, row.motion, row.input, row.post_seconds],
        )?;
        Ok(())
    }

    /// Nothing happens where there is none.
    pub fn delete_alarm(&self, source: &str) -> Result<()> {
        self.db().execute("DELETE FROM alarms WHERE source = ?1", [source])?;
        Ok(())
    }
}
