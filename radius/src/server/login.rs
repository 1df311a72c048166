//! A login between its first packet and its end, and what is remembered of it afterwards.
//!
//! ```text
//!              ┌─> FirstFactor ──Challenge──> Questioned ──follow-up──┐
//!   begin ──┬──┘        ^ │ Accept                                    │
//!           │           └─┼───────────────────────────────────────────┘
//!           └─────────────┴──> Phone ──Ended──> answered: Ended
//!                         │      │ deadline
//!            Reject       v      v
//!                       Held   Abandoned ──Ended──> gone
//! ```

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use mobileid::login::Request;

use super::{
    LoginId,
    answer::{Grant, Waiter},
};
use crate::{
    config::{Client, Settings},
    joining::JoinKey,
    rules::Then,
    state::NodeId,
    upstream::{Continuation, PassedOn},
};

/// A login that has not ended.
#[derive(Debug)]
pub(super) struct Login {
    /// What it began with, whatever is reloaded meanwhile.
    pub(super) settings: Arc<Settings>,
    /// The client that began it.
    pub(super) client: Arc<Client>,
    pub(super) request: Request,
    pub(super) station: Vec<u8>,
    /// By which packets join it.
    pub(super) key: JoinKey,
    /// By which its user's pushes are counted.
    pub(super) user: JoinKey,
    pub(super) then: Then,
    pub(super) rule: String,
    pub(super) began: Instant,
    pub(super) deadline: Instant,
    /// Until when its State is of use.
    pub(super) expires: SystemTime,
    pub(super) phase: Phase,
    pub(super) waiters: Vec<Waiting>,
    /// The text of a challenge, once the code is known.
    pub(super) shown: Option<String>,
    /// Whether the State of a challenge would carry all that it is going to.
    pub(super) ready: bool,
    /// The encoded ticket, with which another node may finish it.
    pub(super) ticket: Option<Vec<u8>>,
    /// Whether a State was sent out: somebody may come back with it.
    pub(super) token_out: bool,
    /// How often the first factor's server has asked back.
    pub(super) questions: u8,
    /// What the first factor's server grants.
    pub(super) passed_on: Vec<PassedOn>,
    /// Whether it counts among its user's pushes.
    pub(super) ringing: bool,
    /// Of which node's login this is the continuation.
    pub(super) handed_on: Option<(NodeId, LoginId)>,
    /// When it wants to be looked at: its entry in the timers.
    pub(super) due: Instant,
}

/// Where a login is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The first factor's server is being asked.
    FirstFactor,
    /// It has asked back, and the person has not answered yet.
    Questioned(Box<Asked>),
    /// The core is at it.
    Phone,
    /// It is refused, and the client hears of it a little later.
    Held { until: Instant, text: String },
    /// Its time is over, and what still runs for it has not reported its end.
    Abandoned,
}

/// What the first factor's server has asked back.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) continuation: Continuation,
    pub(super) passed_on: Vec<PassedOn>,
}

/// A packet that waits, and for how long it does so without a challenge.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) waiter: Waiter,
    pub(super) patience: Patience,
}

/// When a waiting packet is answered with a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Patience {
    /// Never: its client waits for the end.
    Endless,
    /// As soon as there is something to show, and at the latest then.
    None { latest: Instant },
    /// Just before its client gives up.
    Until(Instant),
}

/// So many packets of one login wait for its end; the oldest ones are those whose clients have given up.
pub(super) const WAITERS_MAX: usize = 16;
/// What the core has after the deadline to report the end by itself.
const GRACE: Duration = Duration::from_secs(1);
/// What an abandoned login has to report its end, which it always does.
const LOST: Duration = Duration::from_secs(3_600);

impl Waiting {
    /// Whether the time for a challenge has come.
    pub(super) fn wants_challenge(&self, ready: bool, now: Instant) -> bool {
        match self.patience {
            Patience::Endless => false,
            Patience::None { latest } => ready || latest <= now,
            Patience::Until(until) => until <= now,
        }
    }
}

impl Login {
    /// When its time is over, and nothing more is waited for.
    pub(super) fn end_due(&self) -> Instant {
        let patience = if matches!(self.phase, Phase::Abandoned) { LOST } else { GRACE };
        later(self.deadline, patience)
    }

    /// When there is something to do without any event.
    pub(super) fn next_due(&self) -> Instant {
        if let Phase::Held { until, .. } = self.phase {
            return until;
        }
        let end = self.end_due();
        let challenges = self.waiters.iter().filter_map(|waiting| match waiting.patience {
            Patience::Endless => None,
            Patience::None { latest } => Some(latest),
            Patience::Until(until) => Some(until),
        });
        // Without a text there is nothing to challenge with: the notice brings those who wait for it.
        let challenge =
            challenges.min().filter(|_| matches!(self.phase, Phase::Phone) && self.shown.is_some());
        challenge.map_or(end, |challenge| challenge.min(end))
    }
}

/// How a login ended, for whoever comes for it later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Granted(Grant),
    /// With the text for the person.
    Refused(String),
}

/// A login that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    pub(super) key: JoinKey,
    /// When the verdict was first given to anybody; none while nobody has collected it.
    pub(super) given: Option<Instant>,
    /// How long an accept is repeated.
    pub(super) kept: Duration,
    /// When all this is forgotten.
    pub(super) until: Instant,
    pub(super) handed_on: Option<(NodeId, LoginId)>,
}

impl Ended {
    /// The verdict for a packet with the login's State. The first one gets it whatever it is: a person who has
    /// confirmed may take a while to press the key. After that only an accept is repeated, for its time.
    pub(super) fn collect(&mut self, now: Instant) -> Option<Verdict> {
        match self.given {
            None => {
                self.given = Some(now);
                Some(self.verdict.clone())
            }
            Some(_) => self.repeat(now),
        }
    }

    /// The verdict for a packet that joins by its key.
    pub(super) fn repeat(&self, now: Instant) -> Option<Verdict> {
        let fresh = self.given.is_none_or(|given| now < later(given, self.kept));
        (fresh && matches!(self.verdict, Verdict::Granted(_))).then(|| self.verdict.clone())
    }
}

/// The logins that have ended and may still be asked for.
#[derive(Debug, Default)]
pub(super) struct EndedLogins {
    by_id: HashMap<LoginId, Ended>,
    order: BTreeSet<(Instant, LoginId)>,
    /// The logins that other nodes began, by what those call them.
    handed_on: HashMap<(NodeId, LoginId), LoginId>,
}

impl EndedLogins {
    /// Remembers one, in the place of the one that would be forgotten next where there are too many.
    pub(super) fn insert(&mut self, id: LoginId, ended: Ended, most: usize) {
        if self.by_id.len() >= most.max(1) {
            self.forget_next();
        }
        if let Some(origin) = ended.handed_on {
            self.handed_on.insert(origin, id);
        }
        self.order.insert((ended.until, id));
        self.by_id.insert(id, ended);
    }

    pub(super) fn get_mut(&mut self, id: LoginId) -> Option<&mut Ended> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn handed_on(&self, origin: &(NodeId, LoginId)) -> Option<LoginId> {
        self.handed_on.get(origin).copied()
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while self.due().is_some_and(|due| due <= now) {
            self.forget_next();
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.order.first().map(|(due, _)| *due)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn forget_next(&mut self) {
        let Some((_, id)) = self.order.pop_first() else { return };
        if let Some(origin) = self.by_id.remove(&id).and_then(|ended| ended.handed_on) {
            self.handed_on.remove(&origin);
        }
    }
}

/// A time that cannot be represented is the earlier one.
pub(super) fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now)
}
