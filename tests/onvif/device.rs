//! Our own device as a client meets it: the daemon itself, raw SOAP.

use std::time::{Duration, Instant};

use h5edge::onvif::Service;
use h5edge::onvif::xml::Element;
use serde_json::json;

use crate::front::{self, Front, Shown};
use crate::head::Head;
use crate::soap::{self, Login, call, call_at, content, subcode};
use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::{http, scene, wait_for};

pub const USER: &str = "recorder";
pub const PASSWORD: &str = "Secret:pass 1";
const ON: &str = "[onvif]\ndevice = true\ndiscovery = false\nname = \"Gate house\"\n";
/// Opening each stream once, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(90);

/// The daemon with the device on and one ONVIF user, an administrator.
fn daemon(config: &str) -> Daemon {
    let daemon = scene::daemon(&format!("{ON}{config}"));
    daemon.api_ok("CreateOnvifUser", &[("user", USER), ("password", PASSWORD), ("level", "Administrator")]);
    daemon
}

/// The daemon with a camera that can be steered (`mock`, main and sub) and one that cannot (`gate`).
pub struct Site {
    pub daemon: Daemon,
    pub camera: Front,
    _streams: Fakecam,
}

impl Site {
    pub fn with_a_ptz_camera() -> Self {
        let (user, password) = (front::USER, front::PASSWORD);
        let login = ["--auth", "digest", "--user", user, "--password", password];
        let streams = scene::cameras(25, &[&["--cams", "3"], &login[..]].concat());
        let shown = |token, width, height, cam| Shown {
            token,
            told: Some(("H264", width, height)),
            url: streams.rtsp_url(cam),
        };
        let camera = Front::start(vec![shown("large", 320, 240, 0), shown("small", 160, 120, 1)]);
        camera.with(|state| state.head = Some(Head::default()));
        let daemon = daemon("");
        let port = camera.port.to_string();
        let place = [("ip", "127.0.0.1"), ("port", &port), ("user", user), ("password", password)];
        daemon.api_ok("AddSrcONVIF", &[&place[..], &[("name", "Yard"), ("token", "mock")]].concat());
        let gate = [("user", user), ("password", password)];
        scene::add(&daemon, "gate", &streams.rtsp_url(2), &gate);
        Self { daemon, camera, _streams: streams }
    }

    fn ask(&self, service: Service, operation: &str, arguments: &str) -> Element {
        let answer = call(self.daemon.http, Login::token(USER, PASSWORD), service, operation, arguments);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        content(&answer)
    }

    /// Waits until all streams were looked at, and the camera said that it can be steered.
    pub fn wait_for_ptz(&self) {
        wait_for("the facts of all streams", PATIENCE, || {
            let profiles = self.ask(Service::Media2, "GetProfiles", "<Type>All</Type>");
            let known = |name: &str| {
                profiles.children.iter().filter(|p| p.at(&["Configurations", name]).is_some()).count()
            };
            ((known("VideoEncoder"), known("PTZ")) == (3, 2)).then_some(())
        });
    }
}

fn tokens(answer: &Element) -> Vec<String> {
    answer.children.iter().filter_map(|child| child.attribute("token")).map(str::to_owned).collect()
}

#[test]
fn who_may_ask() {
    let daemon = daemon("[auth]\nlogin_attempts = 100\n");
    daemon.api_ok("CreateOnvifUser", &[("user", "eye"), ("password", "eye")]);
    let port = daemon.http;
    let ask = |login, operation| {
        let answer = call(port, login, Service::Device, operation, "");
        (answer.status, subcode(&answer))
    };
    let (good, refused) = ((200, String::new()), |status| (status, "ter:NotAuthorized".to_owned()));
    let info = "GetDeviceInformation";
    let late = |ahead| Login::Token { user: USER, password: PASSWORD, ahead };
    for (login, expected) in [
        (Login::Nobody, refused(401)),
        (Login::token(USER, PASSWORD), good.clone()),
        (Login::token(USER, "wrong"), refused(400)),
        (Login::token("nobody", PASSWORD), refused(400)),
        (Login::digest(USER, PASSWORD, 0), good.clone()),
        (Login::digest(USER, PASSWORD, 1), good.clone()),
        (Login::digest(USER, "wrong", 0), refused(401)),
        (Login::digest("nobody", PASSWORD, 1), refused(401)),
        (late(240), good.clone()),
        (late(-240), good.clone()),
        (late(3600), refused(400)),
        (late(-3600), refused(400)),
        // Users of the API are others.
        (Login::token("admin", "12345"), refused(400)),
    ] {
        assert_eq!(ask(login, info), expected, "{login:?}");
    }
    assert_eq!(ask(Login::token("eye", "eye"), info), good);
    assert_eq!(ask(Login::token("eye", "eye"), "GetUsers"), refused(400));
    for open in ["GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetHostname", "GetWsdlUrl"] {
        assert_eq!(ask(Login::Nobody, open), good, "{open}");
    }
    // A token is good for once.
    let body = soap::envelope(Service::Device, info, "", &Login::token(USER, PASSWORD).header());
    let path = soap::path(Service::Device);
    assert_eq!(soap::post(port, path, &body, &[]).status, 200);
    assert_eq!(soap::post(port, path, &body, &[]).status, 400);
}

#[test]
fn guessing_is_braked_and_the_api_is_not() {
    let daemon = daemon("[auth]\nlogin_attempts = 3\n");
    let ask = |password| call(daemon.http, Login::token(USER, password), Service::Device, "GetUsers", "");
    for _ in 0..10 {
        assert_eq!(ask(PASSWORD).status, 200);
    }
    for _ in 0..3 {
        assert_eq!(ask("guess").status, 400);
    }
    assert_eq!(ask(PASSWORD).status, 400);
    assert_eq!(daemon.api("GetSrc", &[]).0, 200);
    assert!(daemon.process.log().contains("wrong user or password"));
    assert!(!daemon.process.log().contains("guess"));
}

#[test]
fn bodies_of_all_sorts() {
    let daemon = daemon("");
    let (port, path) = (daemon.http, soap::path(Service::Device));
    let header = || Login::token(USER, PASSWORD).header();
    let prefixed = format!(
        "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:x=\"{}\"><SOAP-ENV:Header>{}</SOAP-ENV:Header>\
         <SOAP-ENV:Body>\n <x:GetProfiles/>\n</SOAP-ENV:Body></SOAP-ENV:Envelope>",
        Service::Media.namespace(),
        header()
    );
    // All at one address, and with an action that says something else.
    let action = "application/soap+xml; action=\"http://www.onvif.org/ver10/device/wsdl/GetHostname\"";
    let answer = soap::post(port, path, &prefixed, &[("Content-Type", action)]);
    assert_eq!((answer.status, content(&answer).name.as_str()), (200, "GetProfilesResponse"));
    assert_eq!(answer.header("content-type"), Some("application/soap+xml; charset=utf-8"));
    let unknown = soap::envelope(Service::Media2, "MakeCoffee", "", &header());
    let answer = soap::post(port, path, &unknown, &[]);
    assert_eq!((answer.status, subcode(&answer).as_str()), (500, "ter:ActionNotSupported"));
    let reboot = soap::envelope(Service::Device, "SystemReboot", "", &header());
    assert_eq!(subcode(&soap::post(port, path, &reboot, &[])), "ter:OperationProhibited");
    for garbage in ["<a", "", "{}", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<Envelope/>"] {
        let answer = soap::post(port, path, garbage, &[]);
        assert_eq!((answer.status, subcode(&answer).as_str()), (400, "ter:WellFormed"), "{garbage}");
    }
    assert_eq!(http::get(port, path).status, 401);
    assert_eq!(http::request(port, "DELETE", path, &[], b"").status, 501);
}

#[test]
fn the_switch_and_the_users() {
    let mut daemon = scene::daemon("[onvif]\ndiscovery = false\n");
    let time = |daemon: &Daemon| {
        call(daemon.http, Login::Nobody, Service::Device, "GetSystemDateAndTime", "").status
    };
    assert_eq!(time(&daemon), 404);
    let shown = daemon.api_ok("GetOnvifDevice", &[]);
    assert_eq!((&shown["bEnable"], &shown["bDiscovery"]), (&json!(false), &json!(false)));
    daemon.api_ok("SetOnvifDevice", &[("enable", "true")]);
    assert_eq!(time(&daemon), 200);
    daemon.api_ok("CreateOnvifUser", &[("user", USER), ("password", PASSWORD)]);
    for (params, fault) in [
        (vec![("user", USER), ("password", "x")], "is there already"),
        (vec![("user", "a:b"), ("password", "x")], "parameter user holds a colon"),
        (vec![("user", "a"), ("password", "x"), ("level", "God")], "parameter level is none of"),
    ] {
        let (_, answer) = daemon.api("CreateOnvifUser", &params);
        assert!(answer["strCode"].as_str().is_some_and(|text| text.contains(fault)), "{answer}");
    }
    daemon.api_ok("UpdateOnvifUser", &[("user", USER), ("level", "Operator")]);
    let users = daemon.api_ok("GetOnvifUserList", &[]);
    assert_eq!(users["user"], json!([{ "strUser": USER, "strLevel": "Operator" }]));
    let ask = |daemon: &Daemon, password| {
        call(daemon.http, Login::token(USER, password), Service::Device, "GetScopes", "").status
    };
    let endpoint = |daemon: &Daemon| {
        let answer = call(daemon.http, Login::Nobody, Service::Device, "GetEndpointReference", "");
        content(&answer).text_at(&["GUID"]).expect("an endpoint").to_owned()
    };
    assert_eq!(ask(&daemon, PASSWORD), 200);
    let before = endpoint(&daemon);
    assert!(before.starts_with("urn:uuid:"), "{before}");
    daemon.terminate();
    daemon.restart();
    daemon.login();
    assert_eq!((ask(&daemon, PASSWORD), endpoint(&daemon)), (200, before));
    daemon.api_ok("UpdateOnvifUser", &[("user", USER), ("password", "other")]);
    assert_eq!((ask(&daemon, PASSWORD), ask(&daemon, "other")), (400, 200));
    daemon.api_ok("DeleteOnvifUser", &[("user", USER)]);
    assert_eq!(ask(&daemon, "other"), 400);
    assert_eq!(daemon.api("DeleteOnvifUser", &[("user", USER)]).1["bStatus"], false);
    daemon.api_ok("SetOnvifDevice", &[("enable", "false")]);
    assert_eq!(time(&daemon), 404);
    for file in std::fs::read_dir(daemon.data_dir()).expect("the data").flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let secret = PASSWORD.as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{:?}", file.path());
    }
}

#[test]
fn what_is_shown_is_real_and_keeps_its_order() {
    let mut site = Site::with_a_ptz_camera();
    site.wait_for_ptz();
    let all = |site: &Site| site.ask(Service::Media2, "GetProfiles", "<Type>All</Type>");
    let profiles = all(&site);
    assert_eq!(tokens(&profiles), ["p_mock_main", "p_mock_sub", "p_gate_main"]);
    let encoder = profiles.children[0].at(&["Configurations", "VideoEncoder"]).expect("an encoder").clone();
    assert_eq!(encoder.text_at(&["Encoding"]), Some("H264"));
    assert_eq!(encoder.text_at(&["Resolution", "Width"]), Some("320"));
    // Counted, on a machine that does other things as well.
    let rate: u32 =
        encoder.text_at(&["RateControl", "FrameRateLimit"]).and_then(|n| n.parse().ok()).expect("a rate");
    assert!((23..=27).contains(&rate), "{rate}");
    let sources = site.ask(Service::Media, "GetVideoSources", "");
    assert_eq!(tokens(&sources), ["vs_mock", "vs_gate"]);
    assert_eq!(tokens(&site.ask(Service::Media, "GetProfiles", "")), tokens(&profiles));
    // The cameras are away, and it is all still known.
    site._streams.freeze();
    site.daemon.terminate();
    site.daemon.restart();
    site.daemon.login();
    wait_for("what was kept", PATIENCE, || {
        let now = all(&site);
        let known = now.children.first()?.at(&["Configurations", "VideoEncoder"]).cloned();
        (known?.child("Resolution") == encoder.child("Resolution")).then_some(())
    });
    assert_eq!(tokens(&all(&site)), tokens(&profiles));
    site.daemon.api_ok("DelSrc", &[("token", "mock")]);
    assert_eq!(tokens(&all(&site)), ["p_gate_main"]);
    site._streams.thaw();
}

#[test]
fn the_picture_is_fetched_by_its_address() {
    let site = Site::with_a_ptz_camera();
    site.wait_for_ptz();
    let port = site.daemon.http;
    let answer = site.ask(Service::Media2, "GetSnapshotUri", "<ProfileToken>p_gate_main</ProfileToken>");
    let address = answer.text_at(&["Uri"]).expect("an address").to_owned();
    let (_, path) = address.split_once(&format!("http://127.0.0.1:{port}")).expect("our address");
    let challenged = http::get(port, path);
    assert_eq!(challenged.status, 401);
    for at in [0, 1] {
        let asked = http::get(port, path);
        let header = soap::digest_answer(&asked, at, (USER, PASSWORD), ("GET", path));
        let picture = http::request(port, "GET", path, &[("Authorization", &header)], b"");
        assert_eq!(picture.status, 200, "{}", picture.text());
        assert_eq!(picture.header("content-type"), Some("image/jpeg"));
        assert!(picture.body.starts_with(b"\xff\xd8"));
    }
    let header = soap::digest_answer(&challenged, 0, (USER, "wrong"), ("GET", path));
    assert_eq!(http::request(port, "GET", path, &[("Authorization", &header)], b"").status, 401);
}

#[test]
fn steering_and_events_go_through() {
    let site = Site::with_a_ptz_camera();
    site.wait_for_ptz();
    let told =
        |operation: &str| site.camera.with(|state| state.head.as_ref().expect("a head").all(operation));
    let profile = "<ProfileToken>p_mock_sub</ProfileToken>";
    let speed =
        "<Velocity><tt:PanTilt x=\"-0.5\" y=\"0\"/><tt:Zoom x=\"0\"/></Velocity><Timeout>PT0.5S</Timeout>";
    site.ask(Service::Ptz, "ContinuousMove", &format!("{profile}{speed}"));
    let moved = told("ContinuousMove").pop().expect("a move");
    let axis = moved.at(&["Velocity", "PanTilt"]).expect("an axis");
    assert_eq!((axis.attribute("x"), moved.at(&["Velocity", "Zoom"])), (Some("-0.5"), None));
    // By itself, when the time is over.
    wait_for("the end of the move", PATIENCE, || (!told("Stop").is_empty()).then_some(()));
    let preset = site.ask(Service::Ptz, "SetPreset", &format!("{profile}<PresetName>door</PresetName>"));
    let token = preset.text_at(&["PresetToken"]).expect("a token").to_owned();
    let presets = site.ask(Service::Ptz, "GetPresets", profile);
    assert_eq!(tokens(&presets), [token.as_str()]);
    assert_eq!(presets.children[0].text_at(&["Name"]), Some("door"));
    let there = format!("{profile}<PresetToken>{token}</PresetToken>");
    site.ask(Service::Ptz, "GotoPreset", &there);
    site.ask(Service::Ptz, "RemovePreset", &there);
    assert_eq!((told("GotoPreset").len(), told("RemovePreset").len()), (1, 1));

    let created = site.ask(Service::Events, "CreatePullPointSubscription", "");
    let address = created.find("Address").expect("an address").text.clone();
    let port = site.daemon.http;
    let (_, path) = address.split_once(&format!(":{port}")).expect("our address");
    wait_for("a subscription at the camera", PATIENCE, || {
        site.camera.with(|state| state.head.as_ref().expect("a head").subscribed)
    });
    site.camera.with(|state| state.head.as_mut().expect("a head").motion(true));
    let login = Login::token(USER, PASSWORD);
    let motion = wait_for("the motion", PATIENCE, || {
        let limits = "<Timeout>PT5S</Timeout><MessageLimit>10</MessageLimit>";
        let answer =
            call_at(port, path, Login::token(USER, PASSWORD), Service::Events, "PullMessages", limits);
        let messages = content(&answer).children;
        messages
            .into_iter()
            .find(|message| message.text_at(&["Topic"]) == Some("tns1:VideoSource/MotionAlarm"))
    });
    let item = |part| motion.at(&["Message", "Message", part, "SimpleItem"]).expect("an item");
    assert_eq!(item("Source").attribute("Value"), Some("vs_mock"));
    assert_eq!(item("Data").attribute("Value"), Some("true"));
    assert_eq!(call_at(port, path, login, Service::Events, "Unsubscribe", "").status, 200);
}

#[test]
fn sixty_four_sources_are_listed_quickly() {
    let daemon = daemon("");
    for number in 0..64 {
        scene::add(&daemon, &format!("cam{number}"), &format!("rtsp://127.0.0.1:1/{number}"), &[]);
    }
    let mut times = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        let login = Login::token(USER, PASSWORD);
        let answer = call(daemon.http, login, Service::Media2, "GetProfiles", "<Type>All</Type>");
        times.push(began.elapsed());
        assert_eq!(content(&answer).children.len(), 64);
    }
    times.sort_unstable();
    eprintln!("GetProfiles of 64 sources, debug build: median {:?}, worst {:?}", times[10], times[19]);
    // Ten times what the figure for a release build is, on a machine that does other things as well.
    assert!(times[10] < Duration::from_millis(200), "{times:?}");
}
