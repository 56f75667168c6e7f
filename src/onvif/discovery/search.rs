//! The search: a socket for each address of ours, Probes by all of them, and whoever answers.
//!
//! One task for each socket, which only reads, so that two hundred answers at once do not wait in the
//! kernel; the caller's task makes sense of them. Bounds: [`MOST_SEARCHES`] at a time, [`MOST_SOCKETS`]
//! sockets each, [`QUEUE`] datagrams of at most [`MAX_DATAGRAM`] between them and the caller.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Type};
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::findings::Findings;
use super::interfaces::{self, Interface};
use super::{Found, GROUP_V4, GROUP_V6, MAX_DATAGRAM, PORT, message};
use crate::base::{Error, Result};

/// Searches at a time; one more is refused.
const MOST_SEARCHES: usize = 4;
static SEARCHES: Semaphore = Semaphore::const_new(MOST_SEARCHES);
/// Sockets of a search; a box has one or two interfaces with two families.
const MOST_SOCKETS: usize = 64;
/// Datagrams that wait to be read; when it is full, the next are lost, and asked for again.
const QUEUE: usize = 256;
/// How often everything is asked: datagrams get lost.
const ROUNDS: u32 = 3;
/// Between the kinds of Probe of one round, so that not all devices answer everything at once.
const APART: Duration = Duration::from_millis(60);
/// Receive buffer in bytes: 512 answers of 4 kB. The kernel gives less to a process without privileges.
const RECEIVE_BUFFER: usize = 2 << 20;
/// Pause after a socket that cannot be read, so that it does not keep a core busy.
const UNREADABLE: Duration = Duration::from_millis(100);

/// A datagram with where it came from.
struct Heard {
    datagram: Vec<u8>,
    from: SocketAddr,
    /// The interface it came by.
    interface: String,
}

/// Looks for ONVIF devices on every interface, for as long as `timeout`.
///
/// They come in the order in which they answered, at most 4096.
///
/// # Errors
/// `Full` when too many search already, `Internal` where no interface could be asked at all.
pub async fn search(timeout: Duration) -> Result<Vec<Found>> {
    let _place =
        SEARCHES.try_acquire().map_err(|_| Error::full(format!("{MOST_SEARCHES} searches run already")))?;
    let deadline = Instant::now() + timeout;
    let interfaces = interfaces::list()?;
    let (heard, mut answers) = mpsc::channel(QUEUE);
    // Dropped, and its tasks with it, when the caller loses interest.
    let mut askers = JoinSet::new();
    for asker in interfaces.iter().flat_map(askers_on).take(MOST_SOCKETS) {
        let heard = heard.clone();
        askers.spawn(async move {
            // The deadline is the regular end.
            let _ = timeout_at(deadline, asker.run(heard, timeout / 4)).await;
        });
    }
    drop(heard);
    if askers.is_empty() {
        return Err(Error::internal("there is no network interface to search on"));
    }
    let mut findings = Findings::new(interfaces);
    while let Some(Heard { datagram, from, interface }) = answers.recv().await {
        findings.add(&datagram, from, &interface);
    }
    Ok(findings.found())
}

/// One for each IPv4 address, since a device in another network of the same wire answers only to an
/// address that it can reach, and one for IPv6.
fn askers_on(interface: &Interface) -> Vec<Asker> {
    let v4 = interface.ipv4().map(|own| (own, Asker::v4(interface, own)));
    let v4 = v4.map(|(own, asker)| (IpAddr::V4(own), asker));
    let v6 = interface.has_ipv6().then(|| (IpAddr::V6(Ipv6Addr::UNSPECIFIED), Asker::v6(interface)));
    let usable = |(own, asker): (IpAddr, io::Result<Asker>)| match asker {
        Ok(asker) => Some(asker),
        Err(error) => {
            tracing::info!("no search on {} from {own}: {error}", interface.name);
            None
        }
    };
    v4.chain(v6).filter_map(usable).collect()
}

/// A socket that asks, and hears answers.
struct Asker {
    socket: UdpSocket,
    group: SocketAddr,
    interface: String,
}

impl Asker {
    fn v4(interface: &Interface, own: Ipv4Addr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_multicast_if_v4(&own)?;
        Self::new(socket, SocketAddr::new(own.into(), 0), (GROUP_V4, PORT).into(), interface)
    }

    fn v6(interface: &Interface) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_only_v6(true)?;
        socket.set_multicast_if_v6(interface.index)?;
        let group = SocketAddrV6::new(GROUP_V6, PORT, 0, interface.index);
        Self::new(socket, SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0), group.into(), interface)
    }

    fn new(
        socket: socket2::Socket,
        own: SocketAddr,
        group: SocketAddr,
        interface: &Interface,
    ) -> io::Result<Self> {
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&own.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, group, interface: interface.name.clone() })
    }

    /// Asks now and again, and hands on what comes, until it is dropped.
    async fn run(self, heard: mpsc::Sender<Heard>, apart: Duration) {
        tokio::join!(self.ask(apart.min(Duration::from_secs(1))), self.hear(&heard));
    }

    async fn ask(&self, apart: Duration) {
        for _ in 0..ROUNDS {
            for kind in message::KINDS {
                if let Err(error) = self.socket.send_to(message::probe(kind).as_bytes(), self.group).await {
                    tracing::info!("no search on {} at {}: {error}", self.interface, self.group);
                    return;
                }
                sleep(APART).await;
            }
            sleep(apart).await;
        }
    }

    async fn hear(&self, heard: &mpsc::Sender<Heard>) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match self.socket.recv_from(&mut buffer).await {
                Ok((length, from)) => {
                    let datagram = buffer.get(..length).unwrap_or_default().to_vec();
                    // Lost when the queue is full.
                    let _ = heard.try_send(Heard { datagram, from, interface: self.interface.clone() });
                }
                Err(error) => {
                    tracing::debug!("search on {}: {error}", self.interface);
                    sleep(UNREADABLE).await;
                }
            }
        }
    }
}
