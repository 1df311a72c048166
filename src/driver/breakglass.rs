//! Makes, uses and takes back break-glass codes, in the order that lets nobody in twice.
//!
//! ```text
//!   codes, locked ──> tries, locked ──> try counted ──> hash ──> codes without this one ──> yes
//!     none: NoCodes     too many          written       wrong     written, durably
//! ```
//!
//! A process that is killed on the way has used up a try, or a code, and let nobody in. Whoever wants to use the same
//! code at the same time waits for the lock, and finds it gone. Whatever cannot be read, locked or written is a no.

use std::{
    fmt,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use ring::rand::{SecureRandom, SystemRandom};

use super::store::{Locked, Store};
use crate::{
    memory::{
        Moment,
        breakglass::{Codes, KIND, KIND_OF_TRIES, Redeemed, Rejected, Tries},
    },
    secret::Secret,
    subscriber::UserName,
};

/// Where codes and tries are.
#[derive(Debug, Clone, Copy)]
pub struct Stores<'a> {
    /// What is kept: the codes.
    pub state: &'a Store,
    /// What is forgotten at boot: the tries.
    pub runtime: &'a Store,
}

/// Why nobody is let in for what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is none of the codes that are left.
    WrongCode,
    /// There were five wrong ones within a quarter of an hour: this one was not looked at.
    TooManyTries,
    /// The user has no codes left.
    NoCodes,
    /// Another process has the user's codes, and whoever typed has gone meanwhile.
    Cancelled,
    /// It could not be found out; the sentence says why, and what to do.
    Store(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongCode => Rejected::Wrong.fmt(f),
            Self::TooManyTries => f.write_str("too many wrong codes within a quarter of an hour"),
            Self::NoCodes => f.write_str("no break-glass codes left"),
            Self::Cancelled => f.write_str("while another process had the break-glass codes"),
            Self::Store(sentence) => f.write_str(sentence),
        }
    }
}

impl From<String> for Refused {
    fn from(sentence: String) -> Self {
        Self::Store(sentence)
    }
}

/// Whether the user has codes left, so that asking for one makes sense. `is_gone` is asked while another process has
/// them: then nobody waits for the answer any more.
///
/// # Errors
/// [`Refused::Cancelled`] or [`Refused::Store`].
pub fn has_codes(state: &Store, user: &UserName, is_gone: impl Fn() -> bool) -> Result<bool, Refused> {
    let record = lock(state, KIND, user, is_gone)?;
    if let Some(codes) = read(&record, user)? {
        return Ok(codes.left() > 0);
    }
    // Most users have none: no lock file stays behind for each.
    record.remove()?;
    Ok(false)
}

/// Uses a code up, as typed. `is_gone` as in [`has_codes`].
///
/// # Errors
/// The closed list of [`Refused`]; in each case nobody may be let in.
pub fn redeem(
    stores: Stores<'_>,
    user: &UserName,
    typed: &Secret,
    now: &Moment,
    is_gone: impl Fn() -> bool,
) -> Result<Redeemed, Refused> {
    let mut record = lock(stores.state, KIND, user, &is_gone)?;
    let mut codes = read(&record, user)?.filter(|codes| codes.left() > 0).ok_or(Refused::NoCodes)?;
    let tries = count_try(stores.runtime, user, now, is_gone)?;
    let redeemed = codes.redeem(typed.expose()).map_err(|rejected| match rejected {
        Rejected::Wrong => Refused::WrongCode,
        Rejected::NoMemory => Refused::Store(rejected.to_string()),
    })?;
    record.write(&codes.encode())?;
    // The code is gone, and was right: tries that stay counted are no reason to lock out who typed it.
    let _ = tries.remove();
    Ok(redeemed)
}

/// Takes one of the tries that are left, and gives back the lock on them.
fn count_try<'a>(
    runtime: &'a Store,
    user: &UserName,
    now: &Moment,
    is_gone: impl Fn() -> bool,
) -> Result<Locked<'a>, Refused> {
    let mut record = lock(runtime, KIND_OF_TRIES, user, is_gone)?;
    let mut tries = match record.read()? {
        None => Tries::none(user),
        Some(octets) => Tries::decode(&octets)
            .ok()
            .filter(|tries| tries.user() == user.as_str())
            .ok_or_else(|| damaged("count of wrong break-glass codes", user))?,
    };
    if !tries.count(now) {
        return Err(Refused::TooManyTries);
    }
    record.write(&tries.encode())?;
    Ok(record)
}

/// What becomes of codes that the user has left when new ones are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and none are made.
    Keep,
    /// They are no good from then on.
    Replace,
}

/// Codes that were made.
#[derive(Debug)]
pub struct Created {
    /// To be shown once.
    pub paper: Vec<Secret>,
    /// How many they replace.
    pub replaced: usize,
}

/// Why no codes were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCreated {
    /// The user has so many left, and they were to be kept.
    Left(usize),
    /// It could not be done; the sentence says why, and what to do.
    Store(String),
}

impl From<String> for NotCreated {
    fn from(sentence: String) -> Self {
        Self::Store(sentence)
    }
}

/// Makes a set of codes for a user, and forgets her wrong tries.
///
/// # Errors
/// The closed list of [`NotCreated`]; in each case the old codes are as they were.
pub fn create(
    stores: Stores<'_>,
    user: &UserName,
    count: usize,
    now: SystemTime,
    existing: Existing,
) -> Result<Created, NotCreated> {
    let mut record = patiently(stores.state, KIND, user)?;
    let replaced = match (read(&record, user), existing) {
        (old, Existing::Keep) => match old?.map_or(0, |codes| codes.left()) {
            0 => 0,
            left => return Err(NotCreated::Left(left)),
        },
        // What cannot be read can be replaced: that is the way out.
        (old, Existing::Replace) => old.ok().flatten().map_or(0, |codes| codes.left()),
    };
    let made = Codes::create(user.clone(), count, now, entropy);
    let (codes, paper) = made.map_err(|why| NotCreated::Store(why.to_string()))?;
    patiently(stores.runtime, KIND_OF_TRIES, user)?.remove()?;
    record.write(&codes.encode())?;
    Ok(Created { paper, replaced })
}

/// Takes all codes of a user back, readable or not, and forgets her wrong tries. Gives how many there were; none where
/// there was no record.
///
/// # Errors
/// A sentence that says why the codes may still be good, and what to do.
pub fn revoke(stores: Stores<'_>, user: &UserName) -> Result<Option<usize>, String> {
    let record = patiently(stores.state, KIND, user)?;
    let left = record.read()?.map(|octets| Codes::decode(&octets).map_or(0, |codes| codes.left()));
    record.remove()?;
    patiently(stores.runtime, KIND_OF_TRIES, user)?.remove()?;
    Ok(left)
}

fn entropy() -> Option<[u8; 16]> {
    let mut octets = [0; 16];
    SystemRandom::new().fill(&mut octets).is_ok().then_some(octets)
}

fn read(record: &Locked<'_>, user: &UserName) -> Result<Option<Codes>, String> {
    let Some(octets) = record.read()? else { return Ok(None) };
    let codes = Codes::decode(&octets).ok().filter(|codes| codes.user() == user);
    codes.map(Some).ok_or_else(|| damaged("record of break-glass codes", user))
}

fn damaged(what: &str, user: &UserName) -> String {
    format!(
        "the {what} of {user} cannot be read; make new ones: mobileidctl breakglass create --replace {user}"
    )
}

/// A login holds the lock for a hash and a write to the disk, `create` for as many hashes as there are codes.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The lock, for an administrator, who waits.
fn patiently<'a>(store: &'a Store, kind: &'static str, user: &UserName) -> Result<Locked<'a>, String> {
    lock(store, kind, user, || false).map_err(|refused| refused.to_string())
}

fn lock<'a>(
    store: &'a Store,
    kind: &'static str,
    user: &UserName,
    is_gone: impl Fn() -> bool,
) -> Result<Locked<'a>, Refused> {
    let until = Instant::now().checked_add(PATIENCE);
    loop {
        if let Some(locked) = store.try_lock(kind, user.as_str())? {
            return Ok(locked);
        }
        if is_gone() {
            return Err(Refused::Cancelled);
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            return Err(Refused::Store(format!(
                "the break-glass codes of {user} have been locked by another process for {} s; try again",
                PATIENCE.as_secs()
            )));
        }
        sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests;
