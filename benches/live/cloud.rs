//! An edge and its central, over TLS: what the way between them adds, what goes over it, and 10 000 edges.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use h5edge::base::pin::fingerprint;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;

use crate::measure::{cpu, quantile};
use crate::site::{SETTLE, Site};
use crate::support::daemon::{Daemon, DaemonOptions};
use crate::support::process::programs;
use crate::support::wait_for;
use crate::viewers::{Kind, Report, Viewers};

const GOP: u32 = 50;
const CROWD: usize = 50;
/// The edge's camera at the central.
const MAPPED: &str = "site1-token1";
/// How long viewers are watched: both of a comparison get as many key frames.
const WATCHED: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);

/// A central with an edge that pulls a camera.
struct Yard {
    central: Daemon,
    edge: Site,
}

impl Yard {
    fn new() -> Self {
        let daemon = |config: String| {
            let mut daemon = Daemon::start(DaemonOptions { config, ..DaemonOptions::default() });
            daemon.login();
            daemon
        };
        let central = daemon("[cloud.server]\nenabled = true\n".to_owned());
        let certificate = CertificateDer::from_pem_file(central.data_dir().join("tls/cert.pem"));
        let pin = fingerprint(&certificate.expect("a certificate"));
        let edge = daemon(format!(
            "[cloud.client]\nenabled = true\nhost = \"127.0.0.1\"\nport = {}\npin = \"{pin}\"\n\
             token = \"site1\"\nuser = \"admin\"\npassword = \"12345\"\n",
            central.https
        ));
        let mut edge = Site::of(edge);
        edge.pull(1, GOP);
        wait_for("the camera at the central", PATIENCE, || {
            central.source(MAPPED).filter(|source| source["bOnline"] == true)
        });
        Self { central, edge }
    }

    /// Viewers at the central whose start is over.
    fn watch(&self, count: usize) -> Viewers {
        let (mut viewers, _) = Viewers::of(MAPPED, Kind::Ws, count, &self.central);
        sleep(SETTLE);
        viewers.report();
        viewers
    }

    /// What the edge has sent so far over its one connection to the central's HTTPS port, in bytes.
    fn sent(&self) -> f64 {
        let central = format!("127.0.0.1:{}", self.central.https);
        let output = Command::new("ss").args(["-tniH", "dst", &central]).output().expect("ss");
        let text = String::from_utf8(output.stdout).expect("text");
        let sent = text.split_whitespace().find_map(|word| word.strip_prefix("bytes_sent:"));
        sent.unwrap_or_else(|| panic!("no connection to {central}: {text}")).parse().expect("a number")
    }

    /// What the edge sends, in Mbit/s.
    fn up_link(&self) -> f64 {
        let (from, begun) = (self.sent(), Instant::now());
        sleep(WATCHED);
        (self.sent() - from) * 8e-6 / begun.elapsed().as_secs_f64()
    }
}

fn delays(mut viewers: Viewers) -> [f64; 2] {
    sleep(WATCHED);
    let Report { delays_ms, .. } = viewers.report();
    [0.5, 0.95].map(|share| quantile(&delays_ms, share))
}

/// One after the other, so that neither is in the other's way.
pub fn delay() -> Vec<f64> {
    let yard = Yard::new();
    let (mut near, _) = Viewers::start(Kind::Ws, 1, &yard.edge.daemon);
    sleep(SETTLE);
    near.report();
    let near = delays(near);
    let far = delays(yard.watch(1));
    vec![near[0], far[0], far[0] - near[0], far[1] - near[1]]
}

pub fn crowd() -> Vec<f64> {
    let yard = Yard::new();
    let edge = &yard.edge.daemon.process;
    let one = yard.watch(1);
    let (one_link, one_cpu) = (yard.up_link(), cpu(edge));
    drop(one);
    let mut crowd = yard.watch(CROWD);
    let link = yard.up_link();
    let edge_cpu = cpu(edge);
    let central_cpu = cpu(&yard.central.process);
    let report = crowd.report();
    assert_eq!(report.watching, CROWD, "viewers still watching");
    let delay = quantile(&report.delays_ms, 0.5);
    vec![one_link, link, link / one_link, edge_cpu - one_cpu, central_cpu, delay]
}

/// `examples/edgeswarm`
pub fn swarm() -> Vec<f64> {
    let program = programs().join("examples/edgeswarm");
    assert!(program.exists(), "not built: run `cargo build --release --example edgeswarm`");
    let mut command = Command::new(program);
    command.arg("--program").arg(programs().join("h5edge"));
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("edgeswarm");
    assert!(output.status.success(), "edgeswarm: {}", output.status);
    let told: Value = serde_json::from_slice(&output.stdout).expect("figures in JSON");
    let names =
        ["first_s", "first_cpu_s", "edge_kb", "idle_cpu_percent", "back_s", "back_cpu_s", "again_kb", "lost"];
    names.iter().map(|name| told[name].as_f64().unwrap_or_else(|| panic!("no {name}"))).collect()
}
