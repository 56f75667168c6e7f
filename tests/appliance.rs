//! A box in a folder: the real helper, started as systemd starts it, and the daemon that gives it orders.
//! Programs of the box are scripts that write down how they were called.

mod support;

use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net::UnixListener},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use support::{daemon::Daemon, scene, wait_for};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICzIUrqVGuBDBXyu+45W1L78MDWWnXQCjBvPdsEI+RUi me@desk";
const ETH0: &str = "run/systemd/network/10-h5edge-eth0.network";

struct Site {
    dir: TempDir,
    listener: UnixListener,
    helper: Option<Child>,
}

impl Site {
    /// A box after `h5edge boot`, with its helper and a daemon that is logged in.
    fn start() -> (Self, Daemon) {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("helper.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let mut site = Self { dir, listener, helper: None };
        site.file("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        site.file("sys/class/net/eth0/address", "02:00:00:00:00:01\n");
        site.file("sys/class/net/wlan0/address", "02:00:00:00:00:02\n");
        site.file("sys/class/net/wlan0/phy80211/name", "phy0\n");
        let zone = site.path("usr/share/zoneinfo/Europe/Berlin");
        fs::create_dir_all(zone.parent().expect("a folder")).expect("a folder");
        fs::copy("/usr/share/zoneinfo/Europe/Berlin", zone).expect("a time zone");
        for name in ["networkctl", "systemctl", "fw_setenv"] {
            site.program(name, "");
        }
        site.boot();
        site.start_helper();
        let daemon = scene::daemon(&format!("[appliance]\nhelper = {:?}\n", socket.display().to_string()));
        (site, daemon)
    }

    fn boot(&self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_h5edge"));
        let status = command.arg("boot").arg("--root").arg(self.dir.path()).status().expect("h5edge boot");
        assert!(status.success());
    }

    /// The socket becomes descriptor 3, and the process is told that it is for it.
    fn start_helper(&mut self) {
        let socket = OwnedFd::from(self.listener.try_clone().expect("the socket"));
        let script =
            "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" helper --user root --root \"$1\" 3<&0 </dev/null";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_h5edge")]).arg(self.dir.path());
        self.helper = Some(command.stdin(Stdio::from(socket)).spawn().expect("the helper"));
    }

    fn kill_helper(&mut self) {
        if let Some(mut helper) = self.helper.take() {
            helper.kill().and_then(|()| helper.wait()).expect("an end");
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn program(&self, name: &str, body: &str) {
        let path = format!("usr/bin/{name}");
        let log = self.path("log");
        self.file(&path, &format!("#!/bin/sh\necho {name} \"$@\" >>{}\n{body}\n", log.display()));
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755)).expect("rights");
    }

    /// Waits until the box has run something that ends so.
    fn wait_run(&self, end: &str) {
        wait_for(end, PATIENCE, || {
            let text = fs::read_to_string(self.path("log")).unwrap_or_default();
            text.lines().any(|line| line.ends_with(end)).then_some(())
        });
        fs::write(self.path("log"), "").expect("an empty log");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill_helper();
    }
}

/// What a call that has to fail says.
fn refused(daemon: &Daemon, name: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(name, params);
    assert_eq!((status, &answer["bStatus"]), (200, &Value::Bool(false)), "{name} {params:?}: {answer}");
    answer["strCode"].as_str().expect("text").to_owned()
}

#[test]
fn a_daemon_that_is_no_appliance_says_so() {
    let daemon = scene::daemon("");
    let text = "not supported: this h5edge does not run as an appliance";
    for name in ["ConfirmNetwork", "RevertNetwork", "GetTime", "GetHostname", "SetHostname", "GetSsh"] {
        assert_eq!(refused(&daemon, name, &[]), text, "{name}");
    }
    assert_eq!(refused(&daemon, "SetNetwork", &[("interface", "eth0"), ("method", "dhcp")]), text);
    assert_eq!(refused(&daemon, "SetTime", &[("zone", "UTC")]), text);
    let told = daemon.api_ok("GetNetwork", &[]);
    assert_eq!((&told["bAppliance"], &told["bTrial"]), (&json!(false), &json!(false)), "it is told, not set");
    for interface in told["interfaces"].as_array().expect("a list") {
        assert_eq!(interface["strMethod"], "", "{interface}");
    }
}

#[test]
fn name_time_and_ssh_are_set_over_the_api_and_outlast_a_start() {
    let (site, daemon) = Site::start();
    let id = site.text("run/h5edge-system/device-id");
    let default = format!("h5edge-{}", &id.trim()[30..]);
    let told = daemon.api_ok("GetHostname", &[]);
    assert_eq!((&told["strHostname"], &told["strDefault"]), (&json!(default), &json!(default)));
    daemon.api_ok("SetHostname", &[("name", "gate-7")]);

    daemon.api_ok("SetTime", &[("zone", "Europe/Berlin"), ("ntp", "192.0.2.1, ntp.example")]);
    let told = daemon.api_ok("GetTime", &[]);
    assert_eq!(
        (&told["strZone"], &told["ntp"]),
        (&json!("Europe/Berlin"), &json!(["192.0.2.1", "ntp.example"]))
    );
    let time = told["strTime"].as_str().expect("text");
    assert!(time.len() == 25 && ["+01:00", "+02:00"].contains(&&time[19..]), "{time}");
    daemon.api_ok("SetTime", &[("time", "2030-01-02T03:04:05Z")]);
    assert_eq!(site.text("run/h5edge-system/rehearsed-clock"), "1893553445");

    let keys = format!("# mine\r\n{KEY}\r\n");
    daemon.api_ok("SetSsh", &[("keys", &keys)]);
    let told = daemon.api_ok("GetSsh", &[]);
    assert_eq!(told["bEnabled"], true);
    assert_eq!(
        told["keys"],
        json!([{
            "strType": "ssh-ed25519",
            "strFingerprint": "SHA256:LxfXlV4aPNwUXLErewXYtUKKGGsr48nLQVip7c4GQa0",
            "strComment": "me@desk",
        }])
    );

    // The next start: what is in /run is gone.
    fs::remove_dir_all(site.path("run")).expect("an empty /run");
    site.boot();
    assert_eq!(site.text("run/h5edge-system/hostname"), "gate-7\n");
    assert_eq!(
        site.text("run/systemd/timesyncd.conf.d/10-h5edge.conf"),
        "[Time]\nNTP=192.0.2.1 ntp.example\n"
    );
    assert_eq!(site.text("run/h5edge-system/ssh/root/authorized_keys"), format!("{KEY}\n"));
    let zone = fs::read_link(site.path("run/h5edge-system/localtime")).expect("a link");
    assert_eq!(zone, Path::new("/usr/share/zoneinfo/Europe/Berlin"));

    daemon.api_ok("SetSsh", &[]);
    daemon.api_ok("SetHostname", &[("name", "")]);
    daemon.api_ok("SetTime", &[("ntp", "default")]);
    assert_eq!(daemon.api_ok("GetSsh", &[])["bEnabled"], false);
    assert_eq!(daemon.api_ok("GetHostname", &[])["strHostname"], json!(default));
    assert_eq!(daemon.api_ok("GetTime", &[])["ntp"], json!([]));
}

#[test]
fn a_network_is_kept_only_when_confirmed() {
    let (mut site, daemon) = Site::start();
    let eth0 = || daemon.api_ok("GetNetwork", &[])["interfaces"][0].clone();
    let method = || eth0()["strMethod"].clone();
    assert_eq!((eth0()["strName"].clone(), method()), (json!("eth0"), json!("dhcp")));
    let fixed =
        [("interface", "eth0"), ("method", "static"), ("address", "192.0.2.5/24"), ("gateway", "192.0.2.1")];

    // Confirmed.
    assert_eq!(daemon.api_ok("SetNetwork", &fixed)["nConfirmSeconds"], 60);
    let told = daemon.api_ok("GetNetwork", &[]);
    assert_eq!((&told["bTrial"], &told["nConfirmSeconds"]), (&json!(true), &json!(60)));
    site.wait_run("networkctl reconfigure eth0");
    assert!(!site.path("data/system/settings.json").exists());
    daemon.api_ok("ConfirmNetwork", &[]);
    assert_eq!(daemon.api_ok("GetNetwork", &[])["bTrial"], false);
    assert!(site.text("data/system/settings.json").contains("192.0.2.5"));

    // Taken back by the one who made it.
    daemon.api_ok("SetNetwork", &[("interface", "eth0"), ("method", "dhcp")]);
    site.wait_run("networkctl reconfigure eth0");
    assert_eq!(method(), "dhcp");
    daemon.api_ok("RevertNetwork", &[]);
    site.wait_run("networkctl reconfigure eth0");
    assert_eq!(method(), "static");

    // The helper crashes.
    let psk = "hunter2hunter2";
    daemon
        .api_ok("SetNetwork", &[("interface", "wlan0"), ("method", "dhcp"), ("ssid", "Büro"), ("psk", psk)]);
    site.wait_run("networkctl reconfigure wlan0");
    assert!(site.text("run/h5edge-system/wpa_supplicant-wlan0.conf").contains(psk));
    site.kill_helper();
    site.start_helper();
    assert_eq!(daemon.api_ok("GetNetwork", &[])["bTrial"], false);
    assert!(!site.path("run/h5edge-system/wpa_supplicant-wlan0.conf").exists());
    assert!(!daemon.process.log().contains(psk));

    // networkd cannot be reached.
    site.program("systemctl", "exit 3");
    let text = refused(&daemon, "SetNetwork", &[("interface", "eth0"), ("method", "off")]);
    assert_eq!(text, "systemd-networkd does not run");
    assert!(site.text(ETH0).contains("Address=192.0.2.5/24"));
    site.program("systemctl", "");
    site.program("networkctl", "case $1 in reload) echo no >&2; exit 1;; esac");
    daemon.api_ok("SetNetwork", &[("interface", "eth0"), ("method", "off")]);
    wait_for("the failure to be told", PATIENCE, || {
        let text = refused(&daemon, "ConfirmNetwork", &[]);
        text.contains("the network trial failed: networkctl: no").then_some(())
    });
    assert_eq!(method(), "static");
}

#[test]
fn bad_values_are_refused_by_name_and_change_nothing() {
    let (site, daemon) = Site::start();
    let network = |more: &[(&str, &str)]| {
        refused(&daemon, "SetNetwork", &[&[("interface", "eth0"), ("method", "static")], more].concat())
    };
    for (more, text) in [
        (&[][..], "parameter address is missing"),
        (&[("gateway", "192.0.2.1")], "parameter address is missing"),
        (&[("address", "192.0.2.5")], "parameter address is not like 192.168.1.5/24"),
        (&[("address", "192.0.2.5/24"), ("gateway", "x")], "parameter gateway: x is no address"),
        (
            &[("address", "192.0.2.5/24"), ("gateway", "10.0.0.1")],
            "parameter gateway is not in the network of address",
        ),
        (&[("address", "192.0.2.5/24"), ("dns", "192.0.2.1,y")], "parameter dns: y is no address"),
        (&[("address", "192.0.2.5/24"), ("ssid", "x")], "parameter ssid: eth0 is not wireless"),
        (&[("address", "192.0.2.5/24"), ("psk", "12345678")], "parameter psk needs ssid"),
    ] {
        assert_eq!(network(more), text, "{more:?}");
    }
    for (name, params, text) in [
        (
            "SetNetwork",
            &[("interface", "eth9"), ("method", "dhcp")][..],
            "parameter interface: there is no interface eth9",
        ),
        (
            "SetNetwork",
            &[("interface", "../x"), ("method", "dhcp")],
            "parameter interface is not the name of an interface",
        ),
        ("SetNetwork", &[("interface", "wlan0"), ("method", "dhcp")], "parameter ssid is missing"),
        (
            "SetNetwork",
            &[("interface", "eth0"), ("method", "bootp")],
            "parameter method is none of dhcp, static, off",
        ),
        (
            "SetNetwork",
            &[("interface", "eth0"), ("method", "dhcp"), ("dns", "::1")],
            "parameter dns goes only with method=static",
        ),
        ("ScanWifi", &[("interface", "eth0")], "parameter interface: eth0 is not wireless"),
        ("ConfirmNetwork", &[], "no network trial runs"),
        ("RevertNetwork", &[], "no network trial runs"),
        ("SetTime", &[], "parameters zone, ntp and time are missing: one is needed"),
        ("SetTime", &[("zone", "Europe/Atlantis")], "parameter zone: there is no time zone Europe/Atlantis"),
        ("SetTime", &[("zone", "../../etc/passwd")], "parameter zone is not a time zone like Europe/Berlin"),
        (
            "SetTime",
            &[("time", "1999-01-01T00:00:00Z")],
            "parameter time is not in the years from 2024 to 2099",
        ),
        (
            "SetHostname",
            &[("name", "a.b")],
            "parameter name is not a host name: 1 to 63 letters, digits and inner dashes",
        ),
    ] {
        assert_eq!(refused(&daemon, name, params), text, "{name} {params:?}");
    }
    let text = refused(&daemon, "SetTime", &[("time", "soon")]);
    assert!(text.starts_with("parameter time: soon is not a time"), "{text}");
    let text = refused(&daemon, "SetSsh", &[("keys", &format!("command=\"sh\" {KEY}"))]);
    assert!(text.starts_with("parameter keys, line 1: does not start with ssh-ed25519"), "{text}");
    assert!(!site.path("data").exists());
    assert!(!site.path("run/systemd/network").exists());
}
