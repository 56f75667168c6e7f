//! One HTTP/1.1 connection to a camera, kept warm between calls and opened anew when the camera has
//! closed it. Cameras have few connections to give, so there is never a second one.
//!
//! Runs on the caller's task plus one small task per connection that feeds hyper; that one ends with
//! the connection. Memory: one answer of at most [`MAX_BYTES`], and hyper's buffer of [`BUFFER`]. Time is
//! bounded by the caller, save for connecting ([`CONNECT`]).

mod tls;

use std::net::Ipv6Addr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::xml::MAX_BYTES;
use super::{Failure, Why};
use crate::base::spec::{OnvifSpec, Trust};

/// How long connecting may take, the TLS handshake included.
pub const CONNECT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is not trusted any more: routers and cameras that restarted
/// forget it without a word, and the next call would wait for nothing.
const MAX_IDLE: Duration = Duration::from_secs(30);
/// Most that hyper buffers while it reads an answer's head.
const BUFFER: usize = 64 << 10;

/// What is sent. `path` holds the query as well.
#[derive(Debug)]
pub struct Post<'a> {
    pub port: u16,
    pub path: &'a str,
    pub content_type: &'a str,
    pub authorization: Option<&'a str>,
    pub body: Bytes,
}

/// What came back, of whatever status.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// At most [`MAX_BYTES`].
    pub body: Bytes,
}

/// The way to one camera. Dropping a call midway closes the connection, as what is still under way on it
/// would be taken for the next answer.
#[derive(Debug)]
pub struct Http {
    host: String,
    trust: Trust,
    /// The certificate that was seen first, for [`Trust::FirstUse`].
    pin: Arc<OnceLock<String>>,
    warm: Option<Warm>,
}

#[derive(Debug)]
struct Warm {
    port: u16,
    used: Instant,
    sender: SendRequest<Full<Bytes>>,
    _feeds: AbortOnDropHandle<()>,
}

/// Why an exchange on a connection came to nothing.
enum Broken {
    /// The connection ended before an answer came. On a warm one that is no news.
    Unanswered(Failure),
    Failed(Failure),
}

impl Http {
    /// Nothing is sent yet. `pin` is filled at the first connection where `at` trusts on first use.
    pub fn new(at: &OnvifSpec, pin: Arc<OnceLock<String>>) -> Self {
        Self { host: at.host.clone(), trust: at.trust.clone(), pin, warm: None }
    }

    /// Sends a request and reads the answer. Redirects are not followed: they would carry credentials
    /// elsewhere. A request goes out a second time only if the camera had closed the warm connection.
    ///
    /// # Errors
    /// `Unreachable`, `Tls`, or `NotOnvif` for what is no HTTP, too long, or sent elsewhere.
    pub async fn post(&mut self, post: &Post<'_>) -> Result<Answer, Failure> {
        let place = place(&self.host, post.port);
        if let Some(warm) = self.take_warm(post.port).await {
            match self.exchange(warm, post, &place).await {
                Err(Broken::Unanswered(_)) => {}
                Err(Broken::Failed(failure)) => return Err(failure),
                Ok(answer) => return Ok(answer),
            }
        }
        let fresh = self.connect(post.port, &place).await?;
        match self.exchange(fresh, post, &place).await {
            Err(Broken::Unanswered(failure) | Broken::Failed(failure)) => Err(failure),
            Ok(answer) => Ok(answer),
        }
    }

    async fn take_warm(&mut self, port: u16) -> Option<Warm> {
        let mut warm = self.warm.take()?;
        let fit = warm.port == port && warm.used.elapsed() < MAX_IDLE && warm.sender.ready().await.is_ok();
        fit.then_some(warm)
    }

    async fn exchange(&mut self, mut warm: Warm, post: &Post<'_>, place: &str) -> Result<Answer, Broken> {
        let request = self.request(post, place).map_err(Broken::Failed)?;
        let response =
            warm.sender.send_request(request).await.map_err(|error| self.unanswered(&error, place))?;
        let (head, body) = response.into_parts();
        let body = read(body, place).await.map_err(Broken::Failed)?;
        redirected(head.status, &head.headers, place, self.trust == Trust::Plain).map_err(Broken::Failed)?;
        warm.used = Instant::now();
        self.warm = Some(warm);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn unanswered(&self, error: &hyper::Error, place: &str) -> Broken {
        if !error.is_parse() {
            return Broken::Unanswered(broke_off(place));
        }
        let hint = if self.trust == Trust::Plain { "; perhaps it speaks HTTPS: https=true" } else { "" };
        Broken::Failed(Failure::new(Why::NotOnvif, format!("{place} does not speak HTTP: {error}{hint}")))
    }

    fn request(&self, post: &Post<'_>, place: &str) -> Result<Request<Full<Bytes>>, Failure> {
        let bad = |what: &str| Failure::new(Why::NotOnvif, format!("{place}: the {what} cannot be sent"));
        let header =
            |value: &str, what: &str| HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad(what));
        let path: Uri = post.path.parse().map_err(|_| bad("path"))?;
        let mut request = Request::post(path).body(Full::new(post.body.clone())).map_err(|_| bad("path"))?;
        let headers = request.headers_mut();
        headers.insert(HOST, header(place, "host name")?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("h5edge/", env!("CARGO_PKG_VERSION"))));
        headers.insert(CONTENT_TYPE, header(post.content_type, "content type")?);
        if let Some(authorization) = post.authorization {
            let mut value = header(authorization, "user name")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn connect(&self, port: u16, place: &str) -> Result<Warm, Failure> {
        let late = || Failure::new(Why::Unreachable, format!("cannot connect to {place}: no answer"));
        timeout(CONNECT, self.connect_unhurried(port, place)).await.map_err(|_| late())?
    }

    async fn connect_unhurried(&self, port: u16, place: &str) -> Result<Warm, Failure> {
        let refused = |error| Failure::new(Why::Unreachable, format!("cannot connect to {place}: {error}"));
        let socket = TcpStream::connect((self.host.as_str(), port)).await.map_err(refused)?;
        socket.set_nodelay(true).map_err(refused)?;
        match self.trust {
            Trust::Plain => shake_hands(socket, port, place).await,
            _ => {
                let secured = tls::secure(socket, &self.host, &self.trust, &self.pin, place).await?;
                shake_hands(secured, port, place).await
            }
        }
    }
}

/// Host and port as they are written in a URL.
pub fn place(host: &str, port: u16) -> String {
    if is_ipv6(host) { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Whether this is an IPv6 address, perhaps with a zone (`fe80::1%eth0`).
fn is_ipv6(host: &str) -> bool {
    without_zone(host).parse::<Ipv6Addr>().is_ok()
}

/// An address without the zone, which means something on this machine only.
fn without_zone(host: &str) -> &str {
    host.split_once('%').map_or(host, |(address, _)| address)
}

async fn shake_hands<S>(socket: S, port: u16, place: &str) -> Result<Warm, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new()
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .title_case_headers(true)
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(socket))
        .await
        .map_err(|error| Failure::new(Why::Unreachable, format!("{place}: {error}")))?;
    // How the connection ends is told to whoever waits for an answer on it.
    let feeds = tokio::spawn(async move { drop(connection.await) });
    Ok(Warm { port, used: Instant::now(), sender, _feeds: AbortOnDropHandle::new(feeds) })
}

async fn read(mut body: Incoming, place: &str) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broke_off(place))?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > MAX_BYTES {
            let text = format!("{place} answers with more than {MAX_BYTES} bytes");
            return Err(Failure::new(Why::NotOnvif, text));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn broke_off(place: &str) -> Failure {
    Failure::new(Why::Unreachable, format!("{place} closed the connection before it had answered"))
}

fn redirected(status: StatusCode, headers: &HeaderMap, place: &str, plain: bool) -> Result<(), Failure> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(());
    }
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if plain && target.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
        let text = format!("{place} wants to be spoken to by HTTPS: set https=true and its HTTPS port");
        return Err(Failure::new(Why::Tls, text));
    }
    let text = format!("{place} redirects to another address, which is not followed: name that address");
    Err(Failure::new(Why::NotOnvif, text))
}
