//! Cuts of a connection that is in use leave neither streams nor tasks behind.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::net::{FAR, Net, SMALL, is_there, nft};
use crate::support::daemon::Daemon;
use crate::support::wait_for;

/// What tasks, sockets and streams hold: open files, threads, and resident memory in KiB.
#[derive(Clone, Copy, Debug)]
struct Held {
    files: usize,
    threads: usize,
    kib: u64,
}

impl Held {
    fn of(daemon: &Daemon) -> Self {
        Self { files: daemon.fds(), threads: daemon.threads(), kib: daemon.rss_kb() }
    }

    /// Sockets of a keep-alive and threads of a pool come and go, and an allocator gives back late; a leak of one
    /// stream's window each time would be 256 KiB a cut.
    fn is_no_more_than(&self, before: &Self, cuts: usize) -> bool {
        self.files <= before.files + 3
            && self.threads <= before.threads + 3
            && self.kib <= before.kib + 16_000 + 60 * cuts as u64
    }
}

const PATIENCE: Duration = Duration::from_secs(40);

/// `H5EDGE_CUTS`: how many.
fn cuts() -> usize {
    std::env::var("H5EDGE_CUTS").map_or(10, |text| text.parse().expect("a number"))
}

#[test]
fn cuts_leave_nothing_behind() {
    let net = Net::new(&SMALL, false);
    let held = || [Held::of(&net.far), Held::of(&net.central)];
    // Whatever is made once is there after the first ones.
    cut(&net, 3);
    let before = idle(&net, held);
    let mut took = cut(&net, cuts());
    took.sort();
    eprintln!(
        "{} cuts: a picture after p50 {:.1?}, longest {:.1?}",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1]
    );
    let fits = |now: &[Held; 2]| {
        now.iter().zip(&before).all(|(now, before)| now.is_no_more_than(before, took.len()))
    };
    let mut after = idle(&net, held);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fits(&after) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(500));
        after = held();
    }
    eprintln!("at the box and the central: {before:?} before, {after:?} after");
    assert!(fits(&after), "{before:?} before, {after:?} after");
}

/// Cuts while three watch, and waits each time until pictures come again; how long that took.
fn cut(net: &Net, count: usize) -> Vec<Duration> {
    let watches: Vec<_> = (0..3).map(|_| net.watch(FAR)).collect();
    let one = |turn: usize| {
        // At another moment of a picture each time.
        thread::sleep(Duration::from_millis(100 + turn as u64 * 397 % 500));
        let before = net.tunnel_port();
        // The router forgets its connections and says so, as at its restart.
        net.lab.enter("router", || {
            nft("add table ip cut; add chain ip cut f { type filter hook forward priority -1; }; \
                 add rule ip cut f meta l4proto tcp reject with tcp reset");
            thread::sleep(Duration::from_millis(150));
            nft("delete table ip cut");
        });
        let begin = Instant::now();
        wait_for("the box to come anew", PATIENCE, || {
            thread::sleep(Duration::from_millis(20));
            let anew = net.tunnel_port().is_some_and(|port| Some(port) != before);
            (anew && net.source(FAR).is_some_and(|source| is_there(&source))).then_some(())
        });
        let anew = Instant::now();
        let first = watches.iter().map(|watch| watch.next_after(anew, "pictures after a cut")).max();
        (anew - begin) + first.unwrap_or_default()
    };
    (0..count).map(one).collect()
}

/// Waits until nobody watches and nothing is pulled any more; what is held then.
fn idle<T>(net: &Net, held: impl Fn() -> T) -> T {
    wait_for("nobody who watches", PATIENCE, || {
        thread::sleep(Duration::from_millis(200));
        let far = net.lab.enter("far", || net.far.source("cam1"))?;
        let here = net.source(FAR).filter(is_there)?;
        (far["nViewers"] == 0 && here["nViewers"] == 0).then_some(())
    });
    assert!(net.lab.enter("far", || net.far_camera.sessions(0)) <= 1, "the camera is pulled more than once");
    // Connections of calls that have just been made.
    thread::sleep(Duration::from_secs(2));
    held()
}
