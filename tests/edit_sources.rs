//! Sources that are changed in place, and the small picture that an address may name: what a client sees of it,
//! and that a recording goes on over it.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    daemon::Daemon,
    fakecam::Fakecam,
    footage::{self, read},
    scene::{self, PATIENCE},
    wait_for,
    ws::Viewer,
};

/// Nobody listens there, and nothing is played.
const ABSENT: &str = "rtsp://127.0.0.1:9/x";
const TOKEN: (&str, &str) = ("token", "cam");
const SMALL: (u64, u64) = (160, 120);

/// Two cameras, of which the second has the smaller picture.
fn cameras() -> Fakecam {
    let cameras = scene::cameras(25, &["--cams", "2"]);
    cameras.control(&format!("resize?cam=1&size={}x{}", SMALL.0, SMALL.1));
    cameras
}

fn update(daemon: &Daemon, token: &str, more: &[(&str, &str)]) {
    let answer = daemon.api_ok("UpdateSrc", &[&[("token", token)], more].concat());
    assert_eq!(answer, json!({"bStatus": true, "strCode": "Update successfully"}));
}

/// What GetSrc shows, without what changes by itself.
fn list(daemon: &Daemon) -> Value {
    let mut list = daemon.api_ok("GetSrc", &[]);
    for entry in list["src"].as_array_mut().expect("a list") {
        let fields = entry.as_object_mut().expect("an entry");
        fields.retain(|name, _| !matches!(name.as_str(), "bOnline" | "strOfflineReason" | "strOfflineText"));
    }
    list
}

fn size(entry: &Value) -> Option<(u64, u64)> {
    Some((entry["nVideoWidth"].as_u64()?, entry["nVideoHeight"].as_u64()?))
}

#[test]
fn each_part_is_changed_and_the_rest_stays() {
    let mut daemon = scene::daemon("");
    let login = [("user", "admin"), ("password", "hunter2hunter2")];
    scene::add(&daemon, "first", ABSENT, &login);
    let at = [("ip", "127.0.0.1"), ("port", "9"), ("main", "Profile_1")];
    let named = [("name", "camera"), ("token", "camera")];
    daemon.api_ok("AddSrcONVIF", &[&named[..], &at, &login].concat());
    scene::add(&daemon, "last", ABSENT, &[]);
    let with_password = "rtsp://127.0.0.1:9/z?user=u&password=swordfish99";
    for (token, changes, fields) in [
        ("first", vec![("name", "Gate & yard")], vec![("strName", json!("Gate & yard"))]),
        ("first", vec![("audio", "true")], vec![("bEnableAudio", json!(true))]),
        ("first", vec![("connect", "H5_ALWAYS")], vec![("nConnectType", json!("H5_ALWAYS"))]),
        ("first", vec![("transport", "H5_RTSP_TCP")], vec![("nRTSPType", json!("H5_RTSP_TCP"))]),
        (
            "first",
            vec![("url", "rtsp://root:pass@127.0.0.1:10/y")],
            vec![
                ("strUrl", json!("rtsp://127.0.0.1:10/y")),
                ("strUser", json!("root")),
                ("strSrcPort", json!("10")),
            ],
        ),
        ("first", vec![("user", "")], vec![("strUser", json!("")), ("strPasswd", json!(""))]),
        (
            "first",
            vec![("url", with_password), ("user", "u"), ("password", "x")],
            vec![
                ("strUrl", json!("rtsp://127.0.0.1:9/z?user=u&password=******")),
                ("strUser", json!("u")),
                ("strPasswd", json!("******")),
                ("strSrcPort", json!("9")),
            ],
        ),
        (
            "first",
            vec![("urlsub", ABSENT)],
            vec![("strUrlSub", json!(ABSENT)), ("bEnableUrlSub", json!(true))],
        ),
        ("first", vec![("urlsub", "")], vec![("strUrlSub", json!("")), ("bEnableUrlSub", json!(false))]),
        // As the list shows it: nothing changes.
        (
            "first",
            vec![("url", "rtsp://127.0.0.1:9/z?user=u&password=******"), ("password", "******")],
            vec![],
        ),
        (
            "camera",
            vec![("ip", "localhost"), ("port", "10")],
            vec![("strSrcIpAddress", json!("localhost")), ("strSrcPort", json!("10"))],
        ),
        (
            "camera",
            vec![("main", ""), ("sub", "small")],
            vec![
                ("strOnvifProfileMain", json!("")),
                ("strOnvifProfileSub", json!("small")),
                ("bOnvifProfileAuto", json!(true)),
            ],
        ),
    ] {
        let mut expected = list(&daemon);
        let entries = expected["src"].as_array_mut().expect("a list");
        let entry = entries.iter_mut().find(|entry| entry["strToken"] == token).expect("the source");
        fields.iter().for_each(|(name, value)| entry[*name] = value.clone());
        update(&daemon, token, &changes);
        assert_eq!(list(&daemon), expected, "{changes:?}");
    }
    let before = list(&daemon);
    daemon.terminate();
    daemon.restart();
    daemon.login();
    assert_eq!(list(&daemon), before);
    let log = daemon.process.log();
    assert!(!log.contains("swordfish99") && !log.contains("hunter2hunter2"), "{log}");
}

#[test]
fn a_bad_change_is_refused_by_name_and_changes_nothing() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", ABSENT, &[("user", "admin"), ("password", "x")]);
    let onvif = [("name", "onvif"), ("token", "onvif"), ("ip", "127.0.0.1"), ("port", "9")];
    daemon.api_ok("AddSrcONVIF", &onvif);
    let folder = daemon.data_dir().join("files");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a.mp4"), b"not really a clip").expect("a file");
    scene::add(&daemon, "file", folder.join("a.mp4").to_str().expect("text"), &[]);
    let long = "x".repeat(3000);
    for (token, name, value, complaint) in [
        ("cam", "name", long.as_str(), "is longer than"),
        ("cam", "url", "http://h/", "must start with rtsp://"),
        ("cam", "url", "/etc/passwd", "is not a URL"),
        ("cam", "url", "rtsp://127.0.0.1/x?password=******", "has ****** where a password belongs"),
        ("cam", "urlsub", "nonsense", "is not a URL"),
        ("cam", "urlsub", "rtsp://other:user@127.0.0.1/x", "has another user or password"),
        ("cam", "audio", "maybe", "is neither true nor false"),
        ("cam", "connect", "sometimes", "is none of"),
        ("cam", "transport", "H5_RTSP_HTTP", "is none of"),
        ("cam", "ip", "127.0.0.1", "is nothing that a source of type H5_STREAM has"),
        ("cam", "port", "80", "is nothing that a source of type H5_STREAM has"),
        ("cam", "profile", "Profile_1", "is not known to UpdateSrc"),
        ("onvif", "url", ABSENT, "is nothing that a source of type H5_ONVIF has"),
        ("onvif", "urlsub", ABSENT, "is nothing that a source of type H5_ONVIF has"),
        ("onvif", "ip", "http://h/", "is neither an address nor the name of a host"),
        ("onvif", "port", "0", "is not a whole number from 1 to 65535"),
        ("file", "user", "admin", "is nothing that a source of type H5_FILE has"),
        ("file", "transport", "H5_RTSP_TCP", "is nothing that a source of type H5_FILE has"),
        ("file", "url", "/etc/passwd", "lies outside the folders"),
        ("file", "url", "a.mp4", "is not an absolute path"),
        ("nobody", "token", "nobody", "there is no source nobody"),
    ] {
        let before = list(&daemon);
        // With a change that is good, and is not made.
        let params = [("token", token), ("audio", "true"), (name, value)];
        let params = if name == "audio" { vec![params[0], params[2]] } else { params.to_vec() };
        let (status, answer) = daemon.api("UpdateSrc", &params);
        assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{params:?}: {answer}");
        let text = answer["strCode"].as_str().expect("a text");
        assert!(text.starts_with(&format!("parameter {name}")), "{params:?}: {text}");
        assert!(text.contains(complaint), "{params:?}: {text}");
        assert_eq!(list(&daemon), before, "{params:?} changed something");
    }
    let (_, nothing) = daemon.api("UpdateSrc", &[TOKEN]);
    assert_eq!(nothing["strCode"], "no parameter names what is to be changed");
}

#[test]
fn a_recording_goes_on_over_a_change() {
    let (cameras, daemon) = (cameras(), scene::daemon(""));
    scene::add(&daemon, "cam", &cameras.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("week", "never"), ("snapshotseconds", "3600")]);
    let schedule = daemon.api_ok("GetRecordSchedule", &[TOKEN]);
    scene::wait_pictures(&daemon, "cam");
    let manual = |daemon: &Daemon| {
        let running = daemon.api_ok("GetRecordStatus", &[TOKEN]);
        let running = running["record"].as_array().expect("a list").iter();
        running.filter(|entry| entry["nType"] == "H5_REC_MANUAL").cloned().collect::<Vec<_>>()
    };
    let first = daemon.api_ok("ManualRecordStart", &[TOKEN])["strPath"].clone();

    // Another name cuts nothing: it is the same file still, and the camera is pulled as before.
    update(&daemon, "cam", &[("name", "Gate")]);
    // Long enough for a pull that was begun anew to be seen.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((&manual(&daemon)[0]["strPath"], cameras.sessions(0)), (&first, 1));
    assert_eq!(daemon.source("cam").expect("the source")["strName"], "Gate");

    // A camera that is not there: it waits for it.
    update(&daemon, "cam", &[("url", ABSENT)]);
    scene::wait_offline(&daemon, "cam", "refused");
    assert_eq!(manual(&daemon)[0]["strState"], "waiting");
    wait_for("the camera that is left", PATIENCE, || (cameras.sessions(0) == 0).then_some(()));

    update(&daemon, "cam", &[("url", &cameras.rtsp_url(1))]);
    scene::wait_source(&daemon, "cam", "the other picture", |entry| size(entry) == Some(SMALL));
    wait_for("another file", PATIENCE, || {
        let [running] = &manual(&daemon)[..] else { panic!("one recording by hand") };
        (running["strState"] == "recording" && running["strPath"] != first).then_some(())
    });
    assert_eq!(daemon.api_ok("GetRecordSchedule", &[TOKEN]), schedule);
    // What is recorded of it.
    std::thread::sleep(Duration::from_secs(2));
    daemon.api_ok("ManualRecordStop", &[TOKEN]);
    assert_eq!(manual(&daemon), [] as [Value; 0]);

    let first = footage::file(&daemon, first.as_str().expect("a path"));
    let mut sizes: Vec<_> = footage::recordings(&daemon, "cam")
        .iter()
        .map(|file| {
            let scan = read(file);
            assert!(scan.complete, "{}", file.display());
            let video = &scan.params.video;
            (*file != first, u64::from(video.width), u64::from(video.height))
        })
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes, [(false, 320, 240), (true, SMALL.0, SMALL.1)]);
}

/// Watches until the picture's size is known; it has the one that is expected.
async fn watch(daemon: &Daemon, profile: &str, expected: (u64, u64)) -> Viewer {
    let target = format!("/api/v1/h5swsapi?token=cam&profile={profile}&session={}", daemon.session);
    let mut viewer = Viewer::open(daemon.http, &target).await.expect("a socket");
    let end = Instant::now() + PATIENCE;
    loop {
        let params = [TOKEN, ("profile", profile)];
        let (_, facts) = daemon.api("GetVidStreamStatus", &params);
        if let Some(size) = size(&facts) {
            assert_eq!(size, expected, "{profile}");
            return viewer;
        }
        assert!(Instant::now() < end && !viewer.closed, "{profile}: no picture");
        viewer.next(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_picture_by_its_address() {
    let (cameras, daemon) = (cameras(), scene::daemon("[sources]\nwarm_seconds = 0\n"));
    scene::add(&daemon, "cam", &cameras.rtsp_url(0), &[("urlsub", &cameras.rtsp_url(1))]);
    let entry = daemon.source("cam").expect("the source");
    assert_eq!((&entry["strUrlSub"], &entry["bEnableUrlSub"]), (&json!(cameras.rtsp_url(1)), &json!(true)));
    scene::wait_pictures(&daemon, "cam");
    assert_eq!(cameras.sessions(1), 0, "nobody watches the small one");
    let sub = watch(&daemon, "sub", SMALL).await;
    let main = watch(&daemon, "main", (320, 240)).await;
    drop((sub, main));
    wait_for("nobody watches", PATIENCE, || (cameras.sessions(1) == 0).then_some(()));

    // Exchanged, then without: it is the main one then.
    update(&daemon, "cam", &[("url", &cameras.rtsp_url(1)), ("urlsub", &cameras.rtsp_url(0))]);
    drop((watch(&daemon, "sub", (320, 240)).await, watch(&daemon, "main", SMALL).await));
    update(&daemon, "cam", &[("urlsub", "")]);
    drop(watch(&daemon, "sub", SMALL).await);
    assert_eq!(cameras.sessions(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_cut_and_may_come_back() {
    let (cameras, daemon) = (cameras(), scene::daemon(""));
    scene::add(&daemon, "cam", &cameras.rtsp_url(0), &[]);
    let mut viewer = watch(&daemon, "main", (320, 240)).await;
    update(&daemon, "cam", &[("url", &cameras.rtsp_url(1))]);
    let end = Instant::now() + PATIENCE;
    while !viewer.closed {
        assert!(Instant::now() < end, "still open");
        viewer.next(Duration::from_secs(1)).await;
    }
    scene::wait_source(&daemon, "cam", "the other picture", |entry| size(entry) == Some(SMALL));
    drop(watch(&daemon, "main", SMALL).await);
    // Changed many times in a row, it is there once.
    for cam in [0, 1, 0, 1] {
        update(&daemon, "cam", &[("url", &cameras.rtsp_url(cam))]);
    }
    scene::wait_source(&daemon, "cam", "the last picture", |entry| size(entry) == Some(SMALL));
    wait_for("one session", PATIENCE, || {
        ((cameras.sessions(0), cameras.sessions(1)) == (0, 1)).then_some(())
    });
}
