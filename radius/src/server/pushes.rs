//! Whose phone may ring: how many logins of one user wait for it at once, and how many have lately been refused or
//! left without an answer.
//!
//! Both are counted by user and client group, and only once the first factor has accepted: who does not know the
//! password cannot use up somebody's attempts.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::joining::JoinKey;

/// What is allowed to one user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Logins that wait for the phone at once.
    pub at_once: usize,
    /// Pushes that were refused or not answered, within the window.
    pub in_vain: usize,
    /// How long those count.
    pub window: Duration,
}

/// Why the phone does not ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoPush {
    /// It rings already, for a login that this one cannot join.
    Busy,
    /// It rang too often in vain.
    TooMany,
}

/// All users with something to count.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    users: HashMap<JoinKey, Tally>,
    /// When each push in vain ended, in the order in which they did. Not when it is to be forgotten: a reload may
    /// change for how long they count.
    in_vain: VecDeque<(Instant, JoinKey)>,
}

#[derive(Debug, Default)]
struct Tally {
    waiting: usize,
    in_vain: usize,
}

/// So many pushes in vain are remembered in all.
const MOST: usize = 1 << 16;

impl Pushes {
    /// A push begins, if it may.
    pub(super) fn begin(&mut self, user: JoinKey, allowed: Allowed, now: Instant) -> Result<(), NoPush> {
        self.expire(allowed.window, now);
        let (waiting, in_vain) = self.users.get(&user).map_or((0, 0), |t| (t.waiting, t.in_vain));
        if waiting >= allowed.at_once {
            return Err(NoPush::Busy);
        }
        // What waits may still be in vain.
        if waiting.saturating_add(in_vain) >= allowed.in_vain {
            return Err(NoPush::TooMany);
        }
        self.resume(user);
        Ok(())
    }

    /// A push that another node began goes on here.
    pub(super) fn resume(&mut self, user: JoinKey) {
        let tally = self.users.entry(user).or_default();
        tally.waiting = tally.waiting.saturating_add(1);
    }

    /// A push has ended.
    pub(super) fn ended(&mut self, user: JoinKey, in_vain: bool, window: Duration, now: Instant) {
        self.expire(window, now);
        if let Some(tally) = self.users.get_mut(&user) {
            tally.waiting = tally.waiting.saturating_sub(1);
            tally.in_vain = tally.in_vain.saturating_add(usize::from(in_vain));
        }
        if in_vain {
            if self.in_vain.len() >= MOST {
                self.forget_oldest();
            }
            self.in_vain.push_back((now, user));
        }
        self.forget_if_empty(&user);
    }

    /// Users that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    fn expire(&mut self, window: Duration, now: Instant) {
        while self.in_vain.front().is_some_and(|(ended, _)| now.saturating_duration_since(*ended) >= window) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, user)) = self.in_vain.pop_front() else { return };
        if let Some(tally) = self.users.get_mut(&user) {
            tally.in_vain = tally.in_vain.saturating_sub(1);
        }
        self.forget_if_empty(&user);
    }

    fn forget_if_empty(&mut self, user: &JoinKey) {
        if self.users.get(user).is_some_and(|tally| tally.waiting == 0 && tally.in_vain == 0) {
            self.users.remove(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joining::JoiningKey;

    const WINDOW: Duration = Duration::from_secs(300);
    const ALLOWED: Allowed = Allowed { at_once: 1, in_vain: 3, window: WINDOW };

    fn user(name: &str) -> JoinKey {
        JoiningKey::new(&[1; 32]).of(&[name.as_bytes()])
    }

    #[test]
    fn one_phone_rings_for_one_login_at_a_time() {
        let now = Instant::now();
        let mut pushes = Pushes::default();
        assert_eq!(pushes.begin(user("alice"), ALLOWED, now), Ok(()));
        assert_eq!(pushes.begin(user("alice"), ALLOWED, now), Err(NoPush::Busy));
        assert_eq!(pushes.begin(user("bob"), ALLOWED, now), Ok(()));
        pushes.ended(user("alice"), false, WINDOW, now);
        assert_eq!(pushes.begin(user("alice"), ALLOWED, now), Ok(()));
    }

    #[test]
    fn after_three_pushes_in_vain_there_is_rest() {
        let now = Instant::now();
        let mut pushes = Pushes::default();
        for _ in 0..3 {
            assert_eq!(pushes.begin(user("alice"), ALLOWED, now), Ok(()));
            pushes.ended(user("alice"), true, WINDOW, now);
        }
        let almost = now + WINDOW - Duration::from_millis(1);
        assert_eq!(pushes.begin(user("alice"), ALLOWED, almost), Err(NoPush::TooMany));
        assert_eq!(pushes.begin(user("alice"), ALLOWED, now + WINDOW), Ok(()));
    }

    #[test]
    fn a_shorter_window_after_a_reload_holds_for_what_was_before_it() {
        let now = Instant::now();
        let mut pushes = Pushes::default();
        let day = Duration::from_secs(86_400);
        for _ in 0..3 {
            pushes.begin(user("alice"), Allowed { window: day, ..ALLOWED }, now).unwrap();
            pushes.ended(user("alice"), true, day, now);
        }
        let later = now + WINDOW;
        assert_eq!(
            pushes.begin(user("alice"), Allowed { window: day, ..ALLOWED }, later),
            Err(NoPush::TooMany)
        );
        assert_eq!(pushes.begin(user("alice"), ALLOWED, later), Ok(()));
    }

    #[test]
    fn who_has_nothing_to_count_is_forgotten() {
        let now = Instant::now();
        let mut pushes = Pushes::default();
        for name in ["alice", "bob"] {
            pushes.begin(user(name), ALLOWED, now).unwrap();
            pushes.ended(user(name), name == "bob", WINDOW, now);
        }
        assert_eq!(pushes.len(), 1);
        pushes.ended(user("carol"), false, WINDOW, now + WINDOW);
        assert_eq!((pushes.len(), pushes.in_vain.len()), (0, 0));
    }

    #[test]
    fn a_flood_of_users_is_bounded() {
        let now = Instant::now();
        let mut pushes = Pushes::default();
        for number in 0..MOST + 10 {
            let user = user(&number.to_string());
            pushes.begin(user, ALLOWED, now).unwrap();
            pushes.ended(user, true, WINDOW, now);
        }
        assert_eq!((pushes.len(), pushes.in_vain.len()), (MOST, MOST));
    }
}
