//! The harness of the black-box tests: starts the real programs, speaks to them over real sockets and
//! checks what comes back. A failed expectation panics, as a test should.
//!
//! Everything is blocking except [`ws`], so that it can be used from tests of either sort.
#![allow(dead_code, reason = "compiled into every test, and each uses another part")]

pub mod boxes;
pub mod daemon;
pub mod disk;
pub mod fakecam;
pub mod footage;
pub mod http;
pub mod kept;
pub mod nats;
pub mod players;
pub mod postgres;
pub mod process;
pub mod rows;
pub mod scene;
pub mod stamp;
pub mod ws;

use std::time::{Duration, Instant};

/// Asks `condition` until it gives something, and panics with `what` after `patience`.
pub fn wait_for<T>(what: &str, patience: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
