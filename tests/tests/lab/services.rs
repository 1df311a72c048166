//! Ways round `[pam]`: another name for the same door.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;

use crate::support::{audited, kept_out, to_the_end};

#[test]
fn the_second_names_of_sudo_and_su_are_required_with_the_first() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure("[pam]\nsu_identity = \"caller\"\n[pam.require]\nservices = [\"sudo\", \"su\"]")?;
    for service in ["sudo", "sudo-i", "su", "su-l"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    // bob's phone says no.
    for (program, arguments) in [("sudo", &["-k", "-i", "id"][..]), ("su", &["-", "root", "-c", "id"])] {
        let mut command = lab.command_as("bob", program)?;
        command.args(arguments);
        kept_out(&to_the_end(lab.terminal(&command)?)?)?;
    }
    audited(&lab, "bob", &["denied user-cancel", "denied user-cancel"])?;
    let audits = lab.audits("bob")?;
    let services: Vec<_> = audits.iter().filter_map(|audit| audit.get("service")?.as_str()).collect();
    ensure!(services == ["sudo-i", "su-l"], "{services:?}");
    ensure!(mobile_id.pushes("bob")?.len() == 2, "{:#?}", mobile_id.journal()?);
    Ok(())
}
