use std::time::SystemTime;

use proptest::prelude::*;
use serde_json::json;

use super::super::root::rehearsal::Rehearsal;
use super::*;

const KEY: &str = ssh::tests::ED25519;

fn start(it: &Rehearsal) -> Administration {
    Administration::new(it.root.clone(), Clock::simulated(SystemTime::UNIX_EPOCH))
}

/// What is answered to the order as it comes over the socket.
fn ask(to: &mut Administration, order: Value) -> std::result::Result<Value, String> {
    let order = serde_json::from_value(order).map_err(|error| error.to_string())?;
    to.carry_out(order).map(|reply| reply.value).map_err(|error| error.to_string())
}

#[test]
fn the_name_is_set_and_told() {
    let it = Rehearsal::new();
    it.programs();
    let mut to = start(&it);
    let default = ask(&mut to, json!({"order": "name"})).unwrap()["default"].clone();
    ask(&mut to, json!({"order": "set_name", "name": "gate-7"})).unwrap();
    assert_eq!(
        ask(&mut to, json!({"order": "name"})).unwrap(),
        json!({"name": "gate-7", "default": default})
    );
    assert_eq!(it.text("/run/h5edge-system/hostname"), "gate-7\n");
    assert!(it.text("/run/systemd/dnssd/h5edge-http.dnssd").contains("Name=gate-7\n"));
    assert_eq!(it.ran(), ["systemctl --no-block try-restart systemd-resolved.service"]);
    let error = ask(&mut to, json!({"order": "set_name", "name": "a.b"})).unwrap_err();
    assert!(error.starts_with("parameter name is not a host name"), "{error}");
    ask(&mut to, json!({"order": "set_name", "name": null})).unwrap();
    assert_eq!(it.text("/run/h5edge-system/hostname").trim(), default);
    assert_eq!(Settings::load(&it.root), Settings::default());
}

#[test]
fn time_is_set_in_parts() {
    let it = Rehearsal::new();
    it.programs();
    let mut to = start(&it);
    let set = |to: &mut Administration, zone: Value, ntp: Value, at: Value| {
        ask(to, json!({"order": "set_time", "zone": zone, "ntp": ntp, "at": at}))
    };
    set(&mut to, json!("Europe/Berlin"), Value::Null, Value::Null).unwrap();
    assert!(it.ran().is_empty());
    set(&mut to, Value::Null, json!(["192.0.2.1"]), json!(1_800_000_000)).unwrap();
    assert_eq!(it.ran(), ["systemctl --no-block try-restart systemd-timesyncd.service"]);
    assert_eq!(it.text("/run/h5edge-system/rehearsed-clock"), "1800000000");
    let told = ask(&mut to, json!({"order": "time"})).unwrap();
    assert_eq!(told, json!({"zone": "Europe/Berlin", "ntp": ["192.0.2.1"], "synchronised": false}));
    it.file("/run/systemd/timesync/synchronized", "");
    for (zone, ntp, at, text) in [
        (
            json!("Europe/Atlantis"),
            json!([]),
            Value::Null,
            "parameter zone: there is no time zone Europe/Atlantis",
        ),
        (
            json!("../../etc/passwd"),
            json!([]),
            Value::Null,
            "parameter zone is not a time zone like Europe/Berlin",
        ),
        (
            json!("UTC"),
            json!(["a b"]),
            Value::Null,
            "parameter ntp holds \"a b\", which is no host name and no address",
        ),
        (json!("UTC"), json!([]), json!(0), "parameter time is not in the years from 2024 to 2099"),
        (
            json!("UTC"),
            json!([]),
            json!(1_800_000_000),
            "parameter time: the clock follows an NTP server and cannot be set by hand",
        ),
    ] {
        assert_eq!(set(&mut to, zone, ntp, at).unwrap_err(), text);
    }
    let told = ask(&mut to, json!({"order": "time"})).unwrap();
    assert_eq!(told, json!({"zone": "Europe/Berlin", "ntp": ["192.0.2.1"], "synchronised": true}));
}

#[test]
fn ssh_is_on_with_keys_and_off_without() {
    let it = Rehearsal::new();
    it.programs();
    let mut to = start(&it);
    ask(&mut to, json!({"order": "set_ssh", "keys": [KEY]})).unwrap();
    assert_eq!(it.ran(), ["systemctl --no-block restart h5edge-ssh.service"]);
    let file = "/run/h5edge-system/ssh/root/authorized_keys";
    assert_eq!((it.text(file), it.mode(file)), (format!("{KEY}\n"), 0o600));
    assert_eq!(it.mode("/run/h5edge-system/ssh/root"), 0o700);
    let told = ask(&mut to, json!({"order": "ssh"})).unwrap();
    assert_eq!(told["keys"][0]["comment"], "a comment");
    let error = ask(&mut to, json!({"order": "set_ssh", "keys": ["ssh-ed25519 AAAA"]})).unwrap_err();
    assert!(error.starts_with("parameter keys, line 1: "), "{error}");
    ask(&mut to, json!({"order": "set_ssh", "keys": []})).unwrap();
    assert_eq!(it.ran(), ["systemctl --no-block stop h5edge-ssh.service"]);
    assert!(!it.root.has(file));
}

#[test]
fn what_cannot_be_applied_is_not_kept() {
    let it = Rehearsal::new();
    let mut to = start(&it);
    let error = ask(&mut to, json!({"order": "set_ssh", "keys": [KEY]})).unwrap_err();
    assert_eq!(error, "systemctl is not installed");
    assert_eq!(Settings::load(&it.root), Settings::default());
    assert!(!it.root.has("/run/h5edge-system/ssh/root/authorized_keys"));
}

#[test]
fn the_network_is_told_with_what_is_tried() {
    let it = Rehearsal::new();
    it.programs();
    let mut to = start(&it);
    let link = json!({"method": {"method": "dhcp"}, "ssid": "x", "psk": "hunter2hunter2"});
    let order = json!({"order": "set_network", "interface": "wlan0", "link": link});
    assert!(!format!("{:?}", serde_json::from_value::<Order>(order.clone())).contains("hunter2"));
    assert_eq!(ask(&mut to, order).unwrap(), 60);
    assert!(to.busy());
    let told = ask(&mut to, json!({"order": "network"})).unwrap();
    assert_eq!((&told["trial"], &told["ports"][1]["ssid"]), (&json!(60), &json!("x")));
    assert!(!told.to_string().contains("hunter2"));
    ask(&mut to, json!({"order": "confirm_network"})).unwrap();
    assert_eq!(ask(&mut to, json!({"order": "network"})).unwrap()["trial"], Value::Null);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_order_is_too_odd(
        line in any::<String>(),
        name in any::<Option<String>>(),
        words in proptest::collection::vec(any::<String>(), 0..3),
        at in any::<Option<i64>>(),
    ) {
        let _ = serde_json::from_str::<Order>(&line);
        let it = Rehearsal::new();
        let mut to = start(&it);
        let _ = ask(&mut to, json!({"order": "set_time", "zone": name, "ntp": words, "at": at}));
        let _ = ask(&mut to, json!({"order": "set_ssh", "keys": words}));
        let _ = ask(&mut to, json!({"order": "set_name", "name": name}));
        let _ = ask(&mut to, json!({"order": "scan_wifi", "interface": line}));
        let link = json!({"method": {"method": "dhcp"}, "ssid": line, "psk": name});
        let _ = ask(&mut to, json!({"order": "set_network", "interface": "wlan0", "link": link}));
    }
}
