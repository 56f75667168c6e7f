//! The usual scene: a daemon, small cameras, and sources between them.

use std::time::Duration;

use serde_json::Value;

use super::{
    daemon::{Daemon, DaemonOptions},
    fakecam::Fakecam,
    wait_for,
};

/// From adding a source to its first picture on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon with this configuration, logged in.
pub fn daemon(config: &str) -> Daemon {
    let mut daemon = Daemon::start(DaemonOptions { config: config.to_owned(), ..DaemonOptions::default() });
    daemon.login();
    daemon
}

/// Cameras with a picture that is cheap to carry and a key frame every `gop` frames, 25 a second.
pub fn cameras(gop: u32, more: &[&str]) -> Fakecam {
    let gop = gop.to_string();
    let small = ["--size", "320x240", "--bitrate", "300", "--clip-seconds", "2", "--gop", &gop];
    Fakecam::start(&[&small, more].concat())
}

/// Adds a source for `url`, which may be a file.
pub fn add(daemon: &Daemon, token: &str, url: &str, more: &[(&str, &str)]) {
    let call = if url.starts_with('/') { "AddSrcFile" } else { "AddSrcRTSP" };
    daemon.api_ok(call, &[&[("name", token), ("token", token), ("url", url)], more].concat());
}

/// The GetSrc entry of `token`, once `condition` holds for it.
pub fn wait_source(
    daemon: &Daemon,
    token: &str,
    what: &str,
    mut condition: impl FnMut(&Value) -> bool,
) -> Value {
    let mut last = Value::Null;
    wait_for(what, PATIENCE, || {
        std::thread::sleep(Duration::from_millis(50));
        let entry = daemon.source(token).expect("a known token");
        if entry != last {
            last = entry;
            eprintln!("{token}: {last}");
        }
        condition(&last).then(|| last.clone())
    })
}

/// Waits until frames arrive; the entry then tells the codec.
pub fn wait_pictures(daemon: &Daemon, token: &str) -> Value {
    wait_source(daemon, token, "pictures", |entry| entry["strVideoType"].is_string())
}

/// Waits until the source is offline for the given reason; the entry.
pub fn wait_offline(daemon: &Daemon, token: &str, reason: &str) -> Value {
    wait_source(daemon, token, reason, |entry| {
        entry["strOfflineReason"] == reason && entry["bOnline"] == false
    })
}
