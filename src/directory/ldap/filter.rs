//! Search filters (RFC 4515) with places for names in them.
//!
//! A filter is taken apart when the configuration is read. A name is put into the place of its value as octets, after
//! that: nothing in it can end the value, begin another condition or stand for any text, so there is nothing to escape.
//!
//! ```
//! use mobileid::directory::ldap::{Names, filter::Template};
//!
//! let template: Template = "(&(objectClass=person)(uid={user}))".parse().unwrap();
//! let hostile = Names { user: "*)(uid=root", domain: "", dn: "" };
//! let filled = template.fill(&hostile);
//! // One value of eleven octets, and in it every character stands for itself.
//! assert!(filled.octets().ends_with(b"\x04\x0b*)(uid=root"));
//! ```

use std::{fmt, str::FromStr};

use super::Names;
use crate::asn1::der;

/// A filter whose names are not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    root: Node,
    slots: Vec<Slot>,
}

/// A filter as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled(Vec<u8>);

impl Filled {
    /// As it is sent.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// The names that may stand in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// `{user}`
    User,
    /// `{domain}`
    Domain,
    /// `{dn}`
    Dn,
}

impl Slot {
    const ALL: [Self; 3] = [Self::User, Self::Domain, Self::Dn];

    /// As it is written.
    #[must_use]
    pub fn written(self) -> &'static str {
        match self {
            Self::User => "{user}",
            Self::Domain => "{domain}",
            Self::Dn => "{dn}",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// And, or, not: with the tag of each.
    Set(u8, Vec<Node>),
    /// Equal, at least, at most, about: with the tag of each.
    Compare(u8, String, Value),
    Present(String),
    Substrings(String, Vec<(u8, Value)>),
    Extensible {
        attribute: String,
        rule: String,
        with_dn: bool,
        value: Value,
    },
}

const AND: u8 = der::context(0);
const OR: u8 = der::context(1);
const NOT: u8 = der::context(2);
const EQUAL: u8 = der::context(3);
const SUBSTRINGS: u8 = der::context(4);
const AT_LEAST: u8 = der::context(5);
const AT_MOST: u8 = der::context(6);
const PRESENT: u8 = der::context_primitive(7);
const ABOUT: u8 = der::context(8);
const EXTENSIBLE: u8 = der::context(9);

type Value = Vec<Piece>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Octets(Vec<u8>),
    Name(Slot),
}

impl Template {
    /// Whether a name stands in it.
    #[must_use]
    pub fn has(&self, slot: Slot) -> bool {
        self.slots.contains(&slot)
    }

    /// The filter for these names.
    #[must_use]
    pub fn fill(&self, names: &Names<'_>) -> Filled {
        Filled(self.root.encode(names))
    }
}

impl Node {
    // No deeper than the parser has gone.
    fn encode(&self, names: &Names<'_>) -> Vec<u8> {
        let fill = |value: &Value| -> Vec<u8> {
            let octets = |piece: &Piece| match piece {
                Piece::Octets(octets) => octets.clone(),
                Piece::Name(Slot::User) => names.user.as_bytes().to_vec(),
                Piece::Name(Slot::Domain) => names.domain.as_bytes().to_vec(),
                Piece::Name(Slot::Dn) => names.dn.as_bytes().to_vec(),
            };
            value.iter().flat_map(octets).collect()
        };
        let string = |text: &[u8]| der::wrap(der::OCTET_STRING, text);
        match self {
            Self::Set(tag, nodes) => {
                let nodes: Vec<_> = nodes.iter().flat_map(|node| node.encode(names)).collect();
                der::wrap(*tag, &nodes)
            }
            Self::Compare(tag, attribute, value) => {
                der::wrap(*tag, &[string(attribute.as_bytes()), string(&fill(value))].concat())
            }
            Self::Present(attribute) => der::wrap(PRESENT, attribute.as_bytes()),
            Self::Substrings(attribute, parts) => {
                let parts: Vec<_> =
                    parts.iter().flat_map(|(tag, value)| der::wrap(*tag, &fill(value))).collect();
                let list = der::wrap(der::SEQUENCE, &parts);
                der::wrap(SUBSTRINGS, &[string(attribute.as_bytes()), list].concat())
            }
            Self::Extensible { attribute, rule, with_dn, value } => {
                let optional = |number, text: &str| match text {
                    "" => Vec::new(),
                    text => der::wrap(der::context_primitive(number), text.as_bytes()),
                };
                let with_dn = if *with_dn { vec![der::context_primitive(4), 1, 0xff] } else { Vec::new() };
                let value = der::wrap(der::context_primitive(3), &fill(value));
                let parts = [optional(1, rule), optional(2, attribute), value, with_dn].concat();
                der::wrap(EXTENSIBLE, &parts)
            }
        }
    }
}

/// The longest filter, and how deep its parentheses may go.
const LENGTH_MAX: usize = 4096;
const DEPTH_MAX: usize = 16;

impl FromStr for Template {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LENGTH_MAX {
            return Err(BadFilter("is longer than 4096 bytes"));
        }
        let mut parser = Parser { rest: text, slots: Vec::new() };
        let root = parser.node(0)?;
        if !parser.rest.is_empty() {
            return Err(BadFilter("has something behind its last parenthesis"));
        }
        Ok(Self { root, slots: parser.slots })
    }
}

struct Parser<'a> {
    rest: &'a str,
    slots: Vec<Slot>,
}

const PARENTHESES: BadFilter =
    BadFilter("has parentheses that do not match; a filter looks like (uid={user})");

impl<'a> Parser<'a> {
    fn take(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn node(&mut self, depth: usize) -> Result<Node, BadFilter> {
        if depth == DEPTH_MAX {
            return Err(BadFilter("has more than 16 parentheses within each other"));
        }
        if !self.take("(") {
            return Err(PARENTHESES);
        }
        let node = if self.take("&") {
            Node::Set(AND, self.nodes(depth)?)
        } else if self.take("|") {
            Node::Set(OR, self.nodes(depth)?)
        } else if self.take("!") {
            Node::Set(NOT, vec![self.node(depth.saturating_add(1))?])
        } else {
            let end = self.rest.find([')', '(']).ok_or(PARENTHESES)?;
            let (item, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.item(item)?
        };
        if self.take(")") { Ok(node) } else { Err(PARENTHESES) }
    }

    fn nodes(&mut self, depth: usize) -> Result<Vec<Node>, BadFilter> {
        let mut nodes = Vec::new();
        while self.rest.starts_with('(') {
            nodes.push(self.node(depth.saturating_add(1))?);
        }
        if nodes.is_empty() { Err(BadFilter("has an & or | with nothing behind it")) } else { Ok(nodes) }
    }

    fn item(&mut self, item: &'a str) -> Result<Node, BadFilter> {
        let (left, value) = item.split_once('=').ok_or(BadFilter("has a condition without ="))?;
        if let Some(left) = left.strip_suffix(':') {
            return self.extensible(left, value);
        }
        let compared = [('>', AT_LEAST), ('<', AT_MOST), ('~', ABOUT)];
        let compared = compared.into_iter().find_map(|(sign, tag)| Some((left.strip_suffix(sign)?, tag)));
        if let Some((attribute, tag)) = compared {
            return Ok(Node::Compare(tag, described(attribute)?, self.value(value)?));
        }
        let attribute = described(left)?;
        match value.split('*').collect::<Vec<_>>().as_slice() {
            ["", ""] => Ok(Node::Present(attribute)),
            [value] => Ok(Node::Compare(EQUAL, attribute, self.value(value)?)),
            [first, between @ .., last] => {
                let mut parts = Vec::new();
                let tags = [0x80].into_iter().chain(between.iter().map(|_| 0x81)).chain([0x82]);
                for (tag, part) in tags.zip([first].into_iter().chain(between).chain([last])) {
                    match (part.is_empty(), tag) {
                        (false, _) => parts.push((tag, self.value(part)?)),
                        (true, 0x81) => return Err(BadFilter("has two * beside each other")),
                        (true, _) => {}
                    }
                }
                Ok(Node::Substrings(attribute, parts))
            }
            [] => Err(BadFilter("has a condition without a value")),
        }
    }

    /// `attribute:dn:rule:=value`, where attribute or rule may be absent.
    fn extensible(&mut self, left: &str, value: &str) -> Result<Node, BadFilter> {
        let (attribute, rest) = left.split_once(':').unwrap_or((left, ""));
        let (with_dn, rule) = match rest.strip_prefix("dn") {
            Some("") => (true, ""),
            Some(rule) if rule.starts_with(':') => (true, rule.trim_start_matches(':')),
            _ => (false, rest),
        };
        let named = |text: &str| if text.is_empty() { Ok(String::new()) } else { described(text) };
        let (attribute, rule) = (named(attribute)?, named(rule)?);
        if attribute.is_empty() && rule.is_empty() {
            return Err(BadFilter("has a := with neither an attribute nor a rule before it"));
        }
        Ok(Node::Extensible { attribute, rule, with_dn, value: self.value(value)? })
    }

    fn value(&mut self, text: &str) -> Result<Value, BadFilter> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '{' => {
                    let slot = Slot::ALL.into_iter().find(|slot| rest.starts_with(slot.written())).ok_or(
                        BadFilter(
                            "has a { that begins none of {user}, {domain}, {dn}; as a character it is \\7b",
                        ),
                    )?;
                    self.slots.push(slot);
                    pieces.push(Piece::Name(slot));
                    rest = rest.strip_prefix(slot.written()).unwrap_or_default();
                }
                '\\' => {
                    let digits = after.get(..2).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                    let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    push(&mut pieces, &[octet.ok_or(BadFilter("has a \\ without two hexadecimal digits"))?]);
                    rest = after.get(2..).unwrap_or_default();
                }
                '*' | '\0' => {
                    return Err(BadFilter("has a * or NUL where it must be written as \\2a or \\00"));
                }
                _ => {
                    push(&mut pieces, rest.get(..c.len_utf8()).unwrap_or_default().as_bytes());
                    rest = after;
                }
            }
        }
        Ok(pieces)
    }
}

fn push(pieces: &mut Value, more: &[u8]) {
    match pieces.last_mut() {
        Some(Piece::Octets(octets)) => octets.extend_from_slice(more),
        _ => pieces.push(Piece::Octets(more.to_vec())),
    }
}

fn described(attribute: &str) -> Result<String, BadFilter> {
    if super::is_attribute(attribute) {
        return Ok(attribute.to_owned());
    }
    Err(BadFilter("has something that is no attribute before a ="))
}

/// What is wrong with a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadFilter(&'static str);

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadFilter {}

#[cfg(test)]
mod tests;
