//! What an upstream's answer hands to the NAS.
//!
//! Some attributes are hidden with the secret and the authenticator of their hop. They are revealed when the answer
//! comes and hidden anew, with the NAS's secret, its request's authenticator and a fresh salt, when ours is written:
//!
//! | Attribute | Hidden as |
//! |---|---|
//! | MS-MPPE-Send-Key, MS-MPPE-Recv-Key (RFC 2548, 2.4.2 and 2.4.3) | salt, then blocks |
//! | Tunnel-Password (RFC 2868, 3.5) | tag, salt, then blocks |
//! | MS-CHAP-MPPE-Keys (RFC 2548, 2.4.1) | as User-Password is |
//!
//! A vendor's attribute that holds several values is passed on as several. One that is not made of type, length and
//! value can be named in no filter, and is left out.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    authenticator::{self, Authenticator, SharedSecret},
    packet::{Attribute, Attributes, Builder, Full, Packet, attribute},
};

/// An attribute on its way from upstream's answer to ours.
#[derive(Clone, PartialEq, Eq)]
pub struct PassedOn {
    vendor: Option<u32>,
    kind: u8,
    value: Value,
}

#[derive(Clone, PartialEq, Eq)]
enum Value {
    Plain(Vec<u8>),
    /// In clear while it is here.
    Salted {
        tag: Option<u8>,
        clear: Zeroizing<Vec<u8>>,
    },
    /// MS-CHAP-MPPE-Keys in clear: 24 octets of keys and eight zeros.
    Keys(Zeroizing<Vec<u8>>),
}

const MICROSOFT: u32 = 311;
const MS_CHAP_MPPE_KEYS: u8 = 12;
const MS_MPPE_SEND_KEY: u8 = 16;
const MS_MPPE_RECV_KEY: u8 = 17;

impl PassedOn {
    /// One that nothing hides; `kind` is the vendor's type where there is a vendor.
    #[must_use]
    pub fn plain(vendor: Option<u32>, kind: u8, value: &[u8]) -> Self {
        Self { vendor, kind, value: Value::Plain(value.to_vec()) }
    }

    /// A key of Microsoft's, as an upstream's answer brings it.
    #[cfg(test)]
    pub(crate) fn key(kind: u8, clear: &[u8]) -> Self {
        let value = Value::Salted { tag: None, clear: Zeroizing::new(clear.to_vec()) };
        Self { vendor: Some(MICROSOFT), kind, value }
    }

    /// Whose attribute it is: none is the standard's.
    #[must_use]
    pub fn vendor(&self) -> Option<u32> {
        self.vendor
    }

    /// Its type, or the vendor's type.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// Whether the NAS needs it to believe an accepted MS-CHAP login, whatever a filter says: the authenticator's own
    /// proof (MS-CHAP2-Success), the keys and what they are for, and the domain.
    #[must_use]
    pub fn completes_ms_chap(&self) -> bool {
        self.vendor == Some(MICROSOFT) && matches!(self.kind, 7 | 8 | 10 | 12 | 16 | 17 | 26)
    }

    /// Writes it into our own answer: `secret` and `request` are the NAS's, `salt` is fresh for each attribute.
    ///
    /// # Errors
    /// [`Full`]: it does not fit any more. Nothing was added then.
    pub fn write(
        &self,
        builder: &mut Builder,
        secret: &SharedSecret,
        request: &Authenticator,
        salt: [u8; 2],
    ) -> Result<(), Full> {
        let hidden;
        let value = match &self.value {
            Value::Plain(value) => value,
            Value::Salted { tag, clear } => {
                let blocks = authenticator::hide_salted(clear, secret, request, salt).ok_or(Full)?;
                hidden = tag.iter().copied().chain(blocks).collect::<Vec<u8>>();
                &hidden
            }
            Value::Keys(clear) => {
                hidden = authenticator::hide_password(clear, secret, request).ok_or(Full)?;
                &hidden
            }
        };
        match self.vendor {
            None => builder.add(self.kind, value),
            Some(vendor) => builder.add_vendor(vendor, self.kind, value),
        }
    }

    /// What of an answer may be passed on, in order. `secret` and `request` are those of the hop to upstream.
    pub(super) fn of(answer: &Packet<'_>, secret: &SharedSecret, request: &Authenticator) -> Vec<Self> {
        let hop = Hop { secret, request };
        let mut passed = Vec::new();
        for attribute in answer.attributes() {
            match attribute.kind {
                attribute::VENDOR_SPECIFIC => hop.vendor(attribute.value, &mut passed),
                attribute::TUNNEL_PASSWORD => passed.extend(hop.tunnel_password(attribute.value)),
                // Of this hop only.
                attribute::STATE
                | attribute::PROXY_STATE
                | attribute::EAP_MESSAGE
                | attribute::MESSAGE_AUTHENTICATOR => {}
                kind => passed.push(Self::plain(None, kind, attribute.value)),
            }
        }
        passed
    }
}

/// What hides attributes between upstream and us.
struct Hop<'a> {
    secret: &'a SharedSecret,
    request: &'a Authenticator,
}

impl Hop<'_> {
    fn vendor(&self, value: &[u8], passed: &mut Vec<PassedOn>) {
        let Some((vendor, inner)) = value.split_first_chunk::<4>() else { return };
        let vendor = u32::from_be_bytes(*vendor);
        let Some(attributes) = Attributes::whole(inner) else { return };
        passed.extend(attributes.filter_map(|a| self.vendor_value(vendor, a)));
    }

    /// None where it is hidden and cannot be revealed: as it is it would be noise to the NAS.
    fn vendor_value(&self, vendor: u32, attribute: Attribute<'_>) -> Option<PassedOn> {
        let Attribute { kind, value } = attribute;
        let value = match (vendor, kind) {
            (MICROSOFT, MS_MPPE_SEND_KEY | MS_MPPE_RECV_KEY) => {
                Value::Salted { tag: None, clear: self.salted(value)? }
            }
            (MICROSOFT, MS_CHAP_MPPE_KEYS) => Value::Keys(self.keys(value)?),
            _ => Value::Plain(value.to_vec()),
        };
        Some(PassedOn { vendor: Some(vendor), kind, value })
    }

    fn tunnel_password(&self, value: &[u8]) -> Option<PassedOn> {
        let (tag, salted) = value.split_first()?;
        let value = Value::Salted { tag: Some(*tag), clear: self.salted(salted)? };
        Some(PassedOn { vendor: None, kind: attribute::TUNNEL_PASSWORD, value })
    }

    fn salted(&self, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        authenticator::reveal_salted(value, self.secret, self.request)
    }

    fn keys(&self, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut clear = authenticator::reveal_password(value, self.secret, self.request)?;
        // What came off as filling belongs to the keys.
        clear.resize(value.len(), 0);
        Some(clear)
    }
}

impl fmt::Debug for PassedOn {
    /// Without the value, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vendor {
            None => write!(f, "PassedOn(Attr-{})", self.kind),
            Some(vendor) => write!(f, "PassedOn(Vendor-{vendor}-{})", self.kind),
        }
    }
}

#[cfg(test)]
mod tests;
