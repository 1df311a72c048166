//! Which OpenSSH runs this process, and so whether a person sees information in time.
//!
//! Before 10.3 sshd keeps an information text until it asks something or lets in: a person at such a host would
//! look at a blank terminal while the phone rings.
//!
//! The program says what it is: its image contains `OpenSSH_9.2` for the greeting, beside the names of older
//! versions with whose faults it knows how to live. So the newest name is its own. The image of this very
//! process is read, not the program of that path, which may have been upgraded since it started.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "what runs this process is seen in a file of /proc")]

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

const NAME: &[u8] = b"OpenSSH_";
/// The name with a version such as `999.999`: so much of one chunk is looked at again with the next.
const LONGEST: usize = NAME.len() + 7;
const CHUNK: usize = 1 << 16;
/// sshd has about one MiB.
const MOST_BYTES: u64 = 64 << 20;

/// The first that shows information as it comes.
const SHOWS_AT_ONCE: Version = Version { major: 10, minor: 3 };

/// Whether the OpenSSH that runs this process shows information at once. What is not known to do so does not.
pub(crate) fn shows_information_at_once() -> bool {
    shows_at_once(newest_in(Path::new("/proc/self/exe")))
}

fn shows_at_once(version: Option<Version>) -> bool {
    version.is_some_and(|version| version >= SHOWS_AT_ONCE)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u16,
    minor: u16,
}

/// The newest version that a file names. What cannot be read names none.
fn newest_in(path: &Path) -> Option<Version> {
    newest(File::open(path).ok()?.take(MOST_BYTES))
}

fn newest(mut image: impl Read) -> Option<Version> {
    let mut newest = None;
    let mut buffer = vec![0; LONGEST + CHUNK];
    let mut kept = 0;
    loop {
        let read = match image.read(buffer.get_mut(kept..)?) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // Half an image may name only what is older.
            Err(_) => return None,
        };
        let filled = kept + read;
        newest = newest.max(newest_of(buffer.get(..filled)?));
        // A name that is cut here is whole in the next chunk, and a version that was cut is longer there.
        let again = filled.saturating_sub(LONGEST);
        buffer.copy_within(again..filled, 0);
        kept = filled - again;
    }
    newest
}

fn newest_of(bytes: &[u8]) -> Option<Version> {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'O').map(|(at, _)| at);
    starts.filter_map(|at| version(bytes.get(at..)?.strip_prefix(NAME)?)).max()
}

/// `9.2p1`: two numbers of at most three digits. `3.*` is a pattern for older ones, and none.
fn version(text: &[u8]) -> Option<Version> {
    let (major, rest) = number(text)?;
    let (minor, _) = number(rest.strip_prefix(b".")?)?;
    Some(Version { major, minor })
}

fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let digits = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((str::from_utf8(number).ok()?.parse().ok()?, rest))
}
