//! Certificates and messages made by hand, with every part open to be bent.

use std::{sync::OnceLock, time::SystemTime};

use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};

use super::{
    super::{
        Refused, Signer, check_signature,
        der::{self, wrap},
    },
    TrustAnchors, unix,
};

pub(super) const TEXT: &str = "ACME: log in to vpn1? (K7)";

pub(super) const CN: &[u8] = &[0x55, 4, 3];
pub(super) const SERIAL: &[u8] = &[0x55, 4, 5];
pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
pub(super) const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
pub(super) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
pub(super) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
pub(super) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
pub(super) const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// The attribute that the live service adds.
pub(super) const NONCE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x19, 0x03];
pub(super) const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
pub(super) const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

/// Bits of keyUsage as its first byte has them.
pub(super) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(super) const NON_REPUDIATION: u8 = 0x40;
pub(super) const KEY_ENCIPHERMENT: u8 = 0x20;
pub(super) const KEY_CERT_SIGN: u8 = 0x04;
pub(super) const CRL_SIGN: u8 = 0x02;

/// Whose key: one each, made once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Root,
    Issuer,
    Person,
    Stranger,
}

fn key(who: Who) -> &'static EcdsaKeyPair {
    static KEYS: OnceLock<[EcdsaKeyPair; 4]> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        [(); 4].map(|()| {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap()
        })
    });
    &keys[who as usize]
}

fn sign(who: Who, message: &[u8]) -> Vec<u8> {
    key(who).sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
}

fn seq(parts: &[&[u8]]) -> Vec<u8> {
    wrap(der::SEQUENCE, &parts.concat())
}

fn oid(content: &[u8]) -> Vec<u8> {
    wrap(der::OID, content)
}

fn bits(content: &[u8]) -> Vec<u8> {
    wrap(der::BIT_STRING, &[&[0], content].concat())
}

/// An AlgorithmIdentifier without parameters.
pub(super) fn algorithm(content: &[u8]) -> Vec<u8> {
    seq(&[&oid(content)])
}

/// The same with NULL.
pub(super) fn algorithm_null(content: &[u8]) -> Vec<u8> {
    seq(&[&oid(content), &[der::NULL, 0]])
}

/// A SubjectPublicKeyInfo of an elliptic curve.
pub(super) fn ec_key(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let ec = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    seq(&[&seq(&[&oid(&ec), &oid(curve)]), &bits(point)])
}

/// A SubjectPublicKeyInfo of an RSA key with this modulus.
pub(super) fn rsa_key(modulus: &[u8]) -> Vec<u8> {
    let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let number = [&[0][..], modulus].concat();
    let key = seq(&[&wrap(der::INTEGER, &number), &wrap(der::INTEGER, &[1, 0, 1])]);
    seq(&[&algorithm_null(&rsa), &bits(&key)])
}

pub(super) fn public_key(who: Who) -> Vec<u8> {
    ec_key(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], key(who).public_key().as_ref())
}

pub(super) type Name = Vec<(&'static [u8], &'static str)>;

pub(super) fn name(parts: &Name) -> Vec<u8> {
    let rdn =
        |(kind, value): &(&[u8], &str)| wrap(der::SET, &seq(&[&oid(kind), &wrap(0x0c, value.as_bytes())]));
    wrap(der::SEQUENCE, &parts.iter().map(rdn).collect::<Vec<_>>().concat())
}

/// One certificate to be.
#[derive(Clone)]
pub(super) struct Certificate {
    pub(super) serial: Vec<u8>,
    pub(super) issuer: Name,
    pub(super) subject: Name,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) key: Vec<u8>,
    pub(super) signer: Who,
    /// BasicConstraints: none, or the CA flag and the path length.
    pub(super) basic: Option<(bool, Option<u8>)>,
    pub(super) usage: Option<u8>,
    pub(super) extended: Option<&'static [u8]>,
    pub(super) key_id: Option<&'static [u8]>,
    /// An extension that nobody knows: its criticality.
    pub(super) unknown: Option<bool>,
    /// NameConstraints: the one GeneralName that is permitted below.
    pub(super) permits: Option<Vec<u8>>,
}

impl Certificate {
    fn of(subject: Name, issuer: Name, who: Who, signer: Who) -> Self {
        Self {
            // The first bit set: DER writes a zero byte before it.
            serial: vec![0, 0xf0, who as u8],
            issuer,
            subject,
            from: "240101000000Z",
            to: "261231235959Z",
            key: public_key(who),
            signer,
            basic: None,
            usage: None,
            extended: None,
            key_id: None,
            unknown: None,
            permits: None,
        }
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let time = |time: &str| wrap(0x17, time.as_bytes());
        let signed_by = algorithm(ECDSA_SHA256);
        let tbs = seq(&[
            &wrap(der::context(0), &[der::INTEGER, 1, 2]),
            &wrap(der::INTEGER, &self.serial),
            &signed_by,
            &name(&self.issuer),
            &seq(&[&time(self.from), &time(self.to)]),
            &name(&self.subject),
            &self.key,
            &wrap(der::context(3), &wrap(der::SEQUENCE, &self.extensions().concat())),
        ]);
        seq(&[&tbs, &signed_by, &bits(&sign(self.signer, &tbs))])
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        let extension = |id: &[u8], critical: bool, value: &[u8]| {
            let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
            seq(&[&oid(id), critical, &wrap(der::OCTET_STRING, value)])
        };
        let basic = self.basic.map(|(ca, length)| {
            let ca: &[u8] = if ca { &[1, 1, 0xff] } else { &[] };
            let length = length.map(|length| vec![der::INTEGER, 1, length]).unwrap_or_default();
            extension(&[0x55, 0x1d, 19], true, &seq(&[ca, &length]))
        });
        let usage = self.usage.map(|usage| {
            let unused = u8::try_from(usage.trailing_zeros().min(7)).unwrap();
            extension(&[0x55, 0x1d, 15], true, &wrap(der::BIT_STRING, &[unused, usage]))
        });
        let extended = self.extended.map(|use_| extension(&[0x55, 0x1d, 37], false, &seq(&[&oid(use_)])));
        let key_id = self.key_id.map(|id| extension(&[0x55, 0x1d, 14], false, &wrap(der::OCTET_STRING, id)));
        let unknown = self.unknown.map(|critical| extension(&[0x2a, 3, 4], critical, &[der::NULL, 0]));
        let permits = self
            .permits
            .as_ref()
            .map(|name| extension(&[0x55, 0x1d, 30], true, &seq(&[&wrap(der::context(0), &seq(&[name]))])));
        [basic, usage, extended, key_id, unknown, permits].into_iter().flatten().collect()
    }
}

/// One attribute with one value.
pub(super) fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    attribute_of(kind, &[value])
}

pub(super) fn attribute_of(kind: &[u8], values: &[&[u8]]) -> Vec<u8> {
    seq(&[&oid(kind), &wrap(der::SET, &values.concat())])
}

pub(super) fn content_type(kind: &[u8]) -> Vec<u8> {
    attribute(CONTENT_TYPE, &oid(kind))
}

pub(super) fn message_digest(content: &[u8]) -> Vec<u8> {
    let digest = digest::digest(&digest::SHA256, content);
    attribute(MESSAGE_DIGEST, &wrap(der::OCTET_STRING, digest.as_ref()))
}

/// A message to be, with the certificates around it and the question that it answers.
#[derive(Clone)]
pub(super) struct Forge {
    pub(super) root: Certificate,
    pub(super) issuer: Certificate,
    pub(super) leaf: Certificate,
    pub(super) at: SystemTime,
    /// Put into the message besides the leaf and its issuer.
    pub(super) more: Vec<Vec<u8>>,
    pub(super) with_leaf: bool,
    pub(super) with_issuer: bool,
    pub(super) kind: &'static [u8],
    pub(super) content_kind: &'static [u8],
    pub(super) content: Option<Vec<u8>>,
    pub(super) digest: Vec<u8>,
    pub(super) attributes: Option<Vec<Vec<u8>>>,
    /// The attributes are signed as they stand, not sorted as DER wants them.
    pub(super) unsorted: bool,
    pub(super) algorithm: Vec<u8>,
    pub(super) by_key_id: Option<&'static [u8]>,
    pub(super) signer: Who,
    pub(super) signers: usize,
}

impl Forge {
    /// What the live service sends, but in DER: NULL with ECDSA, a nonce among the attributes, no signing time.
    pub(super) fn good() -> Self {
        Self::over(TEXT)
    }

    pub(super) fn over(text: &str) -> Self {
        let root_name: Name = vec![(CN, "Test Root")];
        let issuer_name: Name = vec![(CN, "Test Issuer")];
        let person: Name = vec![(SERIAL, "MIDCHE0123456789"), (CN, "MIDCHE0123456789:PN")];
        let mut root = Certificate::of(root_name.clone(), root_name.clone(), Who::Root, Who::Root);
        let mut issuer = Certificate::of(issuer_name.clone(), root_name, Who::Issuer, Who::Root);
        let mut leaf = Certificate::of(person, issuer_name, Who::Person, Who::Issuer);
        root.basic = Some((true, None));
        root.usage = Some(KEY_CERT_SIGN | CRL_SIGN);
        issuer.basic = Some((true, Some(0)));
        issuer.usage = Some(KEY_CERT_SIGN | CRL_SIGN);
        issuer.extended = Some(CLIENT_AUTH);
        leaf.usage = Some(DIGITAL_SIGNATURE);
        leaf.extended = Some(CLIENT_AUTH);
        leaf.key_id = Some(b"person");
        let nonce = attribute(NONCE, &wrap(der::OCTET_STRING, &[0, 10, 0x90, 0xf3, 0xe5, 0x3a, 0xa5, 0xab]));
        Self {
            root,
            issuer,
            leaf,
            at: unix(1_735_689_600), // 2025-01-01
            more: Vec::new(),
            with_leaf: true,
            with_issuer: true,
            kind: SIGNED_DATA,
            content_kind: DATA,
            content: Some(text.as_bytes().to_vec()),
            digest: algorithm_null(SHA256),
            attributes: Some(vec![content_type(DATA), nonce, message_digest(text.as_bytes())]),
            unsorted: false,
            algorithm: algorithm_null(ECDSA_SHA256),
            by_key_id: None,
            signer: Who::Person,
            signers: 1,
        }
    }

    pub(super) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_der(self.root.to_der()).unwrap()
    }

    pub(super) fn check(&self) -> Result<Signer, Refused> {
        check_signature(&self.message(), TEXT, &self.anchors(), self.at)
    }

    /// The same, by anchors that have seen good messages through this very issuer, when root and issuer were valid and
    /// so far as they are good. Also how many issuers are known by then.
    pub(super) fn check_again(&self) -> (Result<Signer, Refused>, usize) {
        let (anchors, issuer) = (self.anchors(), self.issuer.to_der());
        // Early, late, and when the message itself is looked at.
        for at in [unix(1_719_792_000), unix(1_748_736_000), self.at] {
            let good = Self { root: self.root.clone(), at, ..Self::good() }.through(issuer.clone());
            let _ = check_signature(&good.message(), TEXT, &anchors, at);
        }
        let known = anchors.known.len();
        let bent = if self.with_issuer { self.clone().through(issuer) } else { self.clone() };
        (check_signature(&bent.message(), TEXT, &anchors, bent.at), known)
    }

    /// With this issuer instead of one that is signed anew for each message.
    fn through(self, issuer: Vec<u8>) -> Self {
        let more = self.more.into_iter().chain([issuer]).collect();
        Self { more, with_issuer: false, ..self }
    }

    pub(super) fn message(&self) -> Vec<u8> {
        let content =
            self.content.as_ref().map(|content| wrap(der::context(0), &wrap(der::OCTET_STRING, content)));
        let mut certificates = self.more.clone();
        certificates.extend(self.with_leaf.then(|| self.leaf.to_der()));
        certificates.extend(self.with_issuer.then(|| self.issuer.to_der()));
        let certificates = match certificates.concat() {
            none if none.is_empty() => none,
            some => wrap(der::context(0), &some),
        };
        let signers = vec![self.signer_info(); self.signers];
        let signed = seq(&[
            &[der::INTEGER, 1, 1],
            &wrap(der::SET, &self.digest),
            &seq(&[&oid(self.content_kind), &content.unwrap_or_default()]),
            &certificates,
            &wrap(der::SET, &signers.concat()),
        ]);
        seq(&[&oid(self.kind), &wrap(der::context(0), &signed)])
    }

    fn signer_info(&self) -> Vec<u8> {
        let (version, id) = match self.by_key_id {
            Some(id) => (3, wrap(der::context_primitive(0), id)),
            None => (1, seq(&[&name(&self.leaf.issuer), &wrap(der::INTEGER, &self.leaf.serial)])),
        };
        let (attributes, signed) = match &self.attributes {
            Some(attributes) => {
                let standing = attributes.concat();
                let signed =
                    if self.unsorted { wrap(der::SET, &standing) } else { der::set_of(attributes.clone()) };
                (wrap(der::context(0), &standing), signed)
            }
            None => (Vec::new(), self.content.clone().unwrap_or_default()),
        };
        let signature = wrap(der::OCTET_STRING, &sign(self.signer, &signed));
        seq(&[&[der::INTEGER, 1, version], &id, &self.digest, &attributes, &self.algorithm, &signature])
    }
}
