//! Keeps records from one process to the next: one small file each, under a lock, in a folder of root's.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

/// A folder of records, by kind and key.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    durable: bool,
}

/// A record that nobody else can lock until this is dropped.
#[derive(Debug)]
pub struct Locked<'a> {
    store: &'a Store,
    lock: File,
}

/// Records of one kind.
#[derive(Debug, Default)]
pub struct Listing {
    /// What they hold.
    pub records: Vec<Vec<u8>>,
    /// A sentence about each that could not be read.
    pub unreadable: Vec<String>,
    /// Whether there are more than were looked at.
    pub more: bool,
}

/// What became of records that were to be removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// So many are gone.
    pub removed: usize,
    /// So many were held by somebody else, and are still there.
    pub busy: usize,
}

impl Store {
    /// Opens a folder whose records survive a crash of the host; makes it where it is missing.
    ///
    /// # Errors
    /// A sentence that names the folder, and what to do.
    pub fn open(_folder: &Path) -> Result<Self, String> {
        Err(String::new())
    }

    /// Opens a folder whose records are of no use after a boot; makes it where it is missing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_until_boot(_folder: &Path) -> Result<Self, String> {
        Err(String::new())
    }

    /// Locks the record of this kind and key, which need not exist; None where somebody else holds it.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn try_lock(&self, _kind: &'static str, _key: &str) -> Result<Option<Locked<'_>>, String> {
        Err(String::new())
    }

    /// What the records of a kind hold, locked or not; the oldest or the newest of each, never half of one.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn each(&self, _kind: &'static str) -> Result<Listing, String> {
        Err(String::new())
    }

    /// Removes the records of a kind that `which` says yes to, each under its lock.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn clear(&self, _kind: &'static str, _which: impl Fn(&[u8]) -> bool) -> Result<Removed, String> {
        Err(String::new())
    }

    /// Removes records of a kind that were last written longer ago than this; so many at a time.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn sweep(&self, _kind: &'static str, _older_than: Duration) -> Result<Removed, String> {
        Err(String::new())
    }
}

impl Locked<'_> {
    /// What the record holds; None where there is none.
    ///
    /// # Errors
    /// A sentence that names the file, and what to do.
    pub fn read(&self) -> Result<Option<Vec<u8>>, String> {
        Err(format!("{:?}{:?}{}", self.store.folder, self.lock, self.store.durable))
    }

    /// Writes the record: whoever reads it, after a crash too, sees the old one or this one.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn write(&mut self, _record: &[u8]) -> Result<(), String> {
        Err(String::new())
    }

    /// Removes the record, and gives the lock back.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn remove(self) -> Result<(), String> {
        Err(String::new())
    }
}
