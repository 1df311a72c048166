//! What is kept for one client: its packets, its share of the logins, and what was lately said about it.
//!
//! Each client has its own, found by its name, so that a reload that leaves the client there leaves this there too.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{config::Limits, duplicates::Duplicates};

/// What is kept for one client.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) duplicates: Duplicates,
    /// Logins that it began and that have not ended.
    pub(super) pending: usize,
    pub(super) quiet: Quiet,
}

/// A client's packets that are remembered, beyond those that wait: 256 identifiers of 256 ports.
const ANSWERS_MAX: usize = 1 << 16;

impl Desk {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = ANSWERS_MAX.saturating_add(limits.pending_per_client);
        Self { duplicates: Duplicates::new(most), pending: 0, quiet: Quiet::default() }
    }
}

/// Keeps the log readable: each topic is spoken of once in a while, with how often it came up meanwhile.
#[derive(Debug, Default)]
pub(super) struct Quiet(HashMap<&'static str, Said>);

#[derive(Debug)]
struct Said {
    at: Instant,
    unsaid: u64,
}

/// How often a topic is spoken of.
const INTERVAL: Duration = Duration::from_secs(60);

impl Quiet {
    /// Whether to speak now: how often the topic came up without a word since the last time.
    pub(super) fn may_say(&mut self, topic: &'static str, now: Instant) -> Option<u64> {
        match self.0.get_mut(topic) {
            Some(said) if now.saturating_duration_since(said.at) < INTERVAL => {
                said.unsaid = said.unsaid.saturating_add(1);
                None
            }
            _ => {
                let before = self.0.insert(topic, Said { at: now, unsaid: 0 });
                Some(before.map_or(0, |said| said.unsaid))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_spoken_of_once_a_minute_with_what_was_not_said() {
        let now = Instant::now();
        let mut quiet = Quiet::default();
        assert_eq!(quiet.may_say("forged", now), Some(0));
        for _ in 0..5 {
            assert_eq!(quiet.may_say("forged", now + Duration::from_secs(59)), None);
        }
        assert_eq!(quiet.may_say("unsigned", now), Some(0));
        assert_eq!(quiet.may_say("forged", now + INTERVAL), Some(5));
        assert_eq!(quiet.may_say("forged", now + INTERVAL * 2), Some(0));
    }
}
