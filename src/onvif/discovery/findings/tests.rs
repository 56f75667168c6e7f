use proptest::prelude::*;

use super::super::interfaces::tests::interface;
use super::*;

fn findings() -> Findings {
    let eth0 =
        interface("eth0", 2, &[("198.51.100.1", "255.255.255.0"), ("fe80::1", "ffff:ffff:ffff:ffff::")]);
    Findings::new(vec![eth0])
}

fn answer(endpoint: &str, name: &str, xaddrs: &str) -> String {
    format!(
        "<Envelope><Body><ProbeMatches><ProbeMatch>
        <EndpointReference><Address>{endpoint}</Address></EndpointReference>
        <Types>NetworkVideoTransmitter</Types><Scopes>{name}</Scopes><XAddrs>{xaddrs}</XAddrs>
        </ProbeMatch></ProbeMatches></Body></Envelope>"
    )
}

/// Where the device is that gives these answers: addresses that it names, and where it answered from.
fn reached(answers: &[(&str, &str)]) -> String {
    let mut findings = findings();
    for (xaddrs, from) in answers {
        findings.add(answer("urn:uuid:a", "", xaddrs).as_bytes(), from.parse().unwrap(), "eth0");
    }
    let found = findings.found();
    assert_eq!(found.len(), 1, "{found:?}");
    format!("{} {}", found[0].host(), found[0].port)
}

#[test]
fn the_address_that_answered_comes_first() {
    let from = "198.51.100.7:3702";
    assert_eq!(reached(&[("http://198.51.100.9/a http://198.51.100.7:81/a", from)]), "198.51.100.7 81");
    // In our network, so somebody may well answer for it.
    assert_eq!(reached(&[("http://198.51.100.9:81/a", from)]), "198.51.100.9 81");
    assert_eq!(reached(&[("http://192.0.2.9:81/a", from)]), "198.51.100.7 81");
    assert_eq!(reached(&[("http://[2001:db8::1]:82/a http://192.0.2.9:81/a", from)]), "198.51.100.7 81");
    assert_eq!(reached(&[("ftp://198.51.100.7/ nonsense", from)]), "198.51.100.7 80");
}

#[test]
fn over_ipv6_the_same_then_ipv4_then_ipv6() {
    let from = "[fe80::7%2]:3702";
    let from = &from.replace("%2", "");
    assert_eq!(reached(&[("http://198.51.100.7/a http://[fe80::7]:81/a", from)]), "fe80::7%eth0 81");
    assert_eq!(reached(&[("http://[2001:db8::7]/a http://192.0.2.7:81/a", from)]), "192.0.2.7 81");
    assert_eq!(reached(&[("http://[2001:db8::7]:81/a", from)]), "2001:db8::7 81");
    assert_eq!(reached(&[("http://[fe80::8%25eth7]:81/a", from)]), "fe80::8%eth0 81");
}

#[test]
fn a_better_address_replaces_the_one_before() {
    let (v6, v4) = ("[fe80::7]:3702", "198.51.100.7:3702");
    let six = ("http://[fe80::7]:81/a", v6);
    let four = ("http://198.51.100.7:82/a", v4);
    assert_eq!(reached(&[six, four]), "198.51.100.7 82");
    assert_eq!(reached(&[four, six]), "198.51.100.7 82");
}

#[test]
fn endpoints_are_compared_without_their_decoration() {
    let mut findings = findings();
    let from = "198.51.100.7:3702".parse().unwrap();
    for (endpoint, port) in [("urn:uuid:AB-1", 81), ("uuid:ab-1", 82), ("ab-1", 83), ("", 84), ("", 85)] {
        let xaddr = format!("http://198.51.100.7:{port}/a");
        let name = if port == 82 { "onvif://www.onvif.org/name/Late" } else { "" };
        findings.add(answer(endpoint, name, &xaddr).as_bytes(), from, "eth0");
    }
    let found = findings.found();
    let seen: Vec<_> = found.iter().map(|device| (device.endpoint.as_str(), device.port)).collect();
    // Without an endpoint, the address tells them apart.
    assert_eq!(seen, [("urn:uuid:AB-1", 81), ("", 84), ("", 85)]);
    assert_eq!((found[0].name.as_str(), found[0].model.as_str()), ("Late", "Late"));
}

#[test]
fn invented_devices_do_not_fill_the_memory() {
    let mut findings = findings();
    for number in 0..MOST + 100 {
        let from = SocketAddr::from(([198, 51, 100, 7], u16::try_from(number).unwrap()));
        let (endpoint, xaddr) = (format!("urn:uuid:{number}"), format!("http://198.51.100.7/{number}"));
        findings.add(answer(&endpoint, "", &xaddr).as_bytes(), from, "eth0");
        findings.add(b"<half", from, "eth0");
    }
    assert_eq!(findings.halves.len(), MOST_HALVES);
    assert_eq!(findings.found().len(), MOST);
}

proptest! {
    #[test]
    fn any_datagram_is_borne(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0..600_usize) {
        let mut findings = findings();
        let from = "198.51.100.7:3702".parse().unwrap();
        let mut text = answer("urn:uuid:a", "onvif://www.onvif.org/name/%%4", "http://198.51.100.7/").into_bytes();
        findings.add(&bytes, from, "eth0");
        text.truncate(cut);
        text.extend_from_slice(&bytes);
        findings.add(&text, from, "eth0");
        prop_assert!(findings.found().len() <= 1);
    }
}
