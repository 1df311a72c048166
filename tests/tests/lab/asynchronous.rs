//! `messaging_mode = "asynch"`: the request is taken at once, and the module asks until it knows. What the person at
//! the terminal and the person with the phone see is the same.

use std::{fs, time::Instant};

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, Simulator};
use serde_json::Value;

use crate::support::{SHORT, SOON, kept_out, let_in, log_in, one_audit, one_push, same_code};

const CONFIG: &str = "/etc/mobileid/mobileid.toml";

/// Whether somebody's transaction was asked about, as the simulator tells it.
fn asked_about(journal: &[Value]) -> bool {
    journal.iter().any(|entry| entry.get("event").is_some_and(|event| event == "status-answered"))
}

/// A world in which the module asks every second.
fn asynchronous(lab: &Lab) -> Result<Simulator<'_>> {
    let mobile_id = lab.simulator()?;
    mobile_id.asynchronous()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    Ok(mobile_id)
}

#[test]
fn whoever_confirms_is_let_in_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = asynchronous(&lab)?;
    let sshd = lab.sshd(&[])?;
    let ended = log_in(&sshd, "alice", Methods::Interactive)?;
    let_in(&ended)?;
    same_code(&ended.shown, &one_push(&mobile_id, "alice")?)?;
    let audit = one_audit(&lab, "alice", "accepted")?;
    ensure!(audit.get("mssp_trans_id").is_some(), "{audit:#}");
    ensure!(asked_about(&mobile_id.journal()?), "the signature came without a status request");
    Ok(())
}

#[test]
fn whoever_cancels_is_kept_out_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = asynchronous(&lab)?;
    let sshd = lab.sshd(&[])?;
    kept_out(&log_in(&sshd, "bob", Methods::Interactive)?)?;
    one_push(&mobile_id, "bob")?;
    let audit = one_audit(&lab, "bob", "denied")?;
    ensure!(audit.get("reason").is_some_and(|reason| reason == "user-cancel"), "{audit:#}");
    Ok(())
}

#[test]
fn whoever_does_not_answer_is_kept_out_at_the_deadline() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = asynchronous(&lab)?;
    let config = fs::read_to_string(lab.path(CONFIG))?;
    lab.write(CONFIG, 0o600, &config.replace("[timeouts]\n", SHORT))?;
    let sshd = lab.sshd(&[])?;
    let start = Instant::now();
    kept_out(&log_in(&sshd, "grace", Methods::Interactive)?)?;
    // Six seconds, and as much again for the fail delay and the machine as in every other story.
    ensure!(start.elapsed() < 2 * SOON, "only after {:?}", start.elapsed());
    one_push(&mobile_id, "grace")?;
    let audit = one_audit(&lab, "grace", "denied")?;
    ensure!(audit.get("reason").is_some_and(|reason| reason == "timed-out"), "{audit:#}");
    Ok(())
}

#[test]
fn a_client_that_goes_away_between_two_polls_ends_the_login() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = asynchronous(&lab)?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("grace", Methods::Interactive)?;
    session.press_enter_at_code()?;
    mobile_id.wait_journal("a status request", asked_about)?;
    let start = Instant::now();
    session.kill();
    // With the time limits as they are it would otherwise last 90 seconds.
    let audit = one_audit(&lab, "grace", "denied")?;
    ensure!(start.elapsed() < SOON, "only after {:?}", start.elapsed());
    ensure!(audit.get("reason").is_some_and(|reason| reason == "cancelled"), "{audit:#}");
    one_push(&mobile_id, "grace")?;
    Ok(())
}
