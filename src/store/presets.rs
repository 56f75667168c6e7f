//! The table `presets`: what the API calls a preset, and what its camera calls it.

use rusqlite::params;

use super::Store;
use crate::base::Result;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetAlias {
    /// As the API knows it.
    pub token: String,
    pub name: String,
    /// Opaque.
    pub camera_token: String,
}

impl Store {
    /// All of a source, by token.
    pub fn presets(&self, source: &str) -> Result<Vec<PresetAlias>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT token, name, camera_token FROM presets WHERE source = ?1 ORDER BY token",
        )?;
        let rows = query.query_map([source], |row| {
            Ok(PresetAlias { token: row.get(0)?, name: row.get(1)?, camera_token: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds one, or sets what the one with its token means.
    pub fn put_preset(&self, source: &str, preset: &PresetAlias) -> Result<()> {
        self.db().execute(
            "INSERT INTO presets (source, token, name, camera_token) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source, token) DO UPDATE SET name = ?3, camera_token = ?4",
            params![source, preset.token, preset.name, preset.camera_token],
        )?;
        Ok(())
    }

    /// Nothing happens where there is none.
    pub fn delete_preset(&self, source: &str, token: &str) -> Result<()> {
        self.db().execute("DELETE FROM presets WHERE source = ?1 AND token = ?2", [source, token])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let alias = |token: &str, name: &str, camera_token: &str| PresetAlias {
            token: token.into(),
            name: name.into(),
            camera_token: camera_token.into(),
        };
        store.put_preset("a", &alias("2", "door", "preset_7 x")).unwrap();
        store.put_preset("a", &alias("1", "gate", "000")).unwrap();
        store.put_preset("b", &alias("1", "hall", "1")).unwrap();
        store.put_preset("a", &alias("2", "window", "9")).unwrap();
        assert_eq!(store.presets("a").unwrap(), [alias("1", "gate", "000"), alias("2", "window", "9")]);
        store.delete_preset("a", "1").unwrap();
        store.delete_preset("a", "1").unwrap();
        assert_eq!(store.presets("a").unwrap(), [alias("2", "window", "9")]);
        assert_eq!(store.presets("b").unwrap(), [alias("1", "hall", "1")]);
    }
}
