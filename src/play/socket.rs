//! The server's side of a WebSocket (RFC 6455) that carries live media to one viewer. Messages are
//! written from the bytes that all viewers share, without a copy; what the viewer says is skipped,
//! except for pings and its goodbye. The general-purpose WebSocket of the other routes copies each
//! message into a buffer per viewer and clears a read buffer of 128 KiB whenever it looks for input
//! (docs/decisions/0004-live-socket.md has the figures).
//!
//! Used by the viewer's task. Memory: [`INPUT`] bytes, and references to what is queued, which the
//! caller bounds by flushing.

use std::collections::VecDeque;
use std::io::{self, Cursor, IoSlice};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

/// Room for what a viewer says: the longest control frame, and a keepalive without a second read.
const INPUT: usize = 256;

/// The value of `Sec-WebSocket-Accept` for the client's `Sec-WebSocket-Key`.
pub fn accept_key(key: &str) -> String {
    derive_accept_key(key.as_bytes())
}

/// A WebSocket after the handshake.
#[derive(Debug)]
pub struct Socket<T> {
    io: T,
    out: Chunks,
    input: BytesMut,
    /// Bytes of a data frame's payload that are still to come.
    skip: u64,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Socket<T> {
    pub fn new(io: T) -> Self {
        Self { io, out: Chunks::default(), input: BytesMut::with_capacity(INPUT), skip: 0 }
    }

    /// Queues one binary message: `head` and `body`, either of which may be empty.
    pub fn queue(&mut self, head: Vec<u8>, body: Bytes) {
        let header = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
        let len = (head.len() + body.len()) as u64;
        let mut start = Vec::with_capacity(header.len(len) + head.len());
        // Writing into memory does not fail.
        if header.format(len, &mut start).is_ok() {
            start.extend_from_slice(&head);
            self.out.push(start.into());
            self.out.push(body);
        }
    }

    /// Bytes that wait for [`Socket::flush`].
    pub fn queued(&self) -> usize {
        self.out.remaining()
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// The connection's.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.io.write_all_buf(&mut self.out).await?;
        self.io.flush().await
    }

    /// Waits until the viewer says something; an answer to a ping is queued. Cancel-safe.
    ///
    /// # Errors
    /// When nothing more will come, or what came is no WebSocket.
    pub async fn hear(&mut self) -> io::Result<()> {
        while !self.parse()? {
            self.input.reserve(INPUT);
            if self.io.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Takes a frame out of the input; whether there was a whole one.
    fn parse(&mut self) -> io::Result<bool> {
        let skipped = self.input.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.input.advance(skipped);
        self.skip -= skipped as u64;
        let mut cursor = Cursor::new(&self.input);
        let Some((header, len)) = FrameHeader::parse(&mut cursor).map_err(io::Error::other)? else {
            return Ok(false);
        };
        let start = cursor.position() as usize;
        let Some(mask) = header.mask else { return Err(invalid("a frame without a mask")) };
        let OpCode::Control(control) = header.opcode else {
            self.input.advance(start);
            self.skip = len;
            return Ok(true);
        };
        let len = usize::try_from(len).ok().filter(|&len| len <= 125);
        let end = start + len.ok_or_else(|| invalid("a control frame of more than 125 bytes"))?;
        if self.input.len() < end {
            return Ok(false);
        }
        let frame = self.input.split_to(end);
        let payload = frame.iter().skip(start).zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        match control {
            Control::Ping => self.control(Frame::pong(payload.collect::<Vec<u8>>())),
            Control::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
            Control::Pong | Control::Reserved(_) => {}
        }
        Ok(true)
    }

    fn control(&mut self, frame: Frame) {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        if frame.format(&mut bytes).is_ok() {
            self.out.push(bytes.into());
        }
    }

    /// Says goodbye with a close code and a reason of at most 123 bytes.
    ///
    /// # Errors
    /// The connection's.
    pub async fn close(&mut self, code: u16, reason: &str) -> io::Result<()> {
        let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        self.control(Frame::close(Some(frame)));
        self.flush().await?;
        self.io.shutdown().await
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Bytes in several pieces, written by as few system calls as the kernel allows.
#[derive(Debug, Default)]
struct Chunks {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Chunks {
    fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
    }
}

impl Buf for Chunks {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.pieces);
        filled.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        self.len -= count;
        while let Some(front) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, SinkExt, StreamExt};
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn pair() -> (Socket<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = duplex(1 << 20);
        (Socket::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Client, None).await)
    }

    #[tokio::test]
    async fn messages_of_all_lengths_arrive_whole() {
        let (mut server, mut client) = pair().await;
        for len in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
            server.queue(vec![7; len / 3], Bytes::from(vec![9; len - len / 3]));
            let (sent, got) = tokio::join!(server.flush(), client.next());
            sent.unwrap();
            let wanted = [vec![7; len / 3], vec![9; len - len / 3]].concat();
            assert_eq!(got.unwrap().unwrap(), Message::binary(wanted));
            assert_eq!(server.queued(), 0);
        }
    }

    #[tokio::test]
    async fn what_the_viewer_says_is_skipped_and_pings_are_answered() {
        let (mut server, mut client) = pair().await;
        client.send(Message::text("k".repeat(5000))).await.unwrap();
        client.send(Message::Ping("abc".into())).await.unwrap();
        client.send(Message::text("")).await.unwrap();
        for _ in 0..3 {
            server.hear().await.unwrap();
        }
        assert!(server.hear().now_or_never().is_none(), "nothing more was said");
        server.flush().await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("abc".into()));
    }

    #[tokio::test]
    async fn goodbyes_are_heard_and_said() {
        let (mut server, mut client) = pair().await;
        client.close(None).await.unwrap();
        assert_eq!(server.hear().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let (mut server, mut client) = pair().await;
        server.close(4001, "camera is away").await.unwrap();
        let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else { panic!("no close") };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "camera is away"));
        let (mut server, client) = pair().await;
        drop(client);
        assert_eq!(server.hear().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn input_that_is_no_websocket_is_refused() {
        for bytes in [&b"\x81\x01a"[..], b"\x89\xfe\x01\x00mask", b"\xff\x80mask"] {
            let (ours, mut theirs) = duplex(1024);
            let mut server = Socket::new(ours);
            theirs.write_all(bytes).await.unwrap();
            assert!(server.hear().await.is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_handshake_is_the_one_of_the_rfc() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
