//! One question to the kernel about one TCP socket, by sock_diag(7): its answer has 88 bytes that matter, on a
//! host with ten connections as on one with a hundred thousand.
//!
//! ```text
//!  question   nlmsghdr (16) │ family, protocol, what else to tell, states (8) │ socket id (48)
//!  answer     nlmsghdr (16) │ family, state, timer, retransmissions (4) │ socket id (48) │ ... inode │ attributes
//!          or nlmsghdr (16) │ error number (4) │ ...
//!
//!  socket id  local port, remote port (2 + 2, big-endian) │ local, remote address (16 + 16) │ interface │ cookie (8)
//! ```
//!
//! The kernel answers before `send` returns, so nothing here waits.

#![forbid(unsafe_code)]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsRawFd, OwnedFd},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recv, send, socket,
    },
};

use super::{Connection, Identity, Look, Socket};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const TCP_ESTABLISHED: u8 = 1;
/// In place of a cookie: whichever socket has these ends.
const ANY: u64 = u64::MAX;

const QUESTION: u32 = 72;
/// More than the attributes that come behind an answer; what does not fit is cut off, and not missed.
const BUFFER: usize = 1024;
/// Answers to earlier questions, of which there should be none.
const MOST_ANSWERS: u32 = 4;

/// A way to ask the kernel. It closes with this value.
pub(super) struct SockDiag {
    netlink: OwnedFd,
    asked: AtomicU32,
}

impl SockDiag {
    /// None where it is refused: by SELinux, by a filter of system calls, or by a kernel that was built without.
    pub(super) fn open() -> Option<Self> {
        let protocol = SockProtocol::NetlinkSockDiag;
        let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).ok()?;
        // Connected to the kernel, it hears nobody else.
        connect(netlink.as_raw_fd(), &NetlinkAddr::new(0, 0)).ok()?;
        Some(Self { netlink, asked: AtomicU32::new(0) })
    }

    /// The socket of this connection; with a cookie, that very one, and not a later one between the same ends.
    pub(super) fn look(&self, connection: &Connection, identity: Option<Identity>) -> Look {
        let cookie = match identity {
            Some(Identity::Cookie(cookie)) => cookie,
            Some(Identity::Inode(_)) | None => ANY,
        };
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.ask(&question(connection, cookie, number), number) {
            Some(Answer::Told { ends, socket }) if ends == (connection.local, connection.remote) => {
                Look::Found(socket)
            }
            // Where nothing has these ends, the kernel tells of the socket that listens at the local one.
            Some(Answer::Told { .. } | Answer::Refused(Errno::ENOENT | Errno::ESTALE)) => Look::Absent,
            Some(Answer::Refused(_)) | None => Look::Unknown,
        }
    }

    fn ask(&self, question: &[u8], number: u32) -> Option<Answer> {
        let netlink = self.netlink.as_raw_fd();
        send(netlink, question, MsgFlags::MSG_DONTWAIT).ok()?;
        let mut buffer = [0; BUFFER];
        (0..MOST_ANSWERS).find_map(|_| {
            let length = recv(netlink, &mut buffer, MsgFlags::MSG_DONTWAIT).ok()?;
            answer(buffer.get(..length)?, number)
        })
    }
}

fn question(connection: &Connection, cookie: u64, number: u32) -> Vec<u8> {
    let Connection { local, remote } = connection;
    let family = if local.is_ipv4() && remote.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut bytes = Vec::with_capacity(QUESTION as usize);
    bytes.extend(QUESTION.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend([0; 4]); // from whom: the kernel knows
    bytes.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes()); // in any state
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(remote.port().to_be_bytes());
    bytes.extend(octets(local.ip(), family));
    bytes.extend(octets(remote.ip(), family));
    bytes.extend([0; 4]); // by any interface
    bytes.extend((cookie as u32).to_ne_bytes());
    bytes.extend(((cookie >> 32) as u32).to_ne_bytes());
    bytes
}

/// An IPv4 address stands in the first four octets, or mapped where the other end is none.
fn octets(address: IpAddr, family: libc::c_int) -> [u8; 16] {
    match address {
        IpAddr::V4(address) if family == libc::AF_INET => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The local and the remote end, and what is told of them.
    Told {
        ends: (SocketAddr, SocketAddr),
        socket: Socket,
    },
    Refused(Errno),
}

/// The answer to the question of that number; None if this is none.
fn answer(bytes: &[u8], number: u32) -> Option<Answer> {
    if word(bytes, 8)? != number {
        return None;
    }
    match u16::from_ne_bytes(array(bytes, 4)?) {
        NLMSG_ERROR => {
            Some(Answer::Refused(Errno::from_raw(i32::from_ne_bytes(array(bytes, 16)?).checked_neg()?)))
        }
        SOCK_DIAG_BY_FAMILY => told(bytes),
        _ => None,
    }
}

fn told(bytes: &[u8]) -> Option<Answer> {
    let [family, state] = array(bytes, 16)?;
    let end = |port, address| {
        let port = u16::from_be_bytes(array(bytes, port)?);
        let address = match libc::c_int::from(family) {
            libc::AF_INET => IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, address)?)),
            // An IPv4 address that an IPv6 socket serves: SSH_CONNECTION has it as the IPv4 address.
            libc::AF_INET6 => Ipv6Addr::from(array::<16>(bytes, address)?).to_canonical(),
            _ => return None,
        };
        Some(SocketAddr::new(address, port))
    };
    let ends = (end(20, 24)?, end(22, 40)?);
    let cookie = u64::from(word(bytes, 60)?) | u64::from(word(bytes, 64)?) << 32;
    // Without an inode no process holds it, and what is left of it in the kernel gets a cookie of its own.
    let is_held = word(bytes, 84)? != 0;
    let identity = (is_held && cookie != 0 && cookie != ANY).then_some(Identity::Cookie(cookie));
    Some(Answer::Told { ends, socket: Socket { is_established: state == TCP_ESTABLISHED, identity } })
}

/// A word as the CPU has it.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    fn connection(local: &str, remote: &str) -> Connection {
        Connection { local: local.parse().unwrap(), remote: remote.parse().unwrap() }
    }

    /// The kernel's answer about a connection from 192.0.2.7:4711 to 192.0.2.1:22, with the cookie 2^32 + 5.
    fn bytes(state: u8, inode: u32) -> Vec<u8> {
        let mut bytes = question(&connection("192.0.2.1:22", "192.0.2.7:4711"), (1 << 32) + 5, 9);
        let id = bytes.split_off(24);
        bytes.truncate(16);
        bytes.extend([libc::AF_INET as u8, state, 0, 0]);
        bytes.extend(id);
        bytes.extend([0; 16]);
        bytes.extend(inode.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_question_has_the_length_that_it_claims() {
        for (local, remote) in
            [("192.0.2.1:22", "192.0.2.7:1"), ("[::1]:22", "[::1]:1"), ("[::1]:22", "1.1.1.1:1")]
        {
            assert_eq!(question(&connection(local, remote), ANY, 0).len(), QUESTION as usize);
        }
    }

    #[test]
    fn an_answer_is_read() {
        let ends = ("192.0.2.1:22".parse().unwrap(), "192.0.2.7:4711".parse().unwrap());
        let cookie = Some(Identity::Cookie((1 << 32) + 5));
        for (state, inode, is_established, identity) in
            [(1, 77, true, cookie), (8, 77, false, cookie), (6, 0, false, None)]
        {
            let expected = Answer::Told { ends, socket: Socket { is_established, identity } };
            assert_eq!(answer(&bytes(state, inode), 9), Some(expected), "state {state}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_or_another_s_is_none() {
        let whole = bytes(1, 77);
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length], 9), None, "{length} bytes");
        }
        assert_eq!(answer(&whole, 8), None);
        let mut odd = whole.clone();
        odd[4] = 3;
        assert_eq!(answer(&odd, 9), None, "of an unknown kind");
        let mut odd = whole;
        odd[16] = libc::AF_UNIX as u8;
        assert_eq!(answer(&odd, 9), None, "of an unknown family");
    }

    #[test]
    fn an_error_is_read() {
        let mut bytes = bytes(1, 77);
        bytes[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        for (number, expected) in [
            (-libc::ENOENT, Some(Answer::Refused(Errno::ENOENT))),
            (i32::MAX, Some(Answer::Refused(Errno::UnknownErrno))),
            (i32::MIN, None),
        ] {
            bytes[16..20].copy_from_slice(&number.to_ne_bytes());
            assert_eq!(answer(&bytes, 9), expected, "{number}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a second process is what is tested")]
    fn nothing_stays_open_and_nothing_goes_to_a_child() {
        let kernel = SockDiag::open().unwrap();
        let path = format!("/proc/self/fd/{}", kernel.netlink.as_raw_fd());
        let own = fs::read_link(&path).unwrap();
        let of_child = Command::new("readlink").arg(&path).output().unwrap();
        assert_ne!(String::from_utf8_lossy(&of_child.stdout).trim_end(), own.to_str().unwrap());
        drop(kernel);
        let open = fs::read_dir("/proc/self/fd").unwrap();
        assert!(!open.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok()).any(|link| link == own));
    }
}
