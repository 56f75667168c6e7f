//! Playback of a site's recordings on a socket: the edge serves it, and the central hands messages to and fro.
//!
//! Runs in the socket's task. Memory: one message, mostly a frame, of at most [`MAX_MESSAGE`] bytes.

use std::io::Cursor;
use std::time::Duration;

use bytes::BytesMut;
use hyper::Request;
use hyper::StatusCode;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

use super::answer::refusal;
use super::{PATIENCE, There};
use crate::api::opening::Opening;
use crate::api::reply::Reply;
use crate::api::request::Ask;
use crate::base::{Error, Result};
use crate::cloud::live::record::MAX;
use crate::play::playback;
use crate::play::socket::Socket;

/// Longest message: a frame as large as a live one may be, and its fragment's head.
const MAX_MESSAGE: u64 = MAX as u64 + (64 << 10);
/// Room for what is read at once.
const PIECE: usize = 8 << 10;
/// How long the last bytes may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// `h5swsapi` with `playback=true`. What goes wrong is told on the socket, as it is here.
///
/// # Errors
/// `BadInput` where the connection cannot be upgraded.
pub fn playback(ask: &Ask, opening: Opening, there: There) -> Result<Reply> {
    let (key, query) = (opening.key().to_owned(), there.query(&ask.incoming.params));
    let recorder = ask.ctx.recorder.clone();
    opening.raw(ask, async move |near, seat| {
        let opened = async { there.open(&query?, &key).await };
        match timeout(PATIENCE, opened).await.unwrap_or_else(|_| Err(there.late())) {
            Ok(far) => {
                if let Some(near) = relay(near, far).await {
                    let error = there.broke_off().await;
                    playback::serve(Socket::new(near), recorder, Err(error)).await;
                }
            }
            Err(error) => playback::serve(Socket::new(near), recorder, Err(error)).await,
        }
        drop(seat);
    })
}

impl There {
    /// The edge's socket, opened with the client's own key, so that it is the client's.
    async fn open(&self, query: &str, key: &str) -> Result<TokioIo<Upgraded>> {
        let request = Request::get(format!("/api/v1/h5swsapi?{query}"))
            .header(CONNECTION, "upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, key);
        let answer = self.send(request, String::new()).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(self, answer).await);
        }
        let broken = |error| Error::timeout(format!("site {}: {error}", self.site));
        hyper::upgrade::on(answer).await.map(TokioIo::new).map_err(broken)
    }
}

/// Until one of them ends. Gives the client's end back where the site broke off without a goodbye.
async fn relay(near: TokioIo<Upgraded>, far: TokioIo<Upgraded>) -> Option<TokioIo<Upgraded>> {
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (split(near), split(far));
    tokio::select! {
        over = hand_on(&mut from_far, &mut to_near) => {
            if !over {
                return Some(from_near.unsplit(to_near));
            }
            // The client may be gone already.
            let _ = timeout(FAREWELL, to_near.shutdown()).await;
        }
        _ = copy(&mut from_near, &mut to_far) => {
            let _ = timeout(FAREWELL, to_far.shutdown()).await;
        }
    }
    None
}

/// Hands whole messages on, so that a word of ours can follow wherever the site breaks off. Whether the end is as it
/// should be: the site said goodbye, or the client is gone.
async fn hand_on(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> bool {
    let mut bytes = BytesMut::new();
    loop {
        let mut cursor = Cursor::new(&bytes[..]);
        let Ok(header) = FrameHeader::parse(&mut cursor) else { return false };
        let whole = header.map(|(header, length)| (header.opcode, cursor.position().saturating_add(length)));
        match whole {
            Some((_, length)) if length > MAX_MESSAGE => return false,
            Some((opcode, length)) if bytes.len() as u64 >= length => {
                let message = bytes.split_to(length as usize);
                if to.write_all(&message).await.is_err() || to.flush().await.is_err() {
                    return true;
                }
                if opcode == OpCode::Control(Control::Close) {
                    return true;
                }
            }
            _ => {
                bytes.reserve(PIECE);
                if from.read_buf(&mut bytes).await.unwrap_or_default() == 0 {
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_whole_messages_are_handed_on() {
        let mut to = Vec::new();
        let mut from = &[0x82, 3, 1, 2, 3, 0x81, 2, b'a', b'b', 0x82, 5, 1][..];
        assert!(!hand_on(&mut from, &mut to).await);
        assert_eq!(to, [0x82, 3, 1, 2, 3, 0x81, 2, b'a', b'b']);
        let mut goodbye = &[0x88, 2, 3, 0xE8, 0x82][..];
        assert!(hand_on(&mut goodbye, &mut to).await);
        assert_eq!(to[9..], [0x88, 2, 3, 0xE8]);
        let mut huge = &[0x82, 127, 0, 0, 0, 0, 0xFF, 0, 0, 0, 1][..];
        assert!(!hand_on(&mut huge, &mut to).await);
    }
}
