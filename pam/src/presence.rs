//! Whether the person is still there, asked every 200 ms of a wait.
//!
//! Two hosts leave the module in the dark, and a push that nobody waits for would ring on:
//!
//! - sshd does not tell that its client has gone. The kernel knows: the connection of SSH_CONNECTION is no
//!   longer ESTABLISHED, or no longer in its table.
//! - sudo blocks SIGINT and the like during PAM, so that Ctrl-C does nothing. A blocked signal is pending, which
//!   can be seen without a handler or a change of the mask.
//!
//! What cannot be seen is no reason to stop: without SSH_CONNECTION, without the table, or where the connection
//! was not in it at the beginning, the wait goes on to its deadline.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the kernel's table of connections is a file")]

use std::{
    fs,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mobileid::driver::{Tick, TickVerdict};

use crate::ffi;

/// The table is long on a busy host: it is read at every third tick, so a client that goes is noticed in 600 ms.
const TICKS_PER_LOOK: u32 = 3;

/// The watch for a login from `ssh_connection` (as sshd writes it), or a local one.
pub(crate) fn watch(ssh_connection: Option<&str>) -> Tick {
    let connection = ssh_connection.and_then(Connection::parse);
    let begins = connection.as_ref().map_or(State::Unknown, Connection::state);
    let ticks = AtomicU32::new(0);
    Arc::new(move || {
        let looks = ticks.fetch_add(1, Ordering::Relaxed).is_multiple_of(TICKS_PER_LOOK);
        let gone = match (begins, &connection) {
            // Whoever sends the password and leaves is gone before the watch begins.
            (State::Ending, _) => true,
            (State::Established, Some(connection)) if looks => {
                matches!(connection.state(), State::Ending | State::Absent)
            }
            _ => false,
        };
        if gone || ffi::interrupt_is_pending() { TickVerdict::Cancel } else { TickVerdict::Continue }
    })
}

/// What the kernel says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Both ends speak.
    Established,
    /// One end has closed it.
    Ending,
    /// It is not in the table: reset, or never seen from here.
    Absent,
    /// The table cannot be read.
    Unknown,
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
        let mut end = || Some(SocketAddr::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?));
        let (remote, local) = (end()?, end()?);
        words.next().is_none().then_some(Self { local, remote })
    }

    fn state(&self) -> State {
        let mut state = State::Absent;
        for path in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            match fs::read_to_string(path) {
                Ok(table) => state = self.state_in(&table).unwrap_or(state),
                // Where IPv6 is switched off there is no such table.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => return State::Unknown,
            }
        }
        state
    }

    /// The state in a table in the form of proc_net_tcp: 01 is ESTABLISHED.
    fn state_in(&self, table: &str) -> Option<State> {
        table.lines().find_map(|line| {
            let mut columns = line.split_ascii_whitespace().skip(1);
            let ends = (columns.next().and_then(end_of)?, columns.next().and_then(end_of)?);
            let state = if columns.next()? == "01" { State::Established } else { State::Ending };
            (ends == (self.local, self.remote)).then_some(state)
        })
    }
}

/// `0100007F:0016`: each 32-bit word of the address as the CPU has it, and the port. An IPv4 address that an
/// IPv6 socket serves is given as the IPv4 address, as SSH_CONNECTION has it.
fn end_of(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at.checked_add(8)?)?, 16).ok();
    let octets = |at| word(at).map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(octets(0)?)),
        32 => {
            let [a, b, c, d] = [octets(0)?, octets(8)?, octets(16)?, octets(24)?];
            let mut all = [0; 16];
            all.iter_mut().zip([a, b, c, d].concat()).for_each(|(to, from)| *to = from);
            IpAddr::V6(Ipv6Addr::from(all)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_read_as_sshd_writes_it() {
        let connection = Connection::parse("192.0.2.7 4711 192.0.2.1 22").unwrap();
        assert_eq!(connection.remote, "192.0.2.7:4711".parse().unwrap());
        assert_eq!(connection.local, "192.0.2.1:22".parse().unwrap());
        assert!(Connection::parse("2001:db8::7 1 ::1 22").is_some());
        for odd in [
            "",
            "192.0.2.7 4711 192.0.2.1",
            "a 1 b 2",
            "192.0.2.7 4711 192.0.2.1 22 x",
            "1.1.1.1 99999 1.1.1.1 1",
        ] {
            assert_eq!(Connection::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn ends_are_read_as_the_kernel_writes_them() {
        if cfg!(target_endian = "little") {
            assert_eq!(end_of("0100007F:0016"), "127.0.0.1:22".parse().ok());
            assert_eq!(end_of("00000000000000000000000001000000:0016"), "[::1]:22".parse().ok());
            assert_eq!(end_of("0000000000000000FFFF00000100007F:0016"), "127.0.0.1:22".parse().ok());
        }
        for odd in ["", ":", "0100007F", "0100007F:", "0100007:0016", "0100007G:0016", "é100007F:0016"] {
            assert_eq!(end_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_end_of_a_connection_is_seen() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, remote) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            let text = format!("{} {} {} {}", remote.ip(), remote.port(), local.ip(), local.port());
            let tick = watch(Some(&text));
            let patience = || (0..TICKS_PER_LOOK).all(|_| tick() == TickVerdict::Continue);
            assert!(patience());
            drop(client);
            // The server still holds its end, as sshd does. The kernel hears of the close in its own time.
            while patience() {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn who_left_before_the_watch_began_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, remote) = listener.accept().unwrap();
        let connection = Connection { local: server.local_addr().unwrap(), remote };
        drop(client);
        while connection.state() == State::Established {
            std::thread::yield_now();
        }
        let local = connection.local;
        let text = format!("{} {} {} {}", remote.ip(), remote.port(), local.ip(), local.port());
        assert_eq!(watch(Some(&text))(), TickVerdict::Cancel);
    }

    #[test]
    fn what_was_never_seen_ends_nothing() {
        for text in [None, Some("nonsense"), Some("192.0.2.7 4711 192.0.2.1 22")] {
            let tick = watch(text);
            assert!((0..9).all(|_| tick() == TickVerdict::Continue), "{text:?}");
        }
    }
}
