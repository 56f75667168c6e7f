//! The UDP sockets of the responder: they tell on which interface a datagram came, and send by it.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::interfaces::Interface;
use super::{GROUP_V4, GROUP_V6, PORT};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// A datagram that came in.
#[derive(Clone, Debug)]
pub struct Heard {
    pub from: SocketAddr,
    /// Index of the interface that it came by.
    pub interface: u32,
    /// The address of ours that it was sent to; `None` where that was the group.
    pub local: Option<IpAddr>,
    pub length: usize,
}

/// A socket on port 3702, beside others that want it as well.
#[derive(Debug)]
pub struct Socket {
    family: Family,
    socket: UdpSocket,
}

impl Socket {
    pub fn bind(family: Family) -> io::Result<Self> {
        let (domain, any): (_, IpAddr) = match family {
            Family::V4 => (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()),
            Family::V6 => (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()),
        };
        let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        match family {
            Family::V4 => {
                // Only what we have joined ourselves.
                socket.set_multicast_all_v4(false)?;
                setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            }
            Family::V6 => {
                socket.set_only_v6(true)?;
                socket.set_multicast_all_v6(false)?;
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            }
        }
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(any, PORT).into())?;
        Ok(Self { family, socket: UdpSocket::from_std(socket.into())? })
    }

    /// Listens to the group on an interface; no error where it does already.
    pub fn join(&self, interface: &Interface) -> io::Result<()> {
        let socket = socket2::SockRef::from(&self.socket);
        let joined = match self.family {
            Family::V4 if interface.ipv4().next().is_none() => return Ok(()),
            Family::V6 if !interface.has_ipv6() => return Ok(()),
            Family::V4 => {
                socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(interface.index))
            }
            Family::V6 => socket.join_multicast_v6(&GROUP_V6, interface.index),
        };
        joined.or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Ok(()),
            _ => Err(error),
        })
    }

    /// The next datagram, of which `buffer` holds as much as fits.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        self.socket.async_io(Interest::READABLE, || self.take(buffer)).await
    }

    fn take(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        let mut control = nix::cmsg_space!(in_pktinfo, in6_pktinfo);
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::empty(),
        )?;
        let from = message.address.as_ref().and_then(sender);
        let info = message.cmsgs()?.find_map(|control| arrival(&control));
        let (Some(from), Some((interface, to))) = (from, info) else {
            return Err(io::Error::other("a datagram without addresses"));
        };
        let local = (!to.is_multicast()).then_some(to);
        Ok(Heard { from, interface, local, length: message.bytes })
    }

    /// Answers a datagram by the interface that it came by, and from the address that it was sent to.
    pub fn answer(&self, text: &str, to: &Heard) -> io::Result<()> {
        self.send(text, to.from, to.interface, to.local)
    }

    /// Tells the group on an interface.
    pub fn announce(&self, text: &str, interface: &Interface) -> io::Result<()> {
        let group: SocketAddr = match self.family {
            Family::V4 if interface.ipv4().next().is_none() => return Ok(()),
            Family::V6 if !interface.has_ipv6() => return Ok(()),
            Family::V4 => (GROUP_V4, PORT).into(),
            Family::V6 => SocketAddrV6::new(GROUP_V6, PORT, 0, interface.index).into(),
        };
        let own = interface.ipv4().next().filter(|_| self.family == Family::V4);
        self.send(text, group, interface.index, own.map(IpAddr::V4))
    }

    /// Without waiting: what the kernel has no room for is lost, as on the wire.
    fn send(&self, text: &str, to: SocketAddr, interface: u32, own: Option<IpAddr>) -> io::Result<()> {
        let v4 = in_pktinfo {
            ipi_ifindex: i32::try_from(interface).unwrap_or_default(),
            ipi_spec_dst: in_addr { s_addr: own.and_then(v4_bits).unwrap_or_default() },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let v6 = in6_pktinfo {
            ipi6_addr: in6_addr { s6_addr: own.and_then(v6_octets).unwrap_or_default() },
            ipi6_ifindex: interface,
        };
        let by = match self.family {
            Family::V4 => ControlMessage::Ipv4PacketInfo(&v4),
            Family::V6 => ControlMessage::Ipv6PacketInfo(&v6),
        };
        let to = SockaddrStorage::from(to);
        let parts = [IoSlice::new(text.as_bytes())];
        sendmsg(self.socket.as_raw_fd(), &parts, &[by], MsgFlags::empty(), Some(&to))?;
        Ok(())
    }
}

fn v4_bits(ip: IpAddr) -> Option<u32> {
    match ip {
        IpAddr::V4(v4) => Some(u32::from_ne_bytes(v4.octets())),
        IpAddr::V6(_) => None,
    }
}

fn v6_octets(ip: IpAddr) -> Option<[u8; 16]> {
    match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(v6.octets()),
    }
}

fn sender(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from(*v4));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from(*v6)))
}

/// Index of the interface, and where the datagram was sent to.
fn arrival(control: &ControlMessageOwned) -> Option<(u32, IpAddr)> {
    match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            let to = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
            Some((u32::try_from(info.ipi_ifindex).ok()?, to.into()))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            Some((info.ipi6_ifindex, Ipv6Addr::from(info.ipi6_addr.s6_addr).into()))
        }
        _ => None,
    }
}
