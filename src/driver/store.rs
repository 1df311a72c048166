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

mod files;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use nix::libc;

use self::files::{LOOKED_AT, Name, Place, every_file, files, gone, locked, private_folder, said};
use crate::{load, memory::RECORD_MAX};

/// The most records in a listing.
const LISTED: usize = 4096;
/// The most records that one sweep removes: it runs while somebody waits to log in.
const SWEPT: usize = 64;

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
    /// Whether there may be more.
    pub more: bool,
}

impl Listing {
    fn add(&mut self, folder: &Path, name: &Name) {
        match Place::new(folder, name).read() {
            Ok(record) => self.records.extend(record),
            Err(why) => self.unreadable.push(why),
        }
    }
}

/// What became of records that were to go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// So many are gone.
    pub removed: usize,
    /// So many were held by somebody else, and are still there.
    pub busy: usize,
}

/// Why a lock was not given to who waited for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLock {
    /// Nobody waits for it any more.
    Cancelled,
    /// Somebody else held it for too long.
    Late,
    /// The store cannot be used; the sentence says why.
    Broken(String),
}

impl From<String> for NoLock {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
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
        let here = Path::new(".");
        let parent = load::guarded_folder(if parent.as_os_str().is_empty() { here } else { parent })?;
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

    /// As [`Self::try_lock`], but waits until then for whoever holds it, and asks every `pause` whether `is_gone` who
    /// waits.
    ///
    /// # Errors
    /// The closed list of [`NoLock`].
    pub fn wait_for_lock(
        &self,
        kind: &'static str,
        key: &str,
        until: Instant,
        pause: Duration,
        is_gone: impl Fn() -> bool,
    ) -> Result<Locked<'_>, NoLock> {
        loop {
            if let Some(locked) = self.try_lock(kind, key)? {
                return Ok(locked);
            }
            if is_gone() {
                return Err(NoLock::Cancelled);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoLock::Late);
            }
            thread::sleep(left.min(pause));
        }
    }

    /// The record of this kind and key as it is or as it was, whether somebody holds it or not. None where there is none.
    ///
    /// # Errors
    /// A sentence that names a file or folder, and what to do.
    pub fn read(&self, kind: &'static str, key: &str) -> Result<Option<Vec<u8>>, String> {
        let folder = self.kind(kind)?;
        Place::new(&folder, &Name::of_key(key)).read()
    }

    /// The records of a kind, whether somebody holds them or not: each as it is or as it was, never half of it.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn each(&self, kind: &'static str) -> Result<Listing, String> {
        let folder = self.kind(kind)?;
        let mut listing = Listing::default();
        for (looked_at, file) in (1..).zip(files(&folder)?) {
            listing.more = looked_at == LOOKED_AT;
            let Some(name) = Name::of_record(&file?) else { continue };
            if listing.records.len() == LISTED {
                listing.more = true;
                break;
            }
            listing.add(&folder, &name);
        }
        Ok(listing)
    }

    /// As [`Self::each`], but all of them, however many there are: for an administrator, who waits for it.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn all(&self, kind: &'static str) -> Result<Listing, String> {
        let folder = self.kind(kind)?;
        let mut listing = Listing::default();
        for file in every_file(&folder)? {
            if let Some(name) = Name::of_record(&file?) {
                listing.add(&folder, &name);
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

#[cfg(test)]
mod tests;
