//! What a process costs while something is asked of it: read from `/proc`, by a thread of its own.

use std::collections::HashMap;
use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often memory is looked at, and how often the whole machine's processes are.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_millis(500);

/// `USER_HZ`, which is part of Linux's interface and the same on every machine.
const TICK: Duration = Duration::from_millis(10);
const PAGE_KIB: u64 = 4;

/// A process under watch.
#[derive(Debug)]
pub struct Watch {
    pid: u32,
    before: Duration,
    rss_before: u64,
    stop: Sender<()>,
    thread: JoinHandle<Peak>,
}

/// What it cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time, with that of children who have ended and been waited for.
    pub cpu: Duration,
    /// Resident memory before and at most, in KiB.
    pub rss_before: u64,
    /// See above.
    pub rss_peak: u64,
    /// Most threads.
    pub threads: u64,
    /// Most children, and children of children.
    pub processes: usize,
    /// Most direct children: scripts that run.
    pub scripts: usize,
    /// What these processes had for themselves, at most, in KiB.
    pub processes_kib: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    rss: u64,
    threads: u64,
    processes: usize,
    scripts: usize,
    processes_kib: u64,
}

impl Watch {
    /// Looks at a process from now on.
    #[must_use]
    pub fn start(pid: u32) -> Watch {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut peak = Peak::default();
            let mut last = None::<Instant>;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(OFTEN) {
                peak.look(pid);
                if last.is_none_or(|last| last.elapsed() >= SELDOM) {
                    peak.look_at_children(pid);
                    last = Some(Instant::now());
                }
            }
            peak.look(pid);
            peak
        });
        Watch { pid, before: cpu(pid), rss_before: memory(pid).0, stop, thread }
    }

    /// What it cost since then.
    #[must_use]
    pub fn stop(self) -> Usage {
        let after = cpu(self.pid);
        let _ = self.stop.send(());
        let peak = self.thread.join().unwrap_or_default();
        Usage {
            cpu: after.saturating_sub(self.before),
            rss_before: self.rss_before,
            rss_peak: peak.rss,
            threads: peak.threads,
            processes: peak.processes,
            scripts: peak.scripts,
            processes_kib: peak.processes_kib,
        }
    }
}

impl Peak {
    fn look(&mut self, pid: u32) {
        self.rss = self.rss.max(memory(pid).0);
        self.threads = self.threads.max(stat(pid).map_or(0, |stat| stat.threads));
    }

    fn look_at_children(&mut self, pid: u32) {
        let children = children();
        let mut family = children.get(&pid).cloned().unwrap_or_default();
        self.scripts = self.scripts.max(family.len());
        let mut next = 0;
        while let Some(&member) = family.get(next) {
            family.extend(children.get(&member).into_iter().flatten());
            next += 1;
        }
        self.processes = self.processes.max(family.len());
        self.processes_kib = self.processes_kib.max(family.iter().map(|&member| memory(member).1).sum());
    }
}

/// The children of every process there is.
fn children() -> HashMap<u32, Vec<u32>> {
    let mut children = HashMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    children
}

struct Stat {
    parent: u32,
    ticks: u32,
    threads: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which may contain anything; the first field here is the third of proc(5).
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place - 3)?.parse::<u32>().ok();
    let ticks = number(14)? + number(15)? + number(16)? + number(17)?;
    Some(Stat { parent: number(4)?, ticks, threads: number(20)?.into() })
}

/// What a process has used so far; zero if it is gone.
#[must_use]
pub fn cpu(pid: u32) -> Duration {
    stat(pid).map_or(Duration::ZERO, |stat| TICK * stat.ticks)
}

/// Resident memory, and what of it is the process's own, in KiB.
fn memory(pid: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let mut pages = text.split_whitespace().skip(1).map(|number| number.parse::<u64>().unwrap_or_default());
    let (resident, shared) = (pages.next().unwrap_or_default(), pages.next().unwrap_or_default());
    (resident * PAGE_KIB, resident.saturating_sub(shared) * PAGE_KIB)
}
