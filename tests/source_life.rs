//! The life of a source: pulled once and only when wanted, told truthfully when it fails, and back
//! soon after its camera, without leaving anything behind.

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use support::{
    daemon::Daemon,
    fakecam::Fakecam,
    scene::{self, PATIENCE},
    wait_for,
    ws::Viewer,
};

const SECOND: Duration = Duration::from_secs(1);
/// From a camera's answer to its picture, as promised.
const RETURN: Duration = Duration::from_secs(5);

const ALWAYS: [(&str, &str); 1] = [("connect", "H5_ALWAYS")];

async fn watch(daemon: &Daemon, token: &str) -> Viewer {
    Viewer::watch(daemon.http, token, &daemon.session).await.expect("a socket")
}

#[tokio::test(flavor = "multi_thread")]
async fn on_demand_sources_run_while_wanted_and_a_little_longer() {
    let cam = scene::cameras(25, &["--cams", "3"]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 3\n");
    for (number, connect) in ["H5_ONDEMAND", "H5_AUTO", "H5_ALWAYS"].into_iter().enumerate() {
        scene::add(&daemon, connect, &cam.rtsp_url(number), &[("connect", connect)]);
        // Each is tried once, so that the list is true.
        scene::wait_pictures(&daemon, connect);
    }
    for number in [0, 1] {
        wait_for("rest", PATIENCE, || (cam.sessions(number) == 0).then_some(()));
    }
    let idle = daemon.source("H5_ONDEMAND").expect("the source");
    assert_eq!((&idle["bOnline"], idle.get("strOfflineReason")), (&true.into(), None), "it would answer");
    assert_eq!(cam.sessions(2), 1);

    let mut viewer = watch(&daemon, "H5_ONDEMAND").await;
    viewer.watch_for(2 * SECOND).await;
    viewer.check();
    assert_eq!((cam.sessions(0), cam.sessions(1)), (1, 0));
    drop(viewer);
    // Somebody who comes back meanwhile finds the same connection.
    tokio::time::sleep(SECOND).await;
    let mut again = watch(&daemon, "H5_ONDEMAND").await;
    again.next(PATIENCE).await.expect("a picture");
    drop(again);
    let left = Instant::now();
    wait_for("rest", PATIENCE, || (cam.sessions(0) == 0).then_some(()));
    let warm = left.elapsed();
    assert!((Duration::from_millis(2500)..8 * SECOND).contains(&warm), "{warm:?}");
    assert_eq!(cam.sessions(2), 1, "always means always");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_viewers_are_one_pull() {
    let cam = scene::cameras(25, &[]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 1\n");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[]);
    let mut viewers = Vec::new();
    for _ in 0..20 {
        viewers.push(watch(&daemon, "a").await);
    }
    for viewer in &mut viewers {
        viewer.next(PATIENCE).await.expect("a picture");
    }
    assert_eq!(cam.sessions(0), 1);
    assert_eq!(cam.control("stats")["cams"][0]["starts"], 1);
    assert_eq!(daemon.source("a").expect("the source")["nViewers"], 20);
}

/// An RTSP server that takes nobody's password; how often one was sent.
fn unforgiving() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("rtsp://127.0.0.1:{}/x", listener.local_addr().expect("an address").port());
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let counted = counted.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(client.try_clone().expect("a clone")).lines();
                let mut sequence = String::new();
                while let Some(Ok(line)) = lines.next() {
                    if let Some(number) = line.strip_prefix("CSeq:") {
                        sequence = number.trim().to_owned();
                    }
                    if line.starts_with("Authorization:") {
                        counted.fetch_add(1, Relaxed);
                    }
                    if line.is_empty() {
                        let challenge = "WWW-Authenticate: Digest realm=\"cam\", nonce=\"0123456789abcdef\"";
                        let answer =
                            format!("RTSP/1.0 401 Unauthorized\r\nCSeq: {sequence}\r\n{challenge}\r\n\r\n");
                        if (&client).write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (url, tries)
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_are_true_and_wrong_passwords_are_tried_rarely() {
    let cam = scene::cameras(25, &[]);
    let (locked, tries) = unforgiving();
    let refused = "rtsp://127.0.0.1:9/x".to_owned();
    let mut daemon = scene::daemon("");
    let as_user = [("connect", "H5_ALWAYS"), ("user", "ann"), ("password", "wrong")];
    scene::add(&daemon, "locked", &locked, &as_user);
    let added = Instant::now();
    for (token, url, reason) in [
        ("port", refused.as_str(), "refused"),
        ("host", "rtsp://no-such-host.invalid/x", "no_route"),
        ("path", &cam.rtsp_url(7), "not_found"),
        ("rtmp", "rtmp://127.0.0.1:9/live/x", "refused"),
    ] {
        scene::add(&daemon, token, url, &ALWAYS);
        let entry = scene::wait_offline(&daemon, token, reason);
        assert!(!entry["strOfflineText"].as_str().expect("text").is_empty(), "{entry}");
    }
    scene::wait_offline(&daemon, "locked", "unauthorised");
    // A page that asks again and again makes no difference.
    while added.elapsed() < 12 * SECOND {
        let mut viewer = watch(&daemon, "locked").await;
        viewer.watch_for(SECOND).await;
    }
    assert!((1..=2).contains(&tries.load(Relaxed)), "{} tries in {:?}", tries.load(Relaxed), added.elapsed());
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_killed_and_frozen_cameras_fail_and_come_back() {
    let cam = scene::cameras(25, &["--cams", "3"]);
    let daemon = scene::daemon("");
    for number in 0..3 {
        scene::add(&daemon, &format!("cam{number}"), &cam.rtsp_url(number), &ALWAYS);
    }
    (0..3).for_each(|number| drop(scene::wait_pictures(&daemon, &format!("cam{number}"))));
    let mut viewer = watch(&daemon, "cam0").await;
    viewer.watch_for(2 * SECOND).await;

    let asked = Instant::now();
    cam.control("stall?cam=0&seconds=9");
    scene::wait_offline(&daemon, "cam0", "stalled");
    let noticed = asked.elapsed();
    assert!((4 * SECOND..8 * SECOND).contains(&noticed), "{noticed:?}");
    viewer.until_closed(PATIENCE).await;
    viewer.check();
    wait_for("the stall's end", PATIENCE, || (asked.elapsed() > 9 * SECOND).then_some(()));
    let answering = Instant::now();
    scene::wait_pictures(&daemon, "cam0");
    assert!(answering.elapsed() < RETURN + 2 * SECOND, "{:?}", answering.elapsed());

    for (call, down) in [("restart?cam=1&down=4", 4), ("restart?cam=all&down=6", 6)] {
        let asked = Instant::now();
        cam.control(call);
        let gone = scene::wait_source(&daemon, "cam1", "its failure", |entry| entry["bOnline"] == false);
        assert!(asked.elapsed() < 3 * SECOND, "noticed after {:?}: {gone}", asked.elapsed());
        scene::wait_pictures(&daemon, "cam1");
        let took = asked.elapsed().saturating_sub(Duration::from_secs(down));
        assert!(took < RETURN, "{call}: back {took:?} after its camera");
    }
    // Each camera has its own turn, so this one may come a little after the other.
    let other = Instant::now();
    scene::wait_pictures(&daemon, "cam2");
    assert!(other.elapsed() < RETURN, "cam2 is back {:?} after cam1", other.elapsed());
}

/// Threads, descriptors, KiB.
fn weight(daemon: &Daemon) -> (usize, usize, u64) {
    (daemon.threads(), daemon.fds(), daemon.rss_kb())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_returns_leave_nothing_behind() {
    const CAMS: usize = 5;
    const ROUNDS: usize = 10;
    let cam = scene::cameras(5, &["--cams", "5", "--fps", "5"]);
    let daemon = scene::daemon("");
    for number in 0..CAMS {
        scene::add(&daemon, &format!("cam{number}"), &cam.rtsp_url(number), &ALWAYS);
    }
    let all_back = |starts: u64| {
        for number in 0..CAMS {
            wait_for("a camera's return", PATIENCE, || {
                let stats = cam.control("stats");
                let back = stats["cams"][number]["starts"].as_u64()? >= starts && cam.sessions(number) == 1;
                let token = format!("cam{number}");
                (back && daemon.source(&token)?["strVideoType"].is_string()).then_some(())
            });
        }
    };
    all_back(1);
    let cycle = |round: usize| {
        match round % 2 {
            0 => cam.control("drop?cam=all"),
            _ => cam.control("restart?cam=all&down=1"),
        };
        all_back(round as u64 + 2);
    };
    // What the first failures make the daemon fetch once is not a leak.
    (0..2).for_each(cycle);
    let before = weight(&daemon);
    (2..2 + ROUNDS).for_each(cycle);
    let settled = wait_for("all threads and descriptors back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let now = weight(&daemon);
        (now.0 <= before.0 + 1 && now.1 <= before.1 + 1).then_some(now)
    });
    eprintln!("threads, descriptors, KiB: {before:?} -> {settled:?} after {} returns", CAMS * ROUNDS);
    assert!(settled.2 < before.2 + 12 * 1024, "{before:?} -> {settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jumps_of_the_cameras_clock_do_not_show() {
    let cam = scene::cameras(25, &["--audio", "aac"]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[("audio", "true"), ALWAYS[0]]);
    scene::wait_pictures(&daemon, "a");
    let mut viewer = watch(&daemon, "a").await;
    for (second, ms) in [(2, 10_000), (5, -25_000), (8, 3_600_000), (11, -700)] {
        viewer.watch_for(second * SECOND).await;
        cam.control(&format!("jump?cam=0&ms={ms}"));
    }
    viewer.watch_for(15 * SECOND).await;
    assert!(!viewer.closed, "{:?}", viewer.farewell);
    assert!(viewer.check().frames() > 13 * 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_picture_size_is_a_new_connection() {
    let cam = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &ALWAYS);
    let entry = scene::wait_pictures(&daemon, "a");
    assert_eq!((&entry["nVideoWidth"], &entry["nVideoHeight"]), (&320.into(), &240.into()));
    let mut viewer = watch(&daemon, "a").await;
    viewer.watch_for(2 * SECOND).await;
    cam.control("resize?cam=0&size=256x144");
    viewer.until_closed(PATIENCE).await;
    assert_eq!(viewer.farewell.as_ref().map(|(code, _)| *code), Some(4000));
    viewer.check();
    let sizes = |entry: &serde_json::Value| entry["nVideoWidth"] == 256 && entry["nVideoHeight"] == 144;
    scene::wait_source(&daemon, "a", "the new size", sizes);
    let mut next = watch(&daemon, "a").await;
    next.watch_for(2 * SECOND).await;
    next.check();
    assert_eq!(cam.sessions(0), 1, "the camera's connection is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_frames_without_parameter_sets_are_shown_with_the_known_ones() {
    let cam: Fakecam = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &ALWAYS);
    scene::wait_pictures(&daemon, "a");
    let mut viewer = watch(&daemon, "a").await;
    viewer.watch_for(SECOND).await;
    cam.control("noparams?cam=0&gops=3");
    viewer.watch_for(3 * SECOND).await;
    let mut second = watch(&daemon, "a").await;
    tokio::join!(viewer.watch_for(7 * SECOND), second.watch_for(4 * SECOND));
    assert!(!viewer.closed && !second.closed);
    assert!(viewer.check().frames() > 125);
    assert_eq!(viewer.check().mime, second.check().mime);
}
