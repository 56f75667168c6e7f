//! Users, passwords, sessions, roles.
//!
//! Passwords are checked on tokio's blocking threads, two at a time: one check takes 19 MiB and up to
//! 100 ms of a core on a Raspberry Pi, and the cameras need the others. At most [`MAX_WAITING`] log-ins
//! wait for that; the next is turned away as `Full`. The locks here, on counters, sessions and rights,
//! are held for single look-ups, never across an await and never together. Memory: 1.2 MB of counters
//! and 1 MB of sessions at most.

mod nodes;
mod password;
mod people;
mod poor;
pub mod rights;
mod role;
pub mod sessions;
mod setup;
pub mod throttle;

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

use self::sessions::Sessions;
use self::throttle::{Standing, Throttle};
use crate::base::secret::Secret;
use crate::base::time::{Clock, MonoTime};
use crate::base::{Error, Result, config};
use crate::store::{Store, User};

pub use nodes::{Change, Try};
pub use people::Person;
pub use rights::{Grant, Rights, Sight, Within};
pub use role::Role;
pub use setup::Setup;

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
    /// What the first user gets; empty: whoever sets the device up says so.
    pub initial_password: Secret,
    /// How long after the start it may be set up.
    pub setup_window: Duration,
}

impl From<&config::Auth> for AuthSettings {
    fn from(auth: &config::Auth) -> Self {
        Self {
            session: Duration::from_secs(auth.session_seconds),
            require_password_change: auth.require_password_change,
            attempts: auth.login_attempts,
            window: Duration::from_secs(auth.login_window_seconds),
            lock: Duration::from_secs(auth.lock_seconds),
            initial_password: auth.initial_password.clone(),
            setup_window: Duration::from_secs(auth.setup_window_seconds),
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
    pub sight: Sight,
    /// The user still has the password that the device was delivered with.
    pub default_password: bool,
    /// The configuration wants that changed before anything else is allowed.
    pub must_change_password: bool,
    /// Of somebody whom a central server vouches for: role and sight are the session's own.
    pub lent: bool,
}

/// Why a log-in failed, with what the API tells of it.
#[derive(Clone, Debug)]
pub struct LoginFailure {
    pub error: Error,
    /// Wrong passwords of this user from this address in the current window (`nFaultTimes`).
    pub faults: u32,
    /// Until when further tries are refused unheard (`tLockTimeResidue`).
    pub locked_for: Option<Duration>,
    /// Nobody can log in before the device is set up.
    pub setup_required: bool,
}

/// Passwords that are checked at a time.
const MAX_CHECKS: usize = 2;
/// Log-ins that are being checked or wait for it.
const MAX_WAITING: usize = 32;
/// Longest user name that can exist, in bytes.
const MAX_USER: usize = 64;
/// The user that is made first (manual 5.2.1).
const FIRST_USER: &str = "admin";

/// Users and sessions.
pub struct Auth {
    store: Arc<Store>,
    clock: Clock,
    require_password_change: bool,
    /// MD5 hex of the password of delivery, where the configuration has one.
    delivered: Option<String>,
    /// There is a user.
    claimed: AtomicBool,
    /// Until when the device may be set up.
    setup_ends: MonoTime,
    /// Checked against when there is no such user, so that the answer takes as long.
    nobody: String,
    throttle: Mutex<Throttle>,
    sessions: Mutex<Sessions>,
    /// What each user may do.
    rights: Mutex<rights::Table>,
    /// Says that `rights` are others now, or sessions ended.
    changes: watch::Sender<()>,
    /// One at a time reads them, so that none puts back what was before.
    refreshing: tokio::sync::Mutex<()>,
    waiting: Semaphore,
    checks: Arc<Semaphore>,
    /// Who tells the other nodes what changed here, where there are any.
    told: OnceLock<mpsc::Sender<Change>>,
}

impl Auth {
    /// Blocks, for start-up. Where there is no user yet, makes `admin` with the password of delivery, or
    /// leaves the device to be set up if there is none. Warns while somebody still has that password.
    pub fn open(store: Arc<Store>, clock: Clock, settings: AuthSettings) -> Result<Arc<Self>> {
        let initial = &settings.initial_password;
        let delivered = (!initial.is_empty()).then(|| password::hex_of(initial.expose()));
        let claimed = match &delivered {
            _ if store.has_users()? => true,
            Some(hex) => {
                // If it is not the first, another node was faster.
                store.insert_first_user(&first_user(password::hash(hex)?, true))?;
                true
            }
            None => false,
        };
        if !claimed {
            tracing::warn!(
                seconds = settings.setup_window.as_secs(),
                "NOT SET UP: nobody can log in until the page was opened from this network and a password set"
            );
        }
        for user in store.users_with_default_password()? {
            tracing::warn!(
                user,
                "DEFAULT PASSWORD IN USE: whoever reaches this device can take it over; change it now"
            );
        }
        let now = clock.mono();
        let rights = Mutex::new(rights::read(&store)?);
        Ok(Arc::new(Self {
            store,
            clock,
            require_password_change: settings.require_password_change,
            delivered,
            claimed: AtomicBool::new(claimed),
            setup_ends: now + settings.setup_window,
            nobody: password::hash(&uuid::Uuid::new_v4().to_string())?,
            throttle: Mutex::new(Throttle::new(settings.attempts, settings.window, settings.lock)),
            sessions: Mutex::new(Sessions::new(settings.session)),
            rights,
            changes: watch::Sender::new(()),
            refreshing: tokio::sync::Mutex::new(()),
            waiting: Semaphore::new(MAX_WAITING),
            checks: Arc::new(Semaphore::new(MAX_CHECKS)),
            told: OnceLock::new(),
        }))
    }

    /// Opens a session. `password` is plain text or its MD5 hex in either case; `peer` is the address
    /// that wrong passwords are counted against.
    ///
    /// Errors: `Unauthorised` for a wrong user or password, which it does not tell apart; `Refused`
    /// under a lock and before the device is set up; `Full` when too many log in at once.
    pub async fn login(
        &self,
        user: &str,
        password: &str,
        peer: IpAddr,
    ) -> std::result::Result<Session, LoginFailure> {
        let row = self.check(user, password, peer).await?;
        let session = Session {
            id: String::new(),
            user: row.name.clone(),
            role: Role::Viewer,
            sight: Sight::Only(Arc::default()),
            default_password: row.default_password,
            must_change_password: row.default_password && self.require_password_change,
            lent: false,
        };
        let session = self.sessions().add(self.clock.mono(), peer, session);
        self.end_if_changed(&session, row).await?;
        Ok(self.current(session).ok_or_else(no_session)?)
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

    /// Opens a session for somebody who is no user here, and for whom the central server at `peer` vouches.
    pub fn lend(&self, user: String, rights: Rights, peer: IpAddr) -> Session {
        let Rights { role, sight } = rights;
        let (default_password, must_change_password) = (false, false);
        let session = Session {
            id: String::new(),
            user,
            role,
            sight,
            default_password,
            must_change_password,
            lent: true,
        };
        self.sessions().add(self.clock.mono(), peer, session)
    }

    /// Ends all sessions that were lent.
    pub fn end_lent(&self) {
        self.sessions().end_lent();
        self.look_again();
    }

    /// Ends a session. `Unauthorised` when it is unknown or over.
    pub fn logout(&self, id: &str) -> Result<()> {
        let was_alive = self.sessions().end(self.clock.mono(), id);
        self.look_again();
        self.tell(Change::Ended { session: id.to_owned() });
        if was_alive { Ok(()) } else { Err(no_session()) }
    }

    /// The session, its life renewed. `Unauthorised` when it is unknown or over.
    pub fn session(&self, id: &str) -> Result<Session> {
        self.renew(id).map(|(session, _)| session)
    }

    /// Gives `user` a new password and ends all sessions of that user but `session`. Both passwords
    /// are MD5 hex (manual 5.2.6) or plain text. The old one is always asked for, and a wrong one
    /// counts like a failed log-in from the address of the session.
    ///
    /// Errors: `BadInput` for a new password that is empty, too long or that of delivery; `Unauthorised` for
    /// a dead session, somebody else's password without being Administrator, or a wrong old one;
    /// `Refused` and `Full` as in [`Auth::login`]. None of them changes anything.
    pub async fn change_password(&self, session: &Session, user: &str, old: &str, new: &str) -> Result<()> {
        let (session, peer) = self.renew(&session.id)?;
        if user != session.user && session.role < Role::Administrator {
            return Err(Error::unauthorised(
                "user: only an Administrator may change another user's password",
            ));
        }
        let hex = password::checked_new(new, self.delivered.as_deref())?;
        let row = self.check(user, old, peer).await.map_err(|failure| failure.error)?;
        let name = row.name.clone();
        self.blocking(move |store| {
            if row.default_password && password::verify(&row.password_hash, std::slice::from_ref(&hex))? {
                return Err(password::is_delivered());
            }
            store.set_password_hash(&row.name, &password::hash(&hex)?)
        })
        .await?;
        self.end_sessions_here(&name, &session.id);
        self.tell(Change::Password { user: name.clone(), kept: session.id.clone() });
        tracing::info!(user = name, by = session.user, "password changed");
        Ok(())
    }

    /// Whether `password` is that of the session's user, for what an open session alone must not do. A
    /// wrong one counts like a failed log-in from the address of the session.
    ///
    /// Errors: `Unauthorised` for a dead session or a wrong password; `Refused` and `Full` as in
    /// [`Auth::login`].
    pub async fn confirm(&self, session: &Session, password: &str) -> Result<()> {
        let (session, peer) = self.renew(&session.id)?;
        let checked = self.check(&session.user, password, peer).await;
        checked.map(drop).map_err(|failure| failure.error)
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
        if self.setup().required {
            return Err(self.not_set_up(user, password).await);
        }
        let standing = self.throttle().begin(self.clock.mono(), peer, user);
        if let Some(left) = standing.locked_for {
            return Err(refused(standing, left));
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            self.throttle().forgive(peer, user);
            return Err(crowded().into());
        };
        self.tell_try(Try::Begun, peer, user);
        match self.verified(user, password).await {
            Ok(Some(row)) => {
                self.throttle().succeeded(self.clock.mono(), peer, user);
                self.tell_try(Try::Right, peer, user);
                Ok(row)
            }
            Ok(None) => {
                let Standing { faults, locked_for } = self.throttle().standing(self.clock.mono(), peer, user);
                tracing::warn!(user, %peer, faults, locked = locked_for.is_some(), "wrong user or password");
                let error = Error::unauthorised("wrong user or password");
                Err(LoginFailure { error, faults, locked_for, setup_required: false })
            }
            Err(error) => {
                self.throttle().forgive(peer, user);
                self.tell_try(Try::Void, peer, user);
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
        let (session, peer) = self.sessions().renew(self.clock.mono(), id).ok_or_else(no_session)?;
        Ok((self.current(session).ok_or_else(no_session)?, peer))
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
        Self { error, faults: 0, locked_for: None, setup_required: false }
    }
}

fn refused(standing: Standing, left: Duration) -> LoginFailure {
    let seconds = left.as_secs_f64().ceil();
    LoginFailure {
        error: Error::refused(format!("too many wrong passwords, try again in {seconds} s")),
        faults: standing.faults,
        locked_for: Some(left),
        setup_required: false,
    }
}

fn first_user(password_hash: String, default_password: bool) -> User {
    let (name, role) = (FIRST_USER.to_owned(), "administrator".to_owned());
    User { name, role, password_hash, default_password }
}

fn crowded() -> Error {
    Error::full("too many log-ins at once, try again")
}

fn no_session() -> Error {
    Error::unauthorised("session: unknown or expired")
}

#[cfg(test)]
mod tests;
