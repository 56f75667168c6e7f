//! The interfaces on which one can ask and be asked.

use std::net::{IpAddr, Ipv4Addr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::SockaddrStorage;

use crate::base::{Error, Result};

/// Most interfaces that are looked at; the rest of a machine with more is left out.
const MOST: usize = 64;
/// Most addresses of one interface.
const MOST_NETS: usize = 16;

/// An interface that is up and does multicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub index: u32,
    pub nets: Vec<Net>,
}

/// An address of ours with the network that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    pub ip: IpAddr,
    mask: IpAddr,
}

impl Net {
    /// Whether `other` is reached without a router.
    pub fn holds(&self, other: IpAddr) -> bool {
        match (self.ip, self.mask, other) {
            (IpAddr::V4(ip), IpAddr::V4(mask), IpAddr::V4(other)) => ip & mask == other & mask,
            (IpAddr::V6(ip), IpAddr::V6(mask), IpAddr::V6(other)) => ip & mask == other & mask,
            _ => false,
        }
    }
}

impl Interface {
    /// Our address in the network that `other` is in.
    pub fn towards(&self, other: IpAddr) -> Option<IpAddr> {
        self.nets.iter().find(|net| net.holds(other)).map(|net| net.ip)
    }

    pub fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.nets.iter().filter_map(|net| match net.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        })
    }

    pub fn has_ipv6(&self) -> bool {
        self.nets.iter().any(|net| net.ip.is_ipv6())
    }
}

/// All interfaces that are up and have the multicast flag, which the loopback mostly lacks.
///
/// # Errors
/// `Internal` when the kernel does not tell.
pub fn list() -> Result<Vec<Interface>> {
    let addresses = getifaddrs().map_err(|error| Error::internal(format!("network interfaces: {error}")))?;
    let mut found: Vec<Interface> = Vec::new();
    for address in addresses {
        if !address.flags.contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_MULTICAST) {
            continue;
        }
        let (Some(ip), Some(mask)) = (ip(address.address), ip(address.netmask)) else { continue };
        // A second address may carry a label behind a colon.
        let name = address.interface_name.split(':').next().unwrap_or_default();
        match found.iter().position(|interface| interface.name == name) {
            Some(known) => {
                let known = found.get_mut(known).filter(|known| known.nets.len() < MOST_NETS);
                known.into_iter().for_each(|known| known.nets.push(Net { ip, mask }));
            }
            None if found.len() < MOST => {
                let Ok(index) = if_nametoindex(name) else { continue };
                found.push(Interface { name: name.to_owned(), index, nets: vec![Net { ip, mask }] });
            }
            None => {}
        }
    }
    Ok(found)
}

/// Whether `peer` reaches us without a router, over an interface that [`list`] has.
///
/// # Errors
/// As [`list`].
pub fn is_on_link(peer: IpAddr) -> Result<bool> {
    let peer = peer.to_canonical();
    Ok(list()?.iter().any(|interface| interface.towards(peer).is_some()))
}

fn ip(address: Option<SockaddrStorage>) -> Option<IpAddr> {
    let address = address?;
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An interface for tests: name, index, and addresses with their masks.
    pub fn interface(name: &str, index: u32, nets: &[(&str, &str)]) -> Interface {
        let net = |(ip, mask): &(&str, &str)| Net { ip: ip.parse().unwrap(), mask: mask.parse().unwrap() };
        Interface { name: name.to_owned(), index, nets: nets.iter().map(net).collect() }
    }

    #[test]
    fn our_address_is_the_one_in_the_others_network() {
        let nets = [
            ("198.51.100.1", "255.255.255.0"),
            ("203.0.113.129", "255.255.255.128"),
            ("fe80::1", "ffff:ffff:ffff:ffff::"),
        ];
        let eth0 = interface("eth0", 2, &nets);
        let towards = |other: &str| eth0.towards(other.parse().unwrap()).map(|ip| ip.to_string());
        assert_eq!(towards("198.51.100.77").as_deref(), Some("198.51.100.1"));
        assert_eq!(towards("203.0.113.200").as_deref(), Some("203.0.113.129"));
        assert_eq!(towards("203.0.113.100"), None);
        assert_eq!(towards("fe80::2").as_deref(), Some("fe80::1"));
        assert_eq!(towards("2001:db8::1"), None);
    }

    #[test]
    fn what_the_kernel_lists_does_multicast() {
        // Whatever this machine has: no interface twice, each with an address.
        let found = list().unwrap();
        for (place, interface) in found.iter().enumerate() {
            assert!(!interface.nets.is_empty() && interface.index > 0, "{interface:?}");
            assert!(found[..place].iter().all(|other| other.name != interface.name));
        }
    }
}
