//! LDAP messages (RFC 4511): those that are written here, and those that a server answers with.
//!
//! ```text
//!   30 LL            LDAPMessage, of at most 1 MiB: the length is looked at before the rest is read
//!      02 01 02      its number, that of the request
//!      64 LL         what it is: an entry, an end with a result code, a referral, ...
//! ```
//!
//! A server's bytes are foreign. They are made definite by [`crate::asn1::ber`], without recursion and within bounds,
//! and read by [`crate::asn1::der`]; nothing is allocated by a length that they claim.

use std::fmt;

use zeroize::Zeroizing;

use super::{Scope, filter::Filled};
use crate::asn1::{ber, der};

/// The longest message that is read.
pub const MESSAGE_MAX: usize = ber::MAX_SIZE;
/// The most attributes of an entry, the most values of one, and the longest value.
const ATTRIBUTES_MAX: usize = 64;
const VALUES_MAX: usize = 2048;
const VALUE_MAX: usize = 64 << 10;

const BOOLEAN: u8 = 0x01;
const ENUMERATED: u8 = 0x0a;

/// `[APPLICATION number]`, constructed.
const fn application(number: u8) -> u8 {
    0x60 | number
}

const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
/// Asks an Active Directory to answer for its own domain alone, without naming others.
const DOMAIN_SCOPE: &[u8] = b"1.2.840.113556.1.4.1339";

/// What is asked of a server.
#[derive(Debug)]
pub enum Request<'a> {
    /// Who asks: a distinguished name with its password, or two empty texts for nobody.
    Bind {
        /// The name.
        dn: &'a str,
        /// The password.
        password: &'a str,
    },
    /// To go on over TLS.
    StartTls,
    /// Entries.
    Search(&'a Search<'a>),
    /// Another value of an attribute.
    Modify(&'a Modify<'a>),
    /// Nothing more.
    Unbind,
}

/// A search.
#[derive(Debug)]
pub struct Search<'a> {
    /// Where.
    pub base: &'a str,
    /// How deep.
    pub scope: Scope,
    /// What.
    pub filter: &'a Filled,
    /// The most entries that the server is to send.
    pub limit: u16,
    /// How many seconds the server may take.
    pub seconds: u8,
    /// What of each entry.
    pub attributes: &'a [&'a str],
    /// Whether other domains are left out.
    pub domain_scope: bool,
}

/// A change of one attribute of one entry.
#[derive(Debug)]
pub struct Modify<'a> {
    /// The entry's name, as the server writes it.
    pub dn: &'a str,
    /// What happens.
    pub change: Change,
    /// To which attribute.
    pub attribute: &'a str,
    /// The value; none where all are meant.
    pub value: Option<&'a str>,
}

/// What happens to values (RFC 4511, section 4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One more.
    Add,
    /// It goes.
    Delete,
    /// It stands alone afterwards.
    Replace,
}

impl Request<'_> {
    /// The octets of the message, which is the one of this number.
    #[must_use]
    pub fn encode(&self, number: u16) -> Zeroizing<Vec<u8>> {
        let (tag, content, controls) = match self {
            Self::Bind { dn, password } => {
                let name = der::wrap(der::OCTET_STRING, dn.as_bytes());
                let password = Zeroizing::new(der::wrap(der::context_primitive(0), password.as_bytes()));
                (application(0), joined(&[&[der::INTEGER, 1, 3], &name, &password]), Vec::new())
            }
            Self::StartTls => {
                let name = der::wrap(der::context_primitive(0), START_TLS);
                (application(23), Zeroizing::new(name), Vec::new())
            }
            Self::Search(search) => (application(3), Zeroizing::new(search.encode()), search.controls()),
            Self::Modify(modify) => (application(6), Zeroizing::new(modify.encode()), Vec::new()),
            Self::Unbind => (0x42, Zeroizing::default(), Vec::new()),
        };
        let mut header = Vec::new();
        der::push_header(&mut header, tag, content.len());
        let message = joined(&[&integer(number), &header, &content, &controls]);
        let mut header = Vec::new();
        der::push_header(&mut header, der::SEQUENCE, message.len());
        joined(&[&header, &message])
    }
}

/// One allocation of the right size: growing would leave copies of a password behind.
fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(parts.concat())
}

impl Search<'_> {
    fn encode(&self) -> Vec<u8> {
        let attributes: Vec<_> =
            self.attributes.iter().flat_map(|name| der::wrap(der::OCTET_STRING, name.as_bytes())).collect();
        [
            der::wrap(der::OCTET_STRING, self.base.as_bytes()),
            vec![ENUMERATED, 1, self.scope.wire()],
            // An alias is an entry of its own, and not followed.
            vec![ENUMERATED, 1, 0],
            integer(self.limit),
            integer(self.seconds.into()),
            vec![BOOLEAN, 1, 0],
            self.filter.octets().to_vec(),
            der::wrap(der::SEQUENCE, &attributes),
        ]
        .concat()
    }

    fn controls(&self) -> Vec<u8> {
        if !self.domain_scope {
            return Vec::new();
        }
        let control = der::wrap(der::SEQUENCE, &der::wrap(der::OCTET_STRING, DOMAIN_SCOPE));
        der::wrap(der::context(0), &control)
    }
}

impl Modify<'_> {
    fn encode(&self) -> Vec<u8> {
        let operation = match self.change {
            Change::Add => 0,
            Change::Delete => 1,
            Change::Replace => 2,
        };
        let value = self.value.map(|value| der::wrap(der::OCTET_STRING, value.as_bytes()));
        let attribute = [
            der::wrap(der::OCTET_STRING, self.attribute.as_bytes()),
            der::wrap(der::SET, &value.unwrap_or_default()),
        ];
        let change = [vec![ENUMERATED, 1, operation], der::wrap(der::SEQUENCE, &attribute.concat())];
        let changes = der::wrap(der::SEQUENCE, &der::wrap(der::SEQUENCE, &change.concat()));
        [der::wrap(der::OCTET_STRING, self.dn.as_bytes()), changes].concat()
    }
}

/// An INTEGER; a leading zero keeps it from being negative.
fn integer(value: u16) -> Vec<u8> {
    match value.to_be_bytes() {
        [0, low @ 0..=0x7f] => vec![der::INTEGER, 1, low],
        [high @ 0..=0x7f, low] => vec![der::INTEGER, 2, high, low],
        [high, low] => vec![der::INTEGER, 3, 0, high, low],
    }
}

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of which request; 0 for a notice that belongs to none.
    pub number: u32,
    /// What it is.
    pub body: Body,
}

/// The kinds of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The end of a bind.
    Bound(Done),
    /// An entry that was found.
    Entry(Entry),
    /// The name of another server that may know more.
    Reference,
    /// The end of a search.
    Searched(Done),
    /// The end of a change.
    Modified(Done),
    /// The end of StartTLS, or a notice.
    Extended(Done),
    /// Something that was not asked for.
    Other,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The result code.
    pub code: Code,
    /// What the server says about it.
    pub text: String,
}

/// A result code (RFC 4511, section 4.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u32);

impl Code {
    /// success
    pub const SUCCESS: Self = Self(0);
    /// sizeLimitExceeded
    pub const SIZE_LIMIT: Self = Self(4);
    /// referral
    pub const REFERRAL: Self = Self(10);
    /// noSuchAttribute
    pub const NO_SUCH_ATTRIBUTE: Self = Self(16);
    /// undefinedAttributeType
    pub const UNDEFINED_ATTRIBUTE: Self = Self(17);
    /// constraintViolation
    pub const CONSTRAINT_VIOLATION: Self = Self(19);
    /// attributeOrValueExists
    pub const VALUE_EXISTS: Self = Self(20);
    /// noSuchObject
    pub const NO_SUCH_OBJECT: Self = Self(32);
    /// invalidCredentials
    pub const INVALID_CREDENTIALS: Self = Self(49);
    /// insufficientAccessRights
    pub const INSUFFICIENT_RIGHTS: Self = Self(50);
    /// busy
    pub const BUSY: Self = Self(51);
    /// unavailable
    pub const UNAVAILABLE: Self = Self(52);
    /// unwillingToPerform
    pub const UNWILLING: Self = Self(53);
    /// objectClassViolation
    pub const OBJECT_CLASS_VIOLATION: Self = Self(65);
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "success",
            1 => "operationsError",
            2 => "protocolError",
            3 => "timeLimitExceeded",
            4 => "sizeLimitExceeded",
            8 => "strongerAuthRequired",
            10 => "referral",
            11 => "adminLimitExceeded",
            13 => "confidentialityRequired",
            16 => "noSuchAttribute",
            17 => "undefinedAttributeType",
            18 => "inappropriateMatching",
            19 => "constraintViolation",
            20 => "attributeOrValueExists",
            21 => "invalidAttributeSyntax",
            32 => "noSuchObject",
            34 => "invalidDNSyntax",
            48 => "inappropriateAuthentication",
            49 => "invalidCredentials",
            50 => "insufficientAccessRights",
            51 => "busy",
            52 => "unavailable",
            53 => "unwillingToPerform",
            65 => "objectClassViolation",
            other => return write!(f, "result code {other}"),
        };
        write!(f, "{name} ({})", self.0)
    }
}

/// An entry, as far as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its distinguished name.
    pub dn: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// An attribute with its values.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, with its options.
    pub name: String,
    /// Its values.
    pub values: Vec<Vec<u8>>,
}

/// Without the values: they may be somebody's number.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({}, {} values)", self.name, self.values.len())
    }
}

/// How long the message is that begins with these octets; none where that takes more of them.
///
/// # Errors
/// No message begins so, or it is too long.
pub fn length(head: &[u8]) -> Result<Option<usize>, BadMessage> {
    let (tag, rest) = match head.split_first() {
        None => return Ok(None),
        Some((tag, rest)) => (*tag, rest),
    };
    if tag != der::SEQUENCE {
        return Err(BadMessage::Foreign("no LDAP message begins so"));
    }
    let Some((first, rest)) = rest.split_first() else { return Ok(None) };
    let (octets, content) = match *first {
        short @ 0..=0x7f => (0, usize::from(short)),
        long @ 0x81..=0x84 => {
            let count = usize::from(long & 0x7f);
            let Some(octets) = rest.get(..count) else { return Ok(None) };
            (count, octets.iter().fold(0_usize, |value, octet| (value << 8) | usize::from(*octet)))
        }
        _ => return Err(BadMessage::Foreign("its length is none of LDAP's")),
    };
    let whole = content.saturating_add(octets).saturating_add(2);
    if whole > MESSAGE_MAX { Err(BadMessage::Excess("it is longer than 1 MiB")) } else { Ok(Some(whole)) }
}

/// Reads one whole message.
///
/// # Errors
/// It is none, or larger than anything that was asked for.
pub fn decode(message: &[u8]) -> Result<Message, BadMessage> {
    let definite = ber::to_definite(message).map_err(|_| BadMessage::Foreign("it is no BER of LDAP's"))?;
    der::read_all(&definite, |reader| {
        reader.nested(der::SEQUENCE, |message| {
            let number = unsigned(message.expect(der::INTEGER)?)?;
            let what = message.element()?;
            let body = match what.tag {
                BIND_RESPONSE => Body::Bound(done(what.content)?),
                ENTRY => Body::Entry(entry(what.content)?),
                SEARCH_DONE => Body::Searched(done(what.content)?),
                MODIFIED => Body::Modified(done(what.content)?),
                REFERENCE => Body::Reference,
                EXTENDED => Body::Extended(done(what.content)?),
                _ => Body::Other,
            };
            // Controls may follow; none was asked for.
            message.optional(der::context(0))?;
            Ok(Message { number, body })
        })
    })
}

const BIND_RESPONSE: u8 = application(1);
const ENTRY: u8 = application(4);
const SEARCH_DONE: u8 = application(5);
const MODIFIED: u8 = application(7);
const REFERENCE: u8 = application(19);
const EXTENDED: u8 = application(24);

fn unsigned(octets: &[u8]) -> Result<u32, BadMessage> {
    let negative = octets.first().is_none_or(|first| *first >= 0x80);
    if negative || octets.len() > 4 {
        return Err(BadMessage::Foreign("a number in it is out of bounds"));
    }
    Ok(octets.iter().fold(0, |value, octet| (value << 8) | u32::from(*octet)))
}

fn done(content: &[u8]) -> Result<Done, BadMessage> {
    let mut reader = der::Reader::of(content);
    let code = Code(unsigned(reader.expect(ENUMERATED)?)?);
    reader.expect(der::OCTET_STRING)?;
    let text = String::from_utf8_lossy(reader.expect(der::OCTET_STRING)?).into_owned();
    // Where else to ask, credentials, a name and a value: nothing that is used.
    Ok(Done { code, text })
}

fn entry(content: &[u8]) -> Result<Entry, BadMessage> {
    der::read_all(content, |reader| {
        let dn = text(reader.expect(der::OCTET_STRING)?)?;
        let attributes = reader.nested(der::SEQUENCE, |list| {
            let mut attributes = Vec::new();
            while !list.is_empty() {
                if attributes.len() == ATTRIBUTES_MAX {
                    return Err(BadMessage::Excess("an entry has more than 64 attributes"));
                }
                attributes.push(list.nested(der::SEQUENCE, attribute)?);
            }
            Ok(attributes)
        })?;
        Ok(Entry { dn, attributes })
    })
}

fn attribute(reader: &mut der::Reader<'_>) -> Result<Attribute, BadMessage> {
    let name = text(reader.expect(der::OCTET_STRING)?)?;
    let values = reader.nested(der::SET, |set| {
        let mut values = Vec::new();
        while !set.is_empty() {
            let value = set.expect(der::OCTET_STRING)?;
            if value.len() > VALUE_MAX {
                return Err(BadMessage::Excess("a value is longer than 64 KiB"));
            }
            if values.len() == VALUES_MAX {
                return Err(BadMessage::Excess("an attribute has more than 2048 values"));
            }
            values.push(value.to_vec());
        }
        Ok(values)
    })?;
    Ok(Attribute { name, values })
}

fn text(octets: &[u8]) -> Result<String, BadMessage> {
    if octets.len() > VALUE_MAX {
        return Err(BadMessage::Excess("a name is longer than 64 KiB"));
    }
    String::from_utf8(octets.to_vec()).map_err(|_| BadMessage::Foreign("a name in it is no UTF-8"))
}

/// Why octets are no message that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMessage {
    /// Whoever sent them speaks something else.
    Foreign(&'static str),
    /// They are more than is read of anybody.
    Excess(&'static str),
}

impl From<der::BadDer> for BadMessage {
    fn from(_: der::BadDer) -> Self {
        Self::Foreign("its parts are none of LDAP's")
    }
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(what) => write!(f, "the answer is no LDAP message that can be read: {what}"),
            Self::Excess(what) => write!(f, "the answer is larger than any that is read: {what}"),
        }
    }
}

impl std::error::Error for BadMessage {}

#[cfg(test)]
mod tests;
