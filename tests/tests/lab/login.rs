//! login, as getty starts it: as root, on a terminal of its own.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Terminal};

use crate::support::{let_in, no_push, one_push};

fn login(lab: &Lab, user: &str) -> Result<Terminal> {
    let mut command = lab.command("login");
    command.arg(user);
    lab.terminal(&command)
}

#[test]
fn whoever_confirms_is_let_in_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("login", &lab.module("")?)?;
    let mut session = login(&lab, "alice")?;
    session.expect("Mobile ID")?;
    session.expect("$ ")?;
    session.send_line("echo granted to $(id -un); exit")?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    Ok(())
}

#[test]
fn whoever_cancels_is_kept_out_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("login", &lab.module("")?)?;
    let ended = login(&lab, "bob")?.finish()?;
    ensure!(!ended.status.success() && !ended.shown.contains("$ "), "{}", ended.shown);
    one_push(&mobile_id, "bob")?;
    Ok(())
}

#[test]
fn whoever_is_not_enrolled_is_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("login", &lab.module("")?)?;
    let mut session = login(&lab, "judy")?;
    // login asks for another name: that is its way of saying no.
    session.expect("Login incorrect")?;
    no_push(&mobile_id)
}
