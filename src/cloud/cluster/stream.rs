//! A byte stream to another node, as tokio's `AsyncRead` and `AsyncWrite`.
//!
//! One task per stream ([`run`]) sends what was written, grants, and signs of life; what arrives is put in by
//! the node's one receiving task ([`End::hear`]), which never waits. Both and the stream's owner share one lock,
//! held for copying at most. Memory of a stream: 256 KB that wait to be read (`flow`), 64 KB to be sent.
//!
//! A stream ends in order when both sides have shut down writing; it fails when the peer resets it, messages
//! were lost, or nothing was heard for [`SILENCE`].

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{io, mem};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::flow::{Fault, Flow, Heard};
use super::frame::{Body, Frame, HEAD};

/// A message is at most this large, and so is what waits to be sent.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// After so long without anything else to say, a sign of life is sent.
const ALIVE_EVERY: Duration = Duration::from_millis(1500);

/// A peer that is not heard for so long is taken for dead.
pub(super) const SILENCE: Duration = Duration::from_millis(4500);

/// How long a stream that was dropped goes on sending what was written before.
const LINGER: Duration = Duration::from_secs(5);

/// Why a stream failed.
type Failure = (io::ErrorKind, String);

#[derive(Default)]
struct Inner {
    flow: Flow,
    /// Written by the owner and not yet sent.
    out: BytesMut,
    /// The owner writes no more.
    shut: bool,
    /// That was told to the peer.
    end_sent: bool,
    /// The owner is gone, since when.
    dropped: Option<Instant>,
    failure: Option<Failure>,
    heard: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Inner {
    fn fail(&mut self, kind: io::ErrorKind, text: String) {
        self.failure.get_or_insert((kind, text));
        self.wake();
    }

    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

/// What a stream's owner, its task and the receiving task share.
pub(super) struct End {
    /// The node at the other end.
    peer: String,
    inner: Mutex<Inner>,
    /// There is something for [`run`] to do.
    work: Notify,
}

/// What [`run`] should send now, whether that was all, and when the peer counts as dead.
struct Work {
    messages: Vec<Frame>,
    done: bool,
    until: Instant,
}

impl End {
    pub fn new(peer: &str) -> Arc<Self> {
        let inner = Inner { heard: Some(Instant::now()), ..Inner::default() };
        Arc::new(Self { peer: peer.to_owned(), inner: Mutex::new(inner), work: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a message that came for this stream.
    pub fn hear(&self, message: &Bytes) {
        let inner = &mut *self.lock();
        if inner.failure.is_some() {
            return;
        }
        let node = &self.peer;
        let Some(frame) = Frame::decode(message) else {
            inner.fail(io::ErrorKind::InvalidData, format!("node {node} sent a message of unknown form"));
            return self.work.notify_one();
        };
        inner.heard = Some(Instant::now());
        match inner.flow.take(frame) {
            Ok(Heard::Alive) => return,
            Ok(Heard::Data) if inner.dropped.is_some() => inner.flow.discard(),
            Ok(Heard::Data | Heard::End) => {
                if let Some(reader) = inner.reader.take() {
                    reader.wake();
                }
                if !inner.flow.ended() {
                    return;
                }
            }
            Ok(Heard::Room) => {}
            Ok(Heard::Reset(why)) => {
                inner.fail(io::ErrorKind::ConnectionReset, format!("node {node} ended the stream: {why}"));
            }
            Err(Fault::Lost) => {
                let text = format!("messages of the stream from node {node} were lost");
                inner.fail(io::ErrorKind::ConnectionReset, text);
            }
            Err(Fault::Broken) => {
                let text = format!("node {node} sent a message that it must not send now");
                inner.fail(io::ErrorKind::InvalidData, text);
            }
        }
        self.work.notify_one();
    }

    /// What is to be sent now, in messages with at most `largest` octets of data.
    fn work(&self, largest: usize) -> Work {
        let inner = &mut *self.lock();
        let now = Instant::now();
        let until = inner.heard.unwrap_or(now) + SILENCE;
        if now >= until {
            let text = format!("node {} has been silent for {} s", self.peer, SILENCE.as_secs_f32());
            inner.fail(io::ErrorKind::TimedOut, text);
        }
        let mut messages = Vec::new();
        if let Some((_, text)) = &inner.failure {
            // After a reset from there this is one message too many, to a stream that is no longer known.
            messages.push(inner.flow.frame(Body::Reset(text.clone())));
            return Work { messages, done: true, until };
        }
        if inner.flow.owes_grant() {
            messages.push(inner.flow.grant());
        }
        let count = inner.out.len().min(inner.flow.room()).min(largest);
        // A small rest of a window is not worth a message while more waits.
        if count > 0 && (count == inner.out.len() || count >= largest.min(4096)) {
            // An idle stream keeps no buffer.
            let data = match count == inner.out.len() {
                true => mem::take(&mut inner.out).freeze(),
                false => inner.out.split_to(count).freeze(),
            };
            messages.push(inner.flow.frame(Body::Data(data)));
            if let Some(writer) = inner.writer.take() {
                writer.wake();
            }
        }
        if inner.shut && inner.out.is_empty() && !inner.end_sent {
            inner.end_sent = true;
            messages.push(inner.flow.frame(Body::End));
        }
        let both = inner.end_sent && inner.flow.ended();
        let left = inner.dropped.is_some_and(|since| inner.end_sent || now - since >= LINGER);
        if left && !both {
            messages.push(inner.flow.frame(Body::Reset("it was closed".to_owned())));
        }
        Work { messages, done: both || left, until }
    }

    /// Fails the stream with `text`.
    pub fn fail(&self, kind: io::ErrorKind, text: String) {
        self.lock().fail(kind, text);
        self.work.notify_one();
    }
}

/// Sends for a stream until it has ended or failed. `send` gives a message to the connection and may wait as long
/// as that has no room.
pub(super) async fn run<S, F>(end: Arc<End>, largest: usize, stop: CancellationToken, mut send: S)
where
    S: FnMut(Bytes) -> F,
    F: Future<Output = bool>,
{
    let mut said = Instant::now();
    loop {
        if stop.is_cancelled() {
            end.fail(io::ErrorKind::ConnectionAborted, "this node stops".to_owned());
        }
        let Work { mut messages, done, until } = end.work(largest - HEAD);
        if messages.is_empty() && said.elapsed() >= ALIVE_EVERY {
            messages.push(end.lock().flow.frame(Body::Alive));
        }
        let idle = messages.is_empty();
        for message in messages {
            match timeout(SILENCE, send(message.encode())).await {
                Ok(true) => said = Instant::now(),
                Ok(false) | Err(_) => {
                    let text = format!("no connection to NATS for the stream to node {}", end.peer);
                    return end.fail(io::ErrorKind::NotConnected, text);
                }
            }
        }
        if done {
            return;
        }
        if idle {
            tokio::select! {
                () = end.work.notified() => {}
                () = sleep_until(until.min(said + ALIVE_EVERY)) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// A stream to another node. What was written is sent at once, in messages that grow with the load.
///
/// Reading gives the end of the stream after the peer's orderly end, and an error if the peer, its node or the
/// connection went away. Dropping it ends both directions after what was written.
pub struct NodeStream {
    end: Arc<End>,
}

impl NodeStream {
    pub(super) fn new(end: Arc<End>) -> Self {
        Self { end }
    }

    /// The node at the other end.
    pub fn peer(&self) -> &str {
        &self.end.peer
    }
}

impl std::fmt::Debug for NodeStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeStream to {}", self.end.peer)
    }
}

impl AsyncRead for NodeStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.end.lock();
        let count = inner.flow.read(to.initialize_unfilled());
        to.advance(count);
        if count > 0 || to.remaining() == 0 {
            if inner.flow.owes_grant() {
                self.end.work.notify_one();
            }
            return Poll::Ready(Ok(()));
        }
        if inner.flow.ended() {
            return Poll::Ready(Ok(()));
        }
        if let Some((kind, text)) = &inner.failure {
            return Poll::Ready(Err(io::Error::new(*kind, text.clone())));
        }
        inner.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for NodeStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let inner = &mut *self.end.lock();
        if let Some((kind, text)) = &inner.failure {
            return Poll::Ready(Err(io::Error::new(*kind, text.clone())));
        }
        if inner.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = data.len().min(MAX_MESSAGE - inner.out.len());
        if count == 0 && !data.is_empty() {
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        inner.out.extend_from_slice(&data[..count]);
        self.end.work.notify_one();
        Poll::Ready(Ok(count))
    }

    /// What was written is on its way already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.lock().shut = true;
        self.end.work.notify_one();
        Poll::Ready(Ok(()))
    }
}

impl Drop for NodeStream {
    fn drop(&mut self) {
        let inner = &mut *self.end.lock();
        inner.shut = true;
        inner.dropped = Some(Instant::now());
        inner.flow.discard();
        self.end.work.notify_one();
    }
}
