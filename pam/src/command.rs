//! What sudo was asked to do: as whom, and what to run. The phone can then say what is confirmed.
//!
//! PAM does not tell. The command line of this very process does, which is sudo and set-user-ID: the kernel
//! keeps it, sudo acts on the same words, and the environment has no part in it.
//!
//! ```text
//!  sudo  -nu bob  LANG=C  --  systemctl restart nginx
//!  name  options  assignments │ command
//!                             └ from here on the words are the command's own
//! ```
//!
//! sudo and sudo-rs read their words nearly alike. Where they differ, where an option is unknown, or where sudo
//! would refuse, nothing is said: better no command on the phone than a wrong one.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "what the kernel says of this process is a file of /proc")]

mod options;
#[cfg(test)]
mod tests;

use std::{fs::File, io::Read};

use mobileid::prompt::Command;
use nix::unistd::{Uid, User};

use self::options::Options;

/// Who calls decides how long a command line is, up to some MiB. Of a longer one this is read.
const MOST_BYTES: u64 = 64 << 10;

/// What sudo was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// As whom, by name where there is one.
    pub(crate) target: String,
    /// What to run. What is no command by itself is called as it is typed: `sudo -i`.
    pub(crate) command: Command,
}

/// What the sudo that runs this process was asked to do by `caller` (PAM_RUSER).
pub(crate) fn asked(caller: Option<&str>) -> Option<Asked> {
    let mut bytes = Vec::new();
    File::open("/proc/self/cmdline").ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let name_of = |uid| Some(User::from_uid(Uid::from_raw(uid)).ok()??.name);
    let asked = parse(&Words::of(&bytes), caller)?;
    Some(Asked { target: named(asked.target, name_of), ..asked })
}

/// The words of a command line, as far as they were read.
struct Words {
    words: Vec<String>,
    /// The last word may go on, and more may follow.
    is_cut: bool,
}

impl Words {
    /// Each word ends with a NUL. What is no UTF-8 is replaced: it is only shown.
    fn of(bytes: &[u8]) -> Self {
        let whole = bytes.strip_suffix(b"\0");
        let words = whole.unwrap_or(bytes).split(|byte| *byte == 0);
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Self { words, is_cut: whole.is_none() || bytes.len() as u64 == MOST_BYTES }
    }
}

fn parse(line: &Words, caller: Option<&str>) -> Option<Asked> {
    let (name, words) = line.words.split_first()?;
    let options = Options::parse(name, words)?;
    // The words that were not read might have been options, or the rest of the program's name.
    if line.is_cut && options.command.len() < 2 {
        return None;
    }
    let target = match (options.user, options.has_group) {
        (Some(user), _) => user,
        // With a group alone the caller stays who he is.
        (None, true) => caller?,
        (None, false) => "root",
    };
    Some(Asked { target: target.to_owned(), command: command(&options)? })
}

/// The assignments belong to the line: they may change what the command does.
fn command(options: &Options<'_>) -> Option<Command> {
    let (own, command) = (options.mode.name(), || options.command.iter().map(String::as_str));
    let program = own.into_iter().chain(command()).next()?.to_owned();
    let line: Vec<&str> =
        own.into_iter().chain(options.assignments.iter().copied()).chain(command()).collect();
    Some(Command { program, line: line.join(" ") })
}

/// sudo takes `#0` for root; who reads it on a phone should too.
fn named(target: String, name_of: impl Fn(u32) -> Option<String>) -> String {
    let uid = target.strip_prefix('#').and_then(|number| number.trim_ascii_start().parse().ok());
    uid.and_then(name_of).unwrap_or(target)
}
