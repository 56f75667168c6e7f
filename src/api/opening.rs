//! A WebSocket that a client asks for, before anybody has taken it: as messages ([`Opening::messages`],
//! for conversations) or as a [`Socket`] for live media ([`Opening::media`]). Either runs in its own
//! task, which ends with the daemon or its user's right at the latest and holds the connection's seat until then.

use std::sync::Arc;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use warp::http::StatusCode;
use warp::http::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use warp::ws::{WebSocket, Ws};
use warp::{Filter, Rejection};

use super::reply::{self, Reply};
use super::request::Ask;
use crate::base::{Error, Result};
use crate::cloud::tunnel::socket_config;
use crate::play::socket::{Socket, accept_key};

/// A connection's place among the allowed ones.
pub type Seat = Arc<OwnedSemaphorePermit>;

/// The client's side of the handshake, which is right as far as it goes.
pub struct Opening {
    ws: Ws,
    raw: Option<OnUpgrade>,
    key: String,
}

/// Matches requests for a WebSocket.
pub fn opening() -> impl Filter<Extract = (Opening,), Error = Rejection> + Clone {
    // A copy: `warp::ws()` takes it away.
    warp::ext::optional::<OnUpgrade>()
        .and(warp::header("sec-websocket-key"))
        .and(warp::ws())
        .map(|raw, key, ws| Opening { ws, raw, key })
}

impl Opening {
    /// Opens it for `serve`, in messages of at most `max_message` bytes.
    pub fn messages<F, S>(self, ask: &Ask, max_message: usize, serve: S) -> Reply
    where
        S: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let (seat, over) = (ask.incoming.seat.clone(), over(ask));
        let upgraded = self.ws.max_message_size(max_message).on_upgrade(async move |socket| {
            tokio::select! {
                () = serve(socket) => {}
                () = over => {}
            }
            drop(seat);
        });
        warp::Reply::into_response(upgraded)
    }

    /// Opens it for `serve`, which sends media.
    ///
    /// # Errors
    /// `BadInput` where the connection cannot be upgraded.
    pub fn media<F, S>(self, ask: &Ask, serve: S) -> Result<Reply>
    where
        S: FnOnce(Socket<TokioIo<Upgraded>>) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        self.raw(ask, async move |upgraded, seat| {
            serve(Socket::new(upgraded)).await;
            drop(seat);
        })
    }

    /// Opens it for `serve`, which makes a tunnel of it, and lets go of the seat when it has another bound.
    ///
    /// # Errors
    /// `BadInput` where the connection cannot be upgraded.
    pub fn tunnel<F, S>(self, ask: &Ask, serve: S) -> Result<Reply>
    where
        S: FnOnce(WebSocketStream<TokioIo<Upgraded>>, Seat) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        self.raw(ask, async move |upgraded, seat| {
            let config = Some(socket_config());
            serve(WebSocketStream::from_raw_socket(upgraded, Role::Server, config).await, seat).await;
        })
    }

    /// The client's key of the handshake.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Opens it for `serve`, which gets its bytes.
    ///
    /// # Errors
    /// `BadInput` where the connection cannot be upgraded.
    pub fn raw<F, S>(self, ask: &Ask, serve: S) -> Result<Reply>
    where
        S: FnOnce(TokioIo<Upgraded>, Seat) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let upgrade = self.raw.ok_or_else(|| Error::bad_input("the connection cannot become a WebSocket"))?;
        let accept = HeaderValue::try_from(accept_key(&self.key))
            .map_err(|_| Error::internal("the handshake's answer is no header"))?;
        let (seat, over) = (ask.incoming.seat.clone(), over(ask));
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => tokio::select! {
                    () = serve(TokioIo::new(upgraded), seat) => {}
                    () = over => {}
                },
                Err(error) => tracing::debug!(%error, "a WebSocket did not open"),
            }
        });
        let mut reply = reply::empty(StatusCode::SWITCHING_PROTOCOLS);
        let headers = reply.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        Ok(reply)
    }
}

/// Returns when the socket of `ask` has to end, whatever it is doing: with the daemon, or when its user loses the
/// right to it.
fn over(ask: &Ask) -> impl Future<Output = ()> + Send + use<> {
    let (shutdown, grant) = (ask.ctx.shutdown.clone(), ask.grant());
    let lost = async move {
        match grant {
            Some(grant) => grant.lost().await,
            None => std::future::pending().await,
        }
    };
    async move {
        tokio::select! {
            () = lost => {}
            () = shutdown.cancelled() => {}
        }
    }
}
