//! Which servers have failed a moment ago. Whoever asks one after the other need not wait for a dead one each time: it
//! rests, and is asked after the others. That helps a process that asks more than once; in a PAM module there is nothing
//! to remember.
//!
//! ```text
//!   dc1 fails ──> 30 s: dc2, dc1 ──> one look-up tries dc1 first ──┬── answers: dc1, dc2 from now on
//!                  ▲                 (the others still dc2)        │
//!                  └───────────────────────────────────────────────┴── fails again
//! ```

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a server rests.
const REST: Duration = Duration::from_secs(30);

/// The servers that rest, by their places in the list, and since when. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Resting(Arc<Mutex<Vec<(usize, Instant)>>>);

impl Resting {
    /// In which order so many servers are asked: as they are written, but those that rest come last. One whose rest is
    /// over is tried by whoever asks first, and rests on for the others meanwhile.
    #[must_use]
    pub fn order(&self, count: usize, now: Instant) -> Vec<usize> {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rests = |at: &usize| match resting.iter_mut().find(|(server, _)| server == at) {
            Some((_, since)) if now.saturating_duration_since(*since) >= REST => {
                *since = now;
                false
            }
            Some(_) => true,
            None => false,
        };
        let (last, mut first): (Vec<_>, Vec<_>) = (0..count).partition(|at| rests(at));
        first.extend(last);
        first
    }

    /// This one could not answer.
    pub fn failed(&self, server: usize, now: Instant) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|(at, _)| *at != server);
        resting.push((server, now));
    }

    /// This one has answered.
    pub fn answered(&self, server: usize) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|(at, _)| *at != server);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test begins some time")]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a story begins at some instant")]
    fn who_has_failed_is_asked_last_for_a_while() {
        let resting = Resting::default();
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(resting.order(3, begun), [0, 1, 2]);
        resting.failed(0, begun);
        assert_eq!(resting.order(3, after(1)), [1, 2, 0]);
        resting.failed(1, after(10));
        assert_eq!(resting.clone().order(3, after(29)), [2, 0, 1]);
        // One asker finds out whether the first is there again.
        assert_eq!(resting.order(3, after(30)), [0, 2, 1]);
        assert_eq!(resting.order(3, after(31)), [2, 0, 1]);
        resting.answered(0);
        assert_eq!(resting.order(3, after(31)), [0, 2, 1]);
        resting.failed(0, after(32));
        resting.failed(2, after(33));
        assert_eq!(resting.order(3, after(34)), [0, 1, 2], "with nobody else there, all are asked");
    }
}
