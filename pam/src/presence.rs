//! Whether the person is still there, asked every 200 ms of a wait; and which connection it is.
//!
//! Two hosts leave the module in the dark, and a push that nobody waits for would ring on:
//!
//! - sshd does not tell that its client has gone. The kernel knows: the connection of SSH_CONNECTION is no
//!   longer ESTABLISHED, or no longer there.
//! - sudo blocks SIGINT and the like during PAM, so that Ctrl-C does nothing. A blocked signal is pending, which
//!   can be seen without a handler or a change of the mask.
//!
//! ```text
//!  SSH_CONNECTION ──> Connection ──> View ──┬─> sock_diag   one question about this one socket, at every tick
//!   "192.0.2.7 4711                         │       refused, or not known there
//!    192.0.2.1 22"                          └─> table       /proc/net/tcp from end to end, at every third tick
//! ```
//!
//! What cannot be seen is no reason to stop: without SSH_CONNECTION, or where the connection was in neither
//! place at the beginning, the wait goes on to its deadline.
//!
//! The same look gives the connection its [`identity`]. Addresses and ports do not: the next connection may
//! have the same four, and must not be taken for the one that was confirmed.

#![forbid(unsafe_code)]

mod sock_diag;
mod table;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mobileid::driver::{Tick, TickVerdict};

use self::sock_diag::SockDiag;
use crate::ffi;

/// The table is long on a busy host: it is read at every third tick, so a client that goes is noticed in 600 ms.
const TICKS_PER_READING: u32 = 3;

/// The watch for a login from `ssh_connection` (as sshd writes it), or a local one.
pub(crate) fn watch(ssh_connection: Option<&str>) -> Tick {
    let view = ssh_connection.and_then(Connection::parse).and_then(View::of);
    Arc::new(move || {
        let gone = view.as_ref().is_some_and(View::is_gone);
        if gone || ffi::interrupt_is_pending() { TickVerdict::Cancel } else { TickVerdict::Continue }
    })
}

/// What no other socket of this host has had or will have before it boots again, as a text. None where the
/// connection cannot be seen, or no process holds it any more.
pub(crate) fn identity(ssh_connection: &str) -> Option<String> {
    let view = View::of(Connection::parse(ssh_connection)?)?;
    view.socket.identity.map(|identity| identity.to_string())
}

/// A connection that was seen, and the way in which it was.
struct View {
    connection: Connection,
    socket: Socket,
    way: Way,
}

enum Way {
    Asking(SockDiag),
    Reading { ticks: AtomicU32 },
}

impl View {
    /// None where there is nothing to be seen of it.
    fn of(connection: Connection) -> Option<Self> {
        if let Some(kernel) = SockDiag::open()
            && let Look::Found(socket) = kernel.look(&connection, None)
        {
            return Some(Self { connection, socket, way: Way::Asking(kernel) });
        }
        match table::look(&connection) {
            Look::Found(socket) => {
                Some(Self { connection, socket, way: Way::Reading { ticks: AtomicU32::new(0) } })
            }
            Look::Absent | Look::Unknown => None,
        }
    }

    fn is_gone(&self) -> bool {
        match &self.way {
            Way::Asking(kernel) => !self.goes_on(kernel.look(&self.connection, self.socket.identity)),
            Way::Reading { ticks } => {
                let looks = ticks.fetch_add(1, Ordering::Relaxed).is_multiple_of(TICKS_PER_READING);
                // Rows that go while the table is read may hide one that stays: what it lacks is looked for twice.
                let goes_on = || self.goes_on(table::look(&self.connection));
                looks && !goes_on() && !goes_on()
            }
        }
    }

    /// Whether it is still this socket, and both ends speak.
    fn goes_on(&self, look: Look) -> bool {
        match look {
            Look::Found(socket) => socket.is_established && socket.identity == self.socket.identity,
            Look::Absent => false,
            Look::Unknown => true,
        }
    }
}

/// What one look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Found(Socket),
    /// There is no such connection: reset, or never seen from here.
    Absent,
    /// The kernel does not say.
    Unknown,
}

/// This host's end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    /// Both ends speak. Otherwise one has closed it.
    is_established: bool,
    identity: Option<Identity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// A number that the kernel gives to a socket when it is first asked for it, and never again.
    Cookie(u64),
    /// A number from a counter of 32 bits, which comes round after four thousand million sockets and pipes.
    Inode(u32),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(cookie) => write!(f, "cookie:{cookie}"),
            Self::Inode(inode) => write!(f, "inode:{inode}"),
        }
    }
}

/// A TCP connection of this host.
#[derive(Debug, PartialEq, Eq)]
struct Connection {
    local: SocketAddr,
    remote: SocketAddr,
}

impl Connection {
    /// `client address, client port, server address, server port`, separated by blanks (ssh(1)).
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut end = || Some(SocketAddr::new(address(words.next()?)?, words.next()?.parse().ok()?));
        let (remote, local) = (end()?, end()?);
        words.next().is_none().then_some(Self { local, remote })
    }
}

/// A link-local address has its interface behind it: `fe80::1%eth0`. The kernel is asked without that and then
/// knows no such socket; the table has no interfaces and shows it.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let (address, _) = text.split_once('%').unwrap_or((text, ""));
    address.parse().ok()
}
