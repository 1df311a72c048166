//! ContentInfo and SignedData as RFC 5652 lays them out, read into borrowed parts. Nothing is judged here but the
//! shape: one signer, content inside, plain certificates.
//!
//! ```text
//! ContentInfo SEQUENCE
//!   signedData
//!   [0] SignedData SEQUENCE
//!     version, digestAlgorithms
//!     encapContentInfo: data, [0] OCTET STRING          the text that was signed
//!     [0] certificates                                  signer, issuers
//!     [1] crls                                          not read
//!     signerInfos: exactly one
//!       version, issuer and serial or [0] key identifier
//!       digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature, [1] unsignedAttrs
//! ```

use super::{
    Refusal, Refused,
    der::{self, Element, Reader},
};

impl From<der::BadDer> for Refused {
    fn from(found: der::BadDer) -> Self {
        Refusal::Malformed.because(format!("the message is no CMS SignedData of RFC 5652: {found}"))
    }
}

/// Most certificates in a message. The service sends 3; the bound keeps path building short.
const MAX_CERTIFICATES: usize = 8;

const ID_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01]; // 1.2.840.113549.1.7.1
const ID_SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]; // 1.2.840.113549.1.7.2

/// A message with its one signer.
#[derive(Debug)]
pub(super) struct SignedData<'a> {
    pub(super) content: &'a [u8],
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) signer: SignerInfo<'a>,
}

#[derive(Debug)]
pub(super) struct SignerInfo<'a> {
    pub(super) id: SignerId<'a>,
    pub(super) digest: AlgorithmId<'a>,
    /// The content of signedAttrs.
    pub(super) attributes: Option<&'a [u8]>,
    pub(super) algorithm: AlgorithmId<'a>,
    pub(super) signature: &'a [u8],
}

/// Which certificate is the signer's.
#[derive(Debug)]
pub(super) enum SignerId<'a> {
    /// The issuer's name, whole, and the content of the serial number.
    IssuerAndSerial(&'a [u8], &'a [u8]),
    KeyId(&'a [u8]),
}

#[derive(Debug)]
pub(super) struct AlgorithmId<'a> {
    pub(super) oid: &'a [u8],
    pub(super) parameters: Option<Element<'a>>,
}

impl<'a> AlgorithmId<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, der::BadDer> {
        reader.nested(der::SEQUENCE, |id| {
            let oid = id.expect(der::OID)?;
            let parameters = if id.is_empty() { None } else { Some(id.element()?) };
            Ok(Self { oid, parameters })
        })
    }

    /// Parameters absent or NULL.
    pub(super) fn is_plain(&self) -> bool {
        self.parameters.is_none_or(|parameters| parameters.whole == [der::NULL, 0])
    }
}

/// Reads a message in DER.
pub(super) fn read(der: &[u8]) -> Result<SignedData<'_>, Refused> {
    der::read_all(der, |message| {
        message.nested(der::SEQUENCE, |info| {
            if info.expect(der::OID)? != ID_SIGNED_DATA {
                return Err(Refusal::Malformed.because("the message is CMS, but no SignedData"));
            }
            info.nested(der::context(0), |signed| signed.nested(der::SEQUENCE, signed_data))
        })
    })
}

fn signed_data<'a>(reader: &mut Reader<'a>) -> Result<SignedData<'a>, Refused> {
    // The version follows from what else is in the message (RFC 5652, 5.1) and adds nothing to it.
    if !matches!(reader.small()?, 1 | 3..=5) {
        return Err(Refusal::Malformed.because("the SignedData has an unknown version"));
    }
    // A hint for signers in streams; the one that counts is in the SignerInfo.
    reader.expect(der::SET)?;
    let content = reader.nested(der::SEQUENCE, encapsulated)?;
    let certificates = match reader.optional(der::context(0))? {
        Some(certificates) => der::read_all(certificates, plain_certificates)?,
        None => Vec::new(),
    };
    reader.optional(der::context(1))?;
    let signer = reader.nested(der::SET, only_signer)?;
    let content = content?;
    Ok(SignedData { content, certificates, signer })
}

/// The content; what is wrong with it is told later, after the count of signers.
fn encapsulated<'a>(reader: &mut Reader<'a>) -> Result<Result<&'a [u8], Refused>, der::BadDer> {
    let is_data = reader.expect(der::OID)? == ID_DATA;
    let content = match reader.optional(der::context(0))? {
        // Other types of content than data need not be an octet string.
        Some(content) if is_data => {
            Some(der::read_all(content, |content| content.expect(der::OCTET_STRING))?)
        }
        _ => None,
    };
    Ok(match content {
        Some(content) => Ok(content),
        None if is_data => Err(Refusal::WrongContent.because("the signed text is not in the message")),
        None => {
            Err(Refusal::WrongContent.because("what was signed is no text: the content type is not data"))
        }
    })
}

fn plain_certificates<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a [u8]>, Refused> {
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        let certificate = reader.element()?;
        if certificate.tag != der::SEQUENCE {
            return Err(Refusal::Malformed.because("the message has a certificate that is not X.509"));
        }
        if certificates.len() >= MAX_CERTIFICATES {
            return Err(Refusal::Malformed
                .because(format!("the message has more than {MAX_CERTIFICATES} certificates")));
        }
        certificates.push(certificate.whole);
    }
    Ok(certificates)
}

fn only_signer<'a>(reader: &mut Reader<'a>) -> Result<SignerInfo<'a>, Refused> {
    if reader.is_empty() {
        return Err(Refusal::SignerCount.because("the message has no signer"));
    }
    let signer = reader.expect(der::SEQUENCE)?;
    if !reader.is_empty() {
        return Err(Refusal::SignerCount.because("the message has more than one signer"));
    }
    der::read_all(signer, signer_info)
}

fn signer_info<'a>(reader: &mut Reader<'a>) -> Result<SignerInfo<'a>, Refused> {
    if !matches!(reader.small()?, 1 | 3) {
        return Err(Refusal::Malformed.because("the SignerInfo has an unknown version"));
    }
    let info = SignerInfo {
        id: signer_id(reader)?,
        digest: AlgorithmId::read(reader)?,
        attributes: reader.optional(der::context(0))?,
        algorithm: AlgorithmId::read(reader)?,
        signature: reader.expect(der::OCTET_STRING)?,
    };
    // Unsigned attributes are nobody's word: a time stamp may stand there, nothing that we need.
    reader.optional(der::context(1))?;
    Ok(info)
}

fn signer_id<'a>(reader: &mut Reader<'a>) -> Result<SignerId<'a>, der::BadDer> {
    if let Some(key) = reader.optional(der::context_primitive(0))? {
        return Ok(SignerId::KeyId(key));
    }
    reader.nested(der::SEQUENCE, |id| {
        let issuer = id.element()?.whole;
        Ok(SignerId::IssuerAndSerial(issuer, id.expect(der::INTEGER)?))
    })
}

/// Whether this is the type of plain content, for the contentType attribute.
pub(super) fn is_data(oid: &[u8]) -> bool {
    oid == ID_DATA
}
