//! What an administrator has set of a box, in one file that outlasts updates: its name, time, network
//! and SSH keys.
//!
//! A part that makes no sense is left at its default, and the file set aside, so that a bad list of
//! NTP servers does not cost the box its address. Parts that are not known are left out: a slot that is
//! rolled back to may be older than the file. It holds Wi-Fi passphrases: only root may read it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::order::Link;
use super::root::Root;
use super::{check, ssh};
use crate::base::{Error, Result};

const FILE: &str = "/data/system/settings.json";
const ASIDE: &str = "/data/system/settings.json.bad";

/// See the module. All of it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Host name; `None` is the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Empty: those that the image comes with, and those of DHCP.
    pub ntp: Vec<String>,
    /// By interface. One that is not named here has what the image says, see [`super::render::network`].
    pub links: BTreeMap<String, Link>,
    /// Lines of authorized_keys; SSH is on if there are any.
    pub keys: Vec<String>,
}

impl Settings {
    /// What the file says as far as it makes sense; defaults where there is none.
    pub fn load(root: &Root) -> Self {
        let text = match root.read(FILE) {
            Ok(Some(text)) => text,
            Ok(None) => return Self::default(),
            Err(error) => {
                tracing::error!("the settings are at their defaults: {error}");
                return Self::default();
            }
        };
        let (settings, faults) = Self::parse(&text);
        if !faults.is_empty() {
            for fault in &faults {
                tracing::error!("{FILE}: {fault}; it is at its default, the file is set aside as {ASIDE}");
            }
            // What is sound takes its place, so that this is told once.
            if let Err(error) = root.keep(ASIDE, &text, 0o600).and_then(|()| settings.save(root)) {
                tracing::error!("the settings could not be set aside: {error}");
            }
        }
        settings
    }

    /// Keeps these for good.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn save(&self, root: &Root) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::internal(format!("the settings cannot be written: {error}")))?;
        root.folder("/data/system", 0o700)?;
        root.keep(FILE, &(text + "\n"), 0o600)
    }

    /// The settings, and what of `text` was wrong. No fault quotes a value.
    fn parse(text: &str) -> (Self, Vec<String>) {
        let mut parts: Map<String, Value> = match serde_json::from_str(text) {
            Ok(parts) => parts,
            Err(error) => {
                let place = format!("not a JSON object (line {}, column {})", error.line(), error.column());
                return (Self::default(), vec![place]);
            }
        };
        let mut faults = Vec::new();
        let mut part = |name: &str| (name.to_owned(), parts.remove(name));
        let (name, zone, ntp) = (part("name"), part("zone"), part("ntp"));
        let (links, keys) = (part("links"), part("keys"));
        let name = read(name, &mut faults, |name: &Option<String>| {
            name.as_ref().map_or(Ok(()), |name| check::label("name", name))
        });
        let zone = read(zone, &mut faults, |zone: &Option<String>| {
            zone.as_ref().map_or(Ok(()), |zone| check::zone("zone", zone))
        });
        let ntp = read(ntp, &mut faults, |ntp: &Vec<String>| check::servers("ntp", ntp));
        let keys = read(keys, &mut faults, |keys: &Vec<String>| ssh::check(keys).map(|_| ()));
        let raw: BTreeMap<String, Value> = read(links, &mut faults, |_| Ok(()));
        let mut links = BTreeMap::new();
        for (interface, link) in raw {
            if check::interface("links", &interface).is_err() {
                faults.push("links: the name of an interface makes no sense".to_owned());
                continue;
            }
            let (before, what) = (faults.len(), format!("links.{interface}"));
            let link = read((what, Some(link)), &mut faults, |link: &Option<Link>| {
                link.as_ref().map_or(Ok(()), check::link)
            });
            if let Some(link) = link.filter(|_| faults.len() == before) {
                links.insert(interface, link);
            }
        }
        (Self { name, zone, ntp, links, keys }, faults)
    }
}

/// One part of the file; its default where it is missing, or wrong, which is told in `faults`.
fn read<T: DeserializeOwned + Default>(
    (name, value): (String, Option<Value>),
    faults: &mut Vec<String>,
    check: impl Fn(&T) -> Result<()>,
) -> T {
    let Some(value) = value else { return T::default() };
    // serde's texts quote what they found, which may be a passphrase.
    let read = serde_json::from_value::<T>(value).map_err(|_| "does not have the right shape".to_owned());
    match read.and_then(|read| check(&read).map(|()| read).map_err(|error| error.to_string())) {
        Ok(read) => read,
        Err(fault) => {
            faults.push(format!("{name}: {fault}"));
            T::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::{Method, Passphrase};
    use super::super::root::rehearsal::Rehearsal;
    use super::*;

    fn full() -> Settings {
        let address = "192.168.1.5".parse().unwrap();
        let fixed = Method::Static { address, prefix: 24, gateway: None, dns: Vec::new() };
        let wifi = Link {
            method: Method::Dhcp,
            ssid: Some("Büro".into()),
            psk: Some(Passphrase::new("hunter2hunter2")),
        };
        Settings {
            name: Some("gate-7".into()),
            zone: Some("Europe/Berlin".into()),
            ntp: vec!["192.0.2.1".into()],
            links: [("eth0".into(), Link { method: fixed, ssid: None, psk: None }), ("wlan0".into(), wifi)]
                .into(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let it = Rehearsal::new();
        assert_eq!(Settings::load(&it.root), Settings::default());
        full().save(&it.root).unwrap();
        assert_eq!(Settings::load(&it.root), full());
        assert_eq!((it.mode(FILE), it.mode("/data/system")), (0o600, 0o700));
        assert!(!format!("{:?}", full()).contains("hunter2"));
    }

    #[test]
    fn a_bad_part_costs_only_itself() {
        let it = Rehearsal::new();
        full().save(&it.root).unwrap();
        let text = it.text(FILE).replace("192.0.2.1", "no server").replace("hunter2hunter2", "hunter");
        it.file(FILE, &text);
        let loaded = Settings::load(&it.root);
        assert_eq!((loaded.name, loaded.zone), (full().name, full().zone));
        assert!(loaded.ntp.is_empty());
        assert_eq!(loaded.links.keys().collect::<Vec<_>>(), ["eth0"]);
        assert_eq!((it.text(ASIDE), it.mode(ASIDE)), (text.clone(), 0o600));
        assert!(Settings::parse(&it.text(FILE)).1.is_empty());
        let (_, faults) = Settings::parse(&text);
        assert!(faults.len() == 2 && !faults.join(" ").contains("hunter"), "{faults:?}");
    }

    #[test]
    fn a_file_of_another_time_or_of_nonsense_is_survived() {
        let (settings, faults) = Settings::parse(r#"{"name": "a", "of": "later"}"#);
        assert_eq!((settings.name.as_deref(), faults.len()), (Some("a"), 0));
        for text in ["", "[]", "{", "\0\0\0", r#"{"name": 1"#] {
            let (settings, faults) = Settings::parse(text);
            assert_eq!((settings, faults.len()), (Settings::default(), 1), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>(), at in 0_usize..400, with in any::<char>()) {
            Settings::parse(&text);
            let mut text = serde_json::to_string(&full()).unwrap();
            if let Some((start, old)) = text.char_indices().nth(at) {
                text.replace_range(start..start + old.len_utf8(), &with.to_string());
            }
            let (settings, _) = Settings::parse(&text);
            prop_assert_eq!(Settings::parse(&serde_json::to_string(&settings).unwrap()).1, Vec::<String>::new());
        }
    }
}
