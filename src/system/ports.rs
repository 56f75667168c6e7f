//! The box's network interfaces: how they are set, and how they fare.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::order::{Link, Method};
use super::root::Root;
use crate::base::{Error, Result};

const FOLDER: &str = "/sys/class/net";

/// [`super::order::Order::Network`]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub ports: Vec<Port>,
    /// Seconds that are left to confirm the trial that runs.
    pub trial: Option<u64>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub name: String,
    pub mac: String,
    pub wireless: bool,
    /// There is something at the other end.
    pub up: bool,
    pub method: Method,
    /// Of the wireless network that it is to join.
    pub ssid: Option<String>,
    /// As they are, with the lengths of their prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
    pub gateway: Option<IpAddr>,
    pub dns: Vec<IpAddr>,
}

/// All that have a MAC address, as `links` set them.
pub fn list(root: &Root, links: &BTreeMap<String, Link>) -> Vec<Port> {
    let facts = Network::read();
    let port = |name: String| {
        let text =
            |what: &str| root.read(&format!("{FOLDER}/{name}/{what}")).ok().flatten().unwrap_or_default();
        let mac = text("address").trim().to_owned();
        if mac.len() != 17 || mac.bytes().all(|digit| matches!(digit, b'0' | b':')) {
            return None;
        }
        let fact = facts.interfaces.iter().find(|interface| interface.name == name);
        let gateway = facts.routes.iter().find(|(interface, _)| *interface == name).map(|(_, ip)| *ip);
        let wireless = is_wireless(root, &name);
        let link = links.get(&name);
        let unset = if wireless { Method::Off } else { Method::Dhcp };
        let method = link.map_or(unset, |link| link.method.clone());
        let dns = match &method {
            Method::Static { dns, .. } => dns.clone(),
            _ if gateway.is_some() => facts.dns.clone(),
            _ => Vec::new(),
        };
        Some(Port {
            mac,
            wireless,
            up: text("operstate").trim() == "up",
            method,
            ssid: link.and_then(|link| link.ssid.clone()),
            addresses: fact.map(|fact| fact.addresses.clone()).unwrap_or_default(),
            gateway,
            dns,
            name,
        })
    };
    root.list(FOLDER).into_iter().filter_map(port).collect()
}

/// Those of a machine that is no box: how they are set is not known.
pub fn of_this_machine() -> Vec<Port> {
    list(&Root::new("/"), &BTreeMap::new())
}

pub fn is_wireless(root: &Root, interface: &str) -> bool {
    root.has(&format!("{FOLDER}/{interface}/phy80211"))
}

/// # Errors
/// `NotFound` where there is no such interface; its name was checked.
pub fn find(root: &Root, interface: &str) -> Result<()> {
    if list(root, &BTreeMap::new()).iter().any(|port| port.name == interface) {
        return Ok(());
    }
    Err(Error::not_found(format!("parameter interface: there is no interface {interface}")))
}

#[cfg(test)]
mod tests {
    use super::super::root::rehearsal::Rehearsal;
    use super::*;

    #[test]
    fn interfaces_are_those_of_the_kernel() {
        let it = Rehearsal::new();
        it.file("/sys/class/net/eth0/operstate", "up\n");
        let ports = list(&it.root, &BTreeMap::new());
        let shown: Vec<_> = ports.iter().map(|port| (port.name.as_str(), port.wireless, port.up)).collect();
        assert_eq!(shown, [("eth0", false, true), ("wlan0", true, false)]);
        assert_eq!((&ports[0].method, &ports[1].method), (&Method::Dhcp, &Method::Off));
        find(&it.root, "wlan0").unwrap();
        assert_eq!(
            find(&it.root, "eth7").unwrap_err().to_string(),
            "parameter interface: there is no interface eth7"
        );
    }
}
