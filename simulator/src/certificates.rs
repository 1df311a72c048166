//! Issues X.509 certificates shaped like the live service's: names in its order, its extensions, its PSS.
//!
//! Left out on purpose are the addresses of revocation lists and responders: nothing here may point a
//! verifier at the network.

use anyhow::Result;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use time::{Duration, OffsetDateTime};

use crate::der;
use crate::keys::{Key, algorithm};

/// A distinguished name, as the pairs of attribute and value in the order they are encoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name(Vec<(Attribute, String)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    CommonName,
    OrganizationalUnit,
    Organization,
    Country,
    SerialNumber,
}

impl Name {
    /// An authority's name: the live service starts with the common name and ends with the country.
    pub(crate) fn authority(common_name: &str) -> Name {
        Name(vec![
            (Attribute::CommonName, common_name.to_owned()),
            (Attribute::OrganizationalUnit, "Digital Certificate Services".to_owned()),
            (Attribute::Organization, "Mobile ID Simulator".to_owned()),
            (Attribute::Country, "CH".to_owned()),
        ])
    }

    /// A subscriber's name: the serial number twice, and nothing of the person.
    pub(crate) fn subscriber(serial: &str) -> Name {
        Name(vec![
            (Attribute::SerialNumber, serial.to_owned()),
            (Attribute::CommonName, format!("{serial}:PN")),
        ])
    }

    pub(crate) fn common(common_name: &str) -> Name {
        Name(vec![(Attribute::CommonName, common_name.to_owned())])
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let rdn = |(attribute, value): &(Attribute, String)| {
            let (arc, value) = match attribute {
                Attribute::CommonName => (3, der::utf8(value)),
                Attribute::OrganizationalUnit => (11, der::utf8(value)),
                Attribute::Organization => (10, der::utf8(value)),
                Attribute::Country => (6, der::printable(value)),
                Attribute::SerialNumber => (5, der::printable(value)),
            };
            der::set_of(vec![der::sequence(&[der::oid(&[2, 5, 4, arc]), value])])
        };
        der::sequence(&self.0.iter().map(rdn).collect::<Vec<_>>())
    }

    /// As a profile query prints it: last part first, and all in lower case.
    pub(crate) fn in_profile(&self) -> String {
        let part = |(attribute, value): &(Attribute, String)| {
            let key = match attribute {
                Attribute::CommonName => "cn",
                Attribute::OrganizationalUnit => "ou",
                Attribute::Organization => "o",
                Attribute::Country => "c",
                Attribute::SerialNumber => "serialnumber",
            };
            format!("{key}={}", value.to_lowercase())
        };
        self.0.iter().rev().map(part).collect::<Vec<_>>().join(",")
    }
}

/// When a certificate holds.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
}

impl Validity {
    /// From an hour ago, so that a clock slightly behind does not refuse a fresh certificate.
    pub(crate) fn years(years: i64) -> Validity {
        let now = OffsetDateTime::now_utc();
        Validity { from: now - Duration::hours(1), until: now + Duration::days(365 * years + 1) }
    }

    /// A year that ended yesterday.
    pub(crate) fn expired() -> Validity {
        let yesterday = OffsetDateTime::now_utc() - Duration::days(1);
        Validity { from: yesterday - Duration::days(365), until: yesterday }
    }
}

/// What a certificate is for, which decides its extensions.
pub(crate) enum Purpose {
    /// A trust anchor.
    Root,
    /// The authority below the root that signs subscribers' certificates; it says clientAuth as well.
    SubscriberAuthority,
    /// A subscriber's certificate.
    Subscriber,
    /// The service's own TLS certificate, for these subjectAltNames.
    Server(Vec<AltName>),
    /// The Application Provider's self-signed TLS certificate.
    Client,
}

pub(crate) enum AltName {
    Dns(&'static str),
    Ip(std::net::IpAddr),
}

/// Who signs: a name and the key that belongs to it.
pub(crate) struct Issuer<'a> {
    pub(crate) name: &'a Name,
    pub(crate) key: &'a Key,
}

/// Issues one certificate with a random serial number, in DER.
pub(crate) fn issue(
    issuer: &Issuer<'_>,
    subject: &Name,
    subject_key: &Key,
    validity: Validity,
    purpose: &Purpose,
) -> Result<Vec<u8>> {
    let signature_algorithm = match issuer.key {
        Key::Ec(_) => algorithm::ecdsa(),
        Key::Rsa(_) => algorithm::rsa_pss(),
    };
    let to_be_signed = der::sequence(&[
        der::explicit(0, &der::small_integer(2)),
        der::unsigned(&random_serial()?),
        signature_algorithm.clone(),
        issuer.name.encode(),
        der::sequence(&[der::moment(validity.from), der::moment(validity.until)]),
        subject.encode(),
        subject_key.spki()?,
        der::explicit(3, &extensions(issuer, subject, subject_key, purpose)),
    ]);
    let signature = der::bits(&issuer.key.sign_certificate(&to_be_signed)?);
    Ok(der::sequence(&[to_be_signed, signature_algorithm, signature]))
}

/// 16 random bytes, as the live authorities use.
fn random_serial() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    // Neither starting with zero nor needing a leading one: a single encoded length for all.
    let [first, ..] = &mut bytes;
    *first = *first & 0x3f | 0x40;
    Ok(bytes)
}

fn extensions(issuer: &Issuer<'_>, subject: &Name, subject_key: &Key, purpose: &Purpose) -> Vec<u8> {
    let mut list = Vec::new();
    if issuer.name != subject {
        let identifier = der::tlv(0x80, &key_identifier(issuer.key));
        list.push(extension(&AUTHORITY_KEY, false, &der::sequence(&[identifier])));
    }
    list.push(extension(&SUBJECT_KEY, false, &der::octets(&key_identifier(subject_key))));
    match purpose {
        Purpose::Root => {
            list.push(extension(&BASIC_CONSTRAINTS, true, &der::sequence(&[der::boolean_true()])));
            list.push(extension(&KEY_USAGE, true, KEY_CERT_AND_CRL_SIGN));
        }
        Purpose::SubscriberAuthority => {
            let constraints = der::sequence(&[der::boolean_true(), der::small_integer(0)]);
            list.push(extension(&BASIC_CONSTRAINTS, true, &constraints));
            list.push(extension(&KEY_USAGE, true, KEY_CERT_AND_CRL_SIGN));
            list.push(extension(&EXTENDED_KEY_USAGE, false, &der::sequence(&[der::oid(&CLIENT_AUTH)])));
        }
        Purpose::Subscriber => {
            let policy = der::sequence(&[der::oid(&POLICY_NCP_PLUS)]);
            list.push(extension(&POLICIES, false, &der::sequence(&[policy])));
            list.push(extension(&EXTENDED_KEY_USAGE, false, &der::sequence(&[der::oid(&CLIENT_AUTH)])));
            list.push(extension(&KEY_USAGE, true, DIGITAL_SIGNATURE));
        }
        Purpose::Server(names) => {
            let name = |name: &AltName| match name {
                AltName::Dns(name) => der::tlv(0x82, name.as_bytes()),
                AltName::Ip(std::net::IpAddr::V4(address)) => der::tlv(0x87, &address.octets()),
                AltName::Ip(std::net::IpAddr::V6(address)) => der::tlv(0x87, &address.octets()),
            };
            let names = names.iter().map(name).collect::<Vec<_>>();
            list.push(extension(&SUBJECT_ALT_NAME, false, &der::sequence(&names)));
            list.push(extension(&EXTENDED_KEY_USAGE, false, &der::sequence(&[der::oid(&SERVER_AUTH)])));
            list.push(extension(&KEY_USAGE, true, DIGITAL_SIGNATURE));
        }
        Purpose::Client => {
            list.push(extension(&EXTENDED_KEY_USAGE, false, &der::sequence(&[der::oid(&CLIENT_AUTH)])));
            list.push(extension(&KEY_USAGE, true, DIGITAL_SIGNATURE));
        }
    }
    der::sequence(&list)
}

fn extension(arcs: &[u32], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::oid(arcs)];
    if critical {
        parts.push(der::boolean_true());
    }
    parts.push(der::octets(value));
    der::sequence(&parts)
}

/// RFC 5280's first method: SHA-1 over the key's bits. An identifier, not a protection.
fn key_identifier(key: &Key) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, key.public_bits()).as_ref().to_vec()
}

/// The serial number a subscriber's certificate carries: `MIDCHE` and ten characters, which follow from the
/// seed alone, so that it is known before the certificate exists and the same in every state folder.
pub(crate) fn subscriber_serial(seed: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let hash = digest(&SHA256, seed.as_bytes());
    let character = |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied().unwrap_or(b'A');
    let ten = hash.as_ref().iter().take(10).map(|byte| char::from(character(byte)));
    "MIDCHE".chars().chain(ten).collect()
}

const AUTHORITY_KEY: [u32; 4] = [2, 5, 29, 35];
const SUBJECT_KEY: [u32; 4] = [2, 5, 29, 14];
const BASIC_CONSTRAINTS: [u32; 4] = [2, 5, 29, 19];
const KEY_USAGE: [u32; 4] = [2, 5, 29, 15];
const EXTENDED_KEY_USAGE: [u32; 4] = [2, 5, 29, 37];
const SUBJECT_ALT_NAME: [u32; 4] = [2, 5, 29, 17];
const POLICIES: [u32; 4] = [2, 5, 29, 32];
const CLIENT_AUTH: [u32; 9] = [1, 3, 6, 1, 5, 5, 7, 3, 2];
const SERVER_AUTH: [u32; 9] = [1, 3, 6, 1, 5, 5, 7, 3, 1];
/// ETSI EN 319 411-1's NCP+: keys on a secure device.
const POLICY_NCP_PLUS: [u32; 6] = [0, 4, 0, 2042, 1, 3];
/// BIT STRINGs of KeyUsage, as they are encoded.
const DIGITAL_SIGNATURE: &[u8] = &[0x03, 0x02, 0x07, 0x80];
const KEY_CERT_AND_CRL_SIGN: &[u8] = &[0x03, 0x02, 0x01, 0x06];
