//! A person compares the code on the terminal with the one on the phone, and then presses a button.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods};

use crate::support::{kept_out, let_in, one_audit, same_code};

#[test]
fn sudo_shows_the_code_before_the_button_is_pressed() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let mut command = lab.command_as("carol", "sudo")?;
    command.args(["-k", "sh", "-c", "echo granted to $(id -un)"]);

    let mut session = lab.terminal(&command)?;
    session.expect("code ")?;
    session.expect("\n")?;
    let shown = session.shown().to_owned();
    same_code(&shown, &mobile_id.confirm("carol")?)?;
    session.expect("granted to root")?;
    let_in(&session.finish()?)?;
    one_audit(&lab, "carol", "accepted")?;

    let mut session = lab.terminal(&command)?;
    session.expect("code ")?;
    mobile_id.cancel("carol")?;
    kept_out(&session.finish()?)?;
    ensure!(mobile_id.pushes("carol")?.len() == 2, "one push for each sudo");
    Ok(())
}

#[test]
fn ssh_waits_for_the_button() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;

    // heidi has the app, carol the SIM.
    for user in ["carol", "heidi"] {
        let mut session = sshd.login(user, Methods::Interactive)?;
        session.press_enter_at_code()?;
        let phone = mobile_id.confirm(user)?;
        session.expect(&format!("granted to {user}"))?;
        let ended = session.finish()?;
        let_in(&ended)?;
        same_code(&ended.shown, &phone)?;
    }
    let mut session = sshd.login("carol", Methods::Interactive)?;
    session.press_enter_at_code()?;
    mobile_id.cancel("carol")?;
    kept_out(&session.finish()?)
}
