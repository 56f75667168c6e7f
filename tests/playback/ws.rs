//! Over WebSocket, as pages of all generations ask (docs/protocol.md 1).

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kept::{BASELINE, H265, HIGH, SOUND, Site};
use crate::support::{
    scene,
    ws::{Viewer, Watched},
};

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);
const START: &str = r#"{"cmd":"H5_START"}"#;

/// The texts that came; all have to be JSON.
fn texts(viewer: &Viewer) -> Vec<Value> {
    let messages = viewer.received.iter().map(|received| &received.message);
    let texts = messages.filter(|message| message.is_text()).map(|message| message.to_text().expect("text"));
    texts.map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

/// The times told, as texts.
fn times(viewer: &Viewer) -> Vec<String> {
    let of = |text: &Value| {
        assert_eq!(text["type"], "H5S_EVENT_PB_TIME", "{text}");
        assert!(text["pbTime"]["nTime"].is_i64() && text["pbTime"]["nMediaTime"].is_u64(), "{text}");
        text["pbTime"]["strTime"].as_str().expect("a time").to_owned()
    };
    texts(viewer).iter().map(of).collect()
}

async fn open(site: &Site, target: &str) -> Viewer {
    Viewer::open(site.daemon.http, target).await.expect("a socket")
}

/// Watches until the media stands still for a while.
async fn to_the_end(viewer: &mut Viewer) -> Watched {
    let deadline = Instant::now() + 2 * PATIENCE;
    let mut quiet = Instant::now();
    while quiet.elapsed() < 4 * SECOND && !viewer.closed {
        assert!(Instant::now() < deadline, "it never ends");
        if viewer.next(SECOND).await.is_some_and(|received| received.message.is_binary()) {
            quiet = Instant::now();
        }
    }
    viewer.check_but_pace()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_of_two_files_and_a_gap() {
    let site = Site::new(&[("a", &SOUND, 0, 6), ("b", &SOUND, 20, 24)]);
    let mut viewer = open(&site, &site.span("h5swsapi", 2, 60)).await;
    viewer.send(START).await;
    let watched = to_the_end(&mut viewer).await;
    assert!(watched.mime.starts_with("video/mp4; codecs=\"avc1.42C0"), "{}", watched.mime);
    assert!(watched.mime.ends_with(", mp4a.40.2\""), "{}", watched.mime);
    assert_eq!((watched.media_seconds(), watched.frames()), (8.0, 200));
    // The last frames come the lead before the end.
    let took = (watched.runs.last().unwrap().at - watched.runs[0].at).as_secs_f64();
    assert!((6.5..9.5).contains(&took), "8 s of media in {took} s");
    assert!(!viewer.closed, "one may still seek back");

    let told = times(&viewer);
    assert_eq!((told[0].clone(), told[told.len() - 1].clone()), (site.time(2), site.time(24)), "{told:?}");
    assert!((8..=12).contains(&told.len()), "{told:?}");
    assert!(told.is_sorted(), "{told:?}");
    assert!(told.iter().all(|at| at <= &site.time(6) || at >= &site.time(20)), "{told:?}");

    viewer.send(r#"{"cmd":"H5_SEEK","nSeekTime":1}"#).await;
    let before = watched.frames();
    let watched = to_the_end(&mut viewer).await;
    assert!(watched.frames() > before + 100, "played again from there");
    viewer.leave().await;
}

/// Decodes all that came, sound and its stand-in too; what ffmpeg's decoders say begins with their
/// names.
fn decoded(viewer: &Viewer) -> String {
    let messages = viewer.received.iter().map(|received| &received.message);
    let media = messages.filter(|message| message.is_binary()).skip(1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("came.mp4");
    let bytes: Vec<u8> = media.flat_map(|message| message.clone().into_data().to_vec()).collect();
    std::fs::write(&file, bytes).unwrap();
    let decode =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(file).args(["-f", "null", "-"]).output();
    String::from_utf8_lossy(&decode.expect("ffmpeg").stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_obeyed() {
    let site = Site::new(&[("a", &HIGH, 0, 120)]);
    let mut viewer = open(&site, &site.span("h5swsapi", 0, 120)).await;
    viewer.watch_for(3 * SECOND).await;
    assert!(viewer.check().media_seconds() > 1.5, "starts by itself");

    viewer.send(r#"{"cmd":"H5_PAUSE"}"#).await;
    viewer.watch_for(4 * SECOND).await;
    let paused = viewer.check_but_pace().media_seconds();
    viewer.watch_for(8 * SECOND).await;
    assert!(viewer.check_but_pace().media_seconds() - paused < 0.3, "paused");

    viewer.send(r#"{"cmd":"H5_SPEED","nSpeed":"16.0"}"#).await;
    viewer.send(r#"{"cmd":"H5_RESUME"}"#).await;
    let told = times(&viewer).len();
    viewer.watch_for(12 * SECOND).await;
    let watched = viewer.check_but_pace();
    let fast = times(&viewer).split_off(told);
    assert!(fast.last().unwrap() > &site.time(40) && fast.last().unwrap() < &site.time(90), "{fast:?}");
    let samples: Vec<_> = watched.of(watched.video()).flat_map(|arrived| &arrived.run.samples).collect();
    let keys = samples.iter().rev().take_while(|sample| sample.key).count();
    assert!(keys > 30, "{keys} key frames in a row");

    viewer.send(r#"{"cmd":"H5_SPEED","nSpeed":"1.0"}"#).await;
    let moveto = format!(r#"{{"cmd":"H5_MOVETO","strMovetoTime":"{}"}}"#, site.time(100));
    viewer.send(&moveto).await;
    viewer.watch_for(16 * SECOND).await;
    let last = times(&viewer).pop().unwrap();
    assert!(last >= site.time(101) && last <= site.time(105), "{last}");
    viewer.check_but_pace();

    viewer.send(r#"{"cmd":"H5_SPEED","nSpeed":"99"}"#).await;
    let deadline = Instant::now() + PATIENCE;
    let is_fault = |text: &Value| text["type"] == "H5S_EVENT_PB_FAULT";
    while !texts(&viewer).iter().any(is_fault) {
        assert!(Instant::now() < deadline, "no fault is told");
        viewer.next(SECOND).await;
    }
    let fault = texts(&viewer).into_iter().find(is_fault).unwrap();
    assert_eq!(fault["strCode"], "nSpeed: 99 is not from 0.5 to 16");
    assert!(!viewer.closed);
    let complaints = decoded(&viewer);
    assert!(!complaints.contains("aac") && !complaints.contains("h264"), "{complaints}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_by_its_name() {
    let site = Site::new(&[("token1", &BASELINE, 0, 4), ("other", &H265, 10, 14)]);
    for (name, codec) in [("token1.mp4", "avc1"), ("token1", "avc1"), ("other.mp4", "hvc1")] {
        let target = site.target("h5swsapi", &[("begintime", "0"), ("endtime", "0"), ("filename", name)]);
        let mut viewer = open(&site, &target).await;
        viewer.send(START).await;
        let watched = to_the_end(&mut viewer).await;
        assert!(watched.mime.contains(codec), "{name}: {}", watched.mime);
        assert_eq!(watched.media_seconds(), 4.0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_is_said() {
    let site = Site::new(&[("a", &BASELINE, 0, 4)]);
    let (t0, t4, t10) = (site.time(0), site.time(4), site.time(10));
    let named = |name: &'static str| vec![("begintime", "0"), ("endtime", "0"), ("filename", name)];
    let cases = [
        (
            vec![("begintime", t4.as_str()), ("endtime", &t0)],
            "parameter endtime is not after begintime".into(),
        ),
        (vec![("begintime", "noon"), ("endtime", &t4)], "parameter begintime: noon is not a time".into()),
        (vec![("begintime", &t0)], "parameter endtime is missing".into()),
        (vec![], "parameters begintime and endtime are missing".into()),
        (named("b.mp4"), "there is no b.mp4".into()),
        (
            vec![("begintime", &t4), ("endtime", &t10)],
            format!("nothing is recorded of token1 from {t4} to {t10}"),
        ),
    ];
    let unknown = site.span("h5swsapi", 0, 4).replace("token=token1", "token=token9");
    let unknown = (unknown, "parameter token: there is no source token9".to_owned());
    let cases = cases.map(|(params, fault)| (site.target("h5swsapi", &params), fault));
    for (target, fault) in cases.into_iter().chain([unknown]) {
        let mut viewer = open(&site, &target).await;
        viewer.until_closed(PATIENCE).await;
        let said = texts(&viewer);
        let text = said[0]["strCode"].as_str().unwrap_or_default();
        assert!(said[0]["type"] == "error" && text.starts_with(&fault), "{fault}: {said:?}");
        let (code, reason) = viewer.farewell.clone().expect("a goodbye");
        assert_eq!((code, text.starts_with(&reason)), (4001, true), "{reason}");
        assert_eq!(viewer.received.len(), 1, "{fault}");
    }
    let stranger = site.span("h5swsapi", 0, 4).replace("session=", "session=x");
    assert!(Viewer::open(site.daemon.http, &stranger).await.is_err(), "without a session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_loses_nothing() {
    let site = Site::new(&[("a", &SOUND, 0, 20)]);
    let mut viewer = Viewer::open_narrow(site.daemon.http, &site.span("h5swsapi", 0, 20)).await.unwrap();
    viewer.send(r#"{"cmd":"H5_SPEED","nSpeed":"4.0"}"#).await;
    viewer.send(START).await;
    viewer.next(PATIENCE).await;
    tokio::time::sleep(4 * SECOND).await;
    let watched = to_the_end(&mut viewer).await;
    assert_eq!((watched.frames(), watched.media_seconds()), (500, 5.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_recording_is_followed() {
    let cam = scene::cameras(50, &[]);
    let site = Site::new(&[]);
    scene::add(&site.daemon, "token1", &cam.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&site.daemon, "token1");
    site.daemon.api_ok("Record", &[("token", "token1"), ("duration", "60")]);
    tokio::time::sleep(8 * SECOND).await;
    let mut viewer = open(&site, &site.span("h5swsapi", 3000, 7200)).await;
    viewer.send(START).await;
    viewer.watch_for(25 * SECOND).await;
    let watched = viewer.check_but_pace();
    assert!(watched.media_seconds() > 18.0, "{} s", watched.media_seconds());
    assert!(!viewer.closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_viewers_cost_little_memory() {
    let site = Site::new(&[("a", &HIGH, 0, 600)]);
    let mut one = open(&site, &site.span("h5swsapi", 0, 600)).await;
    one.send(START).await;
    one.watch_for(3 * SECOND).await;
    let before = site.daemon.rss_kb();
    let mut viewers = Vec::new();
    for number in 0..20 {
        let mut viewer = open(&site, &site.span("h5swsapi", number * 7, 600)).await;
        viewer.send(START).await;
        viewer.send(r#"{"cmd":"H5_SPEED","nSpeed":"4.0"}"#).await;
        viewers.push(tokio::spawn(async move {
            viewer.watch_for(12 * SECOND).await;
            viewer
        }));
    }
    tokio::time::sleep(10 * SECOND).await;
    let grown = (site.daemon.rss_kb() - before) / 1024;
    for viewer in viewers {
        let viewer = viewer.await.unwrap();
        let watched = viewer.check_but_pace();
        assert!(watched.media_seconds() > 8.0, "{} s", watched.media_seconds());
    }
    eprintln!("20 viewers: {grown} MB");
    assert!(grown < 80, "20 viewers cost {grown} MB");
}
