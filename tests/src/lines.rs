//! Lines that another process writes, gathered as they come, and waited for.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::DEADLINE;

/// Everything that one source has said so far. Clones share the same lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Gathers the lines of a pipe until its other end closes.
    pub fn of_pipe(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let sink = lines.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                sink.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            sink.end();
        });
        lines
    }

    pub(crate) fn push(&self, line: String) {
        self.state().lines.push(line);
        self.shared.1.notify_all();
    }

    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.shared.1.notify_all();
    }

    /// All lines until now.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    /// The lines until now that contain `text`.
    #[must_use]
    pub fn containing(&self, text: &str) -> Vec<String> {
        self.state().lines.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// The first line that contains `text`, now or later.
    ///
    /// # Errors
    /// When the source ended or the deadline passed without it; the message carries all that was said.
    pub fn wait_for(&self, text: &str) -> Result<String> {
        self.wait_until(&format!("line with {text:?}"), |lines| {
            lines.iter().find(|line| line.contains(text)).cloned()
        })
    }

    /// The lines that contain `text`, once there are at least this many.
    ///
    /// # Errors
    /// As [`Lines::wait_for`].
    pub fn wait_for_many(&self, text: &str, many: usize) -> Result<Vec<String>> {
        self.wait_until(&format!("{many} lines with {text:?}"), |lines| {
            let found: Vec<_> = lines.iter().filter(|line| line.contains(text)).cloned().collect();
            (found.len() >= many).then_some(found)
        })
    }

    /// What the caller finds in the lines, once there is something to find.
    ///
    /// # Errors
    /// As [`Lines::wait_for`].
    pub(crate) fn wait_until<T>(&self, what: &str, find: impl Fn(&[String]) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.state();
        loop {
            if let Some(found) = find(&state.lines) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                let why = if state.ended { "the source ended" } else { "the deadline passed" };
                bail!("no {what}: {why}. What was said:\n{}", state.lines.join("\n"));
            }
            state = self.shared.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the source has ended, so that [`Lines::all`] is all there will ever be.
    ///
    /// # Errors
    /// When it does not end.
    pub fn wait_for_end(&self) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.state();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("the source does not end. What was said:\n{}", state.lines.join("\n"));
            }
            state = self.shared.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
