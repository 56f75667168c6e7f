//! ONVIF cameras as sources: probed, added, seen in both sizes, followed when they move. The camera is
//! two programs: streams from the simulator, and in front of them [`Front`], whose web service tells
//! where they are.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::front::{Front, PASSWORD, Shown, USER, certificate};
use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::ws::Viewer;
use crate::support::{http, scene, wait_for};

pub const MAIN: (u32, u32) = (320, 240);
pub const SUB: (u32, u32) = (160, 120);

/// Three streams with a log-in, of which the first is large and the second is small.
pub fn streams() -> Fakecam {
    let cameras =
        scene::cameras(25, &["--cams", "3", "--auth", "digest", "--user", USER, "--password", PASSWORD]);
    cameras.control(&format!("resize?cam=1&size={}x{}", SUB.0, SUB.1));
    cameras
}

/// The address of a stream as a careless camera gives it: from another network, with a port too many, a
/// line break and somebody's password.
fn careless(cameras: &Fakecam, cam: usize) -> String {
    let url = cameras.rtsp_url(cam);
    let (_, rest) = url.rsplit_once(':').expect("a port");
    format!("rtsp://root:secret@192.168.68.111:80:{rest}\n?a=1&b=2")
}

fn shown(token: &'static str, told: Option<(&'static str, u32, u32)>, url: String) -> Shown {
    Shown { token, told, url }
}

/// A camera with a picture, its small one, and a JPEG profile.
pub fn front(cameras: &Fakecam) -> Front {
    Front::start(vec![
        shown("jpeg", Some(("JPEG", 3840, 2160)), careless(cameras, 2)),
        shown("quality h264", Some(("H264", MAIN.0, MAIN.1)), careless(cameras, 0)),
        shown("000", Some(("H264", SUB.0, SUB.1)), careless(cameras, 1)),
    ])
}

pub fn place(port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("ip", "127.0.0.1".into()),
        ("port", port.to_string()),
        ("user", USER.into()),
        ("password", PASSWORD.into()),
    ]
}

pub fn call(daemon: &Daemon, name: &str, params: &[(&'static str, String)]) -> Value {
    let params: Vec<_> = params.iter().map(|(key, value)| (*key, value.as_str())).collect();
    daemon.api(name, &params).1
}

pub fn add(daemon: &Daemon, token: &str, port: u16, more: &[(&'static str, &str)]) {
    let mut params = place(port);
    params.extend([("name", token.to_owned()), ("token", token.to_owned())]);
    for (name, value) in more {
        params.retain(|(known, _)| known != name);
        params.push((name, (*value).to_owned()));
    }
    let answer = call(daemon, "AddSrcONVIF", &params);
    assert_eq!(answer, json!({"bStatus": true, "strCode": "Add successfully"}));
}

fn probe(daemon: &Daemon, port: u16, password: &str) -> Value {
    let mut params = place(port);
    params.retain(|(name, _)| *name != "password");
    params.push(("password", password.into()));
    call(daemon, "OnvifProbe", &params)
}

/// Width and height in the sample entry of a viewer's `moov`.
fn size(viewer: &Viewer) -> Option<(u32, u32)> {
    let binary = viewer.received.iter().filter(|r| r.message.is_binary()).skip(1);
    let bytes: Vec<u8> = binary.flat_map(|r| r.message.clone().into_data().to_vec()).collect();
    let entry = bytes.windows(4).position(|four| four == b"avc1")?;
    let number = |at: usize| Some(u32::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    Some((number(entry + 28)?, number(entry + 30)?))
}

async fn watch(daemon: &Daemon, token: &str, profile: &str) -> Viewer {
    let target =
        format!("/api/v1/h5swsapi?token={token}&hevc=false&profile={profile}&session={}", daemon.session);
    let mut viewer = Viewer::open(daemon.http, &target).await.expect("a socket");
    let end = Instant::now() + scene::PATIENCE;
    while size(&viewer).is_none() {
        assert!(Instant::now() < end && !viewer.closed, "no picture: {:?}", viewer.farewell);
        viewer.next(Duration::from_secs(1)).await;
    }
    viewer
}

#[test]
fn a_probe_tells_what_the_camera_has() {
    let (daemon, cameras) = (scene::daemon(""), streams());
    let camera = front(&cameras);
    let warm = probe(&daemon, camera.port, PASSWORD);
    let began = Instant::now();
    let found = probe(&daemon, camera.port, PASSWORD);
    let took = began.elapsed();
    eprintln!("a probe of three profiles took {took:?}");
    assert_eq!(found, warm);
    let (_, rtsp_port) =
        cameras.rtsp_url(0).rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a port");
    let port = rtsp_port.trim_end_matches("/cam0");
    let expected = json!({
        "strToken": "quality h264",
        "strCodecName": "H264",
        "strName": "H264 320 x 240 25fps 300bps",
        "strRtspUrl": format!("rtsp://127.0.0.1:{port}/cam0?a=1&b=2"),
        "nWidth": 320,
        "nHeight": 240,
        "nFps": 25,
        "nBandwidth": 300,
        "bGotUrl": true,
        "strProfileName": "quality h264",
    });
    assert_eq!(found["profile"][1], expected);
    assert_eq!(found["profile"].as_array().map(Vec::len), Some(3));
    for (field, value) in [
        ("strProfileMain", "quality h264"),
        ("strProfileSub", "000"),
        ("strOnvifAddr", "/onvif/device_service"),
        ("strModel", "Front 1"),
        ("strName", "North gate"),
    ] {
        assert_eq!(found[field], value, "{found}");
    }
    assert_eq!((&found["bPtz"], &found["bEvents"]), (&json!(false), &json!(false)));
    // Nothing was opened to learn what was told already.
    assert_eq!(cameras.frames(0) + cameras.frames(1), 0);
    assert!(took < Duration::from_secs(2), "{took:?}");

    // Media1, which keeps to itself what the streams are.
    camera.with(|state| {
        state.media2 = false;
        state.profiles = vec![
            shown("a", None, careless(&cameras, 0)),
            shown("b", Some(("H264", 0, 0)), careless(&cameras, 1)),
            shown("c", None, "http://192.168.0.1/stream".into()),
        ];
    });
    let found = probe(&daemon, camera.port, PASSWORD);
    let sizes: Vec<_> = found["profile"]
        .as_array()
        .expect("profiles")
        .iter()
        .map(|profile| [&profile["strName"], &profile["bGotUrl"]].map(Value::clone))
        .collect();
    assert_eq!(
        sizes,
        [
            [json!("H264 320 x 240"), json!(true)],
            [json!("H264 160 x 120 25fps 300bps"), json!(true)],
            [json!(""), json!(false)]
        ]
    );
}

#[test]
fn a_probe_that_fails_says_why() {
    let (daemon, cameras) = (scene::daemon(""), streams());
    let camera = front(&cameras);
    let refused = |port: u16, password: &str| {
        let answer = probe(&daemon, port, password);
        let text = answer["strText"].as_str().expect("words");
        assert!(!text.is_empty() && !answer.to_string().contains("wrong one"), "{answer}");
        assert_eq!((&answer["bStatus"], &answer["strCode"]), (&json!(false), &json!("can't connect device")));
        answer["strReason"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(refused(camera.port, "wrong one"), "unauthorised");
    let tries = camera.with(|state| state.calls.iter().filter(|call| call.ends_with('!')).count());
    assert!(tries <= 2, "{tries} tries with a wrong password lock an account");
    // The daemon's own web server is no camera.
    assert_eq!(refused(daemon.http, PASSWORD), "not_onvif");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one").port();
    assert_eq!(refused(free, PASSWORD), "unreachable");
    let named = call(&daemon, "OnvifProbe", &[("ip", "127.0.0.1".into()), ("port", "0".into())]);
    assert_eq!(named["strCode"], "parameter port is not a whole number from 1 to 65535");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_pictures_of_a_camera_are_shown_and_it_is_pulled_once_for_each() {
    let daemon = scene::daemon("[sources]\nwarm_seconds = 1\n[hls]\nsegment_seconds = 1\n");
    let cameras = streams();
    let camera = front(&cameras);
    add(&daemon, "door", camera.port, &[]);
    let entry = scene::wait_pictures(&daemon, "door");
    for (field, value) in [
        ("nType", json!("H5_ONVIF")),
        ("strUser", json!(USER)),
        ("strPasswd", json!("******")),
        ("strSrcIpAddress", json!("127.0.0.1")),
        ("strSrcPort", json!(camera.port.to_string())),
        ("bOnvifProfileAuto", json!(true)),
        ("strOnvifAddr", json!("/onvif/device_service")),
        ("strOnvifProfileMain", json!("quality h264")),
        ("strOnvifProfileSub", json!("000")),
        ("strUrl", json!(format!("{}?a=1&b=2", cameras.rtsp_url(0)))),
        ("nVideoWidth", json!(MAIN.0)),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(cameras.frames(1), 0, "nobody asked for the small picture");

    let (main, sub) = (watch(&daemon, "door", "main").await, watch(&daemon, "door", "sub").await);
    let again = watch(&daemon, "door", "sub").await;
    let odd = watch(&daemon, "door", "no-such").await;
    assert_eq!([&main, &sub, &again, &odd].map(size), [Some(MAIN), Some(SUB), Some(SUB), Some(MAIN)]);
    assert_eq!([cameras.sessions(0), cameras.sessions(1), cameras.sessions(2)], [1, 1, 0]);
    let small = daemon.api_ok("GetVidStreamStatus", &[("token", "door"), ("stream", "sub")]);
    let large = daemon.api_ok("GetVidStreamStatus", &[("token", "door"), ("stream", "main")]);
    assert_eq!((&small["nVideoWidth"], &large["nVideoWidth"]), (&json!(SUB.0), &json!(MAIN.0)));

    let jpeg = |profile: &str| {
        let target = format!("/api/v1/GetImage?token=door&profile={profile}&session={}", daemon.session);
        let body = http::get(daemon.http, &target).body;
        let frame = body.windows(2).position(|two| two == [0xff, 0xc0]).expect("a baseline JPEG");
        [
            u16::from_be_bytes([body[frame + 7], body[frame + 8]]),
            u16::from_be_bytes([body[frame + 5], body[frame + 6]]),
        ]
    };
    assert_eq!((jpeg("main"), jpeg("sub")), ([320, 240], [160, 120]));

    let target = format!("/hls/v2/door/hls.m3u8?profile=sub&session={}", daemon.session);
    let playlist = http::get(daemon.http, &target).text();
    let init =
        playlist.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an init segment");
    assert!(init.contains("profile=sub"), "{playlist}");
    let init = http::get(daemon.http, &format!("/hls/v2/door/{init}"));
    assert_eq!(init.status, 200);
    let entry = init.body.windows(4).position(|four| four == b"avc1").expect("a sample entry");
    assert_eq!(init.body[entry + 28..entry + 32], [0, 160, 0, 120]);

    for viewer in [main, sub, again, odd] {
        viewer.leave().await;
    }
    // HLS ends when nobody has asked for some seconds.
    wait_for("the end of the small stream", scene::PATIENCE * 2, || (cameras.sessions(1) == 0).then_some(()));
    assert!(daemon.source("door").expect("the source")["bOnline"].as_bool().expect("a flag"));

    let again =
        daemon.api("AddSrcONVIF", &[("name", "b"), ("token", "door"), ("ip", "127.0.0.1"), ("port", "1")]);
    assert_eq!(again.1["strCode"], "parameter token: door is used already");
    daemon.api_ok("DelSrc", &[("token", "door")]);
    assert!(daemon.source("door").is_none());
    wait_for("the end of the stream", scene::PATIENCE, || (cameras.sessions(0) == 0).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_moves_is_followed_and_one_that_is_silent_is_remembered() {
    let mut daemon = scene::daemon("");
    let cameras = streams();
    let camera = front(&cameras);
    add(&daemon, "yard", camera.port, &[("main", "quality h264"), ("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "yard");
    let entry = daemon.source("yard").expect("the source");
    assert_eq!((&entry["bOnvifProfileAuto"], &entry["strOnvifProfileSub"]), (&json!(false), &json!("000")));
    // Its stream gets another address, at which there is another size.
    camera.with(|state| state.profiles[1].url = careless(&cameras, 1));
    cameras.control("drop?cam=0");
    let moved = format!("{}?a=1&b=2", cameras.rtsp_url(1));
    let at_new_place = |entry: &Value| entry["strUrl"] == moved.as_str() && entry["nVideoWidth"] == SUB.0;
    scene::wait_source(&daemon, "yard", "the new address", at_new_place);

    // The web service goes, and then the stream for a moment.
    let (port, state) = (camera.port, camera.state.clone());
    drop(camera);
    let before = cameras.frames(1);
    cameras.control("drop?cam=1");
    wait_for("frames from the last known address", scene::PATIENCE, || {
        (cameras.sessions(1) == 1 && cameras.frames(1) > before + 50).then_some(())
    });
    assert_eq!(daemon.source("yard").expect("the source")["bOnline"], true);

    // After a restart nothing is remembered, so that it comes up with the web service only.
    daemon.terminate();
    daemon.restart();
    daemon.login();
    scene::wait_offline(&daemon, "yard", "no_route");
    let camera = Front::start_at(port, state);
    let entry = scene::wait_pictures(&daemon, "yard");
    assert_eq!(entry["strOnvifProfileMain"], "quality h264");
    assert!(camera.count("GetStreamUri") > 0);
    assert_eq!(size(&watch(&daemon, "yard", "main").await), Some(SUB));
}

#[test]
fn a_camera_that_refuses_can_be_added_and_is_left_alone() {
    let (daemon, cameras) = (scene::daemon(""), streams());
    let camera = front(&cameras);
    add(&daemon, "gate", camera.port, &[("password", "wrong one")]);
    let entry = scene::wait_offline(&daemon, "gate", "unauthorised");
    assert!(!entry.to_string().contains("wrong one"), "{entry}");
    let tries = camera.with(|state| state.calls.iter().filter(|call| call.ends_with('!')).count());
    assert!((1..=2).contains(&tries), "{tries} tries");
    assert_eq!(cameras.frames(0) + cameras.frames(1), 0);
    // Only JPEG: there is nothing to show.
    camera.with(|state| state.profiles.truncate(1));
    add(&daemon, "jpeg", camera.port, &[]);
    scene::wait_offline(&daemon, "jpeg", "unsupported");
}

#[test]
fn the_first_certificate_of_a_camera_is_the_one_that_is_believed() {
    let (mut daemon, cameras) = (scene::daemon(""), streams());
    let (first, pin) = certificate();
    let camera = front(&cameras);
    camera.with(|state| state.tls = Some(first.clone()));
    let mut secure = place(camera.port);
    secure.push(("https", "true".into()));
    let asked = |daemon: &Daemon, more: &[(&'static str, String)]| {
        call(daemon, "OnvifProbe", &[&secure[..], more].concat())
    };
    assert_eq!(asked(&daemon, &[])["strPin"], pin);
    let other = asked(&daemon, &[("pin", "ab".repeat(32))]);
    assert_eq!(other["strReason"], "tls", "{other}");
    assert_eq!(probe(&daemon, camera.port, PASSWORD)["bStatus"], false, "plain HTTP is not what it speaks");
    add(&daemon, "vault", camera.port, &[("https", "true"), ("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "vault");

    // Somebody else answers after a restart.
    daemon.terminate();
    camera.with(|state| state.tls = Some(certificate().0));
    let before = camera.with(|state| state.calls.len());
    daemon.restart();
    daemon.login();
    let entry = scene::wait_offline(&daemon, "vault", "refused");
    assert!(entry["strOfflineText"].as_str().expect("words").contains("certificate"), "{entry}");
    assert_eq!(camera.with(|state| state.calls.len()), before, "nothing is said to a stranger");
    camera.with(|state| state.tls = Some(first));
    scene::wait_pictures(&daemon, "vault");
}
