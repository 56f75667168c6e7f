//! The bytes of the binary messages of a WebSocket, as yamux reads and writes them: what yamux writes before it
//! flushes goes into one message. Memory: a message in each direction.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{AsyncRead, AsyncWrite, SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PIECE;

/// What the driver of a tunnel and its [`Wire`], which is inside yamux, tell each other.
#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    /// When something came last, in milliseconds after `start`.
    heard: AtomicU64,
    /// A ping is due.
    ping: AtomicBool,
}

impl Pulse {
    pub fn new() -> Self {
        Self { start: Instant::now(), heard: AtomicU64::new(0), ping: AtomicBool::new(false) }
    }

    /// When something came last.
    pub fn heard(&self) -> Instant {
        self.start + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    /// Has a ping sent as soon as there is room. The driver polls yamux after that.
    pub fn order_ping(&self) {
        self.ping.store(true, Ordering::Relaxed);
    }

    fn hear(&self) {
        self.heard.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

pub struct Wire<T> {
    socket: WebSocketStream<T>,
    read: Bytes,
    /// The next message.
    write: BytesMut,
    pulse: Arc<Pulse>,
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Wire<T> {
    pub fn new(socket: WebSocketStream<T>, pulse: Arc<Pulse>) -> Self {
        Self { socket, read: Bytes::new(), write: BytesMut::new(), pulse }
    }

    /// Gives the socket what was written.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.write.is_empty() {
            ready!(self.socket.poll_ready_unpin(cx)).map_err(broken)?;
            // Nothing of it stays: an idle tunnel has no buffer.
            let message = Message::Binary(std::mem::take(&mut self.write).freeze());
            self.socket.start_send_unpin(message).map_err(broken)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.read.is_empty() {
            match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(message)) => {
                    self.pulse.hear();
                    match message {
                        Message::Binary(bytes) => self.read = bytes,
                        Message::Close(_) => return Poll::Ready(Ok(0)),
                        Message::Text(_) => return Poll::Ready(Err(ErrorKind::InvalidData.into())),
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Ok(0)),
            }
        }
        let taken = self.read.len().min(buffer.len());
        self.read.copy_to_slice(&mut buffer[..taken]);
        Poll::Ready(Ok(taken))
    }
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.write.len() >= PIECE {
            ready!(self.poll_send(cx))?;
        }
        let taken = bytes.len().min(PIECE - self.write.len());
        self.write.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    /// yamux flushes whenever it is polled and has nothing half written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        if self.pulse.ping.load(Ordering::Relaxed) {
            ready!(self.socket.poll_ready_unpin(cx)).map_err(broken)?;
            self.socket.start_send_unpin(Message::Ping(Bytes::new())).map_err(broken)?;
            self.pulse.ping.store(false, Ordering::Relaxed);
        }
        self.socket.poll_flush_unpin(cx).map_err(broken)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_close_unpin(cx).map_err(broken)
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
