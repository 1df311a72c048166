//! Questions to a person at a terminal: one a line, with an example, and asked again where the answer cannot be.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use anyhow::{anyhow, bail};

use crate::out;

/// How often one question is asked.
const TRIES: usize = 5;
/// Longer than any answer. What comes without an end is not read to it.
const LINE_MAX: u64 = 1000;

/// Whether somebody is there to answer.
pub(super) fn somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks until the answer can be used. An empty one is the `default`, where there is one.
///
/// # Errors
/// The input has ended, or no answer was one.
pub(super) fn ask<T>(
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    let default_shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
    for _ in 0..TRIES {
        out::prompt(&format!("{question}{default_shown}: "));
        let line = line()?;
        let answer = if line.trim().is_empty() { default.unwrap_or(&line) } else { &line };
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(why) => out::say(&format!("  {why}")),
        }
    }
    bail!("no answer that can be used; nothing was written")
}

/// Asks as [`ask`] does, and once more about an answer that can be used but looks like a slip.
///
/// # Errors
/// As [`ask`] has them.
pub(super) fn ask_surely<T>(
    question: &str,
    read: impl Fn(&str) -> Result<T, String>,
    doubt: impl Fn(&T) -> Option<String>,
) -> anyhow::Result<T> {
    for _ in 0..TRIES {
        let answer = ask(question, None, &read)?;
        let kept = match doubt(&answer) {
            Some(doubt) => agreed(&format!("  {doubt} [y/N]: "), false)?,
            None => true,
        };
        if kept {
            return Ok(answer);
        }
    }
    bail!("no answer that is kept; nothing was written")
}

/// Asks for a yes or a no.
///
/// # Errors
/// As [`ask`] has them.
pub(super) fn agreed(question: &str, default: bool) -> anyhow::Result<bool> {
    for _ in 0..TRIES {
        out::prompt(question);
        match line()?.trim().to_ascii_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => out::say("  y or n"),
        }
    }
    bail!("no answer that can be used; nothing was written")
}

fn line() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LINE_MAX).read_until(b'\n', &mut bytes);
    read.map_err(|error| anyhow!("the answer cannot be read: {error}; nothing was written"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length == LINE_MAX) {
        bail!("the answer is longer than any can be; nothing was written");
    }
    let Some(line) = bytes.strip_suffix(b"\n") else {
        out::say("");
        bail!("the input has ended; nothing was written");
    };
    String::from_utf8(line.to_vec()).map_err(|_| anyhow!("the answer is no UTF-8 text; nothing was written"))
}
