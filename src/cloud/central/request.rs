//! HTTP to an edge's own routes, each request on a stream of its own.
//!
//! One task per request, which drives its connection and ends with it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Central;
use crate::base::{Error, Result};

/// Who asks, for the edge's audit list.
pub const USER: HeaderName = HeaderName::from_static("h5edge-user");
/// At most as what: `Viewer`, `Operator` or `Administrator`. The edge narrows it to what it grants.
pub const ROLE: HeaderName = HeaderName::from_static("h5edge-role");
/// For which of the edge's own tokens, with commas between; `*`: all.
pub const SIGHT: HeaderName = HeaderName::from_static("h5edge-sight");

/// In whose name the central asks.
#[derive(Clone, Debug)]
pub struct Asker {
    pub user: String,
    pub role: &'static str,
    /// The edge's own tokens; `None`: all.
    pub sight: Option<Vec<String>>,
}

impl Asker {
    /// The central itself, which looks at what there is.
    pub fn central() -> Self {
        Self { user: "central".to_owned(), role: "Viewer", sight: None }
    }
}

impl Central {
    /// Sends `request`, whose target is a path of the edge's, and gives its answer. A request for an upgrade can be
    /// upgraded after that.
    ///
    /// # Errors
    /// `NotFound`; `Timeout` when the site is away or breaks off.
    pub async fn send(
        &self,
        site: &str,
        asker: &Asker,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        self.send_by(&http1::Builder::new(), site, asker, request).await
    }

    /// The same over a connection that is set up so.
    pub(super) async fn send_by(
        &self,
        http: &http1::Builder,
        site: &str,
        asker: &Asker,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        let stream = self.open_stream(site).await?;
        asker.sign(request.headers_mut())?;
        send(http, stream, request).await.map_err(|error| error.context(format!("site {site}")))
    }
}

impl Asker {
    fn sign(&self, headers: &mut hyper::HeaderMap) -> Result<()> {
        let unfit = |_| Error::bad_input("the user's name cannot be told to the site");
        // Names may hold anything; headers only ASCII.
        let user: String = self.user.chars().flat_map(char::escape_default).collect();
        let sight = self.sight.as_ref().map_or_else(|| "*".to_owned(), |tokens| tokens.join(","));
        headers.insert(USER, HeaderValue::try_from(user).map_err(unfit)?);
        headers.insert(ROLE, HeaderValue::from_static(self.role));
        headers.insert(SIGHT, HeaderValue::try_from(sight).map_err(unfit)?);
        Ok(())
    }
}

/// Sends a request on a stream of its own.
pub(super) async fn send(
    http: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>> {
    let broken = |error: hyper::Error| Error::timeout(format!("the request broke off: {error}"));
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a request to a site broke off");
        }
    });
    request.headers_mut().insert(HOST, HeaderValue::from_static("h5edge"));
    sender.send_request(request).await.map_err(broken)
}
