//! Users and roles are made, changed and removed. Whoever loses a right by that loses it before the call
//! is answered, in open sessions and in what is being watched.

use super::rights::{MAX_ROLES, MAX_USERS};
use super::{Auth, Change, MAX_USER, Role, crowded, password, poor};
use crate::base::{Error, Result};
use crate::store::{NewRole, RoleRow, Store, User};

/// A user as the API lists one.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub role: RoleRow,
}

impl Auth {
    /// All users, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn people(&self) -> Result<Vec<Person>> {
        let (users, roles) = self.store.run(|store| Ok((store.users()?, store.roles()?))).await?;
        let role = |token: &str| roles.iter().find(|role| role.token == token).cloned();
        let person = |(name, token): (String, String)| Some(Person { role: role(&token)?, name });
        Ok(users.into_iter().filter_map(person).collect())
    }

    /// # Errors
    /// `BadInput` for a bad name or password, `NotFound` without such a role, `Refused` when the name is
    /// taken, `Full`.
    pub async fn create_user(&self, name: &str, password: &str, role: &str) -> Result<()> {
        check_name(name)?;
        let hex = poor::checked_first(password).map_err(|error| error.context("parameter password"))?;
        let _waiting = self.waiting.try_acquire().map_err(|_| crowded())?;
        let (name, role) = (name.to_owned(), role.to_owned());
        self.blocking(move |store| {
            store.role(&role)?;
            let password_hash = password::hash(&hex)?;
            store.insert_user(&User { name, role, password_hash, default_password: false }, MAX_USERS)
        })
        .await?;
        self.changed().await
    }

    /// Ends the user's sessions too.
    ///
    /// # Errors
    /// `NotFound`; `Refused` for the last administrator.
    pub async fn delete_user(&self, name: &str) -> Result<()> {
        let user = name.to_owned();
        self.store.run(move |store| store.delete_user(&user)).await?;
        self.end_sessions(name);
        self.changed().await
    }

    /// # Errors
    /// `NotFound`; `Refused` for the last administrator.
    pub async fn set_user_role(&self, name: &str, role: &str) -> Result<()> {
        let (name, role) = (name.to_owned(), role.to_owned());
        let change = move |store: &Store| {
            store.role(&role)?;
            store.set_user_role(&name, &role)
        };
        self.store.run(change).await?;
        self.changed().await
    }

    /// A new password for somebody who forgot the old one; ends the user's sessions.
    ///
    /// # Errors
    /// As [`Auth::create_user`].
    pub async fn reset_password(&self, name: &str, password: &str) -> Result<()> {
        let hex = poor::checked_first(password).map_err(|error| error.context("parameter password"))?;
        let _waiting = self.waiting.try_acquire().map_err(|_| crowded())?;
        let user = name.to_owned();
        self.blocking(move |store| store.set_password_hash(&user, &password::hash(&hex)?)).await?;
        self.end_sessions(name);
        Ok(())
    }

    /// Ends all sessions of a user.
    fn end_sessions(&self, user: &str) {
        self.end_sessions_here(user, "");
        self.tell(Change::Password { user: user.to_owned(), kept: String::new() });
    }

    /// Takes over what was changed in the database, and has the other nodes do so.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn changed(&self) -> Result<()> {
        self.reread().await?;
        self.tell(Change::Rights);
        Ok(())
    }

    /// All roles, by token.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn roles(&self) -> Result<Vec<RoleRow>> {
        self.store.run(|store| store.roles()).await
    }

    /// # Errors
    /// `NotFound`
    pub async fn role(&self, token: &str) -> Result<RoleRow> {
        let token = token.to_owned();
        self.store.run(move |store| store.role(&token)).await
    }

    /// # Errors
    /// `Refused` when the token is taken or an administrator was not to have all sources, `Full`.
    pub async fn create_role(&self, token: &str, name: &str, level: Role, all_sources: bool) -> Result<()> {
        if level == Role::Administrator && !all_sources {
            return Err(Error::refused("parameter level: an Administrator has all sources"));
        }
        let new = NewRole {
            token: token.to_owned(),
            name: name.to_owned(),
            level: level.as_str().to_owned(),
            all_sources,
        };
        self.store.run(move |store| store.insert_role(&new, MAX_ROLES)).await
    }

    /// # Errors
    /// `NotFound`; `Refused` for one that is built in or has users.
    pub async fn delete_role(&self, token: &str) -> Result<()> {
        let token = token.to_owned();
        self.store.run(move |store| store.delete_role(&token)).await
    }

    /// # Errors
    /// `NotFound`; `Refused` for one that is built in or has all sources.
    pub async fn add_role_source(&self, token: &str, source: &str) -> Result<()> {
        let (token, source) = (token.to_owned(), source.to_owned());
        self.store.run(move |store| store.add_role_source(&token, &source)).await?;
        self.changed().await
    }

    /// # Errors
    /// `NotFound`; `Refused` for one that is built in.
    pub async fn delete_role_source(&self, token: &str, source: &str) -> Result<()> {
        let (token, source) = (token.to_owned(), source.to_owned());
        self.store.run(move |store| store.delete_role_source(&token, &source)).await?;
        self.changed().await
    }
}

/// Names go into logs and tables: no blanks at the ends, nothing that cannot be seen.
fn check_name(name: &str) -> Result<()> {
    let bad = name.is_empty() || name.len() > MAX_USER || name.trim() != name;
    if bad || name.chars().any(char::is_control) {
        let text =
            format!("parameter user: not 1 to {MAX_USER} bytes without control characters and outer blanks");
        return Err(Error::bad_input(text));
    }
    Ok(())
}
