//! First pictures in Chromium, by `first_picture.mjs`.

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
