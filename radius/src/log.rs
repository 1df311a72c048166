//! Lines for the administrator, on standard error, where the journal or a terminal reads them.

use std::{env, io::Write};

use crate::server::Level;

/// Where lines go, and from which urgency on.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    least: Level,
    /// The journal reads a line's urgency from its first characters (sd-daemon(3)); a person reads a word.
    journal: bool,
}

impl Log {
    /// Lines of this urgency and above.
    #[must_use]
    pub fn to_stderr(least: Level) -> Self {
        Self { least, journal: env::var_os("JOURNAL_STREAM").is_some() }
    }

    /// Is a line of this urgency written at all?
    #[must_use]
    pub fn takes(&self, level: Level) -> bool {
        level >= self.least
    }

    /// Writes a line. That it cannot be written is no reason to stop, and there is nobody left to tell.
    pub fn write(&self, level: Level, text: &str) {
        if self.takes(level) {
            let mut lines = String::with_capacity(text.len() + 16);
            // One line of ours is one line of the log, whatever text it carries.
            for line in text.lines() {
                lines.push_str(self.prefix(level));
                lines.push_str(line);
                lines.push('\n');
            }
            let _ = std::io::stderr().lock().write_all(lines.as_bytes());
        }
    }

    fn prefix(self, level: Level) -> &'static str {
        match (self.journal, level) {
            (true, Level::Error) => "<3>",
            (true, Level::Warning) => "<4>",
            (true, Level::Info) => "<6>",
            (true, Level::Debug) => "<7>",
            (false, Level::Error) => "mobileid-radiusd: error: ",
            (false, Level::Warning) => "mobileid-radiusd: warning: ",
            (false, Level::Info) => "mobileid-radiusd: ",
            (false, Level::Debug) => "mobileid-radiusd: debug: ",
        }
    }
}
