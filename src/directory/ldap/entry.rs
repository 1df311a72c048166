//! What an entry means: a number, a language, a serial number, groups, and whether the account may be used.
//!
//! An attribute without a value says nothing, and a person without any number is not enrolled. A value that cannot be
//! used is never passed over for another guess: the entry is unusable until somebody has mended it, except that of
//! several numbers the first international one counts.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use super::{Ldap, Names, dn, message::Entry};
use crate::{
    directory::Answer,
    subscriber::{self, Language, Msisdn, Subscriber, UserName},
    text,
};

/// Active Directory's flags of an account.
pub(super) const CONTROL: &str = "userAccountControl";
/// When it expires.
pub(super) const EXPIRES: &str = "accountExpires";

/// The most groups of a person, and the longest name of one.
pub const GROUPS_MAX: usize = 1024;
/// What is said of whoever has more.
pub const TOO_MANY_GROUPS: &str = "more than 1024 groups";
const GROUP_MAX: usize = 256;

/// Reads the entry of a user. Its groups are those that stand in it.
#[must_use]
pub fn read(ldap: &Ldap, user: &UserName, entry: &Entry, now: SystemTime) -> Answer {
    subscriber(ldap, user, entry, now).map_or_else(Answer::from, Answer::Found)
}

/// Why an entry is nobody's who logs in with it: an early answer, which travels as an error does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The person has no phone.
    NotEnrolled,
    /// The account is switched off or has expired.
    Barred(String),
    /// It has to be mended first.
    Unusable(String),
}

impl From<Settled> for Answer {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::NotEnrolled => Self::NotEnrolled,
            Settled::Barred(why) => Self::Barred(why),
            Settled::Unusable(why) => Self::Unusable(why),
        }
    }
}

fn subscriber(ldap: &Ldap, user: &UserName, entry: &Entry, now: SystemTime) -> Result<Subscriber, Settled> {
    let attributes = &ldap.attributes;
    if !is_of(ldap, user, entry) {
        // Not unknown: whom the directory knows by another spelling is not let in without a phone for it.
        let attribute = ldap.attributes.user.as_deref().unwrap_or_default();
        return Err(unusable(attribute, "is not this user's name letter for letter"));
    }
    if ldap.active_directory {
        account(entry, now)?;
    }
    let groups = match &attributes.groups {
        Some(name) => entry.values(name)?.into_iter().map(group).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    if groups.len() > GROUPS_MAX {
        return Err(Settled::Unusable(TOO_MANY_GROUPS.to_owned()));
    }
    Ok(Subscriber {
        msisdn: number(ldap, entry)?,
        language: match &attributes.language {
            Some(name) => entry.values(name)?.first().and_then(|value| language(value)),
            None => None,
        },
        serial: entry.one(attributes.serial.as_deref())?,
        profile: entry.one(attributes.profile.as_deref())?,
        groups,
        entry: subscriber::Entry { directory: String::new(), id: id(entry)? },
    })
}

/// The longest DN that anything is remembered under.
const DN_MAX: usize = 1024;

/// One entry's name, however the server writes it today.
fn id(entry: &Entry) -> Result<String, Settled> {
    let id = dn::canonical(&entry.dn);
    match (1..=DN_MAX).contains(&id.len()) {
        true => Ok(id),
        false => Err(Settled::Unusable("the entry's DN: must have 1 to 1024 bytes".to_owned())),
    }
}

/// Whether the entry is the user's, letter for letter: a server takes `ALICE` and `alice ` for alice, and who counts
/// by names would count three people.
#[must_use]
pub fn is_of(ldap: &Ldap, user: &UserName, entry: &Entry) -> bool {
    let Some(attribute) = &ldap.attributes.user else { return true };
    let name = Names::of(user, &ldap.filter).map_or(user.as_str(), |names| names.user);
    entry.values(attribute).is_ok_and(|values| values.contains(&name))
}

impl Entry {
    /// The values of an attribute, without those that are blank.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn values(&self, name: &str) -> Result<Vec<&str>, Settled> {
        let mut values = Vec::new();
        for attribute in &self.attributes {
            // Other options (`;lang-de`) make it another attribute; a range says that there are more values.
            let (base, options) = attribute.name.split_once(';').unwrap_or((&attribute.name, ""));
            if !base.eq_ignore_ascii_case(name) {
                continue;
            }
            if options.to_ascii_lowercase().starts_with("range=") {
                return Err(unusable(name, "has more values than the server sends at once"));
            }
            if !options.is_empty() {
                continue;
            }
            for value in &attribute.values {
                let value = std::str::from_utf8(value).map_err(|_| unusable(name, "is no UTF-8 text"))?;
                values.push(value);
            }
        }
        values.retain(|value| !value.trim().is_empty());
        Ok(values)
    }

    /// The one value of an attribute; more than one is one too many to choose from.
    fn one<T: FromStr<Err: std::fmt::Display>>(&self, name: Option<&str>) -> Result<Option<T>, Settled> {
        let Some(name) = name else { return Ok(None) };
        match self.values(name)?.as_slice() {
            [] => Ok(None),
            [value] => value.trim().parse().map(Some).map_err(|why: T::Err| unusable(name, &why.to_string())),
            _ => Err(unusable(name, "has more than one value")),
        }
    }

    /// The name of a group that was searched for.
    ///
    /// # Errors
    /// It has none, or one that cannot be used.
    pub fn group(&self, name: &str) -> Result<String, Settled> {
        match self.values(name)?.as_slice() {
            [value, ..] => group(value),
            [] => Err(unusable(name, "is missing in a group")),
        }
    }
}

fn unusable(attribute: &str, what: &str) -> Settled {
    Settled::Unusable(format!("the entry's {attribute}: {what}"))
}

/// The first number that is written internationally.
fn number(ldap: &Ldap, entry: &Entry) -> Result<Msisdn, Settled> {
    let mut wrong = None;
    for name in &ldap.attributes.msisdn {
        for value in entry.values(name)? {
            match international(value, ldap.default_country.as_deref()) {
                Ok(msisdn) => return Ok(msisdn),
                // What stands there is not repeated: it may be somebody's number.
                Err(why) => wrong = wrong.or_else(|| Some(unusable(name, why))),
            }
        }
    }
    Err(wrong.unwrap_or(Settled::NotEnrolled))
}

fn international(value: &str, country: Option<&str>) -> Result<Msisdn, &'static str> {
    let rule = "has no phone number with its country code, like +41791234567";
    // Before what it begins with is looked at: "0 041 79" begins with 00.
    let value: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let local = value.strip_prefix('0').filter(|rest| !rest.starts_with('0'));
    match (local, country) {
        (None, _) if value.starts_with('+') || value.starts_with("00") => value.parse().map_err(|_| rule),
        (Some(rest), Some(country)) => format!("+{country}{rest}").parse().map_err(|_| rule),
        _ => Err(rule),
    }
}

/// `de`, `de-CH`, or a list as browsers send it; what is none of the service's languages says nothing.
fn language(value: &str) -> Option<Language> {
    value.trim().split(['-', '_', ',', ';']).next()?.parse().ok()
}

fn group(value: &str) -> Result<String, Settled> {
    let fits = value.len() <= GROUP_MAX && !value.chars().any(text::is_unprintable);
    if fits {
        Ok(value.to_owned())
    } else {
        Err(Settled::Unusable("a group's name is no text of at most 256 printable bytes".to_owned()))
    }
}

/// ADS_UF_ACCOUNTDISABLE
const DISABLED: i64 = 2;

/// Whether Active Directory lets the account be used. An account whose flags cannot be read is no account in order.
fn account(entry: &Entry, now: SystemTime) -> Result<(), Settled> {
    let flags: Option<i64> = entry.one(Some(CONTROL))?;
    let flags = flags.ok_or_else(|| unusable(CONTROL, "cannot be read by whom the directory is asked as"))?;
    if flags & DISABLED != 0 {
        return Err(Settled::Barred("the account is disabled (userAccountControl)".to_owned()));
    }
    let expires: Option<i64> = entry.one(Some(EXPIRES))?;
    if expires.is_some_and(|ticks| is_past(ticks, now)) {
        return Err(Settled::Barred("the account has expired (accountExpires)".to_owned()));
    }
    Ok(())
}

/// From 1601 to 1970, in seconds.
const EPOCH: u64 = 11_644_473_600;

/// Whether a time in steps of 100 ns since 1601 has passed; 0 and the largest number are never.
fn is_past(ticks: i64, now: SystemTime) -> bool {
    if ticks == 0 || ticks == i64::MAX {
        return false;
    }
    let since_1601 =
        now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(EPOCH);
    // Before 1601 is long past.
    u64::try_from(ticks).map_or(true, |ticks| u128::from(ticks).saturating_mul(100) <= since_1601.as_nanos())
}
