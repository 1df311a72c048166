//! (b) People who wait for their phones: all at once, and one after the other.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::freeradius::{self, FreeRadius, Pool};
use crate::load::{self, Pace, Plan, Report};
use crate::process::Cores;
use crate::responder::{Decides, Responder};
use crate::service::{Service, Signing};
use crate::table::{Book, each, milliseconds, ratio};
use crate::watch::{self, Usage, Watch};

const PART: &str = "waiting";
const COLUMNS: &[(&str, usize)] = &[
    ("server", 34),
    ("phone s", 7),
    ("arrive", 7),
    ("waiting", 7),
    ("accepted", 8),
    ("refused", 7),
    ("lost", 6),
    ("+p50 ms", 8),
    ("+p99 ms", 8),
    ("KiB each", 8),
    ("CPU ms", 7),
    ("sim. ms", 7),
    ("threads", 7),
    ("procs", 6),
];

/// How much longer than the phone takes a client listens.
const BEYOND: Duration = Duration::from_secs(20);

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Server {
    Ours(Decides),
    /// FreeRADIUS, with a script that only sleeps, or with one that does the job.
    Peer(Threads, Script),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Threads {
    Stock,
    Large,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Script {
    Sleeps,
    Asks,
}

impl Server {
    fn name(self) -> String {
        let pool = |pool: Threads| pool.pool().name();
        match self {
            Server::Ours(decides) => format!("mobileid-radiusd, {}", decides.name()),
            Server::Peer(of, Script::Sleeps) => format!("FreeRADIUS/{}, script that sleeps", pool(of)),
            Server::Peer(of, Script::Asks) => format!("FreeRADIUS/{}, curl and openssl", pool(of)),
        }
    }
}

impl Threads {
    fn pool(self) -> Pool {
        match self {
            Threads::Stock => Pool::STOCK,
            Threads::Large => Pool::LARGE,
        }
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
struct Case {
    server: Server,
    delay: Duration,
    arrival: Arrival,
    count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrival {
    AtOnce,
    /// So many a second.
    Steady(u32),
}

struct Found {
    report: Report,
    usage: Usage,
    service_cpu: Duration,
}

/// Measures every case on a fresh server, and the service afresh for each delay.
///
/// # Errors
/// A server does not come up.
pub fn run(bench: &Bench, book: &mut Book) -> Result<()> {
    book.table(
        PART,
        "(b) People waiting for a phone, both cores shared by server, service and load",
        COLUMNS,
    );
    book.note(
        "+p50 and +p99: beyond the phone's own time. CPU and memory are the server's, with its scripts'.",
    );
    for delay in bench.or(&[5, 30][..], &[2][..]) {
        let delay = Duration::from_secs(*delay);
        let service = bench.service(20_000, delay, Signing::Ec)?;
        let mut peers = Vec::new();
        for case in cases(bench, delay) {
            let found = measure(bench, &service, case)?;
            show(book, case, &found);
            judge(book, case, &found);
            match case.server {
                Server::Ours(_) => compare(book, &peers, case, &found),
                Server::Peer(..) => peers.push((case, found)),
            }
        }
    }
    Ok(())
}

fn cases(bench: &Bench, delay: Duration) -> Vec<Case> {
    let case = |server, arrival, count| Case { server, delay, arrival, count };
    let mut cases = Vec::new();
    if bench.peer {
        let peer = |pool, script, counts: &[u32]| -> Vec<Case> {
            counts.iter().map(|&count| case(Server::Peer(pool, script), Arrival::AtOnce, count)).collect()
        };
        let long = delay > Duration::from_secs(10);
        let (some, few): (&[u32], &[u32]) = match (bench.quick, long) {
            (true, _) => (&[50], &[50]),
            (false, true) => (&[1000], &[]),
            (false, false) => (&[100, 1000, 5000], &[100, 1000]),
        };
        for pool in [Threads::Stock, Threads::Large] {
            cases.extend(peer(pool, Script::Sleeps, some));
            cases.extend(peer(pool, Script::Asks, few));
        }
    }
    if bench.responder.is_some() {
        for decides in [Decides::Synch, Decides::Asynch] {
            for &count in bench.or(&[100, 1000, 5000, 20_000][..], &[100, 1000][..]) {
                let most = if decides == Decides::Synch { bench.connections } else { u32::MAX };
                cases.push(case(Server::Ours(decides), Arrival::AtOnce, count.min(most)));
            }
        }
    }
    let steady = |server, rate: u32| case(server, Arrival::Steady(rate), rate * bench.or(20, 3));
    if bench.peer && delay <= Duration::from_secs(10) {
        cases.push(steady(Server::Peer(Threads::Large, Script::Sleeps), 20));
    }
    if bench.responder.is_some() && delay <= Duration::from_secs(10) {
        cases.push(steady(Server::Ours(Decides::Synch), 100));
        cases.push(steady(Server::Ours(Decides::Asynch), 100));
    }
    cases
}

fn measure(bench: &Bench, service: &Service, case: Case) -> Result<Found> {
    let (_peer, _ours, port, pid);
    match case.server {
        Server::Peer(pool, script) => {
            let decides = match script {
                Script::Sleeps => freeradius::Decides::Sleep(case.delay),
                Script::Asks => freeradius::Decides::Ask(service),
            };
            let server =
                FreeRadius::start(&bench.folder.join("freeradius"), decides, pool.pool(), Cores::All)?;
            (port, pid) = (server.port, server.process.pid());
            _peer = server;
        }
        Server::Ours(decides) => {
            let program = bench.responder.as_deref().unwrap_or(std::path::Path::new("mobileid-radiusd"));
            let folder = bench.folder.join("responder");
            let server = Responder::start(program, &folder, service, decides, Cores::All)?;
            (port, pid) = (server.port, server.process.pid());
            _ours = server;
        }
    }
    let pace = match case.arrival {
        Arrival::AtOnce => Pace::Burst,
        Arrival::Steady(rate) => Pace::Rate(f64::from(rate)),
    };
    let mut plan = Plan::new(port, case.count, pace);
    plan.timeout = case.delay + BEYOND;
    plan.linger = Duration::from_millis(500);
    let service_before = watch::cpu(service.pid());
    let watch = Watch::start(pid);
    let report = load::run(&plan)?;
    let usage = watch.stop();
    Ok(Found { report, usage, service_cpu: watch::cpu(service.pid()).saturating_sub(service_before) })
}

impl Found {
    fn beyond(&self, percent: usize, delay: Duration) -> Duration {
        self.report.percentile(percent).saturating_sub(delay)
    }

    /// Memory for each person who really waits: with scripts, as many as there are scripts.
    fn kib_each(&self, case: Case) -> u64 {
        let waiting = match case.server {
            Server::Peer(..) => u64::try_from(self.usage.scripts).unwrap_or_default(),
            Server::Ours(_) => self.waiting(case),
        };
        let grown = self.usage.rss_peak.saturating_sub(self.usage.rss_before) + self.usage.processes_kib;
        grown.checked_div(waiting).unwrap_or_default()
    }

    fn cpu_each(&self) -> Duration {
        each(self.usage.cpu, self.report.answered())
    }

    /// Most people who wait at a time.
    fn waiting(&self, case: Case) -> u64 {
        match case.arrival {
            Arrival::AtOnce => case.count.into(),
            Arrival::Steady(rate) => u64::from(rate) * case.delay.as_secs(),
        }
    }
}

fn show(book: &mut Book, case: Case, found: &Found) {
    let Found { report, usage, service_cpu } = found;
    let cpu = found.cpu_each();
    let arrive = match case.arrival {
        Arrival::AtOnce => "at once".to_owned(),
        Arrival::Steady(rate) => format!("{rate}/s"),
    };
    let kib = found.kib_each(case);
    let cells = [
        case.server.name(),
        case.delay.as_secs().to_string(),
        arrive.clone(),
        found.waiting(case).to_string(),
        report.accepted.to_string(),
        report.rejected.to_string(),
        report.lost.to_string(),
        milliseconds(found.beyond(50, case.delay)),
        milliseconds(found.beyond(99, case.delay)),
        kib.to_string(),
        milliseconds(cpu),
        milliseconds(each(*service_cpu, report.answered())),
        usage.threads.to_string(),
        usage.processes.to_string(),
    ];
    let value = json!({
        "server": case.server.name(), "phone_s": case.delay.as_secs(), "arrive": arrive, "count": case.count,
        "waiting": found.waiting(case), "load": report.to_json(),
        "added_p50_ms": found.beyond(50, case.delay).as_secs_f64() * 1e3,
        "added_p99_ms": found.beyond(99, case.delay).as_secs_f64() * 1e3,
        "kib_each": kib, "cpu_ms": cpu.as_secs_f64() * 1e3, "threads": usage.threads,
        "processes": usage.processes, "scripts": usage.scripts, "rss_kib": usage.rss_peak,
    });
    book.row(PART, COLUMNS, &cells, value);
}

/// Holds ours against the peer at its best: its large pool, with the most people that it was given, and with the
/// script that does the job where that one had as many.
fn compare(book: &mut Book, peers: &[(Case, Found)], case: Case, found: &Found) {
    let at_once = |case: &Case| case.arrival == Arrival::AtOnce;
    let fits = |(peer, _): &&(Case, Found)| {
        matches!(peer.server, Server::Peer(Threads::Large, _))
            && at_once(peer) == at_once(&case)
            && peer.count <= case.count
    };
    let asks = |case: &Case| matches!(case.server, Server::Peer(_, Script::Asks));
    let Some((peer, theirs)) = peers.iter().filter(fits).max_by_key(|(peer, _)| (peer.count, asks(peer)))
    else {
        return;
    };
    let kib = theirs.kib_each(*peer).checked_div(found.kib_each(case)).unwrap_or_default();
    book.note(&format!(
        "{} to {}: {} of {} accepted to {} of {}; {kib} times less memory, {:.0} times less CPU",
        case.server.name(),
        peer.server.name(),
        found.report.accepted,
        case.count,
        theirs.report.accepted,
        peer.count,
        ratio(theirs.cpu_each(), found.cpu_each()),
    ));
}

/// Holds ours against what was to be reached, at the largest burst of each mode and in steady arrival.
fn judge(book: &mut Book, case: Case, found: &Found) {
    let Server::Ours(decides) = case.server else { return };
    let (largest, memory) = if decides == Decides::Asynch { (20_000, 4) } else { (5000, 40) };
    let name = format!("(b) {} {} s", decides.name(), case.delay.as_secs());
    let p99 = found.beyond(99, case.delay);
    let answer = format!("+p99 {} ms", milliseconds(p99));
    match case.arrival {
        Arrival::AtOnce if case.count == largest => {
            let Report { accepted, lost, .. } = found.report;
            let all = accepted == u64::from(case.count);
            book.goal(
                &format!("{name}: {largest} at once"),
                &format!("{accepted} accepted, {lost} lost"),
                "all",
                all,
            );
            let soon = p99 < Duration::from_secs(1) && accepted > 0;
            book.goal(
                &format!("{name}: {largest} at once, beyond the phone"),
                &answer,
                "below 1000 ms",
                soon,
            );
            let kib = found.kib_each(case);
            let wanted = format!("at most {memory} KiB");
            book.goal(&format!("{name}: memory for each"), &format!("{kib} KiB"), &wanted, kib <= memory);
        }
        Arrival::AtOnce => {}
        Arrival::Steady(rate) => {
            let limit = Duration::from_millis(50) + decides.half_a_poll();
            let wanted = format!("below {} ms", limit.as_millis());
            let soon = p99 < limit && found.report.lost == 0;
            book.goal(&format!("{name}: {rate}/s, beyond the phone"), &answer, &wanted, soon);
        }
    }
}
