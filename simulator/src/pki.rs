//! The authorities and every subscriber's key and certificate: made when first needed, kept, used again.
//!
//! ```text
//! genuine root (RSA 2048) ── intermediate (RSA 2048) ─┬─ a subscriber's certificate (P-256 or RSA 2048)
//!                                                     └─ the same subscriber's, expired
//! rogue root, same names ─── intermediate ────────────── the same subscriber's, from the wrong root
//! server root (P-256) ────── the TLS certificate, made afresh at each start
//! ```
//!
//! RSA keys are slow to make: these are of the shortest length that counts (the live root has 8192 bits), and
//! everything that not every run needs waits until somebody asks for it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow};

use crate::certificates::{AltName, Issuer, Name, Purpose, Validity, issue};
use crate::folder::{Folder, Mode, pem};
use crate::keys::{Key, KeyKind};
use crate::lock;

/// Which certificate of a subscriber is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) serial: String,
    pub(crate) kind: KeyKind,
    pub(crate) origin: Origin,
}

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Issued by the genuine authority and in its time.
    Genuine,
    /// Issued by the genuine authority; its time is over.
    Expired,
    /// Issued by authorities with the same names and other keys.
    Rogue,
}

/// A key that signs for a subscriber, with its chain.
pub(crate) struct Signer {
    pub(crate) key: Key,
    pub(crate) issuer: Name,
    /// The certificate's serial number, as it stands in it.
    pub(crate) serial: Vec<u8>,
    chain: [Vec<u8>; 3],
    names: [Name; 3],
}

impl Signer {
    /// Leaf, intermediate and root: the live service sends the root too.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(Vec::as_slice)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }
}

/// All keys and certificates of a state folder.
pub(crate) struct Pki {
    folder: Arc<Folder>,
    genuine: Chain,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    rogue: Option<Chain>,
    signers: HashMap<Identity, Arc<Signer>>,
}

struct Chain {
    root: Authority,
    intermediate: Authority,
}

struct Authority {
    name: Name,
    key: Key,
    certificate: Vec<u8>,
}

/// The service's TLS certificate.
pub(crate) struct ServerIdentity {
    pub(crate) root: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) pkcs8: Vec<u8>,
}

impl Pki {
    pub(crate) fn open(folder: Arc<Folder>) -> Result<Pki> {
        let genuine = Chain::open(&folder, "pki/signer")?;
        Ok(Pki { folder, genuine, made: Mutex::default() })
    }

    /// The anchor a client has to trust for signatures.
    pub(crate) fn signer_root(&self) -> &[u8] {
        &self.genuine.root.certificate
    }

    pub(crate) fn signer(&self, identity: &Identity) -> Result<Arc<Signer>> {
        let mut made = lock(&self.made);
        if let Some(signer) = made.signers.get(identity) {
            return Ok(signer.clone());
        }
        if identity.origin == Origin::Rogue && made.rogue.is_none() {
            made.rogue = Some(Chain::open(&self.folder, "pki/rogue")?);
        }
        let rogue = made.rogue.as_ref().filter(|_| identity.origin == Origin::Rogue);
        let signer = Arc::new(self.open_signer(identity, rogue.unwrap_or(&self.genuine))?);
        made.signers.insert(identity.clone(), signer.clone());
        Ok(signer)
    }

    fn open_signer(&self, identity: &Identity, chain: &Chain) -> Result<Signer> {
        let (validity, suffix) = match identity.origin {
            Origin::Genuine => (Validity::years(3), ""),
            Origin::Expired => (Validity::expired(), "-expired"),
            Origin::Rogue => (Validity::years(3), "-rogue"),
        };
        let kind = if identity.kind == KeyKind::Rsa { "-rsa" } else { "" };
        let name = Name::subscriber(&identity.serial);
        let stem = format!("pki/{}{kind}{suffix}", identity.serial);
        let (key, certificate) =
            keep(&self.folder, &stem, identity.kind, identity.origin == Origin::Expired, |key| {
                issue(&chain.intermediate.issuer(), &name, key, validity, &Purpose::Subscriber)
            })?;
        Ok(Signer {
            key,
            issuer: chain.intermediate.name.clone(),
            serial: parse(&certificate)?.raw_serial().to_vec(),
            chain: [certificate, chain.intermediate.certificate.clone(), chain.root.certificate.clone()],
            names: [name, chain.intermediate.name.clone(), chain.root.name.clone()],
        })
    }

    /// A TLS certificate for loopback and, where it is another one, the address that is listened on.
    pub(crate) fn server(&self, address: IpAddr) -> Result<ServerIdentity> {
        let name = Name::authority("Simulator Server Root");
        let root = Authority::open(&self.folder, "pki/server-root", name, KeyKind::Ec, None)?;
        let key = Key::generate(KeyKind::Ec)?;
        let mut names = vec![
            AltName::Dns("localhost"),
            AltName::Ip(Ipv4Addr::LOCALHOST.into()),
            AltName::Ip(Ipv6Addr::LOCALHOST.into()),
        ];
        if address != Ipv4Addr::LOCALHOST && address != Ipv6Addr::LOCALHOST {
            names.push(AltName::Ip(address));
        }
        let purpose = Purpose::Server(names);
        let certificate =
            issue(&root.issuer(), &Name::common("localhost"), &key, Validity::years(3), &purpose)?;
        Ok(ServerIdentity { root: root.certificate, certificate, pkcs8: key.to_pkcs8()? })
    }

    /// The Application Provider's certificate, which a client of this folder shows. It lies beside the
    /// configuration that names it.
    pub(crate) fn client(&self) -> Result<Vec<u8>> {
        let name = Name::common("mobileid.simulator.example");
        let (_, certificate) = keep(&self.folder, "client", KeyKind::Ec, false, |key| {
            issue(&Issuer { name: &name, key }, &name, key, Validity::years(5), &Purpose::Client)
        })?;
        Ok(certificate)
    }
}

impl Chain {
    /// The rogue chain has the names of the genuine one: telling them apart takes the keys.
    fn open(folder: &Folder, stem: &str) -> Result<Chain> {
        let root_name = Name::authority("Simulator Root CA");
        let root = Authority::open(folder, &format!("{stem}-root"), root_name, KeyKind::Rsa, None)?;
        let name = Name::authority("Simulator Issuing CA");
        let stem = format!("{stem}-intermediate");
        let intermediate = Authority::open(folder, &stem, name, KeyKind::Rsa, Some(&root))?;
        Ok(Chain { root, intermediate })
    }
}

impl Authority {
    fn open(
        folder: &Folder,
        stem: &str,
        name: Name,
        kind: KeyKind,
        above: Option<&Authority>,
    ) -> Result<Authority> {
        let (key, certificate) = keep(folder, stem, kind, false, |key| match above {
            Some(above) => {
                issue(&above.issuer(), &name, key, Validity::years(10), &Purpose::SubscriberAuthority)
            }
            None => issue(&Issuer { name: &name, key }, &name, key, Validity::years(20), &Purpose::Root),
        })?;
        Ok(Authority { name, key, certificate })
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer { name: &self.name, key: &self.key }
    }
}

/// Reads key and certificate from the folder, or makes and keeps what is missing or has run out.
fn keep(
    folder: &Folder,
    stem: &str,
    kind: KeyKind,
    may_be_expired: bool,
    certify: impl FnOnce(&Key) -> Result<Vec<u8>>,
) -> Result<(Key, Vec<u8>)> {
    let (key_file, certificate_file) = (format!("{stem}.key"), format!("{stem}.crt"));
    let (key, is_new) = if folder.has(&key_file) {
        (Key::from_pkcs8(kind, &folder.read_key(&key_file)?)?, false)
    } else {
        let key = Key::generate(kind)?;
        folder.write(&key_file, pem("PRIVATE KEY", &key.to_pkcs8()?).as_bytes(), Mode::Private)?;
        (key, true)
    };
    if !is_new && folder.has(&certificate_file) {
        let certificate = folder.read_certificate(&certificate_file)?;
        if may_be_expired || parse(&certificate)?.validity().is_valid() {
            return Ok((key, certificate));
        }
    }
    let certificate = certify(&key)?;
    folder.write(&certificate_file, pem("CERTIFICATE", &certificate).as_bytes(), Mode::Readable)?;
    Ok((key, certificate))
}

fn parse(certificate: &[u8]) -> Result<x509_parser::certificate::X509Certificate<'_>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| anyhow!("a kept certificate: {error}"))?;
    Ok(parsed)
}
