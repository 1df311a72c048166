//! Which packet goes to which server, when it goes again, and which octets are its answer: no socket, no clock.
//!
//! ```text
//!            begin                  overdue: tries left             overdue: no tries left
//!  Ask ───────────────> waiting ───────────────────────> waiting ─────────────────────────> waiting ──> Silent
//!        new identifier    │      the same octets again     │       next server, identifier     │
//!        and authenticator │                                │       and authenticator           │
//!                          └──────────────┬─────────────────┴───────────────────────────────────┘
//!                                     datagram: verified ──> Accept, Reject, Challenge
//!                                     datagram: anything else is dropped, and waiting goes on
//! ```
//!
//! **Identifiers.** A packet's answer is found by its identifier, of which a source port has 256. So there are
//! [`LANES`] ports towards each server, opened as they are needed. An identifier is used again only after all others
//! of its port, and a late answer to its last user fails at the new one's authenticator.
//!
//! **Dead servers.** A server that has let a question run out, and answered nobody meanwhile, is asked last for
//! [`DEAD`]. After that one question tries it, once; the others wait for what comes of it. A server that is merely
//! deaf to one person's packets stays alive, because it answers others. Where every server is dead, all are asked: it
//! costs time that the person has anyway.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Answer, AnswerSignature, Ask, PassedOn, Upstream};
use crate::{
    authenticator::{Authenticator, Signed, check_answer, is_answer},
    packet::{Code, Malformed, Packet, attribute},
};

/// How many source ports there may be towards one server, of 256 questions each.
pub const LANES: usize = 64;
/// For how long a silent server is asked last.
pub const DEAD: Duration = Duration::from_secs(30);

/// A source port towards a server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane {
    /// The server, the only one that is heard on it.
    pub server: SocketAddr,
    /// Which of its [`LANES`].
    pub number: usize,
}

/// A question under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(u64);

/// What is to be done for a question.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// Send this, and call [`Exchanges::overdue`] if no answer has come until then.
    Send {
        /// Through this port.
        lane: Lane,
        /// The packet.
        octets: Arc<[u8]>,
        /// When waiting ends.
        until: Instant,
    },
    /// It is over.
    Done(Answer),
}

/// Every question under way, and what is known of the servers.
#[derive(Default)]
pub struct Exchanges {
    pending: HashMap<Key, Pending>,
    servers: HashMap<SocketAddr, Server>,
    begun: u64,
    counters: Counters,
    news: Vec<News>,
}

struct Pending {
    ask: Ask,
    /// What is not tried yet.
    left: VecDeque<Turn>,
    sent: Sent,
    /// Why the last datagram that could have been the answer was not.
    dropped: Option<Dropped>,
}

/// A server's turn at a question.
#[derive(Clone, Copy)]
struct Turn {
    /// Index into the upstream's servers.
    index: usize,
    server: SocketAddr,
    tries: u32,
}

/// What is on its way.
struct Sent {
    turn: Turn,
    lane: Lane,
    identifier: u8,
    authenticator: Authenticator,
    octets: Arc<[u8]>,
    first: Instant,
}

impl Exchanges {
    /// Begins a question. `authenticator` is random.
    pub fn begin(&mut self, ask: Ask, now: Instant, authenticator: Authenticator) -> (Key, Step) {
        self.begun = self.begun.wrapping_add(1);
        let key = Key(self.begun);
        let left = self.turns(&ask, now);
        (key, self.next_server(key, ask, left, None, now, authenticator))
    }

    /// What to do for a question whose time is over; none where it has ended. `authenticator` is random.
    pub fn overdue(&mut self, key: Key, now: Instant, authenticator: Authenticator) -> Option<Step> {
        let pending = self.pending.get_mut(&key)?;
        let sent = &mut pending.sent;
        sent.turn.tries = sent.turn.tries.saturating_sub(1);
        if sent.turn.tries == 0 {
            return self.unreachable(key, now, authenticator);
        }
        self.counters.resent = self.counters.resent.saturating_add(1);
        let until = now.checked_add(pending.ask.upstream.timeout).unwrap_or(now);
        Some(Step::Send { lane: sent.lane, octets: Arc::clone(&sent.octets), until })
    }

    /// What to do for a question whose server cannot even be sent to; none where it has ended.
    pub fn unreachable(&mut self, key: Key, now: Instant, authenticator: Authenticator) -> Option<Step> {
        let Pending { ask, left, sent, dropped } = self.take(key)?;
        self.silent(&ask.upstream, &sent, now);
        Some(self.next_server(key, ask, left, dropped, now, authenticator))
    }

    /// Nobody waits for it any more.
    pub fn forget(&mut self, key: Key) {
        self.take(key);
    }

    /// A datagram on a lane: the end of a question, if it verifies as its answer.
    ///
    /// # Errors
    /// [`Dropped`]: it changes nothing.
    pub fn datagram(&mut self, lane: Lane, octets: &[u8], now: Instant) -> Result<(Key, Answer), Dropped> {
        let result = self.accept(lane, octets, now);
        if let Err(why) = &result {
            self.counters.dropped.count(*why);
        }
        result
    }

    fn accept(&mut self, lane: Lane, octets: &[u8], now: Instant) -> Result<(Key, Answer), Dropped> {
        let packet = Packet::parse(octets).map_err(Dropped::Malformed)?;
        let server = self.servers.get_mut(&lane.server).ok_or(Dropped::Stray)?;
        let key = server.lanes.get(lane.number).and_then(|lane| lane.holder(packet.identifier()));
        let key = key.ok_or(Dropped::Stray)?;
        let pending = self.pending.get_mut(&key).ok_or(Dropped::Stray)?;
        let answer = pending.read(&packet).inspect_err(|why| pending.dropped = Some(*why))?;
        self.counters.answered = self.counters.answered.saturating_add(1);
        server.answered = Some(now);
        if server.dead_until.take().is_some() {
            self.news.push(News::Alive { upstream: Arc::clone(&pending.ask.upstream), server: lane.server });
        }
        self.forget(key);
        Ok((key, answer))
    }

    /// How many questions are under way.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the administrator should hear, since the last call.
    pub fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Which servers are asked, in which order.
    fn turns(&self, ask: &Ask, now: Instant) -> VecDeque<Turn> {
        let Upstream { servers, tries, .. } = &*ask.upstream;
        let turn = |(index, server): (usize, &SocketAddr)| Turn { index, server: *server, tries: *tries };
        if let Some(continuation) = &ask.continuation {
            // Only the server that asked knows its State.
            return servers.iter().enumerate().map(turn).filter(|t| t.index == continuation.server).collect();
        }
        let mut first = VecDeque::new();
        let mut last = VecDeque::new();
        for turn in servers.iter().enumerate().map(turn) {
            match self.servers.get(&turn.server).and_then(|server| server.dead_until) {
                None => first.push_back(turn),
                Some(until) if until <= now => first.push_back(Turn { tries: 1, ..turn }),
                Some(_) => last.push_back(turn),
            }
        }
        first.extend(last);
        first
    }

    /// Sends the question to the next server that has room for it.
    fn next_server(
        &mut self,
        key: Key,
        ask: Ask,
        mut left: VecDeque<Turn>,
        dropped: Option<Dropped>,
        now: Instant,
        authenticator: Authenticator,
    ) -> Step {
        let mut full = false;
        while let Some(turn) = left.pop_front() {
            let server = self.servers.entry(turn.server).or_default();
            let Some((number, identifier)) = server.reserve(key) else {
                full = true;
                continue;
            };
            let lane = Lane { server: turn.server, number };
            let Ok(octets) = ask.request(identifier, authenticator) else {
                server.release(number, identifier);
                return Step::Done(Answer::Silent(silence(
                    &ask.upstream,
                    "the request does not fit a packet",
                )));
            };
            server.tried(now);
            let octets: Arc<[u8]> = octets.into();
            let until = now.checked_add(ask.upstream.timeout).unwrap_or(now);
            self.counters.sent = self.counters.sent.saturating_add(1);
            let step = Step::Send { lane, octets: Arc::clone(&octets), until };
            let sent = Sent { turn, lane, identifier, authenticator, octets, first: now };
            self.pending.insert(key, Pending { ask, left, sent, dropped });
            return step;
        }
        self.counters.silent = self.counters.silent.saturating_add(1);
        let why = match dropped {
            Some(why) => format!("no answer that counts: {why}"),
            None if full => "too many questions under way".to_owned(),
            None => "no answer".to_owned(),
        };
        Step::Done(Answer::Silent(silence(&ask.upstream, &why)))
    }

    /// Takes a question out and frees its identifier.
    fn take(&mut self, key: Key) -> Option<Pending> {
        let pending = self.pending.remove(&key)?;
        if let Some(server) = self.servers.get_mut(&pending.sent.lane.server) {
            server.release(pending.sent.lane.number, pending.sent.identifier);
        }
        Some(pending)
    }

    /// A server has let a question run out.
    fn silent(&mut self, upstream: &Arc<Upstream>, sent: &Sent, now: Instant) {
        let Some(server) = self.servers.get_mut(&sent.lane.server) else { return };
        if server.answered.is_some_and(|answered| answered > sent.first) {
            return;
        }
        if server.dead_until.replace(now.checked_add(DEAD).unwrap_or(now)).is_none() {
            self.news.push(News::Dead { upstream: Arc::clone(upstream), server: sent.lane.server });
        }
    }
}

fn silence(upstream: &Upstream, why: &str) -> String {
    format!("upstream {}: {why}", upstream.name)
}

impl Pending {
    /// The answer that a packet is, if everything about it is right.
    fn read(&self, packet: &Packet<'_>) -> Result<Answer, Dropped> {
        let Upstream { secret, message_authenticator, .. } = &*self.ask.upstream;
        let authenticator = &self.sent.authenticator;
        if !is_answer(packet, authenticator, secret) {
            return Err(Dropped::ResponseAuthenticator);
        }
        match (check_answer(packet, authenticator, secret), message_authenticator) {
            (Signed::Valid, _) | (Signed::No, AnswerSignature::Optional) => {}
            (Signed::No, AnswerSignature::Required) => return Err(Dropped::Unsigned),
            (Signed::Invalid, _) => return Err(Dropped::MessageAuthenticator),
        }
        let mut attributes = PassedOn::of(packet, secret, authenticator);
        match packet.code() {
            Code::ACCESS_ACCEPT => Ok(Answer::Accept { attributes }),
            Code::ACCESS_REJECT => Ok(Answer::Reject { reply_message: reply_message(packet) }),
            Code::ACCESS_CHALLENGE => {
                attributes.retain(|a| (a.vendor(), a.kind()) != (None, attribute::REPLY_MESSAGE));
                Ok(Answer::Challenge {
                    state: packet.first(attribute::STATE).unwrap_or_default().to_vec(),
                    server: self.sent.turn.index,
                    reply_message: reply_message(packet),
                    attributes,
                })
            }
            other => Err(Dropped::Code(other)),
        }
    }
}

/// What a packet says to the person: one text, in as many attributes as it took.
fn reply_message(packet: &Packet<'_>) -> Option<String> {
    let octets: Vec<u8> = packet.all(attribute::REPLY_MESSAGE).flatten().copied().collect();
    (!octets.is_empty()).then(|| String::from_utf8_lossy(&octets).into_owned())
}

/// What is known of a server.
#[derive(Default)]
struct Server {
    lanes: Vec<Identifiers>,
    /// Since it let a question run out: until when it is asked last.
    dead_until: Option<Instant>,
    /// When it last answered.
    answered: Option<Instant>,
}

impl Server {
    /// A lane and an identifier for a question; none where all are taken.
    fn reserve(&mut self, key: Key) -> Option<(usize, u8)> {
        let with_room = self.lanes.iter().position(|lane| lane.holders.len() < IDENTIFIERS);
        let number = match with_room {
            Some(number) => number,
            None if self.lanes.len() < LANES => {
                self.lanes.push(Identifiers::default());
                self.lanes.len().saturating_sub(1)
            }
            None => return None,
        };
        Some((number, self.lanes.get_mut(number)?.reserve(key)?))
    }

    fn release(&mut self, number: usize, identifier: u8) {
        if let Some(lane) = self.lanes.get_mut(number) {
            lane.holders.remove(&identifier);
        }
    }

    /// One question tries a server whose time as a dead one is over. The others pass it by until that has ended.
    fn tried(&mut self, now: Instant) {
        if self.dead_until.is_some_and(|until| until <= now) {
            self.dead_until = now.checked_add(DEAD);
        }
    }
}

/// How many questions one source port tells apart.
const IDENTIFIERS: usize = 256;

/// The identifiers of a lane.
#[derive(Default)]
struct Identifiers {
    next: u8,
    holders: HashMap<u8, Key>,
}

impl Identifiers {
    /// The free one that has rested longest.
    fn reserve(&mut self, key: Key) -> Option<u8> {
        let from = self.next;
        let free =
            (0..=u8::MAX).map(|step| from.wrapping_add(step)).find(|id| !self.holders.contains_key(id))?;
        self.next = free.wrapping_add(1);
        self.holders.insert(free, key);
        Some(free)
    }

    fn holder(&self, identifier: u8) -> Option<Key> {
        self.holders.get(&identifier).copied()
    }
}

/// Why a datagram is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dropped {
    /// It is no packet.
    Malformed(Malformed),
    /// Nobody waits for its identifier: late, doubled, or guessed.
    Stray,
    /// Its Response Authenticator is wrong: another secret, an answer to something else, or a forgery.
    ResponseAuthenticator,
    /// Its Message-Authenticator is wrong, of a wrong size, or there are two.
    MessageAuthenticator,
    /// It has no Message-Authenticator, and the upstream must send one.
    Unsigned,
    /// It is not an answer to an Access-Request.
    Code(Code),
}

impl Dropped {
    /// The stable names in counters, in their order.
    pub const NAMES: [&'static str; 6] =
        ["malformed", "stray", "response-authenticator", "message-authenticator", "unsigned", "code"];

    fn index(self) -> usize {
        match self {
            Self::Malformed(_) => 0,
            Self::Stray => 1,
            Self::ResponseAuthenticator => 2,
            Self::MessageAuthenticator => 3,
            Self::Unsigned => 4,
            Self::Code(_) => 5,
        }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "what came is no packet: {why}"),
            Self::Stray => f.write_str("what came answers nothing that was asked"),
            Self::ResponseAuthenticator => {
                f.write_str("its Response Authenticator is wrong; is the secret the same?")
            }
            Self::MessageAuthenticator => f.write_str("its Message-Authenticator is wrong"),
            Self::Unsigned => {
                f.write_str("it carries no Message-Authenticator, which is required of this upstream")
            }
            Self::Code(code) => write!(f, "it is no answer to an Access-Request but {code}"),
        }
    }
}

/// What was counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Questions sent to a server for the first time.
    pub sent: u64,
    /// Packets sent again.
    pub resent: u64,
    /// Answers that verified.
    pub answered: u64,
    /// Questions that ended without one.
    pub silent: u64,
    /// Datagrams that were no answer.
    pub dropped: DroppedCounters,
}

/// How many datagrams were dropped, by [`Dropped::NAMES`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DroppedCounters([u64; 6]);

impl DroppedCounters {
    fn count(&mut self, why: Dropped) {
        if let Some(counter) = self.0.get_mut(why.index()) {
            *counter = counter.saturating_add(1);
        }
    }

    /// Each name with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Dropped::NAMES.into_iter().zip(self.0)
    }
}

/// What the administrator should hear about a server.
#[derive(Clone, Debug)]
pub enum News {
    /// It does not answer, and is asked last from now on.
    Dead {
        /// Of this upstream.
        upstream: Arc<Upstream>,
        /// This server.
        server: SocketAddr,
    },
    /// It answers again.
    Alive {
        /// Of this upstream.
        upstream: Arc<Upstream>,
        /// This server.
        server: SocketAddr,
    },
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead { upstream, server } => {
                write!(
                    f,
                    "upstream {}: {server} does not answer; it is asked last for {} s",
                    upstream.name,
                    DEAD.as_secs()
                )
            }
            Self::Alive { upstream, server } => {
                write!(f, "upstream {}: {server} answers again", upstream.name)
            }
        }
    }
}

#[cfg(test)]
mod tests;
