//! The table `settings`: single values that the program keeps for itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::Store;
use crate::base::secret::Secret;
use crate::base::{Error, Result};

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

    /// Keeps `secret` under `key`, encrypted like the passwords of cameras and of no use under another key.
    pub fn put_secret_setting(&self, key: &str, secret: &Secret) -> Result<()> {
        self.put_setting(key, &BASE64.encode(self.seal.seal(secret, &sealed_for(key))?))
    }

    /// What [`Store::put_secret_setting`] kept. `Internal` when it cannot be decrypted.
    pub fn secret_setting(&self, key: &str) -> Result<Option<Secret>> {
        let Some(text) = self.setting(key)? else { return Ok(None) };
        let within = |error: Error| error.context(format!("setting {key}"));
        let sealed = BASE64.decode(text).map_err(|_| within(Error::internal("it is not encrypted")))?;
        self.seal.unseal(&sealed, &sealed_for(key)).map(Some).map_err(within)
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

/// No source has such a token, whose passwords are sealed for their tokens.
fn sealed_for(key: &str) -> String {
    format!("setting {key}")
}

fn marker_key(volume: &str) -> String {
    format!("volume/{volume}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_setting_is_sealed_for_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.secret_setting("cloud/password").unwrap(), None);
        store.put_secret_setting("cloud/password", &Secret::new("hunter2")).unwrap();
        assert_eq!(store.secret_setting("cloud/password").unwrap(), Some(Secret::new("hunter2")));
        let sealed = store.setting("cloud/password").unwrap().unwrap();
        assert!(!sealed.contains("hunter2"));
        store.put_setting("elsewhere", &sealed).unwrap();
        let error = store.secret_setting("elsewhere").unwrap_err().to_string();
        assert!(error.starts_with("setting elsewhere: cannot be decrypted"), "{error}");
        store.put_setting("plain", "not base64!").unwrap();
        assert!(store.secret_setting("plain").is_err());
        store.put_secret_setting("cloud/password", &Secret::default()).unwrap();
        assert_eq!(store.secret_setting("cloud/password").unwrap(), Some(Secret::default()));
    }
}
