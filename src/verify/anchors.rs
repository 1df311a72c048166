//! The roots that an administrator trusts. A file is taken whole or refused: a root that could never be part of a
//! path is a mistake, and it is told when the file is read, not at the first login.

use std::{fmt, time::SystemTime};

use rustls_pki_types::{CertificateDer, TrustAnchor, pem::PemObject as _};

use super::{certificate::Certificate, known::Known, signature::Key};

/// Roots that a signer's certificate may chain to. Without any, nothing verifies.
#[derive(Debug, Clone, Default)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
    /// Not part of what the set is: it only spares work.
    pub(super) known: Known,
}

/// One root.
#[derive(Clone)]
pub struct Anchor {
    der: CertificateDer<'static>,
    trust: TrustAnchor<'static>,
    subject: String,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl TrustAnchors {
    /// All certificates of a PEM file; text between them is skipped.
    ///
    /// # Errors
    /// When there is no certificate, or one that cannot be a trust anchor.
    pub fn from_pem(pem: &str) -> Result<Self, BadAnchor> {
        let mut anchors = Self::default();
        for der in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let der = der.map_err(|error| BadAnchor::Pem(error.to_string()))?;
            anchors.add(Anchor::read(der)?);
        }
        if anchors.is_empty() { Err(BadAnchor::None) } else { Ok(anchors) }
    }

    /// One certificate in DER.
    ///
    /// # Errors
    /// When it cannot be a trust anchor.
    pub fn from_der(der: Vec<u8>) -> Result<Self, BadAnchor> {
        Ok(Self { anchors: vec![Anchor::read(CertificateDer::from(der))?], ..Self::default() })
    }

    /// Trusts the others too.
    pub fn extend(&mut self, others: Self) {
        for anchor in others.anchors {
            self.add(anchor);
        }
    }

    fn add(&mut self, anchor: Anchor) {
        if self.anchors.iter().all(|known| known.der != anchor.der) {
            self.anchors.push(anchor);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// How many there are; a certificate given twice counts once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Each of them, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Anchor> {
        self.anchors.iter()
    }

    /// What webpki needs of those that `take` picks.
    pub(super) fn trusted(&self, take: impl Fn(&Anchor) -> bool) -> Vec<TrustAnchor<'static>> {
        self.anchors.iter().filter(|anchor| take(anchor)).map(|anchor| anchor.trust.clone()).collect()
    }
}

impl Anchor {
    pub(super) fn read(der: CertificateDer<'static>) -> Result<Self, BadAnchor> {
        let certificate = Certificate::read(&der).ok_or(BadAnchor::Unreadable)?;
        let subject = certificate.subject();
        if !certificate.is_ca() {
            return Err(BadAnchor::NoCa { subject });
        }
        if !certificate.key_usage(|usage| usage.key_cert_sign()) {
            return Err(BadAnchor::MayNotSign { subject });
        }
        if let Err(why) = Key::of(certificate.public_key()) {
            return Err(BadAnchor::Key { subject, why });
        }
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        let trust = webpki::anchor_from_trusted_cert(&der).map_err(|_| BadAnchor::Unreadable)?.to_owned();
        Ok(Self { der, trust, subject, not_before, not_after })
    }

    /// What webpki needs of it.
    pub(super) fn trust(&self) -> &TrustAnchor<'static> {
        &self.trust
    }

    pub(super) fn constrains_names(&self) -> bool {
        self.trust.name_constraints.is_some()
    }

    /// The subject in one line, escaped.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Start of the validity.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// End of the validity. After it the anchor is not used.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether the anchor is used at this time.
    #[must_use]
    pub fn is_valid_at(&self, at: SystemTime) -> bool {
        // Certificates count whole seconds: the last one is valid until its end, as webpki has it.
        let whole =
            |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).ok();
        match (whole(self.not_before), whole(at), whole(self.not_after)) {
            (Some(from), Some(at), Some(to)) => from <= at && at <= to,
            _ => false,
        }
    }

    /// SHA-256 of the certificate, to compare with the one that Swisscom publishes.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.der);
        digest.as_ref().try_into().unwrap_or_default()
    }

    /// The certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anchor").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a certificate is no trust anchor. Subjects are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text says each")]
pub enum BadAnchor {
    None,
    Pem(String),
    Unreadable,
    NoCa { subject: String },
    MayNotSign { subject: String },
    Key { subject: String, why: String },
}

impl fmt::Display for BadAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no certificate in PEM, from -----BEGIN CERTIFICATE----- on"),
            Self::Pem(why) => write!(f, "the PEM is broken: {why}"),
            Self::Unreadable => f.write_str("a certificate is not readable as X.509 version 3"),
            Self::NoCa { subject } => {
                write!(
                    f,
                    "the certificate of {subject} is not that of a certification authority (no CA:TRUE)"
                )
            }
            Self::MayNotSign { subject } => {
                write!(
                    f,
                    "the certificate of {subject} may not sign certificates (keyUsage without keyCertSign)"
                )
            }
            Self::Key { subject, why } => write!(f, "the certificate of {subject} cannot be used: {why}"),
        }
    }
}

impl std::error::Error for BadAnchor {}
