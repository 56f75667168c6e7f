//! TestSrc: what a source would show or why not, with real cameras, and that nothing is left of it.

mod support;

use std::{
    io::Write,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use support::{
    daemon::Daemon,
    fakecam::Fakecam,
    process,
    scene::{self, PATIENCE},
    wait_for,
};

/// What the call promises, and some for a busy machine.
const DEADLINE: Duration = Duration::from_secs(14);
const ABSENT: &str = "rtsp://127.0.0.1:9/x";

fn test(daemon: &Daemon, params: &[(&str, &str)]) -> Value {
    let began = Instant::now();
    let (status, answer) = daemon.api("TestSrc", params);
    assert_eq!(status, 200, "{answer}");
    assert!(began.elapsed() < DEADLINE, "took {:?}", began.elapsed());
    answer
}

/// Why the test fails, which it has to.
fn failure(daemon: &Daemon, params: &[(&str, &str)]) -> String {
    let answer = test(daemon, params);
    assert_eq!(answer["bStatus"], false, "{params:?}: {answer}");
    answer["strCode"].as_str().expect("a text").to_owned()
}

/// The picture of an answer, which is a JPEG.
fn picture(answer: &Value) -> Vec<u8> {
    let image = answer["strImage"].as_str().expect("an image");
    let image = image.strip_prefix("data:image/jpeg;base64,").expect("a JPEG");
    let bytes = BASE64_STANDARD.decode(image).expect("base64");
    assert!(bytes.starts_with(b"\xff\xd8\xff") && bytes.ends_with(b"\xff\xd9"), "{} bytes", bytes.len());
    bytes
}

fn left(cameras: &Fakecam) {
    wait_for("the end of all sessions", PATIENCE, || (cameras.sessions(0) == 0).then_some(()));
}

#[test]
fn what_a_camera_shows() {
    let daemon = scene::daemon("");
    for (codec, named) in [("h264", "H264"), ("h265", "H265")] {
        let cameras = scene::cameras(25, &["--codec", codec, "--audio", "aac", "--auth", "digest"]);
        let answer = test(&daemon, &[("url", &cameras.rtsp_url_as(0, "admin", "12345"))]);
        assert_eq!((&answer["bStatus"], &answer["strCode"]), (&json!(true), &json!("")), "{answer}");
        assert_eq!((&answer["strVideoType"], &answer["strAudioType"]), (&json!(named), &json!("AAC")));
        assert_eq!((&answer["nVideoWidth"], &answer["nVideoHeight"]), (&json!(320), &json!(240)));
        assert!((15..=35).contains(&answer["nVideoFPS"].as_i64().expect("a number")), "{answer}");
        assert!(answer["nMillis"].as_u64().expect("a number") < 12_000, "{answer}");
        picture(&answer);
        assert_eq!(daemon.api_ok("GetSrc", &[]), json!({"src": []}));
        left(&cameras);
    }
}

#[test]
fn what_a_file_shows() {
    let daemon = scene::daemon("");
    let folder = daemon.data_dir().join("files");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("clip.mp4");
    let program = process::programs().join("examples/makeclip");
    let options = ["--size", "320x240", "--bitrate", "300", "--seconds", "2", "--out"];
    let made = Command::new(program).args(options).arg(&file).status();
    assert!(made.expect("makeclip: run `cargo build --examples`").success());
    let answer = test(&daemon, &[("url", file.to_str().expect("text"))]);
    assert_eq!((&answer["bStatus"], &answer["strVideoType"]), (&json!(true), &json!("H264")), "{answer}");
    picture(&answer);
    for (url, complaint) in [
        (folder.join("none.mp4").to_str().expect("text"), "parameter url: there is no such file"),
        ("/etc/passwd", "parameter url: lies outside the folders"),
    ] {
        assert!(failure(&daemon, &[("url", url)]).starts_with(complaint));
    }
}

#[test]
fn why_there_is_nothing_to_show() {
    let daemon = scene::daemon("");
    let cameras = scene::cameras(25, &["--auth", "digest"]);
    let wrong = [("user", "admin"), ("password", "wrong")];
    // The same words as of a source.
    scene::add(&daemon, "wrong", &cameras.rtsp_url(0), &wrong);
    let source = scene::wait_offline(&daemon, "wrong", "unauthorised");
    let url = cameras.rtsp_url(0);
    let answer = test(&daemon, &[&[("url", url.as_str())], &wrong[..]].concat());
    assert_eq!(
        (&answer["strCode"], &answer["strOfflineReason"]),
        (&source["strOfflineText"], &json!("unauthorised"))
    );
    let absent = test(&daemon, &[("url", ABSENT)]);
    assert_eq!(absent["strCode"], "127.0.0.1:9 refuses the connection");
    assert_eq!(absent["strOfflineReason"], "refused");
    let nowhere = url.replace("/cam0", "/nowhere");
    let login = [("user", "admin"), ("password", "12345")];
    let answer = test(&daemon, &[&[("url", nowhere.as_str())], &login[..]].concat());
    assert_eq!(answer["strOfflineReason"], "not_found", "{answer}");
    // Packets go nowhere from there.
    let answer = test(&daemon, &[("url", "rtsp://192.0.2.1/x")]);
    assert_eq!(answer["bStatus"], false, "{answer}");
    let onvif = test(&daemon, &[("ip", "127.0.0.1"), ("port", "9")]);
    assert_eq!(onvif["bStatus"], false, "{onvif}");
    assert!(onvif["strOfflineReason"].is_string(), "{onvif}");

    for (params, complaint) in [
        (vec![], "parameter ip is missing"),
        (vec![("ip", "127.0.0.1")], "parameter port is missing"),
        (vec![("ip", "127.0.0.1"), ("port", "80"), ("url", ABSENT)], "parameter ip does not go with"),
        (vec![("url", "http://127.0.0.1/")], "parameter url must start with rtsp://"),
        (vec![("url", ABSENT), ("transport", "UDP")], "parameter transport is none of"),
        (vec![("url", ABSENT), ("profile", "sub")], "parameter profile: the source has no small picture"),
        (vec![("url", ABSENT), ("a", "b")], "parameter a is not known to TestSrc"),
        (vec![("token", "nobody")], "parameter token: there is no source nobody"),
        (vec![("token", "wrong"), ("ip", "127.0.0.1")], "parameter ip is nothing that a source of type"),
    ] {
        let text = failure(&daemon, &params);
        assert!(text.starts_with(complaint), "{params:?}: {text}");
    }
}

#[test]
fn a_source_that_there_is_with_something_changed() {
    let daemon = scene::daemon("");
    let cameras = scene::cameras(25, &["--cams", "2", "--auth", "digest"]);
    cameras.control("resize?cam=1&size=160x120");
    let login = [("user", "admin"), ("password", "12345"), ("urlsub", &cameras.rtsp_url(1))];
    scene::add(&daemon, "cam", &cameras.rtsp_url(0), &login);
    let before = scene::wait_pictures(&daemon, "cam");
    let wide = |params: &[(&str, &str)]| {
        let answer = test(&daemon, &[&[("token", "cam")], params].concat());
        answer["nVideoWidth"].as_u64().ok_or(answer)
    };
    // Its own user and password are used, as nobody sends others.
    assert_eq!(wide(&[]), Ok(320));
    assert_eq!(wide(&[("profile", "sub")]), Ok(160));
    assert_eq!(wide(&[("url", &cameras.rtsp_url(1))]), Ok(160));
    assert_eq!(wide(&[("transport", "H5_RTSP_UDP")]), Ok(320));
    let wrong = wide(&[("password", "wrong")]).expect_err("a failure");
    assert_eq!(wrong["strOfflineReason"], "unauthorised");
    let after = daemon.source("cam").expect("the source");
    for field in ["strUrl", "strUrlSub", "nRTSPType", "strOfflineReason"] {
        assert_eq!(after[field], before[field], "{field}");
    }
}

/// Asks for a test and does not wait for the answer.
fn ask(daemon: &Daemon, url: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    let target = format!("/api/v1/TestSrc?url={url}&session={}", daemon.session);
    write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    stream
}

/// Connections that were made to a camera, also to one that does not take them.
fn connections(url: &str) -> usize {
    let port: u16 =
        url.rsplit(':').next().and_then(|rest| rest.split('/').next()?.parse().ok()).expect("a port");
    let to = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the connections");
    let established = |line: &&str| {
        let mut words = line.split_whitespace().skip(2);
        words.next().is_some_and(|remote| remote.ends_with(&to)) && words.next() == Some("01")
    };
    table.lines().filter(established).count()
}

#[test]
fn two_at_a_time_and_gone_with_who_asked() {
    let mut daemon = scene::daemon("");
    let cameras = scene::cameras(25, &[]);
    let url = cameras.rtsp_url(0);
    let full = "2 sources are being tested already";
    assert_eq!(test(&daemon, &[("url", &url)])["bStatus"], true);
    left(&cameras);
    let (threads, files) = (daemon.threads(), daemon.fds());

    cameras.freeze();
    let asked = [ask(&daemon, &url), ask(&daemon, &url)];
    wait_for("two that are busy", PATIENCE, || (connections(&url) == 2).then_some(()));
    assert_eq!(failure(&daemon, &[("url", ABSENT)]), full);
    drop(asked);
    let text = wait_for("room", Duration::from_secs(2), || {
        Some(failure(&daemon, &[("url", ABSENT)])).filter(|text| text != full)
    });
    assert_eq!(text, "127.0.0.1:9 refuses the connection");
    wait_for("connections that are closed", PATIENCE, || (connections(&url) == 0).then_some(()));
    // A camera that hangs is told of in time.
    let began = Instant::now();
    let hangs = test(&daemon, &[("url", &url)]);
    assert_eq!(hangs["bStatus"], false, "{hangs}");
    eprintln!("a camera that hangs: {:?}: {hangs}", began.elapsed());
    cameras.thaw();
    left(&cameras);
    assert_eq!(test(&daemon, &[("url", &url)])["bStatus"], true);
    left(&cameras);
    wait_for("nothing left", PATIENCE, || {
        (daemon.fds() <= files + 2 && daemon.threads() <= threads + 2).then_some(())
    });

    // The daemon does not wait for it either.
    cameras.freeze();
    let asked = [ask(&daemon, &url), ask(&daemon, &url)];
    wait_for("two that are busy again", PATIENCE, || (connections(&url) == 2).then_some(()));
    let took = daemon.terminate();
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(asked);
    cameras.thaw();
}
