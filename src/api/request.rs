//! A request on its way to a handler.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::Context;
use super::params::Params;
use crate::auth::{Grant, Session, Sight};
use crate::base::{Error, Result};
use crate::media::stream::Stream;
use crate::source::{Profile, Source};

/// The parameter that tells main from sub.
pub const PROFILE: &str = "profile";

/// A request after the normalising step, attached to it as an extension by the server.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// See [`super::normalise::Target::path`].
    pub path: String,
    pub params: Params,
    pub peer: SocketAddr,
    /// Our end of the connection.
    pub local: SocketAddr,
    /// Whether the connection is TLS.
    pub https: bool,
    /// The header `Host`.
    pub host: Option<String>,
    /// The header `Origin`: whose page asks, as far as browsers tell.
    pub origin: Option<String>,
    /// Whether it came through the tunnel to a central server; its session is lent then.
    pub guest: bool,
    /// Whether another node of this central passed it on.
    pub passed: bool,
    /// The connection's place among the allowed ones; a socket holds it as long as it lives.
    pub seat: Arc<OwnedSemaphorePermit>,
}

/// An admitted call.
pub struct Ask {
    pub ctx: Arc<Context>,
    pub incoming: Incoming,
    /// `None` for open calls, and where sessions are not required.
    pub session: Option<Session>,
}

impl Ask {
    /// The value of an optional parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.incoming.params.get(name)
    }

    /// The value of a parameter that the table says is required.
    ///
    /// # Errors
    /// `BadInput` when it is missing.
    pub fn require(&self, name: &str) -> Result<&str> {
        self.incoming.params.require(name)
    }

    /// The main stream of the source that the parameter `token` names: what is recorded.
    ///
    /// # Errors
    /// `BadInput` or `NotFound`, naming the token.
    pub fn stream(&self) -> Result<Arc<Stream>> {
        let token = self.require("token")?;
        self.may_see(token)?;
        self.ctx.stream(token)
    }

    /// The stream of the source that the parameter `token` names, main or sub as `profile` says.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub fn shown(&self) -> Result<Arc<Stream>> {
        let token = self.require("token")?;
        self.may_see(token)?;
        self.ctx.shown(token, &self.incoming.params)
    }

    /// The sources that the asker may see.
    pub fn sight(&self) -> Sight {
        sight(self.session.as_ref())
    }

    /// # Errors
    /// `NotFound`, as for a source that there is not.
    pub fn may_see(&self, token: &str) -> Result<()> {
        may_see(&self.sight(), token)
    }

    /// The asker's right to what is being opened; `None` where nobody needs one, and for a source that is not to be
    /// seen, which whoever opens it is told.
    pub fn grant(&self) -> Option<Grant> {
        grant(&self.ctx, self.session.as_ref(), self.get("token"))
    }
}

/// The sources that the user of `session` may see. Where calls are open to all, whoever has no session sees all.
pub fn sight(session: Option<&Session>) -> Sight {
    session.map_or(Sight::All, |session| session.sight.clone())
}

/// See [`Ask::grant`].
pub fn grant(ctx: &Context, session: Option<&Session>, token: Option<&str>) -> Option<Grant> {
    let session = session.filter(|session| token.is_none_or(|token| session.sight.covers(token)))?;
    Some(Grant::new(&ctx.auth, session, token))
}

/// # Errors
/// `NotFound`, as for a source that there is not.
pub fn may_see(sight: &Sight, token: &str) -> Result<()> {
    if sight.covers(token) { Ok(()) } else { Err(no_source(token)) }
}

/// What whoever names a source hears when there is none, or none to be seen.
pub fn no_source(token: &str) -> Error {
    Error::not_found(format!("parameter token: there is no source {token:.129}"))
}

impl Context {
    /// The stream of the source `token`.
    ///
    /// # Errors
    /// `NotFound` naming the token.
    pub fn stream(&self, token: &str) -> Result<Arc<Stream>> {
        Ok(self.source(token)?.stream.clone())
    }

    /// The stream of the source `token`, main or sub as `params` say. Pages ask for profiles that there
    /// are not, and for sub where there is only one: they get main.
    ///
    /// # Errors
    /// `NotFound` naming the token.
    pub fn shown(&self, token: &str, params: &Params) -> Result<Arc<Stream>> {
        // GetVidStreamStatus has always called it `stream`.
        let profile = match params.get(PROFILE).or(params.get("stream")) {
            Some("sub") => Profile::Sub,
            _ => Profile::Main,
        };
        match (self.sources.get(token), &self.cloud.central) {
            (None, Some(central)) if central.split(token).is_some() => {
                central.stream(token, profile == Profile::Sub)
            }
            (source, _) => Ok(source.ok_or_else(|| no_source(token))?.shown(profile).clone()),
        }
    }

    /// The source `token`.
    ///
    /// # Errors
    /// `NotFound` naming the token.
    pub fn source(&self, token: &str) -> Result<Arc<Source>> {
        self.sources.get(token).ok_or_else(|| no_source(token))
    }
}
