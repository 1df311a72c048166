//! What the README tells an administrator to write, written: its samples are read out of it.

use std::fs;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Lab, Methods, PASSWORD, Simulator};

use crate::support::{kept_out, let_in, log_in, one_push, same_code};

const README: &str = include_str!("../../../README.md");

/// Debian's, without the comments (pam-auth-update).
const COMMON_AUTH: &str = "auth [success=1 default=ignore] pam_unix.so nullok\n\
                           auth requisite pam_deny.so\n\
                           auth required pam_permit.so";

/// Which of its stacks is which; the password variant of ssh has the one of sudo.
const SSH: usize = 0;
const SUDO: usize = 1;

/// The samples of one kind, in their order.
fn samples(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    README
        .split(fence.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(text, _)| text)
        .collect()
}

fn sample(kind: &str, at: usize) -> Result<&'static str> {
    samples(kind).get(at).copied().with_context(|| format!("the README has no {kind} sample number {at}"))
}

/// The README's stack, with the module where the laboratory has it.
fn stack(lab: &Lab, at: usize) -> Result<String> {
    let module = lab.bring(&lab.artefacts().module()?)?;
    Ok(sample("pam", at)?.replace("pam_mobileid.so", &module))
}

/// Puts the README's configuration in place of the simulator's. What must differ is what Swisscom gives to
/// each customer, and where its service is.
fn configure(lab: &Lab, mobile_id: &Simulator<'_>) -> Result<()> {
    let service = format!("[service]\nurl = \"{}\"\nserver_trust = \"server-root.pem\"", mobile_id.service());
    let config = sample("toml", 0)?
        .replace("[service]", &service)
        .replace("mid://acme.example", "mid://simulator.example")
        .replace("ACME: ", "SIM: ");
    lab.write("/etc/mobileid/mobileid.toml", 0o644, &config)?;
    let roots = fs::read_to_string(lab.path("/etc/mobileid/signer-anchors.pem"))?;
    fs::create_dir(lab.path("/etc/mobileid/trust"))?;
    lab.write("/etc/mobileid/trust/root.pem", 0o644, &roots)
}

#[test]
fn its_samples_are_sound_as_they_are_printed() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    configure(&lab, &mobile_id)?;
    lab.write("/etc/mobileid/users.toml", 0o644, sample("toml", 1)?)?;
    let tool = lab.bring(&lab.artefacts().mobileidctl()?)?;
    let checked = lab.run(lab.command(&tool).arg("check"))?;
    ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let beat = lab.run(lab.command(&tool).arg("heartbeat"))?;
    ensure!(beat.status.success(), "{}", String::from_utf8_lossy(&beat.stderr));
    Ok(())
}

#[test]
fn its_stack_for_sudo_wants_password_and_phone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    configure(&lab, &mobile_id)?;
    lab.pam_service("common-auth", COMMON_AUTH)?;
    lab.pam_service("sudo", &stack(&lab, SUDO)?)?;
    let sudo = |user: &str, password: &str| {
        let mut command = lab.command_as(user, "sudo")?;
        command.args(["echo", "granted"]);
        let mut session = lab.terminal(&command)?;
        session.expect("assword")?;
        session.send_line(password)?;
        Ok::<_, anyhow::Error>(session)
    };
    let ended = sudo("alice", PASSWORD)?.finish()?;
    let_in(&ended)?;
    same_code(&ended.shown, &one_push(&mobile_id, "alice")?)?;
    kept_out(&sudo("bob", PASSWORD)?.finish()?)?;
    // A wrong password rings nobody.
    let mut session = sudo("dave", "wrong")?;
    session.expect("try again")?;
    session.kill();
    ensure!(mobile_id.pushes("dave")?.is_empty(), "a wrong password asked the phone");
    Ok(())
}

#[test]
fn its_sshd_wants_key_and_phone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    configure(&lab, &mobile_id)?;
    lab.pam_service("sshd", &stack(&lab, SSH)?)?;
    let lines: Vec<_> = sample("sshd", 0)?.lines().collect();
    let sshd = lab.sshd(&lines)?;
    let_in(&log_in(&sshd, "alice", Methods::KeyThenInteractive)?)?;
    one_push(&mobile_id, "alice")?;
    kept_out(&log_in(&sshd, "bob", Methods::KeyThenInteractive)?)?;
    kept_out(&sshd.login("dave", Methods::Interactive)?.finish()?)?;
    ensure!(mobile_id.pushes("dave")?.is_empty(), "without the key the phone was asked");
    Ok(())
}

#[test]
fn its_password_variant_of_sshd_wants_password_and_phone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    configure(&lab, &mobile_id)?;
    lab.pam_service("common-auth", COMMON_AUTH)?;
    lab.pam_service("sshd", &stack(&lab, SUDO)?)?;
    let methods = "AuthenticationMethods keyboard-interactive:pam";
    ensure!(README.contains(methods), "the README no longer says {methods}");
    let sshd = lab.sshd(&[methods])?;
    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("assword")?;
    session.send_line(PASSWORD)?;
    session.press_enter_at_code()?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    Ok(())
}
