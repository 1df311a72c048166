//! (a) Packets per second where no phone is asked: the server on one core, the load on another.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::freeradius::{self, FreeRadius, Pool};
use crate::load::{self, Pace, Plan, Report};
use crate::process::Cores;
use crate::responder::{self, Responder};
use crate::service::Signing;
use crate::table::{Book, each, microseconds, milliseconds, ratio};
use crate::watch::{Usage, Watch};

const PART: &str = "rate";
const COLUMNS: &[(&str, usize)] = &[
    ("server", 28),
    ("open", 5),
    ("packets/s", 10),
    ("CPU us", 7),
    ("p50 ms", 7),
    ("p99 ms", 7),
    ("lost", 5),
    ("RSS MiB", 8),
];

const SERVER: Cores = Cores::One(0);
const LOAD: Cores = Cores::One(1);

/// In the goal: with so many packets open.
const GOAL_OPEN: usize = 64;

struct Found {
    report: Report,
    usage: Usage,
}

impl Found {
    fn cpu(&self) -> Duration {
        each(self.usage.cpu, self.report.answered())
    }
}

/// Measures both servers in turns, several times, and shows the median of each.
///
/// # Errors
/// A server does not come up.
pub fn run(bench: &Bench, book: &mut Book) -> Result<()> {
    book.table(PART, "(a) No phone is asked: server on core 0, load on core 1", COLUMNS);
    let service = bench.service(100, Duration::ZERO, Signing::Ec)?;
    let peer = if bench.peer {
        let decides = freeradius::Decides::Users;
        Some(FreeRadius::start(&bench.folder.join("freeradius"), decides, Pool::STOCK, SERVER)?)
    } else {
        None
    };
    let ours = match &bench.responder {
        Some(program) => {
            let decides = responder::Decides::Rule;
            Some(Responder::start(program, &bench.folder.join("responder"), &service, decides, SERVER)?)
        }
        None => None,
    };
    let mut servers = Vec::new();
    servers.extend(peer.as_ref().map(|peer| ("FreeRADIUS, users file", peer.port, peer.process.pid())));
    servers.extend(ours.as_ref().map(|ours| ("mobileid-radiusd, a rule", ours.port, ours.process.pid())));
    for &(_, port, pid) in &servers {
        once(port, pid, 64, 2000)?;
    }
    for (open, count) in
        bench.or(&[(1, 20_000), (GOAL_OPEN, 60_000), (192, 60_000)][..], &[(GOAL_OPEN, 10_000)][..])
    {
        let rounds = bench.or(3, 1);
        let mut found: Vec<Vec<Found>> = servers.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (&(_, port, pid), found) in servers.iter().zip(&mut found) {
                found.push(once(port, pid, *open, *count)?);
            }
        }
        let medians: Vec<Found> = found.into_iter().filter_map(median).collect();
        for (&(name, ..), found) in servers.iter().zip(&medians) {
            show(book, name, *open, found);
        }
        if let [peer, ours] = medians.as_slice() {
            compare(book, peer, ours, *open);
        }
    }
    Ok(())
}

fn once(port: u16, pid: u32, open: usize, count: u32) -> Result<Found> {
    let mut plan = Plan::new(port, count, Pace::Closed(open));
    plan.timeout = Duration::from_secs(3);
    plan.users = 100;
    plan.linger = Duration::ZERO;
    LOAD.run(|| {
        let watch = Watch::start(pid);
        let report = load::run(&plan)?;
        Ok(Found { report, usage: watch.stop() })
    })
}

fn median(mut found: Vec<Found>) -> Option<Found> {
    found.sort_by(|one, other| one.report.rate().total_cmp(&other.report.rate()));
    let middle = found.len() / 2;
    found.into_iter().nth(middle)
}

fn show(book: &mut Book, name: &str, open: usize, found: &Found) {
    let Found { report, usage } = found;
    let cells = [
        name.to_owned(),
        open.to_string(),
        format!("{:.0}", report.rate()),
        microseconds(found.cpu()),
        milliseconds(report.percentile(50)),
        milliseconds(report.percentile(99)),
        report.lost.to_string(),
        (usage.rss_peak / 1024).to_string(),
    ];
    let value = json!({
        "server": name, "open": open, "load": report.to_json(), "cpu_us": found.cpu().as_secs_f64() * 1e6,
        "rss_kib": usage.rss_peak,
    });
    book.row(PART, COLUMNS, &cells, value);
}

fn compare(book: &mut Book, peer: &Found, ours: &Found, open: usize) {
    let rate = ours.report.rate() / peer.report.rate();
    let cpu = ratio(ours.cpu(), peer.cpu());
    book.note(&format!(
        "mobileid-radiusd to FreeRADIUS: {rate:.2} times the rate, {cpu:.2} times the CPU per packet; the load \
         itself could be {:.0}/s",
        ours.report.generator_rate()
    ));
    if open == GOAL_OPEN {
        let found = format!("{rate:.2} times the rate, {cpu:.2} times the CPU per packet");
        book.goal("(a) packets per second on one core", &found, "2 times FreeRADIUS's", rate >= 2.0);
    }
}
