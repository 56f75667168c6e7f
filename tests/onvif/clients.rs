//! Clients that others wrote, at the device that we are: found, asked for profiles and addresses,
//! steered through to the camera behind. And what ffprobe makes of the addresses that they were given.
//! What became of each step is the tables in `docs/onvif-peers.md`.

use std::{collections::BTreeSet, net::Ipv4Addr, process::Command, thread};

use h5edge::{
    base::{secret::Secret, wall::Wall},
    onvif::wsse,
};
use serde_json::Value;

use crate::{
    cameras::{Camera, installed, peers},
    lab::Lab,
    support::{
        daemon::{Daemon, DaemonOptions},
        fakecam::Fakecam,
        http, scene, wait_for,
    },
    table,
};

const STEPS: &[&str] = &[
    "client",
    "discovery",
    "device",
    "profiles",
    "streams",
    "snapshots",
    "move, stop",
    "presets",
    "events",
    "recordings",
    "replay",
];
const USER: &str = "recorder";
const PASSWORD: &str = "Secret-pass-1";
const CONFIG: &str =
    "[http]\nbind = \"0.0.0.0\"\n[onvif]\ndevice = true\nname = \"Gate house\"\n[rtsp]\nport = 8554\n";

/// Where a client stands, and the address of the device there.
#[derive(Clone, Copy)]
struct Lan {
    host: &'static str,
    own: &'static str,
    device: &'static str,
}

const NEAR: Lan = Lan { host: "near", own: "198.51.100.50", device: "198.51.100.1" };
const FAR: Lan = Lan { host: "far", own: "203.0.113.50", device: "203.0.113.1" };

struct Client {
    what: &'static str,
    /// Its script, in Python or for Node.
    script: &'static str,
    /// The virtual environment of a script in Python.
    python: &'static str,
    more: &'static str,
    lan: Lan,
    /// Name of the preset that it sets, and finds again.
    preset: &'static str,
}

const fn client(
    what: &'static str,
    script: &'static str,
    python: &'static str,
    preset: &'static str,
) -> Client {
    Client { what, script, python, more: "", lan: NEAR, preset }
}

const CLIENTS: &[Client] = &[
    client("`onvif-zeep-async` 4.3.0 (Home Assistant, Frigate)", "zeep_async.py", "zeep-async", "zeep-async"),
    client("`onvif-zeep` 0.2.12", "zeep_sync.py", "zeep", "zeep"),
    client("`onvif-python` 0.4.7, WS-UsernameToken", "onvif_python.py", "onvif-python", "python"),
    Client {
        more: "digest",
        ..client("`onvif-python`, HTTP Digest", "onvif_python.py", "onvif-python", "python")
    },
    client("`onvif` 0.8.3 (agsh)", "agsh.js", "", "agsh"),
    client("`node-onvif` 0.1.7", "node_onvif.js", "", "node-onvif"),
    client("`onveef` 0.6.0", "onveef_all.py", "tools", "onveef"),
    client("`WSDiscovery` 2.1.2", "wsd.py", "tools", ""),
    Client { lan: FAR, ..client("`WSDiscovery`, on the second LAN", "wsd.py", "tools", "") },
    Client {
        lan: FAR,
        ..client("`onvif-python`, on the second LAN", "onvif_python.py", "onvif-python", "python")
    },
];

/// A box on two LANs with a PTZ camera, and two cameras of the simple sort, one of them H.265.
struct Scene {
    lab: Lab,
    daemon: Daemon,
    _cameras: (Camera, Fakecam, Fakecam),
}

fn scene() -> Scene {
    let lab = Lab::new()
        .host("box", &[NEAR.device, FAR.device])
        .host("camera", &["203.0.113.11"])
        .host(NEAR.host, &[NEAR.own])
        .host(FAR.host, &[FAR.own]);
    // Not on the LAN of most clients: some take its malformed ProbeMatch for a failure of their own.
    let camera = lab.enter("camera", || Camera::ipycam(Ipv4Addr::new(203, 0, 113, 11)));
    let (daemon, simple, hevc) = lab.enter("box", || {
        let options = DaemonOptions { config: CONFIG.to_owned(), ..DaemonOptions::default() };
        let mut daemon = Daemon::start(options);
        daemon.login();
        let (simple, hevc) = (scene::cameras(25, &[]), scene::cameras(25, &["--codec", "h265"]));
        let always = ("connect", "H5_ALWAYS");
        let gate = [("name", "Gate"), ("token", "gate"), ("ip", "203.0.113.11"), ("port", "8080")];
        let login = [("user", camera.user), ("password", camera.password), always];
        daemon.api_ok("AddSrcONVIF", &[gate.as_slice(), &login].concat());
        scene::add(&daemon, "yard", &simple.rtsp_url(0), &[always]);
        scene::add(&daemon, "attic", &hevc.rtsp_url(0), &[always]);
        for token in ["gate", "yard", "attic"] {
            scene::wait_pictures(&daemon, token);
        }
        daemon.api_ok("Record", &[("token", "yard"), ("duration", "600")]);
        daemon.api_ok("CreateOnvifUser", &[("user", USER), ("password", PASSWORD), ("level", "Operator")]);
        // What cameras are is learnt in rounds of some seconds.
        wait_for("the device to know its channels", scene::PATIENCE, || {
            let services = ask(&daemon, "http://www.onvif.org/ver10/device/wsdl", "GetServices");
            let profiles = ask(&daemon, "http://www.onvif.org/ver10/media/wsdl", "GetProfiles");
            let known = services.contains("/onvif/ptz_service") && profiles.contains("p_gate_sub");
            (known && !profiles.contains("p_attic")).then_some(())
        });
        (daemon, simple, hevc)
    });
    Scene { lab, daemon, _cameras: (camera, simple, hevc) }
}

/// The answer to an operation without arguments.
fn ask(daemon: &Daemon, namespace: &str, operation: &str) -> String {
    let now = Wall(jiff::Timestamp::now().as_millisecond());
    let header = wsse::token(USER, &Secret::new(PASSWORD), now);
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{header}</s:Header>\
         <s:Body><{operation} xmlns=\"{namespace}\"/></s:Body></s:Envelope>"
    );
    http::request(daemon.http, "POST", "/onvif/device_service", &[], envelope.as_bytes()).text()
}

#[test]
fn every_client_goes_through_every_step() {
    let scene = scene();
    let mut streams = BTreeSet::new();
    let rows: Vec<Vec<String>> = CLIENTS
        .iter()
        .map(|client| {
            let found = scene.lab.enter(client.lan.host, || run(client, scene.daemon.http));
            eprintln!("{}: {found}", client.what);
            if client.lan.host == NEAR.host {
                let told = ["streams", "replays"].iter().filter_map(|step| found[step].as_array());
                streams.extend(told.flatten().filter_map(Value::as_str).map(str::to_owned));
            }
            judged(client, &found, scene.daemon.http)
        })
        .collect();
    let probes: Vec<Vec<String>> = scene.lab.enter(NEAR.host, || {
        thread::scope(|scope| {
            let probes: Vec<_> = streams.iter().map(|uri| scope.spawn(|| opened(uri))).collect();
            probes.into_iter().map(|probe| probe.join().expect("an answer of ffprobe")).collect()
        })
    });
    // Presets went through to the camera.
    let presets = scene.lab.enter("box", || scene.daemon.api_ok("GetPresets", &[("token", "gate")]));
    for preset in CLIENTS.iter().map(|client| client.preset).filter(|preset| !preset.is_empty()) {
        let mut known = presets["preset"].as_array().expect("a list").iter();
        assert!(known.any(|known| known["strName"] == preset), "{preset} is not among {presets}");
    }
    table::check("clients", STEPS, &rows);
    table::check("streams", &["address", "over TCP", "over UDP"], &probes);
}

/// What its script reports.
fn run(client: &Client, port: u16) -> Value {
    let script = peers().join("clients").join(client.script);
    let mut command = Command::new("timeout");
    command.arg("120");
    if client.python.is_empty() {
        command.arg("node").env("NODE_PATH", installed("node/node_modules"));
    } else {
        command.arg(installed(&format!("python/{}/bin/python", client.python)));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
    }
    command.arg(script).args([client.lan.device, &port.to_string(), USER, PASSWORD, client.lan.own]);
    command.args(client.more.split_whitespace());
    let output = command.output().expect("timeout, of coreutils");
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_else(|_| {
        panic!("{}: {said}{}", client.what, String::from_utf8_lossy(&output.stderr));
    })
}

/// A cell for each step: `–` where the client has no such thing.
fn judged(client: &Client, found: &Value, port: u16) -> Vec<String> {
    let cell = |step: &str, judge: &dyn Fn(&Value) -> String| match found.get(step) {
        None => "–".to_owned(),
        Some(value) if value["error"].is_string() => value["error"].as_str().unwrap_or_default().to_owned(),
        Some(value) => judge(value),
    };
    let device = client.lan.device;
    let within = |value: &Value, start: &str| {
        let all = value.as_array().expect("a list").iter();
        let strange: Vec<_> =
            all.filter(|uri| !uri.as_str().is_some_and(|uri| uri.starts_with(start))).collect();
        if strange.is_empty() { "ok".to_owned() } else { format!("{strange:?}") }
    };
    let count = |value: &Value| value.as_array().expect("a list").len().to_string();
    vec![
        client.what.to_owned(),
        cell("discover", &|value| discovered(value, device, port)),
        cell("info", &|value| value[1].as_str().unwrap_or_default().to_owned()),
        cell("profiles", &count),
        cell("streams", &|value| within(value, &format!("rtsp://{device}:8554/"))),
        cell("snapshots", &|value| match found.get("picture") {
            Some(picture) if picture != "ok" => picture.to_string(),
            _ => within(value, &format!("http://{device}:{port}/")),
        }),
        cell("ptz", &|value| value.as_str().unwrap_or_default().to_owned()),
        cell("presets", &|value| {
            let listed = value.as_array().expect("a list").iter().any(|name| name == client.preset);
            if listed { "ok".to_owned() } else { value.to_string() }
        }),
        cell("events", &|value| value.as_str().unwrap_or_default().to_owned()),
        cell("recordings", &count),
        cell("replays", &|value| within(value, &format!("rtsp://{device}:8554/"))),
    ]
}

/// Endpoint reference and addresses of each device; others may answer as well.
fn discovered(found: &Value, device: &str, port: u16) -> String {
    let address = format!("http://{device}:{port}/onvif/device_service");
    let devices = found.as_array().expect("a list").iter();
    let of_us = |device: &&Value| device.as_array().is_some_and(|texts| texts.iter().any(|t| *t == address));
    let ours: Vec<&Value> = devices.filter(of_us).collect();
    match ours.as_slice() {
        [one] if one.as_array().is_some_and(|texts| texts.len() == 2) => "ok".to_owned(),
        _ => format!("{found}"),
    }
}

/// An address as it is in the table, and what ffprobe finds there.
fn opened(uri: &str) -> Vec<String> {
    let login = uri.replacen("://", &format!("://{USER}:{PASSWORD}@"), 1);
    let probe = |transport: &str| {
        let mut command = Command::new("timeout");
        command.args(["60", "ffprobe", "-v", "error", "-of", "json", "-rtsp_transport", transport]);
        command.args(["-show_entries", "stream=codec_name,width,height", &login]);
        let output = command.output().expect("timeout, of coreutils");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let video = &found["streams"][0];
        match video["codec_name"].as_str() {
            Some(codec) => format!("{codec} {} x {}", video["width"], video["height"]),
            None => String::from_utf8_lossy(&output.stderr).replace(&login, "it"),
        }
    };
    vec![format!("`{uri}`"), probe("tcp"), probe("udp")]
}
