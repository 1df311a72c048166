//! A confirmation that stands for a while: for the same user, from the same address, with the same key and phone.
//!
//! All of them, because each alone is weak: an address is shared by everybody behind it, a key may be stolen and used
//! from elsewhere, and a phone may be lost. Without a public key as first factor there is no grace: sshd names the keys that were accepted
//! in SSH_AUTH_INFO_0, and of a password it says nothing.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Moment, NoRecord};
use crate::subscriber::Subscriber;

/// Its folder in the store. The number is the form's: with another form, a release begins anew.
pub const KIND: &str = "grace-1";
/// No configuration makes it longer.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// What proved who it was, as one digest: the keys of the first factor, and the phone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Key([u8; 32]);

impl Key {
    /// The digest of the keys in sshd's SSH_AUTH_INFO_0 and of the person's phone; None where there is no key. With
    /// another number or serial number it is another one: what the old phone has confirmed is over.
    #[must_use]
    pub fn of(ssh_auth_info: &str, subscriber: &Subscriber) -> Option<Self> {
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        let serial = subscriber.serial.as_ref().map_or("", |serial| serial.as_str());
        digest.update(format!("{}\n{serial}\n", subscriber.msisdn.digits()).as_bytes());
        let mut any = false;
        for key in ssh_auth_info.lines().filter_map(|line| line.strip_prefix("publickey ")) {
            digest.update(key.as_bytes());
            digest.update(b"\n");
            any |= !key.trim().is_empty();
        }
        any.then(|| digest.finish().as_ref().try_into().ok().map(Self)).flatten()
    }
}

/// One confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grace {
    /// Who confirmed.
    pub user: String,
    /// Where she came from.
    pub address: IpAddr,
    /// With which key.
    pub key: Key,
    /// When.
    pub confirmed: Moment,
}

impl Grace {
    /// Whether it stands for a login of this user, from there, with this key, now.
    #[must_use]
    pub fn holds(&self, user: &str, address: IpAddr, key: &Key, within: Duration, now: &Moment) -> bool {
        let same =
            self.user == user && self.address.to_canonical() == address.to_canonical() && self.key == *key;
        same && now.since(&self.confirmed).is_some_and(|ago| ago < within.min(LONGEST))
    }

    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of a confirmation: then there is none, and the person is asked.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }
}

/// The key under which the store has the confirmation of this user, from there, with this key.
#[must_use]
pub fn place(user: &str, address: IpAddr, key: &Key) -> String {
    format!("{}\n{}\n{user}", address.to_canonical(), key)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut key = [0; 32];
        let digits = text.as_bytes().chunks_exact(2);
        let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        for (octet, pair) in key.iter_mut().zip(digits) {
            let pair = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *octet = pair.unwrap_or_default();
        }
        if fits { Ok(Self(key)) } else { Err("a key is 64 hexadecimal digits") }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
