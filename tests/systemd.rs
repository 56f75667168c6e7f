//! What systemd is told (sd_notify(3)): that the daemon is ready, that it lives, that it stops.

mod support;

use std::{
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use support::daemon::{Daemon, DaemonOptions};

const WATCHDOG: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_secs(10);

/// The next message within `patience`.
fn next(socket: &UnixDatagram, patience: Duration) -> Option<String> {
    socket.set_read_timeout(Some(patience)).expect("a timeout");
    let mut message = [0; 256];
    let length = socket.recv(&mut message).ok()?;
    Some(String::from_utf8_lossy(&message[..length]).into_owned())
}

fn start(address: &str) -> Daemon {
    let env = [("NOTIFY_SOCKET", address.to_owned()), ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())];
    let env = env.map(|(name, value)| (name.to_owned(), value)).into();
    Daemon::start(DaemonOptions { env, ..DaemonOptions::default() })
}

#[test]
fn systemd_hears_of_start_life_and_stop() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("a socket");
    let mut daemon = start(path.to_str().expect("text"));
    assert_eq!(next(&systemd, PATIENCE).as_deref(), Some("READY=1"), "the first thing that is told");

    let beat = || assert_eq!(next(&systemd, PATIENCE).as_deref(), Some("WATCHDOG=1"));
    beat();
    let since = Instant::now();
    (0..10).for_each(|_| beat());
    let (took, ten) = (since.elapsed(), WATCHDOG * 5);
    assert!(took > ten * 3 / 4 && took < ten * 2, "ten beats took {took:?} and not about {ten:?}");

    daemon.process.signal(Signal::SIGSTOP);
    // What was sent before it stood still.
    while next(&systemd, Duration::from_millis(50)).is_some() {}
    assert_eq!(next(&systemd, WATCHDOG * 3), None, "a process that stands still is not alive");
    daemon.process.signal(Signal::SIGCONT);
    beat();

    daemon.terminate();
    let last =
        std::iter::from_fn(|| next(&systemd, Duration::from_millis(50))).find(|told| told != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

#[test]
fn the_socket_may_have_an_abstract_name() {
    let name = format!("h5edge-test-{}", std::process::id());
    let systemd = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name"));
    let systemd = systemd.expect("a socket");
    let _daemon = start(&format!("@{name}"));
    assert_eq!(next(&systemd, PATIENCE).as_deref(), Some("READY=1"));
}
