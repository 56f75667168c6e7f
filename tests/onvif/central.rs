//! What a central has of its sites' cameras beside pictures on pages: what they report, and their streams for RTSP
//! clients.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::device::{PASSWORD as DEVICE_PASSWORD, USER as DEVICE_USER};
use crate::front::{CAM, Front, PASSWORD, Shown, USER, add};
use crate::head::Head;
use crate::rtsp::site::{ask, ffprobe, frames};
use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::ws::Viewer;
use crate::support::{scene, wait_for};

const PATIENCE: Duration = Duration::from_secs(30);
const MAPPED: &str = "yard-cam";

/// A central, and an edge `yard` that logs in there.
fn daemons() -> (Daemon, Daemon) {
    let central =
        scene::daemon("[cloud.server]\nenabled = true\n[onvif]\ndevice = true\ndiscovery = false\n");
    let edge = scene::daemon(&format!(
        "[cloud.client]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\ntls = false\ntoken = \"yard\"\n\
         user = \"admin\"\npassword = \"12345\"\ngrant = \"control\"\nkeepalive_seconds = 1\n",
        central.http
    ));
    (central, edge)
}

fn wait_listed(central: &Daemon) {
    wait_for(MAPPED, PATIENCE, || {
        std::thread::sleep(Duration::from_millis(100));
        central.source(MAPPED).map(drop)
    });
}

/// A camera with a head, which reports.
fn camera(streams: &Fakecam) -> Front {
    let url = streams.rtsp_url(0);
    let camera = Front::start(vec![Shown { token: "main", told: Some(("H264", 320, 240)), url }]);
    camera.with(|state| state.head = Some(Head::default()));
    camera
}

/// The next text for which `wanted` holds.
async fn until(socket: &mut Viewer, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = socket.next(PATIENCE).await.expect("a message");
        let told = serde_json::from_str(message.message.to_text().expect("a text")).expect("JSON");
        if wanted(&told) {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sites_camera_reports_is_told_to_those_who_may_see_it() {
    let streams = scene::cameras(25, &["--auth", "digest", "--user", USER, "--password", PASSWORD]);
    let (mut central, edge) = daemons();
    let camera = camera(&streams);
    add(&edge, camera.port);
    wait_listed(&central);
    for (user, token) in [("eve", "yard-*"), ("bob", "other-*")] {
        let role = ("roletoken", user);
        central.api_ok("CreateRole", &[("role", user), role]);
        central.api("AddCamToRole", &[role, ("camtoken", token)]);
        central.api_ok("CreateUser", &[("user", user), ("password", "looking around"), role]);
    }
    let listen = async |daemon: &Daemon, call: &str| {
        let target = format!("/api/v1/{call}?session={}", daemon.session);
        Viewer::open(daemon.http, &target).await.expect("a socket")
    };
    let mut page = listen(&central, "h5stateapi").await;
    central.login_as("eve", "looking around");
    let mut eve = listen(&central, "h5seventapi").await;
    central.login_as("bob", "looking around");
    let mut bob = listen(&central, "h5seventapi").await;
    wait_for("a subscription", PATIENCE, || {
        camera.with(|state| state.head.as_ref().expect("a head").subscribed.is_some()).then_some(())
    });
    camera.with(|state| state.head.as_mut().expect("a head").motion(true));
    let told = until(&mut eve, |_| true).await;
    assert_eq!((&told["type"], &told["strDevToken"]), (&"H5S_EVENT_MOTION".into(), &MAPPED.into()), "{told}");
    let news = until(&mut page, |told| told["news"]["strType"] == "motion").await;
    let news = &news["news"];
    assert_eq!((&news["strToken"], &news["strName"]), (&MAPPED.into(), &CAM.1.into()), "{news}");
    camera.with(|state| state.head.as_mut().expect("a head").motion(false));
    assert_eq!(until(&mut eve, |_| true).await["type"], "H5S_EVENT_MOTION_END");
    assert!(bob.next(Duration::from_secs(1)).await.is_none() && !bob.closed);
}

#[test]
fn a_sites_camera_is_steered_and_has_presets() {
    let streams = scene::cameras(25, &["--auth", "digest", "--user", USER, "--password", PASSWORD]);
    let (central, edge) = daemons();
    let camera = camera(&streams);
    add(&edge, camera.port);
    wait_listed(&central);
    let (token, preset) = (("token", MAPPED), ("presettoken", "7"));
    central.api_ok("Ptz", &[token, ("action", "left"), ("speed", "0.5")]);
    central.api_ok("Ptz", &[token, ("action", "stop")]);
    central.api_ok("SetPreset", &[token, preset, ("presetname", "Gate")]);
    let presets = |daemon: &Daemon, token| daemon.api_ok("GetPresets", &[token])["preset"].clone();
    let kept = presets(&central, token);
    assert_eq!((&kept, kept[0]["strToken"].as_str()), (&presets(&edge, CAM), Some("7")), "{kept}");
    central.api_ok("Ptz", &[token, ("action", "preset"), ("preset", "7")]);
    let told =
        |operation: &str| camera.with(|state| state.head.as_ref().expect("a head").all(operation).len());
    assert_eq!(["ContinuousMove", "Stop", "SetPreset", "GotoPreset"].map(told), [1; 4]);
    central.api_ok("DelPreset", &[token, preset]);
    assert_eq!(told("RemovePreset"), 1);
}

#[test]
fn a_sites_camera_is_served_to_rtsp_clients_of_the_central() {
    let streams = scene::cameras(25, &[]);
    let (central, edge) = daemons();
    scene::add(&edge, CAM.1, &streams.rtsp_url(0), &[]);
    wait_listed(&central);
    let user = [("user", DEVICE_USER), ("password", DEVICE_PASSWORD), ("level", "Administrator")];
    central.api_ok("CreateOnvifUser", &user);
    let told = central.api_ok("GetOnvifDevice", &[]);
    let port = told["nRtspPort"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    wait_for("the RTSP server", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok().map(drop));
    let login = "recorder:Secret%3Apass%201";
    let live = format!("rtsp://{login}@127.0.0.1:{port}/live/{MAPPED}");
    assert_eq!(ffprobe(&live, "tcp").expect("a stream").width, 320);
    assert!(frames(&live, "tcp", 30) >= 30);
    let describe = |path: &str| ask(port, "DESCRIBE", path, Some((DEVICE_USER, DEVICE_PASSWORD)));
    assert_eq!(describe("/live/yard-none"), 404);
    // Recordings stay at the site; its own RTSP server has them.
    assert_eq!(describe(&format!("/replay/{MAPPED}")), 404);
}
