//! Joining: a login that is under way is not begun again by another packet of the same person.
//!
//! ```text
//!   key ──begin──> pending ──accepted──> kept ──accept_kept──> gone
//!                     └───── ended ──> gone
//! ```
//!
//! A NAS that has waited long enough asks again under a new identifier, from a new port, or through its second
//! server; the person presses the button twice. All of that is one login when it comes from the same client group for
//! the same user, from the same station and with the same credential. The credential belongs to the key in every mode,
//! also where nobody checks it here: otherwise a second person who types anything at all would ride on the push of the
//! first. An Accept may be kept for a few seconds; a Reject never is, for the next attempt is a new one.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use ring::hmac;

use crate::server::LoginId;

/// Turns what identifies a login into a key. Its own key is random in each process, so that what is in memory can
/// be compared with nothing elsewhere.
#[derive(Clone)]
pub struct JoiningKey(hmac::Key);

/// Who asks, from where, with which credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct JoinKey([u8; 32]);

impl std::fmt::Debug for JoinKey {
    /// It is a digest of a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinKey(...)")
    }
}

impl JoiningKey {
    /// A key from random octets.
    #[must_use]
    pub fn new(octets: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, octets))
    }

    /// The key of these parts, which are told apart however they are cut.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> JoinKey {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        JoinKey(key)
    }
}

/// What is under way for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joined {
    /// This login, which has not ended.
    Pending(LoginId),
    /// This login, which was accepted a moment ago.
    Accepted(LoginId),
}

/// The logins that can be joined. Holds one entry for each login that is pending and for each Accept that is kept.
#[derive(Debug, Default)]
pub struct Joining {
    logins: HashMap<JoinKey, Entry>,
    /// Accepts in the order in which they came, which is that in which they expire.
    kept: VecDeque<(Instant, JoinKey)>,
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    Pending(LoginId),
    Kept(LoginId, Instant),
}

impl Joining {
    /// What may be joined with this key.
    #[must_use]
    pub fn find(&self, key: &JoinKey, now: Instant) -> Option<Joined> {
        match *self.logins.get(key)? {
            Entry::Pending(id) => Some(Joined::Pending(id)),
            Entry::Kept(id, until) => (now < until).then_some(Joined::Accepted(id)),
        }
    }

    /// A login begins.
    pub fn begin(&mut self, key: JoinKey, id: LoginId) {
        self.logins.insert(key, Entry::Pending(id));
    }

    /// A login was accepted; who has its key gets the same until then.
    pub fn accepted(&mut self, key: JoinKey, id: LoginId, until: Instant, now: Instant) {
        self.expire(now);
        if self.is_pending(&key, id) {
            self.logins.insert(key, Entry::Kept(id, until));
            self.kept.push_back((until, key));
        }
    }

    /// A login ended otherwise, or its key is no longer enough to join it.
    pub fn ended(&mut self, key: &JoinKey, id: LoginId) {
        if self.is_pending(key, id) {
            self.logins.remove(key);
        }
    }

    /// Forgets the Accepts that are no longer kept.
    pub fn expire(&mut self, now: Instant) {
        while let Some((until, key)) = self.kept.front().copied().filter(|(until, _)| *until <= now) {
            self.kept.pop_front();
            if matches!(self.logins.get(&key), Some(Entry::Kept(_, kept)) if *kept == until) {
                self.logins.remove(&key);
            }
        }
    }

    /// Entries that are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.logins.len().max(self.kept.len())
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_pending(&self, key: &JoinKey, id: LoginId) -> bool {
        matches!(self.logins.get(key), Some(Entry::Pending(other)) if *other == id)
    }
}

#[cfg(test)]
mod tests;
