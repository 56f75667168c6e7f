//! Disks that vanish, fill up and turn read-only under running recordings, and what is deleted when.
//! On real file systems, which takes root; without it the tests say that they are skipped.

mod support;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use support::{
    daemon::{Daemon, DaemonOptions},
    disk::Disk,
    fakecam::Fakecam,
    footage,
    kept::{Footage, database},
    rows,
    scene::{self, PATIENCE},
    wait_for,
    ws::Viewer,
};
use tempfile::TempDir;

const SECOND: Duration = Duration::from_secs(1);
const CAM: (&str, &str) = ("token", "cam");
const ALWAYS: [(&str, &str); 1] = [("connect", "H5_ALWAYS")];

/// `[[volume]]` entries: the first one in a folder of its own, the second on `disk`, for source `cam`.
fn config(main: &TempDir, disk: &Disk, keep_free_mb: u32, recording: &str) -> String {
    let (main, disk) = (main.path().join("main"), disk.path());
    format!(
        "[recording]\nrollover_seconds = 5\n{recording}\n\
         [[volume]]\nname = \"main\"\npath = {main:?}\nkeep_free_mb = 1\n\
         [[volume]]\nname = \"disk\"\npath = {disk:?}\nkeep_free_mb = {keep_free_mb}\nsources = [\"cam\"]\n"
    )
}

/// What GetStorageInfo says of a volume.
fn volume(daemon: &Daemon, name: &str) -> Value {
    let info = daemon.api_ok("GetStorageInfo", &[]);
    let volumes = info["volume"].as_array().expect("volumes");
    volumes.iter().find(|volume| volume["strName"] == name).expect("the volume").clone()
}

/// Waits for a state; the text.
fn wait_state(daemon: &Daemon, name: &str, state: &str) -> String {
    let mut last = Value::Null;
    wait_for(&format!("volume {name} {state}"), PATIENCE, || {
        let now = volume(daemon, name);
        if now != last {
            eprintln!("{now}");
            last = now;
        }
        (last["strState"] == state).then(|| last["strText"].as_str().expect("a text").to_owned())
    })
}

fn wait_rec_state(daemon: &Daemon, token: &str, state: &str) {
    scene::wait_source(daemon, token, state, |entry| entry["strRecState"] == state);
}

fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &Value::Bool(false)), "{call} {params:?}: {answer}");
    answer["strCode"].as_str().expect("a reason").to_owned()
}

/// A camera of about 2 MB a second.
fn big_camera() -> Fakecam {
    let big = ["--size", "1280x720", "--bitrate", "16000", "--clip-seconds", "2", "--gop", "25"];
    Fakecam::start(&big)
}

async fn watch(daemon: &Daemon) -> Viewer {
    Viewer::watch(daemon.http, "cam", &daemon.session).await.expect("a socket")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_is_pulled_out_and_put_back() {
    let Some(disk) = Disk::ext4(64) else { return };
    let camera = scene::cameras(25, &["--cams", "2"]);
    let main = tempfile::tempdir().unwrap();
    let mut daemon = scene::daemon(&config(&main, &disk, 1, ""));
    for (number, token) in ["cam", "yard"].into_iter().enumerate() {
        scene::add(&daemon, token, &camera.rtsp_url(number), &ALWAYS);
        scene::wait_pictures(&daemon, token);
        daemon.api_ok("ManualRecordStart", &[("token", token)]);
    }
    assert_eq!(volume(&daemon, "disk")["strState"], "online");
    assert!(disk.path().join("record/cam").is_dir() && !disk.path().join("record/yard").exists());
    assert!(main.path().join("main/record/yard").is_dir());
    wait_for("a closed file", PATIENCE, || (footage::files(&disk.path()).len() > 1).then_some(()));
    let mut viewer = watch(&daemon).await;

    disk.unmount();
    let text = wait_state(&daemon, "disk", "gone");
    assert!(text.starts_with("volume disk is not there: no file .h5edge-volume in "), "{text}");
    wait_rec_state(&daemon, "cam", "trouble");
    assert_eq!(refused(&daemon, "Record", &[CAM, ("duration", "5"), ("type", "alarm")]), text);
    assert_eq!(daemon.source("yard").unwrap()["strRecState"], "recording");
    viewer.watch_for(Instant::now() - viewer.opened + 3 * SECOND).await;
    viewer.check();
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0, "nothing is written into a bare mount point");

    disk.mount().unwrap();
    wait_state(&daemon, "disk", "online");
    wait_rec_state(&daemon, "cam", "recording");
    let before = footage::files(&disk.path()).len();
    wait_for("new files", PATIENCE, || (footage::files(&disk.path()).len() > before).then_some(()));
    for token in ["cam", "yard"] {
        daemon.api_ok("ManualRecordStop", &[("token", token)]);
    }
    let roots = [("main", main.path().join("main")), ("disk", disk.path())];
    let found = rows::consistent(daemon.data_dir(), &roots);
    assert!(found.iter().all(|row| !row.open), "{found:#?}");
    assert!(found.iter().all(|row| (row.volume == "disk") == (row.token == "cam")));
    assert_eq!(volume(&daemon, "disk")["nSetAside"], 0);
    daemon.terminate();
}

#[test]
fn a_disk_pulled_out_for_good_is_another_one_later() {
    let (Some(disk), Some(other)) = (Disk::ext4(64), Disk::ext4(64)) else { return };
    let camera = scene::cameras(25, &[]);
    let main = tempfile::tempdir().unwrap();
    let mut daemon = scene::daemon(&config(&main, &disk, 1, ""));
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("Record", &[CAM, ("duration", "3"), ("filename", "kept")]);
    wait_rec_state(&daemon, "cam", "idle");
    // What is on the other disk came from elsewhere, and one of its files is damaged.
    let path = rows::rows(daemon.data_dir()).remove(0).path;
    for name in ["record/cam/2018-3-29TZ8/20-3-29/known.mp4", "record/cam/2018-3-29TZ8/20-3-29/bad.mp4"] {
        let to = other.path().join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(disk.path().join(&path), to).unwrap();
    }
    let bad = other.path().join("record/cam/2018-3-29TZ8/20-3-29/bad.mp4");
    fs::write(&bad, [b'x'; 100_000]).unwrap();
    fs::write(other.path().join(".h5edge-volume"), "11111111-2222-4333-8444-555555555555").unwrap();
    disk.unmount();
    wait_state(&daemon, "disk", "gone");
    other.unmount();
    other.mount_at(&disk.path());
    wait_state(&daemon, "disk", "online");
    let found =
        rows::consistent(daemon.data_dir(), &[("disk", disk.path()), ("main", main.path().join("main"))]);
    let paths: Vec<_> = found.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(paths, ["record/cam/2018-3-29TZ8/20-3-29/known.mp4"]);
    assert_eq!(volume(&daemon, "disk")["nSetAside"], 1);
    let reason = disk.path().join("set-aside/1-record_cam_2018-3-29TZ8_20-3-29_bad.mp4.txt");
    assert!(fs::read_to_string(reason).unwrap().contains("bad.mp4\n"));
    daemon.terminate();
}

#[test]
fn a_disk_turns_read_only_and_back() {
    let Some(disk) = Disk::ext4(64) else { return };
    let camera = scene::cameras(25, &[]);
    let main = tempfile::tempdir().unwrap();
    let mut daemon = scene::daemon(&config(&main, &disk, 1, ""));
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("Record", &[CAM, ("duration", "3")]);
    wait_rec_state(&daemon, "cam", "idle");
    disk.remount("ro");
    let text = wait_state(&daemon, "disk", "readonly");
    assert_eq!(text, "volume disk can only be read from");
    assert_eq!(refused(&daemon, "ManualRecordStart", &[CAM]), text);
    disk.remount("rw");
    wait_state(&daemon, "disk", "online");

    // As a file system does that finds itself damaged, under a running recording.
    daemon.api_ok("ManualRecordStart", &[CAM]);
    disk.remount("abort");
    wait_state(&daemon, "disk", "readonly");
    wait_rec_state(&daemon, "cam", "trouble");
    daemon.terminate();
    disk.repair();
    daemon.restart();
    daemon.login();
    wait_state(&daemon, "disk", "online");
    let found =
        rows::consistent(daemon.data_dir(), &[("disk", disk.path()), ("main", main.path().join("main"))]);
    assert!(!found.is_empty() && found.iter().all(|row| !row.open), "{found:#?}");
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_the_oldest_and_then_stops_recording_until_there_is_room() {
    let Some(disk) = Disk::memory(64) else { return };
    let camera = big_camera();
    let main = tempfile::tempdir().unwrap();
    let mut daemon = scene::daemon(&config(&main, &disk, 24, "pre_roll_seconds = 0"));
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("ManualRecordStart", &[CAM]);
    let closed = |data: &Daemon| -> Vec<rows::Row> {
        rows::rows(data.data_dir()).into_iter().filter(|row| !row.open).collect()
    };
    let first = wait_for("two files", PATIENCE, || Some(closed(&daemon)).filter(|rows| rows.len() > 1));
    let (locked, unlocked) = (&first[0], &first[1]);
    let path = format!("/mediastore/{}", locked.path);
    daemon.api_ok("LockRecord", &[CAM, ("path", &path)]);
    wait_for("the oldest unlocked to go", 2 * PATIENCE, || {
        (!disk.path().join(&unlocked.path).exists()).then_some(())
    });
    assert!(disk.path().join(&locked.path).exists(), "the locked one stays");
    assert_eq!(volume(&daemon, "disk")["strState"], "online");
    assert_eq!(daemon.source("cam").unwrap()["strRecState"], "recording");

    // Somebody else takes all the room there is, so the locked one has to go, too.
    let mut viewer = watch(&daemon).await;
    let hog = disk.path().join("hog");
    let fill = |leave: u64| {
        let more = disk.free().saturating_sub(leave);
        let old = fs::metadata(&hog).map_or(0, |data| data.len());
        fs::write(&hog, vec![1; (old + more) as usize]).unwrap();
    };
    fill(8 << 20);
    let text = wait_for("a full disk", 2 * PATIENCE, || {
        if disk.free() > 12 << 20 {
            fill(8 << 20);
        }
        let now = volume(&daemon, "disk");
        (now["strState"] == "full").then(|| now["strText"].as_str().unwrap().to_owned())
    });
    assert!(text.starts_with("volume disk is full: ") && text.contains("where 24 should be"), "{text}");
    wait_rec_state(&daemon, "cam", "trouble");
    let refusal = refused(&daemon, "Record", &[CAM, ("duration", "5"), ("type", "alarm")]);
    assert!(refusal.starts_with("volume disk is full: "), "{refusal}");
    viewer.watch_for(Instant::now() - viewer.opened + 3 * SECOND).await;
    viewer.check();
    fs::remove_file(&hog).unwrap();
    wait_state(&daemon, "disk", "online");
    wait_rec_state(&daemon, "cam", "recording");
    daemon.api_ok("ManualRecordStop", &[CAM]);
    let found =
        rows::consistent(daemon.data_dir(), &[("disk", disk.path()), ("main", main.path().join("main"))]);
    assert!(found.iter().all(|row| !row.open), "{found:#?}");
    daemon.terminate();
}

#[test]
fn what_is_too_old_goes_and_a_source_keeps_to_its_share() {
    let camera = big_camera();
    let mut daemon =
        scene::daemon("[recording]\nrollover_seconds = 5\npre_roll_seconds = 0\nmax_mb_per_source = 40\n");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("ManualRecordStart", &[CAM]);
    let closed = |daemon: &Daemon| -> Vec<rows::Row> {
        rows::rows(daemon.data_dir()).into_iter().filter(|row| !row.open).collect()
    };
    wait_for("three files", PATIENCE, || (closed(&daemon).len() > 2).then_some(()));
    daemon.api_ok("ManualRecordStop", &[CAM]);
    let made = closed(&daemon);
    daemon.terminate();
    // The first is old, the second too, but locked.
    for (row, locked) in made.iter().zip([0, 1]) {
        rows::execute(
            daemon.data_dir(),
            &format!(
                "UPDATE footage SET start_ms = start_ms - 31 * 86400000, end_ms = end_ms - 31 * 86400000, \
                 locked = {locked} WHERE id = {}",
                row.id
            ),
        );
    }
    daemon.restart();
    daemon.login();
    let root = footage::volume(&daemon);
    wait_for("the old one to go", 2 * PATIENCE, || (!root.join(&made[0].path).exists()).then_some(()));
    assert!(root.join(&made[1].path).exists());
    assert!(root.join(&made[2].path).exists());
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("ManualRecordStart", &[CAM]);
    wait_for("the share to be reached", 3 * PATIENCE, || (!root.join(&made[2].path).exists()).then_some(()));
    wait_for("more files", PATIENCE, || (closed(&daemon).len() > 2).then_some(()));
    daemon.api_ok("ManualRecordStop", &[CAM]);
    assert!(root.join(&made[1].path).exists(), "the locked one goes last");
    wait_for("the share", PATIENCE, || {
        let sum: u64 = rows::rows(daemon.data_dir()).iter().map(|row| row.bytes).sum();
        (sum <= 40 << 20).then_some(())
    });
    let info = daemon.api_ok("GetStorageInfo", &[]);
    let found = rows::consistent(daemon.data_dir(), &[("main", root)]);
    let main = &info["volume"][0];
    assert_eq!(main["nRecordCount"], found.len());
    assert_eq!(main["nRecordByte"], found.iter().map(|row| row.bytes).sum::<u64>());
    assert!(info["nWrittenTodayByte"].as_u64().unwrap() >= main["nRecordByte"].as_u64().unwrap());
    assert_eq!(info["nMaxBytePerSource"], 40 << 20);
    let run = daemon.api_ok("GetRunInfo", &[]);
    assert!(run["nRecordTotalSpaceByte"].as_u64() > run["nRecordFreeSpaceByte"].as_u64());
    daemon.terminate();
}

#[test]
fn what_lies_on_the_disk_and_what_is_in_the_database_agree_after_a_start() {
    let camera = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("[recording]\nrollover_seconds = 5\n");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("ManualRecordStart", &[CAM]);
    wait_for("three files", PATIENCE, || (rows::rows(daemon.data_dir()).len() > 3).then_some(()));
    daemon.terminate();
    let root = footage::volume(&daemon);
    let before = rows::consistent(daemon.data_dir(), &[("main", root.clone())]);
    let files: Vec<PathBuf> = before.iter().map(|row| root.join(&row.path)).collect();
    // One file is lost, one row is, and one file is damaged beyond use.
    fs::remove_file(&files[0]).unwrap();
    rows::execute(daemon.data_dir(), &format!("DELETE FROM footage WHERE id = {}", before[1].id));
    fs::write(&files[2], vec![b'x'; 100_000]).unwrap();
    daemon.restart();
    daemon.login();
    wait_state(&daemon, "main", "online");
    let after = rows::consistent(daemon.data_dir(), &[("main", root.clone())]);
    let adopted = after.iter().find(|row| row.path == before[1].path).expect("the adopted one");
    assert_eq!(rows::Row { id: before[1].id, ..adopted.clone() }, before[1]);
    assert!(!after.iter().any(|row| row.path == before[0].path || row.path == before[2].path));
    assert_eq!(after.len(), before.len() - 2);
    assert_eq!(volume(&daemon, "main")["nSetAside"], 1);
    assert_eq!(volume(&daemon, "main")["bReconciled"], true);
    let log = daemon.process.log();
    for what in ["not on the disk: removed", "is adopted", "is set aside"] {
        assert!(log.contains(what), "{what}: {log}");
    }
    daemon.terminate();
}

/// A recording of `token` of so many days ago.
fn kept(daemon: &Daemon, token: &'static str, days: i64, bytes: usize) -> PathBuf {
    let start = days_ago(days);
    let path = format!("2018-4-25TZ8/19-32-5/{days}.mp4");
    let footage = Footage { token, path: &path, start, end: start + 1000, ..Footage::default() };
    footage.add(daemon.data_dir(), &vec![7; bytes]);
    footage.file(daemon.data_dir())
}

fn days_ago(days: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    now.as_millis() as i64 - days * 86_400_000
}

#[test]
fn retention_that_is_set_holds_at_once_and_after_a_restart() {
    /// Less than the time after which it is looked at anyway.
    const AT_ONCE: Duration = Duration::from_secs(15);
    let mut daemon = scene::daemon("[recording]\nkeep_days = 0\nkeep_snapshot_days = 7\n");
    let told = |daemon: &Daemon| {
        let told = daemon.api_ok("GetRetention", &[]);
        ["nKeepDays", "nKeepSnapshotDays", "nMaxMbPerSource"]
            .map(|name| told[name].as_u64().expect("a number"))
    };
    assert_eq!(told(&daemon), [0, 7, 0]);
    let (old, young) = (kept(&daemon, "cam", 40, 100), kept(&daemon, "cam", 20, 100));
    let (first, second) = (kept(&daemon, "yard", 3, 2 << 20), kept(&daemon, "yard", 2, 2 << 20));
    for (params, why) in [
        (vec![], "parameter days is missing"),
        (vec![("days", "4000")], "parameter days is not a whole number from 0 to 3650"),
        (vec![("days", "-1")], "parameter days is not a whole number from 0 to 3650"),
        (vec![("snapshotdays", "x")], "parameter snapshotdays is not a whole number from 0 to 3650"),
        (vec![("days", "1"), ("sources", "1")], "parameter sources is not known to SetRetention"),
    ] {
        let text = refused(&daemon, "SetRetention", &params);
        assert!(text.starts_with(why), "{text}");
    }
    assert_eq!(told(&daemon), [0, 7, 0]);

    let answer = daemon.api_ok("SetRetention", &[("days", "30")]);
    assert_eq!((&answer["bStatus"], &answer["nKeepDays"]), (&true.into(), &30.into()));
    wait_for("the old one to go", AT_ONCE, || (!old.exists()).then_some(()));
    assert!(young.exists() && first.exists() && second.exists());
    daemon.api_ok("SetRetention", &[("sourcemb", "3")]);
    wait_for("the oldest to go", AT_ONCE, || (!first.exists()).then_some(()));
    assert!(young.exists() && second.exists());
    assert_eq!(told(&daemon), [30, 7, 3]);
    assert_eq!(daemon.api_ok("GetStorageInfo", &[])["nKeepDays"], 30);

    daemon.terminate();
    daemon.restart();
    daemon.login();
    assert_eq!(told(&daemon), [30, 7, 3], "over what the file says");
    let old = kept(&daemon, "cam", 35, 100);
    wait_for("the old one to go", 3 * PATIENCE, || (!old.exists()).then_some(()));
    daemon.api_ok("SetRetention", &[("days", "0"), ("sourcemb", "0")]);
    assert_eq!(told(&daemon), [0, 7, 0]);
    daemon.terminate();
}

#[test]
fn how_many_days_a_volume_will_hold_is_told_once_a_day_was_measured() {
    let env = vec![("TZ".to_owned(), "UTC".to_owned())];
    let mut daemon = Daemon::start(DaemonOptions { env, ..DaemonOptions::default() });
    daemon.login();
    let told = |daemon: &Daemon| {
        let main = volume(daemon, "main");
        ["nBytePerDay", "nForecastDays"].map(|name| main[name].as_u64())
    };
    assert!(volume(&daemon, "main")["nForecastDays"].is_null());
    let free = volume(&daemon, "main")["nFreeByte"].as_u64().expect("a number");
    let day = (free >> 30 << 30) / 10;
    let write = |days: u64, bytes: u64| {
        let line = "INSERT INTO written (day, volume, bytes) VALUES (date('now', ?1), 'main', ?2)";
        database(daemon.data_dir()).execute(line, (format!("-{days} days"), bytes as i64)).expect("a line");
    };
    write(0, 1 << 40);
    write(3, 1);
    assert_eq!(told(&daemon), [None, None], "two days of nothing");
    write(1, day);
    write(2, day);
    let [rate, days] = told(&daemon);
    assert_eq!(rate, Some(day));
    // Ten days' room, less what is to stay free; the disk is others', too.
    assert!((1..=11).contains(&days.expect("a forecast")), "{days:?}");
    daemon.api_ok("SetRetention", &[("days", "1")]);
    assert_eq!(told(&daemon), [Some(day), Some(1)]);
    daemon.terminate();
}
