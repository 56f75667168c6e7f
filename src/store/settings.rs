//! The table `settings`: single values that the program keeps for itself.

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::Store;
use crate::base::Result;

impl Store {
    /// This device's identity (`strHostId`): a random UUID, made at the first call and kept.
    pub fn host_id(&self) -> Result<String> {
        self.setting_or("host_id", || Uuid::new_v4().to_string())
    }

    /// A value that was kept under `key`.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        let found = self.db().query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Keeps `value` under `key`.
    pub fn put_setting(&self, key: &str, value: &str) -> Result<()> {
        self.db().execute(
            "INSERT INTO settings (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    }

    /// Forgets what was kept under `key`.
    pub fn delete_setting(&self, key: &str) -> Result<()> {
        self.db().execute("DELETE FROM settings WHERE key = ?1", [key])?;
        Ok(())
    }

    /// The marker that the volume `name` was last seen with; `None` before its first use.
    pub fn volume_marker(&self, name: &str) -> Result<Option<String>> {
        self.setting(&marker_key(name))
    }

    pub fn set_volume_marker(&self, name: &str, marker: &str) -> Result<()> {
        self.put_setting(&marker_key(name), marker)
    }

    /// The value of `key`; where there is none, `first` is kept and returned.
    fn setting_or(&self, key: &str, first: impl FnOnce() -> String) -> Result<String> {
        let db = self.db();
        db.execute(
            "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
            params![key, first()],
        )?;
        Ok(db.query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0))?)
    }
}

fn marker_key(volume: &str) -> String {
    format!("volume/{volume}")
}
