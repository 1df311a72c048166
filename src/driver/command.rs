//! Asks a program: started, listened to, and gone when this returns.
//!
//! ```text
//!   checked once more ──> started ──> listened to ──> it has ended ──> what it started is killed ──> what it said
//!                            │             │
//!                            │             └── too long, too much, given up: killed, and away
//!                            └── cannot be: away
//! ```
//!
//! This runs inside sshd, sudo and su as well, and none of them may notice. The child is waited for by its own number
//! only, so that a host's other children stay the host's; no handler and no mask of the host is touched; whatever comes
//! of it, the child has been waited for and no descriptor is left. What it starts in its own session ends with it: a
//! grandchild that keeps standard output open keeps nobody waiting. docs/decisions/0017-command-directory.md argues it.

mod child;

use std::{
    io::{PipeReader, Read},
    os::fd::AsFd,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use self::child::Child;
use super::{
    directories::GivenUp,
    socket::{TICK, Tick, Verdict},
};
use crate::{
    directory::{
        Answer,
        command::{self, Ended, OUTPUT_MAX, Program},
    },
    subscriber::UserName,
};

/// Looks a user up.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub(super) fn lookup(
    program: &Program,
    user: &UserName,
    tick: &Tick,
    deadline: Instant,
) -> Result<Answer, GivenUp> {
    let Some(name) = command::argument(user) else {
        return Ok(Answer::Unusable(
            "a name that begins with a dash would be an option to the program".to_owned(),
        ));
    };
    match run(program, name, tick, deadline) {
        Ok(ended) => Ok(command::read(user, &ended)),
        Err(Failed::GivenUp) => Err(GivenUp),
        Err(Failed::TooMuch) => {
            Ok(Answer::Unusable(format!("the program writes more than {OUTPUT_MAX} bytes")))
        }
        Err(Failed::TooLong(limit)) => {
            Ok(Answer::Away(format!("the program does not end within {} s", limit.as_secs())))
        }
        Err(Failed::Away(why)) => Ok(Answer::Away(why)),
    }
}

/// Why there is no answer.
enum Failed {
    GivenUp,
    TooMuch,
    TooLong(Duration),
    Away(String),
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self::Away(why)
    }
}

fn run(program: &Program, name: &str, tick: &Tick, deadline: Instant) -> Result<Ended, Failed> {
    let by = Instant::now().checked_add(program.timeout).unwrap_or(deadline).min(deadline);
    let (child, output, complaint) = Child::start(program, name)?;
    let mut heard = [Heard::from(output), Heard::from(complaint)];
    listen(&child, &mut heard, tick, by).map_err(|failed| match failed {
        Failed::TooLong(_) => Failed::TooLong(program.timeout),
        other => other,
    })?;
    // From here on nobody writes any more but whoever has left the session, and they are not waited for.
    child.kill();
    while hear(&mut heard, Duration::ZERO)? {}
    let how = child.end()?;
    let [output, complaint] = heard.map(|heard| heard.octets);
    Ok(Ended { how, output, complaint })
}

/// Until the child has ended. Its number is still its own then: it has not been taken out of the system's books.
fn listen(child: &Child, heard: &mut [Heard; 2], tick: &Tick, by: Instant) -> Result<(), Failed> {
    let mut nap = Duration::from_millis(1);
    loop {
        if child.has_ended()? {
            return Ok(());
        }
        if tick() == Verdict::Cancel {
            return Err(Failed::GivenUp);
        }
        let left = by.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failed::TooLong(Duration::ZERO));
        }
        if heard.iter().all(|heard| heard.pipe.is_none()) {
            // Both outputs are closed, so it is about to end; or it wants to be waited for.
            thread::sleep(nap.min(left));
            nap = nap.saturating_mul(2).min(TICK);
        } else {
            hear(heard, left.min(TICK))?;
        }
    }
}

/// What came of one output so far.
struct Heard {
    /// None once it is closed.
    pipe: Option<PipeReader>,
    octets: Vec<u8>,
}

impl From<PipeReader> for Heard {
    fn from(pipe: PipeReader) -> Self {
        Self { pipe: Some(pipe), octets: Vec::new() }
    }
}

impl Heard {
    /// Takes what is there; called when there is something, so that it does not wait.
    fn take(&mut self) -> Result<(), Failed> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut room = [0; 4096];
        match pipe.read(&mut room) {
            Ok(0) => self.pipe = None,
            Ok(count) => self.octets.extend_from_slice(room.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failed::Away(format!("the program cannot be listened to: {error}"))),
        }
        if self.octets.len() > OUTPUT_MAX { Err(Failed::TooMuch) } else { Ok(()) }
    }
}

/// Waits so long at most for something to be there, and takes it. Whether there was anything.
fn hear(heard: &mut [Heard; 2], at_most: Duration) -> Result<bool, Failed> {
    // At least one millisecond of a wait, or the last fraction of it would spin.
    let wait = if at_most.is_zero() { at_most } else { at_most.max(Duration::from_millis(1)) };
    let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
    let ready: Vec<bool> = {
        let open = heard.iter().filter_map(|heard| heard.pipe.as_ref());
        let mut fds: Vec<_> = open.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut fds, wait) {
            Ok(0) | Err(Errno::EINTR) => return Ok(false),
            Ok(_) => fds.iter().map(|fd| fd.any().unwrap_or(true)).collect(),
            Err(errno) => return Err(Failed::Away(format!("the program cannot be listened to: {errno}"))),
        }
    };
    let open = heard.iter_mut().filter(|heard| heard.pipe.is_some());
    for (heard, _) in open.zip(ready).filter(|(_, ready)| *ready) {
        heard.take()?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
