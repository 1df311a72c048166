//! The laboratory proves itself, with stand-ins where the module will be: what it shows is what the real
//! programs do, and nothing of the machine changes or stays behind.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, ensure};
use mobileid_tests::{Conversation, Lab, Lines, Methods, PASSWORD, nothing_left};

const UNIX: &str = "auth required pam_unix.so nodelay";
const PERMIT: &str = "auth required pam_permit.so";
const DENY: &str = "auth required pam_deny.so";

#[test]
fn sshd_lets_in_with_the_password_and_keeps_out_without() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("sshd", UNIX)?;
    let sshd = lab.sshd(&[])?;

    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.expect("granted to alice")?;
    ensure!(session.finish()?.status.success());

    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("Password:")?;
    session.send_line("wrong")?;
    session.expect("Password:")?;
    session.send(b"\x03")?;
    let ended = session.finish()?;
    ensure!(!ended.status.success() && !ended.shown.contains("granted"), "{}", ended.shown);
    sshd.log().wait_for("Accepted keyboard-interactive/pam for alice")?;
    Ok(())
}

#[test]
fn sshd_asks_pam_after_the_key_as_service_sshd() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("sshd", UNIX)?;
    let sshd = lab.sshd(&["AuthenticationMethods publickey,keyboard-interactive:pam"])?;
    let mut session = sshd.login("bob", Methods::KeyThenInteractive)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.expect("granted to bob")?;
    sshd.log().wait_for("Partial publickey for bob")?;

    // Without the key, PAM alone does not do.
    let ended = sshd.login("bob", Methods::Interactive)?.finish()?;
    ensure!(ended.shown.contains("Permission denied (publickey)"), "{}", ended.shown);
    Ok(())
}

#[test]
fn sshd_refuses_when_pam_does() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("sshd", DENY)?;
    let sshd = lab.sshd(&[])?;
    let ended = sshd.login("alice", Methods::Interactive)?.finish()?;
    ensure!(ended.status.code() == Some(255) && ended.shown.contains("Permission denied"), "{}", ended.shown);
    Ok(())
}

#[test]
fn sudo_asks_on_the_terminal_and_runs_as_root() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("sudo", UNIX)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["/usr/bin/id", "-un"]);
    let mut session = lab.terminal(&command)?;
    session.expect("password for alice:")?;
    session.send_line(PASSWORD)?;
    session.expect("root")?;
    ensure!(session.finish()?.status.success());
    lab.syslog().wait_for("COMMAND=/usr/bin/id -un")?;

    lab.pam_service("sudo", DENY)?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["-k", "/usr/bin/id", "-un"]);
    ensure!(!lab.terminal(&command)?.finish()?.status.success());
    Ok(())
}

#[test]
fn su_and_login_ask_on_the_terminal() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("su", UNIX)?;
    lab.pam_service("login", UNIX)?;
    let mut command = lab.command_as("alice", "su")?;
    command.args(["bob", "-c", "echo granted to $(id -un)"]);
    let mut session = lab.terminal(&command)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.expect("granted to bob")?;

    let mut command = lab.command("login");
    command.arg("carol");
    let mut session = lab.terminal(&command)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.expect("$ ")?;
    session.send_line("echo granted to $(id -un); exit")?;
    session.expect("granted to carol")?;
    ensure!(session.finish()?.status.success());
    Ok(())
}

#[test]
fn an_unwritten_service_denies() -> Result<()> {
    let lab = Lab::new()?;
    let ended = lab.pamtester("forgotten", "alice", "authenticate")?.finish()?;
    ensure!(
        ended.shown.contains("Authentication failure") && ended.status.code() == Some(1),
        "{}",
        ended.shown
    );
    Ok(())
}

#[test]
fn the_syslog_of_the_world_is_heard() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("noted", &format!("auth optional pam_warn.so\n{PERMIT}"))?;
    ensure!(lab.pamtester("noted", "alice", "authenticate")?.finish()?.status.success());
    let line = lab.syslog().wait_for("pam_warn(noted:auth)")?;
    // Facility auth or authpriv, severity notice.
    ensure!(line.starts_with("<37>") || line.starts_with("<85>"), "{line}");
    ensure!(line.contains("user=[alice]"), "{line}");
    Ok(())
}

#[test]
fn the_machine_is_left_as_it_was() -> Result<()> {
    let before = machine()?;
    let (folder, first_processes) = {
        let lab = Lab::new()?;
        lab.pam_service("sshd", PERMIT)?;
        let sshd = lab.sshd(&[])?;
        let mut session = sshd.login_to("alice", Methods::Interactive, "echo here; exec sleep 1000")?;
        session.expect("here")?;
        let processes = lab.processes()?;
        // sshd, its two processes of this connection, the user's sleep, and ssh.
        ensure!(processes.len() >= 5, "{processes:?}");
        (lab.path("/etc"), processes)
    };
    for process in first_processes {
        ensure!(!Path::new(&format!("/proc/{process}/exe")).exists(), "process {process} is still there");
    }
    ensure!(!folder.exists());
    ensure!(machine()? == before, "a file of the machine changed");
    ensure!(!fs::read_to_string("/proc/self/mountinfo")?.contains("lab-dev"));
    Ok(())
}

#[test]
fn two_worlds_do_not_see_each_other() -> Result<()> {
    let (one, two) = (Lab::new()?, Lab::new()?);
    one.pam_service("door", PERMIT)?;
    two.pam_service("door", DENY)?;
    ensure!(one.pamtester("door", "alice", "authenticate")?.finish()?.status.success());
    ensure!(!two.pamtester("door", "alice", "authenticate")?.finish()?.status.success());
    ensure!(two.processes()?.is_empty(), "{:?}", two.processes()?);
    Ok(())
}

#[test]
fn a_good_guest_is_told_from_a_bad_one() -> Result<()> {
    let lab = Lab::new()?;
    lab.pam_service("door", &lab.bad_guest("none")?)?;
    nothing_left(&lab.ask("door", "alice", 5, Conversation::Talk)?)?;
    for (deed, noticed) in [
        ("fd", "descriptors leak"),
        ("memory", "memory grows"),
        ("thread", "a thread is left"),
        ("zombie", "a child is left"),
        ("umask", "changed"),
        ("signal", "changed"),
        ("environment", "changed"),
        ("stderr", "standard error"),
        ("stdout", "not the application's line"),
        ("abort", "ended with signal: 6"),
    ] {
        lab.pam_service("door", &lab.bad_guest(deed)?)?;
        let rounds = lab.ask("door", "alice", 5, Conversation::Talk);
        let told = rounds.and_then(|rounds| nothing_left(&rounds)).err().map(|error| error.to_string());
        ensure!(told.as_ref().is_some_and(|told| told.contains(noticed)), "{deed}: noticed was {told:?}");
    }
    Ok(())
}

#[test]
fn lines_are_found_before_and_after_they_are_said() -> Result<()> {
    let (reader, mut writer) = io::pipe()?;
    let lines = Lines::of_pipe(reader);
    writer.write_all(b"first\nsec")?;
    ensure!(lines.wait_for("first")? == "first");
    writer.write_all(b"ond\n")?;
    ensure!(lines.wait_for("sec")? == "second");
    drop(writer);
    let told = lines.wait_for("third").err().map(|error| error.to_string()).unwrap_or_default();
    ensure!(told.contains("source ended") && told.contains("first\nsecond"), "{told}");
    Ok(())
}

/// What a careless world would change.
fn machine() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for name in ["passwd", "shadow", "group", "sudoers", "nsswitch.conf"] {
        if let Ok(text) = fs::read(format!("/etc/{name}")) {
            files.insert(name.to_owned(), text);
        }
    }
    for entry in fs::read_dir("/etc/pam.d")? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}
