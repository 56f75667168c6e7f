//! A central, and edges that register with it.

use std::time::Duration;

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::{http, scene, wait_for};

/// A central with an edge `site1`, whose camera is `cam1`.
pub struct Yard {
    pub central: Daemon,
    pub edge: Daemon,
    pub camera: Fakecam,
}

/// The camera's token at the central.
pub const MAPPED: &str = "site1-cam1";

impl Yard {
    /// With an edge that grants so much.
    pub fn new(grant: &str) -> Self {
        let camera = scene::cameras(25, &[]);
        let central = central();
        let edge = edge(&central, "site1", grant);
        scene::add(&edge, "cam1", &camera.rtsp_url(0), &[]);
        wait_listed(&central, MAPPED);
        Self { central, edge, camera }
    }

    /// With a session of this central's.
    pub fn get(&self, target: &str, headers: &[(&str, &str)]) -> http::Response {
        let joint = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{joint}session={}", self.central.session);
        http::request(self.central.http, "GET", &target, headers, b"")
    }

    /// What the central says to a call that fails.
    pub fn refusal(&self, call: &str, params: &[(&str, &str)]) -> String {
        let (_, answer) = self.central.api(call, params);
        assert_eq!(answer["bStatus"], false, "{call}: {answer}");
        answer["strCode"].as_str().expect("a text").to_owned()
    }
}

pub fn central() -> Daemon {
    scene::daemon("[cloud.server]\nenabled = true\n")
}

/// An edge that registers with the central's administrator's password, over TLS.
pub fn edge(central: &Daemon, token: &str, grant: &str) -> Daemon {
    edge_of(central.https, &central.pin(), token, grant)
}

/// The same with whoever listens there with that certificate.
pub fn edge_of(port: u16, pin: &str, token: &str, grant: &str) -> Daemon {
    scene::daemon(&format!(
        "[cloud.client]\nenabled = true\nhost = \"127.0.0.1\"\nport = {port}\npin = \"{pin}\"\n\
         token = \"{token}\"\nname = \"Yard of {token}\"\nuser = \"admin\"\npassword = \"12345\"\ngrant = \"{grant}\"\n\
         keepalive_seconds = 1\n"
    ))
}

/// The entry of a site's source, once it is there and its site is.
pub fn wait_listed(central: &Daemon, mapped: &str) -> Value {
    wait_for(mapped, scene::PATIENCE, || {
        std::thread::sleep(Duration::from_millis(50));
        central.source(mapped).filter(|source| source["strOfflineReason"] != "site_away")
    })
}
