//! The roots of the signers' certificates. Whoever has a root's key can confirm every login, so a file is taken only
//! where each certificate in it has a fingerprint that Swisscom publishes, or that the administrator has named.

use std::{
    fs::OpenOptions,
    io::Read as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, anyhow, bail};
use mobileid::{
    load::is_certificate_file,
    text::escaped,
    verify::{Anchor, TrustAnchors},
};
use nix::libc;
use pem::{EncodeConfig, LineEnding, Pem, encode_config};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    found::Found,
    home::{Mode, OpenHome, is_there, shown},
    report::Report,
};
use crate::{check::anchors::Published, out::hex};

/// Larger than any file with a few certificates.
const FILE_MAX: u64 = 1 << 20;

/// A SHA-256 fingerprint, as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(String);

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("must be a SHA-256 fingerprint: 64 hexadecimal digits, with colons or without");
        }
        Ok(Self(digits.to_ascii_lowercase()))
    }
}

/// A root that may be trusted.
#[derive(Debug, Clone)]
pub(super) struct Root {
    anchor: Anchor,
    /// As Swisscom publishes it; None where the administrator vouches for it.
    published: Option<&'static Published>,
}

impl Root {
    /// What it is called in the folder.
    fn file(&self) -> String {
        match self.published {
            Some(published) => format!("{}.pem", published.slug()),
            None => format!("root-{}.pem", hex(&self.anchor.fingerprint()).get(..16).unwrap_or_default()),
        }
    }

    fn pem(&self) -> String {
        as_pem(self.anchor.der())
    }
}

/// The roots of these files.
///
/// # Errors
/// The first file that is no root, or one for which nobody vouches, by name and fingerprint.
pub(super) fn read(files: &[PathBuf], fingerprints: &[Fingerprint]) -> anyhow::Result<Vec<Root>> {
    let mut roots: Vec<Root> = Vec::new();
    for file in files {
        let flag = || format!("--trust {}", shown(file));
        for anchor in anchors(&bytes(file).with_context(flag)?).with_context(flag)?.iter() {
            let root = judged(anchor, fingerprints).with_context(flag)?;
            if roots.iter().all(|known| known.anchor.der() != anchor.der()) {
                roots.push(root);
            }
        }
    }
    let is_there =
        |Fingerprint(one): &&Fingerprint| roots.iter().any(|root| hex(&root.anchor.fingerprint()) == *one);
    if let Some(Fingerprint(lost)) = fingerprints.iter().find(|one| !is_there(one)) {
        bail!(
            "--trust-sha256 {lost}: no certificate of a --trust file has this fingerprint; nothing was copied"
        );
    }
    Ok(roots)
}

fn judged(anchor: &Anchor, fingerprints: &[Fingerprint]) -> anyhow::Result<Root> {
    let published = Published::of(anchor);
    let sha256 = hex(&anchor.fingerprint());
    if published.is_none() && !fingerprints.contains(&Fingerprint(sha256.clone())) {
        let subject = anchor.subject();
        if Published::claimed_by(anchor).is_some() {
            bail!(
                "{subject} has the name of a Swisscom root, but not its fingerprint: it has {sha256}; nothing was copied"
            );
        }
        bail!(
            "{subject} is none of Swisscom's published roots; nothing was copied. If it is meant, compare its SHA-256 \
             {sha256} with what its owner says, and add --trust-sha256 and those digits"
        );
    }
    Ok(Root { anchor: anchor.clone(), published })
}

/// What is to be done about roots.
#[derive(Debug)]
pub(super) struct Plan {
    folder: Option<PathBuf>,
    new: Vec<Root>,
    kept: Vec<PathBuf>,
    /// All that were named, those that were there already too.
    named: Vec<[u8; 32]>,
}

/// Holds the roots against those that are there. Nothing is changed yet.
///
/// # Errors
/// There is no folder for them; something else has a root's name; or a file that is there is no root.
pub(super) fn plan(roots: &[Root], found: &Found) -> anyhow::Result<Plan> {
    let places = found.places();
    let there = there(&places.trust)?;
    let is_new = |root: &&Root| there.iter().all(|(_, anchor)| anchor.der() != root.anchor.der());
    let new: Vec<Root> = roots.iter().filter(is_new).cloned().collect();
    let folder = (!new.is_empty()).then(|| places.trust_folder().cloned()).transpose()?;
    for root in &new {
        let file = folder.as_ref().map(|folder| folder.join(root.file()));
        if let Some(file) = file.filter(|file| is_there(file)) {
            bail!("{} is there, and is not the root of that name: move it away", shown(&file));
        }
    }
    let mut kept: Vec<PathBuf> = there.into_iter().map(|(file, _)| file).collect();
    kept.dedup();
    let named = roots.iter().map(|root| root.anchor.fingerprint()).collect();
    Ok(Plan { folder, new, kept, named })
}

impl Plan {
    /// Copies what is new.
    ///
    /// # Errors
    /// Names the file.
    pub(super) fn write(&self, home: &OpenHome, report: &mut Report<'_>) -> anyhow::Result<()> {
        for file in &self.kept {
            report.kept(file);
        }
        report.vouched(&self.named);
        let Some(folder) = &self.folder else { return Ok(()) };
        home.create_folder(folder)?;
        for root in &self.new {
            report.made(home, &folder.join(root.file()), root.pem().as_bytes(), Mode::Readable)?;
        }
        Ok(())
    }
}

/// The roots that a login finds in these files and folders, each with its file.
///
/// # Errors
/// Names a file that is no root.
pub(super) fn there(trust: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, Anchor)>> {
    let mut all = Vec::new();
    for path in trust.iter().filter(|path| is_there(path)) {
        for file in files_of(path)? {
            let read = mobileid::load::ConfigFile::read(&file)?;
            let found = anchors(read.text.expose().as_bytes()).with_context(|| shown(&file).to_string())?;
            all.extend(found.iter().map(|anchor| (file.clone(), anchor.clone())));
        }
    }
    Ok(all)
}

fn files_of(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = |error| anyhow!("{} cannot be read: {error}", shown(path));
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = path.read_dir().map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| is_certificate_file(file));
    files.sort();
    Ok(files)
}

/// A file that somebody named. Who owns it does not matter: what is in it is held against fingerprints.
pub(super) fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    // A FIFO does not block the open, and a terminal does not become ours.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        bail!("is no regular file");
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_MAX {
        bail!("is larger than 1 MiB: that is no certificate");
    }
    Ok(bytes)
}

/// Certificates, in PEM with whatever else stands there, or one in DER.
fn anchors(bytes: &[u8]) -> anyhow::Result<TrustAnchors> {
    let read = match pem_text(bytes) {
        Some(text) => TrustAnchors::from_pem(text),
        None => TrustAnchors::from_der(bytes.to_vec()),
    };
    read.map_err(|error| anyhow!("{}", escaped(&error.to_string(), 400)))
}

fn pem_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "))
}

/// All certificates of a file, as PEM.
pub(super) fn all_certificates(bytes: &[u8]) -> anyhow::Result<String> {
    let certificates: Vec<_> = match pem_text(bytes) {
        Some(text) => CertificateDer::pem_slice_iter(text.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| anyhow!("is not PEM: {error}"))?,
        None => vec![CertificateDer::from(bytes)],
    };
    let is_one = |der: &CertificateDer<'_>| {
        use x509_parser::prelude::FromDer as _;
        matches!(x509_parser::certificate::X509Certificate::from_der(der), Ok(([], _)))
    };
    if certificates.is_empty() || !certificates.iter().all(is_one) {
        bail!("has no certificate in it, neither PEM nor DER");
    }
    Ok(certificates.iter().map(|der| as_pem(der)).collect())
}

/// A certificate as it is written.
pub(super) fn as_pem(der: &[u8]) -> String {
    encode_config(&Pem::new("CERTIFICATE", der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}
