//! The edge's end: dials the central, proves who it is, and gives the streams that the central opens to whoever
//! serves them.
//!
//! One task ([`Edge::run`]) for as long as the daemon lives. It starts anew whenever the settings change, and after
//! every failure waits a random time, so that thousands of edges do not come back to their central in one moment.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rand::RngExt;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, ToSocketAddrs, lookup_host};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::sync::CancellationToken;

use super::hello::{Challenge, Hello, PATIENCE, VERSION, Verdict, hear, say};
use super::key::{DeviceKey, code_hash, new_code};
use super::tunnel::{Arrivals, Side, Tunnel, TunnelStream, socket_config};
use crate::base::pin::{pinned, public};
use crate::base::secret::Secret;
use crate::base::time::Clock;
use crate::base::wall::Wall;
use crate::base::{Error, Kind, Result};

/// Where a central takes tunnels.
pub const PATH: &str = "/api/v1/h5cloudapi";
/// Waits after a failure: at random in this, so that an edge is back within 5 s of its central.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));
/// How often the longest of them is doubled while the central takes connections but has no time for them.
const DOUBLINGS: u32 = 3;
/// The same after a refusal that somebody has to mend.
const LONG_REST: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(60));
/// How long it may take to get a connection: two repeats of its first packet. After the third, which comes 7 s after the
/// first, the central may have been back for long.
const CONNECTING: Duration = Duration::from_secs(5);
/// How much later each next address of the central is tried (RFC 8305, 8), and how many are.
const STAGGER: Duration = Duration::from_millis(250);
const MAX_PLACES: usize = 8;
/// How long an edge that shows its code waits for the verdict on one connection.
const CLAIMING: Duration = Duration::from_secs(600);
/// What may lie in the kernel on its way out: control calls wait behind it.
const SEND_BUFFER: usize = 32 << 10;

/// `[cloud.client]`, or what SetCloudInfo made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub enabled: bool,
    /// Name for people at the central.
    pub name: String,
    /// Server token that is asked for; the central may have given another one.
    pub token: String,
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// SHA-256 of the central's certificate, 64 hex digits; `None`: one that a public authority signed for `host`.
    pub pin: Option<String>,
    /// For the first time only, in place of a claim code; empty: none.
    pub user: String,
    pub password: Secret,
    pub keepalive: Duration,
}

/// How it stands with the central.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not enabled.
    Off,
    Connecting,
    /// The code has to be typed at the central.
    Unclaimed {
        code: String,
    },
    /// `token` and `name` are those that the central has given.
    Online {
        since: Wall,
        token: String,
        name: String,
    },
    /// `lasting`: somebody has to mend it.
    Offline {
        text: String,
        lasting: bool,
    },
}

/// A stream that the central opened, with the central's address.
pub type Arrived = (TunnelStream, SocketAddr);

/// See the module.
#[derive(Debug)]
pub struct Edge {
    pub key: DeviceKey,
    /// This device's host id.
    pub uuid: String,
    build: &'static str,
    clock: Clock,
    settings: watch::Sender<Settings>,
    state: watch::Sender<State>,
    tunnel: Mutex<Option<Tunnel>>,
}

impl Edge {
    pub fn new(
        key: DeviceKey,
        uuid: String,
        build: &'static str,
        clock: Clock,
        settings: Settings,
    ) -> Arc<Self> {
        let (settings, state) = (watch::Sender::new(settings), watch::Sender::new(State::Off));
        Arc::new(Self { key, uuid, build, clock, settings, state, tunnel: Mutex::default() })
    }

    pub fn settings(&self) -> Settings {
        self.settings.borrow().clone()
    }

    /// Takes other settings, and starts anew if they are others.
    pub fn set(&self, settings: Settings) {
        self.settings.send_if_modified(|old| {
            let changed = *old != settings;
            *old = settings;
            changed
        });
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub fn watch_state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Forgets the password, which is not needed once the central knows the key. Does not start anew.
    pub fn forget_password(&self) {
        self.settings.send_if_modified(|settings| {
            settings.password = Secret::default();
            false
        });
    }

    /// Ends the connection, and makes another one.
    pub fn reconnect(&self) {
        if let Some(tunnel) = self.lock().as_ref() {
            tunnel.close();
        }
    }

    /// Keeps the connection until `stop`. Streams that nobody takes from `streams` are refused.
    pub async fn run(&self, streams: mpsc::Sender<Arrived>, stop: CancellationToken) {
        let mut changes = self.settings.subscribe();
        let code = new_code();
        let keep = async {
            loop {
                let settings = changes.borrow_and_update().clone();
                tokio::select! {
                    () = self.keep(&settings, &code, &streams) => {}
                    changed = changes.changed() => if changed.is_err() { return },
                }
                self.state.send_replace(State::Connecting);
                self.reconnect();
            }
        };
        tokio::select! {
            () = keep => {}
            () = stop.cancelled() => {}
        }
        self.reconnect();
        self.state.send_replace(State::Off);
    }

    async fn keep(&self, settings: &Settings, code: &str, streams: &mpsc::Sender<Arrived>) {
        if !settings.enabled {
            self.state.send_replace(State::Off);
            return std::future::pending().await;
        }
        self.state.send_replace(State::Connecting);
        let mut kept_waiting = 0;
        loop {
            let begun = Instant::now();
            let (text, lasting) = match self.connection(settings, code, streams).await {
                Ok(()) => ("the connection to the central broke off".to_owned(), false),
                Err(error) => (error.to_string(), error.kind() == Kind::Refused),
            };
            tracing::warn!(central = settings.host, port = settings.port, "not registered: {text}");
            let before = self.state.send_replace(State::Offline { text, lasting });
            // A central that is away answers at once or not at all. One that takes so long has too much to do.
            let registered = matches!(before, State::Online { .. });
            kept_waiting = if begun.elapsed() >= PATIENCE && !registered { kept_waiting + 1 } else { 0 };
            let (least, most) =
                if lasting { LONG_REST } else { (REST.0, REST.1 * (1 << kept_waiting.min(DOUBLINGS))) };
            let rest = rand::rng().random_range(least..=most);
            sleep(rest).await;
        }
    }

    /// One connection from start to end.
    ///
    /// # Errors
    /// Why there was none; `Refused` when trying again soon is of no use.
    async fn connection(
        &self,
        settings: &Settings,
        code: &str,
        streams: &mpsc::Sender<Arrived>,
    ) -> Result<()> {
        let (mut socket, central) = dial(settings).await?;
        let Challenge { version, challenge } = hear(&mut socket, PATIENCE).await?;
        if version != VERSION {
            let text = format!("the central speaks version {version} of the tunnel, this box {VERSION}");
            return Err(Error::refused(text));
        }
        let settings = self.settings();
        let hello = Hello::new(&self.key, &challenge, &settings.token)
            .with_login(&settings.user, &settings.password)
            .of(&settings.name, &self.uuid, self.build, &code_hash(code));
        say(&mut socket, &hello).await?;
        let mut patience = PATIENCE;
        let (token, name) = loop {
            match hear(&mut socket, patience).await? {
                Verdict::Welcome { token, name } => break (token, name),
                Verdict::Unclaimed => {
                    patience = CLAIMING;
                    self.state.send_replace(State::Unclaimed { code: code.to_owned() });
                }
                Verdict::Refused { text, lasting: true } => return Err(Error::refused(text)),
                Verdict::Refused { text, lasting: false } => return Err(Error::timeout(text)),
            }
        };
        tracing::info!(%central, token, "registered");
        let (tunnel, arrivals) = Tunnel::start(socket, Side::Edge { keepalive: settings.keepalive });
        *self.lock() = Some(tunnel.clone());
        let since = Wall::from(self.clock.wall());
        self.state.send_replace(State::Online { since, token, name });
        tokio::select! {
            () = tunnel.ended() => {}
            () = pass_on(arrivals, central, streams) => {}
        }
        tunnel.close();
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Tunnel>> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass_on(mut arrivals: Arrivals, central: SocketAddr, streams: &mpsc::Sender<Arrived>) {
    while let Some(stream) = arrivals.recv().await {
        if streams.send((*stream, central)).await.is_err() {
            return;
        }
    }
}

/// What a tunnel goes over.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

async fn dial(settings: &Settings) -> Result<(WebSocketStream<Box<dyn Io>>, SocketAddr)> {
    let place = place(&settings.host, settings.port);
    let silent = |what: &str| Error::timeout(format!("{place}: {what}"));
    let socket = timeout(CONNECTING, connect((settings.host.as_str(), settings.port)))
        .await
        .map_err(|_| silent("nobody answers"))?;
    let socket = socket.map_err(|error| Error::timeout(format!("{place}: {}", reason(&error))))?;
    let central = socket.peer_addr()?;
    socket.set_nodelay(true)?;
    // Only how far control calls wait behind media depends on it.
    let _ = socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER);
    let io: Box<dyn Io> = if settings.tls {
        let connector = TlsConnector::from(Arc::new(tls(settings)?));
        let name = ServerName::try_from(settings.host.clone());
        let name = name.map_err(|_| Error::refused(format!("cloudip: {} is no host name", settings.host)))?;
        let secured = timeout(PATIENCE, connector.connect(name, socket)).await;
        let secured = secured.map_err(|_| silent("the TLS handshake gets no answer"))?;
        Box::new(secured.map_err(|error| untrusted(&error, &place))?)
    } else {
        Box::new(socket)
    };
    let scheme = if settings.tls { "wss" } else { "ws" };
    let url = format!("{scheme}://{place}{PATH}");
    let opened = timeout(PATIENCE, client_async_with_config(url, io, Some(socket_config()))).await;
    let (socket, _) = opened.map_err(|_| silent("no answer"))?.map_err(|error| match error {
        SocketError::Http(answer) => {
            let status = answer.status();
            Error::timeout(format!("{place}: there is no central here (HTTP {status})"))
        }
        SocketError::Io(error) => Error::timeout(format!("{place}: {}", reason(&error))),
        _ => Error::timeout(format!("{place}: what answers is no central")),
    })?;
    Ok((socket, central))
}

/// The first of the addresses that answers, each tried a little later than the one before (RFC 8305, 5).
async fn connect(host: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let places = lookup_host(host).await?.take(MAX_PLACES);
    let mut tries: FuturesUnordered<_> = (0..)
        .zip(places)
        .map(|(turn, place)| async move {
            sleep(STAGGER * turn).await;
            TcpStream::connect(place).await
        })
        .collect();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    while let Some(tried) = tries.next().await {
        match tried {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn place(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
        io::ErrorKind::TimedOut => "nobody answers",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "the connection breaks off"
        }
        _ => "there is no such host, or it cannot be reached",
    }
}

fn tls(settings: &Settings) -> Result<ClientConfig> {
    let unusable = |error: rustls::Error| Error::internal(format!("TLS: {error}"));
    if let Some(pin) = &settings.pin {
        return pinned(Some(pin.clone())).map_err(unusable);
    }
    public().map_err(unusable)
}

/// A certificate that is not to be trusted has to be looked at by somebody.
fn untrusted(error: &io::Error, place: &str) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::General(text)) => Error::refused(format!("{place}: {text}")),
        Some(other) => Error::timeout(format!("{place}: TLS: {other}")),
        None => Error::timeout(format!("{place}: {}", reason(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// An address that answers to nothing: the kernel drops what comes while enough wait to be accepted.
    fn silent() -> (SocketAddr, Vec<std::net::TcpStream>, socket2::Socket) {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let place = socket.local_addr().unwrap().as_socket().unwrap();
        let waiting = (0..8)
            .map_while(|_| std::net::TcpStream::connect_timeout(&place, Duration::from_millis(200)).ok());
        (place, waiting.collect(), socket)
    }

    #[tokio::test]
    async fn a_central_is_found_at_its_second_address() {
        let (silent, waiting, _socket) = silent();
        assert!(waiting.len() < 8, "it takes all");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap();
        let refuses = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for first in [silent, refuses] {
            let socket = timeout(CONNECTING, connect(&[first, place][..])).await.expect("in time").unwrap();
            assert_eq!(socket.peer_addr().unwrap(), place);
        }
        let error = connect(&[refuses][..]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
