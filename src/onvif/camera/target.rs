//! Where requests go. Cameras name their services by addresses that often lead nowhere, or elsewhere:
//! behind NAT, `0.0.0.0`, the address of the factory. So the host is always the one that we were told,
//! and credentials never reach another.

use url::{Host, Url};

use crate::base::spec::{OnvifSpec, Trust};

/// A port and a path with its query, on the camera's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub port: u16,
    pub path: String,
}

impl Target {
    pub fn new(at: &OnvifSpec, path: &str) -> Self {
        let slash = if path.starts_with('/') { "" } else { "/" };
        Self { port: at.port, path: format!("{slash}{path}") }
    }

    /// What of this address (several, separated by blanks, are possible) is believed: its path, and its
    /// port where it names our host by our scheme.
    pub fn of(addresses: &str, at: &OnvifSpec) -> Option<Self> {
        let urls: Vec<Url> = addresses.split_whitespace().filter_map(|text| Url::parse(text).ok()).collect();
        let url = urls.iter().find(|url| is_ours(url, at)).or(urls.first());
        let Some(url) = url else {
            return addresses.trim().starts_with('/').then(|| Self::new(at, addresses.trim()));
        };
        let port = url.port_or_known_default().filter(|_| is_ours(url, at)).unwrap_or(at.port);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(Self { port, path: format!("{}{query}", url.path()) })
    }
}

fn is_ours(url: &Url, at: &OnvifSpec) -> bool {
    let scheme = if at.trust == Trust::Plain { "http" } else { "https" };
    let host = match url.host() {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(name)) => name.to_owned(),
        None => return false,
    };
    url.scheme() == scheme && host.eq_ignore_ascii_case(&at.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, trust: Trust) -> OnvifSpec {
        let path = "/onvif/device_service".into();
        OnvifSpec { host: host.into(), port: 8000, path, trust, main: None, sub: None }
    }

    #[test]
    fn the_host_is_never_taken_over() {
        let plain = at("192.0.2.7", Trust::Plain);
        let target = |text: &str, at: &OnvifSpec| Target::of(text, at).map(|to| (to.port, to.path));
        let found = |port, path: &str| Some((port, path.to_owned()));
        assert_eq!(target("http://203.0.113.9:81/onvif/ptz", &plain), found(8000, "/onvif/ptz"));
        assert_eq!(target("http://0.0.0.0:8080/a?b=c", &plain), found(8000, "/a?b=c"));
        assert_eq!(target("http://192.0.2.7/media", &plain), found(80, "/media"));
        assert_eq!(target(" http://192.0.2.7:8081/media\n", &plain), found(8081, "/media"));
        assert_eq!(target("http://203.0.113.9/x http://192.0.2.7:9/y", &plain), found(9, "/y"));
        assert_eq!(target("/onvif/events", &plain), found(8000, "/onvif/events"));
        assert_eq!(target("", &plain), None);
        assert_eq!(target("onvif", &plain), None);
    }

    #[test]
    fn the_scheme_stays_ours() {
        // A camera behind HTTPS that still speaks of itself by HTTP: port 80 would be plain text.
        let secured = at("camera.example", Trust::Any);
        assert_eq!(Target::of("http://camera.example:80/m", &secured).unwrap().port, 8000);
        assert_eq!(Target::of("https://Camera.Example/m", &secured).unwrap().port, 443);
        let six = at("2001:db8::5", Trust::Plain);
        assert_eq!(Target::of("http://[2001:DB8::5]:8899/m", &six).unwrap().port, 8899);
    }
}
