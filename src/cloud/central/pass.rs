//! Requests that another node has to answer, since what they are about is in its memory: each goes to it as HTTP on a
//! stream of its own, and is served there like one from the world.
//!
//! No task of its own but those of [`super::request`]. Bound: what the channel of [`Passed`] holds; one more is refused.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Central;
use super::request::send;
use crate::base::{Error, Result};
use crate::cloud::cluster::NodeStream;

/// Who asked the node that passes a request on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Origin {
    pub peer: SocketAddr,
    /// Whether their connection is TLS.
    pub https: bool,
}

/// A request that another node passes on, still to be read.
pub struct Passed {
    pub stream: NodeStream,
    pub origin: Origin,
}

impl Central {
    /// This node's name; `None` for a central that is alone.
    pub fn node(&self) -> Option<&str> {
        self.cluster.get().map(|cluster| cluster.node())
    }

    /// Whether this node can hear the one of that name, or is it.
    pub fn hears(&self, node: &str) -> bool {
        self.cluster.get().is_some_and(|cluster| cluster.nodes().iter().any(|known| known == node))
    }

    /// Has `node` answer `request`, whose target is a path of ours.
    ///
    /// # Errors
    /// `Refused` or `Timeout` naming the node when it cannot be reached or breaks off.
    pub async fn pass(
        &self,
        node: &str,
        origin: Origin,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        let cluster = self.cluster.get().ok_or_else(|| Error::internal("this central is alone"))?;
        let stream = cluster.open(node, json!({ "http": origin })).await?;
        send(&http1::Builder::new(), stream, request)
            .await
            .map_err(|error| error.context(format!("node {node}")))
    }
}
