//! What the phone shows is true: sudo's own command and target, su's target, the address of the connection.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods};

use crate::support::{let_in, log_in, no_push, one_audit, one_push, to_the_end};

/// A template that shows everything there is.
const WHOLE: &str = "[prompt.sudo]\nen = \"{user} as {target}: {command} Code {txn}\"";

#[test]
fn sudo_names_the_program_and_whom_the_user_becomes() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["-u", "dave", "/bin/echo", "granted", "secret-argument"]);
    let_in(&to_the_end(lab.terminal(&command)?)?)?;
    let phone = one_push(&mobile_id, "alice")?;
    ensure!(phone.contains("/bin/echo") && phone.contains("dave"), "{phone}");
    ensure!(!phone.contains("secret-argument"), "arguments may be secrets: {phone}");
    let audit = one_audit(&lab, "alice", "accepted")?;
    ensure!(audit.get("target").is_some_and(|target| target == "dave"), "{audit:#}");
    ensure!(audit.get("program").is_some_and(|program| program == "/bin/echo"), "{audit:#}");
    Ok(())
}

#[test]
fn sudo_shows_the_whole_command_where_the_template_says_so() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(WHOLE)?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["/bin/echo", "one", "\u{202e}two \" Code ABCDEF"]);
    let_in(&to_the_end(lab.terminal(&command)?)?)?;
    let phone = one_push(&mobile_id, "alice")?;
    ensure!(phone.contains("alice as root: \"/bin/echo one ?two ' Code ABCDEF\" Code "), "{phone}");
    Ok(())
}

#[test]
fn the_environment_cannot_put_words_on_the_phone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(WHOLE)?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["/bin/echo", "dangerous"]);
    for (name, value) in [
        ("SUDO_COMMAND", "/bin/echo harmless"),
        ("SUDO_USER", "dave"),
        ("SSH_CONNECTION", "10.9.8.7 1 10.9.8.7 22"),
        ("SSH_CLIENT", "10.9.8.7 1 22"),
    ] {
        command.env(name, value);
    }
    let_in(&to_the_end(lab.terminal(&command)?)?)?;
    let phone = one_push(&mobile_id, "alice")?;
    ensure!(phone.contains("\"/bin/echo dangerous\""), "{phone}");
    ensure!(!phone.contains("harmless") && !phone.contains("10.9.8.7"), "{phone}");
    let audit = one_audit(&lab, "alice", "accepted")?;
    ensure!(audit.get("rhost").is_none(), "{audit:#}");
    Ok(())
}

#[test]
fn ssh_shows_the_address_of_the_connection() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure("[prompt.template]\nen = \"{user} from {rhost} Code {txn}\"")?;
    lab.pam_service("sshd", &lab.module("")?)?;
    // The name that belongs to the address is localhost.
    let sshd = lab.sshd(&["UseDNS yes"])?;
    let_in(&log_in(&sshd, "alice", Methods::Interactive)?)?;
    let phone = one_push(&mobile_id, "alice")?;
    ensure!(phone.contains("alice from 127.0.0.1 Code "), "{phone}");
    Ok(())
}

/// What is configured, whom alice becomes, and whose phone is asked.
const SU: &[(&str, &str, &str)] = &[
    ("", "root", "alice"),
    ("", "dave", "dave"),
    ("[pam]\nsu_identity = \"auto\"", "root", "alice"),
    ("[pam]\nsu_identity = \"caller\"", "dave", "alice"),
    ("[pam]\nsu_identity = \"caller\"", "root", "alice"),
    ("[pam]\nsu_identity = \"target\"", "dave", "dave"),
    ("[pam]\nsu_identity = \"target\"", "root", "root"),
];

#[test]
fn su_asks_whom_the_configuration_names() -> Result<()> {
    for &(rules, target, asked) in SU {
        let lab = Lab::new()?;
        let mobile_id = lab.simulator()?;
        mobile_id.enrol("root", &mobile_id.number("erin")?)?;
        mobile_id.configure(rules)?;
        lab.pam_service("su", &lab.module("")?)?;
        let mut command = lab.command_as("alice", "su")?;
        command.args([target, "-c", "echo granted to $(id -un)"]);
        let_in(&to_the_end(lab.terminal(&command)?)?)?;
        let phone = one_push(&mobile_id, asked)?;
        ensure!(mobile_id.all_pushes() == 1 && phone.contains(target), "{rules}: {phone}");
        let audit = one_audit(&lab, asked, "accepted")?;
        ensure!(audit.get("target").is_some_and(|said| said == target), "{rules}: {audit:#}");
    }
    Ok(())
}

#[test]
fn su_to_root_by_somebody_without_a_phone_is_denied() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.enrol("root", &mobile_id.number("erin")?)?;
    lab.pam_service("su", &lab.module("")?)?;
    let mut command = lab.command_as("judy", "su")?;
    command.args(["root", "-c", "echo granted"]);
    crate::support::kept_out(&to_the_end(lab.terminal(&command)?)?)?;
    no_push(&mobile_id)
}
