//! From the signer's certificate to a configured root. webpki builds the path and checks signatures, validity, CA flag,
//! path length, name constraints, critical extensions and extended key usage on the way; it leaves key usage and the
//! validity of the root to us. Of the root itself only key, name and name constraints count: its own path length and
//! extended key usage do not (RFC 5280, 6.1.1 takes an anchor as a name and a key). Revocation is not asked for: Mobile
//! ID certificates are never revoked (guide 4.1.2). What was verified of an intermediate is remembered ([`known`]).

use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

#[cfg(doc)]
use super::known;
use super::{Refusal, Refused, TrustAnchors, certificate::Certificate, signature::CERTIFICATE_ALGORITHMS};
use crate::text;

/// Checks that `signer` chains to an anchor at this time, through `others` as far as needed, and may log in.
pub(super) fn check(
    certificate: &EndEntityCert<'_>,
    signer: &Certificate<'_>,
    others: &[Certificate<'_>],
    anchors: &TrustAnchors,
    at: SystemTime,
) -> Result<(), Refused> {
    if anchors.is_empty() {
        return Err(Refusal::UntrustedChain.because("no trust anchor is configured"));
    }
    // A login is an authentication, which is digitalSignature's work. nonRepudiation alone marks a certificate for
    // declarations of intent, such as qualified signatures: whoever may make those did not agree to log in.
    if !signer.key_usage(|usage| usage.digital_signature()) {
        let detail = "the key usage of the signer's certificate lacks digitalSignature";
        return Err(Refusal::UntrustedChain.because(detail));
    }
    let issuers = Issuers::of(signer, others);
    if issuers.known(certificate, anchors, at) {
        return Ok(());
    }
    let valid = anchors.trusted(|anchor| anchor.is_valid_at(at));
    match path(certificate, &valid, &issuers.certificates, at) {
        Ok(through) => {
            issuers.remember(&through, anchors, at);
            Ok(())
        }
        Err(error) => Err(issuers.explain(certificate, signer, anchors, error)),
    }
}

/// The one call that decides: what the path goes through, the anchor last. At most 7 issuers and webpki's budget of
/// 100 signatures bound its work.
fn path(
    signer: &EndEntityCert<'_>,
    anchors: &[TrustAnchor<'static>],
    issuers: &[CertificateDer<'_>],
    at: SystemTime,
) -> Result<Through, NoPath> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| NoPath::Clock)?;
    let at = UnixTime::since_unix_epoch(since);
    let usage = KeyUsage::client_auth();
    let path = signer
        .verify_for_usage(CERTIFICATE_ALGORITHMS, anchors, issuers, at, usage, None, None)
        .map_err(NoPath::Webpki)?;
    let intermediates = path.intermediate_certificates().map(|cert| cert.der().to_vec()).collect();
    let anchor = anchors.iter().find(|anchor| *anchor == path.anchor()).cloned();
    Ok(Through { intermediates, anchor })
}

/// What a path goes through.
struct Through {
    intermediates: Vec<Vec<u8>>,
    anchor: Option<TrustAnchor<'static>>,
}

/// The certificates of the message that may have issued another.
struct Issuers<'a> {
    certificates: Vec<CertificateDer<'a>>,
    /// The one of them that the signer's certificate names as its issuer, if there is but one.
    only: Option<&'a [u8]>,
    /// How many were left out because their key usage says that they sign no certificates.
    not_signing: usize,
}

impl<'a> Issuers<'a> {
    fn of(signer: &Certificate<'_>, others: &[Certificate<'a>]) -> Self {
        let (signing, not_signing): (Vec<_>, Vec<_>) =
            others.iter().partition(|certificate| certificate.key_usage(|usage| usage.key_cert_sign()));
        let mut named = signing.iter().filter(|certificate| signer.names(certificate));
        let only = named.next().filter(|_| named.next().is_none()).map(|certificate| certificate.der);
        Self {
            only,
            certificates: signing.iter().map(|certificate| CertificateDer::from(certificate.der)).collect(),
            not_signing: not_signing.len(),
        }
    }

    /// Whether the signer's certificate was issued by an intermediate that is known to lead to an anchor: see [`known`].
    fn known(&self, signer: &EndEntityCert<'_>, anchors: &TrustAnchors, at: SystemTime) -> bool {
        let known = self.only.and_then(|der| anchors.known.find(der, at));
        known.is_some_and(|issuer| path(signer, std::slice::from_ref(issuer.trust()), &[], at).is_ok())
    }

    fn remember(&self, through: &Through, anchors: &TrustAnchors, at: SystemTime) {
        let [intermediate] = through.intermediates.as_slice() else { return };
        let anchor = anchors.iter().find(|a| Some(a.trust()) == through.anchor.as_ref() && a.is_valid_at(at));
        if let (Some(anchor), true) = (anchor, self.only == Some(intermediate)) {
            anchors.known.remember(intermediate, anchor);
        }
    }

    /// Tells time from trust. webpki names the first fault that it meets, so it is asked again about the day when the
    /// certificate was issued, with all anchors: a path that was good on that day has no fault but time.
    fn explain(
        &self,
        certificate: &EndEntityCert<'_>,
        signer: &Certificate<'_>,
        anchors: &TrustAnchors,
        now: NoPath,
    ) -> Refused {
        let when_issued =
            path(certificate, &anchors.trusted(|_| true), &self.certificates, signer.not_before());
        match when_issued {
            Ok(_) if now.is_about_time() => Refusal::NotValidNow.because(now.sentence()),
            Ok(_) => {
                Refusal::NotValidNow.because("the trust anchor of the signer's certificate is not valid now")
            }
            Err(then) if then.is_about_time() && now.is_about_time() => {
                Refusal::NotValidNow.because(now.sentence())
            }
            // Time is not the fault that counts: name the one that remains without it.
            Err(then) => {
                let fault = if then.is_about_time() { now.sentence() } else { then.sentence() };
                let left_out = match self.not_signing {
                    0 => String::new(),
                    count => {
                        format!("; {count} certificates were left out: their key usage lacks keyCertSign")
                    }
                };
                Refusal::UntrustedChain.because(format!("{fault}{left_out}"))
            }
        }
    }
}

/// Why there is no path.
#[derive(Debug)]
enum NoPath {
    /// The time is before 1970.
    Clock,
    Webpki(Error),
}

impl NoPath {
    fn is_about_time(&self) -> bool {
        matches!(self, Self::Clock | Self::Webpki(Error::CertExpired { .. } | Error::CertNotValidYet { .. }))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Clock => "the clock is before 1970".to_owned(),
            Self::Webpki(error) => sentence(error),
        }
    }
}

/// webpki's errors in the administrator's words.
pub(super) fn sentence(error: &Error) -> String {
    let sentence = match error {
        Error::CertExpired { .. } => "a certificate of the path has expired",
        Error::CertNotValidYet { .. } => "a certificate of the path is not valid yet",
        Error::UnknownIssuer => "the signer's certificate chains to none of the configured trust anchors",
        Error::InvalidSignatureForPublicKey => "a certificate of the path is not signed by its issuer",
        Error::CaUsedAsEndEntity => "the signer's certificate is that of a certification authority",
        Error::EndEntityUsedAsCa => "an issuer of the path is no certification authority",
        Error::PathLenConstraintViolated => "the path is longer than one of its issuers allows",
        Error::NameConstraintViolation => "a name in the path is outside what an issuer may certify",
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            "the extended key usage of a certificate of the path lacks clientAuth"
        }
        Error::UnsupportedCriticalExtension => "a certificate has a critical extension that is not known",
        Error::UnsupportedCertVersion => "a certificate is not X.509 version 3",
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a certificate of the path is signed with an algorithm that is not supported"
        }
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathDepthExceeded => "the certificates of the message make too many paths",
        other => {
            return format!("a certificate cannot be used ({})", text::escaped(&format!("{other:?}"), 120));
        }
    };
    sentence.to_owned()
}
