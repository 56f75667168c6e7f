//! The table `users`.

use super::Store;
use super::roles::role;
use super::shared::{Row, Sql, Value};
use crate::base::{Error, Result};

/// One row. `auth` knows what the hash means.
#[derive(Clone)]
pub struct User {
    pub name: String,
    /// Token of the role.
    pub role: String,
    /// PHC string.
    pub password_hash: String,
    /// The password is the one that the device was delivered with.
    pub default_password: bool,
}

impl Store {
    /// The user of this name, which is case-sensitive.
    pub fn user(&self, name: &str) -> Result<Option<User>> {
        let row = self.ask(|sql| {
            sql.first(
                "SELECT role, password_hash, default_password FROM users WHERE name = $1",
                &[Value::Text(name)],
            )
        })?;
        let user = |row: Row| {
            Ok(User {
                name: name.to_owned(),
                role: row.text(0)?,
                password_hash: row.text(1)?,
                default_password: row.flag(2)?,
            })
        };
        row.map(user).transpose()
    }

    /// Names and role tokens of all users, by name.
    pub fn users(&self) -> Result<Vec<(String, String)>> {
        let rows = self.ask(|sql| sql.query("SELECT name, role FROM users ORDER BY name", &[]))?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// Adds `user`. `NotFound` without such a role, `Refused` when the name is taken, `Full` when there
    /// are `most` already.
    pub fn insert_user(&self, user: &User, most: usize) -> Result<()> {
        self.change(|sql| {
            sql.has_room("users", most)?;
            role(sql, &user.role)?;
            match insert(sql, user)? {
                0 => Err(Error::refused(format!("parameter user: {} is there already", user.name))),
                _ => Ok(()),
            }
        })
    }

    /// Gives a user another role. `NotFound` without such a user or role; the last administrator stays one.
    pub fn set_user_role(&self, name: &str, token: &str) -> Result<()> {
        self.change(|sql| {
            role(sql, token)?;
            let values = [Value::Text(name), Value::Text(token)];
            found(name, sql.execute("UPDATE users SET role = $2 WHERE name = $1", &values)?)?;
            keeps_an_administrator(sql)
        })
    }

    /// Removes a user. The last administrator stays.
    pub fn delete_user(&self, name: &str) -> Result<()> {
        self.change(|sql| {
            found(name, sql.execute("DELETE FROM users WHERE name = $1", &[Value::Text(name)])?)?;
            keeps_an_administrator(sql)
        })
    }

    /// Names of the users who never changed the password that the device was delivered with.
    pub fn users_with_default_password(&self) -> Result<Vec<String>> {
        let rows =
            self.ask(|sql| sql.query("SELECT name FROM users WHERE default_password ORDER BY name", &[]))?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Whether there is any user.
    pub fn has_users(&self) -> Result<bool> {
        self.ask(any)
    }

    /// Adds `user` if the table is empty, and says whether it was.
    pub fn insert_first_user(&self, user: &User) -> Result<bool> {
        self.change(|sql| Ok(!any(sql)? && insert(sql, user)? > 0))
    }

    /// Gives a user a new password, which thereby is no default any more. `NotFound` when there is
    /// no such user.
    pub fn set_password_hash(&self, name: &str, hash: &str) -> Result<()> {
        let changed = self.ask(|sql| {
            sql.execute(
                "UPDATE users SET password_hash = $2, default_password = $3 WHERE name = $1",
                &[Value::Text(name), Value::Text(hash), Value::Flag(false)],
            )
        })?;
        found(name, changed)
    }
}

fn any(sql: &dyn Sql) -> Result<bool> {
    Ok(sql.first("SELECT name FROM users LIMIT 1", &[])?.is_some())
}

/// How many were added: 0 when the name is taken.
fn insert(sql: &dyn Sql, user: &User) -> Result<u64> {
    sql.execute(
        "INSERT INTO users (name, role, password_hash, default_password) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO NOTHING",
        &[
            Value::Text(&user.name),
            Value::Text(&user.role),
            Value::Text(&user.password_hash),
            Value::Flag(user.default_password),
        ],
    )
}

fn found(name: &str, rows: u64) -> Result<()> {
    match rows {
        0 => Err(Error::not_found(format!("parameter user: there is no user {name:.64}"))),
        _ => Ok(()),
    }
}

fn keeps_an_administrator(sql: &dyn Sql) -> Result<()> {
    let left = sql.first(
        "SELECT users.name FROM users JOIN roles ON roles.token = users.role
         WHERE roles.level = 'Administrator' LIMIT 1",
        &[],
    )?;
    match left {
        Some(_) => Ok(()),
        None => Err(Error::refused("parameter user: the last administrator must stay one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;
    use crate::store::shared::server::both;

    fn user(name: &str) -> User {
        User {
            name: name.to_owned(),
            role: "administrator".to_owned(),
            password_hash: "hash".to_owned(),
            default_password: true,
        }
    }

    #[test]
    fn the_first_user_is_the_first_only() {
        both(|store| {
            assert!(!store.has_users().unwrap());
            assert!(store.insert_first_user(&user("admin")).unwrap());
            assert!(!store.insert_first_user(&user("second")).unwrap());
            assert!(store.has_users().unwrap());
            assert!(store.user("second").unwrap().is_none());
            assert_eq!(store.users_with_default_password().unwrap(), ["admin"]);
            store.set_password_hash("admin", "new").unwrap();
            let admin = store.user("admin").unwrap().unwrap();
            assert_eq!((admin.password_hash.as_str(), admin.default_password), ("new", false));
            assert_eq!(store.users_with_default_password().unwrap(), [""; 0]);
            assert_eq!(store.set_password_hash("second", "new").unwrap_err().kind(), Kind::NotFound);
        });
    }

    #[test]
    fn users_are_added_up_to_a_number_and_one_administrator_stays() {
        both(|store| {
            store.insert_user(&user("admin"), 2).unwrap();
            for change in [store.delete_user("admin"), store.set_user_role("admin", "viewer")] {
                assert!(change.unwrap_err().to_string().contains("last administrator"));
            }
            assert_eq!(store.user("admin").unwrap().unwrap().role, "administrator");
            store.insert_user(&user("second"), 2).unwrap();
            let full = store.insert_user(&user("third"), 2).unwrap_err();
            assert_eq!((full.kind(), full.to_string()), (Kind::Full, "there are 2 users already".to_owned()));
            let taken = store.insert_user(&user("second"), 9).unwrap_err();
            assert_eq!(taken.to_string(), "parameter user: second is there already");
            store.delete_user("admin").unwrap();
            let gone = store.delete_user("admin").unwrap_err();
            assert_eq!(gone.to_string(), "parameter user: there is no user admin");
            // In the order of their bytes, whatever the language, and by their case.
            for name in ["Émile", "Zoe", "adam", "SECOND"] {
                store.insert_user(&User { role: "viewer".into(), ..user(name) }, 9).unwrap();
            }
            let names: Vec<_> = store.users().unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["SECOND", "Zoe", "adam", "second", "Émile"]);
            assert!(store.user("Second").unwrap().is_none());
            for unknown in [
                store.insert_user(&User { role: "nobody".into(), ..user("eve") }, 9),
                store.set_user_role("second", "nobody"),
            ] {
                assert_eq!(unknown.unwrap_err().to_string(), "parameter roletoken: there is no role nobody");
            }
            assert!(store.user("eve").unwrap().is_none());
        });
    }
}
