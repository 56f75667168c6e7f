//! Three nodes of a central with all that they need, an edge and its camera.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::balancer::Balancer;
use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::fakecam::Fakecam;
use crate::support::nats::{self, Nats};
use crate::support::postgres::{self, Postgres};
use crate::support::ws::Viewer;
use crate::support::{scene, wait_for};

/// The camera's token at the central.
pub const MAPPED: &str = "site1-cam1";
/// An edge that registers with the administrator's password.
pub const REGISTERED: &str = "user = \"admin\"\npassword = \"12345\"\n";
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// Fields end in this order: daemons before what they need.
pub struct Yard {
    pub edge: Daemon,
    /// `a`, `b` and `c`, each with the administrator's session.
    pub nodes: Vec<Daemon>,
    pub camera: Fakecam,
    pub balancer: Balancer,
    pub nats: Nats,
    pub postgres: Postgres,
    _turn: MutexGuard<'static, ()>,
}

/// Tests wait for each other: seven servers and four daemons keep a small machine busy.
static TURN: Mutex<()> = Mutex::new(());

/// Until all nodes know what one was told.
pub const SPREAD: Duration = Duration::from_secs(10);

impl Yard {
    /// The edge is connected to node `at`; how it registers is in `client`.
    pub fn new(at: usize, client: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (nats, postgres) = std::thread::scope(|scope| {
            let postgres = scope.spawn(Postgres::new);
            (Nats::start(false), postgres.join().expect("a database server"))
        });
        postgres.create("h5edge");
        let node = |index: usize| {
            let config = format!(
                "[cloud.server]\nenabled = true\nnode = \"{}\"\nnats = {:?}\nnats_tls = false\nnats_user = \"h5edge\"\n\
                 nats_password = \"{}\"\ndatabase = \"postgres://h5edge@127.0.0.1:{}/h5edge?sslmode=disable\"\n\
                 database_password = \"{}\"\n",
                NAMES[index],
                nats.addresses(index),
                nats::PASSWORD,
                postgres.port(),
                postgres::PASSWORD,
            );
            Daemon::start(DaemonOptions { config, ..DaemonOptions::default() })
        };
        let mut nodes: Vec<Daemon> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..3).map(|index| scope.spawn(move || node(index))).collect();
            starting.into_iter().map(|node| node.join().expect("a node")).collect()
        });
        let session = nodes[0].login();
        nodes[1..].iter_mut().for_each(|node| node.session.clone_from(&session));
        for node in &nodes[1..] {
            // The servers of NATS have to find each other first.
            wait_for("the log-in at all nodes", scene::PATIENCE, || {
                (node.api("GetSrc", &[]).0 == 200).then_some(())
            });
        }

        let camera = scene::cameras(25, &[]);
        let balancer = Balancer::start();
        let mut ports: Vec<u16> = nodes.iter().map(|node| node.http).collect();
        ports.rotate_left(at);
        balancer.set(&ports);
        let edge = scene::daemon(&format!(
            "[cloud.client]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\ntls = false\ntoken = \"site1\"\n\
             name = \"Yard\"\nkeepalive_seconds = 1\n{client}",
            balancer.port
        ));
        scene::add(&edge, "cam1", &camera.rtsp_url(0), &[]);
        Self { edge, nodes, camera, balancer, nats, postgres, _turn: turn }
    }

    /// Which of the living nodes is the site's, as the log of each says last.
    pub fn home(&self) -> Option<usize> {
        let connected = |node: &Daemon| {
            let log = node.process.log();
            let tells = |line: &&str| {
                line.contains("site1") && (line.contains(" connected ") || line.contains(" gone "))
            };
            let lives = Path::new(&format!("/proc/{}", node.process.pid())).exists();
            lives && log.lines().rfind(tells).is_some_and(|line| line.contains(" connected "))
        };
        let mut homes = (0..3).filter(|&node| connected(&self.nodes[node]));
        homes.next().filter(|_| homes.next().is_none())
    }

    /// Waits until node `at` lists the camera as the one of a site that is there, or that is not.
    pub fn wait_listed(&self, at: usize, there: bool) -> Value {
        wait_for(&format!("{MAPPED} at {}, there: {there}", NAMES[at]), scene::PATIENCE, || {
            std::thread::sleep(Duration::from_millis(50));
            let source = self.nodes[at].source(MAPPED)?;
            let servers = self.nodes[at].api_ok("GetServerList", &[]);
            let is_there = source["strOfflineReason"] != "site_away";
            (is_there == there && servers["server"][0]["bOnline"] == there).then_some(source)
        })
    }
}

/// Collects from viewers for `span`; they all play.
pub async fn watch(viewers: Vec<Viewer>, span: Duration, least: usize) -> Vec<Viewer> {
    let watched = viewers.into_iter().map(|mut viewer| {
        tokio::spawn(async move {
            viewer.watch_for(span).await;
            assert!(!viewer.closed, "{:?}", viewer.farewell);
            let frames = viewer.check_but_pace().frames();
            assert!(frames >= least, "{frames} frames in {span:?}");
            viewer
        })
    });
    let mut still = Vec::new();
    for viewer in watched.collect::<Vec<_>>() {
        still.push(viewer.await.expect("a viewer"));
    }
    still
}

/// A page at a node whose socket is opened again until there is a live picture, and for a second; how long that took.
pub async fn picture_again(
    port: u16,
    session: &str,
    since: Instant,
    patience: Duration,
) -> (Viewer, Duration) {
    loop {
        assert!(since.elapsed() < patience, "no picture after {:?}", since.elapsed());
        let opened = Viewer::watch(port, MAPPED, session).await;
        if let Ok(mut viewer) = opened {
            // At first there may be frames from before; what comes later than a second is live.
            while let Some(received) = viewer.next(Duration::from_secs(3)).await {
                let at = received.at;
                if at - viewer.opened > Duration::from_secs(1) && viewer.received.len() > 20 {
                    viewer.check_but_pace();
                    return (viewer, at - since);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
