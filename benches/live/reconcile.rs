//! How long a start takes to compare very many files with their rows, both ways.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::site::Site;
use crate::support::kept::{Footage, database};
use crate::support::wait_for;

const FILES: i64 = 50_000;
const SOURCES: i64 = 16;
const LENGTH_MS: i64 = 600_000;
/// 2024-01-01T00:00:00Z
const FIRST: i64 = 1_704_067_200_000;
const PATIENCE: Duration = Duration::from_secs(300);

/// Seconds from the start of the program until all files are compared, and until it answers.
pub fn seconds() -> Vec<f64> {
    let mut site = Site::with_camera(50);
    site.daemon.api_ok("Record", &[("token", "token1"), ("duration", "2")]);
    let one = wait_for("a recording that is closed", PATIENCE, || {
        let span = [("start", "2020-01-01T00:00:00Z"), ("end", "2100-01-01T00:00:00Z")];
        let found =
            site.daemon.api_ok("Search", &[&[("type", "record"), ("token", "token1")], &span[..]].concat());
        let found = &found["record"][0];
        (found["strDuration"] != "0").then(|| found["strPath"].as_str().map(str::to_owned)).flatten()
    });
    site.daemon.terminate();
    fill(&site, one.trim_start_matches("/mediastore/"));
    let begun = Instant::now();
    site.daemon.restart();
    let answers = begun.elapsed().as_secs_f64();
    site.daemon.login();
    wait_for("all files to be compared", PATIENCE, || {
        sleep(Duration::from_millis(50));
        let info = site.daemon.api_ok("GetStorageInfo", &[]);
        (info["volume"][0]["bReconciled"] == true).then_some(())
    });
    vec![begun.elapsed().as_secs_f64(), answers]
}

/// All the same file, which takes no room, in folders of their own.
fn fill(site: &Site, one: &str) {
    let data_dir = site.daemon.data_dir();
    let real = data_dir.join("mediastore").join(one);
    let bytes = fs::metadata(&real).expect("the recording").len() as usize;
    let db = database(data_dir);
    db.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
    for row in 0..FILES {
        let token = format!("token{}", row % SOURCES + 1);
        let start = FIRST + row / SOURCES * LENGTH_MS;
        let (day, time) = (row / SOURCES / 144, row / SOURCES % 144);
        let (month, date) = (day / 28 + 1, day % 28 + 1);
        let path = format!("2024-{month}-{date}TZ0/{}-{}-0/{token}-{row:08x}.mp4", time / 6, time % 6 * 10);
        let entry =
            Footage { token: &token, path: &path, start, end: start + LENGTH_MS, ..Footage::default() };
        let file = entry.file(data_dir);
        fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        fs::hard_link(&real, file).expect("a file");
        entry.insert(&db, bytes);
    }
    db.execute_batch("COMMIT").expect("a commit");
}
