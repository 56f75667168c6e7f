//! The calls of cloud registration: what this box is to its central here, what it is as one in [`central`].

mod central;

use std::time::Duration;

use serde_json::json;

pub use self::central::{
    add_server, claim, claims, del_server, device_sources, devices, servers, set_central, update_server,
};
use super::guest::Grant;
use super::settings::keep;
use crate::api::calls::{Answer, flag};
use crate::api::params::Params;
use crate::api::request::Ask;
use crate::api::setup::hostname;
use crate::auth::Role;
use crate::base::pin::{self, offered};
use crate::base::secret::{MASK, Secret};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::cloud::edge::{Settings, State};
use crate::system::check;

/// Whether the asker may do everything.
fn is_administrator(ask: &Ask) -> bool {
    ask.session.as_ref().is_none_or(|session| session.role == Role::Administrator)
}

/// A moment in the zone of this box.
fn shown_time(at: Wall) -> String {
    at.iso(Offset::local(at))
}

/// `GetCloudClientInfo`
pub async fn client_info(ask: Ask) -> Result<Answer> {
    let cloud = &ask.ctx.cloud;
    let (settings, state) = (cloud.edge.settings(), cloud.edge.state());
    let (word, text) = words(&settings, &state);
    let mut answer = json!({
        "bEnable": settings.enabled,
        "strServerName": settings.name,
        "strCloudIp": settings.host,
        "strCloudPort": settings.port.to_string(),
        "bSSL": settings.tls,
        "strUser": settings.user,
        "bOnline": matches!(state, State::Online { .. }),
        "strServerToken": settings.token,
        "strPasswd": if settings.password.is_empty() { "" } else { MASK },
        "nKeepaliveTime": settings.keepalive.as_secs(),
        "bEdgeTranscoding": false,
        "strState": word,
        "strStateText": text,
        "strOnlineSince": "",
        "strDeviceKey": cloud.edge.key.public(),
        "strPin": settings.pin.clone().unwrap_or_default(),
        "strPinOffered": offered(&text),
        "strGrant": cloud.guests.grant().as_str(),
    });
    match state {
        State::Unclaimed { code } if is_administrator(&ask) => answer["strClaimCode"] = code.into(),
        State::Online { since, token, name } => {
            answer["strServerToken"] = token.into();
            answer["strNameAtCentral"] = name.into();
            answer["strOnlineSince"] = shown_time(since).into();
        }
        _ => {}
    }
    Ok(Answer::Json(answer))
}

/// How it stands with the central, for programs and for people.
fn words(settings: &Settings, state: &State) -> (&'static str, String) {
    let Settings { host, port, .. } = settings;
    match state {
        State::Off => ("off", "this box connects to no central".to_owned()),
        State::Connecting => ("connecting", format!("connecting to {host}, port {port}")),
        State::Unclaimed { .. } => {
            ("unclaimed", "the claim code of this box has to be typed at the central".to_owned())
        }
        State::Online { token, .. } => ("online", format!("connected as {token}")),
        State::Offline { text, .. } => ("offline", text.clone()),
    }
}

/// `SetCloudInfo`
pub async fn set_client(ask: Ask) -> Result<Answer> {
    let cloud = &ask.ctx.cloud;
    let _changing = cloud.changing.lock().await;
    let before = cloud.guests.grant();
    let settings = changed(&cloud.edge.settings(), &ask.incoming.params)?;
    let grant = ask.get("grant").and_then(Grant::parse).unwrap_or(before);
    keep(&ask.ctx.store, &settings, grant).await?;
    if grant != before {
        cloud.guests.set_grant(grant);
    }
    cloud.edge.set(settings);
    Ok(Answer::done("Set successfully"))
}

/// `before` with what `params` say.
fn changed(before: &Settings, params: &Params) -> Result<Settings> {
    let mut after = before.clone();
    let on = |name: &str| params.get(name).and_then(flag);
    let number = |name: &str| params.get(name).and_then(|text| text.parse::<u16>().ok());
    after.enabled = on("enable").unwrap_or(before.enabled);
    after.tls = on("ssl").unwrap_or(before.tls);
    after.port = number("cloudport").unwrap_or(before.port);
    if let Some(host) = params.get("cloudip") {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
        check::servers("cloudip", std::slice::from_ref(&bare))?;
        after.host = bare;
    }
    if after.enabled && after.host.is_empty() {
        return Err(Error::bad_input("parameter cloudip is missing: the address of the central"));
    }
    if let Some(name) = params.given("servername") {
        after.name = if name.is_empty() { hostname() } else { name.to_owned() };
    }
    if let Some(token) = params.get("servertoken") {
        token.clone_into(&mut after.token);
    }
    let place = |settings: &Settings| (settings.host.clone(), settings.port, settings.tls);
    if place(&after) != place(before) {
        // Both were meant for whoever was there.
        (after.pin, after.password) = (None, Secret::default());
    }
    if let Some(user) = params.given("user").filter(|user| *user != before.user) {
        (after.user, after.password) = (user.to_owned(), Secret::default());
    }
    if let Some(password) = params.given("password") {
        after.password = Secret::new(password);
    }
    if let Some(pin) = params.given("pin") {
        after.pin = pinned(pin)?;
    }
    if after.pin.is_some() && !after.tls {
        return Err(Error::bad_input("parameter pin needs ssl=true"));
    }
    if let Some(seconds) = number("keepalivetime") {
        after.keepalive = Duration::from_secs(seconds.into());
    }
    Ok(after)
}

fn pinned(text: &str) -> Result<Option<String>> {
    let unfit = || Error::bad_input("parameter pin is not the SHA-256 of a certificate: 64 hex digits");
    if text.is_empty() { Ok(None) } else { pin::read(text).ok_or_else(unfit).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;

    fn settings() -> Settings {
        Settings {
            enabled: true,
            name: "Shop".into(),
            token: "site1".into(),
            host: "central.example".into(),
            port: 8443,
            tls: true,
            pin: Some("a".repeat(64)),
            user: "eve".into(),
            password: Secret::new("hunter2"),
            keepalive: Duration::from_secs(3),
        }
    }

    fn set(query: &str) -> Result<Settings> {
        changed(&settings(), &Params::parse(query, Encoding::Query).unwrap())
    }

    #[test]
    fn only_what_is_given_is_changed() {
        assert_eq!(set("").unwrap(), settings());
        assert_eq!(set("enable=false").unwrap(), Settings { enabled: false, ..settings() });
        let token = Settings { token: "site2".into(), name: "Gate".into(), ..settings() };
        assert_eq!(set("servertoken=site2&servername=Gate").unwrap(), token);
        assert_eq!(set("servername=").unwrap().name, hostname());
        assert_eq!(set("keepalivetime=20").unwrap().keepalive, Duration::from_secs(20));
        let pin = format!("pin={}", "AB:".repeat(32).trim_end_matches(':'));
        assert_eq!(set(&pin).unwrap().pin, Some("ab".repeat(32)));
        assert_eq!(set("pin=").unwrap().pin, None);
        assert_eq!(set("cloudip=[2001:db8::1]").unwrap().host, "2001:db8::1");
    }

    #[test]
    fn another_central_gets_neither_the_password_nor_the_trust() {
        for query in ["cloudip=other.example", "cloudport=8080", "ssl=false"] {
            let after = set(query).unwrap();
            assert!(after.password.is_empty() && after.pin.is_none(), "{query}");
        }
        let after = set("cloudip=other.example&password=x").unwrap();
        assert_eq!(after.password, Secret::new("x"));
        assert!(set("user=ivan").unwrap().password.is_empty());
        assert_eq!(set("user=eve").unwrap().password, Secret::new("hunter2"));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (query, text) in [
            ("cloudip=a b", "parameter cloudip holds \"a b\", which is no host name and no address"),
            ("cloudip=http://h/", "parameter cloudip holds \"http://h/\""),
            ("pin=12", "parameter pin is not the SHA-256 of a certificate"),
            (&format!("ssl=false&pin={}", "0".repeat(64)), "parameter pin needs ssl=true"),
        ] {
            let error = set(query).unwrap_err().to_string();
            assert!(error.starts_with(text), "{query}: {error}");
        }
        let bare = Settings { host: String::new(), enabled: false, ..settings() };
        let error = changed(&bare, &Params::parse("enable=true", Encoding::Query).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("parameter cloudip is missing"));
    }
}
