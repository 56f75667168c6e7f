//! The wall clock is set while recordings run, and the zone's offset changes at night (with libfaketime;
//! monotonic time goes on as it is). Stated in docs/recording.md, "The clock".

mod support;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use support::{
    daemon::{Daemon, DaemonOptions},
    fakecam::Fakecam,
    footage,
    rows::{self, Row},
    scene, stamp, wait_for,
};
use tempfile::TempDir;

const HOUR_MS: i64 = 3_600_000;
const CAM: (&str, &str) = ("token", "cam");
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon whose clock is so many seconds off, until that is changed.
struct Scene {
    daemon: Daemon,
    hands: TempDir,
    _camera: Fakecam,
}

impl Scene {
    /// Recording, in files of 5 s.
    fn new(offset: i64, zone: &str) -> Self {
        let camera = scene::cameras(25, &[]);
        let hands = tempfile::tempdir().expect("a folder");
        let file = hands.path().join("offset");
        set(&hands, offset);
        let library = library();
        let env = [
            ("LD_PRELOAD", library.to_str().expect("a plain path")),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("a plain path")),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("TZ", zone),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let config = "[recording]\nrollover_seconds = 5\npre_roll_seconds = 0\n".to_owned();
        let mut daemon = Daemon::start(DaemonOptions { config, env, ..DaemonOptions::default() });
        daemon.login();
        scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
        scene::wait_pictures(&daemon, "cam");
        Self { daemon, hands, _camera: camera }
    }

    fn rows(&self) -> Vec<Row> {
        // In the order in which they were made.
        let mut rows = rows::rows(self.daemon.data_dir());
        rows.sort_by_key(|row| row.id);
        rows
    }

    fn wait_rows(&self, count: usize) {
        wait_for("files", PATIENCE, || (self.rows().len() >= count).then_some(()));
    }

    /// Ends all; the rows.
    fn finish(&mut self) -> Vec<Row> {
        self.daemon.api_ok("ManualRecordStop", &[CAM]);
        self.daemon.terminate();
        let root = footage::volume(&self.daemon);
        rows::consistent(self.daemon.data_dir(), &[("main", root)]);
        let rows = self.rows();
        assert!(rows.iter().all(|row| !row.open));
        rows
    }
}

/// The clock is so many seconds off from now on.
fn set(hands: &TempDir, offset: i64) {
    // In one step, so that no half of it is read.
    let next = hands.path().join("next");
    fs::write(&next, format!("{offset:+}\n")).expect("an offset");
    fs::rename(next, hands.path().join("offset")).expect("the offset in place");
}

fn library() -> PathBuf {
    let places = fs::read_dir("/usr/lib").expect("libraries").flatten().map(|entry| entry.path());
    let mut found =
        places.map(|place| place.join("faketime/libfaketimeMT.so.1")).filter(|file| file.exists());
    found.next().expect("libfaketime (Debian package faketime)")
}

/// From the start of each file to that of the next one it is as long as the file.
fn joined(rows: &[Row]) -> Vec<bool> {
    rows.windows(2).map(|pair| (pair[1].start - pair[0].end).abs() <= 2).collect()
}

#[test]
fn set_back_by_an_hour_while_it_records() {
    let mut scene = Scene::new(0, "UTC");
    scene.daemon.api_ok("ManualRecordStart", &[CAM]);
    let begun = Instant::now();
    scene.wait_rows(3);
    set(&scene.hands, -3600);
    scene.wait_rows(7);
    let lasted = begun.elapsed().as_millis() as i64;
    let rows = scene.finish();
    let jumps: Vec<_> = joined(&rows).into_iter().enumerate().filter(|(_, joined)| !joined).collect();
    assert_eq!(jumps.len(), 1, "one file with the old clock is followed by one with the new: {rows:#?}");
    let at = jumps[0].0;
    let step = rows[at + 1].start - rows[at].end;
    assert!((step + HOUR_MS).abs() < 1500, "{step} ms from one file to the next");
    // Nothing is lost by it: all of the time is in the files.
    let kept: i64 = rows.iter().map(|row| row.end - row.start).sum();
    assert!((kept - lasted).abs() < 4000, "{kept} ms in {lasted} ms");
    // And the row's own time is that of the new clock.
    let now = (stamp::now_us() / 1000) as i64 - HOUR_MS;
    assert!((rows.last().expect("rows").end - now).abs() < 5000);
    // What was recorded before still lies ahead of the clock, and is neither lost nor deleted.
    assert!(rows[0].start > now);
}

#[test]
fn the_zone_changes_at_night() {
    // 2026-03-29 and 2026-10-25, both at 1:00 UTC.
    for (change, before, after) in [(1_774_746_000, 1, 2), (1_792_890_000, 2, 1)] {
        let now = (stamp::now_us() / 1_000_000) as i64;
        // Time for the source to come up.
        let mut scene = Scene::new(change - 60 - now, "Europe/Berlin");
        let until = (stamp::now_us() / 1_000_000) as i64;
        set(&scene.hands, change - 8 - until);
        scene.daemon.api_ok("ManualRecordStart", &[CAM]);
        scene.wait_rows(5);
        let rows = scene.finish();
        assert!(joined(&rows).iter().all(|joined| *joined), "no hole and no overlap: {rows:#?}");
        for row in &rows {
            let hours = if row.start < change * 1000 { before } else { after };
            let folders = row.path.split('/').skip(2).take(2).collect::<Vec<_>>();
            assert!(folders[0].ends_with(&format!("TZ{hours}")), "{row:?}");
            let day = if change == 1_774_746_000 { "2026-3-29" } else { "2026-10-25" };
            assert!(folders[0].starts_with(day), "{row:?}");
        }
        let hours: Vec<_> = rows.iter().map(|row| row.start < change * 1000).collect();
        assert!(hours.contains(&true) && hours.contains(&false), "both sides of the change: {rows:#?}");
    }
}
