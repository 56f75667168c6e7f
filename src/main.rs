//! Arguments, start and orderly stop. Wiring only: what is started here lives in the library.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use h5edge::api::alarms::Alarms;
use h5edge::api::board::Board;
use h5edge::api::cloud::Cloud;
use h5edge::api::events::EventHub;
use h5edge::api::frames::Frames;
use h5edge::api::onvif_device::OnvifDevice;
use h5edge::api::onvif_device::site::{Edge, Ports};
use h5edge::api::tls::Certificate;
use h5edge::api::update::Updates;
use h5edge::api::{self, Context, Listeners};
use h5edge::auth::{Auth, AuthSettings};
use h5edge::base::config::{Config, VolumeEntry};
use h5edge::base::time::{Clock, MediaTime};
use h5edge::base::{Error, Result, files, heap, log};
use h5edge::cloud::central::Passed;
use h5edge::cloud::edge::Arrived;
use h5edge::play::hls::{Hls, HlsSettings};
use h5edge::play::webrtc::{Rtc, RtcSettings};
use h5edge::play::ws::Ws;
use h5edge::record::volume::Volumes;
use h5edge::record::{self, Recorder};
use h5edge::snapshot::{self, CodecSettings, Snapshots};
use h5edge::source::{self, Sources};
use h5edge::store::Store;
use h5edge::system::notify::Notifier;
use h5edge::system::{self, Appliance, Sampler};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Streams of the tunnel to a central that wait to be served.
const TUNNEL_STREAMS: usize = 16;
/// Requests that other nodes passed on and that wait to be served.
const NODE_REQUESTS: usize = 64;
/// The whole stop has to fit into this; then the process ends regardless.
const STOP_PATIENCE: Duration = Duration::from_millis(4500);

/// Live video gateway between IP cameras and browsers.
#[derive(Parser)]
#[command(version = system::VERSION_AND_BUILD, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs until SIGTERM or SIGINT.
    Serve {
        /// Where the database, certificates and keys live; made if missing.
        #[arg(long)]
        data_dir: PathBuf,
        /// The configuration file; defaults without one.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Overrides `http.port`; 0 takes any free one.
        #[arg(long)]
        http_port: Option<u16>,
    },
    /// Checks a configuration file and says what is wrong with it.
    CheckConfig { file: PathBuf },
    /// Prints the version.
    Version,
    /// Renders the box's settings into /run, before its network starts.
    #[command(hide = true)]
    Boot {
        /// The folder that is taken for `/`.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Carries out the daemon's orders as root, on the socket that systemd hands over.
    #[command(hide = true)]
    Helper {
        /// The user that may give orders.
        #[arg(long, default_value = "h5edge")]
        user: String,
        /// The folder that is taken for `/`.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Asks the daemon whether all is well, and marks the running slot good if so.
    #[command(hide = true)]
    Health {
        /// The folder that is taken for `/`.
        #[arg(long, default_value = "/")]
        root: PathBuf,
    },
    /// Decodes pictures for the daemon, over standard input and output.
    #[command(hide = true)]
    SnapshotWorker,
}

fn main() -> ExitCode {
    heap::set_up();
    let done = match Arguments::parse().command {
        Command::Serve { data_dir, config, http_port } => serve(&data_dir, config.as_deref(), http_port),
        Command::CheckConfig { file } => {
            Config::load(Some(&file)).map(|_| println!("{}: good", file.display()))
        }
        Command::Version => {
            println!("h5edge {}", system::VERSION_AND_BUILD);
            Ok(())
        }
        Command::Boot { root } => system::steward::boot(&root),
        Command::Helper { user, root } => system::steward::run_helper(&user, &root),
        Command::Health { root } => return system::steward::health(&root),
        Command::SnapshotWorker => snapshot::worker_main(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("h5edge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(data_dir: &Path, config: Option<&Path>, http_port: Option<u16>) -> Result<()> {
    let config = Config::load(config)?;
    let _log = log::init(&config.log)?;
    if let Err(error) = files::raise_limit() {
        tracing::warn!("only as many open files as before: {error}");
    }
    gstreamer::init().map_err(|e| Error::internal(format!("GStreamer does not start: {e}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Serving two hundred viewers takes a fifth of one core; more workers only cost memory.
        .worker_threads(2)
        .thread_keep_alive(Duration::from_secs(2))
        .enable_all()
        .build()?;
    let done = runtime.block_on(run(data_dir, config, http_port));
    runtime.shutdown_timeout(Duration::from_millis(200));
    done
}

async fn run(data_dir: &Path, config: Config, http_port: Option<u16>) -> Result<()> {
    // Before anything else: a signal that comes during the start must not end the process at once.
    let stop = StopSignal::new()?;
    let clock = Clock::real();
    let shutdown = CancellationToken::new();
    let store = Store::open_shared(data_dir, &config.cloud.server)?;
    let auth = Auth::open(store.clone(), clock.clone(), AuthSettings::from(&config.auth))?;
    let sources = start_sources(&store, &config, clock.clone())?;
    let recorder = start_recorder(data_dir, &config, &store, clock, &shutdown)?;
    for source in sources.list() {
        recorder.attach(source.stream.clone());
    }
    let rtc = Rtc::start(rtc_settings(&config), shutdown.clone())?;
    let (arrived, tunnel) = mpsc::channel(TUNNEL_STREAMS);
    let (passed, requests) = mpsc::channel(NODE_REQUESTS);
    let listeners = bind(&config, http_port, tunnel, requests).await?;
    let ports = ready_line(&listeners, &rtc)?;
    let codecs = CodecSettings::load(&config.snapshot, data_dir);

    let alarms = Alarms::load(&store)?;
    let addresses = onvif_ports(&listeners, config.rtsp.port)?;
    let site = Edge::load(&store, &config, sources.clone(), recorder.clone(), Clock::real(), addresses)?;
    let mut cloud = Cloud::open(&config, data_dir, &store, &auth, Clock::real())?;
    cloud.join(&config, &auth, passed, shutdown.clone()).await?;
    let edge = cloud.edge.clone();
    let nodes = cloud.nodes.clone();
    let ctx = Arc::new(Context {
        data_dir: data_dir.to_owned(),
        file_roots: config.sources.roots(data_dir),
        auth,
        store: store.clone(),
        sources: sources.clone(),
        recorder: recorder.clone(),
        sampler: Sampler::new(data_dir),
        ws: Ws::default(),
        rtc,
        hls: Hls::new(hls_settings(&config), shutdown.clone()),
        snapshots: Snapshots::new(std::env::current_exe()?, codecs, shutdown.clone()),
        events: EventHub::default(),
        board: Board::default(),
        alarms,
        device: OnvifDevice::new(site),
        appliance: Appliance::new(config.appliance.socket()),
        updates: Updates::new(&config.appliance.update_dir),
        certificate: listeners.https.as_ref().map(|_| Certificate::open(data_dir)).transpose()?.map(Arc::new),
        frames: Frames::load(&store)?,
        cloud,
        journal: Default::default(),
        shutdown: shutdown.clone(),
        config,
    });
    tokio::spawn({
        let stop = shutdown.clone();
        async move { edge.run(arrived, stop).await }
    });
    tokio::spawn(api::cloud::settings::forget_password(ctx.clone()));
    tokio::spawn(api::cloud::reports::run(ctx.clone()));
    tokio::spawn(api::lapse::run(ctx.clone()));
    tokio::spawn(api::board::run(ctx.clone()));
    tokio::spawn(api::onvif::keep_pins(ctx.clone()));
    let alarms = tokio::spawn(api::alarms::run(ctx.clone()));
    let device = tokio::spawn(api::onvif_device::run(ctx.clone()));
    let server = tokio::spawn(api::serve(listeners, ctx, shutdown.clone()));
    println!("{ports}");
    std::io::stdout().flush()?;
    let systemd = Notifier::from_env();
    systemd.ready();

    tokio::select! {
        () = stop.received() => {}
        () = systemd.keep_alive(async || is_alive(&store).await) => {}
    }
    tracing::info!("stopping");
    systemd.stopping();
    shutdown.cancel();
    let stop = async {
        recorder.stopped().await;
        sources.stop().await;
        // What panicked has nothing left to stop.
        let _ = tokio::join!(alarms, device, server);
        if let Some(nodes) = nodes {
            nodes.stopped().await;
        }
    };
    if tokio::time::timeout(STOP_PATIENCE, stop).await.is_err() {
        tracing::warn!("not everything stopped in time");
    }
    Ok(())
}

/// Whether work is taken up by the runtime's threads and the machine's own database answers: what nodes share may
/// be away for a while.
async fn is_alive(store: &Arc<Store>) -> bool {
    let store = store.clone();
    let asked = tokio::spawn(async move { store.run(|store| store.answers()).await });
    matches!(asked.await, Ok(Ok(_)))
}

/// The sources of the database, after those of the configuration that it lacks were put into it.
fn start_sources(store: &Store, config: &Config, clock: Clock) -> Result<Arc<Sources>> {
    let known: Vec<_> = store.sources()?.into_iter().map(|spec| spec.token).collect();
    for entry in config.source.iter().filter(|entry| !known.contains(&entry.token)) {
        store.insert_source(&entry.spec())?;
    }
    let settings = source::Settings {
        default_connect: config.sources.default_connect,
        default_transport: config.sources.default_transport,
        warm: Duration::from_secs(config.sources.warm_seconds),
        stall: Duration::from_secs(config.sources.stall_seconds),
        ring_bytes: config.sources.ring_bytes,
        keep: MediaTime::from(Duration::from_secs(config.recording.pre_roll_seconds)).max(record::DISK_SLACK),
        max_sources: config.sources.max_sources,
    };
    let sources = Sources::new(settings, clock);
    for spec in store.sources()? {
        sources.add(spec)?;
    }
    Ok(sources)
}

fn start_recorder(
    data_dir: &Path,
    config: &Config,
    store: &Arc<Store>,
    clock: Clock,
    shutdown: &CancellationToken,
) -> Result<Arc<Recorder>> {
    let volumes = match config.volume.as_slice() {
        [] => Volumes::open(&[VolumeEntry::in_data_dir(data_dir)], store)?,
        entries => Volumes::open(entries, store)?,
    };
    let settings = record::Settings::from(config);
    Recorder::start(settings, volumes, store.clone(), clock, shutdown.clone())
}

async fn bind(
    config: &Config,
    http_port: Option<u16>,
    tunnel: mpsc::Receiver<Arrived>,
    nodes: mpsc::Receiver<Passed>,
) -> Result<Listeners> {
    let listen = async |port: u16| {
        let address = SocketAddr::new(config.http.bind, port);
        TcpListener::bind(address)
            .await
            .map_err(|e| Error::from(e).context(format!("cannot listen on {address}")))
    };
    let http = listen(http_port.unwrap_or(config.http.port)).await?;
    let https = match config.http.https_port {
        0 => None,
        port => Some(listen(port).await?),
    };
    Ok(Listeners { http, https, tunnel, nodes })
}

/// Where the ONVIF device says that our servers are.
fn onvif_ports(listeners: &Listeners, rtsp: u16) -> Result<Ports> {
    let https = listeners.https.as_ref().map(TcpListener::local_addr).transpose()?;
    Ok(Ports { http: listeners.http.local_addr()?, https: https.map(|at| at.port()), rtsp })
}

/// What is printed when everything answers: the ports, as one line of JSON.
fn ready_line(listeners: &Listeners, rtc: &Rtc) -> Result<serde_json::Value> {
    let https = match &listeners.https {
        Some(listener) => Some(listener.local_addr()?.port()),
        None => None,
    };
    Ok(serde_json::json!({
        "http": listeners.http.local_addr()?.port(),
        "https": https,
        "webrtc": rtc.local_port(),
    }))
}

fn rtc_settings(config: &Config) -> RtcSettings {
    RtcSettings {
        port: config.webrtc.port,
        public_addresses: config.webrtc.public_addresses.clone(),
        ice_servers: config.webrtc.ice_servers.clone(),
        max_viewers: config.webrtc.max_viewers,
    }
}

fn hls_settings(config: &Config) -> HlsSettings {
    HlsSettings {
        segment_seconds: config.hls.segment_seconds,
        segment_count: config.hls.segment_count,
        part_millis: config.hls.part_millis,
    }
}

/// SIGTERM or SIGINT, caught from the making on.
struct StopSignal {
    term: Signal,
    int: Signal,
}

impl StopSignal {
    fn new() -> Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
