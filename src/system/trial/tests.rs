use std::time::SystemTime;

use super::super::order::Passphrase;
use super::super::root::rehearsal::Rehearsal;
use super::*;

const ETH0: &str = "/run/systemd/network/10-h5edge-eth0.network";
const MARKED: &str = "/run/h5edge-system/trial";

struct Scene {
    it: Rehearsal,
    clock: Clock,
    trial: Trial,
}

fn scene() -> Scene {
    let it = Rehearsal::new();
    it.programs();
    let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
    let trial = Trial::new(&it.root, clock.clone());
    Scene { it, clock, trial }
}

fn fixed(last: u8) -> Link {
    let method =
        Method::Static { address: [192, 0, 2, last].into(), prefix: 24, gateway: None, dns: Vec::new() };
    Link { method, ssid: None, psk: None }
}

impl Scene {
    fn begin(&mut self, interface: &str, link: Link) -> Result<()> {
        self.trial.begin(&self.it.root, interface, link)
    }

    fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        self.trial.tick(&self.it.root);
    }

    fn saved(&self) -> BTreeMap<String, Link> {
        Settings::load(&self.it.root).links
    }
}

#[test]
fn a_trial_that_is_confirmed_is_kept() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    assert_eq!(scene.it.ran(), ["systemctl is-active systemd-networkd.service"], "answered before it holds");
    assert!(scene.it.text(ETH0).contains("Address=192.0.2.5/24"));
    scene.pass(SETTLE);
    assert_eq!(scene.it.ran(), ["networkctl reload", "networkctl reconfigure eth0"]);
    scene.pass(CONFIRM - Duration::from_secs(1));
    assert_eq!(scene.trial.left(), Some(1));
    assert!(scene.saved().is_empty());
    scene.trial.confirm(&scene.it.root).unwrap();
    assert_eq!(scene.saved()["eth0"], fixed(5));
    assert!(!scene.trial.is_running() && !scene.it.root.has(MARKED));
    scene.pass(CONFIRM);
    assert!(scene.it.text(ETH0).contains("Address=192.0.2.5/24"));
    assert_eq!(scene.trial.confirm(&scene.it.root).unwrap_err().to_string(), "no network trial runs");
}

#[test]
fn a_trial_that_nobody_confirms_is_taken_back() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    scene.it.ran();
    scene.pass(CONFIRM);
    assert!(!scene.it.root.has(ETH0) && !scene.it.root.has(MARKED));
    assert_eq!(scene.it.ran(), ["networkctl reload", "networkctl reconfigure eth0"]);
    assert!(!scene.trial.is_running() && scene.trial.confirm(&scene.it.root).is_err());
}

#[test]
fn a_second_change_joins_the_first_and_starts_the_time_anew() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    scene.pass(CONFIRM / 2);
    let psk = Some(Passphrase::new("12345678"));
    scene.begin("wlan0", Link { method: Method::Dhcp, ssid: Some("x".into()), psk: psk.clone() }).unwrap();
    scene.pass(SETTLE);
    scene.it.ran();
    scene.pass(CONFIRM - Duration::from_secs(1));
    // It stays with its network when only the address changes.
    scene.begin("wlan0", fixed(6)).unwrap();
    scene.pass(SETTLE);
    assert_eq!(
        scene.it.ran()[1..],
        [
            "networkctl reload",
            "networkctl reconfigure eth0",
            "systemctl --no-block restart wpa_supplicant@wlan0.service",
            "networkctl reconfigure wlan0"
        ]
    );
    scene.trial.confirm(&scene.it.root).unwrap();
    assert_eq!(scene.saved()["eth0"], fixed(5));
    assert_eq!(scene.saved()["wlan0"], Link { ssid: Some("x".into()), psk, ..fixed(6) });
}

#[test]
fn a_trial_can_be_ended_early() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    scene.trial.revert().unwrap();
    assert!(scene.it.root.has(ETH0), "answered before it holds");
    scene.pass(SETTLE);
    assert!(!scene.it.root.has(ETH0));
    assert!(scene.trial.revert().is_err());
}

#[test]
fn nothing_changes_where_a_trial_cannot_work() {
    let mut scene = scene();
    scene.it.program("systemctl", "exit 3");
    let error = scene.begin("eth0", fixed(5)).unwrap_err();
    assert_eq!(error.to_string(), "systemd-networkd does not run");
    std::fs::remove_file(scene.it.root.at("/usr/bin/networkctl")).unwrap();
    let error = scene.begin("eth0", fixed(5)).unwrap_err();
    assert_eq!(error.to_string(), "networkctl is not installed");
    for (interface, link, text) in [
        ("eth9", fixed(5), "parameter interface: there is no interface eth9"),
        ("../x", fixed(5), "parameter interface is not the name of an interface"),
        ("eth0", fixed(0), "parameter address is the network's own or its broadcast address"),
        ("eth0", Link { ssid: Some("x".into()), ..fixed(5) }, "parameter ssid: eth0 is not wireless"),
        ("wlan0", fixed(5), "parameter ssid is missing"),
    ] {
        assert_eq!(scene.begin(interface, link).unwrap_err().to_string(), text);
    }
    assert!(!scene.trial.is_running() && !scene.it.root.has(ETH0) && !scene.it.root.has(MARKED));
}

#[test]
fn a_trial_that_networkd_refuses_is_taken_back_as_soon_as_it_can_be() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.it.program("networkctl", "echo no link >&2; exit 1");
    scene.pass(SETTLE);
    assert!(!scene.it.root.has(ETH0));
    assert!(scene.trial.is_running() && scene.it.root.has(MARKED), "networkd does not know yet");
    assert_eq!(scene.trial.left(), None);
    let error = scene.trial.confirm(&scene.it.root).unwrap_err();
    assert_eq!(error.to_string(), "the network trial failed: networkctl: no link");
    scene.it.program("networkctl", "");
    scene.pass(RETRY);
    assert!(!scene.trial.is_running() && !scene.it.root.has(MARKED));
}

#[test]
fn what_a_crashed_helper_tried_is_taken_back() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    scene.it.ran();
    let trial = Trial::new(&scene.it.root, scene.clock.clone());
    assert!(!trial.is_running() && !scene.it.root.has(ETH0) && !scene.it.root.has(MARKED));
    assert_eq!(scene.it.ran(), ["networkctl reload", "networkctl reconfigure eth0"]);
}

#[test]
fn what_is_being_taken_back_is_in_no_later_trial() {
    let mut scene = scene();
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    scene.trial.revert().unwrap();
    let wifi = Link { method: Method::Dhcp, ssid: Some("x".into()), psk: None };
    scene.begin("wlan0", wifi.clone()).unwrap();
    assert!(!scene.it.root.has(ETH0));
    scene.it.ran();
    scene.pass(SETTLE);
    assert!(scene.it.ran().contains(&"networkctl reconfigure eth0".to_owned()));
    scene.trial.confirm(&scene.it.root).unwrap();
    assert_eq!(scene.saved(), [("wlan0".to_owned(), wifi)].into());
}

#[test]
fn a_trial_that_cannot_be_kept_goes_on() {
    let mut scene = scene();
    scene.it.file("/data", "a file where a folder should be");
    scene.begin("eth0", fixed(5)).unwrap();
    scene.pass(SETTLE);
    assert!(scene.trial.confirm(&scene.it.root).unwrap_err().to_string().starts_with("/data/system: "));
    assert!(scene.trial.is_running());
    scene.pass(CONFIRM);
    assert!(!scene.it.root.has(ETH0));
}
