//! WebRTC, live and of recordings: all viewers on one port, UDP and TCP (`docs/decisions/0003-webrtc.md`).
//!
//! [`Rtc`] is the handle that the API uses. Behind it one engine task owns the socket and all
//! sessions, one task accepts ICE-TCP, and each TCP connection has a task; a viewer has no thread and
//! no task beyond the one that serves its signalling. Frames are read from the hub's ring, cut into
//! packets once per stream, and encrypted once per viewer. Memory bounds: see each file.

mod addresses;
mod cut;
mod engine;
mod negotiate;
mod pace;
mod session;
mod signal;
mod tcp;
mod udp;
mod wire;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use str0m::Candidate;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warp::ws::WebSocket;

use self::engine::{Command, Engine, MAX_COMMANDS};
use self::negotiate::Negotiator;
use self::session::Start;
pub use self::session::{b_frames, has_b_frames};
pub use self::signal::MAX_MESSAGE as MAX_SIGNAL_MESSAGE;
use crate::base::config::IceServer;
use crate::base::{Error, Result};
use crate::media::hub::{self, Cursor};
use crate::media::params::Params;
use crate::media::stream::{Stream, Viewing};
use crate::play::playback::{Player, Reel};

/// How long a viewer waits for a source that has to be opened first.
const PATIENCE: Duration = Duration::from_secs(10);
/// Frames that are looked at for B-frames before a viewer is let in.
const PROBED_FRAMES: usize = 64;
/// Most candidates taken from one WHEP PATCH.
const MAX_PATCH: usize = 32;

/// What WebRTC needs to know at start.
#[derive(Clone, Debug)]
pub struct RtcSettings {
    /// The UDP and TCP port of all viewers; 0 takes any free one.
    pub port: u16,
    /// Addresses under which this machine is reached from outside, through a NAT that keeps the port.
    pub public_addresses: Vec<IpAddr>,
    /// Sent to h5srtcapi clients before the offer.
    pub ice_servers: Vec<IceServer>,
    /// More viewers are refused with `Full`.
    pub max_viewers: usize,
}

/// A WHEP session (draft-ietf-wish-whep): the answer, and the name that PATCH and DELETE take.
#[derive(Debug)]
pub struct WhepSession {
    pub id: String,
    pub answer_sdp: String,
    /// Says why it ended.
    pub ended: oneshot::Receiver<Error>,
}

/// Handle to the running WebRTC service; clones share it.
#[derive(Clone)]
pub struct Rtc(Arc<Inner>);

struct Inner {
    settings: RtcSettings,
    port: u16,
    ipv6: bool,
    negotiator: Negotiator,
    engine: mpsc::Sender<Command>,
    places: Arc<Semaphore>,
}

/// A viewer that may come in: its place, its interest in the stream, and where it starts to read.
struct Prepared {
    permit: OwnedSemaphorePermit,
    viewing: Viewing,
    params: Arc<Params>,
    cursor: Cursor,
    peer: SocketAddr,
}

impl Rtc {
    /// Binds the port and starts the tasks; they end with `shutdown`. Needs
    /// a tokio runtime.
    ///
    /// # Errors
    /// When the port is taken, or no certificate can be made.
    pub fn start(settings: RtcSettings, shutdown: CancellationToken) -> Result<Self> {
        let context = |error: Error| error.context(format!("WebRTC port {}", settings.port));
        let (socket, port, listener) = bind(settings.port).map_err(context)?;
        let ipv6 = socket.local_addr()?.is_ipv6();
        let (engine, commands) = mpsc::channel(MAX_COMMANDS);
        let max = settings.max_viewers.min(Semaphore::MAX_PERMITS);
        let running = Engine::new(udp::Udp::new(socket)?, port);
        let negotiator = Negotiator::new()?;
        tokio::spawn(tcp::serve(listener, max.saturating_mul(2), engine.clone(), shutdown.clone()));
        tokio::spawn(running.run(commands, shutdown));
        let places = Arc::new(Semaphore::new(max));
        Ok(Self(Arc::new(Inner { settings, port, ipv6, negotiator, engine, places })))
    }

    /// The UDP and TCP port in use.
    pub fn local_port(&self) -> u16 {
        self.0.port
    }

    /// Viewers now, connected or connecting (`nConnectCount`, manual 5.7.2).
    pub fn connect_count(&self) -> usize {
        self.0.settings.max_viewers.saturating_sub(self.0.places.available_permits())
    }

    /// Serves one h5srtcapi client on its WebSocket until either side ends. The upgrade should carry
    /// `max_message_size` [`MAX_SIGNAL_MESSAGE`]. Failures are told to the client as
    /// `{"type":"error","strCode":…,"bFallback":…}`, where `bFallback` says that another way of
    /// watching would work.
    pub fn signal(
        &self,
        socket: WebSocket,
        stream: Arc<Stream>,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<> {
        let rtc = self.clone();
        async move {
            let prepared = rtc.clone().prepare(stream, peer);
            signal::serve(rtc, socket, async { Ok((prepared.await?, None)) }).await;
        }
    }

    /// As [`Rtc::signal`], for a recording: orders come and time notices go on the same socket. `reel` is waited for
    /// when the client is there.
    pub async fn play(
        &self,
        socket: WebSocket,
        reel: impl Future<Output = Result<Reel>> + Send,
        peer: SocketAddr,
    ) {
        let prepare = async {
            let player = Player::new(reel.await?);
            let prepared = self.clone().prepare(player.stream().clone(), peer).await?;
            Ok((prepared, Some(player)))
        };
        signal::serve(self.clone(), socket, prepare).await;
    }

    /// Opens a session for a WHEP client's SDP offer; it ends by itself when the client vanishes or
    /// the source does.
    ///
    /// # Errors
    /// `BadInput` for a bad offer, `Unsupported` for a stream or viewer without a common codec,
    /// `Full` at the viewer limit, `Timeout` when the source does not deliver.
    pub async fn whep(&self, stream: Arc<Stream>, offer: &str, peer: SocketAddr) -> Result<WhepSession> {
        let Prepared { permit, viewing, params, cursor, peer } = self.clone().prepare(stream, peer).await?;
        let candidates = self.candidates(peer)?;
        let (negotiated, answer_sdp) = self.0.negotiator.answer(offer, &params.video, candidates)?;
        let id = Uuid::new_v4();
        let (tell, ended) = oneshot::channel();
        let start =
            Box::new(Start { negotiated, viewing, params, cursor, permit, ended: tell, connected: None });
        self.send(Command::Open { id, start }).await?;
        Ok(WhepSession { id: id.to_string(), answer_sdp, ended })
    }

    /// Adds the candidates of an SDP fragment (RFC 8840) to a session; mDNS names are skipped.
    ///
    /// # Errors
    /// `NotFound` when there is no such session.
    pub async fn whep_patch(&self, id: &str, sdp_frag: &str) -> Result<()> {
        let lines = sdp_frag.lines().filter_map(|line| line.trim().strip_prefix("a="));
        let candidates = lines
            .filter(|line| line.starts_with("candidate:"))
            .filter_map(|line| Candidate::from_sdp_string(line).ok())
            .take(MAX_PATCH)
            .collect();
        let id = session_id(id)?;
        self.ask(|known| Command::Candidates { id, candidates, known }).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `NotFound` when there is no such session.
    pub async fn whep_delete(&self, id: &str) -> Result<()> {
        let id = session_id(id)?;
        self.ask(|known| Command::Close { id, known }).await
    }

    /// Waits for the source and looks whether its stream fits.
    async fn prepare(self, stream: Arc<Stream>, peer: SocketAddr) -> Result<Prepared> {
        let max = self.0.settings.max_viewers;
        let permit = self.0.places.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::full(format!("all {max} WebRTC viewer places are taken")))?;
        let viewing = stream.view();
        let (_, mut probe) = viewing.cursor(hub::Start::NewestKey, PATIENCE).await?;
        let (params, cursor) = viewing.cursor(hub::Start::NewestKey, PATIENCE).await?;
        for _ in 0..PROBED_FRAMES {
            match probe.poll() {
                Some(hub::Event::Frame { frame, .. }) if has_b_frames(&frame) => return Err(b_frames()),
                Some(_) => {}
                None => break,
            }
        }
        Ok(Prepared { permit, viewing, params, cursor, peer })
    }

    fn candidates(&self, peer: SocketAddr) -> Result<Vec<Candidate>> {
        let loopback = peer.ip().to_canonical().is_loopback();
        addresses::candidates(self.0.port, self.0.ipv6, loopback, &self.0.settings.public_addresses)
    }

    fn settings(&self) -> &RtcSettings {
        &self.0.settings
    }

    fn negotiator(&self) -> &Negotiator {
        &self.0.negotiator
    }

    async fn send(&self, command: Command) -> Result<()> {
        self.0.engine.send(command).await.map_err(|_| Error::internal("WebRTC has stopped"))
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<bool>) -> Command) -> Result<()> {
        let (known, answer) = oneshot::channel();
        self.send(command(known)).await?;
        match answer.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::not_found("no such WebRTC session")),
            Err(_) => Err(Error::internal("WebRTC has stopped")),
        }
    }

    /// Ends the session `id` if it is still there.
    async fn close(&self, id: Uuid) {
        let (known, _) = oneshot::channel();
        // If the engine has stopped, so has the session.
        let _ = self.send(Command::Close { id, known }).await;
    }
}

fn session_id(id: &str) -> Result<Uuid> {
    Uuid::parse_str(id).map_err(|_| Error::not_found("no such WebRTC session"))
}

/// UDP and TCP on the same port; port 0 is tried until a number is free for both.
fn bind(port: u16) -> Result<(std::net::UdpSocket, u16, tokio::net::TcpListener)> {
    let mut attempts = if port == 0 { 16 } else { 1 };
    loop {
        let socket = udp::bind(port)?;
        let address = socket.local_addr()?;
        match tcp::bind(address.port(), address.is_ipv6()) {
            Ok(listener) => return Ok((socket, address.port(), listener)),
            Err(error) if attempts <= 1 => return Err(error),
            Err(_) => attempts -= 1,
        }
    }
}
