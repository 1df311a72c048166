//! The packet (RFC 2865, section 3): read without copying, written into one buffer.
//!
//! ```text
//!  0      1      2             4                                20                              Length
//!  ├ Code ┼  Id  ┼──Length──┼────────── Authenticator ──────────┼─ Attribute ─┬─ Attribute ─ ... ─┤ padding
//!                                                               ├ Type ┬ Length ┬ Value ... ┤
//! ```
//!
//! [`Packet::parse`] walks every attribute once, and a packet that is not whole is [`Malformed`]. What it hands out
//! after that borrows from the datagram: no length that somebody claims is ever allocated. Octets behind Length are
//! padding and seen by nobody.
//!
//! ```
//! use mobileid_radius::packet::{Builder, Code, Packet, attribute};
//!
//! let mut builder = Builder::new(Code::ACCESS_REQUEST, 7, [0; 16]);
//! builder.add(attribute::USER_NAME, b"alice")?;
//! let octets = builder.unsigned();
//!
//! let packet = Packet::parse(&octets)?;
//! assert_eq!(packet.first(attribute::USER_NAME), Some(&b"alice"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::authenticator::{self, Authenticator, SharedSecret};

/// Octets of the header: code, identifier, length, authenticator.
pub const HEADER: usize = 20;
/// The longest packet there may be (RFC 2865, section 3), in octets.
pub const LONGEST: usize = 4096;
/// The longest value of an attribute, in octets.
pub const VALUE_MAX: usize = 253;

/// Numbers of the attributes that the responder itself reads or writes.
pub mod attribute {
    #![allow(missing_docs, reason = "the names are those of the RFCs")]
    pub const USER_NAME: u8 = 1;
    pub const USER_PASSWORD: u8 = 2;
    pub const CHAP_PASSWORD: u8 = 3;
    pub const NAS_IP_ADDRESS: u8 = 4;
    pub const NAS_PORT: u8 = 5;
    pub const FILTER_ID: u8 = 11;
    pub const REPLY_MESSAGE: u8 = 18;
    pub const STATE: u8 = 24;
    pub const CLASS: u8 = 25;
    pub const VENDOR_SPECIFIC: u8 = 26;
    pub const SESSION_TIMEOUT: u8 = 27;
    pub const CALLED_STATION_ID: u8 = 30;
    pub const CALLING_STATION_ID: u8 = 31;
    pub const NAS_IDENTIFIER: u8 = 32;
    pub const PROXY_STATE: u8 = 33;
    pub const ACCT_STATUS_TYPE: u8 = 40;
    pub const ACCT_SESSION_ID: u8 = 44;
    pub const CHAP_CHALLENGE: u8 = 60;
    pub const TUNNEL_PASSWORD: u8 = 69;
    pub const EAP_MESSAGE: u8 = 79;
    pub const MESSAGE_AUTHENTICATOR: u8 = 80;
    pub const NAS_PORT_ID: u8 = 87;
    pub const NAS_IPV6_ADDRESS: u8 = 95;
}

/// What kind of packet it is (RFC 2865, section 4; RFC 2866; RFC 5997).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Code(pub u8);

#[allow(missing_docs, reason = "the names are those of the RFCs")]
impl Code {
    pub const ACCESS_REQUEST: Self = Self(1);
    pub const ACCESS_ACCEPT: Self = Self(2);
    pub const ACCESS_REJECT: Self = Self(3);
    pub const ACCOUNTING_REQUEST: Self = Self(4);
    pub const ACCOUNTING_RESPONSE: Self = Self(5);
    pub const ACCESS_CHALLENGE: Self = Self(11);
    pub const STATUS_SERVER: Self = Self(12);
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::ACCESS_REQUEST => "Access-Request",
            Self::ACCESS_ACCEPT => "Access-Accept",
            Self::ACCESS_REJECT => "Access-Reject",
            Self::ACCOUNTING_REQUEST => "Accounting-Request",
            Self::ACCOUNTING_RESPONSE => "Accounting-Response",
            Self::ACCESS_CHALLENGE => "Access-Challenge",
            Self::STATUS_SERVER => "Status-Server",
            Self(other) => return write!(f, "code {other}"),
        })
    }
}

/// A packet that is whole: its length is that of its attributes, each of which is in bounds.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    header: &'a [u8; HEADER],
    attributes: &'a [u8],
    octets: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`Malformed`], for which there is no answer but silence.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (header, _) = datagram.split_first_chunk::<HEADER>().ok_or(Malformed::Short)?;
        let [_, _, high, low, ..] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < HEADER {
            return Err(Malformed::LengthBelowHeader);
        }
        if length > LONGEST {
            return Err(Malformed::LengthAboveMaximum);
        }
        let octets = datagram.get(..length).ok_or(Malformed::Truncated)?;
        let attributes = octets.get(HEADER..).unwrap_or_default();
        walk(attributes)?;
        Ok(Self { header, attributes, octets })
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        let [code, ..] = *self.header;
        Code(code)
    }

    /// Its identifier, by which a client tells its requests apart.
    #[must_use]
    pub fn identifier(&self) -> u8 {
        let [_, identifier, ..] = *self.header;
        identifier
    }

    /// Its Request or Response Authenticator.
    #[must_use]
    pub fn authenticator(&self) -> Authenticator {
        let [_, _, _, _, authenticator @ ..] = *self.header;
        authenticator
    }

    /// The packet from its code to the end that Length names.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.attributes }
    }

    /// The values of one type, in order.
    pub fn all(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.attributes().filter(move |a| a.kind == kind).map(|a| a.value)
    }

    /// The first value of one type.
    #[must_use]
    pub fn first(&self, kind: u8) -> Option<&'a [u8]> {
        self.all(kind).next()
    }

    /// Whether there is an attribute of this type.
    #[must_use]
    pub fn has(&self, kind: u8) -> bool {
        self.first(kind).is_some()
    }

    /// The values of one vendor's type, in order. Vendor-Specific attributes that are not made of type, length and
    /// value (RFC 2865, section 5.26 only recommends that) are skipped from the first octet that is not.
    pub fn vendor(&self, vendor: u32, kind: u8) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.all(attribute::VENDOR_SPECIFIC)
            .filter_map(move |value| {
                value.split_first_chunk::<4>().filter(|(id, _)| u32::from_be_bytes(**id) == vendor)
            })
            .flat_map(|(_, inner)| Attributes { rest: inner })
            .filter(move |a| a.kind == kind)
            .map(|a| a.value)
    }
}

impl fmt::Debug for Packet<'_> {
    /// Without the values, among which are passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} octets)", self.code(), self.identifier(), self.octets.len())
    }
}

/// One attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: u8,
    /// Its value, at most [`VALUE_MAX`] octets.
    pub value: &'a [u8],
}

/// The attributes of a packet. Ends at the first one that is not whole, which a parsed packet does not have.
#[derive(Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes that these octets are made of; none where they are not, to the last one.
    #[must_use]
    pub fn whole(octets: &'a [u8]) -> Option<Self> {
        walk(octets).ok().map(|()| Self { rest: octets })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (attribute, rest) = split(self.rest).ok()?;
        self.rest = rest;
        Some(attribute)
    }
}

/// Goes over every attribute once: each is whole, and nothing is left over.
fn walk(mut octets: &[u8]) -> Result<(), Malformed> {
    while !octets.is_empty() {
        (_, octets) = split(octets)?;
    }
    Ok(())
}

/// The first attribute, and what comes after it.
fn split(octets: &[u8]) -> Result<(Attribute<'_>, &[u8]), Malformed> {
    let [kind, length, ..] = *octets else { return Err(Malformed::AttributeTruncated) };
    let length = usize::from(length);
    let value = octets.get(2..length).ok_or(match length {
        0 | 1 => Malformed::AttributeLength,
        _ => Malformed::AttributeTruncated,
    })?;
    Ok((Attribute { kind, value }, octets.get(length..).unwrap_or_default()))
}

/// Attributes that outlive their packet, in one piece. Two thousand empty ones fit into a packet, and take no more room
/// here than there.
#[derive(Clone, Default)]
pub struct Copied(Box<[u8]>);

impl Copied {
    /// The attributes of these types, in order.
    #[must_use]
    pub fn of(packet: &Packet<'_>, wanted: impl Fn(u8) -> bool) -> Self {
        let (mut rest, mut copied) = (packet.attributes, Vec::new());
        while let Ok((attribute, after)) = split(rest) {
            if wanted(attribute.kind) {
                let length = rest.len().saturating_sub(after.len());
                copied.extend_from_slice(rest.get(..length).unwrap_or_default());
            }
            rest = after;
        }
        Self(copied.into())
    }

    /// What was copied.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes { rest: &self.0 }
    }
}

impl fmt::Debug for Copied {
    /// Without the values, among which are passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} attributes", self.attributes().count())
    }
}

/// Why a datagram is no packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Malformed {
    /// Fewer octets than a header.
    Short,
    /// Length says less than a header.
    LengthBelowHeader,
    /// Length says more than 4096.
    LengthAboveMaximum,
    /// Length says more than came.
    Truncated,
    /// An attribute's length does not even hold its own two octets.
    AttributeLength,
    /// An attribute says that it goes on behind the packet's end.
    AttributeTruncated,
}

impl Malformed {
    /// Every way, for counters.
    pub const ALL: [Self; 6] = [
        Self::Short,
        Self::LengthBelowHeader,
        Self::LengthAboveMaximum,
        Self::Truncated,
        Self::AttributeLength,
        Self::AttributeTruncated,
    ];

    /// The stable name in counters and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::LengthBelowHeader => "length-below-header",
            Self::LengthAboveMaximum => "length-above-maximum",
            Self::Truncated => "truncated",
            Self::AttributeLength => "attribute-length",
            Self::AttributeTruncated => "attribute-truncated",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "shorter than a RADIUS header",
            Self::LengthBelowHeader => "its length is below that of a header",
            Self::LengthAboveMaximum => "its length is above 4096",
            Self::Truncated => "its length is more than came",
            Self::AttributeLength => "an attribute has a length below 2",
            Self::AttributeTruncated => "an attribute goes on behind the end",
        })
    }
}

impl std::error::Error for Malformed {}

/// A packet being written. A request or an answer that is signed has its Message-Authenticator as the first
/// attribute, where a collision has no room before it (CVE-2024-3596).
pub struct Builder {
    octets: Vec<u8>,
}

/// The two octets of the attribute's head and its value.
const SIGNATURE: usize = 18;

impl Builder {
    /// An empty packet. The place of the Message-Authenticator is kept: only [`Self::unsigned`] gives it up.
    #[must_use]
    pub fn new(code: Code, identifier: u8, authenticator: Authenticator) -> Self {
        // What most packets need; a long one grows once or twice.
        let mut octets = Vec::with_capacity(256);
        octets.extend_from_slice(&[code.0, identifier, 0, 0]);
        octets.extend_from_slice(&authenticator);
        octets.extend_from_slice(&[attribute::MESSAGE_AUTHENTICATOR, 18]);
        octets.extend_from_slice(&[0; 16]);
        Self { octets }
    }

    /// An empty answer to a request.
    #[must_use]
    pub fn answer(code: Code, request: &Packet<'_>) -> Self {
        Self::new(code, request.identifier(), request.authenticator())
    }

    /// Adds an attribute.
    ///
    /// # Errors
    /// [`Full`] when the value is longer than an attribute holds or the packet would be longer than a packet may be.
    /// Nothing was added then.
    pub fn add(&mut self, kind: u8, value: &[u8]) -> Result<(), Full> {
        let length = u8::try_from(value.len().saturating_add(2)).map_err(|_| Full)?;
        if self.octets.len().saturating_add(usize::from(length)) > LONGEST {
            return Err(Full);
        }
        self.octets.extend_from_slice(&[kind, length]);
        self.octets.extend_from_slice(value);
        Ok(())
    }

    /// Adds a vendor's attribute in the format that RFC 2865, section 5.26 recommends.
    ///
    /// # Errors
    /// As [`Self::add`]; a vendor's value has 247 octets at most.
    pub fn add_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<(), Full> {
        let length = u8::try_from(value.len().saturating_add(2)).map_err(|_| Full)?;
        let mut whole = zeroize::Zeroizing::new(Vec::with_capacity(usize::from(length).saturating_add(4)));
        whole.extend_from_slice(&vendor.to_be_bytes());
        whole.extend_from_slice(&[kind, length]);
        whole.extend_from_slice(value);
        self.add(attribute::VENDOR_SPECIFIC, &whole)
    }

    /// The finished answer: Message-Authenticator (RFC 3579, section 3.2) and Response Authenticator (RFC 2865,
    /// section 3). The authenticator of [`Self::new`] must be the request's.
    #[must_use]
    pub fn signed_answer(self, secret: &SharedSecret) -> Vec<u8> {
        let mut octets = self.signed_request(secret);
        let authenticator = authenticator::of_answer(&octets, secret);
        put(&mut octets, 4, &authenticator);
        octets
    }

    /// The finished Access-Request or Status-Server: Message-Authenticator over the packet with the authenticator of
    /// [`Self::new`], which must be random.
    #[must_use]
    pub fn signed_request(mut self, secret: &SharedSecret) -> Vec<u8> {
        self.put_length();
        let mac = authenticator::sign(&self.octets, secret);
        put(&mut self.octets, HEADER.saturating_add(2), &mac);
        self.octets
    }

    /// The finished Accounting-Response, which carries only a Response Authenticator (RFC 2866, section 3), or a
    /// packet for a test.
    #[must_use]
    pub fn unsigned_answer(self, secret: &SharedSecret) -> Vec<u8> {
        let mut octets = self.unsigned();
        let authenticator = authenticator::of_answer(&octets, secret);
        put(&mut octets, 4, &authenticator);
        octets
    }

    /// The packet without a Message-Authenticator, and with the authenticator as it was given.
    #[must_use]
    pub fn unsigned(mut self) -> Vec<u8> {
        self.octets.drain(HEADER..HEADER.saturating_add(SIGNATURE));
        self.put_length();
        self.octets
    }

    fn put_length(&mut self) {
        // `add` keeps the length within 4096.
        let length = u16::try_from(self.octets.len()).unwrap_or(u16::MAX);
        put(&mut self.octets, 2, &length.to_be_bytes());
    }
}

fn put(octets: &mut [u8], at: usize, value: &[u8]) {
    for (to, from) in octets.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}

/// The attribute does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the attribute does not fit into the packet")
    }
}

impl std::error::Error for Full {}

#[cfg(test)]
mod tests;
