//! RADIUS packets by hand: right ones, and every wrong one that a story needs.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

/// Codes of RFC 2865 and RFC 5997.
pub mod code {
    /// Asks.
    pub const ACCESS_REQUEST: u8 = 1;
    /// Lets in.
    pub const ACCESS_ACCEPT: u8 = 2;
    /// Keeps out.
    pub const ACCESS_REJECT: u8 = 3;
    /// Acknowledged with 5.
    pub const ACCOUNTING_REQUEST: u8 = 4;
    /// Asks back.
    pub const ACCESS_CHALLENGE: u8 = 11;
    /// Asks whether anybody is there.
    pub const STATUS_SERVER: u8 = 12;
}

/// Types of RFC 2865, RFC 2869 and RFC 3579.
pub mod attribute {
    /// Who.
    pub const USER_NAME: u8 = 1;
    /// What only she knows, hidden with the secret.
    pub const USER_PASSWORD: u8 = 2;
    /// What the person reads.
    pub const REPLY_MESSAGE: u8 = 18;
    /// What a challenge wants back.
    pub const STATE: u8 = 24;
    /// What the accounting wants back.
    pub const CLASS: u8 = 25;
    /// From where.
    pub const CALLING_STATION_ID: u8 = 31;
    /// What a proxy wants back.
    pub const PROXY_STATE: u8 = 33;
    /// EAP, in pieces.
    pub const EAP_MESSAGE: u8 = 79;
    /// HMAC-MD5 over the packet.
    pub const MESSAGE_AUTHENTICATOR: u8 = 80;
}

/// What a packet carries as Message-Authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// The right one, before everything else.
    First,
    /// The right one, after everything else.
    Last,
    /// None.
    Absent,
    /// One with a bit flipped.
    Wrong,
    /// The right one, twice.
    Doubled,
    /// One of 15 octets.
    Short,
}

/// A request before it is written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it asks for, of [`code`].
    pub code: u8,
    /// Its number among the sender's.
    pub identifier: u8,
    /// Its Request Authenticator.
    pub authenticator: [u8; 16],
    /// All but the Message-Authenticator, in order.
    pub attributes: Vec<(u8, Vec<u8>)>,
}

impl Draft {
    /// A request with no attributes yet.
    #[must_use]
    pub fn new(code: u8, identifier: u8) -> Self {
        Self { code, identifier, authenticator: random(), attributes: Vec::new() }
    }

    /// A login by name and password.
    #[must_use]
    pub fn login(identifier: u8, user: &str, password: &str, secret: &str) -> Self {
        let draft = Self::new(code::ACCESS_REQUEST, identifier).with(attribute::USER_NAME, user);
        let hidden = hide(password.as_bytes(), secret.as_bytes(), &draft.authenticator);
        draft.with(attribute::USER_PASSWORD, hidden)
    }

    /// With one attribute more.
    #[must_use]
    pub fn with(mut self, kind: u8, value: impl AsRef<[u8]>) -> Self {
        self.attributes.push((kind, value.as_ref().to_vec()));
        self
    }

    /// The packet, with the Message-Authenticator that is asked for.
    #[must_use]
    pub fn write(&self, secret: &str, integrity: Integrity) -> Vec<u8> {
        let blank = (attribute::MESSAGE_AUTHENTICATOR, vec![0; 16]);
        let mut attributes = self.attributes.clone();
        match integrity {
            Integrity::Absent => {}
            Integrity::Last => attributes.push(blank),
            Integrity::Doubled => attributes.splice(0..0, [blank.clone(), blank]).for_each(drop),
            Integrity::Short => attributes.insert(0, (attribute::MESSAGE_AUTHENTICATOR, vec![0; 15])),
            Integrity::First | Integrity::Wrong => attributes.insert(0, blank),
        }
        let zeroed = encode(self.code, self.identifier, &self.authenticator, &attributes);
        let mut proof = keyed(secret, &zeroed);
        if integrity == Integrity::Wrong {
            proof = proof.map(|octet| octet ^ 1);
        }
        for (kind, value) in &mut attributes {
            if *kind == attribute::MESSAGE_AUTHENTICATOR {
                value.iter_mut().zip(proof).for_each(|(octet, right)| *octet = right);
            }
        }
        encode(self.code, self.identifier, &self.authenticator, &attributes)
    }

    /// The packet as it should be sent today: a right Message-Authenticator before everything else.
    #[must_use]
    pub fn signed(&self, secret: &str) -> Vec<u8> {
        self.write(secret, Integrity::First)
    }
}

/// A reply that has been checked: it answers the request, nobody changed it, and a Message-Authenticator that
/// is right stands before everything else in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it says, of [`code`].
    pub code: u8,
    /// All attributes in order.
    pub attributes: Vec<(u8, Vec<u8>)>,
}

impl Reply {
    /// Checks a reply against its request.
    ///
    /// # Errors
    /// When it is no packet, does not answer this request, or lacks a proof.
    pub fn check(octets: &[u8], request: &Draft, secret: &str) -> Result<Self> {
        let (header, body) = octets.split_at_checked(20).context("shorter than a header")?;
        let &[code, identifier, high, low, ref authenticator @ ..] = header else {
            unreachable!("20 octets")
        };
        ensure!(identifier == request.identifier, "identifier {identifier} answers another request");
        ensure!(
            usize::from(u16::from_be_bytes([high, low])) == octets.len(),
            "the length is not the datagram's"
        );
        let expected =
            Md5::new().chain_update([code, identifier, high, low]).chain_update(request.authenticator);
        let expected: [u8; 16] = expected.chain_update(body).chain_update(secret).finalize().into();
        ensure!(authenticator == expected, "the Response Authenticator is wrong");

        let attributes = decode(body)?;
        let Some((attribute::MESSAGE_AUTHENTICATOR, proof)) = attributes.first() else {
            anyhow::bail!("no Message-Authenticator before everything else: {attributes:?}");
        };
        let mut zeroed = attributes.clone();
        zeroed.iter_mut().take(1).for_each(|(_, value)| value.fill(0));
        let zeroed = encode(code, identifier, &request.authenticator, &zeroed);
        ensure!(proof.as_slice() == keyed(secret, &zeroed), "the Message-Authenticator is wrong");
        let reply = Self { code, attributes };
        ensure!(
            reply.all(attribute::MESSAGE_AUTHENTICATOR).len() == 1,
            "two Message-Authenticators: {reply:?}"
        );
        Ok(reply)
    }

    /// Every value of this type, in order.
    #[must_use]
    pub fn all(&self, kind: u8) -> Vec<&[u8]> {
        let wanted = self.attributes.iter().filter(|(found, _)| *found == kind);
        wanted.map(|(_, value)| value.as_slice()).collect()
    }

    /// What the person reads.
    #[must_use]
    pub fn message(&self) -> String {
        let parts = self.all(attribute::REPLY_MESSAGE);
        parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join("\n")
    }
}

fn encode(code: u8, identifier: u8, authenticator: &[u8; 16], attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut packet = vec![code, identifier, 0, 0];
    packet.extend(authenticator);
    for (kind, value) in attributes {
        // A story that wants a longer value has made a mistake, which the server will point out.
        packet.extend([*kind, u8::try_from(value.len() + 2).unwrap_or(u8::MAX)]);
        packet.extend(value);
    }
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
    packet.splice(2..4, length);
    packet
}

fn decode(mut body: &[u8]) -> Result<Vec<(u8, Vec<u8>)>> {
    let mut attributes = Vec::new();
    while let Some((&[kind, length], rest)) = body.split_first_chunk() {
        let length = usize::from(length).checked_sub(2).context("an attribute shorter than its header")?;
        let (value, rest) = rest.split_at_checked(length).context("an attribute longer than the packet")?;
        attributes.push((kind, value.to_vec()));
        body = rest;
    }
    ensure!(body.is_empty(), "an octet too many at the end");
    Ok(attributes)
}

fn keyed(secret: &str, packet: &[u8]) -> [u8; 16] {
    // HMAC takes a key of any length.
    let Ok(mac) = Hmac::<Md5>::new_from_slice(secret.as_bytes()) else { return [0; 16] };
    mac.chain_update(packet).finalize().into_bytes().into()
}

/// RFC 2865, 5.2: sixteen octets at a time, each covered with a digest of the secret and what went before.
fn hide(password: &[u8], secret: &[u8], authenticator: &[u8; 16]) -> Vec<u8> {
    let mut hidden = Vec::new();
    let mut before = *authenticator;
    let mut padded = password.to_vec();
    padded.resize(password.len().max(1).next_multiple_of(16), 0);
    for block in padded.chunks(16) {
        let cover: [u8; 16] = Md5::new().chain_update(secret).chain_update(before).finalize().into();
        for ((octet, plain), cover) in before.iter_mut().zip(block).zip(cover) {
            *octet = plain ^ cover;
        }
        hidden.extend(before);
    }
    hidden
}

/// Octets that nobody has seen before.
///
/// # Panics
/// When the machine has no randomness, which no story survives.
#[must_use]
pub fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut octets));
    assert!(read.is_ok(), "no /dev/urandom: {read:?}");
    octets
}
