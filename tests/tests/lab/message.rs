//! `[pam] sshd_message`: the code is on the terminal before the button is pressed, whichever OpenSSH it is.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, OpenSsh};

use crate::support::{let_in, log_in, same_code};

/// What is configured, and whether the person is asked to press Enter, and shown a code.
const MESSAGES: &[(&str, bool, bool)] =
    &[("prompt", true, true), ("info", false, true), ("none", false, false)];

fn as_configured(openssh: OpenSsh) -> Result<()> {
    for &(message, enter, code) in MESSAGES {
        let lab = Lab::new()?;
        let mobile_id = lab.simulator()?;
        mobile_id.configure(&format!("[pam]\nsshd_message = \"{message}\""))?;
        lab.pam_service("sshd", &lab.module("")?)?;
        let sshd = lab.sshd_of(openssh, &[])?;
        let ended = log_in(&sshd, "alice", Methods::Interactive)?;
        let_in(&ended)?;
        ensure!(ended.shown.contains("press Enter") == enter, "{message}:\n{}", ended.shown);
        ensure!(ended.shown.contains("code ") == code, "{message}:\n{}", ended.shown);
    }
    Ok(())
}

#[test]
fn it_is_asked_told_or_kept_as_configured() -> Result<()> {
    as_configured(OpenSsh::Machine)
}

#[test]
#[cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
fn also_with_the_newer_openssh() -> Result<()> {
    as_configured(OpenSsh::Newer)
}

#[test]
#[cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
fn the_newer_openssh_shows_the_code_before_the_button_is_pressed() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd_of(OpenSsh::Newer, &[])?;
    let mut session = sshd.login("carol", Methods::Interactive)?;
    session.expect("if it shows the code ")?;
    session.expect("\n")?;
    let before = session.shown().to_owned();
    ensure!(!before.contains("press Enter"), "nobody needs to:\n{before}");
    same_code(&before, &mobile_id.confirm("carol")?)?;
    session.expect("granted to carol")?;
    let_in(&session.finish()?)
}
