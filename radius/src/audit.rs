//! Where audit lines go: one JSON object per login, on standard output or in a file of its own.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use nix::libc;

use crate::config::AuditTo;

/// An open place for audit lines.
#[derive(Debug)]
pub enum Sink {
    /// Standard output, which is the journal's under systemd.
    Stdout,
    /// A file that only grows. Who rotates it renames it and sends SIGHUP; then it is opened anew.
    File {
        /// As the configuration has it.
        path: PathBuf,
        /// Open for appending.
        file: File,
    },
}

impl Sink {
    /// Opens the place that the configuration names.
    ///
    /// # Errors
    /// A sentence with the file's name. A file that cannot be written is found out now, not at the first login.
    pub fn open(to: &AuditTo) -> Result<Self, String> {
        let AuditTo::File(path) = to else { return Ok(Self::Stdout) };
        let cannot = |why: String| format!("the audit file {}: {why}", path.display());
        // Not through a link, which whoever may write to the folder could have put there; and without waiting for
        // the other end, should it be a pipe.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path);
        let file = file.map_err(|e| cannot(e.to_string()))?;
        match file.metadata() {
            Ok(found) if found.is_file() => Ok(Self::File { path: path.clone(), file }),
            Ok(_) => Err(cannot("it is no regular file".into())),
            Err(e) => Err(cannot(e.to_string())),
        }
    }

    /// Writes whole lines.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, lines: &str) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines.as_bytes())?;
                stdout.flush()
            }
            Self::File { file, .. } => file.write_all(lines.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_file_is_closed_to_others_grows_and_is_not_reached_through_a_link() {
        let folder = Folder::new("audit");
        let path = folder.join("audit.json");
        let to = AuditTo::File(path.clone());
        Sink::open(&to).unwrap().write("one\n").unwrap();
        Sink::open(&to).unwrap().write("two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);

        let link = folder.join("link");
        symlink(&path, &link).unwrap();
        let refused = Sink::open(&AuditTo::File(link)).unwrap_err();
        assert!(refused.contains("/link: "), "{refused}");
        assert!(Sink::open(&AuditTo::File(folder.path().into())).is_err());
    }
}
