//! What several nodes of a central server tell each other of people: their sessions are every node's.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{Auth, Role, Session, Sight, no_session};
use crate::base::bytes::hex;
use crate::base::{Error, Result};

/// What was changed here, for the other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Users, roles or their sources.
    Rights,
    /// This user is gone or has another password: all sessions but `kept` ended.
    Password { user: String, kept: String },
    /// Somebody logged out.
    Ended { session: String },
    /// A password is or was tried.
    Try { what: Try, peer: IpAddr, user: String },
}

/// What there is to say of a try: each node counts those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Try {
    /// Told before the password is checked, or else each node could be tried at the same moment.
    Begun,
    Right,
    /// It could not be checked.
    Void,
}

impl Auth {
    /// Has changes told to `listener`, the first that asks.
    pub fn tell_changes(&self, listener: mpsc::Sender<Change>) {
        // Called once, at the start.
        let _ = self.told.set(listener);
    }

    pub(super) fn tell(&self, change: Change) {
        let Some(listener) = self.told.get() else { return };
        if listener.try_send(change).is_err() {
            tracing::warn!("too many changes at once: the other nodes learn of one when they read all again");
        }
    }

    pub(super) fn tell_try(&self, what: Try, peer: IpAddr, user: &str) {
        // Half of the queue is for changes alone: a guesser must not crowd them out.
        let has_room = |listener: &&mpsc::Sender<Change>| listener.capacity() > listener.max_capacity() / 2;
        if self.told.get().filter(has_room).is_some() {
            self.tell(Change::Try { what, peer, user: user.to_owned() });
        }
    }

    /// Counts what another node says of a try.
    pub fn hear_try(&self, what: Try, peer: IpAddr, user: &str) {
        let (now, mut throttle) = (self.clock.mono(), self.throttle());
        match what {
            Try::Begun => throttle.begun_elsewhere(now, peer, user),
            Try::Right => throttle.succeeded(now, peer, user),
            Try::Void => throttle.forgive(peer, user),
        }
    }

    /// The session of a user of this server, its life renewed, and where it was opened from.
    ///
    /// # Errors
    /// `Unauthorised` for one that is unknown, over or lent.
    pub fn lasting(&self, id: &str) -> Result<(Session, IpAddr)> {
        let (session, peer) = self.renew(id)?;
        if session.lent { Err(no_session()) } else { Ok((session, peer)) }
    }

    /// What only a session that was opened with the user's password of now can show.
    ///
    /// # Errors
    /// `NotFound` without such a user, and the database's.
    pub async fn proof(&self, user: &str) -> Result<String> {
        let name = user.to_owned();
        let row = self.store.run(move |store| store.user(&name)).await?;
        let row = row.ok_or_else(|| Error::not_found("the user is gone"))?;
        Ok(hex(&Sha256::digest(format!("h5edge session {}", row.password_hash))[..16]))
    }

    /// Whether a session is alive; its life goes on as it would.
    pub fn is_open(&self, id: &str) -> bool {
        self.sessions().is_open(self.clock.mono(), id)
    }

    /// The sessions of users of this server that are alive: ids and users.
    pub fn open_sessions(&self) -> Vec<(String, String)> {
        self.sessions().of_users(self.clock.mono())
    }

    /// Takes over a session that another node opened, unless it was ended.
    pub fn adopt(&self, id: &str, user: &str, peer: IpAddr, default_password: bool) {
        let session = Session {
            id: id.to_owned(),
            user: user.to_owned(),
            role: Role::Viewer,
            sight: Sight::Only(Default::default()),
            default_password,
            must_change_password: default_password && self.require_password_change,
            lent: false,
        };
        let mut sessions = self.sessions();
        if !sessions.was_ended(id) {
            sessions.take_over(self.clock.mono(), peer, session);
        }
    }

    /// Ends a session here, and for good: it is not taken over any more.
    pub fn end_here(&self, id: &str) {
        self.sessions().end_for_good(self.clock.mono(), id);
        self.look_again();
    }

    /// Ends the sessions of a user here but `kept`.
    pub fn end_sessions_here(&self, user: &str, kept: &str) {
        self.sessions().password_changed(user, kept);
        self.look_again();
    }
}
