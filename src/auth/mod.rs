//! Users, passwords, sessions, roles.

mod role;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::time::Clock;
use crate::base::{Error, Result, config};
use crate::store::Store;

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
#[derive(Clone)]
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

/// Users and sessions.
pub struct Auth {}

impl Auth {
    pub fn open(_store: Arc<Store>, _clock: Clock, _settings: AuthSettings) -> Result<Arc<Self>> {
        Err(Error::unsupported("auth"))
    }

    pub async fn login(
        &self,
        _user: &str,
        _password: &str,
        _peer: IpAddr,
    ) -> std::result::Result<Session, LoginFailure> {
        Err(LoginFailure { error: Error::unsupported("auth"), faults: 0, locked_for: None })
    }

    pub fn logout(&self, _id: &str) -> Result<()> {
        Err(Error::unsupported("auth"))
    }

    /// The session, its life renewed. `Unauthorised` when it is unknown or over.
    pub fn session(&self, _id: &str) -> Result<Session> {
        Err(Error::unsupported("auth"))
    }

    pub async fn change_password(
        &self,
        _session: &Session,
        _user: &str,
        _old: &str,
        _new: &str,
    ) -> Result<()> {
        Err(Error::unsupported("auth"))
    }
}
