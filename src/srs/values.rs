//! What requests and answers are made of. Text becomes a type at the door, and nonsense stays outside.

use std::{fmt, str::FromStr};

use time::{Date, macros::format_description};

use crate::text::is_unprintable;

/// The text is none of what is wanted; the sentence says what that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidValue(&'static str);

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidValue {}

/// Under which law a signature with the identification would count (guide 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Jurisdiction {
    /// The European Union's eIDAS.
    Eidas,
    /// Switzerland's ZertES.
    Zertes,
}

impl Jurisdiction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Eidas, Self::Zertes];

    /// `eidas` or `zertes`: in the configuration, in JSON, and on the wire of the verify call.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eidas => "eidas",
            Self::Zertes => "zertes",
        }
    }

    /// As the filter has it (guide 7.2).
    pub(super) fn filter(self) -> &'static str {
        match self {
            Self::Eidas => "EIDAS",
            Self::Zertes => "ZERTES",
        }
    }
}

/// Reads the law or the place: `eidas` or `EU`, `zertes` or `CH`.
impl FromStr for Jurisdiction {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "eidas" | "eu" => Ok(Self::Eidas),
            "zertes" | "ch" => Ok(Self::Zertes),
            _ => Err(InvalidValue("must be \"zertes\" (CH) or \"eidas\" (EU)")),
        }
    }
}

/// Level of assurance: 3 is enough for advanced signatures, 4 for qualified ones (guide 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the levels")]
pub enum Level {
    Three,
    Four,
}

impl Level {
    /// The digit on the wire.
    #[must_use]
    pub fn digit(self) -> &'static str {
        match self {
            Self::Three => "3",
            Self::Four => "4",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digit())
    }
}

/// Reads the digit, with or without `LOA` before it (guide 7.3).
impl FromStr for Level {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = text.get(..3).filter(|loa| loa.eq_ignore_ascii_case("loa")).and_then(|_| text.get(3..));
        match digit.unwrap_or(text) {
            "3" => Ok(Self::Three),
            "4" => Ok(Self::Four),
            _ => Err(InvalidValue("must be 3 or 4, a level of assurance")),
        }
    }
}

/// What the evidence must be good for: the law, or a signing service of Swisscom's that stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// The law.
    Jurisdiction(Jurisdiction),
    /// The customer's name at the All-in Signing Service.
    ClaimedIdentity(ClaimedIdentity),
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jurisdiction(jurisdiction) => f.write_str(jurisdiction.name()),
            Self::ClaimedIdentity(identity) => write!(f, "claimed identity {identity}"),
        }
    }
}

/// What an enrolment needs an evidence to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// What for.
    pub basis: Basis,
    /// At least this level.
    pub level: Level,
}

/// A text with a rule.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident, $fits:expr, $rule:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok(Self(text.to_owned())) } else { Err(InvalidValue($rule)) }
            }
        }
    )+};
}

/// Those of them that name a thing and no person show themselves.
macro_rules! shown {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )+};
}

/// Those that name a person do not.
macro_rules! hidden {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    )+};
}

texts! {
    /// Swisscom's reference to an identification; support asks for it (guide 6.2).
    RefId, is_id, "a Ref ID has 1 to 128 printable characters without blanks";
    /// The issuer's reference to an identification, where it has one of its own (guide 7.2).
    OrderId, is_id, "an Order ID has 1 to 128 printable characters without blanks";
    /// The name of an evidence at the Registration Authority.
    EvidenceId, is_id, "an evidence ID has 1 to 128 printable characters without blanks";
    /// An Identification Service Provider, e.g. `KLARNA`.
    Issuer, is_name, "an issuer's name has 1 to 64 printable characters";
    /// A method of an issuer, e.g. `Bank`.
    MethodName, is_name, "a method's name has 1 to 64 printable characters";
    /// A customer's name at the All-in Signing Service.
    ClaimedIdentity, is_id, "a claimed identity has 1 to 128 printable characters without blanks";
    /// A text of our own that comes back on the bill (guide 5.2).
    ExternalId, is_line, "an External ID has 1 to 100 printable characters";
    /// A person's first names, or last name, as they stand in her passport.
    PersonName, is_line, "a name has 1 to 100 printable characters";
    /// A person's mail address.
    Email, is_email, "a mail address is like alice@corp.example";
    /// A country by ISO 3166: two capital letters.
    Country, |text| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
        "a country has two capital letters, like CH";
    /// A date of birth, e.g. `1990-12-31`.
    BirthDate, is_date, "a date of birth is like 1990-12-31";
    /// Where the person goes to identify herself. Whoever has it can begin in her place.
    TargetUrl, is_https, "a target URL begins with https:// and has no blanks";
    /// A person as the verify call wants her: a distinguished name.
    DistinguishedName, is_distinguished, "a distinguished name is like cn=Alice Muster,givenname=Alice,surname=Muster,c=CH";
}

shown!(RefId, OrderId, EvidenceId, Issuer, MethodName, ClaimedIdentity, ExternalId, Country);
hidden!(PersonName, Email, BirthDate, TargetUrl, DistinguishedName);

/// Not `.` or `..`, which mean something to a path even when they are encoded.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !matches!(text, "." | "..")
}

fn is_name(text: &str) -> bool {
    is_line(text) && text.len() <= 64 && !matches!(text, "." | "..")
}

fn is_line(text: &str) -> bool {
    let length = text.chars().take(101).count();
    (1..=100).contains(&length) && text.trim() == text && !text.chars().any(is_unprintable)
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').is_some_and(|(who, host)| {
        !who.is_empty()
            && host.contains('.')
            && !host.contains('@')
            && !host.starts_with('.')
            && !host.ends_with('.')
    });
    parts && text.len() <= 254 && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_date(text: &str) -> bool {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .is_ok_and(|date| (1850..=2100).contains(&date.year()))
        && text.len() == 10
}

fn is_https(text: &str) -> bool {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    text.len() <= 2048
        && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`'))
}

fn is_distinguished(text: &str) -> bool {
    let length = text.chars().take(401).count();
    (3..=400).contains(&length) && text.contains('=') && !text.chars().any(is_unprintable)
}

impl DistinguishedName {
    /// The name of a person, each part escaped by RFC 4514.
    #[must_use]
    pub fn of(first: &PersonName, last: &PersonName, country: &Country) -> Self {
        let (first, last) = (escaped(&first.0), escaped(&last.0));
        Self(format!("cn={first} {last},givenname={first},surname={last},c={}", country.0))
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
