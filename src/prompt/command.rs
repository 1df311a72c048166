//! A command as it may stand on a phone: in quotes that it cannot leave.

use std::fmt;

use crate::text::is_unprintable;

/// What is to be run as another user. Its arguments may hold a password, so that `Debug` leaves them out.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// Its first word: the program.
    pub program: String,
    /// All of it.
    pub line: String,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("program", &self.program).finish_non_exhaustive()
    }
}

/// A command is cut to this many characters.
pub(super) const LONGEST: usize = 60;

impl Command {
    /// The whole line in double quotes, of which there are none within, cut to `longest` characters.
    pub(super) fn quoted(&self, longest: usize) -> String {
        let mut inner = String::new();
        let mut room = longest;
        for c in self.line.chars().map(seen) {
            // Two single quotes side by side pass for a double one.
            if c == '\'' && inner.ends_with(c) {
                continue;
            }
            let Some(left) = room.checked_sub(1) else { return format!("\"{inner}..\"") };
            inner.push(c);
            room = left;
        }
        format!("\"{inner}\"")
    }
}

/// A character of a command as it may stand within quotes. Beyond ASCII only letters and digits are themselves: there
/// are dozens of quotes, and as many marks that look like one.
fn seen(c: char) -> char {
    match c {
        '"' | '\'' | '`' => '\'',
        ' '..='~' => c,
        // Letters by name, quotes and accents by looks.
        '\u{2b0}'..='\u{36f}' => '?',
        _ if c.is_alphanumeric() && !is_unprintable(c) => c,
        _ => '?',
    }
}
