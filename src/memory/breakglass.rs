//! Break-glass codes: how somebody gets in on the day on which nobody's phone can be asked.
//!
//! An administrator makes a set of codes for a user and locks the paper away. Each code is good once. What the host
//! keeps of them are hashes that are slow and large to compute, so that a stolen backup gives no codes away.
//!
//! ```text
//!   create ──> K7PX-3D9F-HW4C ...   to paper; shown once, kept nowhere
//!      │
//!      └─────> Codes ──encode──> salt, cost, a hash for each code ──decode──> Codes
//!                                                                               │
//!   typed ──> Try: counted first ──> one hash, held against all that are left ──┴──> Redeemed, and one code less
//! ```
//!
//! The order of writing is the driver's (`driver::breakglass`): the try is counted before the hash is computed, and
//! the code is gone from the record before anybody is let in.
//!
//! ```
//! use mobileid::memory::breakglass::{Codes, Redeemed, Rejected};
//! use std::time::SystemTime;
//!
//! let mut drawn = 0u8; // from the operating system, in earnest
//! let entropy = || { drawn += 1; Some([drawn; 16]) };
//! let (mut codes, paper) = Codes::create("alice".parse()?, 2, SystemTime::UNIX_EPOCH, entropy)?;
//!
//! let typed = paper[0].expose().to_lowercase();
//! assert_eq!(codes.redeem(&typed), Ok(Redeemed { left: 1 }));
//! assert_eq!(codes.redeem(&typed), Err(Rejected::Wrong)); // each is good once
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::{Moment, NoRecord, millis};
use crate::{
    prompt::{ALPHABET, spelled},
    secret::Secret,
    subscriber::UserName,
};

/// The folder of the codes in the store that is kept.
pub const KIND: &str = "breakglass";
/// The folder of the tries in the store that is forgotten at boot.
pub const KIND_OF_TRIES: &str = "breakglass-tries";
/// The most codes of one user: what fits a sheet of paper, and a record of 4 KiB.
pub const COUNT_MAX: usize = 50;

/// Characters of a code, in groups of four: 18^12 codes are 50 bits.
const LENGTH: usize = 12;
const GROUP: usize = 4;
/// Longer than any way to write a code.
const TYPED_MAX: usize = 64;

/// The codes of one user that are left.
#[derive(Clone, PartialEq, Eq)]
pub struct Codes {
    user: UserName,
    created: u64,
    cost: Cost,
    /// One for the set, so that what was typed is hashed once and not once for each code. The codes are random:
    /// two that are the same do not occur, and a table made for one set serves no other.
    salt: [u8; 16],
    hashes: Vec<[u8; 32]>,
}

/// A code was right, and is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redeemed {
    /// How many codes the user has left.
    pub left: usize,
}

/// Why a code was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// It is none of those that are left.
    Wrong,
    /// Nobody knows: the host has no memory to hash it in.
    NoMemory,
}

/// Why no codes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// Not 1 to [`COUNT_MAX`] of them.
    Count,
    /// The operating system gave no randomness.
    NoRandomness,
    /// The host has no memory to hash them in.
    NoMemory,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wrong => "no code that is left",
            Self::NoMemory => NO_MEMORY,
        })
    }
}

impl std::error::Error for Rejected {}

impl fmt::Display for NotMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "a set has 1 to {COUNT_MAX} codes"),
            Self::NoRandomness => f.write_str("the operating system gives no randomness"),
            Self::NoMemory => f.write_str(NO_MEMORY),
        }
    }
}

impl std::error::Error for NotMade {}

const NO_MEMORY: &str = "this host has no memory to hash a break-glass code in";

impl Codes {
    /// Makes a set of codes, and the codes themselves as they are to be shown, once.
    ///
    /// # Errors
    /// Says which of the three things it takes was missing.
    pub fn create(
        user: UserName,
        count: usize,
        now: SystemTime,
        mut entropy: impl FnMut() -> Option<[u8; 16]>,
    ) -> Result<(Self, Vec<Secret>), NotMade> {
        if !(1..=COUNT_MAX).contains(&count) {
            return Err(NotMade::Count);
        }
        let salt = entropy().ok_or(NotMade::NoRandomness)?;
        let created = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut codes =
            Self { user, created, cost: Cost::OF_NEW_CODES, salt, hashes: Vec::with_capacity(count) };
        let mut paper = Vec::with_capacity(count);
        for _ in 0..count {
            let code = Typed::from_entropy(&Zeroizing::new(entropy().ok_or(NotMade::NoRandomness)?));
            codes.hashes.push(*codes.hash(&code).ok_or(NotMade::NoMemory)?);
            paper.push(code.on_paper());
        }
        Ok((codes, paper))
    }

    /// Whose they are.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// When they were made.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.created)).unwrap_or(UNIX_EPOCH)
    }

    /// How many are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.hashes.len()
    }

    /// Takes a code, as typed, out of the set. Case, blanks and dashes do not matter.
    ///
    /// Whoever is let in for it is let in after the set was written back.
    ///
    /// # Errors
    /// The set is as before.
    pub fn redeem(&mut self, typed: &str) -> Result<Redeemed, Rejected> {
        let typed = Typed::read(typed).ok_or(Rejected::Wrong)?;
        let hash = self.hash(&typed).ok_or(Rejected::NoMemory)?;
        let found = self.hashes.iter().fold(Choice::from(0), |found, one| found | one.ct_eq(&*hash));
        if !bool::from(found) {
            return Err(Rejected::Wrong);
        }
        self.hashes.retain(|one| !bool::from(one.ct_eq(&*hash)));
        Ok(Redeemed { left: self.hashes.len() })
    }

    /// None where there is no memory for it.
    fn hash(&self, code: &Typed) -> Option<Zeroizing<[u8; 32]>> {
        let mut hash = Zeroizing::new([0; 32]);
        let params = Params::new(self.cost.kib, self.cost.passes, 1, Some(hash.len())).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(&*code.0, &self.salt, &mut *hash).ok()?;
        Some(hash)
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codes").field("user", &self.user).field("left", &self.left()).finish_non_exhaustive()
    }
}

/// What it takes to hash one code: Argon2id with one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    kib: u32,
    passes: u32,
}

impl Cost {
    const OF_NEW_CODES: Self = Self { kib: 19 * 1024, passes: 2 };

    /// What a record says. It is read inside sshd and sudo: it may ask for neither all their memory nor all their
    /// time, and not for a hash that is cheap to try.
    fn read(kib: u32, passes: u32) -> Option<Self> {
        let fits = (8 * 1024..=64 * 1024).contains(&kib) && (1..=8).contains(&passes);
        fits.then_some(Self { kib, passes })
    }
}

/// A text that has the form of a code, in the one form that is hashed.
struct Typed(Zeroizing<[u8; LENGTH]>);

impl Typed {
    fn from_entropy(entropy: &[u8; 16]) -> Self {
        let spelled = Zeroizing::new(spelled(u128::from_be_bytes(*entropy), LENGTH));
        let mut code = Zeroizing::new([0; LENGTH]);
        code.iter_mut().zip(spelled.bytes()).for_each(|(to, from)| *to = from);
        Self(code)
    }

    fn read(typed: &str) -> Option<Self> {
        if typed.len() > TYPED_MAX {
            return None;
        }
        let mut code = Zeroizing::new([0; LENGTH]);
        let mut places = code.iter_mut();
        for c in typed.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)) {
            let byte = u8::try_from(c.to_ascii_uppercase()).ok().filter(|byte| ALPHABET.contains(byte))?;
            *places.next()? = byte;
        }
        places.next().is_none().then_some(Self(code))
    }

    fn on_paper(&self) -> Secret {
        let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (count, byte) in self.0.iter().enumerate() {
            if count > 0 && count.is_multiple_of(GROUP) {
                text.push('-');
            }
            text.push(char::from(*byte));
        }
        Secret::new(text)
    }
}

/// The hyphen of the keyboard, and those that a text program makes of it.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    user: String,
    created: u64,
    argon2id_kib: u32,
    argon2id_passes: u32,
    salt: String,
    hashes: Vec<String>,
}

impl Codes {
    /// As a record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let written = Written {
            user: self.user.as_str().to_owned(),
            created: self.created,
            argon2id_kib: self.cost.kib,
            argon2id_passes: self.cost.passes,
            salt: BASE64_STANDARD.encode(self.salt),
            hashes: self.hashes.iter().map(|hash| BASE64_STANDARD.encode(hash)).collect(),
        };
        super::encode(&written)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of codes: then nobody gets in with one.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        Self::read(super::decode(octets)?).ok_or(NoRecord)
    }

    fn read(written: Written) -> Option<Self> {
        let hashes = written.hashes.iter().map(|hash| octets(hash)).collect::<Option<Vec<_>>>()?;
        Some(Self {
            user: written.user.parse().ok()?,
            created: written.created,
            cost: Cost::read(written.argon2id_kib, written.argon2id_passes)?,
            salt: octets(&written.salt)?,
            hashes: (hashes.len() <= COUNT_MAX).then_some(hashes)?,
        })
    }
}

fn octets<const N: usize>(base64: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(base64).ok()?.try_into().ok()
}

/// The wrong tries of one user, at every service of this host.
///
/// They are counted in the time since boot: a wall clock that is set forward would forget them. A boot forgets them too.
/// Who can have the host booted at will has five tries a minute, and 50 bits to guess.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    user: String,
    /// Which boot the times are of.
    boot: String,
    /// Milliseconds after it.
    up_ms: Vec<u64>,
}

impl Tries {
    /// So many tries ...
    const LIMIT: usize = 5;
    /// ... within this.
    const WINDOW: Duration = Duration::from_secs(15 * 60);

    /// Somebody who has tried nothing yet.
    #[must_use]
    pub fn none(user: &UserName) -> Self {
        Self { user: user.as_str().to_owned(), boot: String::new(), up_ms: Vec::new() }
    }

    /// Whose they are.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Counts a try, if there is one left: before it is made, so that killing the process gives none for free.
    ///
    /// A try from the future counts. Its process read the clock after this one did, and had the lock before: were it
    /// not counted, many processes at once would each have a try.
    #[must_use]
    pub fn count(&mut self, now: &Moment) -> bool {
        if self.boot != now.boot {
            self.boot.clone_from(&now.boot);
            self.up_ms.clear();
        }
        let up = millis(now.up);
        self.up_ms.retain(|try_up| try_up.saturating_add(millis(Self::WINDOW)) >= up);
        let may = self.up_ms.len() < Self::LIMIT;
        if may {
            self.up_ms.push(up);
        }
        may
    }

    /// As octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        super::encode(self)
    }

    /// From octets.
    ///
    /// # Errors
    /// They are no record of tries. Then nobody knows how many there were, and no code is taken.
    pub fn decode(octets: &[u8]) -> Result<Self, NoRecord> {
        super::decode(octets)
    }
}

#[cfg(test)]
mod tests;
