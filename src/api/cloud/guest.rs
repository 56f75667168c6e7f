//! Requests that come through the tunnel: in whose name, and what of this box they may reach.
//!
//! The central says for whom it asks; what the administrator of this box granted bounds that. A guest gets a session
//! of the box like everybody else, lent for a while. Memory: at most [`MOST`] of them.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hyper::HeaderMap;

use super::forward::reel;
use crate::api::calls::{Access, Call, Run, flag};
use crate::api::params::Params;
use crate::api::table::is_of_the_past;
use crate::auth::{Auth, Rights, Role, Sight};
use crate::base::{Error, Result};
use crate::cloud::central::request::{ROLE, SIGHT, USER};
use crate::cloud::central::{live, sources};

/// Guests that are remembered.
const MOST: usize = 512;
/// Longest list of tokens that a guest may see, in bytes.
const MAX_SIGHT: usize = 12 << 10;
/// Sessions of this box, its people and what would lift the guest's own bounds: never through the tunnel.
const NEVER: &[&str] = &[
    "Login",
    "Logout",
    "UpdateUser",
    "Setup",
    "SetCloudInfo",
    "SetCloudServer",
    "ClaimServer",
    "AddServer",
    "UpdateServer",
    "DelServer",
    "CreateUser",
    "DeleteUser",
    "SetUserRole",
    "ResetUserPassword",
    "CreateRole",
    "DeleteRole",
    "AddCamToRole",
    "DelCamInRole",
    "CreateOnvifUser",
    "UpdateOnvifUser",
    "DeleteOnvifUser",
    "SetSsh",
    "SetCertificate",
    "RenewCertificate",
    "FactoryReset",
];

/// What the central may do here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// See live pictures, and the list of sources.
    #[default]
    View,
    /// And recordings and snapshots that there are.
    Playback,
    /// And what an Operator may.
    Control,
    /// And what an Administrator may, but for people and what protects the box.
    Administration,
}

impl Grant {
    const ALL: [Self; 4] = [Self::View, Self::Playback, Self::Control, Self::Administration];

    /// As in the configuration and in SetCloudInfo.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Playback => "playback",
            Self::Control => "control",
            Self::Administration => "administration",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }

    fn role(self) -> Role {
        match self {
            Self::View | Self::Playback => Role::Viewer,
            Self::Control => Role::Operator,
            Self::Administration => Role::Administrator,
        }
    }

    /// What it takes to make `call`; `None` for one that no guest makes.
    pub fn needed(call: &Call, params: &Params) -> Option<Self> {
        if NEVER.contains(&call.name) {
            return None;
        }
        let changes = matches!(call.run, Run::Change(_) | Run::Post(_) | Run::Upload(_));
        let past = is_of_the_past(call) || params.get("playback").and_then(flag) == Some(true);
        Some(match call.access {
            Access::Role(Role::Administrator) => Self::Administration,
            Access::Role(Role::Operator) => Self::Control,
            _ if changes => Self::Control,
            _ if past => Self::Playback,
            _ => Self::View,
        })
    }
}

/// Everybody whom the central asks for.
pub struct Guests {
    auth: Arc<Auth>,
    grant: RwLock<Grant>,
    sessions: Mutex<HashMap<Guest, String>>,
}

/// Somebody at the central.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Guest {
    user: String,
    role: Role,
    /// Tokens with commas between, or `*`.
    sight: String,
}

impl Guests {
    pub fn new(auth: Arc<Auth>, grant: Grant) -> Arc<Self> {
        Arc::new(Self { auth, grant: RwLock::new(grant), sessions: Mutex::default() })
    }

    pub fn grant(&self) -> Grant {
        *self.grant.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grants something else. What guests have open ends.
    pub fn set_grant(&self, grant: Grant) {
        *self.grant.write().unwrap_or_else(PoisonError::into_inner) = grant;
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.auth.end_lent();
    }

    /// Whether a guest may reach this path with these parameters.
    ///
    /// # Errors
    /// `Refused`, saying what it would take; `NotFound` for what is not for guests.
    pub fn admit(&self, path: &str, params: &Params) -> Result<()> {
        let nothing = || Error::not_found("there is nothing at this address");
        let needed = match path.strip_prefix("/api/v1/") {
            Some(_) => Grant::needed(crate::api::router::named(path)?, params).ok_or_else(nothing)?,
            None if path.starts_with("/hls/vod/") || path.starts_with("/mediastore/") => Grant::Playback,
            None if path == reel::PATH => Grant::Playback,
            None if path.starts_with(live::PATH) || path == sources::PATH => Grant::View,
            None => return Err(nothing()),
        };
        match needed <= self.grant() {
            true => Ok(()),
            false => Err(Error::refused(format!(
                "the box grants its central {} only, and this takes {}",
                self.grant().as_str(),
                needed.as_str()
            ))),
        }
    }

    /// The session of whoever the headers of a request from the tunnel name.
    ///
    /// # Errors
    /// `BadInput`
    pub fn session(&self, headers: &HeaderMap, central: IpAddr) -> Result<String> {
        let said = |name, most: usize| {
            let text = headers.get(name).and_then(|value| value.to_str().ok());
            let bad = || Error::bad_input("the central does not say for whom it asks");
            text.filter(|text| text.len() <= most).map(str::to_owned).ok_or_else(bad)
        };
        let role = Role::parse(&said(ROLE, 32)?);
        let role = role.ok_or_else(|| Error::bad_input("the central names an unknown role"))?;
        let role = role.min(self.grant().role());
        let guest = Guest { user: said(USER, 1024)?, role, sight: said(SIGHT, MAX_SIGHT)? };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = sessions.get(&guest).filter(|id| self.auth.session(id).is_ok()) {
            return Ok(id.clone());
        }
        if sessions.len() >= MOST {
            sessions.retain(|_, id| self.auth.session(id).is_ok());
            if sessions.len() >= MOST {
                return Err(Error::full("too many people of the central are here at once"));
            }
        }
        let sight = match guest.sight.as_str() {
            "*" => Sight::All,
            tokens => {
                let tokens: BTreeSet<String> =
                    tokens.split(',').filter(|token| !token.is_empty()).map(str::to_owned).collect();
                Sight::Only(Arc::new(tokens))
            }
        };
        let session = self.auth.lend(format!("central:{}", guest.user), Rights { role, sight }, central);
        sessions.insert(guest, session.id.clone());
        Ok(session.id)
    }
}
