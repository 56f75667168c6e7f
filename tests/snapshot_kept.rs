//! Snapshots that are kept (manual 5.5.5 and 5.5.6), by hand and by schedule, and what GetImage shows of a
//! source that shows nothing, over the API of the real daemon.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::Daemon;
use support::http::{self, Response};
use support::scene::{self, PATIENCE};
use support::wait_for;

const TOKEN: (&str, &str) = ("token", "cam");
const ALWAYS: &[(&str, &str)] = &[("connect", "H5_ALWAYS")];

fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &Value::Bool(false)), "{call} {params:?}: {answer}");
    answer["strCode"].as_str().expect("a reason").to_owned()
}

fn get(daemon: &Daemon, path: &str) -> Response {
    let and = if path.contains('?') { '&' } else { '?' };
    http::get(daemon.http, &format!("{path}{and}session={}", daemon.session))
}

/// What GetImage shows.
fn image(daemon: &Daemon) -> Vec<u8> {
    let answer = get(daemon, "/api/v1/GetImage?token=cam");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/jpeg")));
    answer.body
}

/// Width and height in the frame header of a JPEG (baseline: SOF0).
fn size(jpeg: &[u8]) -> (u16, u16) {
    assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
    let at = jpeg.windows(4).position(|head| head == [0xff, 0xc0, 0, 17]).expect("a frame header");
    let side = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    (side(at + 7), side(at + 5))
}

/// All snapshots of `cam`, oldest first.
fn kept(daemon: &Daemon) -> Vec<Value> {
    let span = [("start", "2018-01-01T000000Z"), ("end", "2100-01-01T000000Z")];
    let answer = daemon.api_ok("Search", &[&[TOKEN, ("type", "snapshot")], &span[..]].concat());
    answer["record"].as_array().expect("a list").clone()
}

#[test]
fn a_snapshot_is_kept_found_and_fetched() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), ALWAYS);
    scene::wait_pictures(&daemon, "cam");

    let plain = daemon.api_ok("Snapshot", &[TOKEN]);
    let named = daemon.api_ok("Snapshot", &[TOKEN, ("filename", "front door.jpg"), ("width", "160")]);
    let found = kept(&daemon);
    for (answer, wanted) in [(&plain, (320, 240)), (&named, (160, 120))] {
        let url = answer["strUrl"].as_str().expect("an address");
        let file = get(&daemon, url);
        assert_eq!((file.status, file.header("content-type")), (200, Some("image/jpeg")));
        assert_eq!(size(&file.body), wanted);
        let entry = found.iter().find(|entry| entry["strUrl"] == url).expect("an entry of Search");
        assert_eq!(
            (&entry["nType"], &entry["strEndTime"]),
            (&"H5_REC_MANUAL".into(), &entry["strStartTime"])
        );
    }
    assert_eq!(found.len(), 2);
    let url = named["strUrl"].as_str().unwrap();
    assert!(url.starts_with("/mediastore/snapshot/cam/") && url.ends_with("/front%20door.jpg"), "{url}");

    let place = [TOKEN, ("start1", "2018-3-29"), ("start2", "20-3-29"), ("tz", "8"), ("filename", "gate")];
    let answer = daemon.api_ok("PathSnapshot", &place);
    assert_eq!(answer["strUrl"], "/mediastore/snapshot/cam/2018-3-29TZ8/20-3-29/gate.jpg");
    let reason = refused(&daemon, "PathSnapshot", &place);
    assert!(reason.starts_with("parameter filename: there is snapshot/cam/2018-3-29TZ8"), "{reason}");
    assert_eq!(kept(&daemon).len(), 3);
}

#[test]
fn faults_are_named_and_nothing_is_kept() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), ALWAYS);
    let path = |name, value| {
        let mut all = [TOKEN, ("start1", "2018-3-29"), ("start2", "20-3-29"), ("tz", "8"), ("filename", "x")];
        let at = all.iter().position(|(other, _)| *other == name).unwrap();
        all[at].1 = value;
        all
    };
    for (name, value) in [
        ("start1", "2018-13-1"),
        ("start2", "25-0-0"),
        ("tz", "99"),
        ("filename", "../../x"),
        ("token", "no"),
    ] {
        let reason = refused(&daemon, "PathSnapshot", &path(name, value));
        assert!(reason.starts_with(&format!("parameter {name}")), "{reason}");
    }
    assert_eq!(refused(&daemon, "PathSnapshot", &[TOKEN]), "parameter start1 is missing");
    let reason = refused(&daemon, "Snapshot", &[TOKEN, ("width", "7")]);
    assert_eq!(reason, "parameter width is not a whole number from 16 to 3840");
    assert!(refused(&daemon, "Snapshot", &[TOKEN, ("filename", "a/b")]).starts_with("parameter filename "));
    assert_eq!(kept(&daemon).len(), 0);
}

#[test]
fn the_newest_key_frame_of_the_past_is_taken_at_once() {
    // A key frame every 20 s.
    let camera = scene::cameras(500, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("Snapshot", &[TOKEN, ("width", "64")]);
    std::thread::sleep(Duration::from_secs(3));
    let begun = Instant::now();
    daemon.api_ok("Snapshot", &[TOKEN]);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // The same key frame: the picture's time is kept, not that of the asking.
    let found = kept(&daemon);
    assert_eq!(found.len(), 2);
    let seconds = |entry: &Value| entry["strStartTime"].as_str().unwrap()[17..19].parse::<i64>().unwrap();
    let apart = (seconds(&found[1]) - seconds(&found[0])).rem_euclid(60);
    assert!(apart <= 1 || apart == 59, "{found:?}");
}

#[test]
fn a_source_that_waits_is_opened_for_a_snapshot_and_not_for_an_image() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 0");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ONDEMAND")]);
    let placeholder = image(&daemon);
    assert_eq!((size(&placeholder), camera.sessions(0)), ((640, 360), 0));

    let answer = daemon.api_ok("Snapshot", &[TOKEN]);
    let snapshot = get(&daemon, answer["strUrl"].as_str().unwrap()).body;
    assert_eq!(size(&snapshot), (320, 240));
    wait_for("the camera to be left alone again", PATIENCE, || (camera.sessions(0) == 0).then_some(()));
    // The last picture, without opening the camera.
    let begun = Instant::now();
    assert_eq!(size(&image(&daemon)), (320, 240));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(camera.sessions(0), 0);
}

#[test]
fn a_source_that_is_offline_refuses_a_snapshot_and_shows_its_last_image() {
    let mut camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), ALWAYS);
    scene::add(&daemon, "never", "rtsp://127.0.0.1:9/none", ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    assert_eq!(size(&image(&daemon)), (320, 240));
    camera.process.kill();
    let entry = scene::wait_source(&daemon, "cam", "the loss", |entry| entry["bOnline"] == false);
    assert!(entry["strOfflineText"].is_string(), "{entry}");

    let begun = Instant::now();
    let reason = refused(&daemon, "Snapshot", &[TOKEN]);
    assert!(reason.starts_with("parameter token: source is offline: "), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert_eq!(kept(&daemon).len(), 0);
    assert_eq!(size(&image(&daemon)), (320, 240));
    assert_eq!(size(&get(&daemon, "/api/v1/GetImage?token=never").body), (640, 360));
}

#[test]
fn a_schedule_takes_snapshots_until_it_ends() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 0");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ONDEMAND")]);
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("snapshotseconds", "1")]);
    let enough = wait_for("four snapshots", PATIENCE, || Some(kept(&daemon)).filter(|all| all.len() >= 4));
    let paths: std::collections::BTreeSet<_> = enough.iter().map(|entry| entry["strPath"].as_str()).collect();
    assert_eq!(paths.len(), enough.len());
    assert!(enough.iter().all(|entry| entry["nType"] == "H5_REC_SCHEDULE"), "{enough:?}");
    // So often that the camera stays open in between.
    assert_eq!(daemon.source("cam").unwrap()["nViewers"], 1);

    // A camera that hangs is left out: nothing is taken twice or made up for.
    camera.freeze();
    scene::wait_source(&daemon, "cam", "the stall", |entry| entry["bOnline"] == false);
    let before = kept(&daemon).len();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(kept(&daemon).len(), before);
    camera.thaw();
    wait_for("snapshots again", 2 * PATIENCE, || (kept(&daemon).len() > before).then_some(()));

    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("snapshotseconds", "0")]);
    wait_for("the camera to be left alone", PATIENCE, || (camera.sessions(0) == 0).then_some(()));
    let after = kept(&daemon).len();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(kept(&daemon).len(), after);
}

#[test]
fn a_slow_schedule_opens_the_camera_for_each_picture() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 0");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ONDEMAND")]);
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("snapshotseconds", "3600")]);
    wait_for("the first snapshot", PATIENCE, || (kept(&daemon).len() == 1).then_some(()));
    wait_for("the camera to be left alone", PATIENCE, || (camera.sessions(0) == 0).then_some(()));
}
