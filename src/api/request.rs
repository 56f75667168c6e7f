//! A request on its way to a handler.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::Context;
use super::params::Params;
use crate::auth::Session;
use crate::base::{Error, Result};
use crate::media::stream::Stream;

/// A request after the normalising step, attached to it as an extension by the server.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// See [`super::normalise::Target::path`].
    pub path: String,
    pub params: Params,
    pub peer: SocketAddr,
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

    /// The stream of the source that the parameter `token` names.
    ///
    /// # Errors
    /// `BadInput` or `NotFound`, naming the token.
    pub fn stream(&self) -> Result<Arc<Stream>> {
        let token = self.require("token")?;
        self.ctx.stream(token)
    }
}

impl Context {
    /// The stream of the source `token`.
    ///
    /// # Errors
    /// `NotFound` naming the token.
    pub fn stream(&self, token: &str) -> Result<Arc<Stream>> {
        match self.sources.get(token) {
            Some(source) => Ok(source.stream.clone()),
            None => Err(Error::not_found(format!("parameter token: there is no source {token:.64}"))),
        }
    }
}
