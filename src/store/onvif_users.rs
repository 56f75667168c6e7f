//! The table `onvif_users`: who may use our own ONVIF device. Passwords are sealed and not hashed, as
//! the digests of ONVIF and RTSP are made of them.

use rusqlite::params;

use super::Store;
use crate::base::secret::Secret;
use crate::base::{Error, Result};

/// One row. `onvif` knows what the level means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnvifUser {
    pub name: String,
    pub password: Secret,
    pub level: String,
}

impl Store {
    /// All of them, by name. One whose password cannot be decrypted is left out, and named in the log.
    pub fn onvif_users(&self) -> Result<Vec<OnvifUser>> {
        let db = self.db();
        let mut query = db.prepare("SELECT name, password, level FROM onvif_users ORDER BY name")?;
        let rows = query.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?))
        })?;
        let mut users = Vec::new();
        for row in rows {
            let (name, sealed, level) = row?;
            match self.seal.unseal(&sealed, &context(&name)) {
                Ok(password) => users.push(OnvifUser { name, password, level }),
                Err(error) => tracing::error!(user = name, "ONVIF password: {error}"),
            }
        }
        Ok(users)
    }

    /// Adds a user. `Refused` when the name is taken, `Full` when there are `most` already.
    pub fn insert_onvif_user(&self, user: &OnvifUser, most: usize) -> Result<()> {
        let password = self.seal.seal(&user.password, &context(&user.name))?;
        let db = self.db();
        let count: i64 = db.query_row("SELECT count(*) FROM onvif_users", [], |row| row.get(0))?;
        if usize::try_from(count).is_ok_and(|count| count >= most) {
            return Err(Error::full(format!("there are {count} ONVIF users already")));
        }
        let added = db.execute(
            "INSERT INTO onvif_users (name, password, level) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
            params![user.name, password, user.level],
        )?;
        match added {
            0 => Err(Error::refused(format!("parameter user: {} is there already", user.name))),
            _ => Ok(()),
        }
    }

    /// Changes what is given. `NotFound` when there is no such user.
    pub fn update_onvif_user(
        &self,
        name: &str,
        password: Option<&Secret>,
        level: Option<&str>,
    ) -> Result<()> {
        let sealed = password.map(|password| self.seal.seal(password, &context(name))).transpose()?;
        let changed = self.db().execute(
            "UPDATE onvif_users SET password = coalesce(?2, password), level = coalesce(?3, level)
             WHERE name = ?1",
            params![name, sealed, level],
        )?;
        found(name, changed)
    }

    /// Removes a user. `NotFound` when there is none of this name.
    pub fn delete_onvif_user(&self, name: &str) -> Result<()> {
        found(name, self.db().execute("DELETE FROM onvif_users WHERE name = ?1", [name])?)
    }
}

fn found(name: &str, rows: usize) -> Result<()> {
    match rows {
        0 => Err(Error::not_found(format!("parameter user: there is no ONVIF user {name}"))),
        _ => Ok(()),
    }
}

/// A sealed password of a camera cannot stand in for one of a user: tokens have no blank.
fn context(name: &str) -> String {
    format!("onvif user {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_kept_with_their_passwords_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let user = |name: &str, password: &str| OnvifUser {
            name: name.into(),
            password: Secret::new(password),
            level: "User".into(),
        };
        store.insert_onvif_user(&user("b", "hunter2"), 2).unwrap();
        assert!(store.insert_onvif_user(&user("b", "x"), 2).is_err());
        store.insert_onvif_user(&user("a", "x"), 2).unwrap();
        assert!(store.insert_onvif_user(&user("c", "x"), 2).is_err());
        store.update_onvif_user("a", None, Some("Operator")).unwrap();
        store.update_onvif_user("b", Some(&Secret::new("hunter3")), None).unwrap();
        assert!(store.update_onvif_user("nobody", None, Some("User")).is_err());
        let operator = OnvifUser { level: "Operator".into(), ..user("a", "x") };
        assert_eq!(store.onvif_users().unwrap(), [operator, user("b", "hunter3")]);
        store.delete_onvif_user("a").unwrap();
        assert!(store.delete_onvif_user("a").is_err());
        drop(store);
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"hunter"));
        }
    }
}
