//! What the person at the terminal sees while something takes long: one line that says what is waited for and how long
//! that may take at most.
//!
//! ```text
//!           waiting for the directories: 3 s of 60 s at most (Ctrl-C gives up)
//! ```
//!
//! It comes when a second has passed, is written over each second, and is gone when the wait is over or something else
//! is said. Where nobody watches, or JSON is wanted, there is none: logs have lines, and no second thoughts.
//!
//! A thread of its own writes it, because much of what is waited for (a resolver, systemctl, the user database) has
//! nothing that ticks.

use std::{
    env,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::out;

/// Whether waits are shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not at all.
    Silent,
    /// Once, as a line like any other: the terminal cannot take one back.
    Once,
    /// Counted, on a line of its own.
    Counted,
}

/// What a wait is bounded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It is over by then.
    AtMost(Duration),
    /// Somebody else decides, who is named.
    Of(&'static str),
}

/// Accounts and groups may come from anywhere, a directory server that is away among it.
pub(crate) const USER_DATABASE: Bound = Bound::Of("the user database (nsswitch.conf)");

/// How long something may take before a word is said about it, and how often the word is said anew.
const SECOND: Duration = Duration::from_secs(1);

impl Progress {
    /// For a verb that prints JSON, or not.
    pub(crate) fn unless(json: bool) -> Self {
        if json || !out::is_watched() {
            return Self::Silent;
        }
        let plain = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if plain { Self::Once } else { Self::Counted }
    }

    /// Something is waited for, until what this gives is dropped.
    pub(crate) fn wait(self, what: impl Into<String>, bound: Bound) -> Waiting {
        if self == Self::Silent {
            return Waiting(None);
        }
        let (over, ends) = mpsc::channel();
        let what = what.into();
        let counting = thread::Builder::new().spawn(move || {
            let since = Instant::now();
            while ends.recv_timeout(SECOND) == Err(RecvTimeoutError::Timeout) {
                match self {
                    Self::Counted => out::overwrite(&counted(&what, since.elapsed(), bound)),
                    _ => return out::say(&told(&what, bound)),
                }
            }
            out::clear();
        });
        // Without a thread nothing is shown, and what is waited for goes on all the same.
        Waiting(counting.ok().map(|counting| (over, counting)))
    }
}

/// A wait that is under way; it is over when this is dropped, and nothing of it is on the screen then.
#[derive(Debug)]
#[must_use = "the wait is over when this is dropped"]
pub(crate) struct Waiting(Option<(Sender<()>, JoinHandle<()>)>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some((over, counting)) = self.0.take() else { return };
        drop(over);
        // A thread that has panicked has nothing to say any more.
        let _ = counting.join();
    }
}

fn counted(what: &str, passed: Duration, bound: Bound) -> String {
    let passed = passed.as_secs();
    match bound {
        Bound::AtMost(limit) => {
            format!(
                "          waiting for {what}: {passed} s of {} s at most (Ctrl-C gives up)",
                whole(limit)
            )
        }
        Bound::Of(whose) => {
            format!("          waiting for {what}: {passed} s, {whose} decides how long (Ctrl-C gives up)")
        }
    }
}

/// The same, said once.
pub(crate) fn told(what: &str, bound: Bound) -> String {
    match bound {
        Bound::AtMost(limit) => format!("waiting for {what}, {} s at most", whole(limit)),
        Bound::Of(whose) => format!("waiting for {what}, {whose} decides how long"),
    }
}

/// In seconds, and never less than it may take.
fn whole(limit: Duration) -> u64 {
    limit.as_secs().saturating_add(u64::from(limit.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_for_what_and_how_long_at_most() {
        let (second, limit) = (Duration::from_millis(3_400), Duration::from_millis(9_500));
        let at_most = Bound::AtMost(limit);
        assert_eq!(
            counted("the phone", second, at_most),
            "          waiting for the phone: 3 s of 10 s at most (Ctrl-C gives up)"
        );
        assert_eq!(
            counted("the name a.example", second, Bound::Of("the resolver")),
            "          waiting for the name a.example: 3 s, the resolver decides how long (Ctrl-C gives up)"
        );
        assert_eq!(told("the phone", at_most), "waiting for the phone, 10 s at most");
    }

    #[test]
    fn nobody_who_does_not_watch_has_a_thread() {
        assert!(Progress::Silent.wait("nothing", Bound::AtMost(SECOND)).0.is_none());
    }
}
