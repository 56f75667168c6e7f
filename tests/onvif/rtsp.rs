//! Our RTSP server with the programs that people use: ffprobe and ffmpeg, and GStreamer's `rtspsrc` in
//! ONVIF mode for recordings. The cameras are real ones of the simulator.

#[path = "rtsp/replay.rs"]
mod replay;
#[path = "rtsp/site.rs"]
pub mod site;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gstreamer::glib::{LogLevel, LogLevels, log_remove_handler, log_set_handler};

use self::site::{Served, ask, ffprobe, frames};
use super::support::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn pictures_come_over_tcp_and_udp_for_those_who_know_the_password() {
    let served = Served::start(&["--audio", "aac"]);
    for transport in ["tcp", "udp"] {
        let found = ffprobe(&served.url("/live/cam0"), transport).unwrap();
        assert_eq!(found.video, "h264", "{transport}");
        assert_eq!((found.width, found.height), (320, 240), "{transport}");
        assert_eq!(found.audio.as_deref(), Some("aac"), "{transport}");
    }
    // Whoever comes later begins at a key frame at once, here with one every four seconds.
    let began = Instant::now();
    assert!(frames(&served.url("/live/cam0"), "tcp", 1) >= 1);
    eprintln!("first picture after {:?}", began.elapsed());
    assert_eq!(served.camera.sessions(0), 1);
}

#[test]
fn h265_is_served_as_it_is() {
    let served = Served::start(&["--codec", "h265"]);
    let found = ffprobe(&served.url("/live/cam0"), "tcp").unwrap();
    assert_eq!((found.video.as_str(), found.width), ("hevc", 320));
    assert!(frames(&served.url("/live/cam0"), "udp", 30) >= 30);
}

#[test]
fn unknown_streams_and_wrong_passwords_are_refused_and_guessing_is_locked_out() {
    let served = Served::start(&[]);
    let describe =
        |path: &str, user: &str, password: &str| ask(served.port, "DESCRIBE", path, Some((user, password)));
    assert_eq!(ask(served.port, "OPTIONS", "/live/cam0", None), 200);
    assert_eq!(ask(served.port, "DESCRIBE", "/live/cam0", None), 401);
    assert_eq!(describe("/live/nobody", "viewer", "secret"), 404);
    assert_eq!(describe("/live/cam0$$sub", "viewer", "secret"), 404);
    assert_eq!(describe("/replay/cam0", "viewer", "secret"), 404);
    assert_eq!(describe("/", "viewer", "secret"), 404);
    assert_eq!(describe("/live/cam0", "viewer", "secret"), 200);
    assert_eq!(ask(served.port, "PLAY", "/live/cam0", None), 401);
    for _ in 0..5 {
        assert_eq!(describe("/live/cam0", "viewer", "wrong"), 401);
    }
    assert_eq!(describe("/live/cam0", "nobody", "secret"), 401);
    // Now the right one does not help either.
    assert_eq!(describe("/live/cam0", "viewer", "secret"), 403);
}

#[test]
fn the_camera_is_pulled_once_for_all_and_clients_come_back_after_a_drop() {
    let served = Served::start(&[]);
    let mut players: Vec<_> = (0..5).map(|_| served.play("/live/cam0")).collect();
    for player in &mut players {
        assert!(player.has_frames(25, PATIENCE), "no pictures");
    }
    assert_eq!(served.camera.sessions(0), 1);
    assert_eq!(served.viewers("cam0"), 5);
    served.camera.control("drop?cam=0");
    for player in &mut players {
        player.wait_end(PATIENCE);
    }
    wait_for("all viewers gone", PATIENCE, || (served.viewers("cam0") == 0).then_some(()));
    let mut again = served.play("/live/cam0");
    assert!(again.has_frames(25, PATIENCE), "no pictures after the camera came back");
    drop(again);
    wait_for("the viewer is gone", PATIENCE, || (served.viewers("cam0") == 0).then_some(()));
}

#[test]
fn no_more_clients_than_there_is_room_for() {
    let served = Served::start(&[]);
    let guests: Vec<_> = (0..site::MAX_CLIENTS)
        .map(|_| std::net::TcpStream::connect(("127.0.0.1", served.port)).unwrap())
        .collect();
    wait_for("a full house", PATIENCE, || site::is_closed(served.port).then_some(()));
    drop(guests);
    wait_for("room again", PATIENCE, || (!site::is_closed(served.port)).then_some(()));
}

/// The library is said to read on from what another thread has closed, and complains each time.
#[test]
fn who_is_turned_away_in_the_middle_of_a_word_keeps_no_thread_busy() {
    static COMPLAINTS: AtomicUsize = AtomicUsize::new(0);
    let served = Served::start(&[]);
    let count = |_: Option<&str>, _: LogLevel, _: &str| {
        COMPLAINTS.fetch_add(1, Ordering::Relaxed);
    };
    let handler = log_set_handler(Some("GLib-GIO"), LogLevels::LEVEL_CRITICAL, false, false, count);
    let connect = || TcpStream::connect(("127.0.0.1", served.port)).unwrap();
    let guests: Vec<_> = (0..site::MAX_CLIENTS).map(|_| connect()).collect();
    wait_for("a full house", PATIENCE, || site::is_closed(served.port).then_some(()));
    let words = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(2000);
    for _ in 0..200 {
        // It may be closed already.
        let _ = connect().write_all(words.as_bytes());
    }
    drop(guests);
    wait_for("room again", PATIENCE, || (!site::is_closed(served.port)).then_some(()));
    assert_eq!(COMPLAINTS.load(Ordering::Relaxed), 0);
    log_remove_handler(Some("GLib-GIO"), handler);
}

/// Clients are ended by their own threads alone: where another one took their sessions from them, the
/// process ended within a few rounds.
#[test]
fn the_server_is_switched_off_while_clients_watch_and_leave() {
    let mut served = Served::start(&["--fps", "50"]);
    for _ in 0..20 {
        let watch = || replay::watch(served.port, "/live/cam0", "", "");
        let mut guests: Vec<_> = (0..6).map(|_| watch()).collect();
        for (_, played) in &guests {
            assert_eq!(site::status_of(played), 200, "{played}");
        }
        let leaving = guests.split_off(3);
        served.off_and_on(|| drop(leaving));
        for (mut guest, _) in guests {
            // All that was on its way, and the end.
            guest.read_to_end(&mut Vec::new()).unwrap();
        }
        wait_for("all viewers gone", PATIENCE, || (served.viewers("cam0") == 0).then_some(()));
    }
}

#[test]
fn recordings_are_played_from_the_time_that_is_asked_for() {
    let served = Served::start(&[]);
    let pieces = served.record(Duration::from_secs(14));
    assert!(pieces.len() >= 2, "{pieces:?}");
    let (first, last) = (pieces[0].start.0, pieces[pieces.len() - 1].end.0);
    // An ordinary player sees all of it, from the beginning.
    let all = frames(&served.url("/replay/cam0"), "tcp", 50);
    assert_eq!(all, 50);
    // A recorder asks for a moment, here in the second file's first group of pictures.
    let asked = pieces[1].start.0 + 1500;
    let stamps = replay::play(served.port, "/replay/cam0", asked, &["Rate-Control: no", "Immediate: yes"]);
    let (begin, end) = (stamps[0], stamps[stamps.len() - 1]);
    assert!(begin <= asked && asked - begin <= 4100, "asked for {asked}, got {begin}");
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert!((last - end).abs() < 200, "up to {end} of {last}");
    // From before the beginning it plays from there, over all files.
    let stamps = replay::play(served.port, "/replay/cam0", first - 60_000, &["Rate-Control: no"]);
    assert!((stamps[0] - first).abs() < 100, "{} {first}", stamps[0]);
    assert!(stamps.windows(2).all(|pair| (pair[1] - pair[0]) < 1000), "across files: {stamps:?}");
    // Only key frames, which are four seconds apart.
    let keys = replay::play(served.port, "/replay/cam0", first, &["Rate-Control: no", "Frames: intra"]);
    assert!(keys.len() < 8 && keys.windows(2).all(|pair| pair[1] - pair[0] > 500), "{keys:?}");
    assert_eq!(replay::status(served.port, "/replay/cam0", first, &["Scale: -1.0"]), 501);
}
