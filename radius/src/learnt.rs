//! Addresses that have shown a valid Message-Authenticator, remembered across restarts: from then on nothing
//! without one is taken from them.
//!
//! One line each, `ADDRESS CLIENT`. The file is written anew and renamed into place, so a crash leaves the old one
//! or the new one; a file that cannot be read stops the start, because a forgotten line is a downgrade.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mobileid::load;
use nix::libc;

/// The file in the state folder.
const FILE: &str = "message-authenticators";
/// More addresses than clients that learn can reasonably have.
const MOST: usize = 65_536;

/// What is remembered, and where.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    entries: BTreeSet<(IpAddr, String)>,
}

impl Book {
    /// Reads what was remembered. A folder without the file is one in which nothing was learnt yet.
    ///
    /// # Errors
    /// A sentence: the file is there and cannot be read, or others could have changed it, or it is not ours.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let there = path.try_exists().map_err(|e| format!("{}: {e}", path.display()))?;
        let text = if there { load::secret_file(&path)? } else { Default::default() };
        let mut entries = BTreeSet::new();
        for (at, line) in text.expose().lines().enumerate() {
            let entry = parse(line).ok_or_else(|| {
                format!(
                    "{}:{}: not an address and a client's name. It remembers who must sign every request; remove the \
                     file only if all clients may be learnt anew",
                    path.display(),
                    at + 1
                )
            })?;
            entries.insert(entry);
        }
        Ok(Self { folder: folder.to_owned(), entries })
    }

    /// All that is remembered: client and address.
    pub fn entries(&self) -> impl Iterator<Item = (&str, IpAddr)> {
        self.entries.iter().map(|(address, client)| (client.as_str(), *address))
    }

    /// Remembers one more; false where it is known already, or the book is full.
    pub fn add(&mut self, client: &str, address: IpAddr) -> bool {
        self.entries.len() < MOST && self.entries.insert((address, client.to_owned()))
    }

    /// Puts it on disk, whole or not at all.
    ///
    /// # Errors
    /// What the system says, with the file's name.
    pub fn write(&self) -> Result<(), String> {
        let path = self.folder.join(FILE);
        self.write_to(&path).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        // What an interrupted write left behind.
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let flags = libc::O_NOFOLLOW;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(&new)?;
        let text: String =
            self.entries.iter().map(|(address, client)| format!("{address} {client}\n")).collect();
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // The rename is on disk when the folder is.
        File::open(&self.folder)?.sync_all()
    }
}

fn parse(line: &str) -> Option<(IpAddr, String)> {
    let (address, client) = line.split_once(' ')?;
    Some((address.parse().ok()?, client.to_owned())).filter(|(_, client)| !client.is_empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn what_was_learnt_is_there_after_a_restart() {
        let folder = Folder::new("learnt");
        let mut book = Book::read(folder.path()).unwrap();
        assert_eq!(book.entries().count(), 0);
        assert!(book.add("vpn 1", "192.0.2.1".parse().unwrap()));
        assert!(book.add("vpn 1", "2001:db8::1".parse().unwrap()));
        assert!(!book.add("vpn 1", "192.0.2.1".parse().unwrap()));
        // A write that was interrupted does not stop the next.
        fs::write(folder.join("message-authenticators.new"), "half").unwrap();
        book.write().unwrap();
        let again = Book::read(folder.path()).unwrap();
        assert_eq!(again.entries().collect::<Vec<_>>(), book.entries().collect::<Vec<_>>());
    }

    #[test]
    fn a_file_that_cannot_be_trusted_stops_the_start() {
        let folder = Folder::new("learnt-bad");
        let path = folder.join(FILE);
        for (text, mode, because) in [
            ("192.0.2.1 vpn\nrubbish\n", 0o600, ":2: not an address"),
            ("192.0.2.1 \n", 0o600, ":1: not an address"),
            ("192.0.2.1 vpn\n", 0o666, "message-authenticators: "),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = Book::read(folder.path()).unwrap_err();
            assert!(refused.contains(because), "{refused}");
        }
    }
}
