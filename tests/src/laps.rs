//! A long stay: thousands of logins of many kinds in one process of `world/host.c`, and a search through that
//! process's memory for what should not be left in it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};

use crate::lab::end;
use crate::{Conversation, Lab};

/// One login of a lap.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The PAM service.
    pub service: &'static str,
    /// Who logs in.
    pub user: &'static str,
    /// How the application talks.
    pub how: Conversation,
    /// What `pam_authenticate` has to return.
    pub result: i64,
}

/// What the process looked like after a lap, with the module unloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lap {
    /// Logins in this lap.
    pub logins: i64,
    /// Resident memory.
    pub rss_kib: i64,
    /// Open file descriptors.
    pub fds: i64,
    /// Threads.
    pub threads: i64,
    /// Whether there is any child process, running or dead.
    pub child: i64,
    /// After how many logins signals, umask, folder, locale or environment were not as before the first.
    pub disturbed: i64,
    /// Mappings of the module.
    pub mapped: i64,
}

/// A process that has done its laps and waits, so that it can be looked into.
#[derive(Debug)]
pub struct Stay {
    outside: Child,
    inside: u32,
    socket: UnixStream,
    /// Its laps, in order.
    pub laps: Vec<Lap>,
}

impl Lab {
    /// Does all these logins so many times over in one process.
    ///
    /// # Errors
    /// When a login ended in another way than it has to, or the application did.
    pub fn stay(&self, laps: usize, runs: &[Run]) -> Result<Stay> {
        let (socket, theirs) = UnixStream::pair()?;
        let mut host = self.host()?;
        host.args(["laps", &laps.to_string()]);
        for Run { service, user, how, result } in runs {
            host.arg(format!("{service},{user},{},{result}", format!("{how:?}").to_lowercase()));
        }
        host.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut outside = host.spawn().context("cannot run nsenter (util-linux)")?;
        // The command has its own copy of their end of the socket: with it open, no end would be seen.
        drop(host);
        let mut said = Vec::<String>::new();
        for line in BufReader::new(&socket).lines() {
            let line = line?;
            if line == "done" {
                let inside = child_of(outside.id())?;
                let laps = said.iter().map(|line| lap(line)).collect::<Result<_>>()?;
                return Ok(Stay { outside, inside, socket, laps });
            }
            said.push(line);
        }
        end(&mut outside);
        anyhow::bail!("the application ended before it was done:\n{}", said.join("\n"))
    }
}

impl Stay {
    /// Where in the process's writable memory one of these stands, by the needle's name and the mapping's.
    ///
    /// # Errors
    /// When the memory cannot be read.
    pub fn search(&self, needles: &[(&str, Vec<u8>)]) -> Result<Vec<String>> {
        let memory = File::open(format!("/proc/{}/mem", self.inside))?;
        let mut found = Vec::new();
        for line in fs::read_to_string(format!("/proc/{}/maps", self.inside))?.lines() {
            let Some(mapping) = writable(line) else { continue };
            let mut bytes = vec![0; mapping.size];
            // Some of the kernel's own pages refuse to be read; they hold nothing of ours.
            if memory.read_exact_at(&mut bytes, mapping.start).is_err() {
                ensure!(mapping.name.starts_with("[v"), "cannot read {line}");
                continue;
            }
            for (name, needle) in needles {
                let places = bytes.windows(needle.len()).enumerate().filter(|(_, window)| window == needle);
                found.extend(
                    places.map(|(at, _)| {
                        format!("{name} at {:x} in {}", mapping.start + at as u64, mapping.name)
                    }),
                );
            }
        }
        Ok(found)
    }

    /// Lets the process end, and returns what anybody wrote to its standard output and error.
    ///
    /// # Errors
    /// When it ends badly.
    pub fn finish(self) -> Result<String> {
        drop(self.socket);
        let said = self.outside.wait_with_output()?;
        ensure!(said.status.success(), "the application ended with {}", said.status);
        Ok(String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned())
    }
}

struct Mapping<'a> {
    start: u64,
    size: usize,
    name: &'a str,
}

/// A line of `/proc/PID/maps`, if the memory is writable.
fn writable(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.split_ascii_whitespace();
    let (start, stop) = words.next()?.split_once('-')?;
    let (start, stop) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(stop, 16).ok()?);
    let size = usize::try_from(stop.checked_sub(start)?).ok()?;
    let rights = words.next()?;
    let name = words.nth(3).unwrap_or("memory without a name");
    rights.starts_with("rw").then_some(Mapping { start, size, name })
}

/// nsenter waits outside for its child, which is the application.
fn child_of(outside: u32) -> Result<u32> {
    let children = fs::read_to_string(format!("/proc/{outside}/task/{outside}/children"))?;
    Ok(children.split_whitespace().next().context("the application has ended")?.parse()?)
}

fn lap(line: &str) -> Result<Lap> {
    let value = |name: &str| -> Result<i64> {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        Ok(word.with_context(|| format!("in the application's stay: {line}"))?.parse()?)
    };
    Ok(Lap {
        logins: value("logins")?,
        rss_kib: value("rss_kib")?,
        fds: value("fds")?,
        threads: value("threads")?,
        child: value("child")?,
        disturbed: value("disturbed")?,
        mapped: value("mapped")?,
    })
}
