//! Wraps a signed text in CMS SignedData the way the live service does, illegal corners included.
//!
//! The live service writes BER: indefinite lengths for ContentInfo, its content, SignedData and the set of
//! certificates, definite lengths inside. An ECDSA AlgorithmIdentifier carries a NULL that RFC 5758 forbids.
//! There are three signed attributes (content type, a random nonce, message digest), no signing time, and the
//! whole chain up to the root is embedded. A client which cannot read this cannot read the live service.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use aws_lc_rs::digest::{SHA256, digest};

use crate::der;
use crate::keys::{KeyKind, algorithm};
use crate::pki::Signer;

/// Signs the text with each of the signers; the certificates of all their chains are embedded.
pub(crate) fn sign(text: &[u8], signers: &[Arc<Signer>]) -> Result<Vec<u8>> {
    let mut certificates: Vec<&[u8]> = Vec::new();
    for certificate in signers.iter().flat_map(|signer| signer.chain()) {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let infos = signers.iter().map(|signer| signer_info(text, signer)).collect::<Result<Vec<_>>>()?;
    let encapsulated = der::sequence(&[der::oid(&DATA), der::explicit(0, &der::octets(text))]);
    let signed_data = der::indefinite(
        der::SEQUENCE,
        &[
            der::small_integer(1),
            der::set_of(vec![algorithm::sha256()]),
            encapsulated,
            der::indefinite(
                der::context(0),
                &certificates.iter().map(|der| der.to_vec()).collect::<Vec<_>>(),
            ),
            der::set_of(infos),
        ],
    );
    let content = der::indefinite(der::context(0), &[signed_data]);
    Ok(der::indefinite(der::SEQUENCE, &[der::oid(&SIGNED_DATA), content]))
}

/// The same signature with one bit of its value flipped: everything parses, nothing verifies.
pub(crate) fn flip_signature_bit(mut cms: Vec<u8>) -> Vec<u8> {
    // SignedData ends in the signature's OCTET STRING and the end marks of three open lengths.
    let last_octet_of_signature = cms.len().saturating_sub(3 * 2 + 1);
    if let Some(byte) = cms.get_mut(last_octet_of_signature) {
        *byte ^= 1;
    }
    cms
}

fn signer_info(text: &[u8], signer: &Signer) -> Result<Vec<u8>> {
    let mut nonce = [0; 8];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| anyhow!("no randomness"))?;
    let attributes = [
        attribute(&CONTENT_TYPE, der::oid(&DATA)),
        attribute(&RANDOM_NONCE, der::octets(&nonce)),
        attribute(&MESSAGE_DIGEST, der::octets(digest(&SHA256, text).as_ref())),
    ];
    // Signed as the SET OF that they are, sent as the [0] that stands in for it.
    let signature = signer.key.sign_content(&der::set_of(attributes.to_vec()))?;
    let signature_algorithm = match signer.key.kind() {
        KeyKind::Ec => algorithm::ecdsa_with_null(),
        KeyKind::Rsa => algorithm::rsa(),
    };
    Ok(der::sequence(&[
        der::small_integer(1),
        der::sequence(&[signer.issuer.encode(), der::unsigned(&signer.serial)]),
        algorithm::sha256(),
        der::explicit(0, &attributes.concat()),
        signature_algorithm,
        der::octets(&signature),
    ]))
}

fn attribute(arcs: &[u32], value: Vec<u8>) -> Vec<u8> {
    der::sequence(&[der::oid(arcs), der::set_of(vec![value])])
}

const DATA: [u32; 7] = [1, 2, 840, 113549, 1, 7, 1];
const SIGNED_DATA: [u32; 7] = [1, 2, 840, 113549, 1, 7, 2];
const CONTENT_TYPE: [u32; 7] = [1, 2, 840, 113549, 1, 9, 3];
const MESSAGE_DIGEST: [u32; 7] = [1, 2, 840, 113549, 1, 9, 4];
const RANDOM_NONCE: [u32; 8] = [1, 2, 840, 113549, 1, 9, 25, 3];
