//! Tells systemd how the daemon fares (sd_notify(3)): that it is ready, alive, stopping. Nothing is told
//! where nobody asked, which is where `NOTIFY_SOCKET` is not set.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The way to systemd.
#[derive(Debug)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says.
    pub fn from_env() -> Self {
        let socket = env::var_os("NOTIFY_SOCKET").and_then(|path| {
            open(path.as_bytes()).map_err(|error| tracing::warn!("NOTIFY_SOCKET: {error}")).ok()
        });
        Self { socket, watchdog: watchdog() }
    }

    /// Everything answers now.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The orderly stop has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// For ever: tells that the daemon is alive, at half the time that the watchdog waits, as long as
    /// `alive` says so within that time.
    pub async fn keep_alive(&self, alive: impl AsyncFn() -> bool) {
        let Some(watchdog) = self.watchdog.filter(|_| self.socket.is_some()) else {
            return std::future::pending().await;
        };
        let mut beat = tokio::time::interval(watchdog / 2);
        // After a standstill one beat says it all.
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            match tokio::time::timeout(watchdog / 2, alive()).await {
                Ok(true) => self.tell("WATCHDOG=1"),
                _ => tracing::error!("the daemon's own check does not pass: systemd is told nothing"),
            }
        }
    }

    fn tell(&self, state: &str) {
        // Never to wait for it, and a message that is lost is followed by another.
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(state.as_bytes())) {
            tracing::warn!("systemd is not told {state}: {error}");
        }
    }
}

/// `path` is one, or begins with `@` and is an abstract name.
fn open(path: &[u8]) -> io::Result<UnixDatagram> {
    let address = match path {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// How long the watchdog waits, if it watches this process.
fn watchdog() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && ours)?;
    Some(Duration::from_micros(micros))
}
