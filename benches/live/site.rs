//! A daemon with simulated cameras of the kind that the targets are written for: 1080p, 25 frames per
//! second, 4 Mbit/s.

use std::thread::sleep;
use std::time::Duration;

use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::fakecam::Fakecam;
use crate::support::wait_for;

/// Until a start-up's work is done: key derivation, pools, first allocations.
pub const SETTLE: Duration = Duration::from_secs(3);
const ONLINE_PATIENCE: Duration = Duration::from_secs(20);

pub struct Site {
    pub daemon: Daemon,
    cameras: Option<Fakecam>,
}

impl Site {
    /// A daemon without a source, come to rest.
    pub fn idle() -> Self {
        let mut daemon = Daemon::start(DaemonOptions::default());
        daemon.login();
        Self::of(daemon)
    }

    /// The same of a daemon that runs.
    pub fn of(daemon: Daemon) -> Self {
        sleep(SETTLE);
        Self { daemon, cameras: None }
    }

    /// Adds `count` cameras, `token1` and so on, that are pulled all the time, and waits until each
    /// has delivered a whole GOP of `gop` frames.
    pub fn pull(&mut self, count: usize, gop: u32) {
        self.add(count, &["--gop", &gop.to_string()], "H5_ALWAYS");
        for number in 1..=count {
            wait_for("a camera to come online", ONLINE_PATIENCE, || {
                let source = self.daemon.source(&format!("token{number}"))?;
                (source["bOnline"] == true && source["strOfflineReason"].is_null()).then_some(())
            });
        }
        sleep(SETTLE + Duration::from_secs(1) * gop / 25);
    }

    /// Adds `count` cameras of the kind that `options` of the simulator say.
    pub fn add(&mut self, count: usize, options: &[&str], connect: &str) {
        let cameras = Fakecam::start(&[&["--cams", &count.to_string()], options].concat());
        for number in 1..=count {
            let (token, url) = (format!("token{number}"), cameras.rtsp_url(number - 1));
            let params = [("name", "camera"), ("token", &token), ("url", &url), ("connect", connect)];
            self.daemon.api_ok("AddSrcRTSP", &params);
        }
        self.cameras = Some(cameras);
    }

    /// A daemon that pulls one camera, with nobody watching yet.
    pub fn with_camera(gop: u32) -> Self {
        let mut site = Self::idle();
        site.pull(1, gop);
        site
    }
}
