//! su: the phone of the account that is entered is asked.

use anyhow::Result;
use mobileid_tests::{Lab, Terminal};

use crate::support::{kept_out, let_in, no_push, one_push};

fn su(lab: &Lab, to: &str) -> Result<Terminal> {
    let mut command = lab.command_as("judy", "su")?;
    command.args([to, "-c", "echo granted to $(id -un)"]);
    lab.terminal(&command)
}

#[test]
fn whoever_confirms_is_let_in_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("su", &lab.module("")?)?;
    let mut session = su(&lab, "alice")?;
    session.expect("Mobile ID")?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    Ok(())
}

#[test]
fn whoever_cancels_or_has_no_mobile_id_is_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("su", &lab.module("")?)?;
    kept_out(&su(&lab, "judy")?.finish()?)?;
    no_push(&mobile_id)?;
    kept_out(&su(&lab, "bob")?.finish()?)?;
    one_push(&mobile_id, "bob")?;
    Ok(())
}
