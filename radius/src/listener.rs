//! The sockets that packets come in by and answers go out by.
//!
//! ```text
//!   socket 0.0.0.0:1812 ──┬── door 0: 192.0.2.10        Peer { listener: 0, remote: 203.0.113.5:50123 }
//!                         └── door 1: 198.51.100.10          │
//!   socket [::1]:1812 ──────── door 2                        └─ which door: the answer leaves by it
//! ```
//!
//! A host with several addresses must answer from the one that was asked, or the client takes the answer for
//! somebody else's. A socket bound to a wildcard learns that address with each datagram, and each address that was
//! ever asked becomes a *door*: its number is all that the responder knows of sockets. A number is never
//! given twice, so an answer to a listener that a reload has closed goes nowhere instead of out of another.
//!
//! Sockets that a service manager has opened (`LISTEN_FDS`) are not taken over: a descriptor becomes a socket only by
//! `unsafe`, which this crate is without. RADIUS needs no privileged port, and its clients ask again after a restart.
//!
//! Nothing here waits or fails: a datagram that cannot be read or sent is counted, and the next is taken. What was
//! lost is asked for again by the client, and answered from what the responder has kept.

mod socket;

#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    net::SocketAddr,
    task::{Context, Poll},
};

use self::socket::{Arrival, Buffers, QUEUE, Socket, Source};
use crate::server::{Peer, Purpose};

/// The longest datagram that is read. RADIUS allows 4096 octets; what is longer is padding that nobody looks at.
const LONGEST: usize = 4096;
/// The most doors that are made: the addresses of a host, with room to spare. Past it an answer leaves from
/// whichever address the system chooses.
const DOORS_MAX: usize = 1024;
/// The queue below which the administrator is told.
const QUEUE_WANTED: usize = 1 << 20;

/// All listeners.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<Option<Listener>>,
    doors: Vec<Door>,
    buffers: Buffers,
    counts: Counts,
}

/// What happened to datagrams below the responder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that were read.
    pub received: u64,
    /// Datagrams that were sent.
    pub sent: u64,
    /// Reads that failed.
    pub receive_errors: u64,
    /// Answers that the system did not take.
    pub send_errors: u64,
    /// Answers to a listener that is gone.
    pub orphaned: u64,
    /// Datagrams that the kernel dropped because a queue was full.
    pub overflowed: u64,
}

/// Sockets that were opened for a new configuration and are not listened on yet.
#[derive(Debug, Default)]
pub struct Opened {
    sockets: Vec<Listener>,
    wanted: Vec<Address>,
}

/// A listener as the configuration has it; port 0 stays 0 here.
pub type Address = (SocketAddr, Purpose);

/// A listener could not be opened.
#[derive(Debug)]
pub struct CannotListen {
    address: SocketAddr,
    error: io::Error,
    /// The socket of ours that has the port.
    taken: Option<Taken>,
}

#[derive(Debug, Clone, Copy)]
enum Taken {
    Before(SocketAddr),
    JustNow(SocketAddr),
}

#[derive(Debug)]
struct Listener {
    configured: Address,
    socket: Socket,
    doors: Vec<(Option<Source>, usize)>,
    overflowed: u32,
}

#[derive(Debug, Clone, Copy)]
struct Door {
    socket: usize,
    source: Option<Source>,
}

impl fmt::Display for CannotListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: {}", self.address, self.error)?;
        match self.taken {
            Some(Taken::Before(other)) => {
                write!(f, "; this process listens on {other}, and lets go of that only when it is restarted")
            }
            Some(Taken::JustNow(other)) => write!(f, "; the configuration has {other} as well"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CannotListen {}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            sockets: Vec::new(),
            doors: Vec::new(),
            buffers: Buffers::new(LONGEST),
            counts: Counts::default(),
        }
    }
}

impl Listeners {
    /// Opens those of `addresses` that are not listened on yet. Nothing changes until [`Self::change_to`].
    ///
    /// # Errors
    /// An address that cannot be bound; those that were opened are closed again.
    pub fn open(&self, wanted: Vec<Address>) -> Result<Opened, CannotListen> {
        let mut sockets = Vec::new();
        for &configured in wanted.iter().filter(|a| !self.has(**a)) {
            let (address, _) = configured;
            let socket = Socket::open(address).map_err(|error| {
                let is_at = |l: &&Listener| l.socket.bound.port() == address.port();
                let before = self.open_ones().find(is_at).map(|l| Taken::Before(l.socket.bound));
                let just_now = || sockets.iter().find(is_at).map(|l| Taken::JustNow(l.socket.bound));
                let is_taken = error.kind() == io::ErrorKind::AddrInUse;
                CannotListen { address, error, taken: before.or_else(just_now).filter(|_| is_taken) }
            })?;
            sockets.push(Listener { configured, socket, doors: Vec::new(), overflowed: 0 });
        }
        Ok(Opened { sockets, wanted })
    }

    /// Listens on what `opened` was opened for, and on nothing else: sockets that are in both stay as they are,
    /// with all that waits in them.
    pub fn change_to(&mut self, opened: Opened) {
        for slot in &mut self.sockets {
            slot.take_if(|l| !opened.wanted.contains(&l.configured));
        }
        self.sockets.extend(opened.sockets.into_iter().map(Some));
    }

    fn has(&self, address: Address) -> bool {
        self.open_ones().any(|l| l.configured == address)
    }

    fn open_ones(&self) -> impl Iterator<Item = &Listener> {
        self.sockets.iter().flatten()
    }

    /// Where packets can be sent to, with the ports that the system chose.
    pub fn bound(&self) -> impl Iterator<Item = Address> {
        self.open_ones().map(|l| (l.socket.bound, l.configured.1))
    }

    /// What the administrator should know about sockets that are smaller than they should be.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.open_ones().filter(|l| l.socket.queue < QUEUE_WANTED).map(|l| {
            format!(
                "the queue of {} holds {} KiB instead of {} KiB, so a burst of logins may be cut: raise \
                 net.core.rmem_max to {QUEUE}, or give this process CAP_NET_ADMIN",
                l.socket.bound,
                l.socket.queue >> 10,
                QUEUE >> 10,
            )
        })
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Ready as soon as any listener may have a datagram.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut any = Poll::Pending;
        // All are asked, so that each will wake us.
        for listener in self.open_ones() {
            if listener.socket.poll_readable(context).is_ready() {
                any = Poll::Ready(());
            }
        }
        any
    }

    /// Hands over what has arrived, at most `share` datagrams of each listener: a flood on one keeps neither
    /// the others nor the rest of the loop waiting.
    pub fn receive(&mut self, share: usize, mut hand_over: impl FnMut(Peer, &[u8])) {
        let Self { sockets, doors, buffers, counts } = self;
        for (number, listener) in sockets.iter_mut().enumerate() {
            let Some(listener) = listener else { continue };
            for _ in 0..share {
                match listener.socket.receive(buffers) {
                    Ok(arrival) => {
                        counts.received += 1;
                        counts.overflowed += listener.newly_overflowed(&arrival);
                        let peer = Peer {
                            listener: listener.door(number, arrival.to, doors),
                            purpose: listener.configured.1,
                            remote: arrival.from,
                        };
                        hand_over(peer, buffers.octets.get(..arrival.length).unwrap_or_default());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // Of a datagram that is gone, or an answer that a client did not want: not of the socket.
                    Err(_) => counts.receive_errors += 1,
                }
            }
        }
    }

    /// Sends an answer by the door its request came in.
    pub fn send(&mut self, to: Peer, packet: &[u8]) {
        let door = self.doors.get(to.listener);
        let Some((door, Some(listener))) = door.and_then(|d| Some((d, self.sockets.get(d.socket)?))) else {
            self.counts.orphaned += 1;
            return;
        };
        match listener.socket.send(packet, to.remote, door.source) {
            Ok(()) => self.counts.sent += 1,
            Err(_) => self.counts.send_errors += 1,
        }
    }
}

impl Listener {
    /// The number of the door for datagrams to this address.
    fn door(&mut self, socket: usize, source: Option<Source>, doors: &mut Vec<Door>) -> usize {
        if let Some((_, number)) = self.doors.iter().find(|(s, _)| *s == source) {
            return *number;
        }
        let number = doors.len();
        if number < DOORS_MAX {
            doors.push(Door { socket, source });
            self.doors.push((source, number));
            return number;
        }
        // The plain door, made past the limit too: there is one per listener.
        match self.doors.iter().find(|(s, _)| s.is_none()) {
            Some((_, number)) => *number,
            None => {
                doors.push(Door { socket, source: None });
                self.doors.push((None, number));
                number
            }
        }
    }

    /// The kernel counts since the socket was opened, in 32 bits that wrap.
    fn newly_overflowed(&mut self, arrival: &Arrival) -> u64 {
        let Some(count) = arrival.overflowed else { return 0 };
        let new = count.wrapping_sub(self.overflowed);
        self.overflowed = count;
        new.into()
    }
}
