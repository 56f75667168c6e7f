//! The table `users`.

use rusqlite::{OptionalExtension, params};

use super::Store;
use crate::base::{Error, Result};

/// One row. `auth` knows what role and hash mean.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub role: String,
    /// PHC string.
    pub password_hash: String,
    /// The password is the one that the device was delivered with.
    pub default_password: bool,
}

impl Store {
    /// The user of this name, which is case-sensitive.
    pub fn user(&self, name: &str) -> Result<Option<User>> {
        let found = self
            .db()
            .prepare_cached("SELECT role, password_hash, default_password FROM users WHERE name = ?1")?
            .query_row([name], |row| {
                Ok(User {
                    name: name.to_owned(),
                    role: row.get(0)?,
                    password_hash: row.get(1)?,
                    default_password: row.get(2)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// Names of the users who never changed the password that the device was delivered with.
    pub fn users_with_default_password(&self) -> Result<Vec<String>> {
        let db = self.db();
        let mut query = db.prepare("SELECT name FROM users WHERE default_password = 1 ORDER BY name")?;
        let names = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(names)
    }

    /// Adds `user` if the table is empty, and says whether it was.
    pub fn insert_first_user(&self, user: &User) -> Result<bool> {
        let added = self.db().execute(
            "INSERT INTO users (name, role, password_hash, default_password)
             SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM users)",
            params![user.name, user.role, user.password_hash, user.default_password],
        )?;
        Ok(added > 0)
    }

    /// Gives a user a new password, which thereby is no default any more. `NotFound` when there is
    /// no such user.
    pub fn set_password_hash(&self, name: &str, hash: &str) -> Result<()> {
        let changed = self.db().execute(
            "UPDATE users SET password_hash = ?2, default_password = 0 WHERE name = ?1",
            params![name, hash],
        )?;
        match changed {
            0 => Err(Error::not_found(format!("user {name} is not known"))),
            _ => Ok(()),
        }
    }
}
