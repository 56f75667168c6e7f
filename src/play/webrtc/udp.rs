//! The one UDP socket: batched receiving (GRO) and sending (GSO), see `docs/decisions/0003-webrtc.md`.
//!
//! Used by the engine task alone. Memory: an outbox of at most
//! [`MAX_OUTBOX`] bytes; when that is full packets are dropped, and receivers ask again (NACK).

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use quinn_udp::{RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::base::{Error, Result};

/// Most bytes that wait for the network.
const MAX_OUTBOX: usize = 8 << 20;
/// Most bytes in one GSO send; the kernel takes 64 KiB with headers.
const MAX_BATCH: usize = 60_000;
/// What is asked of the kernel for either socket buffer; it gives what its limits allow.
const SOCKET_BUFFER: usize = 4 << 20;
/// Buffers kept for reuse.
const MAX_SPARE: usize = 64;

/// Datagrams of one size (the last may be shorter) from one address to one address.
#[derive(Debug)]
struct Batch {
    source: IpAddr,
    destination: SocketAddr,
    segment: usize,
    count: usize,
    data: Vec<u8>,
}

impl Batch {
    fn takes(&self, source: IpAddr, destination: SocketAddr, len: usize, segments: usize) -> bool {
        let open = self.data.len() == self.count * self.segment;
        open && self.destination == destination
            && self.source == source
            && len <= self.segment
            && self.count < segments
            && self.data.len() + len <= MAX_BATCH
    }
}

/// The socket with what waits to be sent.
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Bound to an IPv6 address, so IPv4 peers are written as mapped addresses.
    dual: bool,
    outbox: VecDeque<Batch>,
    waiting: usize,
    spare: Vec<Vec<u8>>,
}

/// What one read gave: datagrams of `stride` bytes, the last maybe shorter, in `len` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    pub source: SocketAddr,
    /// The local address they were sent to.
    pub local: IpAddr,
    pub stride: usize,
    pub len: usize,
}

/// Binds `port` (0: any) for IPv6 and IPv4 where the machine has both, else for IPv4.
///
/// # Errors
/// The operating system's, for instance when the port is taken.
pub fn bind(port: u16) -> io::Result<std::net::UdpSocket> {
    std::net::UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
        _ => std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)),
    })
}

impl Udp {
    /// Takes a bound socket over.
    ///
    /// # Errors
    /// `Internal` when the kernel lacks an option this cannot do without.
    pub fn new(socket: std::net::UdpSocket) -> Result<Self> {
        let context = |error: io::Error| Error::from(error).context("WebRTC socket");
        socket.set_nonblocking(true).map_err(context)?;
        let state = UdpSocketState::new((&socket).into()).map_err(context)?;
        // Small buffers only cost throughput, so what the kernel refuses is not an error.
        let _ = state.set_send_buffer_size((&socket).into(), SOCKET_BUFFER);
        let _ = state.set_recv_buffer_size((&socket).into(), SOCKET_BUFFER);
        let dual = socket.local_addr().map_err(context)?.is_ipv6();
        let socket = UdpSocket::from_std(socket).map_err(context)?;
        Ok(Self { socket, state, dual, outbox: VecDeque::new(), waiting: 0, spare: Vec::new() })
    }

    /// Completes when a datagram can be read, or if something waits, when it may be sendable again.
    /// Cancel-safe.
    pub async fn ready(&self) -> io::Result<()> {
        let interest =
            if self.outbox.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        self.socket.ready(interest).await.map(drop)
    }

    /// A buffer for [`Udp::receive`]: room for what the kernel may join into one read.
    pub fn inbox(&self) -> Vec<u8> {
        vec![0; 2048 * self.state.gro_segments()]
    }

    /// Reads once into `inbox`; `None` when there is nothing.
    pub fn receive(&self, inbox: &mut [u8]) -> Option<Received> {
        let mut meta = [RecvMeta::default()];
        let read = self.socket.try_io(Interest::READABLE, || {
            self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(inbox)], &mut meta)
        });
        let [meta] = meta;
        // Errors other than "would block" are peers' ICMP answers, each reported once.
        read.ok().filter(|&n| n > 0).map(|_| Received {
            source: SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port()),
            local: meta.dst_ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical(),
            stride: meta.stride.max(1),
            len: meta.len,
        })
    }

    /// Queues a datagram; dropped when the outbox is full. Sent by [`Udp::flush`].
    pub fn push(&mut self, source: IpAddr, destination: SocketAddr, datagram: &[u8]) {
        if self.waiting + datagram.len() > MAX_OUTBOX {
            return;
        }
        self.waiting += datagram.len();
        let segments = self.state.max_gso_segments();
        if let Some(batch) = self.outbox.back_mut()
            && batch.takes(source, destination, datagram.len(), segments)
        {
            batch.data.extend_from_slice(datagram);
            batch.count += 1;
            return;
        }
        let mut data = self.spare.pop().unwrap_or_default();
        data.extend_from_slice(datagram);
        self.outbox.push_back(Batch { source, destination, segment: datagram.len(), count: 1, data });
    }

    /// Sends until the outbox is empty or the kernel takes no more.
    pub fn flush(&mut self) {
        while let Some(batch) = self.outbox.front() {
            let transmit = quinn_udp::Transmit {
                destination: if self.dual { mapped(batch.destination) } else { batch.destination },
                ecn: None,
                contents: &batch.data,
                segment_size: (batch.count > 1).then_some(batch.segment),
                src_ip: Some(batch.source).filter(|ip| !ip.is_unspecified()),
            };
            let sent = self
                .socket
                .try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit));
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A route that went away; ICE notices and ends the session.
                Err(error) => tracing::debug!(to = %batch.destination, "WebRTC send: {error}"),
                Ok(()) => {}
            }
            self.recycle();
        }
    }

    fn recycle(&mut self) {
        let Some(mut batch) = self.outbox.pop_front() else { return };
        self.waiting -= batch.data.len();
        if self.spare.len() < MAX_SPARE {
            batch.data.clear();
            self.spare.push(batch.data);
        }
    }
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_arrives_as_the_datagrams_that_went_in() {
        let mut udp = Udp::new(bind(0).unwrap()).unwrap();
        let port = udp.socket.local_addr().unwrap().port();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = peer.local_addr().unwrap();
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        for (n, len) in [(1u8, 1200), (2, 1200), (3, 700), (4, 1200), (5, 20)] {
            udp.push(local, to, &vec![n; len]);
        }
        assert_eq!(udp.outbox.len(), 2, "equal sizes and one shorter make a batch");
        while !udp.outbox.is_empty() {
            udp.ready().await.unwrap();
            udp.flush();
        }
        let mut buffer = [0; 2000];
        for (n, len) in [(1u8, 1200), (2, 1200), (3, 700), (4, 1200), (5, 20)] {
            let (got, from) = peer.recv_from(&mut buffer).await.unwrap();
            assert_eq!((got, buffer[0], from), (len, n, SocketAddr::new(local, port)));
        }
        assert_eq!((udp.waiting, udp.outbox.len()), (0, 0));

        peer.send_to(b"hello", (local, port)).await.unwrap();
        let mut inbox = udp.inbox();
        let got = loop {
            udp.ready().await.unwrap();
            if let Some(got) = udp.receive(&mut inbox) {
                break got;
            }
        };
        assert_eq!((got.source, got.local, &inbox[..got.len]), (to, local, &b"hello"[..]));
    }

    #[tokio::test]
    async fn a_full_outbox_drops() {
        let mut udp = Udp::new(bind(0).unwrap()).unwrap();
        let to = "127.0.0.1:9".parse().unwrap();
        (0..MAX_OUTBOX / 1000 + 5).for_each(|_| udp.push(Ipv4Addr::LOCALHOST.into(), to, &[0; 1000]));
        assert!(udp.waiting <= MAX_OUTBOX && udp.waiting > MAX_OUTBOX - 1000);
    }
}
