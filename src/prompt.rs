//! The text on the phone: `DTBD prefix + template`, with a transaction code that the person can compare.
//!
//! Three promises: the prefix comes first, the code is always there, and the text never exceeds what the
//! service accepts (guide 4.1.1, item 6): 239 characters where all are in GSM 03.38, else 119. A text that
//! is too long loses the end of what follows the code, then the end of what stands between prefix and code.
//! Whatever came from the login (names, addresses) is cleaned of control and formatting characters first
//! and shortened, so that it can neither break the line nor push the rest away; a command stands in quotes that
//! it cannot leave, and gives way before the rest does.
//!
//! ```
//! use mobileid::prompt::{Code, Prefix, Template, Values, compose};
//!
//! let prefix: Prefix = "ACME: ".parse()?;
//! let template: Template = "{service} login of {user}? Code {txn}".parse()?;
//! let code = Code::from_entropy(&[7; 8]);
//! let values = Values {
//!     user: "alice",
//!     host: "web1",
//!     service: "sshd",
//!     rhost: "192.0.2.7",
//!     target: "",
//!     command: None,
//!     code: &code,
//! };
//! let text = compose(&prefix, &template, &values);
//! assert_eq!(text, format!("ACME: sshd login of alice? Code {code}"));
//! # Ok::<(), mobileid::prompt::InvalidPrompt>(())
//! ```

mod command;
mod template;

use std::{fmt, str::FromStr};

pub use command::Command;
pub use template::Template;

use crate::text::is_unprintable;

/// Longest DTBD in characters where each is in GSM 03.38; those of its extension table count two.
pub const GSM_MAX: usize = 239;
/// Longest DTBD in UTF-16 units where one character is outside GSM 03.38.
pub const UCS2_MAX: usize = 119;

/// The keyword that every text of an Application Provider starts with (guide 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// Longest prefix: leaves more than half of the short text for the rest.
const PREFIX_MAX: usize = 50;

impl FromStr for Prefix {
    type Err = InvalidPrompt;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(InvalidPrompt::EmptyPrefix);
        }
        if text.chars().count() > PREFIX_MAX {
            return Err(InvalidPrompt::LongPrefix);
        }
        if text.chars().any(is_unprintable) {
            return Err(InvalidPrompt::Unprintable);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a prefix or a template cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text says each")]
pub enum InvalidPrompt {
    EmptyPrefix,
    LongPrefix,
    LongTemplate,
    Unprintable,
    Brace,
    Placeholder,
    NoTxn,
}

impl fmt::Display for InvalidPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyPrefix => {
                "the DTBD prefix is empty; it is the keyword that Swisscom gave you with the AP_ID"
            }
            Self::LongPrefix => "the DTBD prefix is longer than 50 characters",
            Self::LongTemplate => "the text is longer than 239 characters",
            Self::Unprintable => "the text contains control or formatting characters",
            Self::Brace => "a brace is not closed or not opened; { and } are kept for placeholders",
            Self::Placeholder => {
                "unknown placeholder; there are {user} {host} {service} {rhost} {target} {program} {command} {txn}"
            },
            Self::NoTxn => "the text lacks {txn}, the code that the person compares with the terminal",
        })
    }
}

impl std::error::Error for InvalidPrompt {}

/// A fresh code that terminal and phone both show: 6 characters, none of which is easily taken for another
/// (no 0 O, 1 I L, 2 Z, 5 S, 8 B, 6 G, U V) and no vowels, so that no words appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

const CODE_LENGTH: usize = 6;

impl Code {
    /// One of 34 million codes: besides being compared by the person, the code is what keeps an old signature
    /// from fitting a new login. The bias of the division is below 2^-38.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; 8]) -> Self {
        Self(spelled(u64::from_be_bytes(*entropy).into(), CODE_LENGTH))
    }

    /// The code as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What [`Code`] says of its characters.
pub(crate) const ALPHABET: &[u8; 18] = b"34679CDFHJKMNPRTWX";

/// The last `length` digits of a number, the last first, in the characters of [`ALPHABET`].
pub(crate) fn spelled(mut number: u128, length: usize) -> String {
    let base = ALPHABET.len() as u128;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        let digit = usize::try_from(number % base).unwrap_or(0);
        text.extend(ALPHABET.get(digit).map(|b| char::from(*b)));
        number /= base;
    }
    text
}

/// What the placeholders stand for in one login; foreign text is welcome, it is cleaned here.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// Who logs in.
    pub user: &'a str,
    /// The host that is logged in to.
    pub host: &'a str,
    /// The service, e.g. `sshd`.
    pub service: &'a str,
    /// Where the login comes from; empty for a local one.
    pub rhost: &'a str,
    /// Who the user is to become; empty for a login.
    pub target: &'a str,
    /// What is to be run, where that is known.
    pub command: Option<&'a Command>,
    /// The transaction code.
    pub code: &'a Code,
}

/// The DTBD of one login: never longer than [`limit`] allows, prefix first, code inside.
#[must_use]
pub fn compose(prefix: &Prefix, template: &Template, values: &Values<'_>) -> String {
    let space = if prefix.0.ends_with(char::is_whitespace) { "" } else { " " };
    let whole = |before: &str, after: &str| format!("{prefix}{space}{before}{}{after}", values.code);
    let fits = |text: &str| units(text) <= limit(text);
    // A command is cut within its quotes: what is cut below might be the quote that ends it.
    let mut room = values.command.map_or(0, |_| command::LONGEST);
    let (mut before, mut after) = loop {
        let (before, after) = template.render(values, room);
        if room == 0 || fits(&whole(&before, &after)) {
            break (before, after);
        }
        room = room.saturating_sub(1);
    };
    loop {
        let text = whole(&before, &after);
        // The prefix (50 characters at most) and the code always fit, so this ends.
        if fits(&text) || (after.pop().is_none() && before.pop().is_none()) {
            return text;
        }
    }
}

/// The length of a DTBD as the service counts it, to be held against [`limit`].
#[must_use]
pub fn units(text: &str) -> usize {
    gsm_units(text).unwrap_or_else(|| text.encode_utf16().count())
}

/// The most units that a text with these characters may have.
#[must_use]
pub fn limit(text: &str) -> usize {
    if gsm_units(text).is_some() { GSM_MAX } else { UCS2_MAX }
}

fn gsm_units(text: &str) -> Option<usize> {
    text.chars().try_fold(0usize, |sum, c| Some(sum.saturating_add(gsm_unit(c)?)))
}

/// GSM 03.38: 1 for the basic table, 2 for the extension table, none for the rest.
fn gsm_unit(c: char) -> Option<usize> {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Some(1),
        '@' | '£' | '$' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | '\n' | 'Ø' | 'ø' | '\r' | 'Å' | 'å' => {
            Some(1)
        }
        'Δ' | '_' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' => {
            Some(1)
        }
        ' '..='?' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => {
            Some(1)
        }
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
