//! ONVIF: finding, probing and steering cameras that others wrote (`make onvif-peers`), and the device
//! that we are. Cameras and daemon live in network namespaces of their own, so this needs root.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use h5edge::base::secret::Secret;
use h5edge::base::wall::Wall;
use h5edge::onvif::wsse;

use crate::lab::Lab;
use crate::measure::{cpu_seconds, quantile};
use crate::onvif_cameras::Camera;
use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::fakecam::Fakecam;
use crate::support::http;

const CAMERAS: u16 = 200;
/// The API's default.
const SEARCH_SECONDS: &str = "10";
const PROBES: usize = 50;
const MOVES: usize = 100;
const SOURCES: usize = 64;
const QUESTIONS: usize = 100;
/// The device looks at each stream once, a few at a time.
const KNOWN: Duration = Duration::from_secs(180);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 11);
const USER: &str = "bench";
const PASSWORD: &str = "Secret-pass-1";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";

fn lab() -> Lab {
    Lab::new().host("box", &["198.51.100.1"]).host("cameras", &["198.51.100.11"])
}

fn daemon(config: &str) -> Daemon {
    let mut daemon = Daemon::start(DaemonOptions { config: config.to_owned(), ..DaemonOptions::default() });
    daemon.login();
    daemon
}

/// CPU of the daemon in per cent of a core while it searches, and how many of the cameras it missed.
pub fn search() -> Vec<f64> {
    let lab = lab();
    let _fleet = lab.enter("cameras", || Camera::fleet(ADDRESS, CAMERAS));
    lab.enter("box", || {
        let daemon = daemon("");
        let (from, begun) = (cpu_seconds(daemon.process.pid()), Instant::now());
        let found = daemon.api_ok("OnvifSearch", &[("timeout", SEARCH_SECONDS)]);
        let used = (cpu_seconds(daemon.process.pid()) - from) / begun.elapsed().as_secs_f64() * 100.0;
        let listed = found["device"].as_array().expect("a list").len();
        vec![used, f64::from(CAMERAS) - listed as f64]
    })
}

/// Milliseconds from call to answer, p50 and p95, of a camera that asks for a password.
pub fn probe() -> Vec<f64> {
    let lab = lab();
    let _camera = lab.enter("cameras", || Camera::fleet_with_passwords(ADDRESS, 1));
    lab.enter("box", || {
        let daemon = daemon("");
        let took = (0..PROBES).map(|_| {
            millis(|| {
                let found = daemon.api_ok("OnvifProbe", &place());
                assert!(found["profile"].is_array(), "{found}");
            })
        });
        spread(took.collect())
    })
}

/// Milliseconds from call to answer, p50 and p95, of moves and stops in turn.
pub fn steer() -> Vec<f64> {
    let lab = lab();
    let _camera = lab.enter("cameras", || Camera::fleet_with_passwords(ADDRESS, 1));
    lab.enter("box", || {
        let daemon = daemon("");
        daemon.api_ok("AddSrcONVIF", &[place().as_slice(), &[("name", "ptz"), ("token", "ptz")]].concat());
        let order = |action| millis(|| drop(daemon.api_ok("Ptz", &[("token", "ptz"), ("action", action)])));
        // The first one asks who is there.
        order("stop");
        spread((0..MOVES).map(|n| order(if n % 2 == 0 { "left" } else { "stop" })).collect())
    })
}

/// Milliseconds of GetProfiles with all sources, their streams known, p95, by Media1 and by Media2.
pub fn profiles() -> Vec<f64> {
    lab().enter("box", || {
        let daemon = daemon("[onvif]\ndevice = true\n");
        daemon.api_ok("CreateOnvifUser", &[("user", USER), ("password", PASSWORD), ("level", "Operator")]);
        let cameras = Fakecam::start(&["--cams", &SOURCES.to_string(), "--size", "640x360"]);
        for number in 0..SOURCES {
            let (token, url) = (format!("token{number}"), cameras.rtsp_url(number));
            let params = [("name", "camera"), ("token", &token), ("url", &url), ("connect", "H5_ONDEMAND")];
            daemon.api_ok("AddSrcRTSP", &params);
        }
        let is_known = || ask(&daemon, MEDIA, "").matches("<tt:Width>640<").count() >= SOURCES;
        let deadline = Instant::now() + KNOWN;
        while !is_known() {
            assert!(Instant::now() < deadline, "not all streams became known");
            std::thread::sleep(Duration::from_secs(1));
        }
        let p95 = |namespace: &str, inside: &str| {
            let took = (0..QUESTIONS).map(|_| millis(|| drop(ask(&daemon, namespace, inside))));
            quantile(&took.collect::<Vec<_>>(), 0.95)
        };
        vec![p95(MEDIA, ""), p95(MEDIA2, "<Type>All</Type>")]
    })
}

fn ask(daemon: &Daemon, namespace: &str, inside: &str) -> String {
    let now = Wall(jiff::Timestamp::now().as_millisecond());
    let header = wsse::token(USER, &Secret::new(PASSWORD), now);
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{header}</s:Header>\
         <s:Body><GetProfiles xmlns=\"{namespace}\">{inside}</GetProfiles></s:Body></s:Envelope>"
    );
    let soap = [("Content-Type", "application/soap+xml; charset=utf-8")];
    let answer = http::request(daemon.http, "POST", "/onvif/device_service", &soap, envelope.as_bytes());
    let text = answer.text();
    let listed = text.matches(":Profiles token=").count();
    assert!(answer.status == 200 && listed >= SOURCES, "{}: {listed} profiles", answer.status);
    text
}

/// Where the first camera of the fleet is.
fn place() -> [(&'static str, &'static str); 5] {
    [
        ("ip", "198.51.100.11"),
        ("port", "18080"),
        ("onvifaddr", "/onvif/device"),
        ("user", "admin"),
        ("password", "admin"),
    ]
}

fn millis(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1000.0
}

fn spread(took: Vec<f64>) -> Vec<f64> {
    vec![quantile(&took, 0.5), quantile(&took, 0.95)]
}
