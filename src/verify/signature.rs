//! Digests, keys and signatures: which ones are taken, and which of the library's algorithms checks them.
//!
//! | key              | signatureAlgorithm                            | digests           |
//! |------------------|-----------------------------------------------|-------------------|
//! | RSA 2048 to 8192 | rsaEncryption, shaNNNWithRSAEncryption        | SHA-256, 384, 512 |
//! | RSA 2048 to 8192 | RSASSA-PSS: same hash in MGF1, salt as long   | SHA-256, 384, 512 |
//! | EC P-256, P-384  | ecdsa-with-SHANNN                             | SHA-256, 384      |
//!
//! ECDSA with SHA-512 is left out because ring has it for neither curve. The live service sends NULL parameters with
//! ECDSA, where RFC 5758 wants none; both are taken, as they say the same.

use std::fmt;

use rustls_pki_types::{SignatureVerificationAlgorithm, alg_id};
use webpki::{EndEntityCert, ring as algorithms};

use super::{
    Refusal, Refused,
    cms::{AlgorithmId, SignerInfo},
    der,
};

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]; // 2.16.840.1.101.3.4.2.1
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]; // 1.2.840.113549.1.1.1
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];

const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]; // 1.2.840.10045.4.3.2
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The algorithms that a certificate of the path may be signed with: those above, spelled as certificates spell
/// them. Nothing with SHA-1.
pub(super) static CERTIFICATE_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Checks the signer's signature over `signed` with the key of the certificate.
pub(super) fn check(
    certificate: &EndEntityCert<'_>,
    key: Key,
    digest: Digest,
    signer: &SignerInfo<'_>,
    signed: &[u8],
) -> Result<(), Refused> {
    let scheme = Scheme::of(&signer.algorithm, digest)?;
    let Some(algorithm) = algorithm(key, scheme, digest) else {
        let detail = format!("a signature by {scheme} with {digest} and a key {key} is not supported");
        return Err(Refusal::UnsupportedKey.because(detail));
    };
    certificate.verify_signature(algorithm, signed, signer.signature).map_err(|_| {
        Refusal::BadSignature.because("the signature is not by the key of the signer's certificate")
    })
}

/// The one list of what is taken; `None` is refused.
fn algorithm(
    key: Key,
    scheme: Scheme,
    digest: Digest,
) -> Option<&'static dyn SignatureVerificationAlgorithm> {
    use Digest::{Sha256, Sha384, Sha512};
    Some(match (key, scheme, digest) {
        (Key::Rsa { .. }, Scheme::Pkcs1, Sha256) => algorithms::RSA_PKCS1_2048_8192_SHA256,
        (Key::Rsa { .. }, Scheme::Pkcs1, Sha384) => algorithms::RSA_PKCS1_2048_8192_SHA384,
        (Key::Rsa { .. }, Scheme::Pkcs1, Sha512) => algorithms::RSA_PKCS1_2048_8192_SHA512,
        (Key::Rsa { .. }, Scheme::Pss, Sha256) => algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        (Key::Rsa { .. }, Scheme::Pss, Sha384) => algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        (Key::Rsa { .. }, Scheme::Pss, Sha512) => algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        (Key::P256, Scheme::Ecdsa, Sha256) => algorithms::ECDSA_P256_SHA256,
        (Key::P256, Scheme::Ecdsa, Sha384) => algorithms::ECDSA_P256_SHA384,
        (Key::P384, Scheme::Ecdsa, Sha256) => algorithms::ECDSA_P384_SHA256,
        (Key::P384, Scheme::Ecdsa, Sha384) => algorithms::ECDSA_P384_SHA384,
        _ => return None,
    })
}

/// A digest that is strong enough to stand for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    pub(super) fn of(id: &AlgorithmId<'_>) -> Result<Self, Refused> {
        Self::from_oid(id).ok_or_else(|| {
            let parameters = if id.is_plain() { "" } else { " with parameters" };
            let found = format!("{}{parameters}", dotted(id.oid));
            Refusal::WeakDigest
                .because(format!("the digest is {found}, none of SHA-256, SHA-384 and SHA-512"))
        })
    }

    fn from_oid(id: &AlgorithmId<'_>) -> Option<Self> {
        match id.oid {
            SHA256 if id.is_plain() => Some(Self::Sha256),
            SHA384 if id.is_plain() => Some(Self::Sha384),
            SHA512 if id.is_plain() => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(super) fn hash(self, content: &[u8]) -> ring::digest::Digest {
        ring::digest::digest(self.algorithm(), content)
    }

    fn algorithm(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha384 => &ring::digest::SHA384,
            Self::Sha512 => &ring::digest::SHA512,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// How the key makes a signature from a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Pkcs1,
    Pss,
    Ecdsa,
}

impl Scheme {
    /// Reads signatureAlgorithm. Where it names a digest, that must be the one of digestAlgorithm: a message that
    /// names two is refused, so that no reader can take it for another.
    fn of(id: &AlgorithmId<'_>, digest: Digest) -> Result<Self, Refused> {
        let (scheme, named) = match id.oid {
            RSA_ENCRYPTION if id.is_plain() => (Self::Pkcs1, digest),
            RSA_SHA256 if id.is_plain() => (Self::Pkcs1, Digest::Sha256),
            RSA_SHA384 if id.is_plain() => (Self::Pkcs1, Digest::Sha384),
            RSA_SHA512 if id.is_plain() => (Self::Pkcs1, Digest::Sha512),
            ECDSA_SHA256 if id.is_plain() => (Self::Ecdsa, Digest::Sha256),
            ECDSA_SHA384 if id.is_plain() => (Self::Ecdsa, Digest::Sha384),
            ECDSA_SHA512 if id.is_plain() => (Self::Ecdsa, Digest::Sha512),
            RSASSA_PSS if pss_fits(id, digest) => (Self::Pss, digest),
            RSASSA_PSS => {
                let detail = format!("the RSASSA-PSS parameters are not those of {digest}");
                return Err(Refusal::UnsupportedKey.because(detail));
            }
            other => {
                let detail = format!("the signature algorithm {} is not supported", dotted(other));
                return Err(Refusal::UnsupportedKey.because(detail));
            }
        };
        if named == digest {
            Ok(scheme)
        } else {
            let detail = format!("the signature is over {named}, the digest is {digest}");
            Err(Refusal::UnsupportedKey.because(detail))
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs1 => "RSA PKCS#1 v1.5",
            Self::Pss => "RSASSA-PSS",
            Self::Ecdsa => "ECDSA",
        })
    }
}

/// Whether RSASSA-PSS parameters say: this digest, MGF1 with it too, a salt as long, the usual trailer. All the
/// defaults of RFC 4055 are SHA-1's, so all three must be there.
fn pss_fits(id: &AlgorithmId<'_>, digest: Digest) -> bool {
    let is_digest = |id: &AlgorithmId<'_>| Digest::from_oid(id) == Some(digest);
    let salt = u8::try_from(digest.algorithm().output_len()).ok();
    let Some(parameters) = id.parameters.filter(|parameters| parameters.tag == der::SEQUENCE) else {
        return false;
    };
    let fits = der::read_all::<_, der::BadDer>(parameters.content, |pss| {
        let hash = pss.nested(der::context(0), AlgorithmId::read)?;
        let mask = pss.nested(der::context(1), |mask| {
            mask.nested(der::SEQUENCE, |mask| {
                Ok::<_, der::BadDer>((mask.expect(der::OID)?, AlgorithmId::read(mask)?))
            })
        })?;
        let length = pss.nested(der::context(2), der::Reader::small)?;
        let trailer = match pss.optional(der::context(3))? {
            Some(trailer) => der::read_all(trailer, der::Reader::small)?,
            None => 1,
        };
        Ok(is_digest(&hash) && mask.0 == MGF1 && is_digest(&mask.1) && Some(length) == salt && trailer == 1)
    });
    fits == Ok(true)
}

/// A public key that is strong enough to stand for a person or a certification authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Rsa { bits: usize },
    P256,
    P384,
}

impl Key {
    /// Reads a SubjectPublicKeyInfo. The error is a sentence for either use.
    pub(super) fn of(spki: &[u8]) -> Result<Self, String> {
        let (id, key) = der::read_all::<_, der::BadDer>(spki, |spki| {
            spki.nested(der::SEQUENCE, |spki| Ok::<_, der::BadDer>((spki.element()?, spki.bits()?)))
        })
        .map_err(|_| "the public key is not readable".to_owned())?;
        if id.tag != der::SEQUENCE {
            return Err("the public key is not readable".to_owned());
        }
        if id.content == alg_id::ECDSA_P256.as_ref() {
            Ok(Self::P256)
        } else if id.content == alg_id::ECDSA_P384.as_ref() {
            Ok(Self::P384)
        } else if id.content == alg_id::RSA_ENCRYPTION.as_ref() {
            Self::rsa(key)
        } else {
            Err("the public key is neither RSA nor EC P-256 or P-384".to_owned())
        }
    }

    fn rsa(key: &[u8]) -> Result<Self, String> {
        let modulus = der::read_all::<_, der::BadDer>(key, |key| {
            key.nested(der::SEQUENCE, |key| {
                let modulus = key.expect(der::INTEGER)?;
                key.expect(der::INTEGER)?;
                Ok::<_, der::BadDer>(modulus)
            })
        })
        .map_err(|_| "the RSA key is not readable".to_owned())?;
        let bits = bit_length(modulus);
        if RSA_BITS.contains(&bits) {
            Ok(Self::Rsa { bits })
        } else {
            let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
            Err(format!("the RSA key has {bits} bits, not {least} to {most}"))
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("EC P-256"),
            Self::P384 => f.write_str("EC P-384"),
        }
    }
}

fn bit_length(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let significant = number.get(zeros..).unwrap_or_default();
    let spare = significant.first().map_or(0, |byte| byte.leading_zeros());
    significant.len().saturating_mul(8).saturating_sub(usize::try_from(spare).unwrap_or_default())
}

/// An object identifier for a human. Arcs beyond 64 bits and encodings that end early are shown as bytes.
fn dotted(oid: &[u8]) -> String {
    let oid = oid.get(..oid.len().min(32)).unwrap_or_default();
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: Option<u64> = Some(0);
    let mut open = true;
    for byte in oid {
        arc = arc.and_then(|arc| arc.checked_mul(128)).map(|arc| arc | u64::from(byte & 0x7f));
        open = byte & 0x80 != 0;
        if let (false, Some(value)) = (open, arc) {
            if arcs.is_empty() {
                let root = (value / 40).min(2);
                arcs.extend([root, value.saturating_sub(root.saturating_mul(40))]);
            } else {
                arcs.push(value);
            }
            arc = Some(0);
        }
    }
    match arc {
        Some(_) if !open => arcs.iter().map(u64::to_string).collect::<Vec<_>>().join("."),
        _ => format!("{oid:02x?}"),
    }
}

/// For the table of PSS parameters: [`pss_fits`] of a whole AlgorithmIdentifier.
#[cfg(test)]
pub(super) fn fits_pss_of_sha256(id: &[u8]) -> bool {
    der::read_all(id, AlgorithmId::read).is_ok_and(|id| pss_fits(&id, Digest::Sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_are_shown_as_people_write_them() {
        assert_eq!(dotted(SHA256), "2.16.840.1.101.3.4.2.1");
        assert_eq!(dotted(RSASSA_PSS), "1.2.840.113549.1.1.10");
        assert_eq!(dotted(&[0x2b, 0x0e, 0x03, 0x02, 0x1a]), "1.3.14.3.2.26");
        assert_eq!(dotted(&[0x2a, 0x86]), "[2a, 86]");
        assert_eq!(dotted(&[]), "[]");
        assert!(dotted(&[0xff; 99]).starts_with("[ff, "));
    }

    #[test]
    fn bits_are_counted_from_the_first_that_is_set() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[0, 0x80, 0]), 16);
        assert_eq!(bit_length(&[0x01, 0xff]), 9);
    }
}
