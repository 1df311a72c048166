//! Which process this is.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "what the kernel says of this process is a file of /proc")]

use std::{fs::File, io::Read};

/// The line has 52 numbers and a name.
const MOST_BYTES: u64 = 4096;

/// What no other process of this host has had or will have before it boots again: the number of this process,
/// which comes again, and the moment at which it started.
pub(crate) fn identity() -> Option<String> {
    let mut stat = Vec::new();
    File::open("/proc/self/stat").ok()?.take(MOST_BYTES).read_to_end(&mut stat).ok()?;
    identity_in(&String::from_utf8_lossy(&stat))
}

/// `pid (name) state ppid ...`, the start being the 22nd (proc_pid_stat). The name is foreign: it may hold blanks
/// and brackets, but there is no bracket behind it.
fn identity_in(stat: &str) -> Option<String> {
    let (before, after) = stat.rsplit_once(')')?;
    let (pid, _) = before.split_once(" (")?;
    let start = after.split_ascii_whitespace().nth(19)?;
    let (pid, start): (u32, u64) = (pid.parse().ok()?, start.parse().ok()?);
    Some(format!("process:{pid}:{start}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_deceives_nobody() {
        let behind = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        for name in ["sudo", "", ") S 1 2 3", "a b", "(((", ")))", "\u{fffd}\n"] {
            let stat = format!("812 ({name}) {behind}\n");
            assert_eq!(identity_in(&stat).as_deref(), Some("process:812:4711"), "{name}");
        }
    }

    #[test]
    fn a_line_that_is_cut_names_nobody() {
        let stat = "812 (sudo) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 ";
        for length in 0..=stat.len() {
            assert_eq!(identity_in(&stat[..length]), None, "{length}");
        }
        assert_eq!(identity_in("x (sudo) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"), None);
    }

    #[test]
    fn it_is_this_process() {
        let own = identity().unwrap();
        assert!(own.starts_with(&format!("process:{}:", std::process::id())), "{own}");
        assert_eq!(identity(), Some(own));
    }
}
