//! The application with whims (`world/host.c`): asks PAM again and again in one process, talks badly if
//! told to, and reports after each round what the process looks like.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Lab;
use crate::artefacts::compile;

const SOURCE: &str = include_str!("../world/host.c");
const BAD_GUEST: &str = include_str!("../world/bad_guest.c");

/// How the application talks to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversation {
    /// Shows nothing and answers every prompt with an empty line.
    Talk,
    /// Has no conversation function.
    Null,
    /// Its conversation fails.
    Fail,
    /// Its conversation succeeds and hands back no answers.
    Empty,
}

/// Checks that rounds left the process as they found it: nothing grows from the third on, when what a first
/// use brings in (the linker's, the allocator's, the name service's) has come, and nothing is disturbed.
///
/// # Errors
/// What was left, with the rounds that show it.
pub fn nothing_left(rounds: &[Round]) -> Result<()> {
    for round in rounds {
        ensure!(round.threads == 1, "a thread is left: {round:?}");
        ensure!(round.child == 0, "a child is left: {round:?}");
        ensure!(round.disturbed == 0, "signals, umask, folder, locale or environment changed: {round:?}");
    }
    let (early, late) = (rounds.get(2).context("three rounds")?, rounds.last().context("three rounds")?);
    ensure!(late.fds == early.fds, "descriptors leak: {early:?} {late:?}");
    // The allocator takes memory by and by, and ureq leaves a string of 10 bytes whenever the module is unloaded. One
    // answer kept, 11 KiB, would soon be above this.
    let limit = 256;
    ensure!(
        late.rss_kib - early.rss_kib < limit,
        "memory grows by more than {limit} KiB: {early:?} {late:?}"
    );
    Ok(())
}

/// What one round of asking found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// What `pam_authenticate` returned.
    pub result: i64,
    /// Resident memory after `pam_end`.
    pub rss_kib: i64,
    /// Open file descriptors after `pam_end`.
    pub fds: i64,
    /// Threads after `pam_end`.
    pub threads: i64,
    /// Whether there is any child process, running or dead.
    pub child: i64,
    /// Whether `pam_authenticate` changed signals, umask, folder, locale or environment of the process.
    pub disturbed: i64,
    /// Messages shown since the start.
    pub messages: i64,
}

impl Lab {
    /// A command that runs the application in the world; its arguments are explained in its source.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn host(&self) -> Result<Command> {
        if !self.path("/run/lab/host").exists() {
            compile(SOURCE, "host", &self.path("/run/lab"))?;
        }
        Ok(self.command("/run/lab/host"))
    }

    /// The line of a PAM service that asks a module which misbehaves as told (`world/bad_guest.c`).
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn bad_guest(&self, deed: &str) -> Result<String> {
        if !self.path("/run/lab/bad_guest.so").exists() {
            compile(BAD_GUEST, "bad_guest.so", &self.path("/run/lab"))?;
        }
        Ok(format!("auth required /run/lab/bad_guest.so {deed}"))
    }

    /// Asks PAM `times` times in one process, without a terminal.
    ///
    /// # Errors
    /// When the application crashed, or anybody but itself wrote to its standard output or error.
    pub fn ask(&self, service: &str, user: &str, times: usize, how: Conversation) -> Result<Vec<Round>> {
        self.ask_with(self.host()?, service, user, times, how)
    }

    /// As [`Lab::ask`], by a command of [`Lab::host`] that the caller has prepared.
    ///
    /// # Errors
    /// As [`Lab::ask`].
    pub fn ask_with(
        &self,
        mut host: Command,
        service: &str,
        user: &str,
        times: usize,
        how: Conversation,
    ) -> Result<Vec<Round>> {
        let how = format!("{how:?}").to_lowercase();
        let said = self.run(host.args(["ask", service, user, &times.to_string(), &how]))?;
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        ensure!(said.status.success(), "the application ended with {}:\n{out}{err}", said.status);
        ensure!(err.is_empty(), "somebody wrote to the application's standard error:\n{err}");
        let rounds = out.lines().map(round).collect::<Result<Vec<_>>>()?;
        ensure!(rounds.len() == times, "{} rounds instead of {times}:\n{out}", rounds.len());
        Ok(rounds)
    }
}

fn round(line: &str) -> Result<Round> {
    let mut words = line.split(' ');
    let mut next = |name: &str| -> Result<i64> {
        let value = words.next().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
        let value = value.with_context(|| format!("not the application's line: {line}"))?;
        Ok(value.parse()?)
    };
    Ok(Round {
        result: next("result")?,
        rss_kib: next("rss_kib")?,
        fds: next("fds")?,
        threads: next("threads")?,
        child: next("child")?,
        disturbed: next("disturbed")?,
        messages: next("messages")?,
    })
}
