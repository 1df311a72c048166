//! Writes serial numbers into people's entries, where the directory keeps them itself (`write_serial`).
//!
//! ```text
//!   search ── a value ──> the same, or another: nothing is written
//!     │ none
//!     ▼
//!   modify: add ──> search ── ours alone ──> kept
//!                     ├── one of somebody faster ──> the same, or another
//!                     └── two ──> ours is taken back, and nobody is let in
//! ```
//!
//! All of it on one connection to one server, which is the one that is asked what stands there now. LDAP has no "add
//! unless there is one": only an attribute with a single value makes the server itself refuse a second one. Elsewhere
//! two first logins may both add theirs; whoever reads last sees both, so that never both are let in.

use std::time::Instant;

use super::{
    at_any,
    link::{Failed, Link},
    person, said,
};
use crate::{
    directory::ldap::{
        Ldap, Names,
        dn::canonical,
        entry::{self, Settled},
        message::{Body, Change, Code, Done, Modify, Request},
    },
    driver::{directories::GivenUp, socket::Tick},
    login::{Pin, Pinned},
    subscriber::{SerialNumber, UserName},
    text,
};

/// What came of an administrator's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is so now; these values stood there before.
    Done(Vec<String>),
    /// Nobody of that name is in the directory.
    NotFound,
    /// It is not so, or nobody can tell; for the administrator.
    Failed(String),
}

/// Writes the serial number of a first signature into the person's entry, unless one stands there. What is written when
/// the login is given up stays: its signature held.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn pin(ldap: &Ldap, pin: &Pin, tick: &Tick, deadline: Instant) -> Result<Pinned, GivenUp> {
    let asked = with_place(ldap, &pin.user, tick, deadline, |mut place| match &mut place {
        Some(place) if canonical(&place.dn) == pin.entry.id => place.first(&pin.serial),
        _ => Err(Failed::Final(ANOTHER_ENTRY.to_owned())),
    });
    match asked {
        Ok(pinned) => Ok(pinned),
        Err(Failed::GivenUp) => Err(GivenUp),
        Err(Failed::Unusable(why) | Failed::Here(why) | Failed::Final(why)) => Ok(Pinned::Unavailable(why)),
    }
}

const ANOTHER_ENTRY: &str = "has another entry for the user than before the phone was asked, or none";

/// Writes this serial number into a user's entry in place of all that stand there; or none.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn change(
    ldap: &Ldap,
    user: &UserName,
    to: Option<&SerialNumber>,
    tick: &Tick,
    deadline: Instant,
) -> Result<Changed, GivenUp> {
    let asked = with_place(ldap, user, tick, deadline, |place| match place {
        Some(mut place) => place.replace(to).map(|()| Changed::Done(place.values)),
        None => Ok(Changed::NotFound),
    });
    match asked {
        Ok(changed) => Ok(changed),
        Err(Failed::GivenUp) => Err(GivenUp),
        Err(Failed::Unusable(why) | Failed::Here(why) | Failed::Final(why)) => Ok(Changed::Failed(why)),
    }
}

/// An attribute of a person's entry, on one server.
struct Place<'a> {
    link: &'a mut Link,
    ldap: &'a Ldap,
    names: &'a Names<'a>,
    attribute: &'a str,
    /// As the server writes it.
    dn: String,
    /// What stood there when it was looked for.
    values: Vec<String>,
}

/// At the first server that takes changes; what it says of one that it was sent is not asked of another server.
fn with_place<T>(
    ldap: &Ldap,
    user: &UserName,
    tick: &Tick,
    deadline: Instant,
    act: impl Fn(Option<Place<'_>>) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let attribute = ldap.attributes.serial.as_deref();
    let attribute = attribute.ok_or_else(|| Failed::Final("attributes.serial is not set".to_owned()))?;
    let Some(names) = Names::of(user, &ldap.filter) else { return act(None) };
    at_any(ldap, tick, deadline, |link| {
        match person(link, ldap, &names)?.filter(|found| entry::is_of(ldap, user, found)) {
            Some(found) => {
                let values = texts(found.values(attribute))?;
                act(Some(Place { link, ldap, names: &names, attribute, dn: found.dn, values }))
            }
            None => act(None),
        }
    })
}

fn texts(values: Result<Vec<&str>, Settled>) -> Result<Vec<String>, Failed> {
    match values {
        Ok(values) => Ok(values.into_iter().map(|value| value.trim().to_owned()).collect()),
        Err(Settled::Unusable(why) | Settled::Barred(why)) => Err(Failed::Unusable(why)),
        Err(Settled::NotEnrolled) => Ok(Vec::new()),
    }
}

impl Place<'_> {
    fn first(&mut self, serial: &SerialNumber) -> Result<Pinned, Failed> {
        let before = std::mem::take(&mut self.values);
        if let Some(settled) = self.judged(&before, serial) {
            return Ok(settled);
        }
        let done = self.modify(Change::Add, Some(serial))?;
        // Somebody may have been faster, with the same or where there is room for one: what stands there says so.
        let is_ours = done.code == Code::SUCCESS;
        if !is_ours && !matches!(done.code, Code::VALUE_EXISTS | Code::CONSTRAINT_VIOLATION) {
            return Err(self.refused(&done));
        }
        let after = self.read().map_err(Failed::once_sent)?;
        match self.judged(&after, serial) {
            Some(Pinned::Same) if is_ours => Ok(Pinned::Kept),
            Some(settled) => {
                if is_ours && after.len() > 1 {
                    self.take_back(serial)?;
                }
                Ok(settled)
            }
            None if is_ours => Err(Failed::Final(format!(
                "{} was written and is not there: may bind_dn read it?",
                self.attribute
            ))),
            None => Err(self.refused(&done)),
        }
    }

    /// What values mean for whoever comes with this serial number; none where there is no value.
    fn judged(&self, values: &[String], serial: &SerialNumber) -> Option<Pinned> {
        match values {
            [] => None,
            [value] => Some(match value.parse::<SerialNumber>() {
                Ok(value) if value == *serial => Pinned::Same,
                Ok(value) => Pinned::Other(value),
                Err(why) => Pinned::Unavailable(format!("the entry's {}: {why}", self.attribute)),
            }),
            _ => Some(Pinned::Unavailable(format!("the entry's {} has more than one value", self.attribute))),
        }
    }

    /// Otherwise nobody would get in any more before an administrator has looked.
    fn take_back(&mut self, serial: &SerialNumber) -> Result<(), Failed> {
        let done = self.modify(Change::Delete, Some(serial)).map_err(Failed::once_sent)?;
        match done.code {
            Code::SUCCESS | Code::NO_SUCH_ATTRIBUTE => Ok(()),
            _ => Err(self.refused(&done)),
        }
    }

    fn replace(&mut self, to: Option<&SerialNumber>) -> Result<(), Failed> {
        if to.is_none() && self.values.is_empty() {
            return Ok(());
        }
        let change = if to.is_some() { Change::Replace } else { Change::Delete };
        let done = self.modify(change, to)?;
        let is_gone = to.is_none() && done.code == Code::NO_SUCH_ATTRIBUTE;
        if done.code != Code::SUCCESS && !is_gone {
            return Err(self.refused(&done));
        }
        let after = self.read().map_err(Failed::once_sent)?;
        let wanted: Vec<_> = to.iter().map(|serial| serial.as_str()).collect();
        if after == wanted {
            return Ok(());
        }
        Err(Failed::Final(format!("{} was written, and something else stands there", self.attribute)))
    }

    fn modify(&mut self, change: Change, value: Option<&SerialNumber>) -> Result<Done, Failed> {
        let value = value.map(SerialNumber::as_str);
        let (dn, attribute) = (self.dn.as_str(), self.attribute);
        let modify = Modify { dn, change, attribute, value };
        let sent = self.link.send(&Request::Modify(&modify)).and_then(|()| self.link.receive());
        let done = match sent.map_err(Failed::once_sent)? {
            Body::Modified(done) => done,
            _ => return Err(Failed::Final("answered a change with something else".to_owned())),
        };
        match done.code {
            // Nothing is changed here, as on a copy that is only read. The next server may be the one that writes.
            Code::REFERRAL => Err(Failed::Here(REFERRAL.to_owned())),
            Code::BUSY | Code::UNAVAILABLE | Code::UNWILLING => {
                Err(Failed::Here(format!("does not write {attribute}: {}", said(&done))))
            }
            _ => Ok(done),
        }
    }

    /// What stands there now.
    fn read(&mut self) -> Result<Vec<String>, Failed> {
        match person(self.link, self.ldap, self.names)? {
            Some(found) if canonical(&found.dn) == canonical(&self.dn) => texts(found.values(self.attribute)),
            _ => Err(Failed::Final(ANOTHER_ENTRY.to_owned())),
        }
    }

    fn refused(&self, done: &Done) -> Failed {
        let attribute = self.attribute;
        let what = match done.code {
            Code::INSUFFICIENT_RIGHTS => "bind_dn may not write it",
            Code::NO_SUCH_ATTRIBUTE | Code::UNDEFINED_ATTRIBUTE => "the server knows no such attribute",
            Code::OBJECT_CLASS_VIOLATION => "no object class of the entry has this attribute",
            Code::CONSTRAINT_VIOLATION => "the server does not take this value",
            Code::VALUE_EXISTS => "there is a value, and bind_dn may not read it",
            Code::NO_SUCH_OBJECT => "the entry is gone, or bind_dn may not write it",
            _ => "not written",
        };
        let entry = text::foreign(&self.dn, 300);
        Failed::Final(format!("{attribute} of {entry}: {what}: {}", said(done)))
    }
}

const REFERRAL: &str =
    "takes no changes and refers to another server, which is not followed: name that one in servers";

impl Failed {
    /// A change was sent: what stands there is for the next look-up to find, not for another server.
    fn once_sent(self) -> Self {
        match self {
            Self::Here(why) => Self::Final(format!("{why}; nobody can tell whether it is written")),
            other => other,
        }
    }
}
