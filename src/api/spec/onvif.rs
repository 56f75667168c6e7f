//! Where an ONVIF camera is, from the parameters of AddSrcONVIF and OnvifProbe.

use std::net::Ipv6Addr;

use url::Host;

use crate::api::calls::flag;
use crate::api::params::Params;
use crate::base::pin;
use crate::base::secret::Secret;
use crate::base::spec::{OnvifSpec, SourceKind, SourceSpec, Trust};
use crate::base::{Error, Result};
use crate::onvif::Address;

/// Where most cameras have their device service.
pub const DEVICE_SERVICE: &str = "/onvif/device_service";

/// The source that AddSrcONVIF describes.
///
/// # Errors
/// `BadInput` naming the parameter.
pub fn onvif(params: &Params) -> Result<SourceSpec> {
    let Address { at, user, password } = camera(params)?;
    let mut spec = super::common(params, SourceKind::Onvif, String::new());
    spec.user = user;
    spec.password = password;
    spec.onvif = Some(OnvifSpec {
        main: params.get("main").map(str::to_owned),
        sub: params.get("sub").map(str::to_owned),
        ..at
    });
    Ok(spec)
}

/// The camera that AddSrcONVIF and OnvifProbe name.
///
/// # Errors
/// `BadInput` naming the parameter.
pub fn camera(params: &Params) -> Result<Address> {
    let at = OnvifSpec {
        host: host(params.require("ip")?)?,
        port: port(params.require("port")?)?,
        path: path(params.get("onvifaddr").unwrap_or(DEVICE_SERVICE))?,
        trust: trust(params)?,
        main: None,
        sub: None,
    };
    let user = params.get("user").unwrap_or_default().to_owned();
    let password = params.get("password").map(Secret::new).unwrap_or_default();
    Ok(Address { at, user, password })
}

/// `at`, changed as `params` say; what they do not name stays. An empty profile is one that is chosen again.
///
/// # Errors
/// `BadInput` naming the parameter.
pub fn moved(at: &OnvifSpec, params: &Params) -> Result<OnvifSpec> {
    let profile = |name: &str, old: &Option<String>| match params.given(name) {
        Some(token) => Some(token.to_owned()).filter(|token| !token.is_empty()),
        None => old.clone(),
    };
    let changed = |name: &str, old: &str| params.get(name).unwrap_or(old).to_owned();
    Ok(OnvifSpec {
        host: host(&changed("ip", &at.host))?,
        port: params.get("port").map_or(Ok(at.port), port)?,
        path: path(&changed("onvifaddr", &at.path))?,
        trust: match params.get("https").or(params.get("pin")) {
            Some(_) => trust(params)?,
            None => at.trust.clone(),
        },
        main: profile("main", &at.main),
        sub: profile("sub", &at.sub),
    })
}

fn port(text: &str) -> Result<u16> {
    let number = text.parse().ok().filter(|&port| port > 0);
    number.ok_or_else(|| Error::bad_input("parameter port is not a whole number from 1 to 65535"))
}

/// An address or a name, an IPv6 address without brackets.
fn host(text: &str) -> Result<String> {
    let bad = || Error::bad_input("parameter ip is neither an address nor the name of a host");
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    // A link-local address needs its interface behind a per cent sign, which no URL knows.
    let address = plain.split_once('%').map_or(plain, |(address, _)| address);
    if address.parse::<Ipv6Addr>().is_ok() {
        return Ok(plain.to_owned());
    }
    match Host::parse(plain).map_err(|_| bad())? {
        Host::Ipv4(address) => Ok(address.to_string()),
        Host::Domain(name) if !name.is_empty() => Ok(name),
        Host::Domain(_) | Host::Ipv6(_) => Err(bad()),
    }
}

fn path(text: &str) -> Result<String> {
    match text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(Error::bad_input("parameter onvifaddr is not a path that starts with /")),
    }
}

fn trust(params: &Params) -> Result<Trust> {
    let https = params.get("https").and_then(flag).unwrap_or_default();
    match (https, params.get("pin")) {
        (false, None) => Ok(Trust::Plain),
        (false, Some(_)) => Err(Error::bad_input("parameter pin needs https=true")),
        (true, None) => Ok(Trust::FirstUse),
        (true, Some("any")) => Ok(Trust::Any),
        (true, Some(text)) => pin::read(text)
            .map(Trust::Pinned)
            .ok_or_else(|| Error::bad_input("parameter pin is neither 64 hex digits nor any")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;

    fn source(rest: &str) -> Result<SourceSpec> {
        let text = format!("name=name1&token=token1&{rest}");
        onvif(&Params::parse(&text, Encoding::Query).unwrap())
    }

    fn at(rest: &str) -> Result<OnvifSpec> {
        source(rest).map(|spec| spec.onvif.unwrap())
    }

    #[test]
    fn the_manuals_sample() {
        let spec = source(
            "user=admin&password=12345&ip=192.168.0.1&port=80&onvifaddr=/onvif/device_service\
             &main=Profile_1&sub=Profile_2",
        )
        .unwrap();
        assert_eq!((spec.kind, spec.url.as_str(), spec.user.as_str()), (SourceKind::Onvif, "", "admin"));
        assert_eq!(spec.password.expose(), "12345");
        let expected = OnvifSpec {
            host: "192.168.0.1".into(),
            port: 80,
            path: DEVICE_SERVICE.into(),
            trust: Trust::Plain,
            main: Some("Profile_1".into()),
            sub: Some("Profile_2".into()),
        };
        assert_eq!(spec.onvif, Some(expected));
    }

    #[test]
    fn hosts_in_all_forms() {
        for (ip, host) in [
            ("192.168.0.1", "192.168.0.1"),
            ("Cam-1.Example", "cam-1.example"),
            ("[fe80::1%25eth0]", "fe80::1%eth0"),
            ("2001:db8::2", "2001:db8::2"),
        ] {
            assert_eq!(at(&format!("ip={ip}&port=80")).unwrap().host, host);
        }
    }

    #[test]
    fn whose_certificate_is_believed() {
        let pin = "0A".repeat(32);
        let trust = |rest: &str| at(&format!("ip=h&port=443&{rest}")).unwrap().trust;
        assert_eq!(trust("https=false"), Trust::Plain);
        assert_eq!(trust("https=true"), Trust::FirstUse);
        assert_eq!(trust("https=1&pin=any"), Trust::Any);
        assert_eq!(trust(&format!("https=true&pin={pin}")), Trust::Pinned(pin.to_lowercase()));
    }

    #[test]
    fn faults_name_the_parameter() {
        let host = "parameter ip is neither an address nor the name of a host";
        for (rest, text) in [
            ("port=80", "parameter ip is missing"),
            ("ip=h", "parameter port is missing"),
            ("ip=h&port=0", "parameter port is not a whole number from 1 to 65535"),
            ("ip=h&port=65536", "parameter port is not a whole number from 1 to 65535"),
            ("ip=http://h/&port=80", host),
            ("ip=a b&port=80", host),
            ("ip=user@h&port=80", host),
            ("ip=[::1&port=80", host),
            ("ip=1.2.3&port=80&onvifaddr=onvif", "parameter onvifaddr is not a path that starts with /"),
            ("ip=h&port=80&onvifaddr=/a b", "parameter onvifaddr is not a path that starts with /"),
            ("ip=h&port=80&pin=any", "parameter pin needs https=true"),
            ("ip=h&port=80&https=true&pin=12", "parameter pin is neither 64 hex digits nor any"),
        ] {
            assert_eq!(source(rest).unwrap_err().to_string(), text, "{rest}");
        }
    }
}
