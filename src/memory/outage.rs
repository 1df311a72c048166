//! The service was not reached a moment ago. sudo tries three times, and the second and third need not wait as long
//! as the first to learn the same.
//!
//! Only what ended before the request was sent is remembered, and not what this host itself lacked: that says nothing
//! about the next try. Who may have made a failure, as sudo's caller can, is told of it alone: `driver::store` has a
//! record for each of those beside the host's own, which is for each service that its configurations name.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Moment, NoRecord};
use crate::outcome::Unreachable;

/// Its folder in the store. The number is the form's: with another form, a release begins anew.
pub const KIND: &str = "outage-1";
/// How long it is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// One failure on the way to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    hop: Hop,
    at: Moment,
}

/// Where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Hop {
    Name,
    Connect,
    Proxy,
    Tls,
    TooSlow,
}

impl Outage {
    /// What is remembered of this failure; None where it says nothing about the next try.
    #[must_use]
    pub fn of(failure: Unreachable, at: Moment) -> Option<Self> {
        let hop = match failure {
            Unreachable::Name => Hop::Name,
            Unreachable::Connect => Hop::Connect,
            Unreachable::Proxy => Hop::Proxy,
            Unreachable::Tls => Hop::Tls,
            Unreachable::TooSlow => Hop::TooSlow,
            Unreachable::Local => return None,
        };
        Some(Self { hop, at })
    }

    /// The failure, while it is remembered.
    #[must_use]
    pub fn remembered(&self, now: &Moment) -> Option<Unreachable> {
        let recent = now.since(&self.at).is_some_and(|ago| ago < REMEMBERED_FOR);
        recent.then_some(match self.hop {
            Hop::Name => Unreachable::Name,
            Hop::Connect => Unreachable::Connect,
            Hop::Proxy => Unreachable::Proxy,
            Hop::Tls => Unreachable::Tls,
            Hop::TooSlow => Unreachable::TooSlow,
        })
    }

    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of an outage: then none is remembered, and the service is tried.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }
}
