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
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mobileid::{
    directory::{Answer, file::UserTable},
    load::{ConfigFile, guarded_folder},
    subscriber::{Language, Msisdn, UserName},
    text,
};
use nix::libc;

use crate::careful;
/// How long another process may hold the table.
pub(super) use careful::PATIENCE;

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
        careful::sync(&self.folder)
            .map_err(|e| said(&self.folder, format_args!("cannot be written to disk: {e}")))?;
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

    /// The table, locked.
    fn lock(&self) -> Result<File, String> {
        careful::lock(&self.file, || self.open()).map_err(|why| said(&self.file, why))
    }

    fn open(&self) -> io::Result<File> {
        let flags = libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK;
        OpenOptions::new().read(true).custom_flags(flags).open(&self.file)
    }

    /// Writes the text beside the table, with the owner and mode of the table, and onto the disk.
    fn write_new(&self, table: &File, text: &str) -> Result<(), String> {
        let failed = |e: io::Error| said(&self.new, format_args!("cannot be written: {e}"));
        let like = table.metadata().map_err(failed)?;
        // Of somebody who was killed: whoever holds the lock is the only one to write it.
        self.remove_new()?;
        let owner = Some((like.uid(), like.gid()));
        careful::write_new(&self.new, text.as_bytes(), like.mode() & 0o7777, owner).map_err(failed)
    }

    fn remove_new(&self) -> Result<(), String> {
        careful::remove(&self.new).map_err(|e| said(&self.new, format_args!("cannot be removed: {e}")))
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
