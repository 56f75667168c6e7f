//! The h5srtcapi conversation (docs/protocol.md 2): the client says `open`, we offer, it answers, both
//! trickle candidates, it keeps alive. One task per viewer, the one that serves its WebSocket, and that
//! plays its recording if it wants one; memory: one message of at most [`MAX_MESSAGE`] bytes, and
//! [`MAX_ORDERS`] orders that came before there was anything to play.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use str0m::Candidate;
use tokio::sync::oneshot;
use uuid::Uuid;
use warp::ws::{Message, WebSocket};

use super::engine::Command;
use super::negotiate::{MAX_SDP, Offered};
use super::session::Start;
use super::{Prepared, Rtc};
use crate::base::config::IceServer;
use crate::base::error::Kind;
use crate::base::{Error, Result};
use crate::play::playback::Player;

/// Largest message that is read: an SDP in JSON.
pub const MAX_MESSAGE: usize = MAX_SDP + 4096;
/// Browsers slow the keepalive timer of hidden pages down to one per minute.
const SILENCE: Duration = Duration::from_secs(120);

/// A client that does not answer our offer by then gives up its place.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Orders kept until playback can obey them, and their longest text.
const MAX_ORDERS: usize = 16;
const MAX_ORDER: usize = 2048;

/// What a client's message means to us.
#[derive(Debug, PartialEq)]
enum Said {
    Open,
    Answer(String),
    Candidate(String),
    /// Perhaps an order for playback.
    Command,
    /// Keepalives, and what later clients may say.
    Other,
}

impl Said {
    fn parse(text: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Self::Other };
        let field = |name: &str| value.get(name).and_then(Value::as_str);
        // Old clients send candidates without a type.
        if let Some(candidate) = field("candidate") {
            return Self::Candidate(candidate.to_owned());
        }
        match (field("type"), field("sdp")) {
            (Some("open"), _) => Self::Open,
            (Some("answer"), Some(sdp)) => Self::Answer(sdp.to_owned()),
            _ if field("cmd").is_some() => Self::Command,
            _ => Self::Other,
        }
    }
}

/// The socket and how far the conversation got.
struct Signal {
    rtc: Rtc,
    socket: WebSocket,
    id: Uuid,
    /// Texts that may be orders for playback.
    orders: VecDeque<String>,
}

/// A recording on its way to a viewer.
struct Playing {
    player: Player,
    /// Yields when the viewer is connected.
    connected: Option<oneshot::Receiver<()>>,
}

impl Playing {
    /// Plays, from when the viewer can see it, until something is to be said. Cancel-safe.
    ///
    /// # Errors
    /// As for [`Player::next`].
    async fn next(playing: &mut Option<Self>) -> Result<Value> {
        let Some(Self { player, connected }) = playing else { return std::future::pending().await };
        if let Some(waits) = connected {
            // A session that ends before it connects says so by itself.
            if waits.await.is_err() {
                return std::future::pending().await;
            }
            *connected = None;
        }
        player.next().await
    }
}

/// Serves one viewer until its socket, its connection or its source ends.
pub async fn serve(
    rtc: Rtc,
    socket: WebSocket,
    prepare: impl Future<Output = Result<(Prepared, Option<Player>)>>,
) {
    let mut signal = Signal { rtc, socket, id: Uuid::new_v4(), orders: VecDeque::new() };
    if let Err(error) = signal.converse(prepare).await {
        tracing::debug!(session = %signal.id, %error, "WebRTC signalling ended");
        let fall_back = error.kind() == Kind::Unsupported;
        let text = json!({"type": "error", "strCode": error.to_string(), "bFallback": fall_back});
        // The client may be the one that left.
        let _ = signal.say(&text).await;
    }
    let _ = signal.socket.close().await;
}

/// Ends the session with the conversation, also where whoever runs that drops it: at the stop, or when the viewer
/// lost the right to look.
struct Ending {
    rtc: Rtc,
    id: Uuid,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (rtc, id) = (self.rtc.clone(), self.id);
        tokio::spawn(async move { rtc.close(id).await });
    }
}

impl Signal {
    /// Until the client leaves (`Ok`) or something fails.
    async fn converse(
        &mut self,
        prepare: impl Future<Output = Result<(Prepared, Option<Player>)>>,
    ) -> Result<()> {
        loop {
            match self.hear().await? {
                Some(Said::Open) => break,
                Some(_) => {}
                None => return Ok(()),
            }
        }
        let (prepared, player) = prepare.await?;
        if !self.rtc.settings().ice_servers.is_empty() {
            let servers: Vec<Value> = self.rtc.settings().ice_servers.iter().map(ice_server).collect();
            let text = json!({"type": "iceserver", "iceServers": servers, "iceTransportPolicy": "all"});
            self.say(&text).await?;
        }
        let candidates = self.rtc.candidates(prepared.peer)?;
        let offered = self.rtc.negotiator().offer(
            &prepared.viewing.stream.token,
            &prepared.params.video,
            candidates,
        )?;
        self.say(&json!({"type": "offer", "sdp": offered.sdp})).await?;
        let (ended, end) = oneshot::channel();
        let (tell, connected) = oneshot::channel();
        let tell = player.as_ref().map(|_| tell);
        let mut playing = player.map(|player| Playing { player, connected: Some(connected) });
        let _ending = Ending { rtc: self.rtc.clone(), id: self.id };
        let answered = tokio::time::timeout(ANSWER_TIME, self.answer(offered, prepared, ended, tell)).await;
        let answered = answered.map_err(|_| Error::timeout("no answer to the offer in 30 s"))?;
        let Some(early) = answered? else { return Ok(()) };
        self.trickle(early).await?;
        self.watch(end, &mut playing).await
    }

    /// Waits for the answer and opens the session; gives back candidates that came before it.
    async fn answer(
        &mut self,
        offered: Offered,
        prepared: Prepared,
        ended: oneshot::Sender<Error>,
        connected: Option<oneshot::Sender<()>>,
    ) -> Result<Option<Vec<Candidate>>> {
        let mut early = Vec::new();
        let answer = loop {
            match self.hear().await? {
                Some(Said::Answer(sdp)) => break sdp,
                Some(Said::Candidate(text)) if early.len() < 16 => {
                    early.extend(Candidate::from_sdp_string(&text));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        };
        let Prepared { viewing, params, cursor, permit, .. } = prepared;
        let negotiated = offered.accept(&answer, &params.video)?;
        let start = Start { negotiated, viewing, params, cursor, permit, ended, connected };
        self.rtc.send(Command::Open { id: self.id, start: Box::new(start) }).await?;
        Ok(Some(early))
    }

    /// Passes candidates on. The ones that do not parse are mDNS names; those viewers are found by
    /// their own checks.
    async fn trickle(&mut self, candidates: Vec<Candidate>) -> Result<()> {
        if candidates.is_empty() {
            return Ok(());
        }
        let (known, _) = oneshot::channel();
        self.rtc.send(Command::Candidates { id: self.id, candidates, known }).await
    }

    async fn watch(
        &mut self,
        mut end: oneshot::Receiver<Error>,
        playing: &mut Option<Playing>,
    ) -> Result<()> {
        loop {
            while let Some(order) = self.orders.pop_front() {
                if let Some(fault) = playing.as_mut().and_then(|playing| playing.player.obey(&order)) {
                    self.say(&fault).await?;
                }
            }
            let said = tokio::select! {
                said = self.hear() => said?,
                text = Playing::next(playing) => {
                    self.say(&text?).await?;
                    continue;
                }
                why = &mut end => {
                    return Err(why.unwrap_or_else(|_| Error::internal("WebRTC has stopped")));
                }
            };
            match said {
                Some(Said::Candidate(text)) => {
                    self.trickle(Candidate::from_sdp_string(&text).into_iter().collect()).await?;
                }
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    /// The next message; `None` when the client has left. Cancel-safe.
    async fn hear(&mut self) -> Result<Option<Said>> {
        let next = tokio::time::timeout(SILENCE, self.socket.next()).await;
        let message = match next {
            Err(_) => return Err(Error::timeout("no message for 120 s")),
            Ok(None | Some(Err(_))) => return Ok(None),
            Ok(Some(Ok(message))) => message,
        };
        if message.is_close() {
            return Ok(None);
        }
        match message.to_str() {
            Ok(text) if text.len() > MAX_MESSAGE => {
                Err(Error::bad_input(format!("message: longer than {MAX_MESSAGE} bytes")))
            }
            Ok(text) => {
                let said = Said::parse(text);
                if said == Said::Command && text.len() <= MAX_ORDER && self.orders.len() < MAX_ORDERS {
                    self.orders.push_back(text.to_owned());
                }
                Ok(Some(said))
            }
            Err(()) => Ok(Some(Said::Other)),
        }
    }

    async fn say(&mut self, value: &Value) -> Result<()> {
        let sent = self.socket.send(Message::text(value.to_string()));
        match tokio::time::timeout(SILENCE, sent).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Error::timeout("the client takes no messages")),
        }
    }
}

/// As the browser's `RTCIceServer` has it.
fn ice_server(server: &IceServer) -> Value {
    if server.username.is_empty() {
        return json!({"urls": server.urls});
    }
    // The browser is who must log in with it.
    json!({"urls": server.urls, "username": server.username, "credential": server.credential.expose()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_client_generations_are_understood() {
        let candidate = "candidate:1 1 udp 1 10.0.0.1 5 typ host";
        let with_type = json!({"type": "remoteice", "candidate": candidate, "sdpMLineIndex": 0});
        let without = json!({"candidate": candidate, "sdpMid": "0", "sdpMLineIndex": 0});
        assert_eq!(Said::parse(&with_type.to_string()), Said::Candidate(candidate.into()));
        assert_eq!(Said::parse(&without.to_string()), Said::Candidate(candidate.into()));
        assert_eq!(Said::parse(r#"{"type":"open"}"#), Said::Open);
        assert_eq!(Said::parse(r#"{"sdp":"v=0","type":"answer"}"#), Said::Answer("v=0".into()));
        assert_eq!(Said::parse(r#"{"cmd":"H5_START"}"#), Said::Command);
        for other in [r#"{"type":"keepalive"}"#, "keepalive", "[]"] {
            assert_eq!(Said::parse(other), Said::Other);
        }
    }
}
