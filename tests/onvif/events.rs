//! What cameras report: on sockets, in the database, and as recordings that begin before the event.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cameras::Camera;
use crate::front::{CAM, Front, PASSWORD, Shown, USER, add};
use crate::head::{Head, Quirks};
use crate::lab::Lab;
use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::ws::Viewer;
use crate::support::{footage, http, scene, stamp, wait_for};

const PATIENCE: Duration = Duration::from_secs(30);

fn streams() -> Fakecam {
    scene::cameras(25, &["--auth", "digest", "--user", USER, "--password", PASSWORD])
}

/// A camera that reports, with its stream.
fn camera(streams: &Fakecam, head: Head) -> Front {
    let url = streams.rtsp_url(0);
    let front = Front::start(vec![Shown { token: "main", told: Some(("H264", 320, 240)), url }]);
    front.with(|state| state.head = Some(head));
    front
}

fn wait_subscribed(camera: &Front) {
    wait_for("a subscription", PATIENCE, || {
        camera.with(|state| state.head.as_ref().expect("a head").subscribed.is_some()).then_some(())
    });
}

fn motion(camera: &Front, active: bool) {
    camera.with(|state| state.head.as_mut().expect("a head").motion(active));
}

async fn listen(daemon: &Daemon) -> Viewer {
    // As pages write it.
    let target = format!("/api/v1/h5seventapi?session={}", daemon.session);
    Viewer::open(daemon.http, &target).await.expect("a socket")
}

/// The next message of the socket.
async fn next(socket: &mut Viewer) -> Value {
    let message = socket.next(PATIENCE).await.expect("a message");
    serde_json::from_str(message.message.to_text().expect("a text")).expect("JSON")
}

/// Type, item and whether it began, of all events since 2020.
fn found(daemon: &Daemon, more: &[(&str, &str)]) -> Vec<(String, String, bool)> {
    let span = [CAM, ("start", "2020-01-01T000000Z"), ("end", "2099-01-01T000000Z")];
    let answer = daemon.api_ok("SearchEvents", &[&span[..], more].concat());
    let text = |event: &Value, name: &str| event[name].as_str().expect("a text").to_owned();
    let event = |event: &Value| (text(event, "strType"), text(event, "strItem"), event["bActive"] == true);
    answer["event"].as_array().expect("events").iter().map(event).collect()
}

fn recordings(daemon: &Daemon) -> Vec<Value> {
    daemon.api_ok("GetRecordStatus", &[CAM])["record"].as_array().expect("recordings").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_a_source_hears_nothing_of_it() {
    let (streams, mut daemon) = (streams(), scene::daemon(""));
    let camera = camera(&streams, Head::default());
    add(&daemon, camera.port);
    let (role, of_role) = (("roletoken", "gate"), ("camtoken", CAM.1));
    daemon.api_ok("CreateRole", &[("role", "Gate"), role]);
    daemon.api_ok("AddCamToRole", &[role, of_role]);
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", "looking around"), role]);
    let admin = daemon.session.clone();
    let mut all = listen(&daemon).await;
    let state = format!("/api/v1/h5stateapi?session={}", daemon.session);
    let mut page = Viewer::open(daemon.http, &state).await.expect("a socket");
    daemon.login_as("eve", "looking around");
    let mut some = listen(&daemon).await;
    daemon.session = admin;
    wait_subscribed(&camera);
    motion(&camera, true);
    for socket in [&mut all, &mut some] {
        assert_eq!(next(socket).await["type"], "H5S_EVENT_MOTION");
    }
    // Pages are told the same, and that it is news.
    let mut wanted = vec!["H5S_EVENT_MOTION", "H5S_NEWS"];
    while !wanted.is_empty() {
        let told = next(&mut page).await;
        let news = told["news"]["strType"] == "motion" && told["news"]["strText"] == "motion: Cells 1";
        wanted.retain(|kind| told["type"] != *kind || *kind == "H5S_NEWS" && !news);
    }
    daemon.api_ok("DelCamInRole", &[role, of_role]);
    motion(&camera, false);
    assert_eq!(next(&mut all).await["type"], "H5S_EVENT_MOTION_END");
    assert!(some.next(Duration::from_secs(2)).await.is_none() && !some.closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn motion_is_told_kept_and_recorded_from_before_it_began() {
    let (streams, daemon) = (streams(), scene::daemon("[sources]\nwarm_seconds = 1"));
    let camera = camera(&streams, Head::default());
    add(&daemon, camera.port);
    let plan = |daemon: &Daemon| {
        let plan = daemon.api_ok("GetAlarmRecord", &[CAM]);
        [&plan["bMotion"], &plan["bInput"], &plan["nPostSeconds"]].map(Value::clone)
    };
    assert_eq!(plan(&daemon), [json!(false), json!(false), json!(10)]);
    daemon.api_ok("SetAlarmRecord", &[CAM, ("motion", "true"), ("post", "5")]);
    assert_eq!(plan(&daemon), [json!(true), json!(false), json!(5)]);
    let mut socket = listen(&daemon).await;
    wait_subscribed(&camera);
    // The plan holds the on-demand source open, so that there is something before the event.
    scene::wait_pictures(&daemon, "cam");
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(recordings(&daemon), Vec::<Value>::new());

    let began = stamp::now_us();
    motion(&camera, true);
    let told = next(&mut socket).await;
    let delay = (stamp::now_us() - began) / 1000;
    eprintln!("the socket heard of it after {delay} ms");
    let expected = [("type", "H5S_EVENT_MOTION"), ("strDevToken", "cam")];
    assert!(expected.iter().all(|(name, value)| told[name] == *value), "{told}");
    assert_eq!(told["motion"], json!({"strMotionId": "Cells 1"}));
    assert_eq!(told["strTime"].as_str().expect("a time").len(), "2019-05-02T08:56:28".len());
    wait_for("a recording", PATIENCE, || recordings(&daemon).first()?["strPath"].as_str().map(drop));
    assert_eq!(recordings(&daemon)[0]["nType"], "H5_REC_ALARM");
    // Told again it is nothing new; steering does not wait for what the camera has to report.
    motion(&camera, true);
    let asked = Instant::now();
    daemon.api_ok("Ptz", &[CAM, ("action", "left")]);
    daemon.api_ok("Ptz", &[CAM, ("action", "stop")]);
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());

    tokio::time::sleep(Duration::from_secs(3)).await;
    let ended = stamp::now_us();
    motion(&camera, false);
    let told = next(&mut socket).await;
    assert_eq!((&told["type"], &told["strDevToken"]), (&json!("H5S_EVENT_MOTION_END"), &json!("cam")));
    let event = |active| ("motion".to_owned(), "Cells 1".to_owned(), active);
    wait_for("both in the database", PATIENCE, || {
        (found(&daemon, &[]) == [event(true), event(false)]).then_some(())
    });
    assert_eq!(found(&daemon, &[("type", "digital_input")]), []);
    assert_eq!(found(&daemon, &[("limit", "1")]), [event(true)]);

    wait_for("the end of the recording", PATIENCE, || recordings(&daemon).is_empty().then_some(()));
    let files = footage::recordings(&daemon, "cam");
    assert_eq!(files.len(), 1);
    let stamps = footage::stamps(&files[0]);
    let seconds = |from: u64, to: u64| (to as f64 - from as f64) / 1e6;
    let (pre, post) = (seconds(stamps[0], began), seconds(ended, *stamps.last().expect("pictures")));
    eprintln!("{pre} s before the event, {post} s after it");
    assert!((3.0..9.0).contains(&pre), "{pre} s before the event");
    assert!((4.5..11.0).contains(&post), "{post} s after the event");
    socket.leave().await;

    // Without a plan it is told and kept only, and the source is let go.
    daemon.api_ok("SetAlarmRecord", &[CAM, ("motion", "false")]);
    wait_for("the source left alone", PATIENCE, || (streams.sessions(0) == 0).then_some(()));
    motion(&camera, true);
    wait_for("the next event", PATIENCE, || (found(&daemon, &[]).len() == 3).then_some(()));
    assert_eq!(recordings(&daemon), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_prolonged_begun_again_and_given_back() {
    let (streams, mut daemon) = (streams(), scene::daemon(""));
    let camera = camera(&streams, Head::default());
    add(&daemon, camera.port);
    let mut socket = listen(&daemon).await;
    wait_subscribed(&camera);
    // Twice as long as the camera keeps it by itself.
    wait_for("two renewals", 3 * PATIENCE, || (camera.count("Renew") >= 2).then_some(()));
    assert_eq!(camera.count("CreatePullPointSubscription"), 1);
    let input = |camera: &Front, active| {
        camera.with(|state| {
            let head = state.head.as_mut().expect("a head");
            head.report("tns1:Device/Trigger/DigitalInput", ("InputToken", "DI_1"), ("LogicalState", active));
        });
    };
    input(&camera, true);
    let told = next(&mut socket).await;
    assert_eq!(told["type"], "H5S_EVENT_ALARM_IN");
    assert_eq!(told["alarmIn"], json!({"strAlarmInId": "DI_1"}));

    // The camera restarts, has forgotten us, and prolongs nothing any more.
    let (port, state) = (camera.port, camera.state.clone());
    drop(camera);
    tokio::time::sleep(Duration::from_secs(1)).await;
    {
        let mut state = state.lock().expect("a state");
        let head = state.head.as_mut().expect("a head");
        (head.subscribed, head.quirks) = (None, Quirks { no_renew: true, ..Quirks::default() });
    }
    let camera = Front::start_at(port, state);
    wait_for("a subscription", 3 * PATIENCE, || {
        (camera.count("CreatePullPointSubscription") >= 2).then_some(())
    });
    // What goes on still is nothing new; that it ends is.
    input(&camera, true);
    input(&camera, false);
    let told = next(&mut socket).await;
    assert_eq!(
        (&told["type"], &told["alarmIn"]),
        (&json!("H5S_EVENT_ALARM_IN_END"), &json!({"strAlarmInId": "DI_1"}))
    );
    wait_for("the next subscription", 3 * PATIENCE, || {
        (camera.count("CreatePullPointSubscription") >= 3).then_some(())
    });
    input(&camera, true);
    assert_eq!(next(&mut socket).await["type"], "H5S_EVENT_ALARM_IN");
    let event = |active| ("digital_input".to_owned(), "DI_1".to_owned(), active);
    wait_for("all in the database", PATIENCE, || {
        (found(&daemon, &[]) == [event(true), event(false), event(true)]).then_some(())
    });

    wait_subscribed(&camera);
    let took = daemon.terminate();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(camera.with(|state| state.head.as_ref().expect("a head").subscribed.is_none()), "given back");
}

#[test]
fn bad_requests_are_refused_by_name() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "plain", "rtsp://127.0.0.1:1/none", &[]);
    let plain = ("token", "plain");
    let (start, end) = (("start", "2026-01-01T000000Z"), ("end", "2026-01-02T000000Z"));
    for (call, params, complaint) in [
        ("SetAlarmRecord", vec![plain, ("motion", "true")], "parameter token: plain is no ONVIF source"),
        ("SetAlarmRecord", vec![("token", "nobody")], "parameter token: there is no source nobody"),
        ("SetAlarmRecord", vec![plain, ("post", "4")], "parameter post is not a whole number from 5 to 3600"),
        ("SetAlarmRecord", vec![plain, ("motion", "maybe")], "parameter motion is neither true nor false"),
        ("GetAlarmRecord", vec![("token", "nobody")], "parameter token: there is no source nobody"),
        ("SearchEvents", vec![("token", "nobody"), start, end], "parameter token: there is no source nobody"),
        ("SearchEvents", vec![plain, start], "parameter end is missing"),
        (
            "SearchEvents",
            vec![plain, ("start", end.1), ("end", start.1)],
            "parameter end: it lies before start",
        ),
        (
            "SearchEvents",
            vec![plain, start, end, ("type", "rain")],
            "parameter type is none of motion, digital_input",
        ),
        ("SearchEvents", vec![plain, start, end, ("next", "x")], "parameter next is not the strNext"),
    ] {
        let (_, answer) = daemon.api(call, &params);
        let text = answer["strCode"].as_str().unwrap_or_default();
        assert!(answer["bStatus"] == false && text.starts_with(complaint), "{call} {params:?}: {answer}");
    }
    assert_eq!(daemon.api_ok("SearchEvents", &[plain, start, end]), json!({"event": [], "bMore": false}));
    assert_eq!(http::get(daemon.http, "/api/v1/SearchEvents?token=plain").status, 401);
}

/// `oxvif`'s mock makes up motion, and pulses its inputs when it is told to.
#[test]
fn a_camera_that_others_wrote_reports() {
    let lab = Lab::new().host("site", &["198.51.100.1"]).host("cam", &["198.51.100.2"]);
    let fleet = lab.enter("cam", || Camera::fleet([198, 51, 100, 2].into(), 1));
    lab.enter("site", || {
        let daemon = scene::daemon("");
        let port = fleet.port.to_string();
        let place = [("ip", "198.51.100.2"), ("port", &port), ("onvifaddr", fleet.path)];
        daemon.api_ok("AddSrcONVIF", &[&place[..], &[("name", "cam"), CAM]].concat());
        wait_for("motion, and its end", PATIENCE, || {
            let events = found(&daemon, &[("type", "motion")]);
            let [(_, item, true), (_, _, false), ..] = events.as_slice() else { return None };
            (item == "VS_1").then_some(())
        });
    });
}
