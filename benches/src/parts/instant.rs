//! (c) Logins per second when the phone answers at once, and how much of that is bare cryptography.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::bare::{self, Bare};
use crate::freeradius::{self, FreeRadius, Pool};
use crate::load::{self, Pace, Plan};
use crate::process::Cores;
use crate::responder::{Decides, Responder};
use crate::service::{Service, Signing};
use crate::table::{Book, each, microseconds, milliseconds, ratio};
use crate::watch::{self, Watch};

const PART: &str = "instant";
const COLUMNS: &[(&str, usize)] = &[
    ("server", 34),
    ("key", 4),
    ("open", 5),
    ("logins", 7),
    ("logins/s", 9),
    ("CPU us", 8),
    ("bare us", 8),
    ("share", 6),
    ("sim. us", 8),
    ("p50 ms", 8),
    ("p99 ms", 8),
    ("lost", 5),
];

/// More than log in at a time, or two logins would be one.
const PEOPLE: u32 = 20_000;

/// A login as it was measured.
struct Found {
    cpu: Duration,
    rate: f64,
}

struct Load {
    name: String,
    port: u16,
    pid: u32,
    count: u32,
    open: usize,
    /// Exchanges with the service that one login takes at least.
    exchanges: u32,
}

/// Measures both servers with both kinds of keys.
///
/// # Errors
/// A server does not come up.
pub fn run(bench: &Bench, book: &mut Book) -> Result<()> {
    book.table(PART, "(c) The phone answers at once, both cores shared by server, service and load", COLUMNS);
    for signing in [Signing::Ec, Signing::Rsa] {
        let service = bench.service(PEOPLE, Duration::ZERO, signing)?;
        let bare = bare::measure(&service, signing, &bench.folder.join("bare"), bench.or(2000, 200))?;
        book.note(&format!(
            "{}: signature {} us, certificate {} us, records of one exchange {} us, a new connection {} us",
            signing.name(),
            microseconds(bare.person),
            microseconds(bare.certificate),
            microseconds(bare.records),
            microseconds(bare.handshake),
        ));
        let peer = bench.peer.then(|| peer(bench, book, &service, signing, &bare)).transpose()?;
        for decides in [Decides::Synch, Decides::Asynch] {
            let Some(found) = ours(bench, book, &service, decides, signing, &bare)? else { continue };
            if let Some(peer) = &peer {
                book.note(&format!(
                    "{} to FreeRADIUS with curl and openssl: {:.1} times the logins per second, {:.3} times the CPU",
                    decides.name(),
                    found.rate / peer.rate,
                    ratio(found.cpu, peer.cpu)
                ));
            }
        }
    }
    Ok(())
}

fn peer(bench: &Bench, book: &mut Book, service: &Service, signing: Signing, bare: &Bare) -> Result<Found> {
    let decides = freeradius::Decides::Ask(service);
    let server = FreeRadius::start(&bench.folder.join("freeradius"), decides, Pool::STOCK, Cores::All)?;
    let load = Load {
        name: "FreeRADIUS/32, curl and openssl".to_owned(),
        port: server.port,
        pid: server.process.pid(),
        count: bench.or(300, 30),
        open: 16,
        exchanges: 1,
    };
    measure(book, service, &load, signing, bare)
}

fn ours(
    bench: &Bench,
    book: &mut Book,
    service: &Service,
    decides: Decides,
    signing: Signing,
    bare: &Bare,
) -> Result<Option<Found>> {
    let Some(program) = &bench.responder else { return Ok(None) };
    let server = Responder::start(program, &bench.folder.join("responder"), service, decides, Cores::All)?;
    let asynch = decides == Decides::Asynch;
    let mut load = Load {
        name: format!("mobileid-radiusd, {}", decides.name()),
        port: server.port,
        pid: server.process.pid(),
        count: 200,
        // A login that polls is over when the first poll is: many at a time keep the cores busy.
        open: if asynch { 1000 } else { 64 },
        exchanges: if asynch { 2 } else { 1 },
    };
    // The connections are there, the authorities are known.
    quietly(&load)?;
    load.count = bench.or(if asynch { 6000 } else { 5000 }, 500);
    let found = measure(book, service, &load, signing, bare)?;
    let times = ratio(found.cpu, bare.login(load.exchanges));
    book.goal(
        &format!("(c) {} {}: CPU per login", decides.name(), signing.name()),
        &format!("{} us, {times:.2} times the bare cryptography", microseconds(found.cpu)),
        "2 times",
        times <= 2.0 && found.rate > 0.0,
    );
    Ok(Some(found))
}

fn plan(load: &Load) -> Plan {
    let mut plan = Plan::new(load.port, load.count, Pace::Closed(load.open));
    plan.users = PEOPLE;
    plan.timeout = Duration::from_secs(20);
    plan.linger = Duration::ZERO;
    plan
}

fn quietly(load: &Load) -> Result<()> {
    load::run(&plan(load)).map(drop)
}

fn measure(book: &mut Book, service: &Service, load: &Load, signing: Signing, bare: &Bare) -> Result<Found> {
    let service_before = watch::cpu(service.pid());
    let watch = Watch::start(load.pid);
    let report = load::run(&plan(load))?;
    let usage = watch.stop();
    let service_cpu = watch::cpu(service.pid()).saturating_sub(service_before);
    let found = Found { cpu: each(usage.cpu, report.answered()), rate: report.rate() };
    let least = bare.login(load.exchanges);
    let cells = [
        load.name.clone(),
        signing.name().to_owned(),
        load.open.to_string(),
        report.accepted.to_string(),
        format!("{:.0}", found.rate),
        microseconds(found.cpu),
        microseconds(least),
        format!("{:.0}%", ratio(least, found.cpu) * 100.0),
        microseconds(each(service_cpu, report.answered())),
        milliseconds(report.percentile(50)),
        milliseconds(report.percentile(99)),
        report.lost.to_string(),
    ];
    let value = json!({
        "server": load.name, "key": signing.name(), "open": load.open, "load": report.to_json(),
        "cpu_us": found.cpu.as_secs_f64() * 1e6, "bare_us": least.as_secs_f64() * 1e6,
        "handshake_us": bare.handshake.as_secs_f64() * 1e6, "records_us": bare.records.as_secs_f64() * 1e6,
    });
    book.row(PART, COLUMNS, &cells, value);
    Ok(found)
}
