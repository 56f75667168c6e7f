//! What there is to say of other nodes of a central, whether this build knows any (`nodes`) or is always alone.

use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::Value;

use crate::base::secret::Secret;

/// What a node says of itself to the NATS servers.
#[derive(Clone, Debug, Default)]
pub enum Login {
    #[default]
    Nobody,
    User {
        user: String,
        password: Secret,
    },
    Token(Secret),
}

/// How this node takes part in the cluster.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `host`, `host:port` or `nats://` or `tls://` with them, port 4222 by default; one to sixteen.
    /// They are tried in this order, so the nearest stands first.
    pub servers: Vec<String>,
    /// This node's name, which no other node has: 1–64 of `A-Z a-z 0-9 _ -`.
    pub node: String,
    pub login: Login,
    /// Whether connections without TLS are refused.
    pub tls: bool,
    /// A PEM file with the authorities that may have signed the servers' certificates; without it the system's.
    pub ca: Option<PathBuf>,
}

/// Where a site is.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    /// The node that has its tunnel.
    pub node: String,
    /// What that node says of it.
    pub facts: Value,
    /// Since when.
    pub since: SystemTime,
}

/// What may be different now from what [`Cluster::at`] said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This site's presence.
    Site(String),
    /// That of any site: a node came, went or could not be heard.
    Any,
}

/// Small news between nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A node told this.
    Told { node: String, kind: String, value: Value },
    /// Notices may have been lost: look at everything again.
    Missed,
}
