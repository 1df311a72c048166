//! A person at a terminal: a program on a pseudo-terminal, what it shows, and what is typed.
//!
//! The program is started through util-linux `setsid --ctty`, which makes the pseudo-terminal its
//! controlling terminal. That is why sudo, su, ssh and login find `/dev/tty` here as they do at a desk, and
//! why this file needs no code between fork and exec.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};

use crate::DEADLINE;
use crate::lab::end;

/// A running program and the terminal it sits on.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    master: PtyMaster,
    shown: String,
    /// The first bytes of a character whose rest has not come yet.
    partial: Vec<u8>,
    /// Where the next `expect` begins to look.
    read_to: usize,
    open: bool,
}

/// How a program on a terminal ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status, as its parent saw it.
    pub status: ExitStatus,
    /// Everything the terminal showed, from the first character.
    pub shown: String,
}

/// A text that asks, and what a person types at it, time after time; the last answer again and again.
#[derive(Debug)]
pub struct Prompt<'a> {
    text: &'a str,
    answers: &'a [&'a str],
}

impl<'a> Prompt<'a> {
    /// The first answer is for the first time that the text shows.
    #[must_use]
    pub fn new(text: &'a str, answers: &'a [&'a str]) -> Self {
        Self { text, answers }
    }

    fn next(&mut self) -> &'a str {
        match self.answers {
            [answer, rest @ ..] => {
                self.answers = if rest.is_empty() { self.answers } else { rest };
                answer
            }
            [] => "",
        }
    }
}

/// How often a person who answers prompts looks up.
const LOOK: Duration = Duration::from_millis(50);

impl Terminal {
    /// Starts `command` on a new pseudo-terminal.
    pub(crate) fn start(command: &Command) -> Result<Self> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&master)?)?;
        let mut wrapped = Command::new("setsid");
        wrapped.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        for (name, value) in command.get_envs() {
            wrapped.env(name, value.unwrap_or_default());
        }
        let child = wrapped
            .stdin(Stdio::from(line.try_clone()?))
            .stdout(Stdio::from(line.try_clone()?))
            .stderr(Stdio::from(line))
            .spawn()
            .context("cannot start setsid (util-linux)")?;
        Ok(Self { child, master, shown: String::new(), partial: Vec::new(), read_to: 0, open: true })
    }

    /// Waits until the terminal shows `text` after what was expected before; returns what stood between.
    ///
    /// # Errors
    /// When the program ended or [`DEADLINE`] passed without it; the message carries the whole screen.
    pub fn expect(&mut self, text: &str) -> Result<String> {
        self.expect_within(text, DEADLINE)
    }

    /// As [`Terminal::expect`], with a deadline of the caller's.
    ///
    /// # Errors
    /// As [`Terminal::expect`].
    pub fn expect_within(&mut self, text: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            let news = self.shown.get(self.read_to..).unwrap_or_default();
            if let Some(at) = news.find(text) {
                let before = news.get(..at).unwrap_or_default().to_owned();
                self.read_to += at + text.len();
                return Ok(before);
            }
            if !self.read_more(deadline)? {
                let why = if self.open { "the deadline passed" } else { "the program ended" };
                bail!("the terminal never showed {text:?}: {why}. What it showed:\n{}", self.shown);
            }
        }
    }

    /// Presses Enter where sshd's person is told the code and waited for: an OpenSSH that keeps information back
    /// shows only prompts.
    ///
    /// # Errors
    /// As [`Terminal::expect`].
    pub fn press_enter_at_code(&mut self) -> Result<()> {
        self.expect("press Enter")?;
        self.expect(": ")?;
        self.send_line("")
    }

    /// Answers prompts as they come, until the program ends or the caller has seen enough.
    ///
    /// # Errors
    /// When neither happens before [`DEADLINE`], and with what the caller says.
    pub fn answer(&mut self, prompts: &mut [Prompt<'_>], seen: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while self.open && !seen()? {
            let news = self.shown.get(self.read_to..).unwrap_or_default();
            let first = prompts.iter_mut().filter_map(|prompt| Some((news.find(prompt.text)?, prompt)));
            if let Some((at, prompt)) = first.min_by_key(|(at, _)| *at) {
                self.read_to += at + prompt.text.len();
                let answer = prompt.next().to_owned();
                // A program that has ended reads nothing any more; its end shows in what is read.
                let _ = self.send_line(&answer);
                continue;
            }
            if !self.read_more(deadline.min(Instant::now() + LOOK))? && Instant::now() > deadline {
                bail!("neither its end nor what was waited for came. What it showed:\n{}", self.shown);
            }
        }
        Ok(())
    }

    /// Types one line.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn send_line(&mut self, line: &str) -> Result<()> {
        self.send(format!("{line}\n").as_bytes())
    }

    /// Types these bytes and nothing else: `b"\x03"` is Ctrl-C.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn send(&mut self, keys: &[u8]) -> Result<()> {
        self.master.write_all(keys).with_context(|| format!("cannot type; it showed:\n{}", self.shown))
    }

    /// Reads until the program ends, and tells how it did.
    ///
    /// # Errors
    /// When it is still running at the deadline; the message carries the whole screen.
    pub fn finish(mut self) -> Result<Ended> {
        let deadline = Instant::now() + DEADLINE;
        while self.open {
            if !self.read_more(deadline)? && self.open {
                bail!("the program did not end in time. What it showed:\n{}", self.shown);
            }
        }
        let status = self.child.wait()?;
        Ok(Ended { status, shown: std::mem::take(&mut self.shown) })
    }

    /// Everything the terminal has shown and this side has read.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Kills the program without a word to anybody, as a crash or a lost machine would.
    pub fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Takes in what the terminal shows next. False when there was nothing until the deadline or the end.
    fn read_more(&mut self, deadline: Instant) -> Result<bool> {
        if !self.open {
            return Ok(false);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)], timeout)? == 0 {
            return Ok(false);
        }
        let mut buffer = [0; 4096];
        match self.master.read(&mut buffer) {
            // Linux answers EIO once the last holder of the other side has closed it.
            Ok(0) | Err(_) => self.open = false,
            Ok(read) => {
                self.partial.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let whole = match std::str::from_utf8(&self.partial) {
                    Err(cut) if cut.error_len().is_none() => cut.valid_up_to(),
                    _ => self.partial.len(),
                };
                let rest = self.partial.split_off(whole);
                let text = String::from_utf8_lossy(&self.partial);
                self.shown.extend(text.chars().filter(|c| *c != '\r'));
                self.partial = rest;
            }
        }
        Ok(self.open)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
