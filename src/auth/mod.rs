//! Users, passwords, sessions, roles.
//!
//! Passwords are checked on tokio's blocking threads, two at a time: one check takes 19 MiB and up to
//! 100 ms of a core on a Raspberry Pi, and the cameras need the others. At most [`MAX_WAITING`] log-ins
//! wait for that; the next is turned away as `Full`. The two locks here, on counters and on sessions,
//! are held for single look-ups, never across an await and never together. Memory: 1.2 MB of counters
//! and 1 MB of sessions at most.

mod password;
mod role;
mod sessions;
pub mod throttle;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use self::sessions::Sessions;
use self::throttle::{Standing, Throttle};
use crate::base::time::Clock;
use crate::base::{Error, Result, config};
use crate::store::{Store, User};

pub use role::Role;

/// Limits and switches, from the configuration's `[auth]`.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// How long a session lasts after its last use.
    pub session: Duration,
    pub require_password_change: bool,
    /// Wrong passwords per address and user within `window` until a lock.
    pub attempts: u32,
    pub window: Duration,
    pub lock: Duration,
}

impl From<&config::Auth> for AuthSettings {
    fn from(auth: &config::Auth) -> Self {
        Self {
            session: Duration::from_secs(auth.session_seconds),
            require_password_change: auth.require_password_change,
            attempts: auth.login_attempts,
            window: Duration::from_secs(auth.login_window_seconds),
            lock: Duration::from_secs(auth.lock_seconds),
        }
    }
}

/// A log-in that is alive, as it was when asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Random UUID. Whoever has it is the user, so it belongs in no log.
    pub id: String,
    pub user: String,
    pub role: Role,
    /// The user still has the password that the device was delivered with.
    pub default_password: bool,
    /// The configuration wants that changed before anything else is allowed.
    pub must_change_password: bool,
}

/// Why a log-in failed, with what the API tells of it.
#[derive(Clone, Debug)]
pub struct LoginFailure {
    pub error: Error,
    /// Wrong passwords of this user from this address in the current window (`nFaultTimes`).
    pub faults: u32,
    /// Until when further tries are refused unheard (`tLockTimeResidue`).
    pub locked_for: Option<Duration>,
}

/// Passwords that are checked at a time.
const MAX_CHECKS: usize = 2;
/// Log-ins that are being checked or wait for it.
const MAX_WAITING: usize = 32;
/// Longest user name that can exist, in bytes.
const MAX_USER: usize = 64;
/// The user that a fresh device has (manual 5.2.1).
const FIRST_USER: &str = "admin";

/// Users and sessions.
pub struct Auth {
    store: Arc<Store>,
    clock: Clock,
    require_password_change: bool,
    /// Checked against when there is no such user, so that the answer takes as long.
    nobody: String,
    throttle: Mutex<Throttle>,
    sessions: Mutex<Sessions>,
    waiting: Semaphore,
    checks: Arc<Semaphore>,
}

impl Auth {
    /// Blocks, for start-up. Makes the user `admin` with the password `12345` where there is no user
    /// yet, and warns while somebody still has that password.
    pub fn open(store: Arc<Store>, clock: Clock, settings: AuthSettings) -> Result<Arc<Self>> {
        let default = password::hash(&password::default_hex())?;
        store.insert_first_user(&User {
            name: FIRST_USER.to_owned(),
            role: Role::Administrator.as_str().to_owned(),
            password_hash: default.clone(),
            default_password: true,
        })?;
        for user in store.users_with_default_password()? {
            tracing::warn!(
                user,
                "DEFAULT PASSWORD IN USE: whoever reaches this device can take it over; change it now"
            );
        }
        Ok(Arc::new(Self {
            store,
            clock,
            require_password_change: settings.require_password_change,
            nobody: default,
            throttle: Mutex::new(Throttle::new(settings.attempts, settings.window, settings.lock)),
            sessions: Mutex::new(Sessions::new(settings.session)),
            waiting: Semaphore::new(MAX_WAITING),
            checks: Arc::new(Semaphore::new(MAX_CHECKS)),
        }))
    }

    /// Opens a session. `password` is plain text or its MD5 hex in either case; `peer` is the address
    /// that wrong passwords are counted against.
    ///
    /// Errors: `Unauthorised` for a wrong user or password, which it does not tell apart; `Refused`
    /// under a lock; `Full` when too many log in at once.
    pub async fn login(
        &self,
        user: &str,
        password: &str,
        peer: IpAddr,
    ) -> std::result::Result<Session, LoginFailure> {
        let row = self.check(user, password, peer).await?;
        let role = Role::parse(&row.role).ok_or_else(|| {
            LoginFailure::from(Error::internal(format!("user {user} has the unknown role {}", row.role)))
        })?;
        let session = Session {
            id: String::new(),
            user: row.name.clone(),
            role,
            default_password: row.default_password,
            must_change_password: row.default_password && self.require_password_change,
        };
        let session = self.sessions().add(self.clock.mono(), peer, session);
        self.end_if_changed(&session, row).await?;
        Ok(session)
    }

    /// Closes the gap in which a password is changed after it was checked here and before the session
    /// was there to be ended by the change.
    async fn end_if_changed(&self, session: &Session, checked: User) -> Result<()> {
        let now = self.store.run(move |store| Ok((store.user(&checked.name)?, checked))).await;
        match now {
            Ok((Some(row), checked)) if row.password_hash == checked.password_hash => Ok(()),
            other => {
                self.sessions().end(self.clock.mono(), &session.id);
                other.and(Err(Error::unauthorised("wrong user or password")))
            }
        }
    }

    /// Ends a session. `Unauthorised` when it is unknown or over.
    pub fn logout(&self, id: &str) -> Result<()> {
        if self.sessions().end(self.clock.mono(), id) { Ok(()) } else { Err(no_session()) }
    }

    /// The session, its life renewed. `Unauthorised` when it is unknown or over.
    pub fn session(&self, id: &str) -> Result<Session> {
        self.renew(id).map(|(session, _)| session)
    }

    /// Gives `user` a new password and ends all sessions of that user but `session`. Both passwords
    /// are MD5 hex (manual 5.2.6) or plain text. The old one is always asked for, and a wrong one
    /// counts like a failed log-in from the address of the session.
    ///
    /// Errors: `BadInput` for a new password that is empty, too long or the default; `Unauthorised` for
    /// a dead session, somebody else's password without being Administrator, or a wrong old one;
    /// `Refused` and `Full` as in [`Auth::login`]. None of them changes anything.
    pub async fn change_password(&self, session: &Session, user: &str, old: &str, new: &str) -> Result<()> {
        let (session, peer) = self.renew(&session.id)?;
        if user != session.user && session.role < Role::Administrator {
            return Err(Error::unauthorised(
                "user: only an Administrator may change another user's password",
            ));
        }
        let hex = password::checked_new(new)?;
        let row = self.check(user, old, peer).await.map_err(|failure| failure.error)?;
        let hash = self.blocking(move |_| password::hash(&hex)).await?;
        let name = row.name.clone();
        self.blocking(move |store| store.set_password_hash(&name, &hash)).await?;
        self.sessions().password_changed(&row.name, &session.id);
        tracing::info!(user = row.name, by = session.user, "password changed");
        Ok(())
    }

    /// The user's row, if the password is right and may be tried at all.
    async fn check(
        &self,
        user: &str,
        password: &str,
        peer: IpAddr,
    ) -> std::result::Result<User, LoginFailure> {
        for (what, text, limit) in [("user", user, MAX_USER), ("password", password, password::MAX_BYTES)] {
            if text.len() > limit {
                return Err(Error::bad_input(format!("{what}: longer than {limit} bytes")).into());
            }
        }
        let standing = self.throttle().begin(self.clock.mono(), peer, user);
        if let Some(left) = standing.locked_for {
            return Err(refused(standing, left));
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            self.throttle().forgive(peer, user);
            return Err(Error::full("too many log-ins at once, try again").into());
        };
        match self.verified(user, password).await {
            Ok(Some(row)) => {
                self.throttle().succeeded(self.clock.mono(), peer, user);
                Ok(row)
            }
            Ok(None) => {
                let Standing { faults, locked_for } = self.throttle().standing(self.clock.mono(), peer, user);
                tracing::warn!(user, %peer, faults, locked = locked_for.is_some(), "wrong user or password");
                Err(LoginFailure { error: Error::unauthorised("wrong user or password"), faults, locked_for })
            }
            Err(error) => {
                self.throttle().forgive(peer, user);
                Err(error.into())
            }
        }
    }

    /// The user's row if the password is right, in the same time whether there is such a user or not.
    async fn verified(&self, user: &str, password: &str) -> Result<Option<User>> {
        let (name, candidates) = (user.to_owned(), password::candidates(password));
        let nobody = self.nobody.clone();
        self.blocking(move |store| {
            let row = store.user(&name)?;
            let hash = row.as_ref().map_or(&nobody, |row| &row.password_hash);
            let right = password::verify(hash, &candidates)?;
            Ok(row.filter(|_| right))
        })
        .await
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T> + Send + 'static,
    {
        let closed = |_| Error::internal("log-ins are closed");
        let turn = self.checks.clone().acquire_owned().await.map_err(closed)?;
        let work = move |store: &Store| {
            // Held to the end of the work, also if the client that wanted it is gone by then.
            let _turn = turn;
            work(store)
        };
        self.store.run(work).await
    }

    fn renew(&self, id: &str) -> Result<(Session, IpAddr)> {
        self.sessions().renew(self.clock.mono(), id).ok_or_else(no_session)
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Error> for LoginFailure {
    fn from(error: Error) -> Self {
        Self { error, faults: 0, locked_for: None }
    }
}

fn refused(standing: Standing, left: Duration) -> LoginFailure {
    let seconds = left.as_secs_f64().ceil();
    LoginFailure {
        error: Error::refused(format!("too many wrong passwords, try again in {seconds} s")),
        faults: standing.faults,
        locked_for: Some(left),
    }
}

fn no_session() -> Error {
    Error::unauthorised("session: unknown or expired")
}

#[cfg(test)]
mod tests;
