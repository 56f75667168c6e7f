//! A request on its way to a handler.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::Context;
use super::params::Params;
use crate::auth::Session;
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
        self.ctx.stream(token)
    }

    /// The stream of the source that the parameter `token` names, main or sub as `profile` says.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub fn shown(&self) -> Result<Arc<Stream>> {
        self.ctx.shown(self.require("token")?, &self.incoming.params)
    }
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
        Ok(self.source(token)?.shown(profile).clone())
    }

    fn source(&self, token: &str) -> Result<Arc<Source>> {
        let missing = || Error::not_found(format!("parameter token: there is no source {token:.64}"));
        self.sources.get(token).ok_or_else(missing)
    }
}
