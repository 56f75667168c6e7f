//! WS-Discovery (OASIS, April 2005, as ONVIF Core 7 profiles it): finding cameras, and being found.
//!
//! [`search`] asks on every interface and merges what comes back; [`Responder`] answers those who ask
//! for us. A search runs in the task of its caller with one more for each socket; the responder is one
//! task. Nothing that a datagram says is believed further than it can be checked against where the
//! datagram came from.

mod announce;
mod findings;
mod interfaces;
mod limit;
mod matching;
mod message;
mod responder;
pub mod scopes;
mod search;
mod socket;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use announce::Identity;
pub use interfaces::is_on_link;
pub use responder::Responder;
pub use search::search;

/// UDP port of WS-Discovery.
const PORT: u16 = 3702;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc);
/// Largest datagram that is read. A recorder with 64 channels sends about 8 kB.
const MAX_DATAGRAM: usize = 32 * 1024;

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const DISCOVERY: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const NETWORK: &str = "http://www.onvif.org/ver10/network/wsdl";
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";

/// A device that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Endpoint reference as the device wrote it.
    pub endpoint: String,
    pub ip: IpAddr,
    /// The interface behind which a link-local IPv6 address lies.
    pub zone: Option<String>,
    pub port: u16,
    /// Path of the device service.
    pub path: String,
    pub https: bool,
    /// Hardware, else name; empty where it says neither.
    pub model: String,
    pub name: String,
}

impl Found {
    /// The address as one connects to it, with the zone of a link-local one: `fe80::1%eth0`.
    pub fn host(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{}%{zone}", self.ip),
            None => self.ip.to_string(),
        }
    }
}

/// The identifier alone, for comparing: devices write it with `urn:uuid:`, with `uuid:` and bare, and in
/// either case.
pub fn bare_endpoint(endpoint: &str) -> String {
    let lower = endpoint.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("urn:").unwrap_or(&lower);
    bare.strip_prefix("uuid:").unwrap_or(bare).to_owned()
}
