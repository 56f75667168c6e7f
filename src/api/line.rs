//! Mends the request line before the HTTP parser sees it. The manual prints addresses with blanks in
//! them, and simple clients send them so; by RFC 9112 section 3.2 such a line is malformed and hyper
//! refuses it.
//!
//! Runs in the connection's task. Bound: one line of at most [`MAX_LINE`] bytes and what came with it
//! in the same read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::normalise::MAX_TARGET;

/// Longest request line that is looked at; a longer one is the parser's to refuse.
const MAX_LINE: usize = MAX_TARGET + 64;
const READ: usize = 4096;

/// Says that the next bytes begin a request: set at first and whenever one has been answered.
#[derive(Clone, Debug)]
pub struct NextLine(Arc<AtomicBool>);

impl Default for NextLine {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl NextLine {
    /// A request has been answered; another may follow.
    pub fn expect(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// A stream whose request lines are mended on the way in. All else passes untouched.
#[derive(Debug)]
pub struct LineFixer<S> {
    inner: S,
    next: NextLine,
    /// The line being gathered; `None` while bytes pass through.
    gathering: Option<BytesMut>,
    /// Gathered and mended, not handed on yet.
    ready: Bytes,
}

impl<S> LineFixer<S> {
    pub fn new(inner: S, next: NextLine) -> Self {
        Self { inner, next, gathering: None, ready: Bytes::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LineFixer<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.ready.has_remaining() {
                let n = this.ready.remaining().min(out.remaining());
                out.put_slice(&this.ready.split_to(n));
                return Poll::Ready(Ok(()));
            }
            if this.next.take() {
                this.gathering.get_or_insert_default();
            }
            let Some(line) = &mut this.gathering else {
                return Pin::new(&mut this.inner).poll_read(cx, out);
            };
            let mut space = [0; READ];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            line.extend_from_slice(read.filled());
            let ended = read.filled().is_empty();
            if ended && line.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let start = line.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(line.len());
            let end = line.iter().skip(start).position(|&b| b == b'\n').map(|n| start + n);
            if let Some(end) = end {
                this.ready = mend(line, end).unwrap_or_else(|| line.split().freeze());
                this.gathering = None;
            } else if ended || line.len() > MAX_LINE {
                this.ready = line.split().freeze();
                this.gathering = None;
            }
        }
    }
}

/// `head`, whose request line ends at `end`, with what the parser would refuse in its target
/// percent-encoded; `None` if there is nothing to mend.
fn mend(head: &[u8], end: usize) -> Option<Bytes> {
    let (line, rest) = head.split_at_checked(end)?;
    let method = line.iter().position(|&b| b == b' ')? + 1;
    let version = line.iter().rposition(|&b| b == b' ')?;
    let target = line.get(method..version)?;
    if !line.get(version..)?.starts_with(b" HTTP/1.") || !target.iter().any(|&b| refused(b)) {
        return None;
    }
    let mut mended = BytesMut::with_capacity(head.len() + 64);
    mended.extend_from_slice(line.get(..method)?);
    for &byte in target {
        match refused(byte) {
            true => mended.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            false => mended.extend_from_slice(&[byte]),
        }
    }
    mended.extend_from_slice(line.get(version..)?);
    mended.extend_from_slice(rest);
    Some(mended.freeze())
}

/// Bytes that RFC 3986 does not allow in a target, and `#`, which would cut it off.
fn refused(byte: u8) -> bool {
    !byte.is_ascii_graphic() || b"\"#<>\\^`{|}".contains(&byte)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LineFixer<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    async fn through(pieces: &[&[u8]]) -> String {
        let (mut client, server) = duplex(8);
        let mut fixer = LineFixer::new(server, NextLine::default());
        let mut text = String::new();
        let write = async {
            for piece in pieces {
                client.write_all(piece).await.unwrap();
            }
            client.shutdown().await.unwrap();
        };
        let (_, read) = tokio::join!(write, fixer.read_to_string(&mut text));
        read.unwrap();
        text
    }

    #[tokio::test]
    async fn blanks_in_the_target_are_encoded() {
        let sent: &[&[u8]] =
            &[b"GET /api/v1/ SetPreset?token=token1& &x=\"{\xc3\xa4}#\" HT", b"TP/1.1\r\nHost: a b\r\n\r\n"];
        let text =
            "GET /api/v1/%20SetPreset?token=token1&%20&x=%22%7B%C3%A4%7D%23%22 HTTP/1.1\r\nHost: a b\r\n\r\n";
        assert_eq!(through(sent).await, text);
    }

    #[tokio::test]
    async fn all_else_passes_untouched() {
        for sent in [
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.0\r\n\r\n",
            "no request line at all\r\n",
            "GET /cut off",
            "",
        ] {
            assert_eq!(through(&[sent.as_bytes()]).await, sent);
        }
        let long = format!("GET /{} x HTTP/1.1\r\n\r\n", "a".repeat(MAX_LINE));
        assert_eq!(through(&[long.as_bytes()]).await, long);
    }

    #[tokio::test]
    async fn only_the_first_line_of_a_request_is_looked_at() {
        let (mut client, server) = duplex(256);
        let next = NextLine::default();
        let mut fixer = LineFixer::new(server, next.clone());
        let mut seen = [0; 64];
        client.write_all(b"GET /a b HTTP/1.1\r\n").await.unwrap();
        fixer.read_exact(&mut seen[..21]).await.unwrap();
        assert_eq!(&seen[..21], b"GET /a%20b HTTP/1.1\r\n");
        client.write_all(b"GET /a b HTTP/1.1\r\n").await.unwrap();
        fixer.read_exact(&mut seen[..19]).await.unwrap();
        assert_eq!(&seen[..19], b"GET /a b HTTP/1.1\r\n", "a body that looks like a request");
        next.expect();
        client.write_all(b"GET /a b HTTP/1.1\r\n").await.unwrap();
        fixer.read_exact(&mut seen[..21]).await.unwrap();
        assert_eq!(&seen[..21], b"GET /a%20b HTTP/1.1\r\n");
    }
}
