//! Our own RTSP server, for recorders and video management software: `/live/<token>` (with `$$sub` the
//! sub stream) from the hub, `/replay/<token>` from the recordings, over TCP and UDP, for users that prove
//! their password by Digest. It runs while the ONVIF device is on.
//!
//! Threads: one with GLib's main loop, which accepts; GStreamer's own, about six per client; and a tokio
//! task per live client that feeds its pipeline. A client waits for its source on its own thread.
//! Memory: [`Settings::max_clients`] connections, each with what [`live`] or [`replay`] says, and what
//! the kernel's sockets hold.

mod digest;
mod door;
mod elements;
mod line;
mod live;
mod paths;
mod raw;
mod reel;
mod replay;
mod site;

use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gstreamer::glib;
use gstreamer_rtsp::RTSPStatusCode;
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::{RTSPClient, RTSPContext, RTSPOnvifServer, RTSPSessionPool, RTSPThreadPool, gio};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::door::Door;
use self::paths::Paths;
use self::raw::Field;
use self::site::{Place, Site};
use super::playback::Recordings;
use crate::base::secret::Secret;
use crate::base::{Error, Kind, Result};
use crate::media::stream::Stream;

/// How often sessions are looked through for those that went away.
const CLEANUP_SECONDS: u32 = 2;
/// How long clients' threads may take to end when the server stops, and how often they are looked at.
const FAREWELL: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);
/// The largest body of a request; those that we understand have none to speak of.
const MAX_BODY: u32 = 16 << 10;

/// Finds the stream of a token, also one with `$$sub`. Called on clients' threads; may block.
pub type Streams = Arc<dyn Fn(&str) -> Option<Arc<Stream>> + Send + Sync>;
/// Tries, for a client at the address, whether the proof holds for the password of the user named; the
/// brake on guessing is in here. Called on clients' threads; may block.
pub type Users = Arc<dyn Fn(IpAddr, &str, &dyn Fn(&Secret) -> bool) -> Tried + Send + Sync>;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Right,
    Wrong,
    /// Too many were wrong: this one was not looked at.
    Locked,
}

/// Where it listens.
#[derive(Clone, Debug)]
pub struct Settings {
    pub address: IpAddr,
    /// 0 takes any free one.
    pub port: u16,
    /// Connections at a time; more are closed at once.
    pub max_clients: usize,
}

/// What it shows, and to whom.
#[derive(Clone)]
pub struct Backend {
    pub streams: Streams,
    pub users: Users,
    pub recordings: Recordings,
}

/// A running server.
#[derive(Debug)]
pub struct RtspServer {
    port: u16,
    shutdown: CancellationToken,
    thread: JoinHandle<()>,
}

impl RtspServer {
    /// Opens the port and serves until it is stopped or `shutdown` is cancelled. Within a tokio runtime.
    ///
    /// # Errors
    /// `Refused` when the port cannot be opened.
    pub async fn start(settings: Settings, backend: Backend, shutdown: &CancellationToken) -> Result<Self> {
        let shutdown = shutdown.child_token();
        let Backend { streams, users, recordings } = backend;
        let runtime = Handle::current();
        let site = Arc::new(Site { streams, users, recordings, runtime, shutdown: shutdown.clone() });
        let (told, opened) = tokio::sync::oneshot::channel();
        let stopping = shutdown.clone();
        let thread = std::thread::Builder::new().name("rtsp".into()).spawn(move || {
            let context = glib::MainContext::new();
            // Fails only where another thread owns the context, which nobody else knows.
            let _ = context.with_thread_default(|| match open(&settings, &site, &context) {
                Ok(running) => {
                    let _ = told.send(Ok(running.port));
                    running.serve(&context, &site);
                }
                Err(error) => drop(told.send(Err(error))),
            });
            stopping.cancel();
        })?;
        let port = opened.await.map_err(|_| Error::internal("the RTSP server did not start"))??;
        Ok(Self { port, shutdown, thread })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes the port and all connections; returns when that is done.
    pub async fn stop(self) {
        self.shutdown.cancel();
        // A thread that panicked has nothing left to close.
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// The server's parts, on its own thread.
struct Running {
    /// Serves as long as it is there.
    _server: RTSPOnvifServer,
    sessions: RTSPSessionPool,
    door: Door,
    listening: glib::Source,
    port: u16,
}

fn open(settings: &Settings, site: &Arc<Site>, context: &glib::MainContext) -> Result<Running> {
    let server = RTSPOnvifServer::new()
        .downcast::<RTSPOnvifServer>()
        .map_err(|_| Error::internal("no ONVIF RTSP server"))?;
    server.set_address(&settings.address.to_string());
    server.set_service(&settings.port.to_string());
    server.set_content_length_limit(MAX_BODY);
    server.set_mount_points(Some(&Paths::new(site.clone())));
    let door = Door::new(site.users.clone(), settings.max_clients);
    server.set_auth(Some(&door));
    let threads = RTSPThreadPool::new();
    // A thread for each client: one that waits for a source must not hold up the others.
    threads.set_max_threads(-1);
    server.set_thread_pool(Some(&threads));
    let sessions = RTSPSessionPool::new();
    sessions.set_max_sessions(u32::try_from(settings.max_clients).unwrap_or(u32::MAX));
    server.set_session_pool(Some(&sessions));
    let greeting = site.clone();
    let entrance = door.clone();
    server.connect_client_connected(move |_, client| greet(client, &entrance, &greeting));
    let listening = server
        .create_source(gio::Cancellable::NONE)
        .map_err(|error| Error::refused(format!("RTSP port {} cannot be opened: {error}", settings.port)))?;
    listening.attach(Some(context));
    let port = u16::try_from(server.bound_port()).unwrap_or_default();
    Ok(Running { _server: server, sessions, door, listening, port })
}

impl Running {
    /// Until the site is shut down.
    fn serve(self, context: &glib::MainContext, site: &Site) {
        let main_loop = glib::MainLoop::new(Some(context), false);
        let sessions = self.sessions.clone();
        let cleanup =
            glib::timeout_source_new_seconds(CLEANUP_SECONDS, None, glib::Priority::DEFAULT, move || {
                sessions.cleanup();
                glib::ControlFlow::Continue
            });
        cleanup.attach(Some(context));
        let (shutdown, quitting) = (site.shutdown.clone(), main_loop.clone());
        site.runtime.spawn(async move {
            shutdown.cancelled().await;
            // Not `quit` from here: it does nothing to a loop that does not run yet.
            let context = quitting.context();
            context.invoke(move || quitting.quit());
        });
        main_loop.run();
        cleanup.destroy();
        self.listening.destroy();
        self.door.see_all_out();
        let deadline = Instant::now() + FAREWELL;
        while !self.door.is_empty() {
            if Instant::now() >= deadline {
                tracing::warn!("RTSP: some clients are still busy; they end when they are done");
                break;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A new connection: counted, and its requests looked at before they are served.
fn greet(client: &RTSPClient, door: &Door, site: &Arc<Site>) {
    if !door.enter(client) {
        tracing::warn!("RTSP: no room for another client");
        return;
    }
    let leaving = door.clone();
    client.connect_closed(move |client| leaving.leave(client));
    let site = site.clone();
    client.connect_pre_describe_request(move |client, context| status(described(&site, client, context)));
    client.connect_pre_play_request(|_, context| status(playable(context)));
}

/// Whether there is something to describe: a live source that is down gets its time to come up.
fn described(site: &Site, client: &RTSPClient, context: &RTSPContext) -> Result<()> {
    let path = client.mount_points().zip(context.uri()).and_then(|(paths, uri)| paths.make_path(uri).ok());
    let place = path.and_then(|path| Place::parse(&path));
    let unknown = || Error::not_found("no such stream");
    match place.ok_or_else(unknown)? {
        Place::Live(token) => {
            let stream = site.stream(&token).ok_or_else(unknown)?;
            live::wait_for(site, &stream).map(drop)
        }
        // Its factory is there if anything is recorded, and the answer 404 if not.
        Place::Replay(_) => Ok(()),
    }
}

/// Recordings are not played backwards.
fn playable(context: &RTSPContext) -> Result<()> {
    let backwards = [Field::Scale, Field::Speed]
        .into_iter()
        .filter_map(|field| raw::header(context, field)?.trim().parse::<f64>().ok())
        .any(|value| value <= 0.0);
    if backwards { Err(Error::unsupported("playing backwards")) } else { Ok(()) }
}

fn status(result: Result<()>) -> RTSPStatusCode {
    match result.map_err(|error| error.kind()) {
        Ok(()) => RTSPStatusCode::Ok,
        Err(Kind::NotFound) => RTSPStatusCode::NotFound,
        Err(Kind::Unsupported) => RTSPStatusCode::NotImplemented,
        Err(_) => RTSPStatusCode::ServiceUnavailable,
    }
}
