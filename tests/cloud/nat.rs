//! What people in the office do with a box behind NAT: all of it goes through the central, over TLS.

use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::net::{BOX, FAR, Net, ROUTER, SMALL};
use crate::support::daemon::encode;
use crate::support::ws::{Viewer, Watched};
use crate::support::{scene, wait_for};

const TOKEN: (&str, &str) = ("token", FAR);
const SPAN: [(&str, &str); 2] = [("start", "2020-01-01T00:00:00Z"), ("end", "2100-01-01T00:00:00Z")];

#[test]
fn a_box_behind_nat_is_used_through_its_central_over_tls() {
    let net = Net::new(&SMALL, false);
    nobody_gets_in(&net);
    net.api_ok("ManualRecordStart", &[TOKEN]);
    live(&net);
    net.api_ok("ManualRecordStop", &[TOKEN]);
    recorded(&net);
    pictures(&net);
    steered(&net);
    added(&net);
    sent_once(&net);
}

fn nobody_gets_in(net: &Net) {
    let reach = |place: &str| {
        let place = format!("{place}:{}", net.far.http).parse().unwrap();
        net.lab.enter("central", || TcpStream::connect_timeout(&place, Duration::from_secs(1)).is_ok())
    };
    assert!(!reach(BOX), "the box's own port");
    assert!(!reach(ROUTER), "the router's");
}

/// One at the box and one in the office at the same time; both read the camera's clock in the picture.
fn live(net: &Net) {
    let span = Duration::from_secs(6);
    let (at_box, here) = thread::scope(|scope| {
        let at_box = scope.spawn(|| {
            let (port, session) = (net.far.http, net.far.session.as_str());
            net.lab.enter("far", || {
                watched(span, 1, async || Viewer::watch(port, "cam1", session).await.unwrap())
            })
        });
        let here = in_office(net, FAR, span, 1);
        (at_box.join().unwrap(), here)
    });
    assert!(here[0].frames() > 40, "{} frames", here[0].frames());
    let late = |watched: &[Watched]| {
        // The first second is what the ring held.
        let mut delays = watched[0].delays_us[watched[0].delays_us.len().min(30)..].to_vec();
        delays.sort_unstable();
        delays[delays.len() / 2]
    };
    let (there, here) = (late(&at_box), late(&here));
    eprintln!("delay p50: {there} us at the box, {here} us in the office");
    assert!(here < there + 500_000, "{there} us at the box, {here} us in the office");
}

fn recorded(net: &Net) {
    let found = net.api_ok("Search", &[&[TOKEN, ("type", "record")], &SPAN[..]].concat());
    let entry = found["record"].get(0).unwrap_or_else(|| panic!("no recording: {found}"));
    let text = |name: &str| entry[name].as_str().expect("a text");
    let file = net.there(|user| user.get(text("strUrl")));
    assert_eq!((file.status, &file.body[4..8]), (200, b"ftyp".as_slice()));
    let target = format!(
        "/api/v1/h5swsapi?token={FAR}&playback=true&begintime={}&endtime={}&serverpb=true",
        encode(text("strStartTime")),
        encode(text("strEndTime"))
    );
    let played = net.there(|user| {
        watched(Duration::from_secs(3), 1, async || {
            let mut viewer = user.open(&target).await.expect("a socket");
            viewer.send(r#"{"cmd":"H5_START"}"#).await;
            viewer
        })
    });
    assert!(played[0].frames() > 10, "{} frames of a recording", played[0].frames());
}

fn pictures(net: &Net) {
    let is_jpeg = |target: &str| {
        let picture = net.there(|user| user.get(target));
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")), "{target}");
        assert!(picture.body.starts_with(&[0xFF, 0xD8]) && picture.body.len() > 1000, "{target}");
    };
    is_jpeg(&format!("/api/v1/GetImage?token={FAR}"));
    let kept = net.api_ok("Snapshot", &[TOKEN]);
    is_jpeg(kept["strUrl"].as_str().expect("an address"));
}

/// The camera has no motors, and it is the box that says so.
fn steered(net: &Net) {
    let left = |token| [("token", token), ("action", "left"), ("speed", "0.5")];
    let text = |answer: &Value| answer["strCode"].as_str().expect("a text").to_owned();
    let at_box = text(&net.lab.enter("far", || net.far.api("Ptz", &left("cam1")).1));
    let here = text(&net.there(|user| user.api("Ptz", &left(FAR))));
    assert_eq!(here, format!("site far: {at_box}"));
}

fn added(net: &Net) {
    let url = net.far_camera.rtsp_url(0);
    let camera = [("name", "Second"), ("token", "cam2"), ("url", url.as_str()), ("servertoken", "far")];
    net.api_ok("AddSrcRTSP", &camera);
    assert!(net.lab.enter("far", || net.far.source("cam2")).is_some(), "it is not at the box");
    net.wait_there("far-cam2");
    assert!(in_office(net, "far-cam2", Duration::from_secs(3), 1)[0].frames() > 0);
    net.api_ok("DelSrc", &[("token", "far-cam2")]);
    wait_for("it to go", scene::PATIENCE, || net.source("far-cam2").is_none().then_some(()));
}

/// However many watch, the link carries one stream.
fn sent_once(net: &Net) {
    let used = |count| {
        let before = net.wan.sent_up();
        in_office(net, FAR, Duration::from_secs(4), count);
        net.wan.sent_up() - before
    };
    let (one, fifty) = (used(1), used(50));
    eprintln!("4 s of one viewer are {one} bytes up the link, of fifty {fifty}");
    assert!(fifty < 3 * one, "one viewer: {one} bytes, fifty: {fifty}");
}

fn in_office(net: &Net, mapped: &str, span: Duration, count: usize) -> Vec<Watched> {
    net.there(|user| watched(span, count, async || user.watch(mapped).await.expect("a viewer")))
}

/// What so many saw of streams that `open` opens, checked.
fn watched(span: Duration, count: usize, open: impl AsyncFn() -> Viewer) -> Vec<Watched> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let begin = Instant::now();
    let watched = runtime.block_on(async {
        let one = async || {
            let mut viewer = open().await;
            viewer.watch_for(span).await;
            let watched = viewer.check_but_pace();
            viewer.leave().await;
            watched
        };
        futures_util::future::join_all((0..count).map(|_| one())).await
    });
    let fragments: usize = watched.iter().map(|one| one.runs.len()).sum();
    eprintln!("{count} viewers, {fragments} fragments in {:.1?}", begin.elapsed());
    watched
}
