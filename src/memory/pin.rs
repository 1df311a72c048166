//! The serial number that a person's first signature had, and that each later one must have (guide 4.2).
//!
//! It changes when somebody activates Mobile ID anew without a way to recover the old one: then the second factor is
//! not assured any more, and an administrator has to find out who has the phone. A record is kept until an
//! administrator forgets it; one that cannot be read says nothing, and lets nobody in.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::NoRecord;
use crate::{subscriber::SerialNumber, text};

/// Its folder in the store. The number is the form's.
pub const KIND: &str = "pins-1";

/// One person's serial number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// What the directory calls the person: see [`crate::subscriber::Entry`]. The record is kept under it.
    pub entry: String,
    /// As the person was called when it was written.
    pub user: String,
    /// The serial number.
    #[serde(with = "as_text")]
    pub serial: SerialNumber,
    /// When it was written, in seconds since 1970.
    pub at: u64,
    /// How it came to be written.
    pub by: By,
}

/// How a serial number came to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// It was the one of the first login.
    Login,
    /// It was the one of the signature that proved possession of the phone.
    Enrolment,
    /// Somebody said so.
    Administrator,
}

impl By {
    /// As it stands in records and listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Enrolment => "enrolment",
            Self::Administrator => "administrator",
        }
    }
}

impl Pin {
    /// When it was written.
    #[must_use]
    pub fn written(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.at)).unwrap_or(UNIX_EPOCH)
    }

    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of a serial number.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }
}

/// Without the phone number that a name or an entry may be.
impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, user, serial, at, by } = self;
        let (entry, user) = (text::without_numbers(entry), text::without_numbers(user));
        let mut shown = f.debug_struct("Pin");
        shown.field("entry", &entry).field("user", &user).field("serial", serial);
        shown.field("at", at).field("by", by).finish()
    }
}

mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::subscriber::SerialNumber;

    pub(super) fn serialize<S: Serializer>(serial: &SerialNumber, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(serial.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SerialNumber, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
