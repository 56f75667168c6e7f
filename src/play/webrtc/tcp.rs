//! ICE-TCP for viewers whose network blocks UDP: passive candidates (RFC 6544) with a two-byte
//! length before each packet (RFC 4571).
//!
//! One accept task, and one task per connection. Memory per connection: a queue of [`MAX_QUEUE`]
//! packets (when it is full packets are dropped, as UDP would) and one read buffer of 64 KiB;
//! at most `max` connections, others are closed at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::engine::Command;
use crate::base::Result;

/// Packets that wait for a slow connection: 0.6 MB, about a second of video.
const MAX_QUEUE: usize = 512;
/// A connection that says nothing for so long is dead: ICE checks come every few seconds.
const SILENCE: Duration = Duration::from_secs(30);

/// Binds `port` for IPv6 and IPv4 where the machine has both, else for IPv4.
///
/// # Errors
/// The operating system's, for instance when the port is taken.
pub fn bind(port: u16, ipv6: bool) -> Result<TcpListener> {
    let any = if ipv6 { "::" } else { "0.0.0.0" };
    let listener = std::net::TcpListener::bind((any, port))?;
    listener.set_nonblocking(true)?;
    Ok(TcpListener::from_std(listener)?)
}

/// Accepts connections until `shutdown`, and hands their packets to the engine.
pub async fn serve(
    listener: TcpListener,
    max: usize,
    engine: mpsc::Sender<Command>,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(max));
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let Ok((socket, peer)) = accepted else {
            // Out of file descriptors: the pause lets some connection end first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (engine, shutdown) = (engine.clone(), shutdown.clone());
        tokio::spawn(async move {
            shutdown.run_until_cancelled(connection(socket, peer, engine)).await;
            drop(place);
        });
    }
}

async fn connection(socket: TcpStream, peer: SocketAddr, engine: mpsc::Sender<Command>) {
    let Ok(local) = socket.local_addr() else { return };
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    // A packet is worth sending at once; without this the kernel holds the last one back.
    let _ = socket.set_nodelay(true);
    let (read, write) = socket.into_split();
    let (packets, queue) = mpsc::channel(MAX_QUEUE);
    if engine.send(Command::TcpOpened { peer, packets }).await.is_err() {
        return;
    }
    tokio::select! {
        () = read_packets(read, peer, local, &engine) => {}
        () = write_packets(write, queue) => {}
    }
    // The engine is gone if this fails, and with it all it knew about us.
    let _ = engine.send(Command::TcpClosed { peer }).await;
}

async fn read_packets(
    read: OwnedReadHalf,
    peer: SocketAddr,
    local: SocketAddr,
    engine: &mpsc::Sender<Command>,
) {
    let mut read = BufReader::new(read);
    while let Ok(Ok(len)) = timeout(SILENCE, read.read_u16()).await {
        let mut data = vec![0; usize::from(len)];
        let Ok(Ok(_)) = timeout(SILENCE, read.read_exact(&mut data)).await else { return };
        if engine.send(Command::TcpPacket { peer, local, data }).await.is_err() {
            return;
        }
    }
}

async fn write_packets(mut write: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    let mut waiting = Vec::new();
    let mut out = Vec::new();
    while queue.recv_many(&mut waiting, 64).await > 0 {
        out.clear();
        for packet in waiting.drain(..) {
            let Ok(len) = u16::try_from(packet.len()) else { continue };
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&packet);
        }
        if !matches!(timeout(SILENCE, write.write_all(&out)).await, Ok(Ok(()))) {
            return;
        }
    }
}
