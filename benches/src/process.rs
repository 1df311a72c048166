//! Programs that are started here: on which cores, with which log, and ended with all that they started.

use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may take to come up, or to go.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where something may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cores {
    /// Wherever the system likes.
    All,
    /// On this one alone.
    One(usize),
}

impl Cores {
    /// Does something on these cores; what it starts stays there.
    ///
    /// # Errors
    /// There is no such core, or what is done fails.
    pub fn run<T>(self, what: impl FnOnce() -> Result<T>) -> Result<T> {
        let Cores::One(core) = self else { return what() };
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this)?;
        let mut one = CpuSet::new();
        one.set(core)?;
        sched_setaffinity(this, &one).with_context(|| format!("no core {core} to run on"))?;
        let done = what();
        sched_setaffinity(this, &before)?;
        done
    }
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it, with its output in a file. It ends with us, also where we are killed and nothing is dropped.
    ///
    /// # Errors
    /// The program or its log cannot be opened.
    pub fn start(command: &Command, cores: Cores, log: &Path) -> Result<Process> {
        let output = File::create(log).with_context(|| log.display().to_string())?;
        let mut tied = Command::new("setpriv");
        tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        tied.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = cores.run(|| tied.spawn().with_context(|| format!("cannot run {tied:?}")))?;
        Ok(Process { child, log: log.to_owned() })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended by itself.
    ///
    /// # Errors
    /// The system does not know it.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until it has said something that contains this; the line.
    ///
    /// # Errors
    /// It ended before that, or did not say it in time.
    pub fn wait_for(&mut self, word: &str) -> Result<String> {
        self.wait_until(word, |log| log.lines().find(|line| line.contains(word)).map(str::to_owned))
    }

    /// Waits until something listens on this UDP port.
    ///
    /// # Errors
    /// As for [`Process::wait_for`].
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        let taken = |_: &str| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err().then_some(());
        self.wait_until(&format!("a listener on port {port}"), taken)
    }

    fn wait_until<T>(&mut self, what: &str, seen: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::read_to_string(&self.log)?;
            if let Some(seen) = seen(&log) {
                return Ok(seen);
            }
            if !self.runs()? || Instant::now() > deadline {
                bail!("{}: waited in vain for {what}; it says:\n{log}", self.log.display());
            }
            // Neither a file nor a foreign socket tells that it has changed.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    /// Ends the program and everything that it started and that stayed in its group.
    fn drop(&mut self) {
        let Ok(group) = i32::try_from(self.child.id()).map(Pid::from_raw) else { return };
        let _ = killpg(group, Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(1);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// A UDP port that was free a moment ago.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Asks for as many file descriptors as this takes, for us and for what we start.
///
/// # Errors
/// The system does not tell how many we have.
pub fn more_descriptors(wanted: u64) -> Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    // Beyond the hard limit only for root.
    let raised = setrlimit(Resource::RLIMIT_NOFILE, wanted.max(soft), wanted.max(hard))
        .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard).max(soft), hard));
    Ok(if raised.is_ok() { getrlimit(Resource::RLIMIT_NOFILE)?.0 } else { soft })
}
