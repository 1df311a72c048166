//! What one login leaves behind for the next: records, as data.
//!
//! A PAM module has no life of its own. sshd runs it anew for every try, sudo in a process per command; what one run
//! knows the next one can only read. So a run writes down what the next must know, and each record has one question
//! that it answers:
//!
//! ```text
//!   record       written when            asked by the next run                            counts for
//!   connection   a login begins, sends,  was this connection asked already, and           the connection
//!                ends                    what did the person say?
//!   pushes       a phone is asked        how often has it been asked in vain?             pam.push_window
//!   grace        the person confirmed    has she, from there, with that key, lately?      pam.grace
//!   outage       the service is down     was it down a moment ago?                        10 seconds
//!   break-glass  codes are made, used    is this one of them?                             until used
//!   pin          a first signature holds whose serial number must a signature have?        until forgotten
//! ```
//!
//! Nothing here opens a file: `driver::store` keeps the octets, one record per file, under a lock that is held from
//! the question to the answer. Nothing here reads a clock either: each question takes [`Moment`] as `now`.
//!
//! # When a record does not count
//! The octets come from a folder of root's, and are read as foreign all the same: at most [`RECORD_MAX`] of them, JSON,
//! with no field that is not ours. What is no record never lets anybody in: each module says what it means there.
//!
//! Time is the kernel's time since boot, beside the name of that boot. The wall clock can be set, by an administrator
//! or by who answers for a time server, and a grace of a quarter of an hour must not grow by that. A record of another
//! boot says nothing about this one.
//!
//! One from the future is found where `now` was read before the lock was got, and its holder wrote meanwhile. Read it
//! afterwards. Where that was forgotten, what would let somebody in does not count, and what holds somebody back does:
//! otherwise ten processes at once would have ten times the tries.
//!
//! ```
//! use std::time::Duration;
//! use mobileid::memory::{Moment, connection::{Record, Standing, standing}};
//!
//! let at = |secs| Moment { boot: "b1".into(), up: Duration::from_secs(secs) };
//! let longest = Duration::from_secs(90);
//! // Nobody was here: all of the time is left.
//! assert_eq!(standing(None, &at(100), longest), Standing::Fresh { left: longest });
//! // A first run gave up before anything was sent; the second has what is left of its time.
//! let begun = Record::Begun { first: at(100), sent: false }.encode();
//! assert_eq!(standing(Some(&begun), &at(130), longest), Standing::Fresh { left: Duration::from_secs(60) });
//! // It was killed while the phone rang: the phone does not ring again.
//! let sent = Record::Begun { first: at(100), sent: true }.encode();
//! assert_eq!(standing(Some(&sent), &at(130), longest), Standing::Interrupted);
//! ```

#[cfg(feature = "store")]
pub mod breakglass;
pub mod connection;
pub mod grace;
pub mod outage;
pub mod pin;
pub mod pushes;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The folder of what is forgotten at boot.
pub const RUNTIME: &str = "/run/mobileid";
/// The folder of what is kept.
pub const STATE: &str = "/var/lib/mobileid";
/// The most octets of one record.
pub const RECORD_MAX: usize = 4096;

/// A moment of this host: which boot, and how long after it, the time asleep included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The kernel's name of the boot.
    pub boot: String,
    /// How long ago that was; recorded in whole milliseconds.
    #[serde(rename = "up_ms", with = "milliseconds")]
    pub up: Duration,
}

impl Moment {
    /// How long before this moment `earlier` was. None where it was in another boot, or was not earlier.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        (self.boot == earlier.boot).then(|| self.up.checked_sub(earlier.up)).flatten()
    }
}

/// The octets are no record: too many, not JSON, or with fields that are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRecord;

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was remembered cannot be read")
    }
}

impl std::error::Error for NoRecord {}

/// A record as octets.
pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    // Records are structs of texts and numbers, which JSON can always say. No octets are no record: were it
    // otherwise, the reader would refuse it.
    serde_json::to_vec(record).unwrap_or_default()
}

/// The record of these octets.
pub(crate) fn decode<T: DeserializeOwned>(octets: &[u8]) -> Result<T, NoRecord> {
    if octets.len() > RECORD_MAX {
        return Err(NoRecord);
    }
    serde_json::from_slice(octets).map_err(|_| NoRecord)
}

/// A duration as a number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(super::millis(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// Whole milliseconds; more than 64 bits of them are no time that a host has been up.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
