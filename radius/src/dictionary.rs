//! Attributes by name: what an administrator writes into the configuration, and what a log calls a number.
//!
//! ```
//! use mobileid_radius::dictionary::{self, Given};
//!
//! let group = dictionary::attribute("Fortinet-Group-Name")?;
//! assert_eq!((group.vendor, group.kind), (Some(12356), 1));
//! assert_eq!(group.encode(Given::Text("vpn-admins"))?, b"vpn-admins");
//!
//! let vlan = dictionary::attribute("Tunnel-Type:1")?;
//! assert_eq!(vlan.encode(Given::Text("VLAN"))?, [1, 0, 0, 13]);
//!
//! let unnamed = dictionary::attribute("Vendor-3845-16")?;
//! assert_eq!(unnamed.encode(Given::Text("0x6162"))?, b"ab");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The names are those that FreeRADIUS uses, which most manuals use too, in any case of letters. It is not a complete
//! dictionary: it has what an Access-Accept to a VPN carries, and [`attribute`] takes `Attr-<type>` and
//! `Vendor-<number>-<type>` for everything else.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::packet::{Builder, Full, VALUE_MAX, attribute};

mod names;

/// An attribute: its numbers, and how its value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Whose it is: none is the standard's.
    pub vendor: Option<u32>,
    /// Its type, or the vendor's type.
    pub kind: u8,
    /// How its value is written.
    pub syntax: Syntax,
    /// The tunnel that it belongs to (RFC 2868, section 3); 0 says none.
    tag: u8,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// UTF-8.
    Text,
    /// Octets: `0x` and hexadecimal digits, or else the text's own.
    Octets,
    /// Four octets; a number, or one of the attribute's named values.
    Integer,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv6 prefix (RFC 3162, section 2.3), as `2001:db8::/48`.
    Prefix,
    /// A text behind the tunnel's tag.
    TaggedText,
    /// Three octets behind the tunnel's tag.
    TaggedInteger,
    /// Hidden with the secret of its hop. It can be passed on from an upstream, and not be set.
    Hidden,
    /// The responder writes it itself, or it belongs to a request.
    Reserved,
}

/// A value as the configuration gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given<'a> {
    /// In quotes.
    Text(&'a str),
    /// Without.
    Integer(i64),
}

/// The attribute of this name: one of [`names`], with `:<tag>` behind it where it has one, or `Attr-<type>`, or
/// `Vendor-<number>-<type>`.
///
/// # Errors
/// [`Unknown`], with the name that may have been meant.
pub fn attribute(name: &str) -> Result<Definition, Unknown> {
    let (bare, tag) = match name.split_once(':') {
        Some((bare, tag)) => (bare, Some(tag)),
        None => (name, None),
    };
    let unknown = || Unknown { nearest: nearest(bare) };
    let found = names::ALL.iter().find(|entry| entry.name.eq_ignore_ascii_case(bare));
    let mut definition = match found {
        Some(entry) => Definition { vendor: entry.vendor, kind: entry.kind, syntax: entry.syntax, tag: 0 },
        None => by_number(bare).ok_or_else(unknown)?,
    };
    if let Some(tag) = tag {
        let tagged = matches!(definition.syntax, Syntax::TaggedText | Syntax::TaggedInteger);
        definition.tag = decimal(tag).filter(|tag| tagged && (1..=0x1f).contains(tag)).ok_or_else(unknown)?;
    }
    Ok(definition)
}

/// Every name there is.
pub fn names() -> impl Iterator<Item = &'static str> {
    names::ALL.iter().map(|entry| entry.name)
}

/// The name that comes nearest to a misspelt one, if one does.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    // Longer than any name, and not worth the comparisons.
    if name.len() > 64 {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    let enough = wanted.len().div_euclid(3);
    let distances = names().map(|name| (distance(&wanted, &name.to_ascii_lowercase()), name));
    distances.min().filter(|(distance, _)| *distance <= enough).map(|(_, name)| name)
}

/// `Attr-<type>` and `Vendor-<number>-<type>`. What has a name keeps its protection: nobody sets the
/// Message-Authenticator by calling it `Attr-80`.
fn by_number(name: &str) -> Option<Definition> {
    let lower = name.to_ascii_lowercase();
    let (vendor, kind) = match lower.strip_prefix("attr-") {
        Some(kind) => (None, decimal(kind)?),
        None => {
            let (vendor, kind) = lower.strip_prefix("vendor-")?.split_once('-')?;
            (Some(decimal(vendor).filter(|vendor| *vendor != 0)?), decimal(kind)?)
        }
    };
    // There is no standard type 0.
    if vendor.is_none() && kind == 0 {
        return None;
    }
    Some(Definition {
        syntax: octets_unless_guarded(Definition::of(vendor, kind).syntax),
        ..Definition::of(vendor, kind)
    })
}

fn octets_unless_guarded(syntax: Syntax) -> Syntax {
    match syntax {
        Syntax::Hidden | Syntax::Reserved => syntax,
        _ => Syntax::Octets,
    }
}

/// A number in digits alone: no sign, no blank.
fn decimal<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// How many letters have to be changed, added or left out to make one of the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (count, a) in from.bytes().enumerate() {
        let mut corner = count;
        let mut left = count.saturating_add(1);
        let mut next = vec![left];
        for (b, up) in to.bytes().zip(row.iter().skip(1)) {
            let changed = corner.saturating_add(usize::from(a != b));
            left = changed.min(up.saturating_add(1)).min(left.saturating_add(1));
            next.push(left);
            corner = *up;
        }
        row = next;
    }
    row.last().copied().unwrap_or(from.len())
}

impl Definition {
    /// What is known of these numbers; of unknown ones, that they are octets.
    #[must_use]
    pub fn of(vendor: Option<u32>, kind: u8) -> Self {
        let known = names::ALL.iter().find(|entry| (entry.vendor, entry.kind) == (vendor, kind));
        let syntax = match known {
            Some(entry) => entry.syntax,
            None if vendor.is_none() && is_reserved(kind) => Syntax::Reserved,
            None => Syntax::Octets,
        };
        Self { vendor, kind, syntax, tag: 0 }
    }

    /// The octets of a value.
    ///
    /// # Errors
    /// [`BadValue`]: what is wrong with it, without repeating it.
    pub fn encode(&self, given: Given<'_>) -> Result<Vec<u8>, BadValue> {
        let mut value = match self.syntax {
            Syntax::Text => text(given)?.as_bytes().to_vec(),
            Syntax::Octets => octets(text(given)?)?,
            Syntax::Integer => self.number(given)?.to_be_bytes().to_vec(),
            Syntax::Ipv4 => parsed::<Ipv4Addr>(given, BadValue::NotIpv4)?.octets().to_vec(),
            Syntax::Ipv6 => parsed::<Ipv6Addr>(given, BadValue::NotIpv6)?.octets().to_vec(),
            Syntax::Prefix => prefix(text(given)?)?,
            Syntax::TaggedText => {
                // Without a tag the first octet is the text's own, if it is above 0x1f (RFC 2868, section 3.3).
                let tag = Some(self.tag).filter(|tag| *tag != 0);
                tag.into_iter().chain(text(given)?.bytes()).collect()
            }
            Syntax::TaggedInteger => match self.number(given)?.to_be_bytes() {
                [0, low @ ..] => [[self.tag].as_slice(), &low].concat(),
                _ => return Err(BadValue::NumberTooLarge),
            },
            Syntax::Hidden => return Err(BadValue::Hidden),
            Syntax::Reserved => return Err(BadValue::Reserved),
        };
        let longest = if self.vendor.is_some() { VENDOR_VALUE_MAX } else { VALUE_MAX };
        match value.len() {
            0 => Err(BadValue::Empty),
            length if length > longest => Err(BadValue::TooLong { longest }),
            _ => {
                value.shrink_to_fit();
                Ok(value)
            }
        }
    }

    /// Adds a value, as [`Self::encode`] made it, to a packet.
    ///
    /// # Errors
    /// [`Full`]: it does not fit any more.
    pub fn write(&self, value: &[u8], builder: &mut Builder) -> Result<(), Full> {
        match self.vendor {
            None => builder.add(self.kind, value),
            Some(vendor) => builder.add_vendor(vendor, self.kind, value),
        }
    }

    fn number(&self, given: Given<'_>) -> Result<u32, BadValue> {
        match given {
            Given::Integer(number) => u32::try_from(number).map_err(|_| BadValue::NumberTooLarge),
            Given::Text(text) => names::VALUES
                .iter()
                .find(|(vendor, kind, name, _)| {
                    (*vendor, *kind) == (self.vendor, self.kind) && name.eq_ignore_ascii_case(text)
                })
                .map(|(_, _, _, number)| *number)
                .or_else(|| decimal(text))
                .ok_or(BadValue::NotNumber),
        }
    }
}

impl fmt::Display for Definition {
    /// Its name, or its numbers in the form that [`attribute`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = names::ALL.iter().find(|entry| (entry.vendor, entry.kind) == (self.vendor, self.kind));
        match (known, self.vendor) {
            (Some(entry), _) => f.write_str(entry.name)?,
            (None, None) => write!(f, "Attr-{}", self.kind)?,
            (None, Some(vendor)) => write!(f, "Vendor-{vendor}-{}", self.kind)?,
        }
        match self.tag {
            0 => Ok(()),
            tag => write!(f, ":{tag}"),
        }
    }
}

/// The longest value of a vendor's attribute: the vendor's number, type and length come before it.
const VENDOR_VALUE_MAX: usize = VALUE_MAX.saturating_sub(6);

/// Standard types that the configuration does not set: what the responder writes itself (State, Reply-Message,
/// Proxy-State, Message-Authenticator), what only a request has, and 241 to 246, whose inner types we do not write
/// (RFC 6929).
fn is_reserved(kind: u8) -> bool {
    const { assert!(attribute::VENDOR_SPECIFIC == 26) };
    matches!(kind, 0 | 2..=5 | 18 | 24 | 26 | 30..=33 | 40..=55 | 60 | 61 | 70..=74 | 79 | 80 | 84 | 241..=246)
}

fn text(given: Given<'_>) -> Result<&str, BadValue> {
    match given {
        Given::Text(text) => Ok(text),
        Given::Integer(_) => Err(BadValue::NotText),
    }
}

fn parsed<T: std::str::FromStr>(given: Given<'_>, otherwise: BadValue) -> Result<T, BadValue> {
    text(given)?.parse().map_err(|_| otherwise)
}

fn octets(text: &str) -> Result<Vec<u8>, BadValue> {
    let Some(digits) = text.strip_prefix("0x") else { return Ok(text.as_bytes().to_vec()) };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let octet = |[high, low]: &[u8; 2]| {
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
        Some(nibble(*high)? << 4 | nibble(*low)?)
    };
    let octets = pairs.iter().map(octet).collect::<Option<Vec<u8>>>();
    octets.filter(|_| rest.is_empty()).ok_or(BadValue::NotHexadecimal)
}

fn prefix(text: &str) -> Result<Vec<u8>, BadValue> {
    let (address, bits) = text.split_once('/').ok_or(BadValue::NotPrefix)?;
    let address: Ipv6Addr = address.parse().map_err(|_| BadValue::NotPrefix)?;
    let bits: u8 = decimal(bits).filter(|bits| *bits <= 128).ok_or(BadValue::NotPrefix)?;
    let host = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
    if address.to_bits() & host != 0 {
        return Err(BadValue::NotPrefix);
    }
    let network = usize::from(bits.div_ceil(8));
    Ok([0, bits].into_iter().chain(address.octets().into_iter().take(network)).collect())
}

/// There is no attribute of that name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// The name that may have been meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no attribute has this name")?;
        match self.nearest {
            Some(name) => write!(f, "; is {name} meant?"),
            None => f.write_str("; Attr-<type> and Vendor-<number>-<type> name one by its numbers"),
        }
    }
}

impl std::error::Error for Unknown {}

/// What is wrong with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadValue {
    /// It has no octet.
    Empty,
    /// It has more octets than the attribute carries.
    TooLong {
        /// How many it carries.
        longest: usize,
    },
    /// A text was expected.
    NotText,
    /// Neither a number nor one of the attribute's named values.
    NotNumber,
    /// More than the attribute's octets hold, or below zero.
    NumberTooLarge,
    /// Not an IPv4 address.
    NotIpv4,
    /// Not an IPv6 address.
    NotIpv6,
    /// Not an IPv6 prefix, or with bits behind it.
    NotPrefix,
    /// What stands behind `0x` is not pairs of hexadecimal digits.
    NotHexadecimal,
    /// The attribute is hidden with a secret in each packet.
    Hidden,
    /// The responder writes it itself, or it belongs to a request.
    Reserved,
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the value must not be empty",
            Self::TooLong { longest } => return write!(f, "the value is longer than {longest} octets"),
            Self::NotText => "the value must be a text, in quotes",
            Self::NotNumber => "the value must be a number, or one of the attribute's named values",
            Self::NumberTooLarge => "the number is below zero, or larger than the attribute holds",
            Self::NotIpv4 => "the value must be an IPv4 address",
            Self::NotIpv6 => "the value must be an IPv6 address",
            Self::NotPrefix => "the value must be an IPv6 prefix such as \"2001:db8::/48\"",
            Self::NotHexadecimal => "0x must be followed by pairs of hexadecimal digits",
            Self::Hidden => "the attribute is hidden anew in each packet: it can be passed on, not set",
            Self::Reserved => "the attribute is the responder's own, or belongs to a request",
        })
    }
}

impl std::error::Error for BadValue {}

#[cfg(test)]
mod tests;
