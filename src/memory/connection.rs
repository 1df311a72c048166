//! One connection, one push: what earlier runs on the same connection (or in the same sudo) came to.
//!
//! ```text
//!             ┌───────────────────────────── a run begins, under the lock of the connection ──┐
//!             ▼                                                                               │
//!   none ──> Begun, not sent ──> Begun, sent ──┬──> Accepted   the next run is let in as well │
//!             │                    │           └──> Denied     the next run is denied as well │
//!             │                    └─ killed: Interrupted, the next run is denied             │
//!             └─ killed or given up: the next run has what is left of the time ───────────────┘
//! ```
//!
//! `password,keyboard-interactive` runs the PAM stack twice on one connection, and a client may try again after a
//! denial. The phone rings once for all of them. The lock is held for the whole run, so who reads `Begun` knows that
//! its writer is dead.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Moment, NoRecord};

/// Its folder in the store. The number is the form's: with another form, a release begins anew.
pub const KIND: &str = "connection-1";
/// How long a confirmation stands for later runs on its connection.
pub const CONFIRMED_FOR: Duration = Duration::from_secs(600);

/// What a run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Record {
    /// It is under way, or its process was killed.
    Begun {
        /// When the first run on the connection began.
        first: Moment,
        /// Whether a phone may have been asked.
        sent: bool,
    },
    /// The person confirmed.
    Accepted {
        /// When the first run on the connection began.
        first: Moment,
        /// When she confirmed.
        at: Moment,
        /// The transaction, for the record of the runs that rely on it.
        ap_trans_id: String,
    },
    /// The login was denied for good.
    Denied {
        /// When the first run on the connection began.
        first: Moment,
        /// The stable name of the reason.
        reason: String,
    },
}

/// Where a run stands that finds this record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No phone was asked yet.
    Fresh {
        /// How much is left of the time for the whole connection.
        left: Duration,
    },
    /// The person has confirmed for this connection.
    Confirmed {
        /// The transaction.
        ap_trans_id: String,
    },
    /// This connection was denied.
    Denied {
        /// The stable name of the reason.
        reason: String,
    },
    /// A run was killed while a phone may have rung, or left something that cannot be read.
    Interrupted,
    /// The time for the whole connection is over.
    Late,
}

impl Record {
    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of a connection.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }

    /// When the first run on the connection began: the next record carries it on.
    #[must_use]
    pub fn first(&self) -> &Moment {
        match self {
            Self::Begun { first, .. } | Self::Accepted { first, .. } | Self::Denied { first, .. } => first,
        }
    }
}

/// Judges the octets that were found, if any, by the lock's holder. `longest` is the time for all runs together.
#[must_use]
pub fn standing(found: Option<&[u8]>, now: &Moment, longest: Duration) -> Standing {
    let Some(octets) = found else { return Standing::Fresh { left: longest } };
    // It was a connection's record once, and may have said that a phone rang.
    let Ok(record) = Record::decode(octets) else { return Standing::Interrupted };
    if record.first().boot != now.boot {
        return Standing::Fresh { left: longest };
    }
    let running = now.since(record.first()).unwrap_or_default();
    match record {
        Record::Begun { sent: true, .. } => Standing::Interrupted,
        Record::Denied { reason, .. } => Standing::Denied { reason },
        Record::Accepted { at, ap_trans_id, .. }
            if now.since(&at).is_some_and(|ago| ago <= CONFIRMED_FOR) =>
        {
            Standing::Confirmed { ap_trans_id }
        }
        Record::Begun { sent: false, .. } | Record::Accepted { .. } => {
            match longest.saturating_sub(running) {
                Duration::ZERO => Standing::Late,
                left => Standing::Fresh { left },
            }
        }
    }
}
