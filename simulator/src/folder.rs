//! The state folder: private to its owner, used by one simulator at a time, written so that a file is
//! either the old one or the new one and never half of it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::fcntl::{Flock, FlockArg};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// Who may read a file.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Private = 0o600,
    Readable = 0o644,
}

/// An open state folder. While it lives, no other simulator opens the same one.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Folder {
    /// Opens the folder, creating it when it is missing.
    pub(crate) fn open(path: &Path) -> Result<Folder> {
        make_private(path).with_context(|| format!("state folder {}", path.display()))?;
        let path = fs::canonicalize(path)?;
        let lock_file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(Mode::Private as u32)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(path.join("lock"))
            .with_context(|| format!("state folder {}", path.display()))?;
        let lock = Flock::lock(lock_file, FlockArg::LockExclusiveNonblock)
            .map_err(|_| anyhow!("state folder {}: another simulator is using it", path.display()))?;
        make_private(&path.join("pki"))?;
        Ok(Folder { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces a file's content in one step.
    pub(crate) fn write(&self, name: &str, content: &[u8], mode: Mode) -> Result<()> {
        let target = self.path.join(name);
        let fresh = self.path.join(format!("{name}.new"));
        let write = || -> Result<()> {
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode as u32).open(&fresh)?;
            file.write_all(content)?;
            fs::rename(&fresh, &target)?;
            Ok(())
        };
        write().with_context(|| format!("writing {}", target.display()))
    }

    /// Adds to a file, creating it when it is missing.
    pub(crate) fn append(&self, name: &str, content: &[u8]) -> Result<()> {
        let target = self.path.join(name);
        self.appendable(name)
            .and_then(|mut file| Ok(file.write_all(content)?))
            .with_context(|| format!("writing {}", target.display()))
    }

    /// Opens a private file for adding to it.
    pub(crate) fn appendable(&self, name: &str) -> Result<File> {
        let target = self.path.join(name);
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(Mode::Private as u32)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&target)
            .with_context(|| format!("opening {}", target.display()))
    }

    pub(crate) fn read_text(&self, name: &str) -> Result<String> {
        let path = self.path.join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    pub(crate) fn read_certificate(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        let certificate =
            CertificateDer::from_pem_file(&path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        Ok(certificate.to_vec())
    }

    /// Reads a PKCS#8 key.
    pub(crate) fn read_key(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        let key = PrivatePkcs8KeyDer::from_pem_file(&path)
            .map_err(|error| anyhow!("{}: {error}", path.display()))?;
        Ok(key.secret_pkcs8_der().to_vec())
    }
}

/// One PEM block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while let Some((line, tail)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// Creates a folder for its owner alone. One that is there already must be ours: in somebody else's, links could
/// send what we write elsewhere. It must be closed or empty, too: changing the mode of a full folder (`--state /tmp`)
/// is not ours to do.
fn make_private(path: &Path) -> Result<()> {
    match DirBuilder::new().recursive(false).mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() || meta.uid() != nix::unistd::geteuid().as_raw() {
        bail!("it is no folder of yours: name a new one");
    }
    let mode = meta.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    if fs::read_dir(path)?.next().is_some() {
        bail!(
            "others may enter it (mode {:04o}); it will hold keys: chmod 700 it or name a new folder",
            mode & 0o7777
        );
    }
    Ok(fs::set_permissions(path, Permissions::from_mode(0o700))?)
}
