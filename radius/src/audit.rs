//! Where audit lines go: one JSON object per login, on standard output or in a file of its own.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
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
        /// Open for appending.
        file: File,
        /// The last write ended within a line, because the disk was full.
        torn: bool,
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
            Ok(found) if found.is_file() => Ok(Self::File { file, torn: false }),
            Ok(_) => Err(cannot("it is no regular file".into())),
            Err(e) => Err(cannot(e.to_string())),
        }
    }

    /// Whether [`Self::open`] could open it, as far as can be told without creating it.
    ///
    /// # Errors
    /// A sentence with the file's name.
    pub fn check(to: &AuditTo) -> Result<(), String> {
        match to {
            AuditTo::File(path) if path.symlink_metadata().is_ok_and(|found| !found.is_file()) => {
                Err(format!("the audit file {}: it is no regular file", path.display()))
            }
            _ => Ok(()),
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
            Self::File { file, torn } => append(file, torn, lines.as_bytes()),
        }
    }
}

/// Writes lines behind those that are there. What is left of a line that did not fit is ended first: the next one is
/// then whole, for whoever reads them.
fn append(file: &mut impl Write, torn: &mut bool, lines: &[u8]) -> io::Result<()> {
    if *torn {
        file.write_all(b"\n")?;
        *torn = false;
    }
    let mut rest = lines;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                let (done, left) = rest.split_at_checked(written).unwrap_or((rest, &[]));
                *torn = !done.ends_with(b"\n");
                rest = left;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;
    use crate::testing::Folder;

    /// A disk with so much room.
    struct Disk {
        kept: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let fits = octets.len().min(self.room);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.kept.extend_from_slice(&octets[..fits]);
            self.room -= fits;
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_did_not_fit_does_not_spoil_the_next() {
        for (room, expected) in [
            (0, "four\n"),
            (3, "one\nfour\n"),
            (4, "one\nfour\n"),
            (6, "one\ntw\nfour\n"),
            (8, "one\ntwo\nfour\n"),
        ] {
            let (mut disk, mut torn) = (Disk { kept: Vec::new(), room }, false);
            assert!(append(&mut disk, &mut torn, b"one\ntwo\nthree\n").is_err());
            assert!(append(&mut disk, &mut torn, b"lost\n").is_err());
            disk.room = 100;
            append(&mut disk, &mut torn, b"four\n").unwrap();
            assert_eq!(String::from_utf8(disk.kept).unwrap(), expected, "room for {room}");
        }
    }

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

        let fit = ["audit.json", "none-yet", "link", "."]
            .map(|name| Sink::check(&AuditTo::File(folder.join(name))).is_ok());
        assert_eq!(fit, [true, true, false, false]);
        assert!(!folder.join("none-yet").exists());
    }
}
