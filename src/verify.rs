//! The one door: nothing but [`verify`] can make a [`VerifiedSigner`], and no login is accepted without one.

use std::{fmt, time::SystemTime};

use crate::subscriber::{Msisdn, SerialNumber};

/// What came back from the service, unchecked.
#[derive(Debug, Clone, Copy)]
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

/// Roots that a signer's certificate may chain to.
#[derive(Debug, Clone, Default)]
pub struct TrustAnchors;

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
    /// Signed attributes absent where needed, doubled, or not those of this content.
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
