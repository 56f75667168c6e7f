//! A WebSocket that tells a page what happens, as JSON texts, for as long as the page says now and then that it is
//! there.
//!
//! Runs in the socket's task ([`super::opening`]). Bound: one message that is being sent.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};
use warp::ws::{Message, WebSocket};

/// Browsers slow the timers of hidden pages down to one per minute.
const SILENCE: Duration = Duration::from_secs(120);
/// How long a page may take to accept one message.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest message of a page: its keepalives are short.
pub const MAX_MESSAGE: usize = 4096;

/// What a socket tells.
pub trait Teller: Send {
    /// The next message; `None` ends the conversation. It is given up and asked for again at any time, and must not
    /// lose a message then.
    fn next(&mut self) -> impl Future<Output = Option<Message>> + Send;

    /// The page is there still; `false` ends the conversation.
    fn heard(&mut self) -> bool {
        true
    }
}

/// Tells what there is to tell, until the page goes, is silent for too long or accepts nothing.
pub async fn hold(mut socket: WebSocket, mut teller: impl Teller) {
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            next = teller.next() => match next {
                Some(message) => message,
                None => break,
            },
            said = timeout_at(heard + SILENCE, socket.next()) => match said {
                Ok(Some(Ok(message))) if !message.is_close() && teller.heard() => {
                    heard = Instant::now();
                    continue;
                }
                _ => break,
            },
        };
        if !matches!(timeout(PATIENCE, socket.send(message)).await, Ok(Ok(()))) {
            break;
        }
    }
    // The page may be gone already.
    let _ = timeout(PATIENCE, socket.close()).await;
}
