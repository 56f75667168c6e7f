//! Where packets leave: the UDP socket and the ICE-TCP connections. Owned by the engine task.

use std::collections::HashMap;
use std::net::SocketAddr;

use str0m::net::{Protocol, Transmit};
use tokio::sync::mpsc;

use super::udp::Udp;

/// The ways out. At most as many TCP connections as `tcp::serve` lets in.
pub struct Wire {
    pub udp: Udp,
    pub tcp: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
}

impl Wire {
    /// Queues one packet; lost when its way is full or gone, as on any network.
    pub fn transmit(&mut self, packet: Transmit) {
        match packet.proto {
            Protocol::Udp => self.udp.push(packet.source.ip(), packet.destination, &packet.contents),
            _ => {
                if let Some(connection) = self.tcp.get(&packet.destination) {
                    let _ = connection.try_send(packet.contents.into());
                }
            }
        }
    }
}
