//! One certificate of the message, read by x509-parser: whose it is, and what its key may be used for.

use std::time::{Duration, SystemTime};

use x509_parser::{
    certificate::{X509Certificate, X509CertificateParser},
    error::X509Error,
    extensions::{BasicConstraints, KeyIdentifier, KeyUsage},
    nom::Parser as _,
    oid_registry::{
        OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_KEY_USAGE, OID_X509_EXT_SUBJECT_KEY_IDENTIFIER, Oid,
    },
    prelude::FromDer,
    x509::{AttributeTypeAndValue, X509Name},
};

use super::{
    Refusal, Refused,
    cms::{SignedData, SignerId},
};
use crate::{subscriber::SerialNumber, text};

/// webpki reads no larger certificate.
const MAX_SIZE: usize = 0xffff;

const SUBJECT_SERIAL: &[u8] = &[0x55, 0x04, 0x05]; // 2.5.4.5

#[derive(Debug)]
pub(super) struct Certificate<'a> {
    pub(super) der: &'a [u8],
    x509: X509Certificate<'a>,
}

/// The signer's certificate, which exactly one in the message must be, and the others.
pub(super) fn pick<'a>(message: &SignedData<'a>) -> Result<(Certificate<'a>, Vec<Certificate<'a>>), Refused> {
    let mut signers = Vec::new();
    let mut others = Vec::new();
    for der in &message.certificates {
        let Some(certificate) = Certificate::read(der) else {
            return Err(Refusal::Malformed.because("a certificate of the message is not readable"));
        };
        let side = if certificate.is(&message.signer.id) { &mut signers } else { &mut others };
        side.push(certificate);
    }
    match (signers.pop(), signers.is_empty()) {
        (Some(signer), true) => Ok((signer, others)),
        (Some(_), false) => {
            Err(Refusal::NoCertificate.because("more than one certificate of the message fits the signer"))
        }
        (None, _) => {
            let count = others.len();
            let detail = format!("none of the {count} certificates of the message is the signer's");
            Err(Refusal::NoCertificate.because(detail))
        }
    }
}

impl<'a> Certificate<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_SIZE {
            return None;
        }
        // Extensions are read when asked for. x509-parser reads them all by a table that it makes on the heap once
        // and never frees: a host that loads and unloads the PAM module again and again would grow by it.
        match X509CertificateParser::new().with_deep_parse_extensions(false).parse(der) {
            Ok(([], x509)) => Some(Self { der, x509 }),
            _ => None,
        }
    }

    fn is(&self, id: &SignerId<'_>) -> bool {
        match *id {
            SignerId::IssuerAndSerial(issuer, serial) => {
                self.x509.issuer().as_raw() == issuer && self.x509.tbs_certificate.raw_serial() == serial
            }
            SignerId::KeyId(id) => self.key_id() == Some(id),
        }
    }

    fn key_id(&self) -> Option<&[u8]> {
        let id = self.extension::<KeyIdentifier<'_>>(&OID_X509_EXT_SUBJECT_KEY_IDENTIFIER).ok()??;
        Some(id.0)
    }

    /// The extension of this name; an error if there are two of it, or it is not readable to its end.
    fn extension<'s, T: FromDer<'s, X509Error>>(&'s self, oid: &Oid<'_>) -> Result<Option<T>, ()> {
        let Some(extension) = self.x509.get_extension_unique(oid).map_err(drop)? else { return Ok(None) };
        match T::from_der(extension.value) {
            Ok(([], value)) => Ok(Some(value)),
            _ => Err(()),
        }
    }

    /// Whether this one names `issuer` as its own.
    pub(super) fn names(&self, issuer: &Certificate<'_>) -> bool {
        self.x509.issuer().as_raw() == issuer.x509.subject().as_raw()
    }

    /// The SubjectPublicKeyInfo, whole.
    pub(super) fn public_key(&self) -> &'a [u8] {
        self.x509.tbs_certificate.subject_pki.raw
    }

    /// Whether the basic constraints say that this is a certification authority.
    pub(super) fn is_ca(&self) -> bool {
        let constraints = self.extension::<BasicConstraints>(&OID_X509_EXT_BASIC_CONSTRAINTS);
        constraints.is_ok_and(|constraints| constraints.is_some_and(|constraints| constraints.ca))
    }

    /// Whether keyUsage allows what `allows` asks for. An absent one allows everything (RFC 5280, 4.2.1.3), an
    /// unreadable or doubled one nothing.
    pub(super) fn key_usage(&self, allows: impl FnOnce(&KeyUsage) -> bool) -> bool {
        match self.extension::<KeyUsage>(&OID_X509_EXT_KEY_USAGE) {
            Ok(None) => true,
            Ok(Some(usage)) => allows(&usage),
            Err(()) => false,
        }
    }

    pub(super) fn not_before(&self) -> SystemTime {
        at(self.x509.validity().not_before.timestamp())
    }

    pub(super) fn not_after(&self) -> SystemTime {
        at(self.x509.validity().not_after.timestamp())
    }

    /// The serialNumber of the subject: exactly one (guide 4.2).
    pub(super) fn serial(&self) -> Result<SerialNumber, Refused> {
        let mut found =
            attributes(self.x509.subject()).filter(|a| a.attr_type().as_bytes() == SUBJECT_SERIAL);
        let (Some(serial), None) = (found.next(), found.next()) else {
            let detail = format!("not exactly one serialNumber in the subject {}", self.subject());
            return Err(Refusal::NoSerial.because(detail));
        };
        serial.as_str().ok().and_then(|serial| serial.parse().ok()).ok_or_else(|| {
            let detail = format!("the serialNumber is none of Mobile ID in the subject {}", self.subject());
            Refusal::NoSerial.because(detail)
        })
    }

    /// The subject in one line, in the order of the certificate.
    pub(super) fn subject(&self) -> String {
        let shown: Vec<String> = attributes(self.x509.subject()).take(MAX_SHOWN).map(show).collect();
        shown.join(", ")
    }
}

/// Bounds of a subject as it is shown; what is longer is no name.
const MAX_SHOWN: usize = 8;
const MAX_SHOWN_CHARS: usize = 64;

fn attributes<'n, 'a>(name: &'n X509Name<'a>) -> impl Iterator<Item = &'n AttributeTypeAndValue<'a>> {
    name.iter().flat_map(|rdn| rdn.iter())
}

/// `CN=value`, with a backslash before a comma, so that no value can pass for two attributes.
fn show(attribute: &AttributeTypeAndValue<'_>) -> String {
    let name = match attribute.attr_type().as_bytes() {
        [0x55, 0x04, 0x03] => "CN",
        [0x55, 0x04, 0x04] => "SN",
        SUBJECT_SERIAL => "serialNumber",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x55, 0x04, 0x2a] => "GN",
        [0x55, 0x04, 0x41] => "pseudonym",
        [0x55, 0x04, 0x61] => "organizationIdentifier",
        _ => &attribute.attr_type().to_id_string(),
    };
    let value = String::from_utf8_lossy(attribute.as_slice());
    let value = text::escaped(&value, MAX_SHOWN_CHARS).replace(',', "\\,");
    format!("{name}={value}")
}

/// A certificate's time. One that does not fit the system's clock is at 1970: for both ends of a validity that is
/// the safe side, and webpki judges the validity from the bytes anyway.
fn at(timestamp: i64) -> SystemTime {
    let since = u64::try_from(timestamp).map(Duration::from_secs).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}
