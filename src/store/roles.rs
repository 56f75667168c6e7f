//! The tables `roles` and `role_sources`: how much users may do, and with which sources.

use std::collections::{BTreeSet, HashMap};

use super::Store;
use super::shared::{Row, Sql, Value};
use crate::base::{Error, Result};

/// One role. `auth` knows what the level means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRow {
    pub token: String,
    pub name: String,
    pub level: String,
    /// Tokens of the sources, which may be gone; `None`: all there are and will be.
    pub sources: Option<BTreeSet<String>>,
    pub built_in: bool,
}

/// A role that is to be.
#[derive(Clone, Debug)]
pub struct NewRole {
    pub token: String,
    pub name: String,
    pub level: String,
    pub all_sources: bool,
}

impl Store {
    /// All of them, by token.
    pub fn roles(&self) -> Result<Vec<RoleRow>> {
        let (roles, sources) = self.ask(|sql| {
            let roles = sql.query(&format!("{SELECT} ORDER BY token"), &[])?;
            Ok((roles, sql.query("SELECT role, source FROM role_sources", &[])?))
        })?;
        let mut of: HashMap<String, BTreeSet<String>> = HashMap::new();
        for row in &sources {
            of.entry(row.text(0)?).or_default().insert(row.text(1)?);
        }
        roles.iter().map(|row| told(row, of.remove(&row.text(0)?).unwrap_or_default())).collect()
    }

    /// # Errors
    /// `NotFound`
    pub fn role(&self, token: &str) -> Result<RoleRow> {
        self.ask(|sql| role(sql, token))
    }

    /// Adds a role. `Refused` when the token is taken, `Full` when there are `most` already.
    pub fn insert_role(&self, new: &NewRole, most: usize) -> Result<()> {
        self.change(|sql| {
            sql.has_room("roles", most)?;
            let added = sql.execute(
                "INSERT INTO roles (token, name, level, all_sources, built_in) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (token) DO NOTHING",
                &[
                    Value::Text(&new.token),
                    Value::Text(&new.name),
                    Value::Text(&new.level),
                    Value::Flag(new.all_sources),
                    Value::Flag(false),
                ],
            )?;
            match added {
                0 => Err(Error::refused(format!("parameter roletoken: {} is in use", new.token))),
                _ => Ok(()),
            }
        })
    }

    /// Removes a role. `Refused` for one that is built in or has users.
    pub fn delete_role(&self, token: &str) -> Result<()> {
        self.change(|sql| {
            own_role(sql, token)?;
            let user = "SELECT name FROM users WHERE role = $1 ORDER BY name LIMIT 1";
            if let Some(user) = sql.first(user, &[Value::Text(token)])? {
                let user = user.text(0)?;
                return Err(Error::refused(format!(
                    "parameter roletoken: {token} is the role of user {user}"
                )));
            }
            sql.execute("DELETE FROM roles WHERE token = $1", &[Value::Text(token)])?;
            Ok(())
        })
    }

    /// Adds a source to a role that does not have all. `Refused` for one that is built in or has all.
    pub fn add_role_source(&self, token: &str, source: &str) -> Result<()> {
        self.change(|sql| {
            if own_role(sql, token)?.sources.is_none() {
                return Err(Error::refused(format!("parameter roletoken: {token} has all sources")));
            }
            sql.execute(
                "INSERT INTO role_sources (role, source) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                &[Value::Text(token), Value::Text(source)],
            )?;
            Ok(())
        })
    }

    /// Takes a source from a role. `NotFound` when it does not have it.
    pub fn delete_role_source(&self, token: &str, source: &str) -> Result<()> {
        self.change(|sql| {
            own_role(sql, token)?;
            let taken = sql.execute(
                "DELETE FROM role_sources WHERE role = $1 AND source = $2",
                &[Value::Text(token), Value::Text(source)],
            )?;
            match taken {
                0 => Err(Error::not_found(format!("parameter camtoken: {token} does not have {source}"))),
                _ => Ok(()),
            }
        })
    }
}

const SELECT: &str = "SELECT token, name, level, all_sources, built_in FROM roles";

/// # Errors
/// `NotFound`
pub fn role(sql: &dyn Sql, token: &str) -> Result<RoleRow> {
    let row = sql.first(&format!("{SELECT} WHERE token = $1"), &[Value::Text(token)])?;
    let row =
        row.ok_or_else(|| Error::not_found(format!("parameter roletoken: there is no role {token:.64}")))?;
    let sources = sql.query("SELECT source FROM role_sources WHERE role = $1", &[Value::Text(token)])?;
    told(&row, sources.iter().map(|row| row.text(0)).collect::<Result<_>>()?)
}

fn told(row: &Row, sources: BTreeSet<String>) -> Result<RoleRow> {
    let (token, name, level) = (row.text(0)?, row.text(1)?, row.text(2)?);
    let sources = (!row.flag(3)?).then_some(sources);
    Ok(RoleRow { token, name, level, sources, built_in: row.flag(4)? })
}

/// A role that may be changed.
fn own_role(sql: &dyn Sql, token: &str) -> Result<RoleRow> {
    let role = role(sql, token)?;
    match role.built_in {
        true => Err(Error::refused(format!("parameter roletoken: {token} is built in"))),
        false => Ok(role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::User;
    use crate::store::shared::server::both;

    fn new(token: &str) -> NewRole {
        NewRole { token: token.into(), name: "Gate".into(), level: "Viewer".into(), all_sources: false }
    }

    #[test]
    fn roles_have_their_sources() {
        both(|store| {
            let built_in: Vec<_> = store.roles().unwrap().into_iter().map(|role| role.token).collect();
            assert_eq!(built_in, ["administrator", "operator", "viewer"]);
            store.insert_role(&new("gate"), 4).unwrap();
            assert!(store.insert_role(&new("gate"), 9).unwrap_err().to_string().contains("in use"));
            assert!(store.insert_role(&new("more"), 4).unwrap_err().to_string().contains("already"));
            for source in ["cam1", "cam1", "cam2"] {
                store.add_role_source("gate", source).unwrap();
            }
            store.delete_role_source("gate", "cam2").unwrap();
            assert!(store.delete_role_source("gate", "cam2").is_err());
            assert_eq!(store.role("gate").unwrap().sources, Some(BTreeSet::from(["cam1".to_owned()])));
            for change in [
                store.add_role_source("viewer", "cam1"),
                store.delete_role_source("viewer", "cam1"),
                store.delete_role("viewer"),
            ] {
                assert!(change.unwrap_err().to_string().contains("built in"));
            }
            assert!(store.role("nobody").is_err());
        });
    }

    #[test]
    fn a_role_with_users_stays() {
        both(|store| {
            store.insert_role(&new("gate"), 9).unwrap();
            store.add_role_source("gate", "cam1").unwrap();
            for (name, role) in [("admin", "administrator"), ("eve", "gate")] {
                let (name, role) = (name.into(), role.into());
                let user = User { name, role, password_hash: "x".into(), default_password: false };
                store.insert_user(&user, 9).unwrap();
            }
            assert!(store.delete_role("gate").unwrap_err().to_string().contains("user eve"));
            store.delete_user("eve").unwrap();
            store.delete_role("gate").unwrap();
            assert!(store.role("gate").is_err());
        });
    }
}
