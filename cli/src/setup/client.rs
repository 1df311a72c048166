//! Our key and its certificate, as section 8 of the Mobile ID guide makes them by OpenSSL: RSA, self-signed with
//! SHA-256, for five years. Its recipe leaves out the purpose clientAuth, which section 2.3 demands; it is there here.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{anyhow, bail};
use clap::ValueEnum;
use mobileid::{
    driver::{blocking::entropy, tls},
    secret::Secret,
    text::escaped,
};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use x509_parser::{prelude::FromDer as _, public_key::PublicKey};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    Arguments,
    answers::{Country, Named},
    found::{Found, Pair, Places},
    home::{Mode, OpenHome, shown},
    report::Report,
    roots::as_pem,
    say,
};
use crate::check::client::look;

/// For how long the certificate serves (guide 8.1.2).
const DAYS: u64 = 1825;

/// What is wrong with a key that is there.
const UNUSABLE: &str =
    "no key that the service takes: RSA of 2048 to 4096 bits or EC (P-256, P-384), unencrypted, in PEM";

/// What kind of key is made. The guide has 2048 bits, Swisscom's newer pages have 4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum KeyKind {
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[default]
    #[value(name = "rsa-4096")]
    Rsa4096,
}

impl KeyKind {
    fn bits(self) -> usize {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa4096 => 4096,
        }
    }
}

/// Whom the certificate names.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) name: Named,
    pub(super) organisation: Named,
    pub(super) country: Country,
}

/// A key that is there, or was just made.
#[derive(Debug)]
pub(super) struct Key(KeyPair);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// Names the file.
    pub(super) fn parse(pem: &Secret, path: &Path) -> anyhow::Result<Self> {
        let unusable = || anyhow!("{}: {UNUSABLE}", shown(path));
        let key = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| unusable())?;
        KeyPair::try_from(&key).map(Self).map_err(|_| unusable())
    }

    fn generate(kind: KeyKind) -> anyhow::Result<Self> {
        let size = match kind {
            KeyKind::Rsa2048 => RsaKeySize::_2048,
            KeyKind::Rsa4096 => RsaKeySize::_4096,
        };
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size);
        key.map(Self).map_err(|error| anyhow!("no key can be made: {error}"))
    }

    /// Whether a login can show a certificate of it: certificates can be made of more kinds than TLS signs with.
    fn can_be_ours(&self) -> bool {
        let der = Zeroizing::new(self.0.serialize_der());
        PrivateKeyDer::try_from(der.as_slice()).is_ok_and(|der| tls::can_be_ours(&der))
    }

    fn pem(&self) -> Secret {
        Secret::new(self.0.serialize_pem())
    }
}

/// A certificate that is there.
#[derive(Debug)]
pub(super) struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a file, which is the one that is sent.
    ///
    /// # Errors
    /// Names the file.
    pub(super) fn parse(pem: &str, path: &Path) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes());
        let certificate = Self { der: der.map(|der| der.to_vec()).unwrap_or_default() };
        match certificate.with(|_| ()) {
            Some(()) => Ok(certificate),
            None => bail!("{}: no certificate in PEM", shown(path)),
        }
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it is this key's.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        let same = self.with(|cert| *cert.public_key().subject_public_key.data == *key.0.der_bytes());
        same.unwrap_or(false)
    }

    /// Whom it names.
    pub(super) fn common_name(&self) -> String {
        self.with(|certificate| first(certificate.subject().iter_common_name())).unwrap_or_default()
    }

    /// What was said of a certificate to be made, and is not so of this one; each with its flag.
    pub(super) fn disagreements(&self, arguments: &Arguments) -> Vec<(String, &'static str)> {
        let Arguments { name, organisation, country, key, .. } = arguments;
        let said = |named: &Option<Named>| named.as_ref().map(|Named(text)| text.clone());
        let found = self.with(|certificate| {
            let subject = certificate.subject();
            let names = [
                ("--name", "CN", said(name), first(subject.iter_common_name())),
                ("--organisation", "O", said(organisation), first(subject.iter_organization())),
                (
                    "--country",
                    "C",
                    country.as_ref().map(|Country(cc)| cc.clone()),
                    first(subject.iter_country()),
                ),
            ];
            let names = names.into_iter().filter_map(|(flag, part, said, is)| {
                let said = said.filter(|said| *said != is)?;
                Some((
                    format!("has {part}={}, and {flag} says {}", escaped(&is, 100), escaped(&said, 100)),
                    flag,
                ))
            });
            let bits = match certificate.public_key().parsed() {
                Ok(PublicKey::RSA(key)) => key.key_size(),
                _ => 0,
            };
            let other_key = key.filter(|kind| kind.bits() != bits).map(|kind| {
                (format!("has another key than the RSA key of {} bits that --key says", kind.bits()), "--key")
            });
            names.chain(other_key).collect()
        });
        found.unwrap_or_default()
    }

    fn with<T>(&self, read: impl FnOnce(&x509_parser::certificate::X509Certificate<'_>) -> T) -> Option<T> {
        match x509_parser::certificate::X509Certificate::from_der(&self.der) {
            Ok(([], certificate)) => Some(read(&certificate)),
            _ => None,
        }
    }
}

fn first<'a>(mut parts: impl Iterator<Item = &'a x509_parser::x509::AttributeTypeAndValue<'a>>) -> String {
    parts.next().and_then(|part| part.as_str().ok()).unwrap_or_default().to_owned()
}

/// What is to be written of key and certificate.
#[derive(Debug)]
pub(super) struct Client {
    key: Option<Secret>,
    certificate: Option<String>,
}

/// Makes what is missing of the two.
///
/// # Errors
/// A key that is there cannot be used for a certificate.
pub(super) fn make(
    arguments: &Arguments,
    found: &Found,
    subject: Option<&Subject>,
) -> anyhow::Result<Client> {
    let Some(subject) = subject else { return Ok(Client { key: None, certificate: None }) };
    let kind = arguments.key.unwrap_or_default();
    let new = match &found.client {
        Pair::Key(_) => None,
        _ => {
            say(arguments, &format!("making an RSA key of {} bits ...", kind.bits()));
            Some(Key::generate(kind)?)
        }
    };
    let key = match (&new, &found.client) {
        (Some(new), _) => new,
        (None, Pair::Key(key)) => key,
        (None, _) => bail!("there is no key"),
    };
    let path = found.places().key;
    if !key.can_be_ours() {
        bail!("{}: {UNUSABLE}: move it away for a new one", shown(&path));
    }
    let der = certify(key, subject, SystemTime::now())?;
    let (_, findings) = look(&der, 1, SystemTime::now());
    if let Some(finding) = findings.first() {
        bail!("{}: {finding}: move the key away for a new one", shown(&path));
    }
    let certificate = Certificate { der };
    // A key that is there may be of another kind than was said.
    if let Some((what, flag)) = certificate.disagreements(arguments).into_iter().next() {
        bail!("the certificate of {} {what}; leave {flag} out", shown(&path));
    }
    Ok(Client { key: new.as_ref().map(Key::pem), certificate: Some(as_pem(certificate.der())) })
}

impl Client {
    /// Writes the key first: setup goes on from a key alone, but not from a certificate without its key.
    ///
    /// # Errors
    /// Names the file.
    pub(super) fn write(
        &self,
        home: &OpenHome,
        places: &Places,
        report: &mut Report<'_>,
    ) -> anyhow::Result<()> {
        match &self.key {
            Some(pem) => report.made(home, &places.key, pem.expose().as_bytes(), Mode::Private)?,
            None => report.kept(&places.key),
        }
        match &self.certificate {
            Some(pem) => report.made(home, &places.cert, pem.as_bytes(), Mode::Readable)?,
            None => report.kept(&places.cert),
        }
        Ok(())
    }
}

/// The certificate, in DER.
fn certify(key: &Key, subject: &Subject, now: SystemTime) -> anyhow::Result<Vec<u8>> {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, subject.name.0.as_str());
    name.push(DnType::OrganizationName, subject.organisation.0.as_str());
    // As X.520 wants it: a country is the one part that has no UTF-8.
    let country = subject.country.0.as_str().try_into().map(DnValue::PrintableString);
    name.push(DnType::CountryName, country.map_err(|_| anyhow!("a country has two letters"))?);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = now.into();
    params.not_after = now.checked_add(Duration::from_secs(DAYS * 24 * 60 * 60)).unwrap_or(now).into();
    params.serial_number = Some(serial_number()?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate =
        params.self_signed(&key.0).map_err(|error| anyhow!("no certificate can be made: {error}"))?;
    Ok(certificate.der().to_vec())
}

/// Positive, never zero, and no two alike (RFC 5280, 4.1.2.2).
fn serial_number() -> anyhow::Result<SerialNumber> {
    let entropy = entropy().map_err(|error| anyhow!("too little randomness: {error}"))?;
    let mut bytes: Vec<u8> = entropy.iter().copied().take(16).collect();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}
