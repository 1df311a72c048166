//! The end: no new logins, pending ones go on for a while, then they are given up, and their lines still written.
//!
//! ```text
//!  NotYet ──Stop──> Draining ──limit, or Stop again──> GivingUp ──> over
//!                      └── nothing pending ─────────────────────────^
//! ```

use std::time::{Duration, Instant};

use super::{Daemon, now};
use crate::{
    scribe::STUCK,
    server::{Level, Server},
};

/// How long logins that were given up may take to say so: they do at once.
const GIVING_UP: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Logins are welcome.
    NotYet,
    /// Pending logins may end by themselves until then.
    Draining(Instant),
    /// They were given up, and are over by then.
    GivingUp(Instant),
}

impl Ending {
    pub(super) fn has_begun(self) -> bool {
        self != Self::NotYet
    }

    /// When something is to be done, though nothing happens.
    pub(super) fn due(self) -> Option<Instant> {
        match self {
            Self::NotYet => None,
            Self::Draining(until) | Self::GivingUp(until) => Some(until),
        }
    }

    pub(super) fn is_over(self, server: &Server, now: Instant) -> bool {
        match self {
            Self::NotYet => false,
            Self::Draining(_) => server.pending() == 0,
            Self::GivingUp(until) => server.pending() == 0 || now >= until,
        }
    }

    pub(super) fn gives_up(self, now: Instant) -> bool {
        matches!(self, Self::Draining(until) if now >= until)
    }
}

impl Daemon {
    /// Begins the end; the second time, hastens it.
    pub(super) fn stop(&mut self) {
        match self.ending {
            Ending::NotYet => {
                self.server.drain();
                let limit = self.settings.limits.drain;
                self.ending = Ending::Draining(Instant::now() + limit);
                let pending = self.server.pending();
                let what = match pending {
                    0 => "ends: no new logins, and none is pending".to_owned(),
                    _ => format!(
                        "ends: no new logins; those that are pending ({pending}) have {} s, or until another signal",
                        limit.as_secs()
                    ),
                };
                self.scribe.log(Level::Info, what.as_str());
                self.notifier.stopping(limit + GIVING_UP + STUCK, &what);
            }
            Ending::Draining(_) => self.give_up(),
            Ending::GivingUp(_) => self.ending = Ending::GivingUp(Instant::now()),
        }
    }

    /// Ends what is still pending, as a denial.
    pub(super) fn give_up(&mut self) {
        self.ending = Ending::GivingUp(Instant::now() + GIVING_UP);
        let pending = self.server.pending();
        self.scribe.log(Level::Warning, format!("gives up {pending} pending logins"));
        self.logins.end_all();
        self.server.give_up(now(), &mut |octets| self.random.fill(octets), &mut self.actions);
        self.act();
    }
}
