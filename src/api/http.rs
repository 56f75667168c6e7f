//! The server: accepts connections, takes TLS off, brings requests into canonical form and hands them
//! to the routes.
//!
//! One task per connection. Bounds: `http.max_connections` connections over both ports (one more is
//! closed at once; open sockets count), [`MAX_HEAD`] bytes of head per connection, [`HEAD_TIMEOUT`]
//! for a head to arrive and for a connection to idle, [`GRACE`] for requests in flight at the stop.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SndBuf;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, HOST, HeaderMap, HeaderValue,
    ORIGIN, VARY,
};
use warp::http::uri::{PathAndQuery, Uri};
use warp::http::{Request, StatusCode};

use super::cloud::guest::Guests;
use super::cloud::nodes::Nodes;
use super::cloud::pass::is_passed;
use super::line::{LineFixer, NextLine};
use super::normalise::Target;
use super::params::SESSION;
use super::proxied;
use super::reply::{self, Reply};
use super::request::Incoming;
use super::tls::Certificate;
use super::{Context, normalise, router};
use crate::base::{Error, Result};
use crate::cloud::central::Passed;
use crate::cloud::edge::Arrived;

/// Largest request head, in bytes: the longest target and as much again for headers.
const MAX_HEAD: usize = 2 * normalise::MAX_TARGET;
const MAX_HEADERS: usize = 64;
/// How long a request head, or a TLS handshake, may take; also how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in flight get when the daemon stops.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes that the kernel holds for a connection; it takes twice that for its own needs. Half a second of
/// 4 Mbit/s, and enough for 20 Mbit/s over a round trip of 100 ms.
const SEND_BUFFER: usize = 256 << 10;
/// Rest after an accept that failed, mostly for want of file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The bound ports.
pub struct Listeners {
    pub http: TcpListener,
    /// Served with [`Context::certificate`].
    pub https: Option<TcpListener>,
    /// Streams that a central opened in the tunnel to it.
    pub tunnel: mpsc::Receiver<Arrived>,
    /// Requests that other nodes of this central passed on.
    pub nodes: mpsc::Receiver<Passed>,
}

/// Serves until `shutdown` is cancelled and the requests in flight are answered, at most [`GRACE`]
/// longer. Open WebSockets end by [`Context::shutdown`].
pub async fn serve(listeners: Listeners, ctx: Arc<Context>, shutdown: CancellationToken) {
    let https = listeners.https.zip(ctx.certificate.clone());
    let server = Server {
        seats: Arc::new(Semaphore::new(ctx.config.http.max_connections)),
        origins: ctx.config.http.cors_origins.clone().into(),
        proxies: ctx.config.http.proxies.clone().into(),
        guests: ctx.cloud.guests.clone(),
        nodes: ctx.cloud.nodes.clone(),
        routes: TowerToHyperService::new(warp::service(router::routes(ctx))),
        connections: TaskTracker::new(),
        shutdown,
    };
    let secured = async {
        if let Some((listener, certificate)) = &https {
            server.accept(listener, Some(certificate)).await;
        }
    };
    tokio::join!(
        server.accept(&listeners.http, None),
        secured,
        server.take_in(listeners.tunnel, listeners.nodes)
    );
    server.connections.close();
    server.connections.wait().await;
}

/// What all connections share. `R` is the routes, whose type has no name.
#[derive(Clone)]
struct Server<R> {
    seats: Arc<Semaphore>,
    origins: Arc<[String]>,
    /// Who tells for whom it comes.
    proxies: Arc<[IpAddr]>,
    guests: Arc<Guests>,
    /// The other nodes of this central, if there are any.
    nodes: Option<Arc<Nodes>>,
    routes: R,
    connections: TaskTracker,
    shutdown: CancellationToken,
}

/// How a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Door,
    Tunnel,
    Node,
}

/// One connection's share.
#[derive(Clone)]
struct Connection<R> {
    server: Server<R>,
    peer: SocketAddr,
    local: SocketAddr,
    https: bool,
    way: Way,
    seat: Arc<OwnedSemaphorePermit>,
    next_line: NextLine,
}

impl<R> Server<R>
where
    R: Service<Request<Body>, Response = Reply, Error = Infallible> + Clone + Send + Sync + 'static,
    R::Future: Send,
{
    /// Takes connections until the stop.
    async fn accept(&self, listener: &TcpListener, certificate: Option<&Certificate>) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shutdown.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer, certificate.map(Certificate::acceptor)),
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    /// Takes streams of the tunnel and of other nodes until the stop.
    async fn take_in(&self, mut tunnel: mpsc::Receiver<Arrived>, mut nodes: mpsc::Receiver<Passed>) {
        let nowhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        loop {
            tokio::select! {
                Some((stream, central)) = tunnel.recv() => {
                    self.begin(stream, central, nowhere, true, Way::Tunnel);
                }
                Some(Passed { stream, origin }) = nodes.recv() => {
                    self.begin(stream, origin.peer, nowhere, origin.https, Way::Node);
                }
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    fn begin<S>(&self, stream: S, peer: SocketAddr, local: SocketAddr, https: bool, way: Way)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(seat) = self.seat(peer) else { return };
        let (server, next_line) = (self.clone(), NextLine::default());
        let connection = Connection { server, peer, local, https, way, seat, next_line };
        self.connections.spawn(connection.serve(stream));
    }

    fn seat(&self, peer: SocketAddr) -> Option<Arc<OwnedSemaphorePermit>> {
        let seat = self.seats.clone().try_acquire_owned();
        if seat.is_err() {
            tracing::warn!(peer = %peer.ip(), "too many connections (http.max_connections)");
        }
        seat.ok().map(Arc::new)
    }

    fn admit(&self, mut stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
        let Some(seat) = self.seat(peer) else { return };
        // Frames are small and late ones are useless. Fails only on a socket that is dead already.
        let _ = stream.set_nodelay(true);
        // What lies in the kernel can't be skipped any more. Left alone it grows to many seconds of video
        // on a slow link.
        let _ = setsockopt(&stream, SndBuf, &SEND_BUFFER);
        // Fails only on a socket that is dead already.
        let Ok(local) = stream.local_addr() else { return };
        let proxied = self.proxies.contains(&peer.ip().to_canonical());
        let mut connection = Connection {
            server: self.clone(),
            peer,
            local,
            https: tls.is_some(),
            way: Way::Door,
            seat,
            next_line: NextLine::default(),
        };
        self.connections.spawn(async move {
            if proxied {
                match timeout(HEAD_TIMEOUT, proxied::read(&mut stream)).await {
                    Ok(Ok(told)) => connection.peer = told.unwrap_or(peer),
                    Ok(Err(error)) => {
                        return tracing::debug!(%peer, %error, "a balancer's connection (http.proxies)");
                    }
                    Err(_) => return tracing::debug!(%peer, "a balancer told nothing (http.proxies)"),
                }
            }
            match tls {
                None => connection.serve(stream).await,
                Some(tls) => match timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection.serve(stream).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "TLS handshake timed out"),
                },
            }
        });
    }
}

impl<R> Connection<R>
where
    R: Service<Request<Body>, Response = Reply, Error = Infallible> + Clone + Send + Sync + 'static,
    R::Future: Send,
{
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (peer, shutdown) = (self.peer, self.server.shutdown.clone());
        let io = TokioIo::new(LineFixer::new(stream, self.next_line.clone()));
        let service = service_fn(move |request| {
            let connection = self.clone();
            async move { Ok::<_, Infallible>(connection.respond(request).await) }
        });
        let mut serving = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(MAX_HEAD)
                .max_headers(MAX_HEADERS)
                .serve_connection(io, service)
                .with_upgrades()
        );
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = shutdown.cancelled() => {
                serving.as_mut().graceful_shutdown();
                timeout(GRACE, serving).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended");
        }
    }

    async fn respond(&self, request: Request<Body>) -> Reply {
        let origin = request.headers().get(ORIGIN).cloned();
        let mut reply = match self.canonical(request) {
            Ok(request) => {
                self.meet(&request).await;
                match self.server.routes.call(request).await {
                    Ok(reply) => reply,
                    Err(never) => match never {},
                }
            }
            Err(reply) => *reply,
        };
        allow(reply.headers_mut(), origin.as_ref(), &self.server.origins);
        if reply.status() != StatusCode::SWITCHING_PROTOCOLS {
            self.next_line.expect();
        }
        reply
    }

    /// A session may have been opened at another node.
    async fn meet(&self, request: &Request<Body>) {
        let Some(nodes) = &self.server.nodes else { return };
        let incoming = request.extensions().get::<Incoming>();
        if let Some(session) = incoming.and_then(|incoming| incoming.params.get(SESSION)) {
            nodes.meet(session).await;
        }
    }

    /// The request with its target normalised, or the reply to one that cannot be.
    fn canonical(&self, mut request: Request<Body>) -> std::result::Result<Request<Body>, Box<Reply>> {
        let raw = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        let incoming = self.incoming(&raw, &request).and_then(|incoming| {
            *request.uri_mut() = uri(&incoming.path)?;
            Ok(incoming)
        });
        match incoming {
            Ok(incoming) => {
                request.extensions_mut().insert(incoming);
                Ok(request)
            }
            Err(error) if normalise::is_call(&raw) => Err(Box::new(reply::failure(&error))),
            Err(error) => Err(Box::new(reply::plain_failure(&error))),
        }
    }

    fn incoming(&self, raw: &str, request: &Request<Body>) -> Result<Incoming> {
        let Target { path, mut params } = normalise::normalise(raw)?;
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        if self.way == Way::Node && !is_passed(&path) {
            return Err(Error::not_found("there is nothing at this address"));
        }
        if self.way == Way::Tunnel {
            self.server.guests.admit(&path, &params)?;
            params.set_session(self.server.guests.session(request.headers(), self.peer.ip())?);
        } else if let Some(session) = header(AUTHORIZATION).and_then(normalise::header_session) {
            params.default_session(session)?;
        }
        let (peer, local, https, seat) = (self.peer, self.local, self.https, self.seat.clone());
        let (host, origin) = (header(HOST).map(str::to_owned), header(ORIGIN).map(str::to_owned));
        let (guest, passed) = (self.way == Way::Tunnel, self.way == Way::Node);
        Ok(Incoming { path, params, peer, local, https, host, origin, guest, passed, seat })
    }
}

/// What stays unencoded in a path that goes to the routes.
pub const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn uri(path: &str) -> Result<Uri> {
    let encoded = utf8_percent_encode(path, PLAIN).to_string();
    encoded.parse().map_err(|_| Error::bad_input("the path cannot be read"))
}

/// The CORS headers (Fetch standard, 3.3), if pages from `origin` may call.
fn allow(headers: &mut HeaderMap, origin: Option<&HeaderValue>, allowed: &[String]) {
    if allowed.is_empty() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let known = |origin: &&HeaderValue| allowed.iter().any(|a| a == "*" || a.as_bytes() == origin.as_bytes());
    let Some(origin) = origin.filter(known) else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "Location"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
