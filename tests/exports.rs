//! `Archive` and its status, list and deletion, asked from outside: what was recorded in a time becomes
//! one plain MP4 that ordinary players like.

mod clips;
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clips::Clip;
use h5edge::base::footage::Cause;
use h5edge::base::time::MediaTime;
use h5edge::base::wall::{Offset, Wall};
use h5edge::media::frame::Frame;
use h5edge::media::hybrid::{self, Index, Label};
use serde_json::{Value, json};
use support::daemon::{Daemon, DaemonOptions};
use support::kept::{Footage, database};
use support::scene::PATIENCE;
use support::{http, players, wait_for};

/// 2018-04-25T19:32:05+08:00
const START: i64 = 1_524_655_925_000;
const TOKEN: (&str, &str) = ("token", "token1");

fn at(millis: i64) -> String {
    Wall(START + millis).iso(Offset(480))
}

/// A clip of two seconds as the recorder writes it, completed or still open.
fn file(clip: &Clip, start: i64) -> Vec<u8> {
    let label = Label { start: Wall(start), offset: Offset(480), cause: Cause::Manual };
    let frames: Vec<_> = clip.frames.iter().cloned().map(Arc::new).collect();
    let mut bytes = hybrid::head(&clip.params, &label);
    let mut index = Index::new(&clip.params);
    let middle = frames.iter().position(|frame| frame.dts >= MediaTime::from_secs(1)).unwrap();
    let (first, second) = frames.split_at(middle);
    for (frames, until) in [(first, second[0].dts), (second, MediaTime::from_secs(2))] {
        bytes.extend(index.fragment(frames, until, bytes.len() as u64).pieces.concat());
    }
    let end = bytes.len();
    bytes.extend(index.moov(&clip.params, &label));
    bytes[hybrid::COVER_AT as usize..][..16].copy_from_slice(&hybrid::cover(end as u64));
    bytes
}

/// A recording of two seconds that begins so many milliseconds after [`START`].
fn keep(daemon: &Daemon, clip: &Clip, after: i64) {
    let start = START + after;
    let path = format!("2018-4-25TZ8/19-32-5/{after}.mp4");
    let footage = Footage { path: &path, start, end: start + 2000, ..Footage::default() };
    footage.add(daemon.data_dir(), &file(clip, start));
}

fn daemon() -> Daemon {
    let config = "[recording]\nkeep_days = 0\n".to_owned();
    let mut daemon = Daemon::start(DaemonOptions { config, ..DaemonOptions::default() });
    daemon.login();
    daemon
}

fn status(daemon: &Daemon, name: &str) -> Value {
    daemon.api_ok("GetArchiveStatus", &[TOKEN, ("filename", name)])
}

/// Waits for the end of an export; its status then.
fn ended(daemon: &Daemon, name: &str) -> Value {
    wait_for("the end of the export", PATIENCE, || {
        Some(status(daemon, name)).filter(|status| status["strState"] != "working")
    })
}

/// Exports and waits until that is done; where the file lies.
fn export(daemon: &Daemon, params: &[(&str, &str)]) -> PathBuf {
    let started = daemon.api_ok("Archive", &[&[TOKEN], params].concat());
    let name = started["strFileName"].as_str().unwrap();
    let done = ended(daemon, name);
    assert_eq!((&done["strState"], &done["nPercentage"]), (&json!("done"), &json!(100)), "{done}");
    assert_eq!(done["strUrl"], started["strUrl"]);
    let path = folder(daemon).join(name);
    assert_eq!(done["nBytes"], path.metadata().unwrap().len());
    path
}

fn folder(daemon: &Daemon) -> PathBuf {
    daemon.data_dir().join("mediastore/archive/token1")
}

fn refusal(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{call} {params:?}: {answer}");
    answer["strCode"].as_str().unwrap().to_owned()
}

/// What all players find in it.
fn check(path: &Path, video: usize, audio: bool, seconds: f64) {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!((&bytes[4..8], &bytes[36..40]), (&b"ftyp"[..], &b"moov"[..]), "plain, with the moov in front");
    for found in [players::ffprobe(path), players::qtdemux(path)] {
        assert_eq!((found.video, found.audio > 0), (video, audio), "{found:?}");
        assert!((seconds - 0.05..seconds + 0.2).contains(&found.seconds), "{found:?}, not {seconds}");
    }
    assert_eq!(players::decoded(path), video);
}

#[test]
fn recordings_become_one_file_with_their_gaps_closed_up() {
    let daemon = daemon();
    let clip = Clip::h264_high().with_aac();
    for after in [0, 2000, 60_000] {
        keep(&daemon, &clip, after);
    }
    let name = ("filename", "gate 1 (a)");
    let path = export(&daemon, &[("start", &at(-5000)), ("end", &at(70_000)), name]);
    check(&path, 150, true, 6.0);

    // It is served as a recording is.
    let url = status(&daemon, "gate 1 (a)")["strUrl"].as_str().unwrap().to_owned();
    assert_eq!(url, "/mediastore/archive/token1/gate%201%20(a).mp4");
    let target = format!("{url}?session={}", daemon.session);
    let whole = http::get(daemon.http, &target);
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("video/mp4")));
    assert_eq!(whole.body, std::fs::read(&path).unwrap());
    let part = http::request(daemon.http, "GET", &target, &[("Range", "bytes=4-7")], b"");
    assert_eq!((part.status, part.body.as_slice()), (206, &b"ftyp"[..]));
    assert_eq!(http::get(daemon.http, &url).status, 401);

    let list = daemon.api_ok("GetArchiveList", &[TOKEN]);
    let item = &list["archive"][0];
    assert_eq!((&item["strFileName"], &item["strState"]), (&json!("gate 1 (a).mp4"), &json!("done")));
    daemon.api_ok("DelArchive", &[TOKEN, name]);
    assert!(!path.exists());
    assert_eq!(daemon.api_ok("GetArchiveList", &[TOKEN])["archive"], json!([]));
    assert_eq!(http::get(daemon.http, &target).status, 404);
}

#[test]
fn a_span_begins_at_the_key_frame_before_it() {
    let daemon = daemon();
    let clip = Clip::h264_baseline().with_aac();
    keep(&daemon, &clip, 0);
    keep(&daemon, &clip, 2000);
    // Key frames are 0.8 s apart.
    let path = export(&daemon, &[("begintime", &at(1000)), ("endtime", &at(3000))]);
    check(&path, 30 + 25, true, 2.2);
    // And several spans follow each other.
    let path = export(&daemon, &[("start1", &at(1000)), ("start2", &at(3000)), ("duration", "1")]);
    check(&path, 30 + 30, true, 2.4);
}

#[test]
fn pictures_whose_references_are_cut_off_are_left_out() {
    let daemon = daemon();
    let clip = Clip::h265();
    keep(&daemon, &clip, 0);
    let shown = |frame: &Frame| frame.pts - clip.frames[0].pts;
    let key = clip.frames.iter().rfind(|frame| frame.key && shown(frame) <= MediaTime::from_secs(1)).unwrap();
    let video = clip.frames.iter().filter(|frame| frame.dts >= key.dts && frame.pts >= key.pts).count();
    let path = export(&daemon, &[("start", &at(1000)), ("end", &at(2000))]);
    check(&path, video, false, 2.0 - shown(key).as_secs_f64());
}

#[test]
fn what_two_recordings_have_is_exported_once() {
    let daemon = daemon();
    let clip = Clip::h264_baseline();
    keep(&daemon, &clip, 0);
    keep(&daemon, &clip, 100);
    keep(&daemon, &clip, 1000);
    // From the second one nothing is left; the third goes on with its key frame behind the first's end.
    let path = export(&daemon, &[("start", &at(0)), ("end", &at(3000))]);
    check(&path, 50 + 10, false, 2.4);
}

#[test]
fn what_cannot_be_exported_is_refused_with_the_reason() {
    let daemon = daemon();
    keep(&daemon, &Clip::h264_baseline(), 0);
    let (start, end) = (at(0), at(2000));
    let span = [TOKEN, ("start", start.as_str()), ("end", end.as_str())];
    let refused = |params: &[(&str, &str)]| refusal(&daemon, "Archive", params);
    let and = |more: (&'static str, &'static str)| refused(&[&span[..], &[more]].concat());
    assert_eq!(refused(&[TOKEN]), "parameter start is missing");
    assert_eq!(refused(&[TOKEN, ("start", &end), ("end", &start)]), "parameter end: it is not after start");
    assert_eq!(
        refused(&[TOKEN, ("start", &at(90_000)), ("end", &at(99_000))]),
        "nothing of token1 was recorded in that time"
    );
    assert_eq!(
        refused(&[TOKEN, ("start", &start), ("end", &at(86_401_000))]),
        "the span is longer than 24 hours"
    );
    assert_eq!(refused(&[TOKEN, ("start1", &start)]), "parameter duration is missing");
    assert!(refused(&[("token", "nobody"), span[1], span[2]]).contains("nobody"));
    assert!(and(("start1", "2018-04-25T19:32:05")).contains("only one of these"));
    assert!(and(("speed", "2")).starts_with("parameter speed"));
    assert!(and(("filename", "../x")).starts_with("parameter filename"));
    export(&daemon, &[span[1], span[2], ("filename", "one"), ("speed", "1.0")]);
    assert_eq!(and(("filename", "one")), "parameter filename: there is archive/token1/one.mp4 already");
    let unknown = refusal(&daemon, "GetArchiveStatus", &[TOKEN, ("filename", "two")]);
    assert_eq!(unknown, "parameter filename: there is no export two.mp4 of token1");
}

#[test]
fn a_change_in_between_fails_and_says_when() {
    let daemon = daemon();
    keep(&daemon, &Clip::h264_baseline(), 0);
    keep(&daemon, &Clip::h265(), 5000);
    let params = [TOKEN, ("start", &at(0)), ("end", &at(9000)), ("filename", "both")];
    daemon.api_ok("Archive", &params);
    let failed = ended(&daemon, "both");
    assert_eq!(failed["strState"], "failed");
    let reason = failed["strCode"].as_str().unwrap();
    assert!(reason.starts_with("the codec changes from H264 to H265 at 2018-04-25T"), "{reason}");
    assert_eq!(left(&daemon), Vec::<String>::new());
}

/// Names in the folder of exports, hidden ones too.
fn left(daemon: &Daemon) -> Vec<String> {
    let entries = std::fs::read_dir(folder(daemon)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_a_restart_interrupts_has_failed_and_leaves_nothing() {
    let mut daemon = daemon();
    keep(&daemon, &Clip::h264_baseline(), 0);
    export(&daemon, &[("start", &at(0)), ("end", &at(2000)), ("filename", "whole")]);
    database(daemon.data_dir())
        .execute(
            "INSERT INTO exports (token, name, volume, path, made_ms, bytes, state, reason)
             VALUES ('token1', 'half.mp4', 'main', 'archive/token1/half.mp4', 0, 0, 'working', '')",
            [],
        )
        .unwrap();
    std::fs::write(folder(&daemon).join(".half.mp4.part"), b"half").unwrap();
    daemon.kill();
    daemon.restart();
    daemon.login();
    let half = status(&daemon, "half");
    assert_eq!((&half["strState"], &half["strCode"]), (&json!("failed"), &json!("interrupted by a restart")));
    assert_eq!(left(&daemon), ["whole.mp4"]);
    daemon.api_ok("DelArchive", &[TOKEN, ("filename", "half.mp4")]);
    assert_eq!(daemon.api_ok("GetArchiveList", &[TOKEN])["archive"].as_array().unwrap().len(), 1);
}
