//! Stream addresses as cameras give them, made fit to be opened.

use std::net::Ipv6Addr;

use url::Url;

/// The RTSP address `given` with `host` as its host; `None` where it is no RTSP address.
///
/// Cameras behind NAT, or with an address from the factory, name hosts that lead nowhere, so the host
/// is always the one that we reached the camera at; credentials then go to no other either. The port is
/// the camera's, of two (`:80:554`) the last. User and password inside, line breaks, blanks and
/// entities that were escaped twice are taken out. The rest stays as it is, some cameras mind every
/// byte.
pub fn clean(given: &str, host: &str) -> Option<String> {
    let plain: String = given.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let plain = plain.replace("&amp;", "&");
    let (scheme, rest) = plain.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "rtsp" | "rtsps") {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let behind_host = place.rsplit_once(']').map_or(place, |(_, behind)| behind);
    let port = behind_host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let port = port.filter(|port| *port != 0).map(|port| format!(":{port}")).unwrap_or_default();
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    };
    let address = format!("{scheme}://{host}{port}{path}");
    Url::parse(&address).is_ok().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_ours_and_the_port_the_cameras() {
        for (given, cleaned) in [
            ("rtsp://192.168.68.111:554/a/b?c=d#e", "rtsp://cam:554/a/b?c=d#e"),
            ("RTSP://0.0.0.0/live", "rtsp://cam/live"),
            ("rtsps://10.0.0.1:322/s", "rtsps://cam:322/s"),
            // A doubled port, and one that is none.
            ("rtsp://10.0.0.1:80:554/11", "rtsp://cam:554/11"),
            ("rtsp://10.0.0.1:x/11", "rtsp://cam/11"),
            ("rtsp://[fe80::1]:8554/x", "rtsp://cam:8554/x"),
            ("rtsp://[fe80::1]/x", "rtsp://cam/x"),
            ("rtsp://:554", "rtsp://cam:554"),
        ] {
            assert_eq!(clean(given, "cam").as_deref(), Some(cleaned), "{given}");
        }
        assert_eq!(clean("rtsp://h:1/x", "fe80::2").as_deref(), Some("rtsp://[fe80::2]:1/x"));
    }

    #[test]
    fn what_does_not_belong_there_goes() {
        for (given, cleaned) in [
            ("rtsp://admin:p@ss@10.0.0.1:554/x", "rtsp://cam:554/x"),
            ("rtsp://10.0.0.1/\r\n  x?a=1&amp;b=2\u{1}", "rtsp://cam/x?a=1&b=2"),
            // Bytes that others would encode.
            ("rtsp://h/{a}|b@c:1?q=[1]", "rtsp://cam/{a}|b@c:1?q=[1]"),
        ] {
            assert_eq!(clean(given, "cam").as_deref(), Some(cleaned), "{given}");
        }
    }

    #[test]
    fn what_is_no_rtsp_address_is_none() {
        for given in ["", "10.0.0.1/x", "http://h/x", "rtsp:/h/x", "file:///etc/passwd"] {
            assert_eq!(clean(given, "cam"), None, "{given}");
        }
        assert_eq!(clean("rtsp://h/x", "no host"), None);
    }
}
