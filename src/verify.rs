//! The one door: nothing but [`verify`] can make a [`VerifiedSigner`], and no login is accepted without one.
//!
//! A signature is checked in this order, and the first rule that is broken is the [`Refusal`]:
//!
//! ```text
//! Evidence ─ AP_TransID ── is the one of the request ............... WrongTransaction
//!          ─ MSISDN ────── is the number that was asked ............ WrongMsisdn
//!          ─ signature ─┐
//!                       ▼
//!  base64 → BER → CMS SignedData, nothing after it ................. Malformed
//!                       ├─ one signer .............................. SignerCount
//!                       ├─ content is the text that was asked ...... WrongContent
//!                       ├─ digest is of SHA-2 ...................... WeakDigest
//!                       ├─ signed attributes name this content ..... WrongAttributes
//!                       ├─ one embedded certificate is the signer's  NoCertificate
//!                       ├─ its key and the algorithm are in the list UnsupportedKey
//!                       ├─ its key made the signature .............. BadSignature
//!                       ├─ it chains to a trust anchor ............. UntrustedChain
//!                       │    and all of the path is valid now ...... NotValidNow
//!                       ├─ its subject has one serialNumber ........ NoSerial
//!                       ▼
//!          ─ serial ────── is the one pinned for the user .......... SerialMismatch
//!                       ▼
//!                 VerifiedSigner
//! ```
//!
//! The order is for the reader of the log, not for safety: all of the rules hold for every [`VerifiedSigner`].
//! Nothing here switches one of them off, reads a clock or a file, or panics on what the service sends.
//!
//! Signed attributes may be absent (RFC 5652 allows it for plain content); the signature is over the text itself then.
//! The known trick of passing one form off for the other fails here, because signed attributes contain bytes
//! that are not UTF-8 (the 0x86 of contentType), and the content must be our UTF-8 text byte for byte.
//!
//! ```
//! use std::time::SystemTime;
//! use mobileid::verify::{Evidence, Expected, Refusal, TrustAnchors, verify};
//!
//! let number = "+41791234567".parse()?;
//! let expected = Expected { ap_trans_id: "T7", msisdn: &number, text: "ACME: log in? (Q4)", serial: None };
//! let of_another = Evidence { ap_trans_id: "T6", msisdn: "41791234567", signature: "MIAGCSqGSIb3DQEHAqCA" };
//!
//! let refused = verify(&of_another, &expected, &TrustAnchors::default(), SystemTime::UNIX_EPOCH).unwrap_err();
//! assert_eq!(refused.refusal, Refusal::WrongTransaction);
//! assert_eq!(refused.refusal.name(), "wrong-transaction"); // what the log says
//! # Ok::<(), mobileid::subscriber::InvalidMsisdn>(())
//! ```

mod anchors;
mod attributes;
mod certificate;
mod chain;
mod cms;
mod known;
mod signature;

use std::{borrow::Cow, fmt, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

pub use self::anchors::{Anchor, BadAnchor, TrustAnchors};
use crate::{
    asn1::{ber, der},
    subscriber::{Msisdn, SerialNumber},
    text,
};

/// Checks that the person of `expected` signed its text in its transaction, by a certificate that chains to
/// `anchors` at the time `at`.
///
/// # Errors
/// The first rule that is broken, with what was found.
pub fn verify(
    evidence: &Evidence<'_>,
    expected: &Expected<'_>,
    anchors: &TrustAnchors,
    at: SystemTime,
) -> Result<VerifiedSigner, Refused> {
    same_transaction(evidence.ap_trans_id, expected.ap_trans_id)?;
    same_number(evidence.msisdn, expected.msisdn)?;
    let cms = decode_base64(evidence.signature)?;
    let signer = check_signature(&cms, expected.text, anchors, at)?;
    same_person(&signer.serial, expected.serial)?;
    Ok(VerifiedSigner { signer })
}

/// Checks that an answer which is not yet the signature is to the request and for the number that were meant: each pair
/// is what was found and what is expected.
pub(crate) fn same_exchange(
    (ap_trans_id, expected_id): (&str, &str),
    (msisdn, expected_msisdn): (&str, &Msisdn),
) -> Result<(), Refused> {
    same_transaction(ap_trans_id, expected_id)?;
    same_number(msisdn, expected_msisdn)
}

/// Checks a signature alone, as it was stored: for the administrator's tool. It tells who signed `text`, not that
/// anybody logs in, so it yields no [`VerifiedSigner`].
///
/// # Errors
/// The first rule that is broken, with what was found.
pub fn check_signature(
    cms: &[u8],
    text: &str,
    anchors: &TrustAnchors,
    at: SystemTime,
) -> Result<Signer, Refused> {
    let der = ber::to_definite(cms).map_err(|why| Refusal::Malformed.because(why.to_string()))?;
    let message = cms::read(&der)?;
    same_content(message.content, text)?;
    let digest = signature::Digest::of(&message.signer.digest)?;
    let signed = match message.signer.attributes {
        Some(attributes) => {
            Cow::Owned(attributes::signed_bytes(attributes, digest.hash(message.content).as_ref())?)
        }
        None => Cow::Borrowed(message.content),
    };
    let (signer, others) = certificate::pick(&message)?;
    let key = signature::Key::of(signer.public_key()).map_err(|why| Refusal::UnsupportedKey.because(why))?;
    let der = CertificateDer::from(signer.der);
    let certificate = EndEntityCert::try_from(&der)
        .map_err(|error| Refusal::UntrustedChain.because(chain::sentence(&error)))?;
    signature::check(&certificate, key, digest, &message.signer, &signed)?;
    chain::check(&certificate, &signer, &others, anchors, at)?;
    Ok(Signer {
        serial: signer.serial()?,
        subject: signer.subject(),
        not_after: signer.not_after(),
        key: key.to_string(),
    })
}

/// Whose a certificate is, in one escaped line, and until when it is valid: for who warns before its end. It says
/// nothing about whether the certificate is to be trusted.
#[must_use]
pub fn expiry(der: &[u8]) -> Option<(String, SystemTime)> {
    let certificate = certificate::Certificate::read(der)?;
    Some((certificate.subject(), certificate.not_after()))
}

/// The bytes of a base64 text. Line breaks and ASCII whitespace are skipped, anything else is refused.
///
/// # Errors
/// [`Refusal::Malformed`], also for a text over 1 MiB.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, Refused> {
    if text.len() > ber::MAX_SIZE {
        return Err(Refusal::Malformed.because("the base64 of the signature is longer than 1 MiB"));
    }
    let dense: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).map_err(|error| {
        let why = text::escaped(&error.to_string(), QUOTED);
        Refusal::Malformed.because(format!("the signature is not base64: {why}"))
    })
}

/// The CMS message of a file, which holds it as it is or in base64. The two cannot be mistaken for each other: a
/// message starts with the byte 0x30, its base64 with the letter M.
///
/// # Errors
/// [`Refusal::Malformed`] where it is neither.
pub fn decode_file(file: &[u8]) -> Result<Cow<'_, [u8]>, Refused> {
    if file.first() == Some(&der::SEQUENCE) {
        return Ok(Cow::Borrowed(file));
    }
    match std::str::from_utf8(file) {
        Ok(text) => decode_base64(text).map(Cow::Owned),
        Err(_) => Err(Refusal::Malformed.because("neither a CMS message nor base64 of one")),
    }
}

/// How much of a foreign text a detail quotes.
const QUOTED: usize = 80;

fn same_transaction(found: &str, expected: &str) -> Result<(), Refused> {
    if found == expected {
        return Ok(());
    }
    let found = text::foreign(found, QUOTED);
    Err(Refusal::WrongTransaction
        .because(format!("the answer is to the transaction {found}, not to {expected}")))
}

fn same_number(found: &str, expected: &Msisdn) -> Result<(), Refused> {
    let detail = match found.parse::<Msisdn>() {
        Ok(found) if found == *expected => return Ok(()),
        Ok(found) => format!("the answer is for the number {found}, not for {expected}"),
        // Not quoted: it may be a number for all that.
        Err(_) => format!("the answer is not for {expected}, but for something that is no phone number"),
    };
    Err(Refusal::WrongMsisdn.because(detail))
}

fn same_content(found: &[u8], expected: &str) -> Result<(), Refused> {
    if found == expected.as_bytes() {
        return Ok(());
    }
    let found = text::foreign(&String::from_utf8_lossy(found), QUOTED);
    let expected = text::escaped(expected, QUOTED);
    Err(Refusal::WrongContent.because(format!("the signed text is \"{found}\", not \"{expected}\"")))
}

/// [`SerialNumber`]s are equal without regard to case.
fn same_person(found: &SerialNumber, pinned: Option<&SerialNumber>) -> Result<(), Refused> {
    match pinned {
        Some(pinned) if pinned != found => Err(another_serial(found, pinned)),
        _ => Ok(()),
    }
}

/// The refusal of a signer whose serial number is another one than the user's.
pub(crate) fn another_serial(found: &SerialNumber, pinned: &SerialNumber) -> Refused {
    let detail = format!("the signer has the serial number {found}, the user is pinned to {pinned}");
    Refusal::SerialMismatch.because(detail)
}

/// What came back from the service, unchecked.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// AP_TransID of the answer.
    pub ap_trans_id: &'a str,
    /// MSISDN of the answer, as written there (the live service drops the `+`).
    pub msisdn: &'a str,
    /// `Base64Signature` of the answer: a CMS SignedData in BER or DER, line breaks allowed.
    pub signature: &'a str,
}

/// What was asked, and who must have answered.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// AP_TransID of the request.
    pub ap_trans_id: &'a str,
    /// The number that was asked.
    pub msisdn: &'a Msisdn,
    /// The text that was to be shown and signed.
    pub text: &'a str,
    /// The serial number pinned for the user (guide 4.2).
    pub serial: Option<&'a SerialNumber>,
}

/// What the certificate of a checked signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Subject serialNumber.
    pub serial: SerialNumber,
    /// The whole subject, one line, e.g. `serialNumber=MIDCHE..., CN=MIDCHE...:PN`.
    pub subject: String,
    /// End of the certificate's validity.
    pub not_after: SystemTime,
    /// The key and its size, e.g. `EC P-256` or `RSA 2048`.
    pub key: String,
}

/// Proof that the expected person signed the expected text in the expected transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSigner {
    signer: Signer,
}

impl VerifiedSigner {
    /// The certificate's facts.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }
}

/// Why a signature is not taken: the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The answer belongs to another AP_TransID.
    WrongTransaction,
    /// The answer belongs to another number.
    WrongMsisdn,
    /// No base64, no CMS SignedData, or bytes after its end.
    Malformed,
    /// Not exactly one SignerInfo.
    SignerCount,
    /// The signed content is absent or not the text that was asked.
    WrongContent,
    /// Signed attributes doubled, or not those of this content.
    WrongAttributes,
    /// A digest other than SHA-256, SHA-384 or SHA-512.
    WeakDigest,
    /// A key or signature algorithm outside the list, or an RSA key under 2048 bits.
    UnsupportedKey,
    /// The signer's certificate is not in the message, or more than one fits.
    NoCertificate,
    /// The signature does not verify.
    BadSignature,
    /// No path to a configured trust anchor, or a broken rule on the way (CA, key usage, extended key usage).
    UntrustedChain,
    /// A certificate of the path is not valid at the time of the login.
    NotValidNow,
    /// The subject has no serialNumber, or more than one.
    NoSerial,
    /// The serialNumber is not the one pinned for the user.
    SerialMismatch,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::WrongTransaction,
        Self::WrongMsisdn,
        Self::Malformed,
        Self::SignerCount,
        Self::WrongContent,
        Self::WrongAttributes,
        Self::WeakDigest,
        Self::UnsupportedKey,
        Self::NoCertificate,
        Self::BadSignature,
        Self::UntrustedChain,
        Self::NotValidNow,
        Self::NoSerial,
        Self::SerialMismatch,
    ];

    /// The stable name in logs and JSON, e.g. `wrong-content`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongTransaction => "wrong-transaction",
            Self::WrongMsisdn => "wrong-msisdn",
            Self::Malformed => "malformed-signature",
            Self::SignerCount => "signer-count",
            Self::WrongContent => "wrong-content",
            Self::WrongAttributes => "wrong-attributes",
            Self::WeakDigest => "weak-digest",
            Self::UnsupportedKey => "unsupported-key",
            Self::NoCertificate => "no-signer-certificate",
            Self::BadSignature => "bad-signature",
            Self::UntrustedChain => "untrusted-chain",
            Self::NotValidNow => "certificate-not-valid-now",
            Self::NoSerial => "no-serial",
            Self::SerialMismatch => "serial-mismatch",
        }
    }
}

impl Refusal {
    fn because(self, detail: impl Into<String>) -> Refused {
        Refused { refusal: self, detail: detail.into() }
    }
}

/// A refusal with what was found, for the administrator. The detail may quote the message: it is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which rule.
    pub refusal: Refusal,
    /// What was found, in a sentence without a full stop.
    pub detail: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.refusal.name(), self.detail)
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
pub(crate) mod tests;
