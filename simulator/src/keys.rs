//! Key pairs: made by aws-lc, kept as PKCS#8, used for exactly the signatures the service makes.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use serde::Deserialize;

use crate::der;

/// What a subscriber's key is: the live service has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// ECDSA on P-256, which every activation since 2022 gets.
    Ec,
    /// RSA with 2048 bits, signing with PKCS#1 v1.5.
    Rsa,
}

/// A private key in use.
pub(crate) enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    pub(crate) fn generate(kind: KeyKind) -> Result<Key> {
        match kind {
            KeyKind::Ec => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Key::Ec),
            KeyKind::Rsa => RsaKeyPair::generate(KeySize::Rsa2048).map(Key::Rsa),
        }
        .map_err(|_| anyhow!("no {kind:?} key could be generated"))
    }

    pub(crate) fn from_pkcs8(kind: KeyKind, pkcs8: &[u8]) -> Result<Key> {
        match kind {
            KeyKind::Ec => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).map(Key::Ec),
            KeyKind::Rsa => RsaKeyPair::from_pkcs8(pkcs8).map(Key::Rsa),
        }
        .map_err(|rejected| anyhow!("not a usable {kind:?} key: {rejected}"))
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Key::Ec(_) => KeyKind::Ec,
            Key::Rsa(_) => KeyKind::Rsa,
        }
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>> {
        let written = match self {
            Key::Ec(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Key::Rsa(pair) => pair.as_der().map(|der: Pkcs8V1Der<'static>| der.as_ref().to_vec()),
        };
        written.context("the key cannot be written as PKCS#8")
    }

    /// SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Result<Vec<u8>> {
        let der: PublicKeyX509Der<'static> = match self {
            Key::Ec(pair) => pair.public_key().as_der(),
            Key::Rsa(pair) => pair.public_key().as_der(),
        }
        .context("the public key cannot be written")?;
        Ok(der.as_ref().to_vec())
    }

    /// The bits inside the SubjectPublicKeyInfo, which key identifiers are hashed from.
    pub(crate) fn public_bits(&self) -> &[u8] {
        match self {
            Key::Ec(pair) => pair.public_key().as_ref(),
            Key::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    /// A signature as a subscriber's token makes it: ECDSA, or RSA with PKCS#1 v1.5.
    pub(crate) fn sign_content(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign(message, &RSA_PKCS1_SHA256)
    }

    /// A signature as an authority makes it: ECDSA, or RSASSA-PSS with a salt as long as the hash.
    pub(crate) fn sign_certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign(message, &RSA_PSS_SHA256)
    }

    fn sign(&self, message: &[u8], padding: &'static dyn RsaEncoding) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Key::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).map(|()| signature)
            }
        }
        .map_err(|_| anyhow!("signing failed"))
    }
}

/// AlgorithmIdentifiers, with the parameters as the live service writes them.
pub(crate) mod algorithm {
    use super::der;

    pub(crate) fn sha256() -> Vec<u8> {
        der::sequence(&[der::oid(&[2, 16, 840, 1, 101, 3, 4, 2, 1]), der::null()])
    }

    /// ecdsa-with-SHA256 as RFC 5758 wants it: no parameters.
    pub(crate) fn ecdsa() -> Vec<u8> {
        der::sequence(&[der::oid(&[1, 2, 840, 10045, 4, 3, 2])])
    }

    /// ecdsa-with-SHA256 with the NULL that RFC 5758 forbids and that the live service writes all the same.
    pub(crate) fn ecdsa_with_null() -> Vec<u8> {
        der::sequence(&[der::oid(&[1, 2, 840, 10045, 4, 3, 2]), der::null()])
    }

    /// rsaEncryption: with the digest named elsewhere this means PKCS#1 v1.5.
    pub(crate) fn rsa() -> Vec<u8> {
        der::sequence(&[der::oid(&[1, 2, 840, 113549, 1, 1, 1]), der::null()])
    }

    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, 32 bytes of salt, and the NULLs written out.
    pub(crate) fn rsa_pss() -> Vec<u8> {
        let mgf1 = der::sequence(&[der::oid(&[1, 2, 840, 113549, 1, 1, 8]), sha256()]);
        der::sequence(&[
            der::oid(&[1, 2, 840, 113549, 1, 1, 10]),
            der::sequence(&[
                der::explicit(0, &sha256()),
                der::explicit(1, &mgf1),
                der::explicit(2, &der::small_integer(32)),
            ]),
        ])
    }
}
