//! Recording calls (manual 5.5.1 to 5.5.4) and schedules, on a real camera and a real disk: what is in the
//! files, where they lie, and what GetSrc says meanwhile.

mod support;

use std::time::{Duration, Instant};

use h5edge::media::frame::Track;
use serde_json::Value;
use support::{
    daemon::Daemon,
    fakecam::Fakecam,
    footage::{self, read, seconds, stamps},
    scene::{self, PATIENCE},
    wait_for,
};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN: (&str, &str) = ("token", "cam");

/// A daemon that has pulled one camera with a key frame every 2 s long enough for a whole pre-roll.
fn warm(config: &str, camera: &[&str]) -> (Fakecam, Daemon) {
    let scene = cold(config, 50, camera);
    scene::wait_pictures(&scene.1, "cam");
    std::thread::sleep(8 * SECOND);
    scene
}

fn cold(config: &str, gop: u32, camera: &[&str]) -> (Fakecam, Daemon) {
    let camera = scene::cameras(gop, camera);
    let daemon = scene::daemon(config);
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ALWAYS"), ("audio", "true")]);
    (camera, daemon)
}

/// The reason of a call that has to fail.
fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &Value::Bool(false)), "{call} {params:?}: {answer}");
    answer["strCode"].as_str().expect("a reason").to_owned()
}

fn wait_state(daemon: &Daemon, state: &str) -> Value {
    scene::wait_source(daemon, "cam", state, |entry| {
        assert_eq!(entry["bRec"], entry["strRecState"] == "recording");
        entry["strRecState"] == state
    })
}

/// The recordings of the camera as `Search` has them.
fn found(daemon: &Daemon) -> Vec<Value> {
    let span =
        [TOKEN, ("type", "record"), ("start", "2018-03-07T120101+08"), ("end", "2068-03-07T120101+08")];
    daemon.api_ok("Search", &span)["record"].as_array().expect("a list").clone()
}

fn path(answer: &Value) -> &str {
    answer["strPath"].as_str().expect("a path")
}

/// Microseconds since 1970, as the camera stamps its pictures.
fn now() -> f64 {
    support::stamp::now_us() as f64
}

#[test]
fn by_hand_from_start_to_stop() {
    let (_camera, daemon) = warm("", &["--audio", "aac"]);
    let before = daemon.source("cam").unwrap();
    assert_eq!((&before["bRec"], &before["strRecState"]), (&Value::Bool(false), &"idle".into()));
    assert_eq!(
        refused(&daemon, "ManualRecordStop", &[TOKEN]),
        "parameter token: no manual recording of cam is running"
    );

    let asked = Instant::now();
    let started = daemon.api_ok("ManualRecordStart", &[TOKEN]);
    let during = daemon.source("cam").unwrap();
    assert_eq!((&during["bRec"], &during["strRecState"]), (&Value::Bool(true), &"recording".into()));
    let again = daemon.api_ok("ManualRecordStart", &[TOKEN]);
    assert_eq!((&again["strPath"], &again["bExtended"]), (&started["strPath"], &Value::Bool(true)));

    // Playable while it is written, in whole fragments.
    let file = footage::file(&daemon, path(&started));
    wait_for("a second fragment", PATIENCE, || (seconds(&read(&file)) > 6.0).then_some(()));
    assert!(!read(&file).complete);

    daemon.api_ok("ManualRecordStop", &[TOKEN]);
    let took = asked.elapsed();
    assert_eq!(daemon.source("cam").unwrap()["bRec"], false);
    let done = read(&file);
    assert!(done.complete);
    assert!(done.params.audio.is_some());
    let pre_roll = seconds(&done) - took.as_secs_f64();
    assert!((4.5..8.0).contains(&pre_roll), "{pre_roll} s of pre-roll");
    assert_eq!(footage::recordings(&daemon, "cam"), [file]);
}

#[test]
fn for_a_time_and_longer() {
    let (_camera, daemon) = warm("", &[]);
    let asked = now();
    let started = daemon.api_ok("Record", &[TOKEN, ("duration", "3"), ("filename", "大门 (1).mp4")]);
    assert!(path(&started).ends_with("/大门 (1).mp4"), "{started}");
    let url = started["strUrl"].as_str().expect("an address");
    assert!(url.ends_with("/%E5%A4%A7%E9%97%A8%20(1).mp4"), "{url}");
    assert_eq!(started["bExtended"], false);
    let longer = daemon.api_ok("Record", &[TOKEN, ("duration", "4")]);
    assert_eq!((&longer["strPath"], &longer["bExtended"]), (&started["strPath"], &Value::Bool(true)));
    // An alarm is a recording of its own.
    let alarm = daemon.api_ok("Record", &[TOKEN, ("duration", "2"), ("type", "alarm")]);
    assert_ne!(alarm["strPath"], started["strPath"]);
    let running = daemon.api_ok("GetRecordStatus", &[TOKEN])["record"].clone();
    assert_eq!(
        (&running[0]["nType"], &running[0]["strPath"]),
        (&"H5_REC_MANUAL".into(), &started["strPath"])
    );
    let began = running[0]["strBeginTime"].as_str().expect("text");
    assert!(!began.is_empty() && running[0]["strStartTime"] == began, "{running}");
    assert_eq!((&running[1]["strState"], &running[1]["strPath"]), (&"recording".into(), &alarm["strPath"]));

    wait_state(&daemon, "idle");
    let stamps = stamps(&footage::file(&daemon, path(&started)));
    let lasted = (*stamps.last().unwrap() as f64 - asked) / 1e6;
    assert!((6.7..7.3).contains(&lasted), "{lasted} s after the request");
    let pre_roll = (asked - stamps[0] as f64) / 1e6;
    assert!((4.9..8.0).contains(&pre_roll), "{pre_roll} s of pre-roll");
    let all = found(&daemon);
    let causes: Vec<_> = all.iter().map(|item| item["nType"].as_str().unwrap()).collect();
    assert_eq!(all.len(), 2);
    assert!(causes.contains(&"H5_REC_MANUAL") && causes.contains(&"H5_REC_ALARM"), "{causes:?}");
    assert!(all.iter().all(|item| item["strDuration"] != "0"), "{all:?}");
}

#[test]
fn in_folders_that_the_client_names() {
    let (_camera, daemon) = cold("", 10, &[]);
    scene::wait_pictures(&daemon, "cam");
    // As the manual prints it, blank, line break and all.
    let session = &daemon.session;
    let sample = format!(
        "/api/v1/PathRecord?token=cam&start1=2018-3-29&start2=20-3-29&duration=100&tz=8&filename=xxxxx& \
         alwayscreate=true&&session={session}"
    );
    let (_, first) = daemon.get(&sample);
    assert_eq!(path(&first), "/mediastore/record/cam/2018-3-29TZ8/20-3-29/xxxxx.mp4", "{first}");
    assert!(footage::file(&daemon, path(&first)).exists());

    let at = |name: &'static str, tz: Option<&'static str>, apart: &'static str| {
        let mut params = vec![TOKEN, ("start1", "2018-03-29"), ("start2", "3-3-5"), ("duration", "100")];
        params.extend([("filename", name), ("alwayscreate", apart)]);
        params.extend(tz.map(|tz| ("tz", tz)));
        params
    };
    let used = [TOKEN, ("start1", "2018-3-29"), ("start2", "20-3-29"), ("duration", "9"), ("tz", "8")];
    let used = [&used[..], &[("filename", "xxxxx"), ("alwayscreate", "true")]].concat();
    let reason = refused(&daemon, "PathRecord", &used);
    assert!(
        reason.starts_with("parameter filename: there is record/cam/2018-3-29TZ8/20-3-29/xxxxx.mp4"),
        "{reason}"
    );

    for (name, tz, zone) in [("a", "-8", "-8"), ("b", "+5.5", "5.5"), ("c", " 8", "8"), ("d", "0", "0")] {
        let answer = daemon.api_ok("PathRecord", &at(name, Some(tz), "true"));
        assert_eq!(path(&answer), format!("/mediastore/record/cam/2018-3-29TZ{zone}/3-3-5/{name}.mp4"));
    }
    let here = daemon.api_ok("PathRecord", &at("e", None, "false"));
    assert_eq!(here["bExtended"], false);
    let longer = daemon.api_ok("PathRecord", &at("f", None, "false"));
    assert_eq!((&longer["bExtended"], &longer["strPath"]), (&Value::Bool(true), &here["strPath"]));

    for name in ["g", "h", "i"] {
        daemon.api_ok("PathRecord", &at(name, None, "true"));
    }
    let reason = refused(&daemon, "PathRecord", &at("j", None, "true"));
    assert_eq!(reason, "parameter alwayscreate: 8 recordings of cam are running");
    assert_eq!(found(&daemon).len(), 9);
    daemon.api_ok("ManualRecordStop", &[TOKEN]);
    assert!(footage::recordings(&daemon, "cam").iter().all(|file| read(file).complete));
}

#[test]
fn no_picture_is_lost_or_doubled_between_files() {
    let config = "[recording]\nrollover_seconds = 5\npre_roll_seconds = 0";
    let (_camera, daemon) = cold(config, 25, &["--audio", "aac"]);
    scene::wait_pictures(&daemon, "cam");
    // A named one goes on for an hour: what the others have to add up to.
    let whole =
        [TOKEN, ("start1", "2018-3-29"), ("start2", "3-3-5"), ("duration", "60"), ("filename", "whole")];
    let whole = daemon.api_ok("PathRecord", &[&whole[..], &[("alwayscreate", "true")]].concat());
    let whole = footage::file(&daemon, path(&whole));
    daemon.api_ok("ManualRecordStart", &[TOKEN]);
    let parts = || {
        let mut parts = footage::recordings(&daemon, "cam");
        parts.retain(|file| *file != whole);
        parts
    };
    wait_for("four files", 2 * PATIENCE, || (parts().len() >= 4).then_some(()));
    daemon.api_ok("ManualRecordStop", &[TOKEN]);

    let parts = parts();
    let pictures: Vec<u64> = parts.iter().flat_map(|file| stamps(file)).collect();
    let whole_pictures = stamps(&whole);
    let start = whole_pictures.iter().position(|stamp| *stamp == pictures[0]).expect("the same beginning");
    let same = &whole_pictures[start..];
    assert_eq!(pictures, same[..pictures.len().min(same.len())]);
    assert!(pictures.len().abs_diff(same.len()) <= 25, "{} and {}", pictures.len(), same.len());

    let scans: Vec<_> = parts.iter().map(|file| read(file)).collect();
    for pair in scans.windows(2) {
        assert!(pair[0].complete && (5.0..6.5).contains(&seconds(&pair[0])), "{}", seconds(&pair[0]));
        let end = pair[0].label.start.0 + (seconds(&pair[0]) * 1000.0) as i64;
        assert!((pair[1].label.start.0 - end).abs() <= 1, "{end} {:?}", pair[1].label);
    }
    let sounds = |file| read(file).index.samples(Track::Audio).count();
    let (in_parts, in_whole) = (parts.iter().map(|file| sounds(file)).sum::<usize>(), sounds(&whole));
    let per_picture = in_whole as f64 / whole_pictures.len() as f64;
    let expected = per_picture * pictures.len() as f64;
    assert!((in_parts as f64 - expected).abs() < 4.0, "{in_parts} sounds, expected {expected}");
}

#[test]
fn a_camera_that_drops_or_changes_goes_on_in_a_new_file() {
    let (camera, daemon) = cold("", 25, &[]);
    scene::wait_pictures(&daemon, "cam");
    let started = daemon.api_ok("Record", &[TOKEN, ("duration", "600"), ("filename", "door")]);
    let first = footage::file(&daemon, path(&started));
    wait_for("a fragment", PATIENCE, || (seconds(&read(&first)) > 1.5).then_some(()));

    let changed = now();
    camera.control("resize?cam=0&size=640x480");
    let second = first.with_file_name("door-2.mp4");
    wait_for("a file of the other size", PATIENCE, || second.exists().then_some(()));
    let scan = wait_for("the first closed", PATIENCE, || Some(read(&first)).filter(|scan| scan.complete));
    assert_eq!((scan.params.video.width, read(&second).params.video.width), (320, 640));
    // It has all that the camera had sent until then: the new size begins with a key frame.
    let last = *stamps(&first).last().unwrap() as f64;
    assert!(last > changed - 50_000.0, "ends {} s before the change", (changed - last) / 1e6);

    wait_for("a fragment", PATIENCE, || (seconds(&read(&second)) > 1.5).then_some(()));
    camera.control("restart?cam=0&down=4");
    wait_state(&daemon, "waiting");
    assert!(read(&second).complete);
    let third = first.with_file_name("door-3.mp4");
    wait_for("a file after the return", PATIENCE, || third.exists().then_some(()));
    wait_state(&daemon, "recording");
    daemon.api_ok("ManualRecordStop", &[TOKEN]);
    assert_eq!(found(&daemon).len(), 3);
}

#[test]
fn by_schedule_and_again_after_a_restart() {
    let (_camera, mut daemon) = cold("", 25, &[]);
    let schedule = |daemon: &Daemon| {
        let answer = daemon.api_ok("GetRecordSchedule", &[TOKEN]);
        (answer["strWeek"].as_str().unwrap().to_owned(), answer["nSnapshotSeconds"].as_u64().unwrap())
    };
    assert_eq!(schedule(&daemon), ("0".repeat(168), 0));
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("week", "always")]);
    wait_state(&daemon, "recording");
    assert_eq!(
        refused(&daemon, "ManualRecordStop", &[TOKEN]),
        "parameter token: no manual recording of cam is running"
    );
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("snapshotseconds", "3600")]);

    let took = daemon.terminate();
    assert!(took < 5 * SECOND, "{took:?}");
    let files = footage::recordings(&daemon, "cam");
    assert!(files.len() == 1 && read(&files[0]).complete);
    daemon.restart();
    daemon.login();
    wait_state(&daemon, "recording");
    assert_eq!(schedule(&daemon), ("1".repeat(168), 3600));
    let all = found(&daemon);
    assert!(all.len() == 2 && all.iter().all(|item| item["nType"] == "H5_REC_SCHEDULE"), "{all:?}");
    assert_ne!(all[0]["strDuration"], "0");

    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("week", "never")]);
    wait_state(&daemon, "idle");
    assert!(footage::recordings(&daemon, "cam").iter().all(|file| read(file).complete));
    daemon.api_ok("SetRecordSchedule", &[TOKEN, ("week", "always")]);
    wait_state(&daemon, "recording");

    // With its source it goes; what was recorded stays.
    let url = daemon.source("cam").unwrap()["strUrl"].as_str().unwrap().to_owned();
    daemon.api_ok("DelSrc", &[TOKEN]);
    assert!(footage::recordings(&daemon, "cam").iter().all(|file| read(file).complete));
    scene::add(&daemon, "cam", &url, &[]);
    assert_eq!(schedule(&daemon), ("0".repeat(168), 0));
}

#[test]
fn bad_requests_are_refused_by_name_and_leave_nothing() {
    let (_camera, daemon) = cold("", 25, &[]);
    let at = [TOKEN, ("start1", "2018-3-29"), ("start2", "20-3-29"), ("duration", "5"), ("filename", "x")];
    let long = "x".repeat(101);
    let with = |name: &'static str, value| {
        let mut params = at.to_vec();
        match params.iter_mut().find(|(known, _)| *known == name) {
            Some(param) => param.1 = value,
            None => params.push((name, value)),
        }
        params
    };
    let path_record = [
        ("token", "nobody"),
        ("token", "../cam"),
        ("start1", "2018-2-29"),
        ("start1", "../../1-1-1"),
        ("start2", "25-0-0"),
        ("start2", "1-2"),
        ("duration", "0"),
        ("duration", "86401"),
        ("duration", "-1"),
        ("duration", "1e3"),
        ("tz", "15"),
        ("tz", "x"),
        ("filename", "../x"),
        ("filename", "a/b"),
        ("filename", ".x"),
        ("filename", &long),
        ("filename", "a\\b"),
        ("alwayscreate", "maybe"),
        ("start1", ""),
        ("filename", ""),
    ];
    for (name, value) in path_record {
        let reason = refused(&daemon, "PathRecord", &with(name, value));
        assert!(reason.starts_with(&format!("parameter {name}")), "{name}={value}: {reason}");
    }
    let others = [
        ("Record", vec![TOKEN], "duration"),
        ("Record", vec![("token", "nobody"), ("duration", "5")], "token"),
        ("Record", vec![TOKEN, ("duration", "5"), ("filename", "a\u{2028}b")], "filename"),
        ("Record", vec![TOKEN, ("duration", "5"), ("type", "schedule")], "type"),
        ("Record", vec![TOKEN, ("duration", "5"), ("fps", "5")], "fps"),
        ("ManualRecordStart", vec![("token", "nobody")], "token"),
        ("ManualRecordStop", vec![("token", "nobody")], "token"),
        ("SetRecordSchedule", vec![("token", "nobody"), ("week", "always")], "token"),
        ("SetRecordSchedule", vec![TOKEN, ("week", "0101")], "week"),
        ("SetRecordSchedule", vec![TOKEN], "week"),
        ("SetRecordSchedule", vec![TOKEN, ("snapshotseconds", "86401")], "snapshotseconds"),
        ("GetRecordSchedule", vec![("token", "nobody")], "token"),
        ("GetRecordStatus", vec![("token", "nobody")], "token"),
    ];
    for (call, params, name) in others {
        let reason = refused(&daemon, call, &params);
        assert!(reason.starts_with(&format!("parameter {name}")), "{call} {params:?}: {reason}");
    }
    assert!(footage::recordings(&daemon, "cam").is_empty());
    assert_eq!(daemon.source("cam").unwrap()["strRecState"], "idle");
}

#[test]
fn a_source_that_is_offline_is_refused_with_its_reason() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", "rtsp://127.0.0.1:1/none", &[]);
    scene::wait_offline(&daemon, "cam", "refused");
    let asked = Instant::now();
    let reason = refused(&daemon, "Record", &[TOKEN, ("duration", "60")]);
    assert!(reason.starts_with("source is offline: "), "{reason}");
    assert!(asked.elapsed() < 12 * SECOND);
    assert_eq!(daemon.source("cam").unwrap()["strRecState"], "idle");
    assert!(footage::recordings(&daemon, "cam").is_empty());
}

#[test]
fn a_recording_pulls_its_source_and_ends_in_order_with_the_daemon() {
    let camera = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("[sources]\nwarm_seconds = 1");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ONDEMAND")]);
    wait_for("the camera left alone", PATIENCE, || {
        (daemon.source("cam")?["strOfflineReason"].is_null()
            && camera.frames(0) > 0
            && camera.sessions(0) == 0)
            .then_some(())
    });
    let started = daemon.api_ok("ManualRecordStart", &[TOKEN]);
    assert_eq!(camera.sessions(0), 1);
    let file = footage::file(&daemon, path(&started));
    wait_for("fragments", PATIENCE, || (seconds(&read(&file)) > 3.0).then_some(()));
    let stopped = now();
    let took = daemon.terminate();
    assert!(took < 5 * SECOND, "{took:?}");
    assert!(read(&file).complete);
    // What was not yet in a fragment is in it, too.
    let last = *stamps(&file).last().unwrap() as f64;
    assert!(last > stopped - 300_000.0, "ends {} s early", (stopped - last) / 1e6);
    daemon.restart();
    daemon.login();
    let all = found(&daemon);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["strDuration"], (seconds(&read(&file)).round() as u64).to_string());
}
