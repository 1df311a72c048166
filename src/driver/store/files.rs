//! The files of the store: what they are called, and what must be true of one before it is used.
//!
//! A file or folder that others could have changed or read is refused, and not mended: whoever had it open before could
//! still write to it. None is reached by a link.

use std::{
    fmt,
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use nix::libc;

use super::Lasts;
use crate::{load, memory::RECORD_MAX, text};

/// The most files of one kind that one call looks at.
pub(super) const LOOKED_AT: usize = 16_384;
/// How often a lock file may go while it is being locked. Each time somebody else has got on.
const LOCK_TRIES: usize = 100;

/// The name of a record: 64 hexadecimal digits.
pub(super) struct Name(pub(super) String);

impl Name {
    pub(super) fn of_key(key: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        Self(digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect())
    }

    /// The record that is in this file.
    pub(super) fn of_record(file: &str) -> Option<Self> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (file.len() == 64 && file.bytes().all(is_digit)).then(|| Self(file.to_owned()))
    }

    /// The record that this file belongs to.
    pub(super) fn of_file(file: &str) -> Option<Self> {
        Self::of_record(file.strip_suffix(".lock").or_else(|| file.strip_suffix(".new")).unwrap_or(file))
    }
}

/// Where one record is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) record: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) new: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &Path, Name(name): &Name) -> Self {
        let file = |suffix| folder.join(format!("{name}{suffix}"));
        Self { record: file(""), lock: file(".lock"), new: file(".new") }
    }

    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, String> {
        let file = match open(&self.record, OpenOptions::new().read(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(not_opened(&self.record, &error)),
        };
        private_file(&self.record, &file)?;
        let mut octets = Vec::new();
        let limit = u64::try_from(RECORD_MAX).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit)
            .read_to_end(&mut octets)
            .map_err(|e| said(&self.record, format_args!("cannot be read: {e}")))?;
        if octets.len() > RECORD_MAX {
            return Err(said(&self.record, format_args!("is larger than {RECORD_MAX} octets: remove it")));
        }
        Ok(Some(octets))
    }

    /// When the record was written; where there is none, when what is left of it was made.
    pub(super) fn written(&self) -> Option<SystemTime> {
        // The lock file last: locking may just have made it.
        let mut parts = [&self.record, &self.new, &self.lock].into_iter();
        parts.find_map(|part| fs::symlink_metadata(part).ok()?.modified().ok())
    }
}

/// The names of the files in a folder, up to a bound.
pub(super) fn files(folder: &Path) -> Result<impl Iterator<Item = Result<String, String>>, String> {
    Ok(every_file(folder)?.take(LOOKED_AT))
}

/// The names of all files in a folder; none of ours is without UTF-8.
pub(super) fn every_file(folder: &Path) -> Result<impl Iterator<Item = Result<String, String>>, String> {
    let failed = |e: io::Error| said(folder, format_args!("cannot be read: {e}"));
    let entries = fs::read_dir(folder).map_err(failed)?;
    Ok(entries.map(move |entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())))
}

/// The lock of this file, which is made where it is missing; None where somebody else has it.
pub(super) fn locked(path: &Path) -> Result<Option<File>, String> {
    for _ in 0..LOCK_TRIES {
        let file = open(path, OpenOptions::new().write(true).create(true).truncate(false).mode(0o600))
            .map_err(|e| not_opened(path, &e))?;
        let meta = private_file(path, &file)?;
        let held = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(e)) => return Err(said(path, format_args!("cannot be locked: {e}"))),
        };
        // While the file is open, no other file can have its number.
        let still_there =
            fs::symlink_metadata(path).is_ok_and(|at| (at.dev(), at.ino()) == (meta.dev(), meta.ino()));
        if still_there {
            return Ok(held.then_some(file));
        }
    }
    Ok(None)
}

/// Opens a file, never by a link, and never waiting for the other end of a pipe.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK).open(path)
}

fn private_file(path: &Path, file: &File) -> Result<Metadata, String> {
    let meta = file.metadata().map_err(|e| not_opened(path, &e))?;
    if !meta.is_file() {
        return Err(said(path, "is no regular file: remove it"));
    }
    load::private(path, &meta)?;
    Ok(meta)
}

/// The folder, which is made where it is missing, and closed to everybody else. Its parent is known to be guarded.
pub(super) fn private_folder(parent: &Path, path: &Path, lasts: Lasts) -> Result<PathBuf, String> {
    let failed = |e: io::Error| said(path, format_args!("cannot be made: {e}"));
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) if lasts == Lasts::ForGood => File::open(parent).and_then(|f| f.sync_all()).map_err(failed)?,
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let meta = fs::symlink_metadata(path).map_err(|e| said(path, format_args!("cannot be read: {e}")))?;
    if !meta.is_dir() {
        return Err(said(path, "is no folder: remove it"));
    }
    load::private(path, &meta)?;
    Ok(path.to_owned())
}

/// Removes a file that may not be there.
pub(super) fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn not_opened(path: &Path, error: &io::Error) -> String {
    if error.raw_os_error() == Some(libc::ELOOP) {
        return said(path, "is a link: remove it");
    }
    said(path, format_args!("cannot be opened: {error}"))
}

pub(super) fn said(path: &Path, what: impl fmt::Display) -> String {
    format!("{} {what}", text::escaped(&path.display().to_string(), 400))
}
