//! Values that several tables have, beyond those of the core: addresses, names, secrets.

use std::{fmt, net::SocketAddr, path::PathBuf};

pub(super) use mobileid::config::values::{bare, choice, network};
use mobileid::{
    config::{
        Located,
        reader::{Section, Source},
        values::conditions,
    },
    secret::Secret,
    text,
};

/// One of several words, or `default`, which then stands where the table begins.
pub(super) fn choice_or<T: Copy>(
    section: &mut Section<'_>,
    name: &'static str,
    choices: &[(&'static str, T)],
    default: T,
    source: &mut Source<'_>,
) -> Located<T> {
    let found = choice(section, name, choices, source);
    found.unwrap_or_else(|| Located { value: default, line: section.line(), key: section.key(name) })
}

/// A list that is not empty, each of its texts made into a value; none where the key is absent.
pub(super) fn list<T, E: fmt::Display>(
    section: &mut Section<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
    source: &mut Source<'_>,
) -> Option<Vec<Located<T>>> {
    let empty = "is an empty list: leave the key out, or name something";
    conditions(section, name, read, empty, source)
}

/// Seconds.
pub(super) const fn seconds(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count)
}

/// An address with a port.
pub(super) fn socket(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be an address and a port, like 192.0.2.1:1812 or [2001:db8::1]:1812")
}

/// A name that people read: in logs, on a phone.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    printable(text, 64).ok_or("must be 1 to 64 bytes of printable characters")
}

/// A group's name, as `users.toml` may have it.
pub(super) fn group(text: &str) -> Result<String, &'static str> {
    printable(text, 256).ok_or("must be 1 to 256 bytes of printable characters")
}

/// Printable text that is not longer than an attribute's value.
pub(super) fn value(text: &str) -> Result<String, &'static str> {
    printable(text, 253).ok_or("must be 1 to 253 bytes of printable characters")
}

fn printable(text: &str, longest: usize) -> Option<String> {
    let fits = (1..=longest).contains(&text.len()) && !text.chars().any(text::is_unprintable);
    fits.then(|| text.to_owned())
}

/// A path.
pub(super) fn path(text: Located<String>, source: &mut Source<'_>) -> Option<Located<PathBuf>> {
    if text.value.is_empty() || text.value.contains('\0') {
        source.mistake(text.line, &text.key, "must be a path");
        return None;
    }
    Some(Located { value: PathBuf::from(text.value), line: text.line, key: text.key })
}

/// Where a shared secret is.
#[derive(Debug)]
pub(super) enum SecretFrom {
    /// In the configuration itself.
    Inline(Located<Secret>),
    /// In a file of its own.
    File(Located<PathBuf>),
}

impl SecretFrom {
    /// `secret` or `secret_file`, and not both.
    pub(super) fn read(section: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let line = section.line_of("secret", source);
        let both = [section.has("secret"), section.has("secret_file")];
        let inline = section.text("secret", source);
        let file = section.text("secret_file", source);
        let key = section.key("secret");
        match both {
            [true, true] => source.mistake(line, &key, "stands beside secret_file: only one of them"),
            [false, false] => source.mistake(line, &key, "is missing; or name a secret_file"),
            _ => {}
        }
        let inline = inline.map(|Located { value, line, key }| {
            Self::Inline(Located { value: Secret::new(value), line, key })
        });
        let file = file.and_then(|text| path(text, source)).map(Self::File);
        inline.or(file)
    }
}

/// The octets of a shared secret, or what is wrong with it.
pub(super) fn shared_secret(text: &str) -> Result<&[u8], &'static str> {
    if text.chars().any(|c| c != ' ' && text::is_unprintable(c)) {
        return Err("must be one line of printable characters");
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err("begins or ends with a blank, which the NAS would have to have too");
    }
    if text.len() < SHORTEST_SECRET {
        return Err(
            "must have 8 characters at least, better 16 and more: who has recorded a packet tries them all",
        );
    }
    Ok(text.as_bytes())
}

/// What is refused as guessed in no time, and what RFC 2865, section 3, wants.
const SHORTEST_SECRET: usize = 8;
pub(super) const GOOD_SECRET: usize = 16;
