//! Keeps the serial numbers of first signatures: read before a phone is asked, written once the signature holds.
//!
//! ```text
//!   look-up ──> has the directory a serial number? ──yes──> as it is
//!                     │ no
//!                     └──> the record of the entry, where there is one ──> Subscriber.serial
//!
//!   Ask::Pin ──> the record, locked ──> none: written, durably ──> Kept
//!                                   └─> one: the same, or another one
//! ```
//!
//! Two first logins at the same time wait for each other: the second finds what the first has written. What cannot be
//! read is no reason to begin anew: nobody's phone is asked until an administrator has looked.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::store::{Listing, Locked, NoLock, Store};
use crate::{
    config::SerialPolicy,
    directory::Lookup,
    login::{self, Pinned, Withheld},
    memory::pin::{By, KIND, Pin},
    outcome::Reason,
    subscriber::{Entry, SerialNumber, Subscriber, UserName},
    text,
};

/// A folder of serial numbers. It is opened when one is looked for.
#[derive(Debug, Clone)]
pub struct Pins {
    folder: PathBuf,
}

/// What was kept before an administrator's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// This.
    Kept(Pin),
    /// A record that nobody can read; the sentence says why.
    Damaged(String),
}

/// How long a record may be held by somebody else: writing one takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

impl Pins {
    /// Those of this folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Whether the folder is there and can be used.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if !self.folder.exists() {
            let folder = text::escaped(&self.folder.display().to_string(), 400);
            return Err(format!(
                "{folder} is not there: make it, with mode 0700 and the owner that logins run as"
            ));
        }
        Store::open(&self.folder).map(|_| ())
    }

    /// What the directories said, completed by the serial number that is kept of the person. What was kept here before a
    /// directory began to keep them itself counts until that one has another.
    ///
    /// # Errors
    /// What is kept cannot be read: the phone must not be asked, because nobody could tell whose the signature is.
    pub fn complete(&self, found: Lookup, policy: SerialPolicy) -> Result<Lookup, Withheld> {
        let Lookup::Found(mut subscriber) = found else { return Ok(found) };
        let kept = self.counts_for(&subscriber, policy);
        if let Some(pin) = kept.map_err(|detail| Withheld { reason: Reason::PinFailed, detail })? {
            subscriber.serial = Some(pin.serial);
        }
        Ok(Lookup::Found(subscriber))
    }

    /// The record that counts for a person: none where the directory says a serial number, or where none is looked at.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn counts_for(&self, subscriber: &Subscriber, policy: SerialPolicy) -> Result<Option<Pin>, String> {
        if policy == SerialPolicy::Ignore || subscriber.serial.is_some() {
            return Ok(None);
        }
        self.get(&subscriber.entry.id)
    }

    /// Keeps the serial number of a first login or an enrolment, unless one is kept.
    #[must_use]
    pub fn keep(&self, pin: &login::Pin, by: By, now: SystemTime) -> Pinned {
        self.kept(pin, by, now).unwrap_or_else(Pinned::Unavailable)
    }

    fn kept(&self, pin: &login::Pin, by: By, now: SystemTime) -> Result<Pinned, String> {
        let store = Store::open(&self.folder)?;
        let mut record = locked(&store, &pin.entry.id)?;
        match read(&record, &pin.entry.id)? {
            None => {
                record.write(&of(&pin.user, &pin.entry, &pin.serial, by, now).encode())?;
                Ok(Pinned::Kept)
            }
            Some(kept) if kept.serial == pin.serial => Ok(Pinned::Same),
            Some(kept) => Ok(Pinned::Other(kept.serial)),
        }
    }

    /// What is kept of an entry.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn get(&self, entry: &str) -> Result<Option<Pin>, String> {
        decoded(Store::open(&self.folder)?.read(KIND, entry)?, entry)
    }

    /// All that is kept, as octets of [`Pin`]s.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn each(&self) -> Result<Listing, String> {
        Store::open(&self.folder)?.all(KIND)
    }

    /// Keeps this serial number, whatever was kept before: an administrator says so.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn set(
        &self,
        user: &UserName,
        entry: &Entry,
        serial: &SerialNumber,
        now: SystemTime,
    ) -> Result<Before, String> {
        let store = Store::open(&self.folder)?;
        let mut record = locked(&store, &entry.id)?;
        let before = before(&record, &entry.id);
        record.write(&of(user, entry, serial, By::Administrator, now).encode())?;
        Ok(before)
    }

    /// Keeps none of an entry: the next login is a first one.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn forget(&self, entry: &str) -> Result<Before, String> {
        let store = Store::open(&self.folder)?;
        let record = locked(&store, entry)?;
        let before = before(&record, entry);
        record.remove()?;
        Ok(before)
    }
}

/// Damage is what an administrator's change mends: it does not stop it.
fn before(record: &Locked<'_>, entry: &str) -> Before {
    match read(record, entry) {
        Ok(None) => Before::Nothing,
        Ok(Some(pin)) => Before::Kept(pin),
        Err(why) => Before::Damaged(why),
    }
}

fn locked<'a>(store: &'a Store, entry: &str) -> Result<Locked<'a>, String> {
    let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    store.wait_for_lock(KIND, entry, until, PAUSE, || false).map_err(|why| match why {
        NoLock::Broken(why) => why,
        NoLock::Cancelled | NoLock::Late => {
            format!("another process holds the serial number of {}", text::foreign(entry, 200))
        }
    })
}

fn read(record: &Locked<'_>, entry: &str) -> Result<Option<Pin>, String> {
    decoded(record.read()?, entry)
}

/// A record of somebody else is damage too: it was put where it does not belong.
fn decoded(octets: Option<Vec<u8>>, entry: &str) -> Result<Option<Pin>, String> {
    let Some(octets) = octets else { return Ok(None) };
    let pin = Pin::decode(&octets).ok().filter(|pin| pin.entry == entry);
    pin.map(Some).ok_or_else(|| {
        let shown = text::foreign(entry, 1100);
        // Root pastes it into a shell, and some people write their own names into directories. What is not shown as it
        // is, a phone number or a DN with a backslash, would be nobody's.
        let is_word = shown == entry && !entry.contains(['\'', '\\']);
        let whom = if is_word { format!("'{entry}'") } else { "USER, with the user's name".to_owned() };
        format!("the serial number kept of {shown} cannot be read: mobileidctl serial forget {whom}")
    })
}

fn of(user: &UserName, entry: &Entry, serial: &SerialNumber, by: By, now: SystemTime) -> Pin {
    Pin {
        entry: entry.id.clone(),
        user: user.as_str().to_owned(),
        serial: serial.clone(),
        at: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        by,
    }
}

#[cfg(test)]
mod tests;
