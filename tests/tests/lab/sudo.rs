//! sudo on a terminal, without one, and when somebody gives up waiting.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Simulator};

use crate::support::{SOON, kept_out, let_in, one_audit, one_push, same_code};

fn world(lab: &Lab) -> Result<Simulator<'_>> {
    lab.pam_service("sudo", &lab.module("")?)?;
    lab.simulator()
}

#[test]
fn whoever_confirms_becomes_root_after_one_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["sh", "-c", "echo granted to $(id -un)"]);
    let mut session = lab.terminal(&command)?;
    session.expect("Mobile ID")?;
    session.expect("granted to root")?;
    let ended = session.finish()?;
    let_in(&ended)?;
    same_code(&ended.shown, &one_push(&mobile_id, "alice")?)?;
    let audit = one_audit(&lab, "alice", "accepted")?;
    ensure!(audit.get("service").is_some_and(|service| service == "sudo"), "{audit:#}");
    Ok(())
}

#[test]
fn whoever_cancels_is_asked_once_and_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    let mut command = lab.command_as("bob", "sudo")?;
    command.args(["echo", "granted"]);
    let ended = lab.terminal(&command)?.finish()?;
    kept_out(&ended)?;
    ensure!(ended.shown.contains("Mobile ID"), "nothing was said:\n{}", ended.shown);
    one_push(&mobile_id, "bob")?;
    one_audit(&lab, "bob", "denied")?;
    Ok(())
}

#[test]
fn whoever_is_not_enrolled_is_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    let mut command = lab.command_as("judy", "sudo")?;
    command.args(["echo", "granted"]);
    kept_out(&lab.terminal(&command)?.finish()?)?;
    crate::support::no_push(&mobile_id)
}

#[test]
fn a_pipe_gets_what_the_command_says_and_nothing_else() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    // No terminal at all: setsid takes the controlling one away.
    let mut command = lab.command_as("alice", "setsid")?;
    command.args(["--wait", "sudo", "id", "-u"]);
    let said = lab.run(&mut command)?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    ensure!(said.stdout == b"0\n", "in the pipe: {}", String::from_utf8_lossy(&said.stdout));
    one_push(&mobile_id, "alice")?;
    Ok(())
}

#[test]
fn a_pipe_gets_every_byte_as_it_is() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    let fill =
        "head -c 300000 /dev/urandom > /run/lab/bytes; chmod 644 /run/lab/bytes; mkdir -m 777 /run/lab/out";
    ensure!(lab.run(lab.command("sh").args(["-c", fill]))?.status.success());
    let bytes = std::fs::read(lab.path("/run/lab/bytes"))?;
    // With a terminal to talk to, and with none.
    for (wrapped, out) in [("sudo", "/run/lab/out/terminal"), ("setsid --wait sudo", "/run/lab/out/none")] {
        let mut shell = lab.command_as("alice", "sh")?;
        shell.args(["-c", &format!("{wrapped} cat /run/lab/bytes | cat > {out}")]);
        let ended = lab.terminal(&shell)?.finish()?;
        let_in(&ended)?;
        let piped = std::fs::read(lab.path(out))?;
        ensure!(piped == bytes, "{wrapped}: {} bytes in the pipe of {}", piped.len(), bytes.len());
        ensure!(ended.shown.contains("Mobile ID"), "nothing was said to the person:\n{}", ended.shown);
    }
    ensure!(mobile_id.pushes("alice")?.len() == 2);
    Ok(())
}

#[test]
fn ctrl_c_ends_the_waiting() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab)?;
    // A shell between, as at a desk: it stays when sudo ends, and says how.
    let mut shell = lab.command_as("grace", "bash")?;
    shell.args(["--norc", "-i"]).env("PS1", "ready> ");
    let mut session = lab.terminal(&shell)?;
    session.expect("ready> ")?;
    session.send_line("sudo echo granted; echo sudo ended with $?.")?;
    session.expect("Mobile ID")?;
    mobile_id.wait_journal("the push", |journal| !journal.is_empty())?;
    session.send(b"\x03")?;
    // With the time limits as they are it would otherwise last 90 seconds.
    session.expect_within("ready> ", SOON)?;
    ensure!(!session.shown().contains("granted\n"), "{}", session.shown());
    one_push(&mobile_id, "grace")?;
    let audit = one_audit(&lab, "grace", "denied")?;
    ensure!(audit.get("reason").is_some_and(|reason| reason == "cancelled"), "{audit:#}");
    Ok(())
}
