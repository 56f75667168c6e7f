//! Our RTSP server with the programs that people use: ffprobe and ffmpeg, and GStreamer's `rtspsrc` in
//! ONVIF mode for recordings. The cameras are real ones of the simulator.

#[path = "rtsp/site.rs"]
mod site;

use std::time::{Duration, Instant};

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
    for _ in 0..4 {
        assert_eq!(describe("/live/cam0", "viewer", "wrong"), 401);
    }
    assert_eq!(describe("/live/cam0", "nobody", "secret"), 401);
    // Now the right one does not help either, and no challenge gives hope.
    assert_eq!(describe("/live/cam0", "viewer", "secret"), 403);
    assert_eq!(ask(served.port, "DESCRIBE", "/live/cam0", None), 403);
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
    served.camera.control("disconnect?cam=0");
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
