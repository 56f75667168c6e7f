//! What a search has found so far: answers merged into devices, each with the address at which it is
//! reached best.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::interfaces::Interface;
use super::message::{self, Match};
use super::{Found, MAX_DATAGRAM, bare_endpoint, scopes};

/// Most devices of one search; more are left out.
pub const MOST: usize = 4096;
/// Most endpoints and places that they are known by.
const MOST_KEYS: usize = 4 * MOST;
/// Answers that have come in half, and wait for the other.
const MOST_HALVES: usize = 64;
/// Where the device service is, if the device does not say.
const PATH: &str = "/onvif/device_service";

/// How well an address will do; the later, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// IPv4 that the device names, asked over IPv6: perhaps of another network.
    Named,
    /// IPv6 that it names.
    NamedV6,
    /// What it names leads nowhere, so where the answer came from.
    Source,
    /// IPv6: it names where the answer came from.
    SameV6,
    /// It names another address that is in one of our networks.
    Near,
    /// It names the address that the answer came from.
    Same,
}

/// Where a device service is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    ip: IpAddr,
    port: u16,
    path: String,
    https: bool,
}

/// The devices so far.
#[derive(Debug)]
pub struct Findings {
    interfaces: Vec<Interface>,
    found: Vec<(Rank, Found)>,
    /// Index into `found`.
    by_endpoint: HashMap<String, usize>,
    by_place: HashMap<Place, usize>,
    halves: HashMap<SocketAddr, Vec<u8>>,
}

impl Findings {
    pub fn new(interfaces: Vec<Interface>) -> Self {
        Self {
            interfaces,
            found: Vec::new(),
            by_endpoint: HashMap::new(),
            by_place: HashMap::new(),
            halves: HashMap::new(),
        }
    }

    /// The devices, in the order in which they first answered.
    pub fn found(self) -> Vec<Found> {
        self.found.into_iter().map(|(_, found)| found).collect()
    }

    /// Takes an answer that came from `from` by `interface`.
    pub fn add(&mut self, datagram: &[u8], from: SocketAddr, interface: &str) {
        for found in self.read(datagram, from) {
            if found.onvif {
                self.merge(&found, from.ip(), interface);
            }
        }
    }

    /// Reads an answer, or two halves of one: some devices send it in two datagrams.
    fn read(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<Match> {
        let whole = message::matches(datagram).or_else(|error| {
            let mut whole = self.halves.remove(&from).ok_or(error)?;
            whole.extend_from_slice(datagram);
            message::matches(&whole)
        });
        whole.unwrap_or_else(|error| {
            tracing::debug!("answer of {from} to a search: {error}");
            let room = self.halves.len() < MOST_HALVES && datagram.len() <= MAX_DATAGRAM / 2;
            if room && datagram.trim_ascii_start().starts_with(b"<") {
                self.halves.insert(from, datagram.to_vec());
            }
            Vec::new()
        })
    }

    fn merge(&mut self, answer: &Match, source: IpAddr, interface: &str) {
        let (rank, place) = self.place(&answer.xaddrs, source);
        let endpoint = bare_endpoint(&answer.endpoint);
        let by_endpoint = self.by_endpoint.get(&endpoint).filter(|_| !endpoint.is_empty());
        let known = by_endpoint.or_else(|| self.by_place.get(&place)).copied();
        let index = known.unwrap_or(self.found.len());
        if index >= MOST || self.by_endpoint.len() + self.by_place.len() >= MOST_KEYS {
            return;
        }
        let name = scopes::value(&answer.scopes, "name").unwrap_or_default();
        let model = scopes::value(&answer.scopes, "hardware").unwrap_or_else(|| name.clone());
        let entry = Found {
            endpoint: answer.endpoint.clone(),
            ip: place.ip,
            zone: is_link_local(place.ip).then(|| interface.to_owned()),
            port: place.port,
            path: place.path.clone(),
            https: place.https,
            model,
            name,
        };
        self.by_endpoint.insert(endpoint, index);
        self.by_place.insert(place, index);
        match self.found.get_mut(index) {
            None => self.found.push((rank, entry)),
            Some((before, known)) if rank > *before => {
                *before = rank;
                *known = keep_names(entry, known);
            }
            Some((_, known)) => *known = keep_names(known.clone(), &entry),
        }
    }

    /// The best of the addresses that a device names, seen from where its answer came from.
    fn place(&self, xaddrs: &[String], source: IpAddr) -> (Rank, Place) {
        let named: Vec<_> = xaddrs.iter().filter_map(|xaddr| service(xaddr)).collect();
        let first = |rank: Rank, wanted: &dyn Fn(IpAddr) -> bool| {
            named.iter().find_map(|service| {
                let ip = service.ip.filter(|ip| wanted(*ip))?;
                Some((rank, service.at(ip)))
            })
        };
        let same = if source.is_ipv4() { Rank::Same } else { Rank::SameV6 };
        let near = |ip: IpAddr| {
            ip.is_ipv4() && self.interfaces.iter().any(|interface| interface.towards(ip).is_some())
        };
        first(same, &|ip| ip == source)
            .or_else(|| first(Rank::Near, &near))
            .or_else(|| first(Rank::Named, &|ip| source.is_ipv6() && ip.is_ipv4() && is_host(ip)))
            .or_else(|| first(Rank::NamedV6, &|ip| source.is_ipv6() && ip.is_ipv6() && is_host(ip)))
            .unwrap_or_else(|| {
                let service = named.iter().find(|service| service.ip.is_none_or(|ip| ip.is_ipv4()));
                let place = match service.or(named.first()) {
                    Some(service) => service.at(source),
                    None => Place { ip: source, port: 80, path: PATH.to_owned(), https: false },
                };
                (Rank::Source, place)
            })
    }
}

/// `better`, with the names that only `other` has.
fn keep_names(mut better: Found, other: &Found) -> Found {
    if better.model.is_empty() {
        better.model.clone_from(&other.model);
    }
    if better.name.is_empty() {
        better.name.clone_from(&other.name);
    }
    better
}

/// An address as a device names it.
struct Service {
    /// `None` for a name, which may be known to the device only.
    ip: Option<IpAddr>,
    port: u16,
    path: String,
    https: bool,
}

impl Service {
    fn at(&self, ip: IpAddr) -> Place {
        Place { ip, port: self.port, path: self.path.clone(), https: self.https }
    }
}

fn service(xaddr: &str) -> Option<Service> {
    let url = Url::parse(&without_zone(xaddr)).ok()?;
    let https = match url.scheme() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let ip = match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
    };
    let path = match (url.path(), url.query()) {
        ("/" | "", _) => PATH.to_owned(),
        (path, Some(query)) => format!("{path}?{query}"),
        (path, None) => path.to_owned(),
    };
    Some(Service { ip, port: url.port_or_known_default()?, path, https })
}

/// A zone, `[fe80::1%eth0]`, is the device's own and no part of a URL.
fn without_zone(xaddr: &str) -> String {
    match (xaddr.find('%'), xaddr.find(']')) {
        (Some(from), Some(to)) if from < to => {
            [xaddr.get(..from), xaddr.get(to..)].into_iter().flatten().collect()
        }
        _ => xaddr.to_owned(),
    }
}

fn is_host(ip: IpAddr) -> bool {
    !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast())
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests;
