//! The folder that setup fills, and how a file comes into it.
//!
//! ```text
//!   .setup.new (0600) ── written, mode set, on disk ──link──> client.key     fails if anything is there, a link too
//! ```
//!
//! The name appears with the whole file behind it, or not at all. Nobody but root could have changed the folder or the
//! way to it: the rules are those by which a login reads it (`mobileid::load`), and the folder itself may not be
//! writable by others even with a sticky bit.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{anyhow, bail};
use mobileid::{load::guarded_folder, text::escaped};
use nix::{libc, unistd::geteuid};

use crate::{
    careful,
    progress::{Bound, Progress},
};

/// Where logins look.
pub(super) const DEFAULT: &str = "/etc/mobileid";

/// What a file is called until it is whole.
const NEW: &str = ".setup.new";

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A key, or phone numbers.
    Private = 0o600,
    /// What is no secret.
    Readable = 0o644,
}

/// The folder, looked at.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
}

/// The folder, there, and ours for as long as this lives.
#[derive(Debug)]
pub(super) struct OpenHome {
    path: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Home {
    /// The folder with this path, which may be missing, but not the one that it is in.
    ///
    /// # Errors
    /// Names it, and says what is wrong with it.
    pub(super) fn at(folder: &Path) -> anyhow::Result<Self> {
        if folder == Path::new(DEFAULT) && !geteuid().is_root() {
            bail!("{DEFAULT} is root's: run this as root");
        }
        let absolute = std::path::absolute(folder)?;
        match fs::symlink_metadata(&absolute) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
                    bail!("--folder {}: is no folder", shown(folder));
                };
                let parent = guarded_folder(parent).map_err(|why| anyhow!("--folder: {why}"))?;
                Ok(Self { path: parent.join(name) })
            }
            _ => Ok(Self { path: ours(&absolute)? }),
        }
    }

    /// A file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the folder where it is missing, and keeps other setups out.
    ///
    /// # Errors
    /// Names the folder or the lock.
    pub(super) fn open(self, progress: Progress) -> anyhow::Result<OpenHome> {
        make_folder(&self.path)?;
        let _waiting = progress.wait("another setup", Bound::AtMost(careful::PATIENCE));
        let lock = self.path.join(".setup.lock");
        let open = || {
            let flags = libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK;
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(Mode::Private as u32);
            options.custom_flags(flags).open(&lock)
        };
        let held = careful::lock(&lock, open).map_err(|why| anyhow!("{} {why}", shown(&lock)))?;
        let home = OpenHome { path: self.path, lock, _held: held };
        home.clear_up([&home.path])?;
        Ok(home)
    }
}

impl Drop for OpenHome {
    fn drop(&mut self) {
        // While it is held still. A lock that stays is taken by the next setup.
        let _ = fs::remove_file(&self.lock);
    }
}

impl OpenHome {
    /// A file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes what a setup that was killed has left in these folders: this one holds the lock.
    ///
    /// # Errors
    /// Names what cannot be removed.
    pub(super) fn clear_up<'a>(&self, folders: impl IntoIterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
        for folder in folders.into_iter().filter(|folder| is_there(folder)) {
            let new = ours(folder)?.join(NEW);
            careful::remove(&new).map_err(|error| anyhow!("{} cannot be removed: {error}", shown(&new)))?;
        }
        Ok(())
    }

    /// Makes a file that is not there.
    ///
    /// # Errors
    /// Names the file: it is there after all, or what the file system says. Nothing was changed then.
    pub(super) fn create(&self, file: &Path, bytes: &[u8], mode: Mode) -> anyhow::Result<()> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::AlreadyExists => {
                anyhow!("{} has appeared meanwhile, and is kept: run setup again", shown(file))
            }
            _ => anyhow!("{} cannot be made: {error}", shown(file)),
        };
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
            bail!("{} is no file", shown(file));
        };
        let folder = ours(parent)?;
        let new = folder.join(NEW);
        careful::write_new(&new, bytes, mode as u32, None).map_err(failed)?;
        let linked = fs::hard_link(&new, folder.join(name));
        careful::remove(&new).map_err(failed)?;
        linked.and_then(|()| careful::sync(&folder)).map_err(failed)
    }

    /// Makes a folder inside, where it is missing.
    ///
    /// # Errors
    /// Names the folder.
    pub(super) fn create_folder(&self, folder: &Path) -> anyhow::Result<()> {
        make_folder(folder)
    }
}

/// Whether something has this name, a link that leads nowhere too.
pub(super) fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// A path, for a message.
pub(super) fn shown(path: &Path) -> impl fmt::Display + use<> {
    escaped(&path.display().to_string(), 400)
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o755).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            bail!("{} cannot be made: {error}", shown(folder))
        }
        Err(_) => ours(folder).map(|_| ()),
        Ok(()) => {
            // Whatever umask the shell had: the responder's user reads in here.
            let opened = fs::set_permissions(folder, Permissions::from_mode(0o755));
            opened.map_err(|error| anyhow!("{} cannot be opened to readers: {error}", shown(folder)))
        }
    }
}

/// The real path of a folder that only we can change.
fn ours(folder: &Path) -> anyhow::Result<PathBuf> {
    let real = guarded_folder(folder).map_err(anyhow::Error::msg)?;
    let meta =
        fs::symlink_metadata(&real).map_err(|error| anyhow!("{} cannot be read: {error}", shown(&real)))?;
    if meta.mode() & 0o022 != 0 {
        bail!("{} may be changed by others: chmod go-w it, or name another folder", shown(&real));
    }
    if meta.uid() != geteuid().as_raw() {
        bail!("{} is root's: run this as root", shown(&real));
    }
    Ok(real)
}
