//! One UDP socket: opened so that it holds a burst, read so that the address that was written to is known,
//! and written to so that the answer leaves from there.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsRawFd, OwnedFd},
    task::{Context, Poll},
};

use nix::{
    errno::Errno,
    libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo},
    sys::socket::{
        AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType,
        SockaddrStorage, bind, getsockopt, recvmsg, sendmsg, setsockopt, socket, sockopt,
    },
};
use tokio::{io::Interest, net::UdpSocket};

/// What a socket's queue is to hold: a burst of some 28,000 requests, where the kernel's default holds 193. It is
/// filled only while the loop is behind.
pub(super) const QUEUE: usize = 16 << 20;

/// A bound socket, registered with the runtime it was opened in.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UdpSocket,
    /// Where it is bound, with the port that the system chose if it was asked to.
    pub(super) bound: SocketAddr,
    /// What the system gave for [`QUEUE`].
    pub(super) queue: usize,
}

/// What came with a datagram beside its octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) length: usize,
    pub(super) from: SocketAddr,
    pub(super) to: Option<Source>,
    /// How many datagrams the kernel has dropped since the socket was opened, its queue being full.
    pub(super) overflowed: Option<u32>,
}

/// An address of this host: a request was sent to it, and the answer leaves from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    address: IpAddr,
    /// Only a link-local address needs it: it means something on one interface alone.
    interface: u32,
}

/// Where datagrams and what comes with them are read into.
#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) octets: Box<[u8]>,
    control: Vec<u8>,
}

impl Buffers {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            octets: vec![0; longest].into_boxed_slice(),
            control: nix::cmsg_space!(in_pktinfo, in6_pktinfo, u32),
        }
    }
}

impl Socket {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, SockType::Datagram, flags, SockProtocol::Udp)?;
        if address.is_ipv6() {
            // So that 0.0.0.0:1812 and [::]:1812 can be had side by side, on every host alike.
            setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
        }
        if address.ip().is_unspecified() {
            tell_destination(&fd, address)?;
        }
        setsockopt(&fd, sockopt::RxqOvfl, &1)?;
        let queue = widen(&fd)?;
        bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
        let socket = UdpSocket::from_std(fd.into())?;
        let bound = socket.local_addr()?;
        Ok(Self { socket, bound, queue })
    }

    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error is one of a runtime that ends: then there is nothing to wait for either.
        self.socket.poll_recv_ready(context).map(|_| ())
    }

    /// Takes the next datagram; `WouldBlock` if there is none.
    pub(super) fn receive(&self, buffers: &mut Buffers) -> io::Result<Arrival> {
        let fd = self.socket.as_raw_fd();
        self.socket.try_io(Interest::READABLE, || {
            let mut slices = [IoSliceMut::new(&mut buffers.octets)];
            let flags = MsgFlags::MSG_DONTWAIT;
            let control = Some(buffers.control.as_mut_slice());
            let message = recvmsg::<SockaddrStorage>(fd, &mut slices, control, flags)?;
            let (mut to, mut overflowed) = (None, None);
            for extra in message.cmsgs()? {
                match extra {
                    ControlMessageOwned::Ipv4PacketInfo(info) => to = Some(Source::of_v4(&info)),
                    ControlMessageOwned::Ipv6PacketInfo(info) => to = Some(Source::of_v6(&info)),
                    ControlMessageOwned::RxqOvfl(count) => overflowed = Some(count),
                    _ => {}
                }
            }
            let from = message.address.as_ref().and_then(remote).ok_or(Errno::EAFNOSUPPORT)?;
            Ok(Arrival { length: message.bytes, from, to, overflowed })
        })
    }

    /// Sends a datagram, from `source` if it is known. It does not wait: a full queue is an error.
    pub(super) fn send(&self, octets: &[u8], to: SocketAddr, source: Option<Source>) -> io::Result<()> {
        let fd = self.socket.as_raw_fd();
        let (octets, to) = ([IoSlice::new(octets)], SockaddrStorage::from(to));
        let send = |extra: &[ControlMessage<'_>]| {
            sendmsg(fd, &octets, extra, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL, Some(&to))
        };
        match source {
            None => send(&[]),
            Some(Source { address: IpAddr::V4(address), interface }) => {
                send(&[ControlMessage::Ipv4PacketInfo(&in_pktinfo {
                    ipi_ifindex: i32::try_from(interface).unwrap_or(0),
                    ipi_spec_dst: in_addr { s_addr: u32::from_ne_bytes(address.octets()) },
                    ipi_addr: in_addr { s_addr: 0 },
                })])
            }
            Some(Source { address: IpAddr::V6(address), interface }) => {
                send(&[ControlMessage::Ipv6PacketInfo(&in6_pktinfo {
                    ipi6_addr: in6_addr { s6_addr: address.octets() },
                    ipi6_ifindex: interface,
                })])
            }
        }?;
        Ok(())
    }
}

impl Source {
    fn of_v4(info: &in_pktinfo) -> Self {
        // The address that is ours: what was written to may have been a broadcast.
        let address = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
        let interface =
            if address.is_link_local() { u32::try_from(info.ipi_ifindex).unwrap_or(0) } else { 0 };
        Self { address: address.into(), interface }
    }

    fn of_v6(info: &in6_pktinfo) -> Self {
        let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
        let interface = if address.is_unicast_link_local() { info.ipi6_ifindex } else { 0 };
        Self { address: address.into(), interface }
    }
}

/// Asks for the address that each datagram was sent to. A socket bound to one address knows it without.
fn tell_destination(fd: &OwnedFd, address: SocketAddr) -> nix::Result<()> {
    if address.is_ipv4() {
        setsockopt(fd, sockopt::Ipv4PacketInfo, &true)
    } else {
        setsockopt(fd, sockopt::Ipv6RecvPacketInfo, &true)
    }
}

/// Makes the queue [`QUEUE`] octets long, or as long as this process may; gives its length.
fn widen(fd: &OwnedFd) -> nix::Result<usize> {
    // Past net.core.rmem_max only with CAP_NET_ADMIN.
    if setsockopt(fd, sockopt::RcvBufForce, &QUEUE).is_err() {
        setsockopt(fd, sockopt::RcvBuf, &QUEUE)?;
    }
    // The kernel doubles what it is asked for, to have room for its own bookkeeping, and says so.
    Ok(getsockopt(fd, sockopt::RcvBuf)? / 2)
}

fn remote(address: &SockaddrStorage) -> Option<SocketAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => Some(SocketAddr::V4((*v4).into())),
        (_, Some(v6)) => Some(SocketAddr::V6((*v6).into())),
        _ => None,
    }
}
