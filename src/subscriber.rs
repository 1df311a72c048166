//! Who logs in and which phone is theirs. Text becomes a type at the door, once, and carries its checks.
//!
//! ```
//! use mobileid::subscriber::Msisdn;
//!
//! let number: Msisdn = "0041 79 123-45-67".parse()?;
//! assert_eq!(number.digits(), "41791234567"); // the one canonical form
//! assert_eq!(number.to_string(), "+4179*****67"); // what anybody gets to see
//! # Ok::<(), mobileid::subscriber::InvalidMsisdn>(())
//! ```

use std::{cmp::Ordering, fmt, hash, str::FromStr};

use crate::text;

/// The name of a local account, as the host application gave it: 1 to 256 bytes without control characters.
///
/// A phone number may stand in its place where the host takes one. It is then shown only masked, like every number.
#[derive(Clone)]
pub struct UserName {
    text: String,
    number: Option<Msisdn>,
}

/// Longest accepted user name in bytes. Linux itself stops at 32, directories do not.
const USER_NAME_MAX: usize = 256;

impl UserName {
    /// A phone number in the place of a name, in one spelling: `+41791234567`.
    #[must_use]
    pub fn of_number(number: Msisdn) -> Self {
        Self { text: format!("+{}", number.digits()), number: Some(number) }
    }

    /// The name as it is looked up: unescaped, and a number with all its digits. To be shown it is formatted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The phone number that it is, where the host takes one for a name.
    #[must_use]
    pub fn number(&self) -> Option<&Msisdn> {
        self.number.as_ref()
    }

    /// What stands for a text that is no user name in the record of its denial: cut, and with a question mark
    /// for each character that is not seen.
    #[must_use]
    pub fn stand_in(raw: &str) -> Self {
        let seen = raw.chars().map(|c| if text::is_unprintable(c) { '?' } else { c });
        let mut name: String = seen.take(STAND_IN_MAX).collect();
        if name.is_empty() {
            name.push('?');
        } else if raw.chars().nth(STAND_IN_MAX).is_some() {
            name.push_str("...");
        }
        Self { text: name, number: None }
    }
}

/// In characters: four bytes each and the dots are within [`USER_NAME_MAX`].
const STAND_IN_MAX: usize = 61;

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.is_empty() {
            return Err(InvalidUserName::Empty);
        }
        if name.len() > USER_NAME_MAX {
            return Err(InvalidUserName::TooLong);
        }
        if name.chars().any(text::is_unprintable) {
            return Err(InvalidUserName::Unprintable);
        }
        Ok(Self { text: name.to_owned(), number: None })
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.number {
            Some(number) => write!(f, "{number}"),
            None => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({self})")
    }
}

// A table that has a number for a name finds it whoever took it for what.

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UserName {}

impl PartialOrd for UserName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl hash::Hash for UserName {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Why a text is no user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text says each")]
pub enum InvalidUserName {
    Empty,
    TooLong,
    Unprintable,
}

impl fmt::Display for InvalidUserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the user name is empty",
            Self::TooLong => "the user name is longer than 256 bytes",
            Self::Unprintable => "the user name contains control or formatting characters",
        })
    }
}

impl std::error::Error for InvalidUserName {}

/// A phone number in canonical international form: 7 to 15 digits, country code first (E.164).
///
/// Read with or without `+` or `00`, with spaces and dashes; shown only masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Msisdn(String);

impl Msisdn {
    /// The digits alone, e.g. `41791234567`: for the wire and for comparisons, never for a log.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl FromStr for Msisdn {
    type Err = InvalidMsisdn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim_matches(' ');
        let (international, rest) = match trimmed.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let mut digits = String::with_capacity(16);
        for c in rest.chars() {
            match c {
                '0'..='9' if digits.len() < 2 + E164_MAX => digits.push(c),
                '0'..='9' => return Err(InvalidMsisdn::Length),
                ' ' | '-' => {}
                _ => return Err(InvalidMsisdn::Character),
            }
        }
        let digits = match digits.strip_prefix("00") {
            Some(rest) if !international => rest.to_owned(),
            _ => digits,
        };
        if digits.starts_with('0') {
            return Err(InvalidMsisdn::National);
        }
        if !(E164_MIN..=E164_MAX).contains(&digits.len()) {
            return Err(InvalidMsisdn::Length);
        }
        Ok(Self(digits))
    }
}

/// Shortest and longest number, country code included (ITU-T E.164 allows 15; 7 is the shortest in use).
const E164_MIN: usize = 7;
const E164_MAX: usize = 15;

/// The number with its middle hidden: country code and two digits, then the last two.
impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.len().saturating_sub(6);
        f.write_str("+")?;
        for (at, digit) in self.0.chars().enumerate() {
            let shown = at < 4 || at >= 4 + hidden;
            write!(f, "{}", if shown { digit } else { '*' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn({self})")
    }
}

/// Why a text is no phone number. The text itself is not repeated: it may be somebody's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text says each")]
pub enum InvalidMsisdn {
    Character,
    National,
    Length,
}

impl fmt::Display for InvalidMsisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => {
                "a phone number has only digits, spaces and dashes after an optional +; write it like +41791234567"
            }
            Self::National => {
                "the phone number has no country code; write it internationally, like +41791234567"
            }
            Self::Length => "a phone number has 7 to 15 digits with its country code, like +41791234567",
        })
    }
}

impl std::error::Error for InvalidMsisdn {}

/// The serial number of a Mobile ID user, from the subject of the signer's certificate (guide 4.2),
/// e.g. `MIDCHEO16P1O6E92`. Compared without regard to case: the service writes it both ways.
#[derive(Clone)]
pub struct SerialNumber(String);

impl SerialNumber {
    /// The serial number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SerialNumber {
    type Err = InvalidSerialNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidSerialNumber) }
    }
}

impl PartialEq for SerialNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for SerialNumber {}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({})", self.0)
    }
}

/// The text is no serial number: 1 to 64 printable ASCII characters without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSerialNumber;

impl fmt::Display for InvalidSerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a serial number has 1 to 64 printable characters without spaces, like MIDCHEO16P1O6E92")
    }
}

impl std::error::Error for InvalidSerialNumber {}

/// The four languages of the service (guide 3.2.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[allow(missing_docs, reason = "they are the languages")]
pub enum Language {
    #[default]
    En,
    De,
    Fr,
    It,
}

impl Language {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::It];

    /// Upper case, as UserLang wants it on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::De => "DE",
            Self::Fr => "FR",
            Self::It => "IT",
        }
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|l| l.wire().eq_ignore_ascii_case(text)).ok_or(InvalidLanguage)
    }
}

/// The text names none of the four languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLanguage;

impl fmt::Display for InvalidLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a language is one of en, de, fr, it")
    }
}

impl std::error::Error for InvalidLanguage {}

/// Which of a person's methods the service may use: a signature profile (guide 3.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `AuthProfile1`: deprecated by the guide, but the one profile that every AP may use.
    AuthProfile1,
    /// `Any-LoA4`: the SIM where it is active, else the App.
    Any,
    /// `STK-LoA4`: the SIM only.
    Sim,
    /// `Device-LoA4`: the App only.
    App,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AuthProfile1, Self::Any, Self::Sim, Self::App];

    /// The URI on the wire.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::AuthProfile1 => "http://mid.swisscom.ch/MID/v1/AuthProfile1",
            Self::Any => "http://mid.swisscom.ch/Any-LoA4",
            Self::Sim => "http://mid.swisscom.ch/STK-LoA4",
            Self::App => "http://mid.swisscom.ch/Device-LoA4",
        }
    }

    /// The short name in configuration files: `auth-profile-1`, `any`, `sim`, `app`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthProfile1 => "auth-profile-1",
            Self::Any => "any",
            Self::Sim => "sim",
            Self::App => "app",
        }
    }
}

/// Reads the short name or the URI.
impl FromStr for Profile {
    type Err = InvalidProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|p| p.name() == text || p.uri() == text).ok_or(InvalidProfile)
    }
}

/// The text names no signature profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidProfile;

impl fmt::Display for InvalidProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a signature profile is one of auth-profile-1, any, sim, app, or its URI as in guide 3.2.1",
        )
    }
}

impl std::error::Error for InvalidProfile {}

/// What a directory knows of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The phone that is asked.
    pub msisdn: Msisdn,
    /// The person's language; the configuration's where absent.
    pub language: Option<Language>,
    /// The serial number that the signer must have (guide 4.2), where one is known.
    pub serial: Option<SerialNumber>,
    /// The method for this person; the configuration's where absent.
    pub profile: Option<Profile>,
    /// The groups that the person belongs to, as the directory names them; never from the login itself.
    pub groups: Vec<String>,
    /// Where the person stands.
    pub entry: Entry,
}

/// Where a directory has a person.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// The directory, by its configured name.
    pub directory: String,
    /// What it calls the person, however the name was typed: the name in a table, the DN in lower case in LDAP. What is
    /// remembered of a person is remembered under it.
    pub id: String,
}

/// What a directory calls a person may be a phone number.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = text::without_numbers(&self.id);
        f.debug_struct("Entry").field("directory", &self.directory).field("id", &id).finish()
    }
}

#[cfg(test)]
mod tests;
