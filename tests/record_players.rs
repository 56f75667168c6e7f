//! Recordings of a camera, made by the daemon, as ordinary players see them: while they are written, as
//! they are served then, completed, and exported.

mod support;

use std::path::{Path, PathBuf};

use h5edge::media::frame::Track;
use h5edge::media::hybrid::Scan;
use serde_json::{Value, json};
use support::daemon::Daemon;
use support::footage::{self, read, seconds};
use support::players;
use support::scene::{self, PATIENCE};
use support::{http, wait_for};

const TOKEN: (&str, &str) = ("token", "cam");

#[test]
fn h264_without_sound() {
    check(&[], false);
}

#[test]
fn h264_with_b_frames_and_sound() {
    check(&["--bframes", "2", "--audio", "aac"], true);
}

#[test]
fn h265_with_sound() {
    check(&["--codec", "h265", "--audio", "aac"], true);
}

/// Records some seconds of a camera and shows the file to everybody.
fn check(camera: &[&str], sound: bool) {
    let camera = scene::cameras(25, camera);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ALWAYS"), ("audio", "true")]);
    scene::wait_pictures(&daemon, "cam");
    let started = daemon.api_ok("ManualRecordStart", &[TOKEN]);
    let url = format!("{}?session={}", started["strUrl"].as_str().unwrap(), daemon.session);
    let file = footage::file(&daemon, started["strPath"].as_str().unwrap());
    wait_for("some fragments", PATIENCE, || (seconds(&read(&file)) > 6.0).then_some(()));

    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open.mp4");
    std::fs::write(&open, http::get(daemon.http, &url).body).unwrap();
    assert!(!read(&open).complete);
    show(&open, &read(&open), sound);

    daemon.api_ok("ManualRecordStop", &[TOKEN]);
    let done = read(&file);
    assert!(done.complete);
    show(&file, &done, sound);
    assert_eq!(in_ranges(&daemon, &url), std::fs::read(&file).unwrap());
    let exported = export(&daemon, &done);
    let probed = players::ffprobe(&exported);
    assert!((4.0..6.0).contains(&probed.seconds) && (probed.audio > 0) == sound, "{probed:?}");
    assert_eq!(players::qtdemux(&exported).video, probed.video);
    assert_eq!(players::decoded(&exported), probed.video);
}

/// All players find in the file what our own reader finds.
fn show(path: &Path, scan: &Scan, sound: bool) {
    let video = scan.index.samples(Track::Video).count();
    let audio = scan.index.samples(Track::Audio).count();
    assert_eq!(audio > 0, sound);
    let probed = players::ffprobe(path);
    assert_eq!((probed.video, probed.audio), (video, audio));
    let demuxed = players::qtdemux(path);
    assert_eq!(demuxed.video, video);
    // Sound that is over before the first picture is not shown.
    assert!((audio.saturating_sub(10)..=audio).contains(&demuxed.audio), "{demuxed:?} of {audio}");
    for found in [probed, demuxed] {
        // Ours is on the line of decoding, which B-frames make run ahead of what is shown.
        let more = found.seconds - seconds(scan);
        assert!((-0.1..0.4).contains(&more), "{found:?}, not {}", seconds(scan));
    }
    assert_eq!(players::decoded(path), video);
}

/// The file as a client gets it that asks for ranges: first the end, then piece by piece.
fn in_ranges(daemon: &Daemon, url: &str) -> Vec<u8> {
    let ask = |range: &str| {
        let answer = http::request(daemon.http, "GET", url, &[("Range", &format!("bytes={range}"))], b"");
        assert_eq!(answer.status, 206, "{range}");
        let total = answer.header("content-range").and_then(|range| range.rsplit('/').next()?.parse().ok());
        (answer.body, total.expect("the whole length"))
    };
    let (end, total): (Vec<u8>, usize) = ask("-1000");
    let mut whole = Vec::new();
    while whole.len() < total {
        whole.extend(ask(&format!("{}-{}", whole.len(), whole.len() + 99_999)).0);
    }
    assert!(whole.ends_with(&end));
    whole
}

/// Four seconds out of the middle, as one file.
fn export(daemon: &Daemon, scan: &Scan) -> PathBuf {
    let at = |seconds: i64| scan.label.start.plus_millis(seconds * 1000).iso(scan.label.offset);
    let name = ("filename", "middle");
    let (start, end) = (at(2), at(6));
    daemon.api_ok("Archive", &[TOKEN, ("start", &start), ("end", &end), name]);
    let done: Value = wait_for("the end of the export", PATIENCE, || {
        Some(daemon.api_ok("GetArchiveStatus", &[TOKEN, name]))
            .filter(|status| status["strState"] != "working")
    });
    assert_eq!(done["strState"], json!("done"), "{done}");
    footage::volume(daemon).join("archive/cam/middle.mp4")
}
