//! Duplicates (RFC 5080, section 2.2.2): what came already is not asked again, and is answered with the same octets.
//!
//! ```text
//!   new ──begin──> pending ──answer──> answered ──kept time──> gone
//!                   │   ^                 │
//!                   │   └── begin ────────┘   the identifier again, with another authenticator: a new request
//!                   └── forget ──> gone       no answer will come
//! ```
//!
//! One table per client, so that a client that floods fills only its own. It holds at most so many packets, and frees
//! itself as it goes: every packet looks at the few oldest entries, never at all of them.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    sync::Arc,
    time::{Duration, Instant},
};

use ring::digest;

use crate::{authenticator::Authenticator, packet::Packet, server::Peer};

/// What tells a client's requests apart: where from, where to, and the identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// Both ends of the way it came.
    pub peer: Peer,
    /// Its identifier.
    pub identifier: u8,
}

/// What makes a packet the same packet: its authenticator, and all of its octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    authenticator: Authenticator,
    octets: [u8; 32],
}

impl Fingerprint {
    /// Of a packet.
    #[must_use]
    pub fn of(packet: &Packet<'_>) -> Self {
        let mut octets = [0; 32];
        let digest = digest::digest(&digest::SHA256, packet.octets());
        for (to, from) in octets.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self { authenticator: packet.authenticator(), octets }
    }
}

/// What is known of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Nothing: a request to be served.
    New,
    /// It is being served: silence.
    Pending,
    /// It was answered, with this.
    Answered(Arc<[u8]>),
    /// It has the authenticator of another packet from there, which no two requests have: silence.
    Altered,
}

/// What came from one client, and what it was answered.
#[derive(Debug)]
pub struct Duplicates {
    entries: HashMap<Origin, Entry>,
    /// Every key of `entries` once, with the time to look at it again.
    order: VecDeque<(Origin, Instant)>,
    most: usize,
}

#[derive(Debug)]
struct Entry {
    packet: Fingerprint,
    state: State,
}

#[derive(Debug)]
enum State {
    Pending,
    Answered { packet: Arc<[u8]>, until: Instant },
    Forgotten,
}

/// The table is full of requests that wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crowded;

/// So many of the oldest entries are looked at for each new one: more than one, so that what is expired goes faster
/// than it comes.
const LOOKED_AT: usize = 4;
/// When an entry that is still pending is looked at again.
const AGAIN: Duration = Duration::from_secs(30);

impl Duplicates {
    /// An empty table for this many packets.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), most }
    }

    /// What is known of this packet.
    #[must_use]
    pub fn look(&self, origin: &Origin, packet: &Fingerprint, now: Instant) -> Seen {
        let Some(entry) = self.entries.get(origin) else { return Seen::New };
        if entry.packet.authenticator != packet.authenticator {
            return Seen::New;
        }
        match &entry.state {
            State::Forgotten => Seen::New,
            State::Answered { until, .. } if *until <= now => Seen::New,
            _ if entry.packet.octets != packet.octets => Seen::Altered,
            State::Answered { packet, .. } => Seen::Answered(Arc::clone(packet)),
            State::Pending => Seen::Pending,
        }
    }

    /// Notes a request that is being served, in the place of an older one with its identifier. True where that one
    /// was still waiting and will get no answer any more.
    ///
    /// # Errors
    /// [`Crowded`] where there is no room.
    pub fn begin(&mut self, origin: Origin, packet: Fingerprint, now: Instant) -> Result<bool, Crowded> {
        self.expire(now);
        let full = self.entries.len() >= self.most && !self.entries.contains_key(&origin);
        if full && !self.evict() {
            return Err(Crowded);
        }
        let entry = Entry { packet, state: State::Pending };
        match self.entries.entry(origin) {
            hash_map::Entry::Occupied(mut old) => Ok(matches!(old.insert(entry).state, State::Pending)),
            hash_map::Entry::Vacant(free) => {
                free.insert(entry);
                self.order.push_back((origin, later(now, AGAIN)));
                Ok(false)
            }
        }
    }

    /// Notes the answer to a request, to be repeated for a time. False where the request with this authenticator
    /// waits no more, because its identifier has been used again: then nothing may be sent.
    pub fn answer(
        &mut self,
        origin: &Origin,
        authenticator: &Authenticator,
        packet: &Arc<[u8]>,
        until: Instant,
    ) -> bool {
        let Some(entry) = self.waiting(origin, authenticator) else { return false };
        entry.state = State::Answered { packet: Arc::clone(packet), until };
        true
    }

    /// Forgets a request that will get no answer: the same packet again is then a new one.
    pub fn forget(&mut self, origin: &Origin, authenticator: &Authenticator) {
        // Its place stays until it is looked at: a key has one place in the order, never two.
        if let Some(entry) = self.waiting(origin, authenticator) {
            entry.state = State::Forgotten;
        }
    }

    /// Whether a request waits for its answer. Looks at all of them.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.entries.values().any(|entry| matches!(entry.state, State::Pending))
    }

    /// Packets that the table holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn waiting(&mut self, origin: &Origin, authenticator: &Authenticator) -> Option<&mut Entry> {
        self.entries.get_mut(origin).filter(|entry| {
            matches!(entry.state, State::Pending) && entry.packet.authenticator == *authenticator
        })
    }

    /// Removes what is expired among the oldest.
    fn expire(&mut self, now: Instant) {
        for _ in 0..LOOKED_AT {
            match self.order.front() {
                Some((_, due)) if *due <= now => {}
                _ => return,
            }
            let Some((origin, _)) = self.order.pop_front() else { return };
            let again = match self.entries.get(&origin).map(|entry| &entry.state) {
                Some(State::Pending) => later(now, AGAIN),
                Some(State::Answered { until, .. }) if *until > now => *until,
                _ => {
                    self.entries.remove(&origin);
                    continue;
                }
            };
            self.order.push_back((origin, again));
        }
    }

    /// Makes room by removing the oldest that waits for nothing.
    fn evict(&mut self) -> bool {
        for _ in 0..LOOKED_AT {
            let Some((origin, due)) = self.order.pop_front() else { return false };
            match self.entries.get(&origin).map(|entry| &entry.state) {
                Some(State::Pending) => self.order.push_back((origin, due)),
                _ => {
                    self.entries.remove(&origin);
                    return true;
                }
            }
        }
        false
    }
}

/// A time that cannot be represented is now.
fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now)
}

#[cfg(test)]
mod tests;
