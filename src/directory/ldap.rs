//! A directory that is asked over LDAP: what is asked, and what the entry that comes means. The asking itself is
//! `driver::ldap`'s.
//!
//! ```text
//!   alice ──> Names ──> filter::Template ──> (&(objectClass=person)(uid=alice))     filled, never pasted
//!                                                │ search: one entry, or none
//!                                                ▼
//!                       Answer <── entry::read ── cn=Alice,ou=people,... mobile: +41 79 123 45 67
//! ```
//!
//! More than one entry is nobody's: which of them logs in is not guessed. Neither is a number: what is not written
//! internationally counts only where the configuration names the country.

pub(crate) mod dn;
pub mod entry;
pub mod filter;
pub mod message;
mod rest;

use std::time::Duration;

use self::filter::{Slot, Template};
pub use self::rest::Resting;
use crate::{config::Endpoint, secret::Secret, subscriber::UserName};

/// An LDAP directory, read and checked.
#[derive(Debug, Clone)]
pub struct Ldap {
    /// Its servers, in the order in which they are asked.
    pub servers: Vec<Server>,
    /// Which of them have failed a moment ago.
    pub resting: Resting,
    /// Roots of the servers' certificates, DER.
    pub roots: Vec<Vec<u8>>,
    /// Who asks.
    pub bind: Bind,
    /// Below which name people are looked for.
    pub base: String,
    /// How deep.
    pub scope: Scope,
    /// Who is looked for; the user's name stands in it.
    pub filter: Template,
    /// How long one server may take, from connecting to the last answer.
    pub timeout: Duration,
    /// What of an entry means what.
    pub attributes: Attributes,
    /// How groups are looked for, beside those that stand in the entry.
    pub groups: Option<GroupSearch>,
    /// Whether the servers are Active Directory's: accounts that are disabled or have expired are barred.
    pub active_directory: bool,
    /// Whether the serial number of a first signature is written to its attribute here.
    pub write_serial: bool,
    /// The country whose local numbers are taken: its digits, without +.
    pub default_country: Option<String>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What protects the way there.
    pub security: Security,
    /// The name that its certificate must have.
    pub name: String,
}

/// What protects the way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything else is said.
    StartTls,
    /// Nothing: the server is on this host.
    Loopback,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Bind {
    /// Nobody in particular.
    Anonymous,
    /// Somebody with a password.
    Simple {
        /// The distinguished name.
        dn: String,
        /// The password; never empty.
        password: Secret,
    },
}

/// How deep is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The entry itself.
    Base,
    /// What is directly below it.
    One,
    /// It and everything below.
    #[default]
    Subtree,
}

impl Scope {
    /// Its number on the wire.
    #[must_use]
    pub fn wire(self) -> u8 {
        match self {
            Self::Base => 0,
            Self::One => 1,
            Self::Subtree => 2,
        }
    }
}

/// The names of attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// One of its values must be the user's name, letter for letter.
    pub user: Option<String>,
    /// Phone numbers, in the order in which they are looked at.
    pub msisdn: Vec<String>,
    /// The language.
    pub language: Option<String>,
    /// The serial number that the signer must have.
    pub serial: Option<String>,
    /// The method.
    pub profile: Option<String>,
    /// The groups.
    pub groups: Option<String>,
}

impl Attributes {
    /// All that are asked for.
    #[must_use]
    pub fn wanted(&self, active_directory: bool) -> Vec<&str> {
        let one = [&self.user, &self.language, &self.serial, &self.profile, &self.groups];
        let of_account: &[&str] = if active_directory { &[entry::CONTROL, entry::EXPIRES] } else { &[] };
        let mut wanted: Vec<_> = self.msisdn.iter().map(String::as_str).collect();
        wanted.extend(one.into_iter().filter_map(Option::as_deref));
        wanted.extend(of_account);
        wanted
    }
}

/// A search for the groups that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSearch {
    /// Below which name.
    pub base: String,
    /// Which groups; the distinguished name of the member stands in it.
    pub filter: Template,
    /// The attribute that holds a group's name.
    pub name: String,
    /// Whether the groups of a group are looked for as well.
    pub nested: bool,
}

/// What stands in a filter.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The user.
    pub user: &'a str,
    /// The domain beside the user.
    pub domain: &'a str,
    /// A distinguished name.
    pub dn: &'a str,
}

impl<'a> Names<'a> {
    /// The parts of a user's name that a filter asks for: `DOMAIN\user` and `user@domain` are taken apart where
    /// `{domain}` stands in it. None where it asks for a domain and the name has none, or more than one: such a user
    /// is not in this directory.
    #[must_use]
    pub fn of(user: &'a UserName, filter: &Template) -> Option<Self> {
        let whole = user.as_str();
        if !filter.has(Slot::Domain) {
            return Some(Self { user: whole, domain: "", dn: "" });
        }
        let at = whole.find(['@', '\\'])?;
        let (before, after) = whole.split_at(at);
        let mut after = after.chars();
        let sign = after.next();
        let after = after.as_str();
        if before.is_empty() || after.is_empty() || after.contains(['@', '\\']) {
            return None;
        }
        let (user, domain) = if sign == Some('@') { (before, after) } else { (after, before) };
        Some(Self { user, domain, dn: "" })
    }
}

/// Whether a text is the name of an attribute, or its number (RFC 4512, section 1.4).
#[must_use]
pub fn is_attribute(text: &str) -> bool {
    let numeric = text.starts_with(|c: char| c.is_ascii_digit());
    let fits = |b: u8| {
        if numeric { b.is_ascii_digit() || b == b'.' } else { b.is_ascii_alphanumeric() || b == b'-' }
    };
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    begins && text.len() <= 128 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests;
