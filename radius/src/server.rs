//! The responder, as a machine that decides and never waits.
//!
//! ```text
//!  datagram ──> door.rs ────────> access.rs ───────────────────> logins.rs ────────────> Action::Start
//!               may this packet   what it asks (question.rs);    one login begins,       Action::Upstream
//!               be served at all? a duplicate, one more of a     asks, is joined
//!                   │ no          login, or a new login?             │
//!                   v                     │ no                       │  Event::Shown, Ended, Upstream ...
//!                silence                  v                          v
//!                                  refused at once             ending.rs: everybody who waits is answered
//!                                         └──────────────> answer.rs ────────────────────> Action::Send
//! ```
//!
//! A packet is admitted, refused or met with silence by what is known when it comes; the verdict over a login comes
//! from the core alone. An Access-Accept is written in one place, from a [`Grant`], and a grant is made in four: when
//! the core reports an accepted or exempt outcome, when a rule of the administrator's spares the phone after or
//! without a first factor, and when either is repeated to a packet that proves to belong to the same login.
//!
//! Time and randomness are arguments. Nothing here grows without a bound: logins by the limits of the configuration,
//! packets by client, what is remembered by its time and by number.

mod access;
mod accounting;
mod action;
mod answer;
mod challenges;
mod counters;
mod desk;
mod door;
mod ending;
mod events;
mod follow_up;
mod login;
mod logins;
mod pushes;
mod question;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use mobileid::login::Now;

pub use self::{
    action::{Action, Event, Level, LoginId, Password, Peer, Purpose},
    counters::{Counters, Fate, Fates},
    door::Learnt,
};
use self::{
    desk::Desk,
    login::{EndedLogins, Login},
    pushes::Pushes,
};
use crate::{
    config::{Limits, Settings},
    joining::{Joining, JoiningKey},
    state::{NodeId, StateKey},
};

/// The responder.
pub struct Server {
    settings: Arc<Settings>,
    keys: Keys,
    learnt: Learnt,
    desks: HashMap<Arc<str>, Desk>,
    /// Boxed, because a table that has grown is half empty.
    logins: HashMap<LoginId, Box<Login>>,
    /// One entry for each login: when it wants to be looked at.
    timers: BTreeSet<(Instant, LoginId)>,
    /// The pending logins that other nodes began, by what those call them.
    handed_on: HashMap<(NodeId, LoginId), LoginId>,
    ended: EndedLogins,
    joining: Joining,
    pushes: Pushes,
    counters: Counters,
    unknown: desk::Quiet,
    draining: bool,
    last: u64,
}

/// What the responder needs of randomness for its life.
pub struct Keys {
    /// Seals State: the nodes of one service have the same.
    pub state: StateKey,
    /// Compares credentials: random in each process.
    pub joining: JoiningKey,
    /// Names this run: random in each process.
    pub node: NodeId,
}

impl Keys {
    /// Keys from randomness; the one for State from the configuration, where it names one.
    #[must_use]
    pub fn new(settings: &Settings, random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut octets = || {
            let mut octets = zeroize::Zeroizing::new([0; 32]);
            random(&mut *octets);
            octets
        };
        let (state, joining, node) = (octets(), octets(), octets());
        let [a, b, c, d, e, f, g, h, ..] = *node;
        Self {
            state: StateKey::new(settings.state_key.as_ref().map_or(&*state, |key| key.expose())),
            joining: JoiningKey::new(&joining),
            node: NodeId(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        }
    }
}

/// One call from outside: what it is given, and where its actions go.
struct Turn<'a> {
    now: Now,
    random: &'a mut dyn FnMut(&mut [u8]),
    out: &'a mut Vec<Action>,
}

impl Turn<'_> {
    /// Random octets.
    fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        (self.random)(&mut octets);
        octets
    }
}

impl Server {
    /// A responder with nothing pending.
    #[must_use]
    pub fn new(settings: Arc<Settings>, keys: Keys, learnt: Learnt) -> Self {
        Self {
            settings,
            keys,
            learnt,
            desks: HashMap::new(),
            logins: HashMap::new(),
            timers: BTreeSet::new(),
            handed_on: HashMap::new(),
            ended: EndedLogins::default(),
            joining: Joining::default(),
            pushes: Pushes::default(),
            counters: Counters::default(),
            unknown: desk::Quiet::default(),
            draining: false,
            last: 0,
        }
    }

    /// Takes new settings. What is pending keeps those that it began with; a packet that comes is read by the new
    /// ones. The key of State changes with a restart only: what is out there must still open.
    pub fn reload(&mut self, settings: Arc<Settings>) {
        let names: HashSet<&str> = settings.clients.iter().map(|client| &*client.name).collect();
        self.desks
            .retain(|name, desk| names.contains(&**name) || desk.pending > 0 || desk.duplicates.waits());
        self.settings = settings;
    }

    /// Begins no more logins; the pending ones go on. Status-Server is left without an answer too, so that the
    /// clients turn to another node.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Ends the logins that are still at their first factor, as denials. Those that ring a phone are told to end by
    /// whoever runs them, and report it.
    pub fn give_up(&mut self, now: Now, random: &mut dyn FnMut(&mut [u8]), out: &mut Vec<Action>) {
        self.give_up_first_factors(&mut Turn { now, random, out });
    }

    /// Takes a datagram.
    pub fn datagram(
        &mut self,
        peer: Peer,
        octets: &[u8],
        now: Now,
        random: &mut dyn FnMut(&mut [u8]),
        out: &mut Vec<Action>,
    ) {
        self.admit(&mut Turn { now, random, out }, peer, octets);
    }

    /// Takes what has become of a login.
    pub fn event(
        &mut self,
        event: Event,
        now: Now,
        random: &mut dyn FnMut(&mut [u8]),
        out: &mut Vec<Action>,
    ) {
        self.happened(&mut Turn { now, random, out }, event);
    }

    /// When [`Self::tick`] is wanted next.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let login = self.timers.first().map(|(due, _)| *due);
        [login, self.ended.due()].into_iter().flatten().min()
    }

    /// Does what the time has come for.
    pub fn tick(&mut self, now: Now, random: &mut dyn FnMut(&mut [u8]), out: &mut Vec<Action>) {
        let mut turn = Turn { now, random, out };
        while let Some((due, id)) = self.timers.first().copied().filter(|(due, _)| *due <= now.instant) {
            self.login_due(&mut turn, id);
            // A login that was looked at has another time, or none.
            if self.timers.first() == Some(&(due, id)) {
                self.timers.remove(&(due, id));
            }
        }
        self.ended.expire(now.instant);
        self.joining.expire(now.instant);
    }

    /// Logins that have not ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.logins.len()
    }

    /// What has become of packets so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The limits that hold for what comes now.
    fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// What is kept for a client.
    fn desk(&mut self, client: &Arc<str>) -> &mut Desk {
        let limits = &self.settings.limits;
        self.desks.entry(Arc::clone(client)).or_insert_with(|| Desk::new(limits))
    }

    /// Counts a packet of a client.
    fn count(&mut self, client: &Arc<str>, fate: Fate) {
        self.counters.add(Some(client), fate);
    }

    /// A line for the administrator about a client, if its topic was not spoken of just now.
    fn say(
        &mut self,
        turn: &mut Turn<'_>,
        client: &Arc<str>,
        topic: &'static str,
        level: Level,
        text: impl FnOnce() -> String,
    ) {
        let unsaid = self.desk(client).quiet.may_say(topic, turn.now.instant);
        if let Some(unsaid) = unsaid {
            turn.out.push(Action::Log(level, line(format!("client {client}: {}", text()), unsaid)));
        }
    }
}

/// A line with how often the same went without one.
fn line(text: String, unsaid: u64) -> String {
    match unsaid {
        0 => text,
        more => format!("{text} ({more} more since this was last said)"),
    }
}

#[cfg(test)]
mod tests;
