//! The server's side of a WebSocket (RFC 6455) that carries media to one viewer. Messages are
//! written from the bytes that all viewers share, without a copy; of what the viewer says, short texts
//! are passed on, pings and its goodbye are answered, and all else is skipped. The general-purpose WebSocket of the other routes copies each
//! message into a buffer per viewer and clears a read buffer of 128 KiB whenever it looks for input
//! (docs/decisions/0004-live-socket.md has the figures).
//!
//! Used by the viewer's task. Memory: [`MAX_TEXT`] bytes, and references to what is queued, which the
//! caller bounds by flushing.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Cursor, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

/// Room for what a viewer says: the longest control frame, and a keepalive without a second read.
const INPUT: usize = 256;
/// Longest text that is passed on; orders and keepalives are short.
const MAX_TEXT: usize = 2048;
/// Pieces that are written by one system call.
const SLICES: usize = 64;

/// The value of `Sec-WebSocket-Accept` for the client's `Sec-WebSocket-Key`.
pub fn accept_key(key: &str) -> String {
    derive_accept_key(key.as_bytes())
}

/// What a viewer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Text(String),
    /// A ping, or what is none of ours.
    Other,
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
        self.queue_data(Data::Binary, &head, body);
    }

    /// Queues one text message.
    pub fn queue_text(&mut self, text: &str) {
        self.queue_data(Data::Text, text.as_bytes(), Bytes::new());
    }

    fn queue_data(&mut self, kind: Data, head: &[u8], body: Bytes) {
        let header = FrameHeader { opcode: OpCode::Data(kind), ..FrameHeader::default() };
        let len = (head.len() + body.len()) as u64;
        let mut start = Vec::with_capacity(header.len(len) + head.len());
        // Writing into memory does not fail.
        if header.format(len, &mut start).is_ok() {
            start.extend_from_slice(head);
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
    pub async fn hear(&mut self) -> io::Result<Heard> {
        loop {
            if let Some(heard) = self.parse()? {
                return Ok(heard);
            }
            self.input.reserve(INPUT);
            if self.io.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Listens, and meanwhile writes what is queued: what the viewer said, or `None` when all that
    /// was queued is written. Waits for the viewer if nothing is queued. Cancel-safe.
    ///
    /// # Errors
    /// As for [`Socket::hear`] and [`Socket::flush`].
    pub async fn turn(&mut self) -> io::Result<Option<Heard>> {
        poll_fn(|cx| {
            if let Poll::Ready(heard) = self.poll_hear(cx) {
                return Poll::Ready(heard.map(Some));
            }
            if !self.out.has_remaining() {
                return Poll::Pending;
            }
            self.poll_write(cx).map_ok(|()| None)
        })
        .await
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        loop {
            if let Some(heard) = self.parse()? {
                return Poll::Ready(Ok(heard));
            }
            let mut bytes = [0; INPUT];
            let mut buf = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.input.extend_from_slice(buf.filled());
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.has_remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.out.chunks_vectored(&mut slices);
            let slices = slices.get(..filled).unwrap_or_default();
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Takes a frame out of the input, if there is a whole one.
    fn parse(&mut self) -> io::Result<Option<Heard>> {
        let skipped = self.input.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
        self.input.advance(skipped);
        self.skip -= skipped as u64;
        let mut cursor = Cursor::new(&self.input);
        let Some((header, len)) = FrameHeader::parse(&mut cursor).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let start = cursor.position() as usize;
        let Some(mask) = header.mask else { return Err(invalid("a frame without a mask")) };
        let most = match header.opcode {
            OpCode::Control(_) => 125,
            OpCode::Data(Data::Text) if header.is_final => MAX_TEXT,
            OpCode::Data(_) => 0,
        };
        let Some(len) = usize::try_from(len).ok().filter(|&len| len <= most) else {
            if let OpCode::Control(_) = header.opcode {
                return Err(invalid("a control frame of more than 125 bytes"));
            }
            self.input.advance(start);
            self.skip = len;
            return Ok(Some(Heard::Other));
        };
        let end = start + len;
        if self.input.len() < end {
            return Ok(None);
        }
        let frame = self.input.split_to(end);
        let payload = frame.iter().skip(start).zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        match header.opcode {
            OpCode::Control(Control::Ping) => self.control(Frame::pong(payload.collect::<Vec<u8>>())),
            OpCode::Control(Control::Close) => return Err(io::ErrorKind::ConnectionAborted.into()),
            OpCode::Data(_) => {
                return Ok(Some(String::from_utf8(payload.collect()).map_or(Heard::Other, Heard::Text)));
            }
            OpCode::Control(Control::Pong | Control::Reserved(_)) => {}
        }
        Ok(Some(Heard::Other))
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
mod tests;
