//! What names, addresses and keys from outside must look like. The daemon checks with these before it
//! asks, and the helper before it believes.

use std::net::IpAddr;

use super::order::{Link, Method, Passphrase};
use crate::base::{Error, Result};

/// Most NTP servers, and most name servers of one interface.
pub const MAX_SERVERS: usize = 8;
pub const MAX_DNS: usize = 4;

fn bad(parameter: &str, what: &str) -> Error {
    Error::bad_input(format!("parameter {parameter} {what}"))
}

/// A host name of one label (RFC 1123): letters, digits and inner dashes.
///
/// # Errors
/// `BadInput`
pub fn label(parameter: &str, name: &str) -> Result<()> {
    let dash = name.starts_with('-') || name.ends_with('-');
    if name.is_empty() || name.len() > 63 || dash || !name.bytes().all(is_label) {
        return Err(bad(parameter, "is not a host name: 1 to 63 letters, digits and inner dashes"));
    }
    Ok(())
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// A server by its name or address.
///
/// # Errors
/// `BadInput`
pub fn servers(parameter: &str, names: &[String]) -> Result<()> {
    if names.len() > MAX_SERVERS {
        return Err(bad(parameter, &format!("names more than {MAX_SERVERS} servers")));
    }
    for name in names {
        let labels = name.len() <= 253 && name.split('.').all(|part| label(parameter, part).is_ok());
        if !labels && name.parse::<IpAddr>().is_err() {
            return Err(bad(parameter, &format!("holds {name:.64?}, which is no host name and no address")));
        }
    }
    Ok(())
}

/// The shape of a time zone's name; whether there is such a zone is for the helper to see.
///
/// # Errors
/// `BadInput`
pub fn zone(parameter: &str, name: &str) -> Result<()> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'))
    };
    if name.len() > 64 || !name.split('/').all(part) {
        return Err(bad(parameter, "is not a time zone like Europe/Berlin"));
    }
    Ok(())
}

/// The name of a network interface. It becomes part of file and unit names.
///
/// # Errors
/// `BadInput`
pub fn interface(parameter: &str, name: &str) -> Result<()> {
    let all = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    if name.is_empty() || name.len() > 15 || name.starts_with('.') || !all {
        return Err(bad(parameter, "is not the name of an interface"));
    }
    Ok(())
}

/// What was asked of one interface. Texts name the parameters of SetNetwork.
///
/// # Errors
/// `BadInput`
pub fn link(link: &Link) -> Result<()> {
    if let Method::Static { address, prefix, gateway, dns } = &link.method {
        host(*address, *prefix)?;
        if let Some(gateway) = gateway {
            reachable(*gateway, *address, *prefix)?;
        }
        if dns.len() > MAX_DNS {
            return Err(bad("dns", &format!("names more than {MAX_DNS} servers")));
        }
        if dns.iter().any(|server| !is_host(*server)) {
            return Err(bad("dns", "holds an address that no server can have"));
        }
    }
    match (&link.ssid, &link.psk) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(bad("psk", "needs ssid")),
        (Some(ssid), _) if ssid.is_empty() || ssid.len() > 32 => {
            Err(bad("ssid", "is not 1 to 32 bytes long"))
        }
        (Some(_), psk) => psk.as_ref().map_or(Ok(()), passphrase),
    }
}

/// IEEE 802.11: 8 to 63 printable ASCII characters.
fn passphrase(psk: &Passphrase) -> Result<()> {
    let text = psk.expose();
    if !(8..=63).contains(&text.len()) || !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(bad("psk", "is not 8 to 63 printable ASCII characters"));
    }
    Ok(())
}

/// Whether a machine on a network may have this address.
fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => (1..224).contains(&v4.octets()[0]) && !v4.is_loopback(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_loopback() && !v6.is_multicast(),
    }
}

/// The address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

/// The part of `address` behind its prefix, and how long that is.
fn own_part(address: IpAddr, prefix: u8) -> (u128, u8) {
    let (number, width) = bits(address);
    let rest = width.saturating_sub(prefix);
    (if rest >= 128 { number } else { number & ((1 << rest) - 1) }, rest)
}

fn host(address: IpAddr, prefix: u8) -> Result<()> {
    let (_, width) = bits(address);
    if prefix == 0 || prefix > width {
        return Err(bad(
            "address",
            &format!("needs the length of its network, 1 to {width}, behind a slash"),
        ));
    }
    if !is_host(address) {
        return Err(bad("address", "is no address that a machine can have"));
    }
    let (own, rest) = own_part(address, prefix);
    if address.is_ipv4() && rest >= 2 && (own == 0 || own == (1 << rest) - 1) {
        return Err(bad("address", "is the network's own or its broadcast address"));
    }
    Ok(())
}

fn reachable(gateway: IpAddr, address: IpAddr, prefix: u8) -> Result<()> {
    let link_local = matches!(gateway, IpAddr::V6(v6) if v6.is_unicast_link_local());
    if gateway.is_ipv4() != address.is_ipv4() || !is_host(gateway) || gateway == address {
        return Err(bad("gateway", "is no other machine's address of the same kind"));
    }
    let network = |of: IpAddr| bits(of).0 ^ own_part(of, prefix).0;
    if network(gateway) != network(address) && !link_local {
        return Err(bad("gateway", "is not in the network of address"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fixed(address: &str, prefix: u8, gateway: Option<&str>) -> Result<()> {
        let (address, gateway) = (address.parse().unwrap(), gateway.map(|text| text.parse().unwrap()));
        let method = Method::Static { address, prefix, gateway, dns: Vec::new() };
        link(&Link { method, ssid: None, psk: None })
    }

    #[test]
    fn names() {
        for good in ["a", "h5edge-0a1b2c", "Gate7"] {
            label("name", good).unwrap();
        }
        for bad in ["", "-a", "a-", "a.b", "a b", "ä", &"x".repeat(64)] {
            assert!(label("name", bad).is_err(), "{bad}");
        }
        for good in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1", "GMT0"] {
            zone("zone", good).unwrap();
        }
        for bad in
            ["", "/etc/passwd", "../UTC", "Europe/", "Europe//Berlin", "a/./b", "Europe/Ber lin", "a\n"]
        {
            assert!(zone("zone", bad).is_err(), "{bad}");
        }
        for bad in ["", "..", "a/b", "eth0 ", "eth0\nx", "abcdefghijklmnop", "a%i"] {
            assert!(interface("interface", bad).is_err(), "{bad}");
        }
        servers("ntp", &["pool.ntp.org".into(), "192.0.2.1".into(), "2001:db8::1".into()]).unwrap();
        for bad in ["", "a b", "a,b", "x..y", "ntp\nFallbackNTP=x"] {
            assert!(servers("ntp", &[bad.into()]).is_err(), "{bad}");
        }
        assert!(servers("ntp", &vec!["a".to_owned(); 9]).is_err());
    }

    #[test]
    fn addresses_are_ones_that_work() {
        for (address, prefix, gateway) in [
            ("192.168.1.5", 24, Some("192.168.1.1")),
            ("10.0.0.0", 31, Some("10.0.0.1")),
            ("169.254.7.7", 16, None),
            ("192.0.2.9", 32, None),
            ("2001:db8::5", 64, Some("fe80::1")),
            ("2001:db8::5", 64, Some("2001:db8::1")),
        ] {
            fixed(address, prefix, gateway).unwrap_or_else(|error| panic!("{address}: {error}"));
        }
        for (address, prefix, gateway, parameter) in [
            ("192.168.1.5", 0, None, "address"),
            ("192.168.1.5", 33, None, "address"),
            ("192.168.1.0", 24, None, "address"),
            ("192.168.1.255", 24, None, "address"),
            ("127.0.0.1", 8, None, "address"),
            ("0.0.0.0", 8, None, "address"),
            ("240.0.0.1", 8, None, "address"),
            ("ff02::1", 64, None, "address"),
            ("192.168.1.5", 24, Some("192.168.2.1"), "gateway"),
            ("192.168.1.5", 24, Some("192.168.1.5"), "gateway"),
            ("192.168.1.5", 24, Some("fe80::1"), "gateway"),
        ] {
            let error = fixed(address, prefix, gateway).unwrap_err().to_string();
            assert!(error.starts_with(&format!("parameter {parameter} ")), "{address}/{prefix}: {error}");
        }
    }

    #[test]
    fn wireless_names_and_passphrases() {
        let ask = |ssid: Option<&str>, psk: Option<&str>| {
            let (ssid, psk) = (ssid.map(str::to_owned), psk.map(Passphrase::new));
            link(&Link { method: Method::Dhcp, ssid, psk }).map_err(|error| error.to_string())
        };
        assert_eq!(ask(Some("Büro \"1\""), Some("a \"b\\ #c")), Ok(()));
        assert_eq!(ask(Some("open"), None), Ok(()));
        for (ssid, psk) in [
            (None, Some("12345678")),
            (Some(""), None),
            (Some("123456789012345678901234567890123"), None),
            (Some("x"), Some("1234567")),
            (Some("x"), Some("passwörter")),
            (Some("x"), Some("12345678\n}")),
        ] {
            let error = ask(ssid, psk).unwrap_err();
            assert!(!error.contains("1234567"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_address_gets_an_answer(address: IpAddr, prefix: u8, gateway: Option<IpAddr>) {
            let method = Method::Static { address, prefix, gateway, dns: vec![address] };
            let _ = link(&Link { method, ssid: None, psk: None });
        }
    }
}
