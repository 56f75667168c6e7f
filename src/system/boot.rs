//! `h5edge boot`: who this box is, and its settings rendered into `/run`, before its network starts.
//!
//! It runs once at each start, before anything that listens, and never stops it: a part that fails is
//! told in the log, and the rest goes on. What takes longest, the boot loader's memory, comes last. Wi-Fi and
//! SSH are started by their units, which look for the files made here.

use super::machine::Identity;
use super::render::{names, network, time};
use super::root::Root;
use super::settings::Settings;
use super::ssh;
use crate::base::Result;

/// See the module.
pub fn boot(root: &Root) {
    let settings = Settings::load(root);
    part("network", network::render(root, &settings.links));
    part("time zone", time::render_zone(root, &settings));
    part("NTP servers", time::render_servers(root, &settings));
    part("SSH keys", ssh::render(root, &settings));
    let identity = Identity::read(root);
    if let Ok(identity) = &identity {
        let name = identity.name(&settings);
        part("device id", identity.publish(root));
        part("host name", root.set_hostname(&name));
        part("services", names::render(root, identity, &name));
    }
    part("identity", identity.and_then(|identity| identity.remember(root)));
}

fn part(what: &str, done: Result<()>) {
    if let Err(error) = done {
        tracing::error!("{what}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::root::rehearsal::Rehearsal;
    use super::*;

    #[test]
    fn a_fresh_box() {
        let it = Rehearsal::new();
        it.programs();
        boot(&it.root);
        let id = it.text("/run/h5edge-system/device-id");
        let name = it.text("/run/h5edge-system/hostname");
        assert_eq!(name.trim(), format!("h5edge-{}", &id.trim()[30..]));
        assert!(!it.root.has("/run/systemd/network"), "the image has a default");
        assert_eq!(it.root.list("/run/systemd/dnssd"), ["h5edge-http.dnssd", "h5edge-https.dnssd"]);
        assert!(!it.root.has("/run/h5edge-system/ssh/root/authorized_keys"));
        assert_eq!(it.ran().len(), 2, "the machine id, in both copies of the boot loader's environment");
    }

    #[test]
    fn a_box_with_settings() {
        let it = Rehearsal::new();
        it.programs();
        let settings = r#"{"name": "gate", "zone": "Europe/Berlin", "ntp": ["192.0.2.1"], "keys": [KEY],
            "links": {"wlan0": {"method": {"method": "dhcp"}, "ssid": "x"}}}"#;
        let settings = settings.replace("KEY", &format!("{:?}", ssh::tests::ED25519));
        it.file("/data/system/settings.json", &settings);
        boot(&it.root);
        assert_eq!(it.text("/run/h5edge-system/hostname"), "gate\n");
        assert!(it.text("/run/h5edge-system/ssh/root/authorized_keys").starts_with("ssh-ed25519 "));
        assert_eq!(it.root.list("/run/systemd/network"), ["10-h5edge-wlan0.network"]);
        assert!(it.root.has("/run/h5edge-system/wpa_supplicant-wlan0.conf"));
        assert_eq!(it.ran().len(), 2, "nothing but the boot loader's memory");
    }

    #[test]
    fn nothing_stops_it() {
        let it = Rehearsal::new();
        std::fs::remove_file(it.root.at("/etc/machine-id")).unwrap();
        it.file("/data/system/settings.json", "{broken");
        it.file("/run/systemd/dnssd", "a file where a folder should be");
        boot(&it.root);
        assert_eq!(it.text("/data/system/settings.json.bad"), "{broken");
        assert!(it.root.at("/run/h5edge-system/localtime").is_symlink());
    }
}
