//! First pictures in Chromium, by `first_picture.mjs`, and a wall of tiles, by `tests/browser/wall.mjs`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::measure::quantile;
use crate::site::Site;

/// Page loads per run.
const LOADS: usize = 10;

/// What the script prints; milliseconds, one entry per load.
#[derive(Deserialize)]
struct Pictures {
    connect: Vec<f64>,
    navigation: Vec<f64>,
}

/// Tiles of the wall, and how long it is looked at.
const TILES: usize = 16;
const WALL_SECONDS: usize = 30;

/// What `wall.mjs` prints.
#[derive(Deserialize)]
struct Wall {
    #[serde(rename = "firstLoad")]
    first_load: f64,
    shown: f64,
    pictures: Vec<f64>,
    long: Vec<f64>,
    after: Memory,
}

#[derive(Deserialize)]
struct Memory {
    heap: f64,
    resident: f64,
}

/// The live page on its first visit, with 16 small pictures (640 × 360, 25 frames per second).
pub fn wall() -> Vec<f64> {
    let mut site = Site::idle();
    site.add(TILES, &["--size", "640x360", "--bitrate", "500", "--gop", "25"], "H5_ONDEMAND");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/wall.mjs");
    let daemon = &site.daemon;
    let output = Command::new("node")
        .arg(script)
        .args([format!("http://127.0.0.1:{}", daemon.http), daemon.session.clone()])
        .args([TILES, WALL_SECONDS].map(|number| number.to_string()))
        .stderr(Stdio::inherit())
        .output()
        .expect("node");
    let wall: Wall = serde_json::from_slice(&output.stdout).expect("figures from Chromium");
    let watched = WALL_SECONDS as f64 * 2.0 / 3.0;
    vec![
        wall.first_load / 1000.0,
        wall.shown,
        quantile(&wall.pictures, 0.5),
        quantile(&wall.pictures, 1.0),
        wall.long.len() as f64 * 60.0 / watched,
        wall.after.heap / 1000.0,
        wall.after.resident / 1000.0,
    ]
}

/// Loads `page` again and again: the time from connect() to the first picture, p50 and p95, and the
/// p50 from the navigation.
pub fn pictures(page: &str) -> Vec<f64> {
    let site = Site::with_camera(50);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/live/first_picture.mjs");
    let daemon = &site.daemon;
    let url = format!("http://127.0.0.1:{}/{page}?token=token1&session={}", daemon.http, daemon.session);
    let output = Command::new("node")
        .arg(script)
        .args([url, LOADS.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("node");
    let Pictures { connect, navigation } =
        serde_json::from_slice(&output.stdout).expect("figures from Chromium");
    vec![quantile(&connect, 0.5), quantile(&connect, 0.95), quantile(&navigation, 0.5)]
}
