//! Logging in over SSH: OpenSSH's server and client, and the module in PAM service `sshd`.

use std::time::Instant;

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, PASSWORD};

use crate::support::{SOON, kept_out, let_in, log_in, no_push, one_audit, one_push, same_code};

const KEY_FIRST: &[&str] = &["AuthenticationMethods publickey,keyboard-interactive:pam"];
const PASSWORD_FIRST: &[&str] = &["PasswordAuthentication yes", "KbdInteractiveAuthentication no"];

/// Debian's order: a wrong password ends it before anybody's phone rings.
fn password_then_phone(lab: &Lab) -> Result<String> {
    Ok(format!("auth requisite pam_unix.so nodelay\n{}", lab.module("")?))
}

#[test]
fn whoever_confirms_is_let_in_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let ended = log_in(&sshd, "alice", Methods::Interactive)?;
    let_in(&ended)?;
    same_code(&ended.shown, &one_push(&mobile_id, "alice")?)?;
    one_audit(&lab, "alice", "accepted")?;
    Ok(())
}

#[test]
fn whoever_cancels_is_kept_out_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let ended = log_in(&sshd, "bob", Methods::Interactive)?;
    kept_out(&ended)?;
    ensure!(ended.shown.contains("Mobile ID"), "nothing was said:\n{}", ended.shown);
    one_push(&mobile_id, "bob")?;
    one_audit(&lab, "bob", "denied")?;
    Ok(())
}

#[test]
fn after_a_key_the_phone_decides() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(KEY_FIRST)?;
    let_in(&log_in(&sshd, "alice", Methods::KeyThenInteractive)?)?;
    one_push(&mobile_id, "alice")?;

    kept_out(&log_in(&sshd, "bob", Methods::KeyThenInteractive)?)?;
    one_push(&mobile_id, "bob")?;

    // Without the key it does not come to the phone.
    kept_out(&sshd.login("dave", Methods::Interactive)?.finish()?)?;
    ensure!(mobile_id.pushes("dave")?.is_empty());
    Ok(())
}

#[test]
fn after_a_password_the_phone_decides() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &password_then_phone(&lab)?)?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.press_enter_at_code()?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;

    kept_out(&log_in(&sshd, "bob", Methods::Interactive)?)?;
    one_push(&mobile_id, "bob")?;

    let mut session = sshd.login("dave", Methods::Interactive)?;
    for _ in 0..3 {
        session.expect("Password:")?;
        session.send_line("wrong")?;
    }
    kept_out(&session.finish()?)?;
    ensure!(mobile_id.pushes("dave")?.is_empty(), "a wrong password rang the phone");
    Ok(())
}

#[test]
fn the_password_method_needs_the_phone_too() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &password_then_phone(&lab)?)?;
    let sshd = lab.sshd(PASSWORD_FIRST)?;
    let mut session = sshd.login("alice", Methods::Password)?;
    session.expect("password:")?;
    session.send_line(PASSWORD)?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;

    let mut session = sshd.login("bob", Methods::Password)?;
    session.expect("password:")?;
    session.send_line(PASSWORD)?;
    kept_out(&session.finish()?)?;
    one_push(&mobile_id, "bob")?;
    Ok(())
}

#[test]
fn nobody_is_asked_for_an_account_that_does_not_exist() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    // Enrolled, so that only the missing account can be what stops the push.
    mobile_id.enrol("ghost", &mobile_id.number("alice")?)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("ghost", Methods::Interactive)?.finish()?)?;
    sshd.log().wait_for("Invalid user ghost")?;
    no_push(&mobile_id)
}

#[test]
fn nobody_is_asked_when_sshd_has_already_refused_the_user() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    // `optional` is an administrator's mistake: it lets the module run on sshd's junk password.
    let stack = format!("auth optional pam_unix.so nodelay\n{}", lab.module("")?);
    lab.pam_service("sshd", &stack)?;
    let sshd = lab.sshd(&["DenyUsers alice"])?;
    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.expect("Password:")?;
    session.kill();
    sshd.log().wait_for("User alice from 127.0.0.1 not allowed")?;
    let audit = one_audit(&lab, "alice", "denied")?;
    ensure!(audit.get("reason").is_some_and(|reason| reason == "first-factor-failed"), "{audit:#}");
    no_push(&mobile_id)
}

#[test]
fn whoever_is_not_enrolled_is_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    no_push(&mobile_id)
}

#[test]
fn a_client_that_goes_away_ends_the_login() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("grace", Methods::Interactive)?;
    session.press_enter_at_code()?;
    mobile_id.wait_journal("the push", |journal| !journal.is_empty())?;
    let start = Instant::now();
    session.kill();
    // With the time limits as they are it would otherwise last 90 seconds.
    let audit = one_audit(&lab, "grace", "denied")?;
    ensure!(start.elapsed() < SOON, "only after {:?}", start.elapsed());
    ensure!(audit.get("reason").is_some_and(|reason| reason == "cancelled"), "{audit:#}");
    Ok(())
}
