//! `h5edge helper`: the one part that runs as root on a box. systemd opens its socket, which only the
//! daemon's user may connect to, and starts it at the first connection; it ends when it was idle for
//! [`IDLE`] and nothing goes on.
//!
//! One thread serves one connection after the other (orders are short; an installation and a trial's
//! timer go on beside it). Memory: one order of [`MAX_LINE`] bytes, and one answer.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use serde_json::Value;

use super::answer;
use super::order::{MAX_LINE, Order};
use crate::base::{Error, Result};

/// After this long without an order and without work it ends.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may take to say its order, and each piece of the answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// What carries orders out.
pub trait Steward {
    /// The answer's value; `peer` for what follows it.
    ///
    /// # Errors
    /// Of any kind; told to the daemon as they are.
    fn carry_out(&mut self, order: Order) -> Result<Reply>;
    /// Something goes on (a trial, an installation): not yet to end.
    fn busy(&self) -> bool;
    /// Called at least every second while [`Self::busy`].
    fn tick(&mut self);
}

/// An answer, and a text that follows it.
pub struct Reply {
    pub value: Value,
    pub then: Vec<u8>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self { value, then: Vec::new() }
    }
}

/// The socket that systemd handed over (sd_listen_fds(3)).
///
/// # Errors
/// `Refused` where there is none.
pub fn inherited_socket() -> Result<UnixListener> {
    let own = std::process::id().to_string();
    let for_us = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == own);
    let one = std::env::var("LISTEN_FDS").is_ok_and(|count| count == "1");
    if !for_us || !one {
        return Err(Error::refused("the helper is started by its socket (h5edge-helper.socket)"));
    }
    // SAFETY: systemd's protocol gives this process descriptor 3, which nothing else here owns.
    Ok(UnixListener::from(unsafe { OwnedFd::from_raw_fd(3) }))
}

/// Serves until idle.
///
/// # Errors
/// Those of the socket.
pub fn serve(listener: &UnixListener, allowed: u32, steward: &mut dyn Steward) -> Result<()> {
    let mut idle = Duration::ZERO;
    while idle < IDLE || steward.busy() {
        let tick = Duration::from_secs(1);
        let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::from(u16::try_from(tick.as_millis()).unwrap_or(u16::MAX));
        let ready = poll(&mut fds, timeout).map_err(std::io::Error::from)?;
        if ready > 0 {
            idle = Duration::ZERO;
            let (stream, _) = listener.accept()?;
            if let Err(error) = attend(&stream, allowed, steward) {
                tracing::warn!("an order was not carried out: {error}");
            }
        } else {
            idle += tick;
        }
        steward.tick();
    }
    Ok(())
}

fn attend(stream: &UnixStream, allowed: u32, steward: &mut dyn Steward) -> Result<()> {
    let peer = getsockopt(stream, PeerCredentials).map_err(std::io::Error::from)?;
    if peer.uid() != allowed && peer.uid() != 0 {
        return Err(Error::refused(format!("user {} may not give orders", peer.uid())));
    }
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    let order = Until { end: Instant::now() + PATIENCE, stream };
    BufReader::new(order.take(MAX_LINE as u64)).read_line(&mut line)?;
    let outcome = serde_json::from_str(&line)
        .map_err(|error| Error::bad_input(format!("order: {error}")))
        .and_then(|order| steward.carry_out(order));
    let (text, then) = match outcome {
        Ok(Reply { value, then }) => (answer::write(Ok(value)), then),
        Err(error) => (answer::write(Err(error)), Vec::new()),
    };
    let mut out = stream;
    writeln!(out, "{text}")?;
    Ok(out.write_all(&then)?)
}

/// Reads from `stream` until `end`, however little comes at a time.
struct Until<'a> {
    end: Instant,
    stream: &'a UnixStream,
}

impl Read for Until<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(into)
    }
}
