//! PAM modules, each the only one of a service, asked by a small program (`guest/pam_cost.c`).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

const SOURCE: &str = include_str!("../guest/pam_cost.c");

/// Where Debian, and others, keep modules.
const FOLDERS: [&str; 3] =
    ["/usr/lib/x86_64-linux-gnu/security", "/usr/lib/aarch64-linux-gnu/security", "/usr/lib64/security"];

/// A folder of PAM services, and the program that asks them.
#[derive(Debug)]
pub struct Guests {
    folder: PathBuf,
    user: String,
}

/// What one login cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// What `pam_authenticate` returned.
    pub result: i32,
    /// From `pam_start` to `pam_end`.
    pub time: Duration,
    /// CPU time in between: a busy machine is in the time, and hardly in this.
    pub busy: Duration,
    /// CPU time of the whole process, its start included.
    pub cpu: Duration,
    /// Page faults from `pam_start` to `pam_end`.
    pub faults: i64,
    /// Resident memory that came until before `pam_end`, in KiB.
    pub rss: i64,
    /// Of it, what no other process shares: it was written to. The rest are pages of files, which are in memory once.
    pub dirty: i64,
    /// What stayed after `pam_end`.
    pub left: i64,
}

impl Guests {
    /// Compiles the program; logins are for this account of the machine.
    ///
    /// # Errors
    /// There is no C compiler, or no header of libpam.
    pub fn new(folder: &Path, user: &str) -> Result<Guests> {
        fs::create_dir_all(folder)?;
        let source = folder.join("pam_cost.c");
        fs::write(&source, SOURCE)?;
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(folder.join("pam_cost"))
            .arg(source)
            .arg("-lpam");
        let said = cc.output().context("cannot run cc (build-essential)")?;
        ensure!(said.status.success(), "cc: {}", String::from_utf8_lossy(&said.stderr));
        Ok(Guests { folder: folder.to_owned(), user: user.to_owned() })
    }

    /// The account that logs in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where the services are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a service that asks this module alone, with these arguments.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn service(&self, name: &str, module: &Path, arguments: &str) -> Result<()> {
        let text = format!("auth required {} {arguments}\n", module.display());
        Ok(fs::write(self.folder.join(name), text)?)
    }

    /// Asks a service, in a process of its own.
    ///
    /// # Errors
    /// The program fails, which it does not do where the module denies.
    pub fn ask(&self, service: &str) -> Result<Cost> {
        let mut command = Command::new(self.folder.join("pam_cost"));
        command.arg(&self.folder).args([service, &self.user]);
        let (text, cpu) = measured(&mut command)?;
        let mut words = text.split_whitespace();
        let mut next = || words.next().with_context(|| format!("pam_cost said: {text}"));
        let time = |text: &str| text.parse::<f64>().map(|us| Duration::from_secs_f64(us / 1e6));
        Ok(Cost {
            result: next()?.parse()?,
            time: time(next()?)?,
            busy: time(next()?)?,
            cpu,
            faults: next()?.parse()?,
            rss: next()?.parse()?,
            dirty: next()?.parse()?,
            left: next()?.parse()?,
        })
    }
}

/// Takes a file out of the page cache, so that it is read in as after a boot. How it came there decides how many of
/// its pages the kernel maps at a time; and those of a file that was just built would count as the process's own.
///
/// # Errors
/// The file cannot be read.
pub fn forget(file: &Path) -> Result<()> {
    let file = File::open(file).with_context(|| file.display().to_string())?;
    file.sync_all()?;
    Ok(posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?)
}

/// Runs a program to its end: what it wrote, and the CPU time that it took. Nothing else may be run meanwhile.
///
/// # Errors
/// It cannot be run, or fails.
pub fn measured(command: &mut Command) -> Result<(String, Duration)> {
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let said = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let errors = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "{command:?}: {} {errors}", said.status);
    Ok((String::from_utf8_lossy(&said.stdout).into_owned(), cpu(&after).saturating_sub(cpu(&before))))
}

fn cpu(usage: &Usage) -> Duration {
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
}

/// A module of the system.
#[must_use]
pub fn installed(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}

/// The size of a file without the symbols that nobody needs at run time.
///
/// # Errors
/// `strip` (binutils) cannot be run, or the file not be read.
pub fn stripped_size(file: &Path, folder: &Path) -> Result<u64> {
    let copy = folder.join("stripped.so");
    let said = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(file)
        .status()
        .context("cannot run strip (binutils)")?;
    ensure!(said.success(), "strip does not take {}", file.display());
    Ok(File::open(copy)?.metadata()?.len())
}
