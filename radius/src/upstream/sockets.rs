//! The loop that touches the world: sockets and clocks around [`Exchanges`].
//!
//! Each question is a future of its own, which sends and waits. Each source port has a task that receives. They meet
//! in one lock, which is held for no longer than a look at a packet. A socket is connected, so the kernel hands over
//! only what comes from its server's address and port.

use std::{
    collections::HashMap,
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::{net::UdpSocket, sync::oneshot, task::AbortHandle, time::timeout_at};

use super::{
    Answer, Ask,
    exchanges::{Counters, Exchanges, Key, Lane, Step},
};
use crate::{authenticator::Authenticator, packet::LONGEST};

/// Asks upstream servers. One for the whole process will do; dropping it closes its sockets.
pub struct Upstreams {
    shared: Arc<Shared>,
    random: SystemRandom,
}

struct Shared {
    state: Mutex<State>,
    tell: Box<dyn Fn(String) + Send + Sync>,
}

#[derive(Default)]
struct State {
    exchanges: Exchanges,
    waiting: HashMap<Key, oneshot::Sender<Answer>>,
    ports: HashMap<Lane, Port>,
}

struct Port {
    socket: Arc<UdpSocket>,
    receiver: AbortHandle,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Upstreams {
    /// Without a socket yet. `tell` takes lines for the administrator: a server does not answer, or does again.
    pub fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        let shared = Shared { state: Mutex::default(), tell: Box::new(tell) };
        Self { shared: Arc::new(shared), random: SystemRandom::new() }
    }

    /// Asks, and waits for the answer at most as long as the upstream's timeout, tries and servers make. Dropping
    /// the future ends the question.
    pub async fn ask(&self, ask: Ask) -> Answer {
        let (sender, mut receiver) = oneshot::channel();
        let Some(authenticator) = self.authenticator() else { return no_randomness() };
        let (key, mut step) = {
            let mut state = self.shared.state();
            let (key, step) = state.exchanges.begin(ask, Instant::now(), authenticator);
            state.waiting.insert(key, sender);
            (key, step)
        };
        let _forget = Forget { shared: &self.shared, key };
        loop {
            let (lane, octets, until) = match step {
                Step::Done(answer) => return answer,
                Step::Send { lane, octets, until } => (lane, octets, until),
            };
            let sent = self.send(lane, &octets).await.is_ok();
            if sent && let Ok(answer) = timeout_at(until.into(), &mut receiver).await {
                return answer
                    .unwrap_or_else(|_| Answer::Silent("the upstream sockets were closed".to_owned()));
            }
            let Some(authenticator) = self.authenticator() else { return no_randomness() };
            let now = Instant::now();
            let next = self.shared.with(|state| match sent {
                true => state.exchanges.overdue(key, now, authenticator),
                false => state.exchanges.unreachable(key, now, authenticator),
            });
            step = match next {
                Some(next) => next,
                // Answered while we were on our way here.
                None => match receiver.try_recv() {
                    Ok(answer) => Step::Done(answer),
                    Err(_) => Step::Done(Answer::Silent("the question was lost".to_owned())),
                },
            };
        }
    }

    /// How many questions are under way.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.state().exchanges.pending()
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        *self.shared.state().exchanges.counters()
    }

    async fn send(&self, lane: Lane, octets: &[u8]) -> io::Result<()> {
        let socket = self.socket(lane)?;
        // The error of an earlier packet (its server's port was closed) is reported instead of sending this one.
        match socket.send(octets).await {
            Ok(_) => Ok(()),
            Err(_) => socket.send(octets).await.map(drop).or_else(|error| match error.kind() {
                // It may be starting: that is what the tries are for.
                io::ErrorKind::ConnectionRefused => Ok(()),
                _ => Err(error),
            }),
        }
    }

    fn socket(&self, lane: Lane) -> io::Result<Arc<UdpSocket>> {
        let mut state = self.shared.state();
        if let Some(port) = state.ports.get(&lane) {
            return Ok(Arc::clone(&port.socket));
        }
        let socket = Arc::new(connected(lane.server)?);
        let receiver = tokio::spawn(receive(Arc::clone(&socket), lane, Arc::downgrade(&self.shared)));
        let port = Port { socket: Arc::clone(&socket), receiver: receiver.abort_handle() };
        state.ports.insert(lane, port);
        Ok(socket)
    }

    fn authenticator(&self) -> Option<Authenticator> {
        let mut authenticator = [0; 16];
        self.random.fill(&mut authenticator).ok().map(|()| authenticator)
    }
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstreams({} pending)", self.pending())
    }
}

fn no_randomness() -> Answer {
    Answer::Silent("the system has no randomness".to_owned())
}

fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Hands what comes on a lane to the question that it answers, until the sockets are closed.
async fn receive(socket: Arc<UdpSocket>, lane: Lane, shared: std::sync::Weak<Shared>) {
    // One more than the longest packet, so that a longer one shows.
    let mut buffer = vec![0; LONGEST.saturating_add(1)];
    loop {
        let received = socket.recv(&mut buffer).await;
        let Some(shared) = shared.upgrade() else { return };
        match received {
            Ok(length) => shared.deliver(lane, buffer.get(..length).unwrap_or_default()),
            // The server's port is closed. Its questions run out.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            // Nothing that is known to happen; not a reason to spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, lane: Lane, octets: &[u8]) {
        self.with(|state| {
            // What was dropped is counted.
            if let Ok((key, answer)) = state.exchanges.datagram(lane, octets, Instant::now())
                && let Some(sender) = state.waiting.remove(&key)
            {
                // Nobody waits any more: the future was dropped this instant.
                let _ = sender.send(answer);
            }
        });
    }

    /// Does something under the lock, and tells what came of it without.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, news) = {
            let mut state = self.state();
            (change(&mut state), state.exchanges.news())
        };
        for line in news {
            (self.tell)(line.to_string());
        }
        result
    }
}

/// Ends a question when its future is dropped, and cleans up after one that has ended.
struct Forget<'a> {
    shared: &'a Shared,
    key: Key,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.exchanges.forget(self.key);
        state.waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests;
