//! A box behind NAT and another one at the same central, each on a network of its own; everything between them over TLS.
//!
//! ```text
//! camera - far - router (NAT) ==== link that misbehaves ==== central - near - camera
//!                                                               |
//!                                                             office, where people sit
//! ```

use std::{
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::lab::{Lab, ip_in};
use crate::support::daemon::Daemon;
use crate::support::fakecam::Fakecam;
use crate::support::{scene, wait_for};
use crate::user::User;
use crate::wan::Wan;
use crate::watch::Watch;

/// The central's address on the link, and its HTTPS port.
const CENTRAL: &str = "10.9.0.1";
const PORT: u16 = 8443;
/// The router's address on the link.
pub const ROUTER: &str = "10.9.0.2";
/// The central's address for everybody else.
const PUBLIC: &str = "203.0.113.1";
/// The box's own address.
pub const BOX: &str = "198.51.100.10";
/// The camera behind the box, and the other box's, as the central names them.
pub const FAR: &str = "far-cam1";
pub const NEAR: &str = "near-cam1";
/// A camera that is cheap to carry.
pub const SMALL: [&str; 8] = ["--size", "320x240", "--bitrate", "300", "--clip-seconds", "2", "--gop", "25"];

/// Dropped in this order: programs first, hosts last.
pub struct Net {
    pub wan: Wan,
    pub far: Daemon,
    pub near: Daemon,
    pub central: Daemon,
    pub far_camera: Fakecam,
    far_small: Option<Fakecam>,
    near_camera: Fakecam,
    pub user: User,
    pub lab: Lab,
    _alone: MutexGuard<'static, ()>,
}

/// Held by each: beside another one, a link would be thinner than the test says.
static ALONE: Mutex<()> = Mutex::new(());

impl Net {
    /// `camera` is the picture of the far box's camera; with `small` it has a small one as well.
    pub fn new(camera: &[&str], small: bool) -> Self {
        let mut net = Self::boxes(camera);
        net.lab.enter("near", || scene::add(&net.near, "cam1", &net.near_camera.rtsp_url(0), &[]));
        if small {
            net.far_small = Some(net.lab.enter("far", || Fakecam::start(&SMALL)));
        }
        let small = net.far_small.as_ref().map(|camera| camera.rtsp_url(0));
        let more: Vec<_> = small.iter().map(|url| ("urlsub", url.as_str())).collect();
        net.lab.enter("far", || scene::add(&net.far, "cam1", &net.far_camera.rtsp_url(0), &more));
        for token in [FAR, NEAR] {
            net.wait_there(token);
        }
        net
    }

    fn boxes(camera: &[&str]) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let lab = Lab::new()
            .host("far", &[BOX])
            .host("router", &["198.51.100.1"])
            .host("central", &[PUBLIC])
            .host("near", &["203.0.113.2"])
            .host("office", &["203.0.113.3"]);
        let wan = Wan::new(&lab, ("router", ROUTER), ("central", CENTRAL));
        lab.enter("router", || {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("a router");
            // As a home's router: whatever goes out has its address, and nothing comes in.
            nft("table ip nat { chain out { type nat hook postrouting priority 100; oifname wan0 masquerade; }; }");
            nft("table ip filter { chain f { type filter hook forward priority 0; policy drop; \
                 iifname eth0 accept; ct state established,related accept; }; }");
        });
        lab.enter("far", || ip_in(&["route", "replace", "default", "via", "198.51.100.1"]));
        lab.enter("central", || ip_in(&["route", "add", "198.51.100.0/24", "via", ROUTER]));
        let central = lab.enter("central", || {
            scene::daemon(&format!(
                "[cloud.server]\nenabled = true\n[http]\nbind = \"0.0.0.0\"\nhttps_port = {PORT}\n"
            ))
        });
        let pin = central.pin();
        let place = format!("{PUBLIC}:{PORT}").parse().expect("an address");
        let user = lab.enter("office", || User::new(place, &pin));
        let (far_camera, far) = lab.enter("far", || (Fakecam::start(camera), edge("far", CENTRAL, &pin)));
        let (near_camera, near) = lab.enter("near", || (scene::cameras(25, &[]), edge("near", PUBLIC, &pin)));
        Self { wan, far, near, central, far_camera, far_small: None, near_camera, user, lab, _alone: alone }
    }

    /// What the user does, from the office.
    pub fn there<T: Send>(&self, work: impl FnOnce(&User) -> T + Send) -> T {
        self.lab.enter("office", || work(&self.user))
    }

    /// A call of the user's that has to succeed.
    pub fn api_ok(&self, call: &str, params: &[(&str, &str)]) -> Value {
        self.there(|user| user.api_ok(call, params))
    }

    /// What the central shows of a source.
    pub fn source(&self, mapped: &str) -> Option<Value> {
        self.there(|user| user.source(mapped))
    }

    /// Waits until the source is listed and its site is not away.
    pub fn wait_there(&self, mapped: &str) -> Value {
        wait_for(mapped, scene::PATIENCE, || {
            thread::sleep(Duration::from_millis(50));
            self.source(mapped).filter(is_there)
        })
    }

    /// Since when a site is as it is, as GetServerList tells: another one after each connection.
    pub fn since(&self, site: &str) -> String {
        let list = self.api_ok("GetServerList", &[]);
        let sites = list["server"].as_array().expect("a list");
        let site = sites.iter().find(|entry| entry["strServerToken"] == site).expect("the site");
        site["strSince"].as_str().expect("a time").to_owned()
    }

    /// The far box's own port of its connection to the central: another one for each.
    pub fn tunnel_port(&self) -> Option<u16> {
        let table = format!("/proc/{}/net/tcp", self.far.process.pid());
        let table = std::fs::read_to_string(table).expect("the connections");
        let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
        table.lines().skip(1).find_map(|line| {
            let [_, own, other, "01", ..] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                return None;
            };
            port(own).filter(|_| port(other) == Some(PORT))
        })
    }

    /// Somebody in the office who watches it.
    pub fn watch(&self, mapped: &'static str) -> Watch {
        self.there(|user| Watch::start(user, mapped))
    }

    /// How long calls that the far box answers take, in order.
    pub fn calls(&self, count: usize) -> Vec<Duration> {
        let one = |user: &User| {
            let begin = Instant::now();
            user.api_ok("GetRecordStatus", &[("token", FAR)]);
            let took = begin.elapsed();
            thread::sleep(Duration::from_millis(100));
            took
        };
        let mut took: Vec<_> = self.there(|user| (0..count).map(|_| one(user)).collect());
        took.sort();
        took
    }

    /// Starts the central again, which nobody knows any more.
    pub fn restart_central(&mut self) {
        let Self { central, user, lab, .. } = self;
        lab.enter("central", || central.restart());
        lab.enter("office", || user.login());
    }
}

/// Whether the site of a source is connected.
pub fn is_there(source: &Value) -> bool {
    source["strOfflineReason"] != "site_away"
}

/// Runs `nft` in the namespace of this thread.
pub fn nft(rules: &str) {
    let done = Command::new("nft").arg(rules).output().expect("nft, of nftables");
    assert!(done.status.success(), "nft: {}", String::from_utf8_lossy(&done.stderr));
}

fn edge(token: &str, host: &str, pin: &str) -> Daemon {
    scene::daemon(&format!(
        "[cloud.client]\nenabled = true\nhost = \"{host}\"\nport = {PORT}\ntls = true\npin = \"{pin}\"\n\
         token = \"{token}\"\nuser = \"admin\"\npassword = \"12345\"\ngrant = \"administration\"\n\
         [http]\nbind = \"0.0.0.0\"\n"
    ))
}
