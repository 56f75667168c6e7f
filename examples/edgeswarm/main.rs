//! Thousands of edges for one real central: what a registered edge costs there, and how all come back after its
//! restart. `docs/scale.md` has what it measured; `cargo bench --bench live -- --only cloud-10000` runs it.
//!
//! It makes the data of a central with so many sites in memory, starts the daemon on it, and runs as many real edges,
//! each with its key and one camera that nobody watches. At the end it prints its figures as one line of JSON. Both
//! processes need a file descriptor for each edge, and raise their limit as far as they may: beyond that,
//! `ulimit -Hn` before.
//!
//! Tasks: four per edge, and one per stream that the central opens.

mod central;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use futures_util::{StreamExt, stream};
use h5edge::base::files;
use h5edge::base::pin::fingerprint;
use h5edge::base::secret::Secret;
use h5edge::base::time::Clock;
use h5edge::cloud::edge::{Arrived, Edge, Settings, State};
use h5edge::cloud::key::DeviceKey;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use central::{Central, free_port};

type Done<T> = Result<T, Box<dyn Error>>;

/// Files and sockets beside one per edge.
const SPARE: u64 = 200;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    edges: usize,
    /// The daemon
    #[arg(long, default_value = "target/release/h5edge")]
    program: PathBuf,
    /// Without TLS
    #[arg(long)]
    plain: bool,
    /// How many seconds idle edges are watched
    #[arg(long, default_value_t = 30)]
    watch: u64,
    /// Seconds until all that belongs to a registration is over
    #[arg(long, default_value_t = 15)]
    settle: u64,
    /// Seconds for which the central is away
    #[arg(long, default_value_t = 12)]
    away: u64,
    /// Seconds that all edges together may take to be there
    #[arg(long, default_value_t = 300)]
    patience: u64,
}

fn main() -> Done<()> {
    let arguments = Arguments::parse();
    let (most, needed) = (files::raise_limit()?, arguments.edges as u64 + SPARE);
    if most < needed {
        return Err(
            format!("{needed} files have to be open, and {most} may be: `ulimit -Hn {needed}`").into()
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(run(&arguments))?;
    println!("{}", Value::from(figures));
    Ok(())
}

async fn run(arguments: &Arguments) -> Done<Map<String, Value>> {
    let count = arguments.edges;
    // In memory: a disk's syncs are not what is measured.
    let dir = tempfile::tempdir_in("/dev/shm")?;
    let port = free_port()?;
    let keys = Central::prepare(dir.path(), count, port, !arguments.plain)?;
    let mut central = Central::start(&arguments.program, dir.path())?;
    sleep(Duration::from_secs(3)).await;
    let empty = central.memory()?;
    let mut figures = Map::new();
    let mut tell = |what: &str, value: f64| {
        eprintln!("{what}: {value:.2}");
        figures.insert(what.to_owned(), value.into());
    };

    let (streams, arrived) = mpsc::channel(1024);
    tokio::spawn(serve(arrived));
    let (stop, failures) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let pin = (!arguments.plain).then(|| pin(dir.path())).transpose()?;
    let (began, cpu) = (Instant::now(), central.cpu()?);
    let mut edges = Vec::with_capacity(count);
    for (n, key) in keys.into_iter().enumerate() {
        let edge = edge(n, key, port, pin.clone());
        tokio::spawn(count_failures(edge.clone(), failures.clone()));
        let (running, streams, stop) = (edge.clone(), streams.clone(), stop.clone());
        tokio::spawn(async move { running.run(streams, stop).await });
        edges.push(edge);
    }
    all_online(&edges, arguments).await?;
    tell("first_s", began.elapsed().as_secs_f64());
    tell("first_cpu_s", central.cpu()? - cpu);

    sleep(Duration::from_secs(arguments.settle)).await;
    tell("empty_mb", empty / 1000.0);
    tell("full_mb", central.memory()? / 1000.0);
    tell("edge_kb", (central.memory()? - empty) / count as f64);
    tell("idle_cpu_percent", idle(&central, arguments).await?);

    central.kill()?;
    // All have to notice, and to try in vain for a while.
    sleep(Duration::from_secs(arguments.away)).await;
    let noticed = edges.iter().filter(|edge| !is_online(edge)).count();
    tell("unnoticed", (count - noticed) as f64);
    let (began, failed) = (Instant::now(), failures.load(Ordering::Relaxed));
    central = Central::start(&arguments.program, dir.path())?;
    tell("start_s", began.elapsed().as_secs_f64());
    all_online(&edges, arguments).await?;
    tell("back_s", began.elapsed().as_secs_f64());
    tell("back_cpu_s", central.cpu()?);
    tell("back_failures", (failures.load(Ordering::Relaxed) - failed) as f64);
    sleep(Duration::from_secs(arguments.settle)).await;
    tell("again_kb", (central.memory()? - empty) / count as f64);
    tell("again_idle_cpu_percent", idle(&central, arguments).await?);
    tell("lost", edges.iter().filter(|edge| !is_online(edge)).count() as f64);
    stop.cancel();
    Ok(figures)
}

/// What it uses of one core.
async fn idle(central: &Central, arguments: &Arguments) -> Done<f64> {
    let (began, cpu) = (Instant::now(), central.cpu()?);
    sleep(Duration::from_secs(arguments.watch)).await;
    Ok((central.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0)
}

fn pin(dir: &Path) -> Done<String> {
    Ok(fingerprint(&CertificateDer::from_pem_file(dir.join("tls/cert.pem"))?))
}

fn token(n: usize) -> String {
    format!("site{n:06}")
}

fn edge(n: usize, key: DeviceKey, port: u16, pin: Option<String>) -> Arc<Edge> {
    let settings = Settings {
        enabled: true,
        name: format!("Site {n}"),
        token: token(n),
        host: "127.0.0.1".to_owned(),
        port,
        tls: pin.is_some(),
        pin,
        user: String::new(),
        password: Secret::default(),
        keepalive: Duration::from_secs(3),
    };
    Edge::new(key, format!("00000000-0000-4000-8000-{n:012}"), "swarm", Clock::real(), settings)
}

fn is_online(edge: &Edge) -> bool {
    matches!(edge.state(), State::Online { .. })
}

async fn count_failures(edge: Arc<Edge>, failures: Arc<AtomicUsize>) {
    let mut states = edge.watch_state();
    while states.changed().await.is_ok() {
        if matches!(*states.borrow_and_update(), State::Offline { .. }) {
            failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Answers what the central asks of each edge as it comes: its list of sources, which never changes.
async fn serve(mut arrived: mpsc::Receiver<Arrived>) {
    while let Some((stream, _)) = arrived.recv().await {
        tokio::spawn(async move {
            let answer = async |_: Request<Incoming>| {
                let line = Bytes::from(format!("{}\n", json!([source()])));
                let lines = stream::iter([Ok::<_, Infallible>(Frame::data(line))]).chain(stream::pending());
                Ok::<_, Infallible>(Response::new(StreamBody::new(lines)))
            };
            // The central may go at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

/// As GetSrc shows a camera.
fn source() -> Value {
    json!({
        "strName": "Entrance", "strToken": "cam1", "nType": "H5_STREAM", "strUser": "", "strPasswd": "",
        "strUrl": "rtsp://192.168.1.64:554/Streaming/Channels/101", "strUrlSub":
        "rtsp://192.168.1.64:554/Streaming/Channels/102", "bPasswdEncrypt": false, "bEnableAudio": false,
        "nConnectType": "H5_ONDEMAND", "nRTSPType": "H5_RTSP_AUTO", "bDisableRTSPOptions": false,
        "bEnableUrlSub": true, "bOnline": true, "strVideoType": "H264", "nVideoWidth": 1920,
        "nVideoHeight": 1080, "strSrcIpAddress": "192.168.1.64", "strSrcPort": "80", "nChannelNumber": 1,
        "strOfflineReason": "", "strOfflineText": "", "bRec": true, "strManufacturer": "", "strModel": "",
    })
}

async fn all_online(edges: &[Arc<Edge>], arguments: &Arguments) -> Done<()> {
    let began = Instant::now();
    let mut told = 0;
    loop {
        let online = edges.iter().filter(|edge| is_online(edge)).count();
        if online == edges.len() {
            return Ok(());
        }
        let seconds = began.elapsed().as_secs();
        if seconds > told {
            told = seconds;
            eprintln!("after {seconds} s {online} are there; of the others:");
            let mut reasons = BTreeMap::<String, usize>::new();
            for edge in edges {
                match edge.state() {
                    State::Online { .. } => {}
                    State::Offline { text, .. } => *reasons.entry(text).or_default() += 1,
                    other => *reasons.entry(format!("{other:?}")).or_default() += 1,
                }
            }
            reasons.iter().for_each(|(text, count)| eprintln!("  {count}: {text}"));
        }
        if seconds > arguments.patience {
            return Err(format!("{online} of {} are there after {seconds} s", edges.len()).into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
