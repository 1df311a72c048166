//! The signed attributes: they stand between the text and the signature, so they must name exactly this text.

use super::{
    Refusal, Refused, cms,
    der::{self, Element, Reader},
};

const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03]; // 1.2.840.113549.1.9.3
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04]; // 1.2.840.113549.1.9.4

struct Attribute<'a> {
    oid: &'a [u8],
    values: Vec<Element<'a>>,
}

/// Checks that the attributes are those of this content, and returns the bytes that the signature is over: their
/// DER as a SET OF, not as they stand in the message (RFC 5652, 5.4).
///
/// Attributes other than the two are tolerated: the live service adds a random nonce, others the signing time.
pub(super) fn signed_bytes(attributes: &[u8], content_digest: &[u8]) -> Result<Vec<u8>, Refused> {
    let attributes = der::read_all(attributes, list)?;
    if !cms::is_data(only_value(&attributes, CONTENT_TYPE, "contentType", der::OID)?) {
        return Err(Refusal::WrongAttributes.because("the contentType attribute is not data"));
    }
    if only_value(&attributes, MESSAGE_DIGEST, "messageDigest", der::OCTET_STRING)? != content_digest {
        return Err(
            Refusal::WrongAttributes.because("the messageDigest attribute is that of another content")
        );
    }
    Ok(der::set_of(attributes.iter().map(Attribute::to_der).collect()))
}

fn list<'a>(reader: &mut Reader<'a>) -> Result<Vec<Attribute<'a>>, Refused> {
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        attributes.push(reader.nested(der::SEQUENCE, attribute)?);
    }
    Ok(attributes)
}

fn attribute<'a>(reader: &mut Reader<'a>) -> Result<Attribute<'a>, der::BadDer> {
    let oid = reader.expect(der::OID)?;
    let values = reader.nested(der::SET, |set| {
        let mut values = Vec::new();
        while !set.is_empty() {
            values.push(set.element()?);
        }
        Ok::<_, der::BadDer>(values)
    })?;
    Ok(Attribute { oid, values })
}

/// The one value of the one attribute with this type.
fn only_value<'a>(
    attributes: &[Attribute<'a>],
    oid: &[u8],
    name: &str,
    tag: u8,
) -> Result<&'a [u8], Refused> {
    let wrong = |found: &str| Err(Refusal::WrongAttributes.because(format!("the {name} attribute {found}")));
    let mut fitting = attributes.iter().filter(|attribute| attribute.oid == oid);
    let (Some(attribute), None) = (fitting.next(), fitting.next()) else {
        return wrong("is not there exactly once");
    };
    match attribute.values.as_slice() {
        [value] if value.tag == tag => Ok(value.content),
        [_] => wrong("has a value of another type"),
        _ => wrong("has not exactly one value"),
    }
}

impl Attribute<'_> {
    fn to_der(&self) -> Vec<u8> {
        let values = der::set_of(self.values.iter().map(|value| value.whole.to_vec()).collect());
        der::wrap(der::SEQUENCE, &[der::wrap(der::OID, self.oid), values].concat())
    }
}
