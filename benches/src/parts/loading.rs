//! What it costs to load a module and have it decide without the network.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::guests::{Cost, Guests, installed, stripped_size};
use crate::service::Service;
use crate::table::{Book, microseconds, ratio};

const PART: &str = "loading";
const COLUMNS: &[(&str, usize)] = &[
    ("module", 40),
    ("file KiB", 9),
    ("time us", 9),
    ("+ us", 8),
    ("CPU us", 9),
    ("RSS KiB", 8),
    ("+ KiB", 7),
    ("own", 6),
    ("left", 6),
];

/// What a login may cost beyond pam_permit, and what the file may weigh.
const TIME_MAX: Duration = Duration::from_micros(300);
const RSS_MAX_KIB: i64 = 600_000 / 1024;
const SIZE_MAX: u64 = 2_600_000;

struct Guest {
    name: &'static str,
    service: &'static str,
    module: PathBuf,
    arguments: String,
}

/// Asks each module in turns and shows medians. What the others are given makes them decide at once: a file that is
/// not there, or a user without a secret. Ours is asked the same, and with a whole configuration for a user without
/// a phone.
///
/// # Errors
/// pam_permit is not there, or a login cannot be made.
pub fn run(book: &mut Book, guests: &Guests, module: &Path, service: &Service, rounds: usize) -> Result<()> {
    book.table(PART, "Loading a module and asking it, without network; medians", COLUMNS);
    let whole = format!("config={}", service.file("mobileid.toml").display());
    let all = [
        ("pam_permit", "permit", installed("pam_permit.so"), String::new()),
        (
            "pam_google_authenticator, no secret",
            "google",
            installed("pam_google_authenticator.so"),
            "nullok".into(),
        ),
        ("pam_duo, no configuration", "duo", installed("pam_duo.so"), "conf=/nonexistent".into()),
        ("pam_mobileid, no configuration", "bare", Some(module.to_owned()), "config=/nonexistent".into()),
        ("pam_mobileid, user without a phone", "ours", Some(module.to_owned()), whole),
    ];
    let present = all.into_iter().filter_map(|(name, service, module, arguments)| {
        Some(Guest { name, service, module: module?, arguments })
    });
    let present: Vec<Guest> = present.collect();
    // Pages of a file that was just built are not on the disk yet, and would be counted as the process's own.
    File::open(module)?.sync_all()?;
    for guest in &present {
        guests.service(guest.service, &guest.module, &guest.arguments)?;
        // Into the page cache.
        guests.ask(guest.service)?;
    }
    let mut found: Vec<Vec<Cost>> = present.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (guest, found) in present.iter().zip(&mut found) {
            found.push(guests.ask(guest.service)?);
        }
    }
    let medians: Vec<Cost> = found.iter().filter_map(|costs| median(costs)).collect();
    let permit = *medians
        .first()
        .filter(|_| present.first().is_some_and(|guest| guest.service == "permit"))
        .context("pam_permit is not there")?;
    for (guest, cost) in present.iter().zip(&medians) {
        show(book, guest, cost, &permit)?;
    }
    let by_service = |name: &str| {
        let place = present.iter().position(|guest| guest.service == name)?;
        medians.get(place).copied()
    };
    book.note(
        "RSS counts pages of files that all processes share; own is what this one alone has, left what stays",
    );
    if let (Some(duo), Some(ours)) = (by_service("duo"), by_service("ours")) {
        let (duo, ours) = (added(&duo, &permit), added(&ours, &permit));
        book.note(&format!(
            "pam_mobileid with all it reads to pam_duo without: {:.2} times the added time",
            ratio(ours, duo)
        ));
    }
    for (service, when) in [("bare", "no configuration"), ("ours", "a whole configuration")] {
        let cost = by_service(service).context("ours was asked")?;
        let (time, rss) = (added(&cost, &permit), cost.rss - permit.rss);
        let what = format!("time beyond pam_permit, {when}");
        book.goal(&what, &format!("{} us", microseconds(time)), "at most 300 us", time <= TIME_MAX);
        let what = format!("memory beyond pam_permit, {when}");
        book.goal(&what, &format!("{rss} KiB"), &format!("at most {RSS_MAX_KIB} KiB"), rss <= RSS_MAX_KIB);
    }
    let size = stripped_size(module, guests.folder())?;
    book.goal("the module's file, stripped", &format!("{size} bytes"), "at most 2600000", size <= SIZE_MAX);
    Ok(())
}

fn added(cost: &Cost, permit: &Cost) -> Duration {
    cost.time.saturating_sub(permit.time)
}

fn show(book: &mut Book, guest: &Guest, cost: &Cost, permit: &Cost) -> Result<()> {
    let size = std::fs::metadata(&guest.module)?.len();
    let cells = [
        guest.name.to_owned(),
        (size / 1024).to_string(),
        microseconds(cost.time),
        microseconds(added(cost, permit)),
        microseconds(cost.cpu),
        cost.rss.to_string(),
        (cost.rss - permit.rss).to_string(),
        cost.dirty.to_string(),
        cost.left.to_string(),
    ];
    let value = json!({
        "module": guest.name, "file": size, "result": cost.result, "time_us": cost.time.as_secs_f64() * 1e6,
        "cpu_us": cost.cpu.as_secs_f64() * 1e6, "rss_kib": cost.rss, "dirty_kib": cost.dirty, "left_kib": cost.left,
    });
    book.row(PART, COLUMNS, &cells, value);
    Ok(())
}

/// The median of each column by itself.
fn median(costs: &[Cost]) -> Option<Cost> {
    let column = |pick: &dyn Fn(&Cost) -> i64| {
        let mut values: Vec<i64> = costs.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied()
    };
    let time = |pick: &dyn Fn(&Cost) -> Duration| {
        let nanos = column(&|cost| i64::try_from(pick(cost).as_nanos()).unwrap_or(i64::MAX))?;
        Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
    };
    Some(Cost {
        result: costs.first()?.result,
        time: time(&|cost| cost.time)?,
        cpu: time(&|cost| cost.cpu)?,
        rss: column(&|cost| cost.rss)?,
        dirty: column(&|cost| cost.dirty)?,
        left: column(&|cost| cost.left)?,
    })
}
