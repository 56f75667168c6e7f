//! WebSocket viewers that do as little as possible: the upgrade as bytes, the frames' heads, and the
//! stamps of a few.

use std::io;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Shared, Target};
use crate::support::stamp::find_stamp;

/// Between two connects: prime to the 40 ms between frames, so that all phases are met.
const PAUSE: Duration = Duration::from_millis(23);
/// What a viewer takes out of its socket at once.
const READ: usize = 64 << 10;

/// Watches until it is dropped.
pub async fn watch(target: Target, sampled: bool, shared: Shared) {
    let begun = Instant::now();
    let Ok(mut socket) = Socket::open(&target).await else { return };
    if socket.until_media().await.is_err() {
        return;
    }
    shared.first(begun);
    // Ends with the connection; the count of viewers tells.
    let _ = if sampled { look(&mut socket, &shared).await } else { socket.discard().await };
    shared.lost();
}

async fn look(socket: &mut Socket, shared: &Shared) -> io::Result<()> {
    loop {
        let message = socket.next().await?;
        if let Some(stamp) = find_stamp(&message) {
            shared.frame(stamp);
        }
    }
}

/// Connects `count` times.
pub async fn connects(target: Target, count: usize, shared: Shared) {
    for _ in 0..count {
        let begun = Instant::now();
        let mut socket = Socket::open(&target).await.expect("a connection");
        socket.until_media().await.expect("media");
        shared.first(begun);
        drop(socket);
        tokio::time::sleep(PAUSE).await;
    }
}

struct Socket {
    stream: TcpStream,
    read: BytesMut,
}

impl Socket {
    async fn open(target: &Target) -> io::Result<Self> {
        let Target { port, session, token } = target;
        let mut stream = TcpStream::connect(("127.0.0.1", *port)).await?;
        let request = format!(
            "GET /api/v1/h5swsapi?token={token}&session={session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Self { stream, read: BytesMut::with_capacity(READ) };
        let end = loop {
            if let Some(at) = socket.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            socket.fill().await?;
        };
        if !socket.read.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        socket.read.advance(end);
        Ok(socket)
    }

    /// Until the first bytes of media are here.
    async fn until_media(&mut self) -> io::Result<()> {
        loop {
            let message = self.next().await?;
            if message.get(4..8) == Some(b"moof") {
                return Ok(());
            }
        }
    }

    /// The next message's payload (RFC 6455 5.2; servers do not mask).
    async fn next(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some((head, len)) = frame(&self.read) {
                if self.read.len() >= head + len {
                    self.read.advance(head);
                    return Ok(self.read.split_to(len).freeze());
                }
                self.read.reserve(head + len - self.read.len());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.read.reserve(READ);
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads for as long as there is something.
    async fn discard(&mut self) -> io::Result<()> {
        let mut bytes = vec![0; READ];
        while self.stream.read(&mut bytes).await? > 0 {}
        Ok(())
    }
}

/// Lengths of the first frame's head and payload, if the head is complete.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? & 0x7f {
        126 => Some((4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into())),
        127 => Some((10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize)),
        len => Some((2, len.into())),
    }
}
