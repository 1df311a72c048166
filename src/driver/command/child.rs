//! One child process: how it is started, and that it is gone in the end.
//!
//! Descriptors, signals, session, environment and identity are made clean by `posix_spawn` and by the two small programs
//! that it starts first: it cannot change the folder or make one user id out of two.

use std::{
    ffi::CString,
    fs::{self, File},
    io::{self, PipeReader, pipe},
    os::fd::{AsRawFd, OwnedFd, RawFd},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    libc,
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::{
        signal::{SigSet, Signal, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::{Pid, getegid, geteuid, getgid, getuid},
};

use crate::{
    directory::command::{How, Program, STARTERS},
    load,
};

/// A child that was started, and leads a session of its own. It is killed and waited for when this is dropped.
pub(super) struct Child {
    pid: Pid,
    is_gone: bool,
}

/// All of it: nothing of what whoever called su has set.
const ENVIRONMENT: [&std::ffi::CStr; 2] = [c"PATH=/usr/sbin:/usr/bin:/sbin:/bin", c"LANG=C"];

/// How long one that was killed may need to be gone. Only one that the kernel itself holds needs any.
const DYING: Duration = Duration::from_secs(2);

impl Child {
    /// Starts a program for a user: its standard output and its standard error are to be read.
    pub(super) fn start(program: &Program, name: &str) -> Result<(Self, PipeReader, PipeReader), String> {
        let words = words(program, name)?;
        let cannot = |why: io::Error| format!("the program cannot be started: {why}");
        let (output, output_end) = pipe().map_err(cannot)?;
        let (complaint, complaint_end) = pipe().map_err(cannot)?;
        let input = File::open("/dev/null").map_err(cannot)?;
        let ends = [OwnedFd::from(input), OwnedFd::from(output_end), OwnedFd::from(complaint_end)];
        let ends = ends.map(above_standard).into_iter().collect::<io::Result<Vec<_>>>().map_err(cannot)?;
        let pid = spawn(&words, &ends).map_err(cannot)?;
        Ok((Self { pid, is_gone: false }, output, complaint))
    }

    /// Whether it has ended. It is not taken out of the system's books by that, so its number stays its own.
    pub(super) fn has_ended(&self) -> Result<bool, String> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        match waitid(Id::Pid(self.pid), flags) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => Ok(false),
            Ok(_) => Ok(true),
            Err(errno) => Err(unseen(errno)),
        }
    }

    /// Ends it and what it has started. To be called only while its number is its own.
    pub(super) fn kill(&self) {
        // There may be nobody left.
        let _ = killpg(self.pid, Signal::SIGKILL);
    }

    /// How it has ended: it is killed if it has not.
    pub(super) fn end(mut self) -> Result<How, String> {
        self.kill();
        self.is_gone = true;
        match take(self.pid)? {
            WaitStatus::Exited(_, code) => Ok(How::Exit(code)),
            WaitStatus::Signaled(_, signal, _) => Ok(How::Signal(signal.as_str())),
            _ => Err("the program was killed and is still there".to_owned()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that somebody else has waited for has no number any more that could be killed.
        if !self.is_gone && self.has_ended().is_ok() {
            self.kill();
            let _ = take(self.pid);
        }
    }
}

/// Takes a child that was killed out of the system's books.
fn take(pid: Pid) -> Result<WaitStatus, String> {
    let begun = Instant::now();
    let mut nap = Duration::from_millis(1);
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) if begun.elapsed() < DYING => {}
            Ok(status) => return Ok(status),
            Err(errno) => return Err(unseen(errno)),
        }
        thread::sleep(nap);
        nap = nap.saturating_mul(2).min(Duration::from_millis(50));
    }
}

/// The host ignores SIGCHLD, or waits for whatever child there is.
fn unseen(errno: Errno) -> String {
    format!(
        "how the program ends is not to be seen in this process, which does not keep its children: {errno}"
    )
}

/// What is started: the program by its real path, which only trusted hands could have changed since it was looked at,
/// behind what cleans up for it.
fn words(program: &Program, name: &str) -> Result<Vec<CString>, String> {
    let [(setpriv, _), (env, _)] = STARTERS;
    let path = load::program(&program.path)?;
    load::starters(&STARTERS)?;
    let path = path.to_str().ok_or("the program's path is no UTF-8")?;
    let mut words = vec![setpriv, "--pdeathsig", "KILL"];
    words.extend_from_slice(identity()?);
    words.extend([env, "-C", "/", path]);
    words.extend(program.arguments.iter().map(String::as_str));
    words.push(name);
    let words = words.into_iter().map(CString::new).collect::<Result<_, _>>();
    words.map_err(|_| "the program's arguments hold a NUL".to_owned())
}

/// What makes one identity of two. In sudo and su the real user is still the one who calls, and a shell goes back to that one
/// on its own account: from then on that user could hold the program and answer in its place.
fn identity() -> Result<&'static [&'static str], String> {
    let users = [getuid(), geteuid()].map(|user| user.as_raw());
    let groups = [getgid(), getegid()].map(|group| group.as_raw());
    match (users, groups) {
        ([0, 0], [0, 0]) => Ok(&[]),
        ([_, 0], _) => Ok(&["--reuid", "0", "--regid", "0", "--clear-groups"]),
        ([real, effective], [real_group, group]) if real == effective && real_group == group => Ok(&[]),
        _ => Err("this process is of two users, and neither is root: no program is started".to_owned()),
    }
}

/// The same file at a number above those of the standard ones, which a host may have closed: none of the three must be
/// overwritten before it has been put into its place.
fn above_standard(end: OwnedFd) -> io::Result<OwnedFd> {
    if end.as_raw_fd() > libc::STDERR_FILENO { Ok(end) } else { end.try_clone() }
}

/// Starts it with these for its standard descriptors, and no other one.
fn spawn(words: &[CString], ends: &[OwnedFd]) -> io::Result<Pid> {
    let mut files = PosixSpawnFileActions::init()?;
    for (end, standard) in ends.iter().zip(0..) {
        files.add_dup2(end.as_raw_fd(), standard)?;
    }
    for other in open()?.into_iter().filter(|number| *number > libc::STDERR_FILENO) {
        files.add_close(other)?;
    }
    let mut settings = PosixSpawnAttr::init()?;
    settings.set_sigdefault(&SigSet::all())?;
    settings.set_sigmask(&SigSet::empty())?;
    // Away from the host's terminal, and of one group with whatever it starts.
    let own_session = PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into());
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    settings.set_flags(own_session | signals)?;
    let [(setpriv, _), _] = STARTERS;
    Ok(posix_spawn(setpriv, &files, &settings, words, &ENVIRONMENT)?)
}

/// The numbers of this process's descriptors. One that closes meanwhile does no harm, and none opens without being closed
/// by a start: this is the only thread, or the others are ours, which open everything so.
fn open() -> io::Result<Vec<RawFd>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse().ok());
        numbers.push(number.ok_or_else(|| io::Error::other("/proc/self/fd is not what it should be"))?);
    }
    Ok(numbers)
}
