//! Which addresses the box offers to a viewer as ICE host candidates. Pure look-ups, run once per
//! session on the caller's task; the answer is bounded by [`MAX_ADDRESSES`].

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use str0m::Candidate;
use str0m::net::TcpType;

use crate::base::{Error, Result};

/// Most local addresses that are offered; each costs the viewer two connectivity checks.
const MAX_ADDRESSES: usize = 8;

/// Addresses of all interfaces that are up. Loopback only if `loopback` asks for it or there is
/// nothing else. IPv6 link-local addresses are left out: they mean nothing without a zone.
fn local_addresses(ipv6: bool, loopback: bool) -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else { return Vec::new() };
    let (mut found, mut own) = (Vec::new(), Vec::new());
    for interface in interfaces.filter(|i| i.flags.contains(InterfaceFlags::IFF_UP)) {
        let Some(storage) = interface.address else { continue };
        let ip = match (storage.as_sockaddr_in(), storage.as_sockaddr_in6()) {
            (Some(v4), _) => IpAddr::V4(v4.ip()),
            (_, Some(v6)) if ipv6 && !is_link_local(v6.ip()) => IpAddr::V6(v6.ip()),
            _ => continue,
        };
        if ip.is_loopback() { own.push(ip) } else { found.push(ip) }
    }
    found.truncate(MAX_ADDRESSES);
    if loopback || found.is_empty() {
        found.extend(own);
    }
    found
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

/// The candidates of one session: UDP and passive TCP (RFC 6544) on `port` of each local address,
/// and each of `public` mapped onto the first local address of its family (NAT 1:1).
///
/// # Errors
/// `Internal` when the machine has no usable address.
pub fn candidates(port: u16, ipv6: bool, loopback: bool, public: &[IpAddr]) -> Result<Vec<Candidate>> {
    let local = local_addresses(ipv6, loopback);
    let mut found = Vec::with_capacity(2 * (local.len() + public.len()));
    for &ip in &local {
        let address = SocketAddr::new(ip, port);
        let tcp = Candidate::builder().tcp().host(address).tcptype(TcpType::Passive);
        found.extend(Candidate::builder().udp().host(address).build());
        found.extend(tcp.build());
    }
    for &ip in public {
        let Some(&base) = local.iter().find(|l| l.is_ipv4() == ip.is_ipv4()) else { continue };
        let (address, base) = (SocketAddr::new(ip, port), SocketAddr::new(base, port));
        let tcp = Candidate::builder().tcp().server_reflexive(address, base).tcptype(TcpType::Passive);
        found.extend(Candidate::server_reflexive(address, base, "udp"));
        found.extend(tcp.build());
    }
    if found.is_empty() {
        return Err(Error::internal("WebRTC: this machine has no network address to offer"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_offered_when_asked_for() {
        let offered = candidates(4000, false, true, &[]).unwrap();
        let wanted = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(offered.iter().filter(|c| c.addr() == wanted).count(), 2);
    }

    #[test]
    fn a_public_address_is_mapped_onto_a_local_one() {
        let public = "203.0.113.9".parse().unwrap();
        let offered = candidates(4000, false, true, &[public]).unwrap();
        let mapped: Vec<_> = offered.iter().filter(|c| c.addr().ip() == public).collect();
        assert_eq!(mapped.len(), 2);
        assert!(mapped.iter().all(|c| c.local().ip() != public));
    }
}
