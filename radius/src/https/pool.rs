//! The connections that are open: which of them a request may use, and whose turn it is to open another.
//!
//! ```text
//!            add ──> in use ── answered 200 ──> idle ── taken within 6 s ──> in use
//!  HTTP/1.1             │                        └───── 6 s ──> closed
//!                       └── anything else ──> closed
//!
//!  HTTP/2    add ──> shared by up to a hundred ── nobody for 6 s, or closed by the service ──> closed
//! ```
//!
//! The service keeps an idle connection for 10 s. A request that is written just as the other side closes is lost,
//! and one that may not be repeated is then a login that failed: so nothing is trusted for the whole 10 s.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hyper::client::conn::{http1, http2};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Body, connect::Opened};

/// How long an idle connection is trusted to be open at the other end.
const TRUSTED: Duration = Duration::from_secs(6);
/// How many idle connections are kept. After a crowd has been served, the rest is closed.
const IDLE_MAX: usize = 256;
/// How many requests share an HTTP/2 connection, where the service does not allow fewer.
const STREAMS_MAX: usize = 100;

/// How many connections may be opened at once. A handshake is a millisecond's work on both sides and a few round
/// trips of waiting: this many keep the line busy, and a crowd of thousands does not time itself out.
const TURNS_HTTP1: usize = 256;
/// Each has room for a hundred requests.
const TURNS_HTTP2: usize = 8;

/// The open connections.
pub(super) struct Pool {
    open: Mutex<Open>,
    /// Something can be used that could not be used before.
    freed: Notify,
    turns: Turns,
}

/// Until it is known what the service speaks, one connection is opened and all others wait to see.
struct Turns {
    unknown: Semaphore,
    http1: Semaphore,
    http2: Semaphore,
}

#[derive(Default)]
struct Open {
    spoken: Spoken,
    idle: Vec<Idle>,
    shared: Vec<SharedByMany>,
    last_id: u64,
    is_swept: bool,
}

/// What the service spoke on the last connection.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Spoken {
    #[default]
    Unknown,
    Http1,
    Http2,
}

struct Idle {
    send: http1::SendRequest<Body>,
    since: Instant,
}

struct SharedByMany {
    id: u64,
    send: http2::SendRequest<Body>,
    streams: usize,
    room: usize,
    /// When it was last given or given back.
    since: Instant,
}

/// What a request gets.
pub(super) enum Taken<'a> {
    Link(Link),
    /// Nothing is open that it could use: it may open a connection.
    Turn(SemaphorePermit<'a>),
}

/// A connection for one request.
pub(super) enum Link {
    Own(Own),
    Shared(Shared),
}

/// An HTTP/1.1 connection, closed on drop unless it is given back.
pub(super) struct Own {
    pub(super) send: http1::SendRequest<Body>,
    used: Option<Instant>,
}

/// A share of an HTTP/2 connection.
pub(super) struct Shared {
    pub(super) send: http2::SendRequest<Body>,
    used: Option<Instant>,
    id: u64,
    pool: Arc<Pool>,
}

impl Link {
    /// When the connection was last used; none for a new one.
    pub(super) fn used(&self) -> Option<Instant> {
        match self {
            Self::Own(own) => own.used,
            Self::Shared(shared) => shared.used,
        }
    }

    /// Which of the shared connections it is, if it is one.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Own(_) => None,
            Self::Shared(shared) => Some(shared.id),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut open = self.pool.lock();
        if let Some(shared) = open.shared.iter_mut().find(|shared| shared.id == self.id) {
            shared.streams = shared.streams.saturating_sub(1);
            shared.since = Instant::now();
        }
        drop(open);
        self.pool.freed.notify_one();
        self.pool.sweep();
    }
}

impl Default for Pool {
    fn default() -> Self {
        let turns = Turns {
            unknown: Semaphore::new(1),
            http1: Semaphore::new(TURNS_HTTP1),
            http2: Semaphore::new(TURNS_HTTP2),
        };
        Self { open: Mutex::default(), freed: Notify::new(), turns }
    }
}

impl Pool {
    /// A connection as soon as there is one to use, or the turn to open one, whichever comes first.
    pub(super) async fn take(self: &Arc<Self>) -> Taken<'_> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Before looking: what is freed between the look and the wait is not missed.
            freed.as_mut().enable();
            if let Some(link) = self.find() {
                return Taken::Link(link);
            }
            tokio::select! {
                biased;
                Ok(turn) = self.turns().acquire() => {
                    // Who had the turn before may have opened what this request can share.
                    return self.find().map_or(Taken::Turn(turn), Taken::Link);
                }
                () = freed => {}
            }
        }
    }

    /// Enters a new connection, whose opener uses it first.
    pub(super) fn add(self: &Arc<Self>, opened: Opened, turn: SemaphorePermit<'_>) -> Link {
        let mut open = self.lock();
        let spoken = match &opened {
            Opened::Http1(_) => Spoken::Http1,
            Opened::Http2(..) => Spoken::Http2,
        };
        let is_news = open.spoken != spoken;
        open.spoken = spoken;
        let link = match opened {
            Opened::Http1(send) => Link::Own(Own { send, used: None }),
            Opened::Http2(send, room) => {
                open.last_id = open.last_id.wrapping_add(1);
                let id = open.last_id;
                let (room, since) = (room.min(STREAMS_MAX), Instant::now());
                open.shared.push(SharedByMany { id, send: send.clone(), streams: 1, room, since });
                Link::Shared(Shared { send, used: None, id, pool: Arc::clone(self) })
            }
        };
        drop(open);
        drop(turn);
        if is_news || spoken == Spoken::Http2 {
            self.freed.notify_waiters();
        }
        link
    }

    /// Takes back a connection on which the service has answered.
    pub(super) fn give_back(self: &Arc<Self>, own: Own) {
        let mut open = self.lock();
        if own.send.is_closed() || open.idle.len() >= IDLE_MAX {
            return;
        }
        open.idle.push(Idle { send: own.send, since: Instant::now() });
        drop(open);
        self.freed.notify_one();
        self.sweep();
    }

    /// Closes what was last used at this time or before: one of them was found closed.
    pub(super) fn distrust(&self, used: Instant) {
        let mut open = self.lock();
        open.idle.retain(|idle| idle.since > used);
        open.shared.retain(|shared| !shared.send.is_closed());
    }

    /// Puts nobody else on a shared connection on which there was no answer in time. It may be dead, which a ping
    /// finds out much later; or the person was slow, and the next one costs a handshake. Who is on it stays.
    pub(super) fn retire(&self, number: Option<u64>) {
        let mut open = self.lock();
        if let Some(shared) = open.shared.iter_mut().find(|shared| Some(shared.id) == number) {
            shared.room = 0;
        }
    }

    /// How many connections are kept that are not known to be closed.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        let open = self.lock();
        let idle = open.idle.iter().filter(|idle| !idle.send.is_closed()).count();
        idle.saturating_add(open.shared.iter().filter(|shared| !shared.send.is_closed()).count())
    }

    fn find(self: &Arc<Self>) -> Option<Link> {
        let mut open = self.lock();
        let now = Instant::now();
        open.close_expired(now);
        // Not until it is full: the fewer are in use, the sooner the others are closed.
        if let Some(shared) = open.shared.iter_mut().find(|shared| shared.streams < shared.room) {
            shared.streams = shared.streams.saturating_add(1);
            let used = Some(shared.since);
            shared.since = now;
            let (send, id) = (shared.send.clone(), shared.id);
            return Some(Link::Shared(Shared { send, used, id, pool: Arc::clone(self) }));
        }
        // The last one first, so that those which are too many grow old.
        let idle = open.idle.pop()?;
        Some(Link::Own(Own { send: idle.send, used: Some(idle.since) }))
    }

    fn turns(&self) -> &Semaphore {
        match self.lock().spoken {
            Spoken::Unknown => &self.turns.unknown,
            Spoken::Http1 => &self.turns.http1,
            Spoken::Http2 => &self.turns.http2,
        }
    }

    /// Closes what has expired, also where no request comes any more: in a task that ends with the last of them.
    fn sweep(self: &Arc<Self>) {
        // A share may be dropped where no runtime is any more: then there are no connections either.
        let Ok(runtime) = Handle::try_current() else { return };
        if std::mem::replace(&mut self.lock().is_swept, true) {
            return;
        }
        let pool = Arc::downgrade(self);
        drop(runtime.spawn(async move {
            while pool.upgrade().is_some_and(|pool| pool.lock().is_worth_sweeping()) {
                tokio::time::sleep(TRUSTED).await;
            }
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Whoever panicked while holding it has left whole values: each is changed in one step.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn close_expired(&mut self, now: Instant) {
        let trusted = |since: Instant| now.saturating_duration_since(since) < TRUSTED;
        self.idle.retain(|idle| !idle.send.is_closed() && trusted(idle.since));
        self.shared
            .retain(|shared| !shared.send.is_closed() && (shared.streams > 0 || trusted(shared.since)));
    }

    fn is_worth_sweeping(&mut self) -> bool {
        self.close_expired(Instant::now());
        self.is_swept = !self.idle.is_empty() || !self.shared.is_empty();
        self.is_swept
    }
}
