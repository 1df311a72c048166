//! The one door to the terminal. What leaves here has no character that a terminal would obey: text that was
//! escaped where it came in passes as it is, anything else is escaped now.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, IsTerminal as _, StderrLock, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use mobileid::text::{escaped, is_unprintable};
use serde::Serialize;

/// Prints lines to standard output. A reader who has gone away is no failure: `mobileidctl check | head -1`.
///
/// # Errors
/// What the file system says, e.g. that the disk is full.
pub(crate) fn data(lines: &str) -> anyhow::Result<()> {
    clear();
    let mut stdout = io::stdout().lock();
    let written = lines
        .lines()
        .try_for_each(|line| stdout.write_all(format!("{}\n", safe(line)).as_bytes()))
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("standard output"))
        }
        _ => Ok(()),
    }
}

/// Prints a value as one line of JSON to standard output.
///
/// # Errors
/// As [`data`] has them.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    data(&json_line(&serde_json::to_string(value)?))
}

/// A line of JSON that a terminal may show too: what serde_json leaves raw in a string is written as `\u`.
pub(crate) fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(c);
        }
    }
    line
}

/// Says something on standard error. Nothing depends on whether it is heard.
pub(crate) fn say(lines: &str) {
    let mut stderr = io::stderr().lock();
    take_away(&mut stderr);
    for line in lines.lines() {
        let _ = stderr.write_all(format!("{}\n", safe(line)).as_bytes());
    }
}

/// Asks something on standard error, where the answer is to stand on the same line.
pub(crate) fn prompt(question: &str) {
    let mut stderr = io::stderr().lock();
    take_away(&mut stderr);
    // That nobody reads it shows itself by no answer.
    let _ = stderr.write_all(safe(question).as_bytes()).and_then(|()| stderr.flush());
}

/// Whether somebody watches standard error, so that a line may be written over again.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether a line stands on the screen that is to be written over. Whoever changes it holds standard error.
static STANDS: AtomicBool = AtomicBool::new(false);

/// Writes a line to a watched standard error that the next one takes the place of. It is cut where the screen ends: one
/// that went on below could not be taken back.
pub(crate) fn overwrite(text: &str) {
    let mut stderr = io::stderr().lock();
    STANDS.store(true, Ordering::Relaxed);
    let _ = stderr.write_all(format!("\r\u{1b}[K\u{1b}[?7l{}\u{1b}[?7h", safe(text)).as_bytes());
    let _ = stderr.flush();
}

/// Takes such a line away.
pub(crate) fn clear() {
    take_away(&mut io::stderr().lock());
}

fn take_away(stderr: &mut StderrLock<'_>) {
    if STANDS.swap(false, Ordering::Relaxed) {
        let _ = stderr.write_all(b"\r\x1b[K");
        let _ = stderr.flush();
    }
}

/// Bytes as fingerprints are written: lower case, nothing between.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Longer than any line of ours.
const LINE_MAX: usize = 20_000;

fn safe(line: &str) -> Cow<'_, str> {
    if line.chars().any(is_unprintable) { escaped(line, LINE_MAX).into() } else { line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_once() {
        assert_eq!(safe("a\\u{1b} \\ b"), "a\\u{1b} \\ b");
        assert_eq!(safe("a\u{1b}[2J"), "a\\u{1b}[2J");
    }

    #[test]
    fn json_stays_the_same_json() {
        let text = "\u{7f}\u{9b}\u{202e}\u{e0001}\u{1b}\"ä";
        let line = json_line(&serde_json::to_string(text).unwrap());
        assert_eq!(line, "\"\\u007f\\u009b\\u202e\\udb40\\udc01\\u001b\\\"ä\"");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
