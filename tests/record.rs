//! Recording calls (manual 5.5.1 to 5.5.4) and schedules, on a real camera and a real disk: what is in the
//! files, where they lie, and what GetSrc says meanwhile.

mod support;

use std::time::{Duration, Instant};

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

fn wait_recording(daemon: &Daemon, recording: bool) {
    scene::wait_source(daemon, "cam", "bRec", |entry| entry["bRec"] == recording);
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
    let path = started["strPath"].as_str().expect("a path");
    let during = daemon.source("cam").unwrap();
    assert_eq!((&during["bRec"], &during["strRecState"]), (&Value::Bool(true), &"recording".into()));
    let again = daemon.api_ok("ManualRecordStart", &[TOKEN]);
    assert_eq!((&again["strPath"], &again["bExtended"]), (&started["strPath"], &Value::Bool(true)));

    // Playable while it is written, in whole fragments.
    let file = footage::file(&daemon, path);
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
