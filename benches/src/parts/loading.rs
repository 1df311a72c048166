//! What it costs to load a module and have it decide without the network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::guests::{Cost, Guests, forget, installed, stripped_size};
use crate::service::Service;
use crate::table::{Book, microseconds, ratio};

const PART: &str = "loading";
const COLUMNS: &[(&str, usize)] = &[
    ("module", 42),
    ("file KiB", 9),
    ("time us", 9),
    ("+ us", 8),
    ("+ CPU us", 9),
    ("+ faults", 9),
    ("+ own KiB", 10),
    ("+ files", 8),
    ("+ RSS", 7),
    ("left", 6),
];

/// What a login may cost beyond pam_permit, and what the file may weigh.
const TIME_MAX: Duration = Duration::from_micros(300);
const MEMORY_MAX_KIB: i64 = 600_000 / 1024;
const SIZE_MAX: u64 = 2_600_000;

/// A whole configuration that asks nobody: the user is in no such group.
const DUO: &str = "[duo]
ikey = DIXXXXXXXXXXXXXXXXXX
skey = deadbeefdeadbeefdeadbeefdeadbeefdeadbeef
host = api.invalid
groups = no-such-group
";

struct Guest {
    name: &'static str,
    service: &'static str,
    module: PathBuf,
    arguments: String,
}

/// Asks each module in turns and shows medians: first where nothing is set up for it, so that it decides at once, then
/// with a whole configuration for a user who is none of its business.
///
/// # Errors
/// pam_permit is not there, or a login cannot be made.
pub fn run(book: &mut Book, guests: &Guests, module: &Path, service: &Service, rounds: usize) -> Result<()> {
    book.table(PART, "Loading a module and asking it, without network; medians", COLUMNS);
    let modules = present(guests, module, service)?;
    for guest in &modules {
        forget(&guest.module)?;
        guests.service(guest.service, &guest.module, &guest.arguments)?;
    }
    // Into the page cache.
    for guest in &modules {
        guests.ask(guest.service)?;
    }
    let mut found: Vec<Vec<Cost>> = modules.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (guest, found) in modules.iter().zip(&mut found) {
            found.push(guests.ask(guest.service)?);
        }
    }
    let medians: Vec<Cost> = found.iter().filter_map(|costs| median(costs)).collect();
    let Some((Guest { service: "permit", .. }, permit)) = modules.iter().zip(&medians).next() else {
        bail!("pam_permit is not there");
    };
    for (guest, cost) in modules.iter().zip(&medians) {
        show(book, guest, cost, permit)?;
    }
    book.note(
        "own is what this process alone has; pages of files are in memory once for all; left is what stays",
    );
    let by_service = |name: &str| {
        let place = modules.iter().position(|guest| guest.service == name)?;
        medians.get(place).copied()
    };
    compare(book, by_service, permit);
    goals(book, by_service, permit)?;
    let size = stripped_size(module, guests.folder())?;
    book.goal("the module's file, stripped", &format!("{size} bytes"), "at most 2600000", size <= SIZE_MAX);
    Ok(())
}

fn present(guests: &Guests, module: &Path, service: &Service) -> Result<Vec<Guest>> {
    let duo = guests.folder().join("duo.conf");
    fs::write(&duo, DUO)?;
    fs::set_permissions(&duo, Permissions::from_mode(0o600))?;
    let ours = |arguments: &Path| (Some(module.to_owned()), format!("config={}", arguments.display()));
    let debian = |name: &str, arguments: &str| (installed(name), arguments.to_owned());
    let all = [
        ("pam_permit", "permit", debian("pam_permit.so", "")),
        ("pam_google_authenticator, no secret", "google", debian("pam_google_authenticator.so", "nullok")),
        ("pam_duo, no configuration", "duo-bare", debian("pam_duo.so", "conf=/nonexistent")),
        ("pam_mobileid, no configuration", "bare", ours(Path::new("/nonexistent"))),
        (
            "pam_duo, user in none of its groups",
            "duo",
            debian("pam_duo.so", &format!("conf={}", duo.display())),
        ),
        ("pam_mobileid, user without a phone", "ours", ours(&service.file("mobileid.toml"))),
    ];
    let guests = all.into_iter().filter_map(|(name, service, (module, arguments))| {
        Some(Guest { name, service, module: module?, arguments })
    });
    Ok(guests.collect())
}

/// Beside the module that does the same job.
fn compare(book: &mut Book, by_service: impl Fn(&str) -> Option<Cost>, permit: &Cost) {
    for (ours, duo, when) in
        [("bare", "duo-bare", "no configuration"), ("ours", "duo", "a whole configuration")]
    {
        let (Some(ours), Some(duo)) = (by_service(ours), by_service(duo)) else { continue };
        let share = |pick: fn(&Cost) -> i64| percent(pick(&ours) - pick(permit), pick(&duo) - pick(permit));
        let time = ratio(added(&ours, permit), added(&duo, permit)) * 100.0;
        book.note(&format!(
            "of what pam_duo adds, with {when}: {time:.0} % of the time, {} of the own memory, {} of the RSS",
            share(|cost| cost.dirty),
            share(|cost| cost.rss)
        ));
    }
}

fn goals(book: &mut Book, by_service: impl Fn(&str) -> Option<Cost>, permit: &Cost) -> Result<()> {
    let bare = by_service("bare").context("ours was asked")?;
    let time = added(&bare, permit);
    let what = "time beyond pam_permit, no configuration";
    book.goal(what, &format!("{} us", microseconds(time)), "at most 300 us", time <= TIME_MAX);
    let mut memory = |what: &str, found: i64| {
        let wanted = format!("at most {MEMORY_MAX_KIB} KiB");
        book.goal(what, &format!("{found} KiB"), &wanted, found <= MEMORY_MAX_KIB);
    };
    memory("resident memory beyond pam_permit, no configuration", bare.rss - permit.rss);
    let whole = by_service("ours").context("ours was asked")?;
    memory("own memory beyond pam_permit, a whole configuration", whole.dirty - permit.dirty);
    if let Some(duo) = by_service("duo") {
        let (ours, duo) = (added(&whole, permit), added(&duo, permit));
        let found = format!("{} us, pam_duo {} us", microseconds(ours), microseconds(duo));
        book.goal("time beyond pam_permit, a whole configuration", &found, "less than pam_duo", ours < duo);
    }
    Ok(())
}

fn added(cost: &Cost, permit: &Cost) -> Duration {
    cost.time.saturating_sub(permit.time)
}

fn percent(one: i64, other: i64) -> String {
    match other {
        ..=0 => "-".to_owned(),
        other => format!("{} %", one * 100 / other),
    }
}

fn show(book: &mut Book, guest: &Guest, cost: &Cost, permit: &Cost) -> Result<()> {
    let size = fs::metadata(&guest.module)?.len();
    let (rss, dirty) = (cost.rss - permit.rss, cost.dirty - permit.dirty);
    let cells = [
        guest.name.to_owned(),
        (size / 1024).to_string(),
        microseconds(cost.time),
        microseconds(added(cost, permit)),
        microseconds(cost.busy.saturating_sub(permit.busy)),
        (cost.faults - permit.faults).to_string(),
        dirty.to_string(),
        (rss - dirty).to_string(),
        rss.to_string(),
        cost.left.to_string(),
    ];
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let value = json!({
        "module": guest.name, "file": size, "result": cost.result, "time_us": us(cost.time), "cpu_us": us(cost.busy),
        "faults": cost.faults, "rss_kib": cost.rss, "dirty_kib": cost.dirty, "left_kib": cost.left,
    });
    book.row(PART, COLUMNS, &cells, value);
    Ok(())
}

/// The median of each column by itself.
fn median(costs: &[Cost]) -> Option<Cost> {
    let column = |pick: fn(&Cost) -> i64| {
        let mut values: Vec<i64> = costs.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    let time = |pick: fn(&Cost) -> Duration| {
        let mut values: Vec<Duration> = costs.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    Some(Cost {
        result: costs.first()?.result,
        time: time(|cost| cost.time)?,
        busy: time(|cost| cost.busy)?,
        cpu: time(|cost| cost.cpu)?,
        faults: column(|cost| cost.faults)?,
        rss: column(|cost| cost.rss)?,
        dirty: column(|cost| cost.dirty)?,
        left: column(|cost| cost.left)?,
    })
}
