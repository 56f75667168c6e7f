//! The set-up of a device that has no user yet: `GetSetup` and `Setup`.
//!
//! Whoever comes first owns the device, so `Setup` is heard only where its asker must be at the place: from
//! an address of our own networks, and not from another site's page in a browser there. For the latter it
//! has to be a POST, as the table says (a picture's address would make a GET), its `Origin` has to be the asked host, and that
//! host an address or our name, which a name that was bent to our address (DNS rebinding) is not.

use std::path::Path;

use serde_json::json;
use url::Url;

use super::Context;
use super::calls::Answer;
use super::request::{Ask, Incoming};
use crate::base::{Error, Result};
use crate::onvif::discovery::is_on_link;
use crate::system::order::Order;
use crate::system::{VERSION, check, identity};

/// The zones that can be set.
const ZONES: &str = "/usr/share/zoneinfo";

/// `GetSetup`
pub async fn get(ask: Ask) -> Result<Answer> {
    let setup = ask.ctx.auth.setup();
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "",
        "bSetupRequired": setup.required,
        "nSecondsLeft": setup.left.as_secs(),
        "strDeviceId": identity::host_id(&ask.ctx.config.appliance),
        "strHostname": hostname(),
        "strVersion": VERSION,
        "bAppliance": ask.ctx.appliance.is_there(),
    })))
}

/// `Setup`: the first user's password, and on a box its name and zone.
pub async fn set(ask: Ask) -> Result<Answer> {
    let ctx = &ask.ctx;
    ctx.auth.may_be_claimed()?;
    check_asker(&ask.incoming)?;
    let password = ask.require("password")?;
    let (name, zone) = (given(&ask, "name"), given(&ask, "zone"));
    if !ctx.appliance.is_there() && (name.is_some() || zone.is_some()) {
        let text = "parameters name and zone are not supported: this h5edge does not run as an appliance";
        return Err(Error::unsupported(text));
    }
    name.map_or(Ok(()), |name| check::label("name", name))?;
    zone.map_or(Ok(()), |zone| check_zone(Path::new(ZONES), zone))?;
    ctx.auth.claim(password).await?;
    // Only the one who set the password gets here; what fails now can be set again by log-in.
    let mut failed = Vec::new();
    if let Some(name) = name {
        failed.extend(order(ctx, "name", Order::SetName { name: Some(name.to_owned()) }).await.err());
    }
    if let Some(zone) = zone {
        let order_zone = Order::SetTime { zone: Some(zone.to_owned()), ntp: None, at: None };
        failed.extend(order(ctx, "zone", order_zone).await.err());
    }
    let text = failed.iter().fold("Set up successfully".to_owned(), |text, error| format!("{text}; {error}"));
    Ok(Answer::done(&text))
}

async fn order(ctx: &Context, what: &str, order: Order) -> Result<()> {
    let done: Result<serde_json::Value> = ctx.appliance.ask(&order).await;
    done.map(drop).map_err(|error| {
        let error = error.context(format!("{what} was not set"));
        tracing::error!("set-up: {error}");
        error
    })
}

/// An optional parameter that says something.
fn given<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    ask.get(name).filter(|value| !value.is_empty())
}

/// This machine's own name.
pub fn hostname() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}

/// See the module.
fn check_asker(incoming: &Incoming) -> Result<()> {
    let peer = incoming.peer.ip().to_canonical();
    if !peer.is_loopback() && !is_on_link(peer)? {
        return Err(Error::refused("the device is set up from its own network, not through a router"));
    }
    let host = incoming.host.as_deref().unwrap_or_default();
    if !is_ours(host, &hostname()) {
        return Err(Error::refused("the device is set up at its address, or under its own name"));
    }
    match incoming.origin.as_deref() {
        Some(origin) if !same_host(origin, host) => {
            Err(Error::refused("the device is set up from its own page, not from another site's"))
        }
        _ => Ok(()),
    }
}

/// Whether the header `Host` names an address, this machine to itself, or `hostname` in whatever domain.
fn is_ours(host: &str, hostname: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        Some(url::Host::Domain(name)) => {
            let first = name.split('.').next().unwrap_or_default();
            name == "localhost" || (!hostname.is_empty() && first.eq_ignore_ascii_case(hostname))
        }
        None => false,
    }
}

fn same_host(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
}

/// One of those under `zones`, such as `Europe/Berlin`.
fn check_zone(zones: &Path, zone: &str) -> Result<()> {
    check::zone("zone", zone)?;
    if zones.join(zone).is_file() {
        return Ok(());
    }
    Err(Error::bad_input("parameter zone: there is no such time zone"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;
    use crate::api::params::Params;

    #[test]
    fn who_asks_must_be_at_the_place_and_on_our_page() {
        let seat = Arc::new(Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap());
        let ask = |peer: &str, host: &str, origin: Option<&str>| {
            let incoming = Incoming {
                path: "/api/v1/Setup".into(),
                params: Params::default(),
                peer: peer.parse().unwrap(),
                local: "127.0.0.1:80".parse().unwrap(),
                https: false,
                host: Some(host.into()),
                origin: origin.map(str::to_owned),
                guest: false,
                passed: false,
                seat: seat.clone(),
            };
            check_asker(&incoming).map_err(|error| error.to_string())
        };
        let loopback = "127.0.0.1:4711";
        assert_eq!(ask(loopback, "127.0.0.1", None), Ok(()));
        assert_eq!(ask("[::ffff:127.0.0.1]:1", "localhost", Some("http://localhost")), Ok(()));
        // On nobody's link: reserved (RFC 1112, 4) and to be discarded (RFC 6666).
        for peer in ["240.0.0.1:1", "[100::1]:1", "[::ffff:240.0.0.1]:1"] {
            assert!(ask(peer, "127.0.0.1", None).unwrap_err().contains("router"), "{peer}");
        }
        assert!(ask(loopback, "evil.example", None).unwrap_err().contains("address"));
        assert!(ask(loopback, "127.0.0.1", Some("http://evil.example")).unwrap_err().contains("page"));
    }

    #[test]
    fn only_our_own_names_are_ours() {
        for host in [
            "192.168.1.5",
            "192.168.1.5:8080",
            "[fe80::1]",
            "[::1]:80",
            "localhost:8080",
            "Edge",
            "edge.local:80",
        ] {
            assert!(is_ours(host, "edge"), "{host}");
        }
        for host in ["", "evil.example", "edge1.local", "notedge", "evil.example/edge", "x@y", "edge evil"] {
            assert!(!is_ours(host, "edge"), "{host}");
        }
        assert!(!is_ours("", "") && !is_ours(".local", ""));
    }

    #[test]
    fn an_origin_is_that_of_the_host() {
        assert!(same_host("http://192.168.1.5:8080", "192.168.1.5:8080"));
        assert!(same_host("https://edge.local", "edge.local"));
        for origin in
            ["null", "http://evil.example", "http://192.168.1.5", "http://192.168.1.5:8080.evil.example"]
        {
            assert!(!same_host(origin, "192.168.1.5:8080"), "{origin}");
        }
    }

    #[test]
    fn a_zone_is_one_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("Europe")).unwrap();
        for file in ["Europe/Berlin", "UTC", "secret"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        for good in ["Europe/Berlin", "UTC"] {
            assert!(check_zone(dir.path(), good).is_ok(), "{good}");
        }
        let zones = dir.path().join("Europe");
        for bad in ["", "Europe", "Nowhere/Town", "../secret", "/etc/passwd", "Berlin/", "Berlin\0"] {
            assert!(check_zone(&zones, bad).is_err(), "{bad}");
        }
    }
}
