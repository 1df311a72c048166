//! Keeps records from one process to the next: a small file each, under a lock, in a folder that is root's alone.
//!
//! ```text
//!   /run/mobileid/           0700, in a folder that only root can change
//!     connection/            0700, one per kind of record
//!       3f9a...e1            a record; named by the SHA-256 of its key, so foreign text is never part of a path
//!       3f9a...e1.lock       empty; who holds its lock may read and write the record
//!       3f9a...e1.new        a record that is being written, or whose writer was killed
//! ```
//!
//! # Whoever dies at any moment
//! The lock is the kernel's (flock), and goes with the process that held it. A record is written beside the old one and
//! renamed over it, so there is always a whole one: the old or the new. What a killed writer leaves is a `.new`, which
//! the next one replaces, and a lock file that nobody has locked. In a folder that is kept, a record is on disk before
//! it has its name, and its name before [`Locked::write`] returns.
//!
//! # Lock files that go
//! A lock file per connection would fill the folder, so they are removed, by [`Locked::remove`] and [`Store::sweep`].
//! Another process may have opened the file by then and would lock what nobody else can find any more. Two rules
//! prevent that. Only who holds the lock removes its file, and does so last. Who has got a lock looks whether the name
//! still leads to the file, and if not begins again.

use std::{
    fmt,
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use nix::libc;

use crate::{load, memory::RECORD_MAX, text};

/// The most files of one kind that one call looks at.
const LOOKED_AT: usize = 16_384;
/// The most records in a listing.
const LISTED: usize = 4096;
/// The most records that one sweep removes: it runs while somebody waits to log in.
const SWEPT: usize = 64;
/// How often a lock file may go while it is being locked. Each time somebody else has got on.
const LOCK_TRIES: usize = 100;

/// A folder of records, by kind and key.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    lasts: Lasts,
}

/// What records must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// The end of a process.
    UntilBoot,
    /// A power cut.
    ForGood,
}

/// Records of one kind.
#[derive(Debug, Default)]
pub struct Listing {
    /// What they hold.
    pub records: Vec<Vec<u8>>,
    /// A sentence about each that cannot be read.
    pub unreadable: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

/// What became of records that were to go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// So many are gone.
    pub removed: usize,
    /// So many were held by somebody else, and are still there.
    pub busy: usize,
}

impl Store {
    /// Opens a folder whose records survive a power cut; makes it where it is missing.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn open(folder: &Path) -> Result<Self, String> {
        Self::lasting(folder, Lasts::ForGood)
    }

    /// Opens a folder whose records are worth nothing after a boot; makes it where it is missing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_until_boot(folder: &Path) -> Result<Self, String> {
        Self::lasting(folder, Lasts::UntilBoot)
    }

    fn lasting(folder: &Path, lasts: Lasts) -> Result<Self, String> {
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
            return Err(said(folder, "is no folder for records: name one below another"));
        };
        let parent = load::guarded_folder(parent)?;
        let folder = private_folder(&parent, &parent.join(name), lasts)?;
        Ok(Self { folder, lasts })
    }

    /// Locks the record of this kind and key, whether there is one or not. None where somebody else holds it, be it in
    /// another process or in this one.
    ///
    /// # Errors
    /// A sentence that names a file or folder, and what to do.
    pub fn try_lock(&self, kind: &'static str, key: &str) -> Result<Option<Locked<'_>>, String> {
        let folder = self.kind(kind)?;
        self.lock(Place::new(&folder, &Name::of_key(key)))
    }

    /// The records of a kind, whether somebody holds them or not: each as it is or as it was, never half of it.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn each(&self, kind: &'static str) -> Result<Listing, String> {
        let folder = self.kind(kind)?;
        let mut listing = Listing::default();
        for file in files(&folder)? {
            let Some(name) = Name::of_record(&file?) else { continue };
            if listing.records.len() == LISTED {
                listing.more = true;
                break;
            }
            match Place::new(&folder, &name).read() {
                Ok(record) => listing.records.extend(record),
                Err(why) => listing.unreadable.push(why),
            }
        }
        Ok(listing)
    }

    /// Removes the records of a kind for which `which` says so, each under its lock. One that cannot be read is shown
    /// to it as no octets at all, which is nobody's record.
    ///
    /// # Errors
    /// A sentence that names a file or folder, and what to do.
    pub fn clear(&self, kind: &'static str, which: impl Fn(&[u8]) -> bool) -> Result<Removed, String> {
        let goes = |place: &Place| match place.read() {
            Ok(record) => record.is_some_and(|octets| which(&octets)),
            Err(_) => which(&[]),
        };
        self.remove(kind, LOOKED_AT, goes)
    }

    /// Removes records of a kind that were written so long ago, and what killed processes have left; so many at a
    /// time, so that it may run at each login. The age is that of the file, by the wall clock: where that is set
    /// forward, records go early.
    ///
    /// # Errors
    /// A sentence that names a file or folder, and what to do.
    pub fn sweep(&self, kind: &'static str, older_than: Duration) -> Result<Removed, String> {
        let now = SystemTime::now();
        let is_old = |written: SystemTime| now.duration_since(written).is_ok_and(|age| age >= older_than);
        self.remove(kind, SWEPT, |place| place.written().is_some_and(is_old))
    }

    fn remove(&self, kind: &str, most: usize, goes: impl Fn(&Place) -> bool) -> Result<Removed, String> {
        let folder = self.kind(kind)?;
        let mut count = Removed::default();
        for file in files(&folder)? {
            let Some(name) = Name::of_file(&file?) else { continue };
            let place = Place::new(&folder, &name);
            if count.removed == most {
                break;
            }
            if !goes(&place) {
                continue;
            }
            match self.lock(place)? {
                // It may have been written since it was looked at.
                Some(locked) if goes(&locked.place) => {
                    locked.remove()?;
                    count.removed = count.removed.saturating_add(1);
                }
                Some(_) => {}
                None => count.busy = count.busy.saturating_add(1),
            }
        }
        Ok(count)
    }

    fn kind(&self, kind: &str) -> Result<PathBuf, String> {
        private_folder(&self.folder, &self.folder.join(kind), self.lasts)
    }

    fn lock(&self, place: Place) -> Result<Option<Locked<'_>>, String> {
        let lock = locked(&place.lock)?;
        Ok(lock.map(|lock| Locked { store: self, place, lock }))
    }
}

/// A record that nobody else can lock until this is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct Locked<'a> {
    store: &'a Store,
    place: Place,
    lock: File,
}

impl Locked<'_> {
    /// What the record holds; None where there is none.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn read(&self) -> Result<Option<Vec<u8>>, String> {
        self.place.read()
    }

    /// Writes the record.
    ///
    /// # Errors
    /// A sentence that names the file. The record is the old one then, or where only the disk would not say that it
    /// has it, this one.
    pub fn write(&mut self, record: &[u8]) -> Result<(), String> {
        if record.len() > RECORD_MAX {
            return Err(said(&self.place.record, format_args!("cannot hold {} octets", record.len())));
        }
        let written = self.put(record);
        if written.is_err() {
            // A full disk has room again; what is not removed now, the next writer removes.
            let _ = fs::remove_file(&self.place.new);
        }
        written.map_err(|e| said(&self.place.record, format_args!("cannot be written: {e}")))
    }

    fn put(&self, record: &[u8]) -> io::Result<()> {
        let Place { record: name, new, .. } = &self.place;
        gone(new)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(new)?;
        file.write_all(record)?;
        if self.store.lasts == Lasts::ForGood {
            file.sync_all()?;
        }
        fs::rename(new, name)?;
        self.settle()
    }

    /// Removes the record and its lock file.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn remove(self) -> Result<(), String> {
        let Place { record, lock, new } = &self.place;
        // The lock last: once it is gone, the record is somebody else's.
        let removed = gone(record).and_then(|()| gone(new)).and_then(|()| gone(lock));
        removed.and_then(|()| self.settle()).map_err(|e| said(record, format_args!("cannot be removed: {e}")))
    }

    /// What was done to names is on disk when their folder is.
    fn settle(&self) -> io::Result<()> {
        match (self.store.lasts, self.place.record.parent()) {
            (Lasts::ForGood, Some(folder)) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing it is not enough: a child that the host has forked meanwhile has the same open file, lock included.
        let _ = self.lock.unlock();
    }
}

/// The name of a record: 64 hexadecimal digits.
struct Name(String);

impl Name {
    fn of_key(key: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        Self(digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect())
    }

    /// The record that is in this file.
    fn of_record(file: &str) -> Option<Self> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (file.len() == 64 && file.bytes().all(is_digit)).then(|| Self(file.to_owned()))
    }

    /// The record that this file belongs to.
    fn of_file(file: &str) -> Option<Self> {
        Self::of_record(file.strip_suffix(".lock").or_else(|| file.strip_suffix(".new")).unwrap_or(file))
    }
}

/// Where one record is.
#[derive(Debug)]
struct Place {
    record: PathBuf,
    lock: PathBuf,
    new: PathBuf,
}

impl Place {
    fn new(folder: &Path, Name(name): &Name) -> Self {
        let file = |suffix| folder.join(format!("{name}{suffix}"));
        Self { record: file(""), lock: file(".lock"), new: file(".new") }
    }

    fn read(&self) -> Result<Option<Vec<u8>>, String> {
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
    fn written(&self) -> Option<SystemTime> {
        // The lock file last: locking may just have made it.
        let mut parts = [&self.record, &self.new, &self.lock].into_iter();
        parts.find_map(|part| fs::symlink_metadata(part).ok()?.modified().ok())
    }
}

/// The names of the files in a folder, up to a bound; none of ours is without UTF-8.
fn files(folder: &Path) -> Result<impl Iterator<Item = Result<String, String>>, String> {
    let failed = |e: io::Error| said(folder, format_args!("cannot be read: {e}"));
    let entries = fs::read_dir(folder).map_err(failed)?.take(LOOKED_AT);
    Ok(entries.map(move |entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned())))
}

/// The lock of this file, which is made where it is missing; None where somebody else has it.
fn locked(path: &Path) -> Result<Option<File>, String> {
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
fn private_folder(parent: &Path, path: &Path, lasts: Lasts) -> Result<PathBuf, String> {
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
fn gone(path: &Path) -> io::Result<()> {
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

fn said(path: &Path, what: impl fmt::Display) -> String {
    format!("{} {what}", text::escaped(&path.display().to_string(), 400))
}

#[cfg(test)]
mod tests;
