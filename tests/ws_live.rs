//! Live pictures over WebSocket: every generation of client pages, the rules that decide whether a
//! page plays, and viewers that are slow, stuck, early or at the wrong address.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::{
    daemon::Daemon,
    scene::{self, PATIENCE},
    wait_for,
    ws::{Viewer, Watched},
};
use tokio_tungstenite::tungstenite::Error;

const SECOND: Duration = Duration::from_secs(1);

fn live(daemon: &Daemon, token: &str) -> String {
    format!("/api/v1/h5swsapi?token={token}&profile=main&session={}", daemon.session)
}

/// What a page of one generation does: the address without token and session, and what it says.
struct Generation {
    name: &'static str,
    address: &'static str,
    keepalive: &'static str,
    commands: &'static [&'static str],
}

const PLAIN: &str = "/api/v1/h5swsapi?token=TOKEN&session=SESSION";
const KEEPALIVE: &str = r#"{"cmd":"H5_KEEPALIVE"}"#;
const COMMANDS: &[&str] = &[
    r#"{"cmd":"H5_START"}"#,
    r#"{"cmd":"H5_PAUSE"}"#,
    r#"{"cmd":"H5_RESUME"}"#,
    r#"{"cmd":"H5_SEEK","nSeekTime":3}"#,
    r#"{"cmd":"H5_SPEED","nSpeed":"2.0"}"#,
];

const GENERATIONS: [Generation; 10] = [
    Generation { name: "G1", address: PLAIN, keepalive: "keepalive", commands: &[] },
    Generation {
        name: "G2 of a page opened as /index.html",
        address: "/index.htmlapi/v1/h5swsapi?token=TOKEN&session=SESSION",
        keepalive: "keepalive",
        commands: &[],
    },
    Generation {
        name: "G3",
        address: "//api/v1/h5swsapi?token=TOKEN&session=SESSION",
        keepalive: r#"{"cmd":"H5_KEEPALIVE","nSpeed":"1.0","nTime":"0"}"#,
        commands: &[
            r#"{"cmd":"H5_PAUSE","nSpeed":"1.0","nTime":"0"}"#,
            r#"{"cmd":"H5_RESUME","nSpeed":"1.0","nTime":"0"}"#,
            r#"{"cmd":"H5_SEEK","nSpeed":"1.0","nTime":"5"}"#,
        ],
    },
    Generation {
        name: "G3 with a device",
        address: "/api/v1/h5swsapi?token=TOKEN&device=d1&session=SESSION",
        keepalive: KEEPALIVE,
        commands: &[],
    },
    Generation { name: "G4", address: PLAIN, keepalive: KEEPALIVE, commands: COMMANDS },
    Generation {
        name: "G5",
        address: "/api/v1/h5swsapi?token=TOKEN&profile=main&session=SESSION",
        keepalive: KEEPALIVE,
        commands: COMMANDS,
    },
    Generation {
        name: "G6 asking for the second stream",
        address: "/api/v1/h5swsapi?token=TOKEN&profile=sub&session=SESSION",
        keepalive: KEEPALIVE,
        commands: COMMANDS,
    },
    Generation {
        name: "G7 asking for a transcoding profile",
        address: "/api/v1/h5swsapi?token=TOKEN&profile=no-such&session=SESSION",
        keepalive: KEEPALIVE,
        commands: &[],
    },
    Generation {
        name: "G8",
        address: "/api/v1/h5swsapi?token=TOKEN&hevc=false&profile=main&session=SESSION",
        keepalive: KEEPALIVE,
        commands: COMMANDS,
    },
    Generation {
        name: "G9",
        address: "/api/v1/h5swsapi?token=TOKEN&hevc=true&profile=main&session=SESSION",
        keepalive: KEEPALIVE,
        commands: &[
            r#"{"cmd":"H5_MOVETO","strMovetoTime":"2020-05-01T00:00:00+08:00"}"#,
            "not even JSON",
            "",
        ],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_generation_play() {
    let cam = scene::cameras(25, &["--audio", "aac"]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "token1", &cam.rtsp_url(0), &[("audio", "true")]);
    scene::wait_pictures(&daemon, "token1");
    let mut viewers = Vec::new();
    for generation in &GENERATIONS {
        let address = generation.address.replace("TOKEN", "token1").replace("SESSION", &daemon.session);
        let opened = Viewer::open(daemon.http, &address).await;
        let mut viewer = opened.unwrap_or_else(|error| panic!("{}: {error}", generation.name));
        viewer.send(generation.keepalive).await;
        for command in generation.commands {
            viewer.send(command).await;
        }
        viewers.push(viewer);
    }
    let watching = viewers.into_iter().zip(&GENERATIONS).map(|(mut viewer, generation)| {
        tokio::spawn(async move {
            viewer.watch_for(6 * SECOND).await;
            viewer.send(generation.keepalive).await;
            (viewer, generation.name)
        })
    });
    for watching in watching.collect::<Vec<_>>() {
        let (viewer, name) = watching.await.expect("a viewer");
        assert!(!viewer.closed, "{name}: {:?}", viewer.farewell);
        // Texts are for recordings; pages before G4 choke on them.
        assert!(viewer.received.iter().all(|r| r.message.is_binary()), "{name}");
        let watched = viewer.check();
        assert!(watched.mime.starts_with("video/mp4; codecs=\"avc1."), "{}", watched.mime);
        assert!(watched.mime.ends_with(", mp4a.40.2\""), "{}", watched.mime);
        assert_eq!(watched.tracks.iter().map(|t| t.entry).collect::<Vec<_>>(), [*b"avc1", *b"mp4a"]);
        assert!(watched.media_seconds() > 5.0, "{name}: {} s", watched.media_seconds());
    }
    assert_eq!(cam.sessions(0), 1, "one pull for all");
}

/// The delay that all but a twentieth of the frames stay below.
fn p95(watched: &Watched) -> Duration {
    let mut delays = watched.delays_us.clone();
    delays.sort_unstable();
    Duration::from_micros(delays[delays.len() * 95 / 100])
}

#[tokio::test(flavor = "multi_thread")]
async fn long_gops_give_a_picture_at_once_and_no_heap_of_old_ones() {
    let cam = scene::cameras(250, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "a");
    let mut viewers = Vec::new();
    // Through a whole GOP of 10 s, and into the next one.
    for _ in 0..6 {
        tokio::time::sleep(2 * SECOND).await;
        let mut viewer = Viewer::open(daemon.http, &live(&daemon, "a")).await.expect("a socket");
        let first = tokio::time::timeout(3 * SECOND, async {
            while viewer.received.len() < 4 {
                viewer.next(SECOND).await.expect("media");
            }
        });
        first.await.expect("media long before the next key frame");
        viewers.push(tokio::spawn(async move {
            viewer.watch_for(7 * SECOND).await;
            viewer
        }));
    }
    for viewer in viewers {
        let viewer = viewer.await.expect("a viewer");
        let watched = viewer.check();
        assert!(watched.first_media < SECOND, "{:?}", watched.first_media);
        assert!(!viewer.closed && watched.frames() > 125, "{} frames", watched.frames());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_viewer_of_a_sleeping_source_gets_little_old_media() {
    let cam = scene::cameras(25, &["--cams", "1"]);
    let daemon = scene::daemon("[sources]\nwarm_seconds = 0\n");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[]);
    wait_for("sleep", PATIENCE, || (cam.sessions(0) == 0 && cam.frames(0) > 0).then_some(()));
    let mut viewer = Viewer::open(daemon.http, &live(&daemon, "a")).await.expect("a socket");
    viewer.watch_for(6 * SECOND).await;
    let watched = viewer.check();
    let first = watched.runs[0].at;
    let at_once = watched.runs.iter().take_while(|run| run.at - first < Duration::from_millis(100)).last();
    let seconds = at_once.expect("the first").run.end() as f64 / f64::from(watched.video().timescale);
    assert!(seconds < 2.0, "{seconds} s of media at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_skips_or_is_dropped_and_harms_nobody() {
    // Enough data to fill all buffers between here and there within seconds.
    let cam = support::fakecam::Fakecam::start(&["--size", "1280x720", "--bitrate", "8000", "--gop", "25"]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "a");
    let target = live(&daemon, "a");
    let mut good = Viewer::open(daemon.http, &target).await.expect("a socket");
    let mut slow = Viewer::open_narrow(daemon.http, &target).await.expect("a socket");
    let stuck = Viewer::open_narrow(daemon.http, &target).await.expect("a socket");
    let good = tokio::spawn(async move {
        good.watch_for(35 * SECOND).await;
        good
    });
    slow.watch_for(2 * SECOND).await;
    tokio::time::sleep(12 * SECOND).await;
    slow.watch_for(25 * SECOND).await;

    assert!(!slow.closed, "{:?}", slow.farewell);
    // The time line has no hole, whatever was left out.
    let watched = slow.check_but_pace();
    let frames: Vec<_> = watched.of(watched.video()).collect();
    let delays = &watched.delays_us;
    assert_eq!(frames.len(), delays.len(), "one stamp per frame");
    let skip = delays.windows(2).position(|pair| pair[0] > pair[1] + 2_000_000);
    let skip = skip.expect("a skip, or the test is too mild");
    assert!(frames[skip + 1].run.samples[0].key, "it goes on with a key frame");
    assert!(delays[skip + 1..].iter().rev().take(100).all(|late| *late < 1_000_000), "late: {delays:?}");

    let good = good.await.expect("a viewer");
    let seen = good.check();
    assert!(seen.frames() > 33 * 25, "{} frames", seen.frames());
    assert!(p95(&seen) < Duration::from_millis(400), "{:?}", p95(&seen));

    wait_for("the end of the stuck one", PATIENCE, || {
        let count = daemon.api_ok("h5swsapi/Status", &[])["nConnectCount"].as_u64()?;
        (count <= 2).then_some(())
    });
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_source_says_why_after_a_moment() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "absent", "rtsp://127.0.0.1:9/x", &[]);
    scene::wait_offline(&daemon, "absent", "refused");
    let mut viewer = Viewer::open(daemon.http, &live(&daemon, "absent")).await.expect("a socket");
    let opened = Instant::now();
    viewer.until_closed(PATIENCE).await;
    // Sooner, pages that open again at once would spin; later, they give up by themselves.
    let took = opened.elapsed();
    assert!((2 * SECOND..10 * SECOND).contains(&took), "{took:?}");
    assert!(viewer.received.is_empty());
    let (code, reason) = viewer.farewell.expect("a reason");
    assert_eq!(code, 4001);
    assert!(reason.contains("refuses the connection"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_deleted_sources_are_not_watched() {
    let cam = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    for target in ["/api/v1/h5swsapi?token=nobody", "/api/v1/h5swsapi?x=1", "/api/v1/GetSrc?x=1"] {
        match Viewer::open(daemon.http, &format!("{target}&session={}", daemon.session)).await.err() {
            Some(Error::Http(answer)) => {
                let body = answer.into_body().expect("a body");
                let body: Value = serde_json::from_slice(&body).expect("JSON");
                assert_eq!(body["bStatus"], false, "{target}");
            }
            other => panic!("{target}: {other:?}"),
        }
    }
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[]);
    let mut viewer = Viewer::open(daemon.http, &live(&daemon, "a")).await.expect("a socket");
    viewer.watch_for(2 * SECOND).await;
    let asked = Instant::now();
    daemon.api_ok("DelSrc", &[("token", "a")]);
    viewer.until_closed(PATIENCE).await;
    assert!(asked.elapsed() < 5 * SECOND, "{:?}", asked.elapsed());
    viewer.check();
    wait_for("the end of the pull", PATIENCE, || (cam.sessions(0) == 0).then_some(()));
}
