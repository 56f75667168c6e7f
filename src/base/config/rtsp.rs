//! `[rtsp]`: our own RTSP server, which runs while the ONVIF device is on.

use serde::Deserialize;

use super::checks;

/// `[rtsp]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Rtsp {
    #[serde(deserialize_with = "checks::within::<1, 65535, _, _>")]
    pub port: u16,
    /// Connections at a time; more are closed at once.
    #[serde(deserialize_with = "checks::within::<1, 1000, _, _>")]
    pub max_clients: usize,
}

impl Default for Rtsp {
    fn default() -> Self {
        Self { port: 8554, max_clients: 64 }
    }
}
