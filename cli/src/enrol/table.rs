//! Writes a new person into the user table.
//!
//! ```text
//!   lock the table ──> read it anew ──> is she in it? ──> the old text + her entry ──> is it a table, and only that more?
//!                                                                                             │ yes
//!   users.toml  <──rename── users.toml.new  <── on disk, with the old one's owner and mode ───┘
//! ```
//!
//! An entry goes to the end, so everything that stood there stands there still, to the letter: comments, order, blanks.
//!
//! The lock is the kernel's (flock) on the table itself; whoever has got it looks whether the name still leads to that
//! file, because the one before has put another in its place. So of two enrolments at once both are in the table. A
//! process that is killed leaves the old table or the new one, and perhaps a `.new`, which the next one removes.
//!
//! The file is what logins trust. It is read by their rules (`mobileid::load`), and a link is not written through: the
//! new file would take the link's place.

use std::{
    fmt::{self, Write as _},
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use mobileid::{
    directory::{Answer, file::UserTable},
    load::{ConfigFile, guarded_folder},
    subscriber::{Language, Msisdn, UserName},
    text,
};
use nix::libc;

/// A user table that may be written to.
#[derive(Debug)]
pub(super) struct Table {
    file: PathBuf,
    new: PathBuf,
    folder: PathBuf,
}

/// Somebody who is not in a directory yet.
#[derive(Debug, Clone)]
pub(super) struct NewEntry {
    pub(super) user: UserName,
    pub(super) msisdn: Msisdn,
    pub(super) language: Option<Language>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// It is in the table from now on.
    Now,
    /// Somebody has entered the same number meanwhile.
    Before,
}

/// Why an entry is not in the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotEntered {
    /// The user stands there with another number.
    OtherNumber(Msisdn),
    /// The table cannot be read or written; a sentence that names the file.
    Unusable(String),
}

impl From<String> for NotEntered {
    fn from(why: String) -> Self {
        Self::Unusable(why)
    }
}

/// How long another process may hold the table: writing it takes milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

impl Table {
    /// The table at this path.
    ///
    /// # Errors
    /// A sentence that names it: it is a link, or in a folder that others can change.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(said(path, "is no file"));
        };
        let folder = guarded_folder(parent)?;
        let file = folder.join(name);
        let meta =
            fs::symlink_metadata(&file).map_err(|e| said(&file, format_args!("cannot be read: {e}")))?;
        if meta.is_symlink() {
            return Err(said(&file, "is a link: name the file itself in users.table"));
        }
        let mut new = name.to_owned();
        new.push(".new");
        Ok(Self { new: folder.join(new), file, folder })
    }

    /// Its real path.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Whether an entry could be written: to be asked before a phone is.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub(super) fn check(&self, entry: &NewEntry) -> Result<(), NotEntered> {
        let lock = self.lock()?;
        if let Some(text) = self.with(entry)? {
            self.write_new(&lock, &text)?;
            self.remove_new()?;
        }
        Ok(())
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// The closed list of [`NotEntered`]; the table is then as it was.
    pub(super) fn enter(&self, entry: &NewEntry) -> Result<Entered, NotEntered> {
        let lock = self.lock()?;
        let Some(text) = self.with(entry)? else { return Ok(Entered::Before) };
        self.write_new(&lock, &text)?;
        fs::rename(&self.new, &self.file)
            .map_err(|e| said(&self.file, format_args!("cannot be replaced: {e}")))?;
        // A name that is not on disk yet may be gone after a power cut, and the entry with it.
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(|e| said(&self.folder, format_args!("cannot be written to disk: {e}")))?;
        Ok(Entered::Now)
    }

    /// The text that the table is to have; None where the entry is in it.
    fn with(&self, entry: &NewEntry) -> Result<Option<String>, NotEntered> {
        let read = ConfigFile::read(&self.file).map_err(|mistakes| mistakes.to_string())?;
        let text = read.text.expose();
        let people = self.people(text)?;
        match people.lookup(&entry.user) {
            Answer::Found(found) if found.msisdn == entry.msisdn => Ok(None),
            Answer::Found(found) => Err(NotEntered::OtherNumber(found.msisdn)),
            _ => {
                let text = format!("{text}{}{entry}", gap(text));
                self.must_be(&people, &text, entry)?;
                Ok(Some(text))
            }
        }
    }

    fn people(&self, text: &str) -> Result<UserTable, String> {
        UserTable::parse(&self.file.display().to_string(), text).map_err(|mistakes| mistakes.to_string())
    }

    /// Nothing is written that a login could not read, or that says more than was to be said.
    fn must_be(&self, before: &UserTable, text: &str, entry: &NewEntry) -> Result<(), String> {
        let after = self.people(text)?;
        let is_in = matches!(after.lookup(&entry.user), Answer::Found(found) if found.msisdn == entry.msisdn);
        if is_in && after.len() == before.len().saturating_add(1) {
            return Ok(());
        }
        Err(said(&self.file, "would not be what it should with the entry: nothing was written"))
    }

    /// The table, locked, and surely the one that the name leads to.
    fn lock(&self) -> Result<File, String> {
        let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
        loop {
            let file = self.open()?;
            match file.try_lock() {
                Ok(()) if self.is_still(&file) => return Ok(file),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(e)) => {
                    return Err(said(&self.file, format_args!("cannot be locked: {e}")));
                }
            }
            if Instant::now() >= until {
                return Err(said(&self.file, "is held by another process: try again"));
            }
        }
    }

    fn open(&self) -> Result<File, String> {
        let flags = libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&self.file);
        file.map_err(|e| said(&self.file, format_args!("cannot be read: {e}")))
    }

    fn is_still(&self, file: &File) -> bool {
        let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(&self.file)) else { return false };
        (ours.dev(), ours.ino()) == (there.dev(), there.ino())
    }

    /// Writes the text beside the table, with the owner and mode of the table, and onto the disk.
    fn write_new(&self, table: &File, text: &str) -> Result<(), String> {
        let failed = |e: io::Error| said(&self.new, format_args!("cannot be written: {e}"));
        let like = table.metadata().map_err(failed)?;
        // Of somebody who was killed: whoever holds the lock is the only one to write it.
        self.remove_new()?;
        let written = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.new)?;
            file.write_all(text.as_bytes())?;
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
            file.set_permissions(Permissions::from_mode(like.mode() & 0o7777))?;
            file.sync_all()
        };
        written().map_err(|error| {
            // A disk that is full says so here: what is there is of no use. That it cannot go either changes nothing.
            let _ = fs::remove_file(&self.new);
            failed(error)
        })
    }

    fn remove_new(&self) -> Result<(), String> {
        match fs::remove_file(&self.new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(said(&self.new, format_args!("cannot be removed: {e}")))
            }
            _ => Ok(()),
        }
    }
}

/// What separates a new entry from what stands before it.
fn gap(text: &str) -> &'static str {
    match text {
        "" => "",
        _ if text.ends_with("\n\n") => "",
        _ if text.ends_with('\n') => "\n",
        _ => "\n\n",
    }
}

/// As it stands in the table.
impl fmt::Display for NewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[{}]", Key(self.user.as_str()))?;
        writeln!(f, "msisdn = \"+{}\"", self.msisdn.digits())?;
        self.language
            .map_or(Ok(()), |language| writeln!(f, "language = \"{}\"", language.wire().to_ascii_lowercase()))
    }
}

/// A name as a key of TOML: bare where that may be, else in quotes.
struct Key<'a>(&'a str);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !self.0.is_empty() && self.0.chars().all(is_bare) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            // A user name has no control characters; these two are all that is left to escape.
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

fn said(path: &Path, what: impl fmt::Display) -> String {
    format!("{} {what}", text::escaped(&path.display().to_string(), 400))
}

#[cfg(test)]
mod tests;
