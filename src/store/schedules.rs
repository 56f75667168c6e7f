//! The table `schedules`: what is recorded without being asked.

use rusqlite::params;

use super::Store;
use crate::base::Result;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    pub token: String,
    /// 168 characters `0` or `1`.
    pub week: String,
    /// 0: none.
    pub snapshot_seconds: u32,
}

impl Store {
    pub fn schedules(&self) -> Result<Vec<ScheduleRow>> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT token, week, snapshot_seconds FROM schedules")?;
        let rows = query.query_map([], |row| {
            Ok(ScheduleRow { token: row.get(0)?, week: row.get(1)?, snapshot_seconds: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sets the schedule of a source.
    pub fn put_schedule(&self, row: &ScheduleRow) -> Result<()> {
        self.db().execute(
            "INSERT INTO schedules (token, week, snapshot_seconds) VALUES (?1, ?2, ?3)
             ON CONFLICT (token) DO UPDATE SET week = ?2, snapshot_seconds = ?3",
            params![row.token, row.week, row.snapshot_seconds],
        )?;
        Ok(())
    }

    /// Nothing happens where there is none.
    pub fn delete_schedule(&self, token: &str) -> Result<()> {
        self.db().execute("DELETE FROM schedules WHERE token = ?1", [token])?;
        Ok(())
    }
}
