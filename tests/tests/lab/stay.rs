//! A host that lives long: two thousand logins of every kind in one process, which then looks as it did after
//! the first two hundred, and in whose memory nothing secret is left.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Conversation, Lab, Lap, Run, Simulator};

use crate::support::pam;

/// A password for the service that occurs nowhere by chance.
const AP_PWD: &str = "Marker-7Qx0vJ2hW9";
/// The number of the crowd's first phone, which confirms at once.
const NUMBER: &str = "41791000000";

const LAPS: usize = 10;
const LOGINS_PER_LAP: usize = 200;
/// What memory may grow by in the nine laps after the first, when what a first use brings in has come.
const GROWTH_KIB: i64 = 256;

const fn run(service: &'static str, user: &'static str, how: Conversation, result: i64) -> Run {
    Run { service, user, how, result }
}

/// What costs some milliseconds, again and again: a quarter of it are whole logins.
const QUICK: &[Run] = &[
    run("door", "judy", Conversation::Talk, pam::SUCCESS),
    run("door", "root", Conversation::Talk, pam::USER_UNKNOWN),
    run("broken", "judy", Conversation::Talk, pam::SERVICE_ERR),
    run("door", "nobody-here", Conversation::Fail, pam::USER_UNKNOWN),
    run("door", "judy", Conversation::Null, pam::SUCCESS),
    run("asynch", "root", Conversation::Null, pam::USER_UNKNOWN),
    run("broken", "judy", Conversation::Empty, pam::SERVICE_ERR),
];

/// What takes its time, once in a lap: people who refuse think first, and an asynchronous login asks after a second.
const SLOW: &[Run] = &[
    run("door", "bob", Conversation::Talk, pam::ABORT),
    run("door", "bad-signature", Conversation::Null, pam::ABORT),
    run("door", "tls-reset", Conversation::Fail, pam::ABORT),
    run("asynch", "judy", Conversation::Talk, pam::SUCCESS),
];

#[test]
fn two_thousand_logins_leave_the_host_as_it_was() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator_with_crowd(1, 0)?;
    furnish(&lab, &mobile_id)?;
    let quick = QUICK.iter().cycle().take(LOGINS_PER_LAP - SLOW.len());
    let runs = SLOW.iter().chain(quick).copied().collect::<Vec<_>>();
    let stay = lab.stay(LAPS, &runs)?;
    same_after_every_lap(&stay.laps)?;
    let left = stay.search(&secrets(&lab)?)?;
    ensure!(left.is_empty(), "left in the host's memory:\n{}", left.join("\n"));
    let written = stay.finish()?;
    ensure!(written.is_empty(), "somebody wrote to the host's standard output or error:\n{written}");
    Ok(())
}

/// By itself, because the others would be told of it for ten seconds.
#[test]
fn an_outage_leaves_the_host_as_it_was() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator_with_crowd(1, 0)?;
    furnish(&lab, &mobile_id)?;
    let runs = [run("down", "judy", Conversation::Talk, pam::AUTHINFO_UNAVAIL); LOGINS_PER_LAP];
    let stay = lab.stay(LAPS, &runs)?;
    same_after_every_lap(&stay.laps)?;
    let written = stay.finish()?;
    ensure!(written.is_empty(), "somebody wrote to the host's standard output or error:\n{written}");
    Ok(())
}

/// The services `door`, `asynch`, `down` and `broken`, each with a configuration of its own.
fn furnish(lab: &Lab, mobile_id: &Simulator<'_>) -> Result<()> {
    mobile_id.enrol("judy", NUMBER)?;
    let module = lab.bring(&lab.artefacts().module()?)?;
    let simulators = fs::read_to_string(lab.path("/etc/mobileid/mobileid.toml"))?;
    let plain = simulators.replace("\"not-needed\"", &format!("\"{AP_PWD}\""));
    ensure!(plain != simulators, "the simulator's configuration has another AP_PWD");
    let asynch = plain.replace("[service]\n", "[service]\nmessaging_mode = \"asynch\"\n");
    // Bob refuses in each lap.
    let plain = format!("{plain}\n[pam]\npush_limit = 20\n");
    // Nothing listens on port 1 of loopback.
    let down = plain.replace(mobile_id.service(), "https://127.0.0.1:1");
    let files = [
        ("door", plain.clone()),
        ("asynch", format!("{asynch}\n[timeouts]\npoll = 1\n")),
        ("down", down),
        ("broken", format!("{plain}\n[surprise]\n")),
    ];
    for (service, text) in files {
        let path = format!("/etc/mobileid/{service}.toml");
        lab.write(&path, 0o600, &text)?;
        lab.pam_service(service, &format!("auth required {module} config={path}"))?;
    }
    Ok(())
}

fn same_after_every_lap(laps: &[Lap]) -> Result<()> {
    ensure!(laps.len() == LAPS && laps.iter().all(|lap| lap.logins == LOGINS_PER_LAP as i64), "{laps:#?}");
    let first = laps.first().context("laps")?;
    for lap in laps {
        ensure!(lap.threads == 1 && lap.child == 0, "a thread or a child is left: {lap:?}");
        ensure!(lap.disturbed == 0, "signals, umask, folder, locale or environment changed: {lap:?}");
        ensure!(lap.mapped == 0, "the module was not unloaded: {lap:?}");
        ensure!(lap.fds == first.fds, "descriptors leak: {first:?} {lap:?}");
        let growth = lap.rss_kib - first.rss_kib;
        ensure!(growth < GROWTH_KIB, "{growth} KiB more than after the first lap: {laps:#?}");
    }
    Ok(())
}

/// What the process had to know in order to log people in, in the forms that it is known to take.
fn secrets(lab: &Lab) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let path = lab.path("/etc/mobileid/client.key");
    let pem = fs::read_to_string(&path)?;
    let line = pem.lines().nth(1).context("a key in PEM")?;
    let der = Command::new("openssl").args(["pkey", "-outform", "DER", "-in"]).arg(&path).output()?.stdout;
    // ECPrivateKey (RFC 5915) begins with version 1, and an OCTET STRING of the 32 bytes that are the secret.
    let scalar = der.windows(37).find_map(|window| window.strip_prefix(&[2, 1, 1, 4, 32]));
    let scalar = scalar.context("a P-256 key")?.to_vec();
    // As a number of machine words, which cryptography calculates with.
    let words = scalar.iter().rev().copied().collect();
    Ok(vec![
        ("AP_PWD", AP_PWD.into()),
        ("the phone's number", NUMBER.into()),
        ("the key, in PEM", line.into()),
        ("the key", scalar),
        ("the key, in words", words),
    ])
}

#[test]
fn what_is_in_memory_is_found() -> Result<()> {
    let lab = Lab::new()?;
    let module = lab.bring(&lab.artefacts().module()?)?;
    lab.pam_service("door", &format!("auth required {module} config=/nowhere"))?;
    let stay = lab.stay(1, &[run("door", "judy", Conversation::Talk, pam::SERVICE_ERR)])?;
    // The application's own arguments lie on its stack.
    let found = stay.search(&[("the argument", b"door,judy,talk,3".to_vec())])?;
    ensure!(found.iter().any(|place| place.ends_with("[stack]")), "{found:?}");
    ensure!(stay.finish()?.is_empty(), "a host that says nothing");
    Ok(())
}
