//! Which sources a user may see, and how that changes while somebody looks.
//!
//! What the database says is kept here for all users; every change is read anew before it is answered.
//! Memory: at most [`MAX_USERS`] users, who share the lists of at most [`MAX_ROLES`] roles.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::{Auth, Role, Session};
use crate::base::{Error, Result};
use crate::store::Store;

/// Users there can be.
pub const MAX_USERS: usize = 256;
/// Roles there can be.
pub const MAX_ROLES: usize = 256;

/// The sources that somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    All,
    /// These tokens. At a central also `<servertoken>-<token>` for a source of a site, and `<servertoken>-*` for all
    /// of them.
    Only(Arc<BTreeSet<String>>),
}

/// What of a site somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Within {
    All,
    /// These of the site's own tokens.
    Only(Vec<String>),
}

impl Sight {
    pub fn covers(&self, token: &str) -> bool {
        let Self::Only(tokens) = self else { return true };
        tokens.contains(token)
            || token.match_indices('-').any(|(dash, _)| tokens.contains(&whole_site(&token[..dash])))
    }

    /// What it covers of a site at this central.
    pub fn within(&self, site: &str) -> Within {
        let Self::Only(tokens) = self else { return Within::All };
        if tokens.contains(&whole_site(site)) {
            return Within::All;
        }
        let begin = format!("{site}-");
        let of_site = tokens.range(begin.clone()..).map_while(|token| token.strip_prefix(&begin));
        Within::Only(of_site.map(str::to_owned).collect())
    }
}

impl Within {
    pub fn covers(&self, original: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(tokens) => tokens.iter().any(|token| token == original),
        }
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(tokens) if tokens.is_empty())
    }
}

/// Among the tokens of a role: all sources of that site.
pub fn whole_site(site: &str) -> String {
    format!("{site}-*")
}

/// What a user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub role: Role,
    pub sight: Sight,
}

/// By user name.
pub type Table = HashMap<String, Rights>;

/// Reads it. Blocks.
pub fn read(store: &Store) -> Result<Table> {
    let roles = store.roles()?.into_iter().map(|row| {
        let unknown = || Error::internal(format!("role {} has the unknown level {}", row.token, row.level));
        let role = Role::parse(&row.level).ok_or_else(unknown)?;
        let sight = row.sources.map_or(Sight::All, |tokens| Sight::Only(Arc::new(tokens)));
        Ok((row.token, Rights { role, sight }))
    });
    let roles: HashMap<String, Rights> = roles.collect::<Result<_>>()?;
    let users = store.users()?.into_iter();
    Ok(users.filter_map(|(user, role)| Some((user, roles.get(&role)?.clone()))).collect())
}

/// That a user may see a source, for as long as it is looked at, or until the session is ended by a log-out or a new
/// password.
pub struct Grant {
    auth: Arc<Auth>,
    user: String,
    /// Its id.
    session: String,
    /// `None`: no source in particular.
    token: Option<String>,
    lent: bool,
}

impl Grant {
    pub fn new(auth: &Arc<Auth>, session: &Session, token: Option<&str>) -> Self {
        let (user, token) = (session.user.clone(), token.map(str::to_owned));
        Self { auth: auth.clone(), user, session: session.id.clone(), token, lent: session.lent }
    }

    /// Returns when it is no longer so.
    pub async fn lost(self) {
        self.auth.hold_while(|| self.holds()).await;
    }

    fn holds(&self) -> bool {
        if self.auth.sessions().was_ended(&self.session) {
            return false;
        }
        match &self.token {
            // Its rights do not change while it lives.
            _ if self.lent => true,
            Some(token) => self.auth.sees(&self.user, token),
            None => self.auth.rights().contains_key(&self.user),
        }
    }
}

impl Auth {
    /// `session` with what its user may do now.
    pub(super) fn current(&self, session: Session) -> Option<Session> {
        if session.lent {
            return Some(session);
        }
        let Rights { role, sight } = self.rights().get(&session.user)?.clone();
        Some(Session { role, sight, ..session })
    }

    /// Whether that user may see that source now.
    pub fn sees(&self, user: &str, token: &str) -> bool {
        self.rights().get(user).is_some_and(|rights| rights.sight.covers(token))
    }

    /// Returns when `session` was ended, or its user may do or see other things than it says.
    pub async fn outdated(&self, session: &Session) {
        let said = Rights { role: session.role, sight: session.sight.clone() };
        let ended = || self.sessions().was_ended(&session.id);
        self.hold_while(|| !ended() && (session.lent || self.rights().get(&session.user) == Some(&said)))
            .await;
    }

    /// Returns when `it` is so no more, after some change of rights or the end of sessions.
    async fn hold_while(&self, it: impl Fn() -> bool) {
        let mut changes = self.changes.subscribe();
        while it() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Takes over what the database says now, and has everybody look who is watching. Also for what
    /// another node changed in a database that is shared.
    ///
    /// # Errors
    /// Those of the database; what was known before stays.
    pub async fn reread(&self) -> Result<()> {
        let _turn = self.refreshing.lock().await;
        let table = self.store.run(read).await?;
        if !table.is_empty() {
            self.claimed.store(true, Ordering::Release);
        }
        *self.rights() = table;
        self.look_again();
        Ok(())
    }

    /// Has everybody look who is watching.
    pub(super) fn look_again(&self) {
        self.changes.send_modify(|()| ());
    }

    pub(super) fn rights(&self) -> MutexGuard<'_, Table> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_can_have_sources_of_sites_and_whole_sites() {
        let tokens = ["gate", "site1-cam1", "site1-cam-2", "site2-*", "b-r-*"].map(str::to_owned);
        let sight = Sight::Only(Arc::new(BTreeSet::from(tokens)));
        for seen in ["gate", "site1-cam1", "site2-cam1", "site2-a-b", "b-r-1"] {
            assert!(sight.covers(seen), "{seen}");
        }
        for hidden in ["gate2", "site1", "site1-cam2", "site1-", "site2", "site22-cam1", "b-cam1", "cam1"] {
            assert!(!sight.covers(hidden), "{hidden}");
        }
        assert_eq!(sight.within("site1"), Within::Only(vec!["cam-2".into(), "cam1".into()]));
        assert_eq!((sight.within("site2"), Sight::All.within("site1")), (Within::All, Within::All));
        assert!(sight.within("site").is_nothing() && sight.within("site11").is_nothing());
    }
}
