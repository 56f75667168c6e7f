//! Steering: a camera that writes down what it is told, and others' cameras that really turn.

use std::time::{Duration, Instant};

use h5edge::onvif::xml::Element;
use serde_json::{Value, json};

use crate::cameras::Camera;
use crate::front::{CAM, Front, Shown, add};
use crate::head::{Head, Quirks};
use crate::lab::Lab;
use crate::support::daemon::Daemon;
use crate::support::{scene, wait_for};

/// A camera with a head; its stream leads nowhere.
fn camera(head: Head) -> Front {
    let shown = |token, width, height| Shown {
        token,
        told: Some(("H264", width, height)),
        url: "rtsp://127.0.0.1:1/none".into(),
    };
    let front = Front::start(vec![shown("main 1", 1920, 1080), shown("sub", 320, 240)]);
    front.with(|state| state.head = Some(head));
    front
}

fn steer(daemon: &Daemon, action: &str) {
    daemon.api_ok("Ptz", &[CAM, ("action", action), ("speed", "0.5")]);
}

/// What the head was told last of `operation`, and how often altogether.
fn told(camera: &Front, operation: &str) -> (Element, usize) {
    let all = camera.with(|state| state.head.as_ref().expect("a head").all(operation));
    (all.last().unwrap_or_else(|| panic!("no {operation}")).clone(), all.len())
}

/// Speeds of pan, tilt and zoom in a move; nothing for axes that are not mentioned.
fn speeds(movement: &Element) -> (Option<(String, String)>, Option<String>) {
    let velocity = movement.child("Velocity").expect("a velocity");
    let of = |element: &Element, name| element.attribute(name).expect("a speed").to_owned();
    let head = velocity.child("PanTilt").map(|head| (of(head, "x"), of(head, "y")));
    (head, velocity.child("Zoom").map(|zoom| of(zoom, "x")))
}

fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> Value {
    let (_, answer) = daemon.api(call, params);
    assert_eq!(answer["bStatus"], false, "{call} {params:?}: {answer}");
    answer
}

#[test]
fn a_command_is_one_request_that_names_the_asked_axis_only() {
    let (daemon, camera) = (scene::daemon(""), camera(Head::default()));
    add(&daemon, camera.port);
    let head = |x: &str, y: &str| (Some((x.to_owned(), y.to_owned())), None);
    let zoom = |x: &str| (None, Some(x.to_owned()));
    let moves = [
        ("up", head("0", "0.5")),
        ("down", head("0", "-0.5")),
        ("left", head("-0.5", "0")),
        ("right", head("0.5", "0")),
        ("upleft", head("-0.5", "0.5")),
        ("upright", head("0.5", "0.5")),
        ("downleft", head("-0.5", "-0.5")),
        ("downright", head("0.5", "-0.5")),
        ("zoomin", zoom("0.5")),
        ("zoomout", zoom("-0.5")),
    ];
    steer(&daemon, "stop");
    let mut took = Vec::new();
    for (action, expected) in moves {
        let requests = camera.with(|state| state.head.as_ref().expect("a head").told.len());
        let asked = Instant::now();
        steer(&daemon, action);
        took.push(asked.elapsed());
        let (movement, _) = told(&camera, "ContinuousMove");
        assert_eq!(speeds(&movement), expected, "{action}");
        assert_eq!(movement.text_at(&["ProfileToken"]), Some("main 1"));
        assert_eq!(movement.text_at(&["Timeout"]), Some("PT10S"), "as long as the camera takes");
        steer(&daemon, "stop");
        let requests = camera.with(|state| state.head.as_ref().expect("a head").told.len()) - requests;
        // Beside what it is asked for events, which may come at any time.
        let others = ["PullMessages", "Renew", "CreatePullPointSubscription"];
        let polls = camera.with(|state| {
            let head = state.head.as_ref().expect("a head");
            let last = head.told.iter().rev().take(requests);
            last.filter(|told| others.contains(&&*told.name)).count()
        });
        assert_eq!(requests - polls, 2, "{action} and its stop");
    }
    took.sort();
    eprintln!("a command took {:?} in the middle, {:?} at most", took[took.len() / 2], took[took.len() - 1]);
    assert!(took[took.len() / 2] < Duration::from_millis(50), "{took:?}");

    daemon.api_ok("Ptz", &[CAM, ("action", "left")]);
    assert_eq!(speeds(&told(&camera, "ContinuousMove").0), head("-0.5", "0"), "the speed without one");
    daemon.api_ok("Ptz", &[CAM, ("action", "left"), ("speed", "1")]);
    assert_eq!(speeds(&told(&camera, "ContinuousMove").0), head("-1", "0"));
    assert_eq!(camera.count("GetConfigurationOptions"), 1);
}

#[test]
fn odd_cameras_are_steered_too() {
    let daemon = scene::daemon("");
    let quirks = Quirks { wants_all_axes: true, no_stop: true, millimetres: true, ..Quirks::default() };
    let camera = camera(Head { quirks, profile: Some("sub"), ..Head::default() });
    add(&daemon, camera.port);
    steer(&daemon, "left");
    let (movement, before) = told(&camera, "ContinuousMove");
    assert_eq!(speeds(&movement), (Some(("-3.5".into(), "0".into())), Some("0".into())));
    assert_eq!(movement.text_at(&["ProfileToken"]), Some("sub"), "the profile that has the head");
    assert!(before > 1, "it takes a try to learn that");
    steer(&daemon, "up");
    assert_eq!(told(&camera, "ContinuousMove").1, before + 1, "then it is known");
    steer(&daemon, "stop");
    let (halt, after) = told(&camera, "ContinuousMove");
    assert_eq!(speeds(&halt), (Some(("0".into(), "0".into())), Some("0".into())));
    assert_eq!((after, told(&camera, "Stop").1), (before + 2, 1));
    steer(&daemon, "stop");
    assert_eq!(told(&camera, "Stop").1, 1, "it is not asked for what it does not know");
}

#[test]
fn a_camera_that_nobody_stops_is_stopped() {
    let (daemon, camera) = (scene::daemon(""), camera(Head::default()));
    add(&daemon, camera.port);
    steer(&daemon, "right");
    let first = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    // Asked again, it goes on for as long again.
    steer(&daemon, "right");
    let last = Instant::now();
    let stops = || camera.with(|state| state.head.as_ref().expect("a head").all("Stop").len());
    wait_for("the stop", Duration::from_secs(90), || (stops() == 1).then_some(()));
    let (since_first, since_last) = (first.elapsed(), last.elapsed());
    assert!(since_last > Duration::from_secs(59), "{since_last:?}");
    assert!(since_first > Duration::from_secs(64), "{since_first:?}");
}

#[test]
fn focus_and_iris() {
    let (daemon, camera) = (scene::daemon(""), camera(Head::default()));
    add(&daemon, camera.port);
    for (action, speed) in [("focusin", "-1"), ("focusnear", "-1"), ("focusout", "1"), ("focusfar", "1")] {
        steer(&daemon, action);
        let (movement, _) = told(&camera, "Move");
        assert_eq!(movement.text_at(&["VideoSourceToken"]), Some("lens"));
        assert_eq!(movement.text_at(&["Focus", "Continuous", "Speed"]), Some(speed), "{action}");
        steer(&daemon, "stop");
        assert!(told(&camera, "Stop").0.namespace.contains("imaging"), "what moves is stopped");
    }
    for (action, iris) in [("irisin", "8"), ("irisout", "12")] {
        steer(&daemon, action);
        let (settings, _) = told(&camera, "SetImagingSettings");
        assert_eq!(settings.text_at(&["ImagingSettings", "Exposure", "Iris"]), Some(iris), "{action}");
    }
}

#[test]
fn presets_go_by_the_tokens_of_the_api() {
    let (mut daemon, camera) = (scene::daemon(""), camera(Head::default()));
    let own = |token: &str, name: &str| (token.to_owned(), name.to_owned());
    camera.with(|state| {
        let head = state.head.as_mut().expect("a head");
        head.presets = vec![own("home", "Home"), own("empty", ""), own("a b", "odd")];
    });
    add(&daemon, camera.port);
    let set = |daemon: &Daemon, token: &str, name: &str| {
        daemon.api_ok("SetPreset", &[CAM, ("presettoken", token), ("presetname", name)]);
    };
    let listed = |daemon: &Daemon| daemon.api_ok("GetPresets", &[CAM])["preset"].clone();
    set(&daemon, "2", "2");
    set(&daemon, "1", "Tür & Tor");
    let home = json!({"strName": "Home", "strToken": "home"});
    let two = json!({"strName": "2", "strToken": "2"});
    assert_eq!(listed(&daemon), json!([home, two, {"strName": "Tür & Tor", "strToken": "1"}]));

    daemon.api_ok("Ptz", &[CAM, ("action", "preset"), ("preset", "1")]);
    let (gone_to, _) = told(&camera, "GotoPreset");
    assert_eq!(gone_to.text_at(&["PresetToken"]), Some("preset 5"), "as the camera calls it");
    daemon.api_ok("Ptz", &[CAM, ("action", "preset"), ("preset", "home")]);
    assert_eq!(told(&camera, "GotoPreset").0.text_at(&["PresetToken"]), Some("home"));

    // Over the one that is there, also after a restart.
    daemon.terminate();
    daemon.restart();
    daemon.login();
    set(&daemon, "1", "Hof");
    assert_eq!(told(&camera, "SetPreset").0.text_at(&["PresetToken"]), Some("preset 5"));
    assert_eq!(listed(&daemon)[2], json!({"strName": "Hof", "strToken": "1"}));
    daemon.api_ok("DelPreset", &[CAM, ("presettoken", "1")]);
    assert_eq!(listed(&daemon), json!([home, two]));
    let none = refused(&daemon, "DelPreset", &[CAM, ("presettoken", "1")]);
    assert_eq!(none["strCode"], "parameter presettoken: there is no preset 1");
    // One that the camera has lost.
    camera.with(|state| state.head.as_mut().expect("a head").presets.retain(|(token, _)| token == "home"));
    assert_eq!(listed(&daemon), json!([home]));
    daemon.api_ok("DelPreset", &[CAM, ("presettoken", "2")]);
    refused(&daemon, "DelPreset", &[CAM, ("presettoken", "2")]);
    // With its source they go.
    set(&daemon, "7", "seven");
    daemon.api_ok("DelSrc", &[CAM]);
    add(&daemon, camera.port);
    assert_eq!(listed(&daemon), json!([home]), "its own token cannot be sent");
}

#[test]
fn what_cannot_be_steered_says_why() {
    let (daemon, camera) = (scene::daemon(""), camera(Head::default()));
    camera.with(|state| state.head = None);
    scene::add(&daemon, "plain", "rtsp://127.0.0.1:1/none", &[]);
    add(&daemon, camera.port);
    let left = ("action", "left");
    let plain = "parameter token: plain is no ONVIF source, it cannot be steered";
    let plain_token = ("token", "plain");
    assert_eq!(refused(&daemon, "Ptz", &[plain_token, left])["strCode"], plain);
    assert_eq!(refused(&daemon, "GetPresets", &[plain_token])["strCode"], plain);
    let names = [("presettoken", "1"), ("presetname", "1")];
    assert_eq!(refused(&daemon, "SetPreset", &[plain_token, names[0], names[1]])["strCode"], plain);
    assert_eq!(refused(&daemon, "DelPreset", &[plain_token, names[0]])["strCode"], plain);
    for (params, complaint) in [
        (vec![("token", "nobody"), left], "parameter token: there is no source nobody"),
        (vec![CAM], "parameter action is missing"),
        (vec![CAM, ("action", "jump")], "parameter action is none of up, down, "),
        (vec![CAM, left, ("speed", "2")], "parameter speed 2 is not a number from 0 to 1"),
        (vec![CAM, ("action", "preset")], "parameter preset is missing"),
        (vec![CAM, ("action", "preset"), ("preset", "../1")], "parameter preset may hold only"),
    ] {
        let text = refused(&daemon, "Ptz", &params)["strCode"].as_str().expect("words").to_owned();
        assert!(text.starts_with(complaint), "{params:?}: {text}");
    }
    // A camera without a head, and one that is gone.
    let headless = refused(&daemon, "Ptz", &[CAM, left]);
    assert_eq!(headless["strReason"], "unsupported", "{headless}");
    assert!(!headless["strCode"].as_str().expect("words").is_empty());
    drop(camera);
    assert_eq!(refused(&daemon, "Ptz", &[CAM, left])["strReason"], "unreachable");
}

/// `oxvif`'s mock keeps position and presets of its heads.
#[test]
fn a_camera_that_others_wrote_turns() {
    let lab = Lab::new().host("site", &["198.51.100.1"]).host("cam", &["198.51.100.2"]);
    let fleet = lab.enter("cam", || Camera::fleet([198, 51, 100, 2].into(), 1));
    lab.enter("site", || {
        let daemon = scene::daemon("");
        let port = fleet.port.to_string();
        let place = [("ip", "198.51.100.2"), ("port", &port), ("onvifaddr", fleet.path)];
        daemon.api_ok("AddSrcONVIF", &[&place[..], &[("name", "cam"), CAM]].concat());
        for action in ["left", "stop", "zoomin", "stop"] {
            steer(&daemon, action);
        }
        let presets = || daemon.api_ok("GetPresets", &[CAM])["preset"].as_array().expect("presets").clone();
        let before = presets();
        daemon.api_ok("SetPreset", &[CAM, ("presettoken", "77"), ("presetname", "there")]);
        assert!(presets().contains(&json!({"strName": "there", "strToken": "77"})), "{:?}", presets());
        daemon.api_ok("Ptz", &[CAM, ("action", "preset"), ("preset", "77")]);
        daemon.api_ok("DelPreset", &[CAM, ("presettoken", "77")]);
        assert_eq!(presets(), before);
    });
}
