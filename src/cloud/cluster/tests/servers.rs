//! Three real NATS servers as one cluster, for one test at a time.

#[path = "../../../../tests/support/nats.rs"]
mod nats;

use tokio::sync::{Mutex, MutexGuard};

use self::nats::Nats;
pub use self::nats::PASSWORD;
use super::super::{Login, Settings};
use crate::base::secret::Secret;

/// Tests wait for each other: three servers and three nodes keep a small machine busy, and their leases are real
/// seconds.
static TURN: Mutex<()> = Mutex::const_new(());

pub struct Servers {
    /// Ended before the next test has its turn.
    nats: Nats,
    _turn: MutexGuard<'static, ()>,
}

impl Servers {
    /// Three servers, with TLS for their clients or without.
    pub async fn start(tls: bool) -> Self {
        let turn = TURN.lock().await;
        Self { nats: Nats::start(tls), _turn: turn }
    }

    /// Starts server `index`, which keeps what it had on disk.
    pub fn revive(&mut self, index: usize) {
        self.nats.revive(index);
    }

    pub fn kill(&mut self, index: usize) {
        self.nats.kill(index);
    }

    /// For a node that begins with the server that has its turn: nodes `a`, `b`, `c` have one each.
    pub fn settings(&self, node: &str) -> Settings {
        let ca = self.nats.authority();
        Settings {
            servers: self.nats.addresses(usize::from(node.as_bytes()[0] - b'a')),
            node: node.to_owned(),
            login: Login::User { user: "h5edge".into(), password: Secret::new(PASSWORD) },
            tls: ca.is_some(),
            ca,
        }
    }
}
