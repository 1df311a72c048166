//! How often somebody's phone was asked in vain: refused, not answered, or given up by whoever asked.
//!
//! A person whose phone rings again and again presses yes in the end. A push counts from the moment it is sent, so one
//! whose process was killed counts too; a confirmation takes it away again. All services of the host share the count.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Moment, NoRecord, millis};

/// Its folder in the store. The number is the form's: with another form, a release begins anew.
pub const KIND: &str = "pushes-1";
/// The most pushes that are remembered, the newest; no limit in a configuration is above it.
pub const REMEMBERED: usize = 32;

/// The pushes in vain of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pushes {
    user: String,
    /// Which boot the times are of.
    boot: String,
    /// Milliseconds after it, as they came.
    up_ms: Vec<u64>,
}

impl Pushes {
    /// Somebody whose phone was never asked.
    #[must_use]
    pub fn none(user: &str) -> Self {
        Self { user: user.to_owned(), boot: String::new(), up_ms: Vec::new() }
    }

    /// Whose they are.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How many there were within `window` before `now`.
    #[must_use]
    pub fn within(&self, window: Duration, now: &Moment) -> usize {
        if self.boot != now.boot {
            return 0;
        }
        // One from the future is as recent as can be: see the parent module.
        let recent = |up: &&u64| now.up.saturating_sub(Duration::from_millis(**up)) <= window;
        self.up_ms.iter().filter(recent).count()
    }

    /// Whether the phone may be asked once more.
    #[must_use]
    pub fn may(&self, limit: u32, window: Duration, now: &Moment) -> bool {
        u32::try_from(self.within(window, now)).is_ok_and(|count| count < limit)
    }

    /// The phone is about to be asked.
    pub fn sent(&mut self, now: &Moment) {
        if self.boot != now.boot {
            self.boot.clone_from(&now.boot);
            self.up_ms.clear();
        }
        self.up_ms.push(millis(now.up));
        let surplus = self.up_ms.len().saturating_sub(REMEMBERED);
        self.up_ms.drain(..surplus);
    }

    /// The push of that moment was confirmed.
    pub fn confirmed(&mut self, at: &Moment) {
        let was_it = |up: &u64| self.boot == at.boot && *up == millis(at.up);
        if let Some(it) = self.up_ms.iter().rposition(was_it) {
            self.up_ms.remove(it);
        }
    }

    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of pushes. Then nobody knows how often the phone has rung: the login is denied, until the
    /// record is cleared or its time is over.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }
}
