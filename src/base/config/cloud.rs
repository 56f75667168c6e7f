//! `[cloud.client]` and `[cloud.server]`: registration of an edge with a central server, and the central server itself.

mod server;

use serde::Deserialize;

pub use self::server::{CloudServer, Database};
use super::checks;
use crate::base::secret::Secret;

/// What `grant` can be, least first.
pub const GRANTS: [&str; 4] = ["view", "playback", "control", "administration"];

/// `[cloud]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    pub client: CloudClient,
    #[serde(deserialize_with = "server::server")]
    pub server: CloudServer,
}

/// `[cloud.client]`: until SetCloudInfo says otherwise.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct CloudClient {
    pub enabled: bool,
    /// Name for people at the central; empty: the box's own.
    #[serde(deserialize_with = "checks::label")]
    pub name: String,
    /// The server token that is asked for; empty: made of the host id.
    #[serde(deserialize_with = "checks::label")]
    pub token: String,
    #[serde(deserialize_with = "checks::label")]
    pub host: String,
    #[serde(deserialize_with = "checks::within::<1, 65535, _, _>")]
    pub port: u16,
    pub tls: bool,
    /// SHA-256 of the central's certificate in hex; empty: one that a public authority signed.
    #[serde(deserialize_with = "checks::pin")]
    pub pin: String,
    /// A user of the central who may add sites, for the first time; empty: the claim code is used.
    #[serde(deserialize_with = "checks::label")]
    pub user: String,
    #[serde(deserialize_with = "checks::password")]
    pub password: Secret,
    #[serde(deserialize_with = "checks::within::<1, 60, _, _>")]
    pub keepalive_seconds: u64,
    /// What the central may do here: `view`, `playback`, `control` or `administration`.
    #[serde(deserialize_with = "checks::grant")]
    pub grant: String,
}

impl Default for CloudClient {
    fn default() -> Self {
        Self {
            enabled: false,
            name: String::new(),
            token: String::new(),
            host: String::new(),
            port: 8443,
            tls: true,
            pin: String::new(),
            user: String::new(),
            password: Secret::default(),
            keepalive_seconds: 3,
            grant: "playback".into(),
        }
    }
}
