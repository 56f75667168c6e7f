//! Cameras that others wrote, through all that is asked of a camera: searched, probed, added, seen,
//! steered. What became of each step is the table in `docs/onvif-peers.md`.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    cameras::Camera,
    lab::Lab,
    support::{daemon::Daemon, scene, wait_for},
    table,
};

const BOX: &str = "198.51.100.1";
const STEPS: &[&str] = &[
    "camera",
    "search",
    "probe",
    "wrong password",
    "picture",
    "move, stop",
    "set preset",
    "go to preset",
    "delete preset",
];

/// A camera and what is known of it beforehand.
struct Peer {
    what: &'static str,
    camera: Camera,
    /// How many devices a search finds at its address; none announce themselves at some.
    announced: usize,
    /// What it writes to its log about a move to the left at half speed.
    told: Option<&'static str>,
}

fn lab() -> Lab {
    (0..10).fold(Lab::new().host("box", &[BOX]), |lab, n| lab.host(&host(n), &[&address(n).to_string()]))
}

fn host(n: u8) -> String {
    format!("cam{n}")
}

fn address(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, 11 + n)
}

fn start(lab: &Lab) -> Vec<Peer> {
    let on = |n: u8, start: &(dyn Fn(Ipv4Addr) -> Camera + Sync)| lab.enter(&host(n), || start(address(n)));
    let peer = |what, camera| Peer { what, camera, announced: 1, told: None };
    let fleet = on(0, &|at| Camera::fleet(at, 4));
    let front = on(1, &|at| Camera::digest_front(at, &fleet));
    let two_auth = |n: u8, mode: &'static str| on(n, &|at| Camera::two_auth(at, mode, &fleet));
    let challenges = [two_auth(7, "basicfirst"), two_auth(8, "oneline"), two_auth(9, "sha256first")];
    let passwords = on(2, &|at| Camera::fleet_with_passwords(at, 1));
    let server = on(3, &|at| Camera::onvif_server(at, None));
    let late = on(4, &|at| Camera::onvif_server(at, Some("+3600s")));
    let told = Some("move -0.5 0 0");
    let ours = |what, camera| Peer { announced: 0, ..peer(what, camera) };
    let [basic_first, one_line, sha256_first] = challenges;
    vec![
        Peer { announced: 4, ..peer("`oxvif` 0.17.0, a fleet of 4", fleet) },
        peer("`oxvif`, WS-UsernameToken", passwords),
        ours("`oxvif` behind `lighttpd`, HTTP Digest", front),
        ours("`oxvif` behind a challenge for Basic, then one for Digest", basic_first),
        ours("`oxvif` behind both challenges in one line", one_line),
        ours("`oxvif` behind SHA-256, then MD5", sha256_first),
        Peer { told, ..peer("`onvif-server` 0.1.1", server) },
        Peer { told, ..peer("`onvif-server`, its clock an hour ahead", late) },
        peer("`ipycam` 1.3.0", on(5, &Camera::ipycam)),
        peer("`onvif` 0.6.5 from npm, its camera", on(6, &Camera::npm_mock)),
    ]
}

#[test]
fn every_camera_goes_through_every_step() {
    let lab = lab();
    let peers = start(&lab);
    let rows: Vec<Vec<String>> = lab.enter("box", || {
        let daemon = scene::daemon("");
        let found = daemon.api_ok("OnvifSearch", &[("timeout", "6")]);
        let tried = |(number, peer)| tried(&daemon, &format!("camera{number}"), peer, &found);
        peers.iter().enumerate().map(tried).collect()
    });
    table::check("cameras", STEPS, &rows);
}

#[test]
fn two_hundred_cameras_are_all_found() {
    let lab = Lab::new().host("box", &[BOX]).host("cameras", &["198.51.100.11"]);
    let _fleet = lab.enter("cameras", || Camera::fleet(address(0), 200));
    let found = lab.enter("box", || scene::daemon("").api_ok("OnvifSearch", &[("timeout", "10")]));
    let devices = found["device"].as_array().expect("a list");
    let mut ports: Vec<u16> =
        devices.iter().filter_map(|device| device["strPort"].as_str()?.parse().ok()).collect();
    ports.sort_unstable();
    assert_eq!(ports, (18080..18280).collect::<Vec<_>>());
}

fn tried(daemon: &Daemon, token: &str, peer: &Peer, found: &Value) -> Vec<String> {
    let place = Place::new(&peer.camera);
    let probe = daemon.api("OnvifProbe", &place.params(peer.camera.password)).1;
    let mut cells = vec![peer.what.to_owned(), searched(peer, found), probed(&probe, &place)];
    cells.push(wrong_password(daemon, &place));
    add(daemon, token, &place);
    cells.push(picture(daemon, token));
    cells.push(moved(daemon, token, peer));
    cells.extend(presets(daemon, token));
    daemon.api_ok("DelSrc", &[("token", token)]);
    cells
}

/// The parameters that lead to a camera.
struct Place<'a> {
    camera: &'a Camera,
    ip: String,
    port: String,
}

impl<'a> Place<'a> {
    fn new(camera: &'a Camera) -> Self {
        Self { camera, ip: camera.address.to_string(), port: camera.port.to_string() }
    }

    fn params<'b>(&'b self, password: &'b str) -> Vec<(&'b str, &'b str)> {
        let mut params =
            vec![("ip", self.ip.as_str()), ("port", &self.port), ("onvifaddr", self.camera.path)];
        if !self.camera.user.is_empty() {
            params.extend([("user", self.camera.user), ("password", password)]);
        }
        params
    }
}

fn searched(peer: &Peer, found: &Value) -> String {
    let (ip, camera) = (peer.camera.address.to_string(), &peer.camera);
    let devices = found["device"].as_array().expect("a list");
    let here: Vec<&Value> = devices.iter().filter(|device| device["strIp"] == ip).collect();
    if peer.announced == 0 {
        assert!(here.is_empty(), "{here:?}");
        return "does not announce itself".to_owned();
    }
    let port = camera.port.to_string();
    let Some(first) = here.iter().find(|device| device["strPort"] == *port) else {
        return "not listed".to_owned();
    };
    assert_eq!(first["strOnvifAddr"], camera.path, "{first}");
    format!("{} of {}, \"{}\"", here.len(), peer.announced, first["strModel"].as_str().unwrap_or_default())
}

/// How many profiles, and what main and sub would be.
fn probed(probe: &Value, place: &Place) -> String {
    let Some(profiles) = probe["profile"].as_array() else { return refusal(probe) };
    for profile in profiles.iter().filter(|profile| profile["bGotUrl"] == true) {
        let url = profile["strRtspUrl"].as_str().expect("an address");
        let host = url.strip_prefix("rtsp://").and_then(|rest| rest.split([':', '/']).next());
        assert_eq!(host, Some(place.ip.as_str()), "{url}");
    }
    let named = |field: &str| {
        let profile = profiles.iter().find(|profile| profile["strToken"] == probe[field])?;
        profile["strName"].as_str().map(str::to_owned)
    };
    let main = named("strProfileMain").unwrap_or_else(|| "none".to_owned());
    let sub = named("strProfileSub").map_or(String::new(), |sub| format!(", sub {sub}"));
    format!("{}; main {main}{sub}", profiles.len())
}

fn wrong_password(daemon: &Daemon, place: &Place) -> String {
    if place.camera.user.is_empty() {
        return "asks for none".to_owned();
    }
    let probe = daemon.api("OnvifProbe", &place.params("not this one")).1;
    if probe["profile"].is_array() { "takes any".to_owned() } else { refusal(&probe) }
}

fn add(daemon: &Daemon, token: &str, place: &Place) {
    let mut params = place.params(place.camera.password);
    params.extend([("name", token), ("token", token), ("connect", "H5_ALWAYS")]);
    daemon.api_ok("AddSrcONVIF", &params);
}

/// What Chromium shows of both streams, or why there is nothing.
fn picture(daemon: &Daemon, token: &str) -> String {
    let entry = scene::wait_source(daemon, token, "pictures or a reason", |entry| {
        let reason = entry["strOfflineReason"].as_str().unwrap_or("connecting");
        entry["strVideoType"].is_string() || reason != "connecting"
    });
    if entry["strVideoType"].is_string() {
        return format!("{} in Chromium, sub {}", shown(daemon, token, "main"), shown(daemon, token, "sub"));
    }
    format!("no RTSP there: {}", entry["strOfflineReason"].as_str().unwrap_or_default())
}

fn shown(daemon: &Daemon, token: &str, stream: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/source.mjs");
    let mut command = Command::new("node");
    command.arg(script).args([token, stream]).stderr(Stdio::inherit());
    command.env("H5EDGE_URL", format!("http://127.0.0.1:{}", daemon.http));
    let output = command.output().expect("node");
    assert!(output.status.success(), "Chromium shows nothing of {stream}");
    let size: Value = serde_json::from_slice(&output.stdout).expect("a size");
    format!("{} x {}", size["width"], size["height"])
}

/// Left, then zoom, each stopped.
fn moved(daemon: &Daemon, token: &str, peer: &Peer) -> String {
    for action in ["left", "stop", "zoomin", "stop"] {
        let answer = daemon.api("Ptz", &[("token", token), ("action", action), ("speed", "0.5")]).1;
        if answer["bStatus"] != true {
            return format!("{action}: {}", refusal(&answer));
        }
    }
    if let Some(told) = peer.told {
        wait_for(told, scene::PATIENCE, || peer.camera.process.log().contains(told).then_some(()));
    }
    "ok".to_owned()
}

/// Set, gone to, deleted.
fn presets(daemon: &Daemon, token: &str) -> [String; 3] {
    let source = ("token", token);
    let outcome = |answer: &Value| match answer["bStatus"] == true {
        true => "ok".to_owned(),
        false => refusal(answer),
    };
    let mut set =
        outcome(&daemon.api("SetPreset", &[source, ("presetname", "door"), ("presettoken", "2")]).1);
    if !is_listed(daemon, token) {
        set += ", not listed";
    }
    let gone = outcome(&daemon.api("Ptz", &[source, ("action", "preset"), ("preset", "2")]).1);
    let mut deleted = outcome(&daemon.api("DelPreset", &[source, ("presettoken", "2")]).1);
    if is_listed(daemon, token) {
        deleted += ", still listed";
    }
    [set, gone, deleted]
}

fn is_listed(daemon: &Daemon, token: &str) -> bool {
    let presets = daemon.api_ok("GetPresets", &[("token", token)]);
    let presets = presets["preset"].as_array().expect("a list");
    presets.iter().any(|preset| preset["strToken"] == "2" && preset["strName"] == "door")
}

fn refusal(answer: &Value) -> String {
    answer["strReason"].as_str().unwrap_or_else(|| panic!("no reason: {answer}")).to_owned()
}
