//! The machine's network, as the kernel tells it. Blocks for as long as it takes to read some small
//! files of `/proc` and `/sys`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// What others may want to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub hostname: String,
    /// Those with a MAC address.
    pub interfaces: Vec<Interface>,
    pub dns: Vec<IpAddr>,
    pub search_domains: Vec<String>,
    pub gateways: Vec<IpAddr>,
    /// The same, with the interfaces that lead to them.
    pub routes: Vec<(String, IpAddr)>,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    /// `00:11:22:33:44:55`
    pub mac: String,
    pub mtu: u32,
    pub up: bool,
    /// Addresses with the lengths of their prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl Network {
    /// As it is now; what cannot be read is left out.
    pub fn read() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        // Where systemd-resolved runs, the usual file names only its own stub.
        let upstream = fs::read_to_string("/run/systemd/resolve/resolv.conf");
        let (dns, search_domains) = resolver(&upstream.unwrap_or_else(|_| text("/etc/resolv.conf")));
        let mut routes = routes4(&text("/proc/net/route"));
        routes.extend(routes6(&text("/proc/net/ipv6_route")));
        let hostname = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        Self {
            hostname: hostname.unwrap_or_default(),
            interfaces: interfaces(),
            dns,
            search_domains,
            gateways: routes.iter().map(|(_, gateway)| *gateway).collect(),
            routes,
        }
    }
}

fn interfaces() -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    for entry in getifaddrs().into_iter().flatten() {
        // A second address may carry a label behind a colon.
        let name = entry.interface_name.split(':').next().unwrap_or_default();
        let at = match found.iter().position(|interface| interface.name == name) {
            Some(at) => at,
            None => {
                let of = |what: &str| fs::read_to_string(format!("/sys/class/net/{name}/{what}"));
                let mac = of("address").unwrap_or_default().trim().to_owned();
                if mac.is_empty() || mac.bytes().all(|digit| matches!(digit, b'0' | b':')) {
                    continue;
                }
                let mtu = of("mtu").ok().and_then(|mtu| mtu.trim().parse().ok()).unwrap_or_default();
                let up = entry.flags.contains(InterfaceFlags::IFF_UP);
                found.push(Interface { name: name.to_owned(), mac, mtu, up, addresses: Vec::new() });
                found.len() - 1
            }
        };
        let address = ip(entry.address.as_ref()).zip(ip(entry.netmask.as_ref()));
        if let (Some((address, mask)), Some(interface)) = (address, found.get_mut(at)) {
            interface.addresses.push((address, prefix(mask)));
        }
    }
    found
}

fn ip(address: Option<&SockaddrStorage>) -> Option<IpAddr> {
    let address = address?;
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

fn prefix(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().count_ones(),
        IpAddr::V6(mask) => mask.to_bits().count_ones(),
    };
    u8::try_from(ones).unwrap_or(u8::MAX)
}

/// Name servers and search domains of resolv.conf(5).
fn resolver(text: &str) -> (Vec<IpAddr>, Vec<String>) {
    let (mut servers, mut domains) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().and_then(|ip| ip.parse::<IpAddr>().ok())),
            Some("search") => domains = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    (servers, domains)
}

/// Interfaces and gateways of the default routes in `/proc/net/route`.
fn routes4(text: &str) -> Vec<(String, IpAddr)> {
    let route = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", gateway, ..] = words[..] else { return None };
        // In the machine's byte order.
        let ip = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
        (!ip.is_unspecified()).then(|| (interface.to_owned(), IpAddr::V4(ip)))
    };
    text.lines().filter_map(route).collect()
}

/// Interfaces and gateways of the default routes in `/proc/net/ipv6_route`.
fn routes6(text: &str) -> Vec<(String, IpAddr)> {
    let route = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [to, "00", _, _, gateway, .., interface] = words[..] else { return None };
        if to.bytes().any(|digit| digit != b'0') {
            return None;
        }
        let ip = Ipv6Addr::from_bits(u128::from_str_radix(gateway, 16).ok()?);
        (!ip.is_unspecified()).then(|| (interface.to_owned(), IpAddr::V6(ip)))
    };
    text.lines().filter_map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let (servers, domains) =
            resolver("# x\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nsearch a.example b\n");
        assert_eq!((servers, domains), (vec![[192, 0, 2, 1].into()], vec!["a.example".into(), "b".into()]));
        let gateway = u32::from_ne_bytes([192, 0, 2, 254]);
        let route = format!(
            "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t{gateway:08X}\t0003\neth0\t000200C0\t00000000\t0001\n"
        );
        assert_eq!(routes4(&route), [("eth0".to_owned(), IpAddr::from([192, 0, 2, 254]))]);
        let zero = "0".repeat(32);
        let route6 = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00 eth0\n{zero} 00 {zero} 00 {zero} x lo\n"
        );
        assert_eq!(routes6(&route6), [("eth0".to_owned(), "fe80::1".parse::<IpAddr>().unwrap())]);
        assert_eq!((prefix([255, 255, 240, 0].into()), prefix("ffff:ffff::".parse().unwrap())), (20, 32));
    }

    #[test]
    fn interfaces_have_real_addresses() {
        for interface in Network::read().interfaces {
            assert_eq!(interface.mac.len(), 17, "{interface:?}");
            assert!(interface.addresses.iter().all(|(ip, _)| !ip.is_loopback()), "{interface:?}");
        }
    }
}
