//! Who a User-Name names: the octets of a packet become the name that is looked up, or nobody.
//!
//! ```text
//!  alice              ──> user alice
//!  alice@example.com  ──> user alice, realm example.com ──┐    stripped ──> alice
//!  ACME\alice         ──> user alice, realm ACME ─────────┴──> kept     ──> as it was received
//!                                                              neither  ──> refused
//!  ACME\alice@example.com, alice@, a@b@c, octets that are no text ──> refused
//! ```
//!
//! A client may take phone numbers for names ([`RealmRules::numbers`]). Such a name begins with `+` or `00` and is
//! digits from there on; digits alone may be anything, and stay what they are. However it was written it is one person
//! with one name, `+41791234567`, and shown as `+4179*****67`.
//!
//! Nothing is guessed: two people may be called alice in two realms, so a realm is taken off only where the
//! administrator has named it. Realms are compared without regard to the case of A to Z, as DNS and NetBIOS do; users
//! exactly, unless the client says otherwise.

use std::{fmt, str::FromStr as _};

use mobileid::{
    subscriber::{InvalidUserName, Msisdn, UserName},
    text,
};

/// How a client's User-Names are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RealmRules {
    /// The realms that are taken off.
    pub strip: Realms,
    /// The realms that belong to the name.
    pub keep: Realms,
    /// How users are compared with the user table.
    pub case: UserCase,
    /// Whether a phone number may stand in the place of a name.
    pub numbers: bool,
}

/// Which realms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Realms {
    /// These.
    Listed(Vec<String>),
    /// Every one: `"*"`.
    Every,
}

/// What is done about upper and lower case before a user is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UserCase {
    /// Nothing.
    #[default]
    Exact,
    /// A to Z become a to z. Other letters stay: what they become depends on the language.
    Lower,
}

/// Whom a User-Name names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The name to look up, and the one on the phone.
    pub user: UserName,
    /// The realm, as it was received; none for a plain name.
    pub realm: Option<String>,
    /// The whole User-Name, as it was received.
    pub received: UserName,
}

/// A User-Name that names nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nobody {
    /// What stands in the record of the denial.
    pub stand_in: UserName,
    /// Why.
    pub why: Unreadable,
}

/// Why a User-Name names nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// It is no UTF-8.
    NotText,
    /// It is empty or holds characters that are not seen.
    Invalid(InvalidUserName),
    /// It has more than one `@` or `\`, or both.
    Ambiguous,
    /// Nothing stands on one side of its `@` or `\`.
    Half,
    /// Its realm is neither stripped nor kept.
    Realm(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("the User-Name is no UTF-8 text"),
            Self::Invalid(why) => write!(f, "User-Name: {why}"),
            Self::Ambiguous => f.write_str("the User-Name has more than one realm"),
            Self::Half => f.write_str("the User-Name has an empty user or an empty realm"),
            Self::Realm(realm) => write!(
                f,
                "the realm {} is neither in strip_realms nor in keep_realms of the client",
                text::escaped(realm, 253)
            ),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Reads a User-Name by a client's rules.
///
/// # Errors
/// [`Nobody`]: the login is refused.
pub fn identify(octets: &[u8], rules: &RealmRules) -> Result<Identity, Nobody> {
    let nobody = |why| Nobody { stand_in: stand_in(octets, rules), why };
    let name = std::str::from_utf8(octets).map_err(|_| nobody(Unreadable::NotText))?;
    read(name, rules).map_err(nobody)
}

/// What stands for a User-Name in the record of a denial that comes before it is anybody's.
#[must_use]
pub fn stand_in(octets: &[u8], rules: &RealmRules) -> UserName {
    let name = String::from_utf8_lossy(octets);
    match (rules.numbers, number(&name)) {
        (false, _) => UserName::stand_in(&name),
        (true, Some(number)) => UserName::of_number(number),
        (true, None) => UserName::stand_in(&text::without_numbers(&name)),
    }
}

fn read(name: &str, rules: &RealmRules) -> Result<Identity, Unreadable> {
    let received = UserName::from_str(name).map_err(Unreadable::Invalid)?;
    let (user, realm) = split(name)?;
    let looked_up = match realm {
        None => user,
        // A realm that is listed here is not taken off by a "*" there.
        Some(realm) if rules.keep.lists(realm) => name,
        Some(realm) if rules.strip.lists(realm) => user,
        Some(_) if rules.keep == Realms::Every => name,
        Some(_) if rules.strip == Realms::Every => user,
        Some(realm) => return Err(Unreadable::Realm(realm.to_owned())),
    };
    let user = match (number(looked_up).filter(|_| rules.numbers), rules.case) {
        (Some(number), _) => Ok(UserName::of_number(number)),
        (None, UserCase::Exact) => looked_up.parse(),
        (None, UserCase::Lower) => looked_up.to_ascii_lowercase().parse(),
    };
    let user = user.map_err(Unreadable::Invalid)?;
    Ok(Identity { user, realm: realm.map(str::to_owned), received })
}

/// The phone number that a name is.
fn number(name: &str) -> Option<Msisdn> {
    let digits = name.strip_prefix('+').or_else(|| name.strip_prefix("00"))?;
    let is_number = digits.bytes().all(|octet| octet.is_ascii_digit());
    name.parse().ok().filter(|_| is_number)
}

/// The user, and the realm where there is one.
fn split(name: &str) -> Result<(&str, Option<&str>), Unreadable> {
    let mut separators = name.match_indices(['@', '\\']);
    let Some((at, separator)) = separators.next() else { return Ok((name, None)) };
    if separators.next().is_some() {
        return Err(Unreadable::Ambiguous);
    }
    let (before, after) = name.split_at(at);
    let after = after.strip_prefix(separator).unwrap_or_default();
    if before.is_empty() || after.is_empty() {
        return Err(Unreadable::Half);
    }
    let (user, realm) = if separator == "@" { (before, after) } else { (after, before) };
    Ok((user, Some(realm)))
}

impl Realms {
    /// Whether it is listed by name.
    pub(crate) fn lists(&self, realm: &str) -> bool {
        match self {
            Self::Listed(realms) => realms.iter().any(|known| known.eq_ignore_ascii_case(realm)),
            Self::Every => false,
        }
    }
}

impl Default for Realms {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

#[cfg(test)]
mod tests;
