//! WS-Discovery (OASIS draft 2005/04): finding cameras, and being found.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::Result;

/// A device that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Endpoint reference as the device wrote it.
    pub endpoint: String,
    pub ip: IpAddr,
    pub port: u16,
    /// Path of the device service.
    pub path: String,
    pub https: bool,
    /// Hardware, else name; empty where it says neither.
    pub model: String,
    pub name: String,
}

/// Looks for ONVIF devices on every interface, for as long as `timeout`.
///
/// # Errors
/// `Internal` where no interface could be asked at all.
pub async fn search(timeout: Duration) -> Result<Vec<Found>> {
    let _ = timeout;
    unimplemented!()
}
