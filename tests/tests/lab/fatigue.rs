//! A phone that is asked in vain again and again is left alone: the limit counts for all services of the host.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods};

use crate::support::{audited, kept_out, let_in, log_in, sudo};

#[test]
fn after_three_pushes_in_vain_there_are_no_more() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    for _ in 0..2 {
        kept_out(&log_in(&sshd, "bob", Methods::Interactive)?)?;
    }
    kept_out(&sudo(&lab, "bob")?)?;
    ensure!(mobile_id.pushes("bob")?.len() == 3);

    let refused = sudo(&lab, "bob")?;
    kept_out(&refused)?;
    ensure!(refused.shown.contains("asked too often"), "{}", refused.shown);
    let refused = log_in(&sshd, "bob", Methods::Interactive)?;
    kept_out(&refused)?;
    ensure!(refused.shown.contains("asked too often"), "{}", refused.shown);
    ensure!(mobile_id.pushes("bob")?.len() == 3, "bob's phone rang again");
    let cancelled = "denied user-cancel";
    audited(&lab, "bob", &[cancelled, cancelled, cancelled, "denied push-limit", "denied push-limit"])?;

    // Nobody else is kept from anything.
    let_in(&sudo(&lab, "alice")?)?;

    // The administrator has spoken with bob.
    let tool = lab.bring(&lab.artefacts().mobileidctl()?)?;
    let listed = lab.run(lab.command(&tool).args(["pushes", "list"]))?;
    ensure!(String::from_utf8_lossy(&listed.stdout).contains("bob"), "{listed:?}");
    let cleared = lab.run(lab.command(&tool).args(["pushes", "clear", "bob"]))?;
    ensure!(cleared.status.success(), "{cleared:?}");
    kept_out(&sudo(&lab, "bob")?)?;
    ensure!(mobile_id.pushes("bob")?.len() == 4, "bob's phone was to ring again");
    Ok(())
}

#[test]
fn a_push_that_is_confirmed_was_not_in_vain() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure("[pam]\npush_limit = 2")?;
    lab.pam_service("sudo", &lab.module("")?)?;
    for pushes in 1..=4 {
        let_in(&sudo(&lab, "alice")?)?;
        ensure!(mobile_id.pushes("alice")?.len() == pushes);
    }
    for _ in 0..3 {
        kept_out(&sudo(&lab, "bob")?)?;
    }
    ensure!(mobile_id.pushes("bob")?.len() == 2, "{:#?}", mobile_id.journal()?);
    Ok(())
}
