//! A TCP connection whose every wait ends within a tick: connecting, reading and writing all go through
//! [`Socket::wait`], which asks the host every 200 ms whether it still wants the login, and knows the deadline.
//!
//! The socket is non-blocking and close-on-exec; no thread, no signal handler, no change of the host's mask.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, setsockopt, socket, sockopt,
    },
};

use crate::config::Endpoint;

/// Whether the host still wants the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wait on.
    Continue,
    /// Give the login up.
    Cancel,
}

/// Asked every 200 ms during a wait. Holds only what it owns: it is called from below the HTTP client.
pub type Tick = Arc<dyn Fn() -> Verdict + Send + Sync>;

/// How often a wait asks.
pub const TICK: Duration = Duration::from_millis(200);

/// A connected socket that behaves as if it blocked, until the tick or the deadline ends the wait.
pub(super) struct Socket {
    stream: TcpStream,
    tick: Tick,
    deadline: Instant,
}

/// The marker in an [`io::Error`] that says who ended the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    ByHost,
    ByDeadline,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ByHost => "given up by the host",
            Self::ByDeadline => "the time limit has passed",
        })
    }
}

impl std::error::Error for Ended {}

impl Ended {
    /// Whether an error, or one below it, is ours.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?;
        if let Some(ended) = inner.downcast_ref::<Self>() {
            return Some(*ended);
        }
        inner.downcast_ref::<io::Error>().and_then(Self::of)
    }

    // Not `Interrupted`: rustls and std retry on that kind for ever.
    fn error(self) -> io::Error {
        io::Error::other(self)
    }
}

impl Socket {
    /// Connects to the first address that accepts, giving each an even share of the time that is left.
    pub(super) fn connect(addresses: &[SocketAddr], tick: &Tick, deadline: Instant) -> io::Result<Self> {
        let mut failed = None;
        for (at, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let others = u32::try_from(addresses.len().saturating_sub(at)).unwrap_or(u32::MAX).max(1);
            let share = Instant::now().checked_add(left / others).unwrap_or(deadline);
            match Self::connect_one(address, tick, share) {
                Ok(socket) => return Ok(Self { deadline, ..socket }),
                Err(error) if Ended::of(&error) == Some(Ended::ByHost) => return Err(error),
                Err(error) => {
                    failed = Some(match failed {
                        Some(earlier) => telling(earlier, error),
                        None => error,
                    });
                }
            }
        }
        Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no address to connect to")))
    }

    fn connect_one(address: &SocketAddr, tick: &Tick, deadline: Instant) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, SockType::Stream, flags, None)?;
        // A wait of 80 s without a byte: keep state tables on the way from forgetting the connection.
        setsockopt(&fd, sockopt::KeepAlive, &true)?;
        setsockopt(&fd, sockopt::TcpKeepIdle, &20)?;
        setsockopt(&fd, sockopt::TcpKeepInterval, &10)?;
        setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
        let connected = connect(std::os::fd::AsRawFd::as_raw_fd(&fd), &SockaddrStorage::from(*address));
        let socket = Self { stream: TcpStream::from(fd), tick: Arc::clone(tick), deadline };
        match connected {
            Ok(()) => Ok(socket),
            Err(Errno::EINPROGRESS) => {
                socket.wait(PollFlags::POLLOUT)?;
                match getsockopt(&socket.stream, sockopt::SocketError)? {
                    0 => Ok(socket),
                    code => Err(io::Error::from_raw_os_error(code)),
                }
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// The one wait: until the socket is ready, the host gives up, or the deadline passes.
    fn wait(&self, readiness: PollFlags) -> io::Result<()> {
        loop {
            if (self.tick)() == Verdict::Cancel {
                return Err(Ended::ByHost.error());
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Ended::ByDeadline.error());
            }
            // At least one millisecond, or the last fraction of it would spin.
            let slice = left.min(TICK).max(Duration::from_millis(1));
            let timeout = PollTimeout::try_from(slice).unwrap_or(PollTimeout::from(200u8));
            let mut fds = [PollFd::new(self.stream.as_fd(), readiness)];
            match poll(&mut fds, timeout) {
                // An error or a hang-up counts as ready: the read or write that follows says which.
                Ok(1..) => return Ok(()),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn retry<T>(
        &mut self,
        readiness: PollFlags,
        mut act: impl FnMut(&mut TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            // A peer that always has a byte ready must not outrun the deadline.
            if Instant::now() >= self.deadline {
                return Err(Ended::ByDeadline.error());
            }
            match act(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(readiness)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    #[cfg(feature = "blocking")]
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

/// Asks the system's resolver, in this thread: how long it may take is resolv.conf's to say.
pub(super) fn resolve(target: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    (target.host.as_str(), target.port).to_socket_addrs().map(Iterator::collect)
}

/// Whether this host is what failed: whoever starts sudo decides how many descriptors and ports it has left.
pub(super) fn is_local(error: &io::Error) -> bool {
    use nix::libc::{EACCES, EADDRNOTAVAIL, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM};
    let ours = [EACCES, EADDRNOTAVAIL, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM];
    error.raw_os_error().is_some_and(|code| ours.contains(&code))
}

/// Which of the failures of two addresses tells why nobody was reached. Many a host has no way to any IPv6 address, and
/// that must not hide what became of the other: a lack of this host's own, or time that ran out, is no outage.
fn telling(one: io::Error, other: io::Error) -> io::Error {
    let weight = |error: &io::Error| (is_local(error), Ended::of(error).is_some());
    if weight(&one) > weight(&other) { one } else { other }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.retry(PollFlags::POLLIN, |stream| stream.read(buf))
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.retry(PollFlags::POLLOUT, |stream| stream.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("stream", &self.stream).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        os::fd::AsRawFd,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use nix::sys::socket::{Backlog, SockaddrIn, bind, listen};

    use super::*;

    fn patient() -> Tick {
        Arc::new(|| Verdict::Continue)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(300)
    }

    #[test]
    fn a_silent_peer_is_left_at_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut socket = Socket::connect(&[listener.local_addr().unwrap()], &patient(), soon()).unwrap();
        let error = socket.read(&mut [0; 1]).unwrap_err();
        assert_eq!(Ended::of(&error), Some(Ended::ByDeadline));
    }

    #[test]
    fn the_host_ends_a_wait_at_the_next_tick() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let tick: Tick = Arc::new(move || {
            if counter.fetch_add(1, Ordering::SeqCst) < 3 { Verdict::Continue } else { Verdict::Cancel }
        });
        let far = Instant::now() + Duration::from_secs(60);
        let mut socket = Socket::connect(&[listener.local_addr().unwrap()], &tick, far).unwrap();
        let error = socket.read(&mut [0; 1]).unwrap_err();
        assert_eq!(Ended::of(&error), Some(Ended::ByHost));
        assert!(Instant::now() < far);
    }

    #[test]
    fn an_address_that_no_network_leads_to_hides_nothing() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Whose queue is full takes nobody on, and does not say so either.
        let full = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(full.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        listen(&full, Backlog::new(0).unwrap()).unwrap();
        let full = TcpListener::from(full);
        let silent = full.local_addr().unwrap();
        let _queued: Vec<_> = (0..8)
            .filter_map(|_| TcpStream::connect_timeout(&silent, Duration::from_millis(50)).ok())
            .collect();
        for addresses in [[silent, closed], [closed, silent]] {
            let error = Socket::connect(&addresses, &patient(), soon()).unwrap_err();
            assert_eq!(Ended::of(&error), Some(Ended::ByDeadline), "{addresses:?}: {error}");
        }
        let (lack, refused) = (Errno::EADDRNOTAVAIL as i32, Errno::ENETUNREACH as i32);
        for (one, other) in [(lack, refused), (refused, lack)] {
            let errors = [one, other].map(io::Error::from_raw_os_error);
            let told = errors.into_iter().reduce(telling).unwrap();
            assert_eq!(told.raw_os_error(), Some(lack));
        }
        let told = telling(Ended::ByDeadline.error(), io::Error::from_raw_os_error(lack));
        assert_eq!(told.raw_os_error(), Some(lack));
    }

    #[test]
    fn the_next_address_is_tried_when_one_refuses() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        assert!(Socket::connect(&[closed, open], &patient(), soon()).is_ok());
        let error = Socket::connect(&[closed], &patient(), soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(Socket::connect(&[], &patient(), soon()).is_err());
    }

    #[test]
    fn a_peer_that_never_stops_sending_does_not_outrun_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sender = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            while peer.write_all(&[b'x'; 4096]).is_ok() {}
        });
        let mut socket = Socket::connect(&[address], &patient(), soon()).unwrap();
        let error = loop {
            if let Err(error) = socket.read(&mut [0; 64]) {
                break error;
            }
        };
        assert_eq!(Ended::of(&error), Some(Ended::ByDeadline));
        drop(socket);
        sender.join().unwrap();
    }
}
