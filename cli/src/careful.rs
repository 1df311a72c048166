//! How files that logins trust are written: beside their place first and onto the disk, and then there in one step.
//! Whoever wants to write holds a lock, so that what lies beside is of somebody who was killed.

use std::{
    fmt,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long another process may hold a lock: writing takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Writes a new file, which nobody else may read before it is whole, and puts it onto the disk. `owner` is the user and
/// the group whose it shall be, if not ours.
///
/// # Errors
/// What the file system says. A file that was there is still there, and one that was begun is gone.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut written = || {
        file.write_all(bytes)?;
        if let Some((user, group)) = owner {
            fchown(&file, Some(user), Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    };
    written().inspect_err(|_| {
        // A disk that is full says so here: what is there is of no use. That it cannot go either changes nothing.
        let _ = fs::remove_file(path);
    })
}

/// Removes a file, if there is one.
///
/// # Errors
/// What the file system says.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts the names in a folder onto the disk: one that is not there yet may be gone after a power cut, and the file with
/// it.
///
/// # Errors
/// What the file system says.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}

/// A file, locked, and surely the one that the name leads to: the holder before may have put another in its place.
///
/// # Errors
/// The closed list of [`NotLocked`].
pub(crate) fn lock(path: &Path, open: impl Fn() -> io::Result<File>) -> Result<File, NotLocked> {
    let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    loop {
        let file = open().map_err(NotLocked::Open)?;
        match file.try_lock() {
            Ok(()) if is_still(&file, path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(NotLocked::Lock(error)),
        }
        if Instant::now() >= until {
            return Err(NotLocked::Held);
        }
    }
}

fn is_still(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Why a lock is not ours. The text stands behind the file's name.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// The file cannot be opened.
    Open(io::Error),
    /// The kernel has no lock for it.
    Lock(io::Error),
    /// Somebody else has held it all the time.
    Held,
}

impl fmt::Display for NotLocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => write!(f, "cannot be opened: {error}"),
            Self::Lock(error) => write!(f, "cannot be locked: {error}"),
            Self::Held => f.write_str("is held by another process: try again"),
        }
    }
}
