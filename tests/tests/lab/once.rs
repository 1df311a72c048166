//! One login, one push: also where the stack runs twice on a connection. And never one push for two logins.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Lab, Methods, OpenSsh, Sshd, TALKATIVE};

use crate::support::{SOON, audited, kept_out, let_in, log_in, no_push, one_push, sudo, to_the_end};

const TWICE: &[&str] =
    &["PasswordAuthentication yes", "AuthenticationMethods password,keyboard-interactive:pam"];

fn twice(openssh: OpenSsh) -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd_of(openssh, TWICE)?;
    let ended = log_in(&sshd, "alice", Methods::PasswordThenInteractive)?;
    let_in(&ended)?;
    one_push(&mobile_id, "alice")?;
    audited(&lab, "alice", &["accepted verified", "exempt already-confirmed"])?;

    // Another connection is another login.
    let_in(&log_in(&sshd, "alice", Methods::PasswordThenInteractive)?)?;
    ensure!(mobile_id.pushes("alice")?.len() == 2, "{:#?}", mobile_id.journal()?);
    Ok(())
}

#[test]
fn a_stack_that_runs_twice_on_a_connection_rings_once() -> Result<()> {
    twice(OpenSsh::Machine)
}

#[test]
#[cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
fn also_with_the_newer_openssh() -> Result<()> {
    twice(OpenSsh::Newer)
}

#[test]
fn what_was_refused_is_not_asked_again_on_the_same_connection() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    // An administrator's stack that goes on after any failure, and so gives a refusal a second chance.
    lab.pam_service("sshd", &format!("{}\n{}", lab.module("")?, lab.module("")?))?;
    let sshd = lab.sshd(&[])?;
    kept_out(&log_in(&sshd, "bob", Methods::Interactive)?)?;
    one_push(&mobile_id, "bob")?;
    audited(&lab, "bob", &["denied user-cancel", "denied denied-before"])
}

/// Connects from a given port, and gives the connection to ssh.
const FROM_PORT: &str = "\
import socket, sys, time
here, there = int(sys.argv[1]), int(sys.argv[2])
for _ in range(400):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        connection.bind(('127.0.0.1', here))
        connection.connect(('127.0.0.1', there))
        break
    except OSError:
        # The one before is still being forgotten.
        connection.close()
        time.sleep(0.05)
socket.send_fds(socket.socket(fileno=1), [b' '], [connection.fileno()])
";

fn log_in_from(sshd: &Sshd<'_>, port: u16) -> Result<String> {
    let proxy = format!("ProxyCommand=/usr/bin/python3 /run/lab/from_port.py {port} {}", sshd.port());
    let options = ["-o", &proxy, "-o", "ProxyUseFdpass=yes"];
    let greeting = "echo granted from $SSH_CONNECTION";
    let ended = to_the_end(sshd.login_with(&options, "alice", Methods::Interactive, greeting)?)?;
    let_in(&ended)?;
    let (_, from) = ended.shown.split_once("granted from ").context("the greeting")?;
    Ok(from.trim().to_owned())
}

#[test]
fn two_connections_from_the_same_port_are_two_logins() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    lab.write("/run/lab/from_port.py", 0o644, FROM_PORT)?;
    let sshd = lab.sshd(&[])?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let first = log_in_from(&sshd, port)?;
    let second = log_in_from(&sshd, port)?;
    ensure!(first == second, "the connections were to look the same: {first}, {second}");
    ensure!(mobile_id.pushes("alice")?.len() == 2, "{:#?}", mobile_id.journal()?);
    audited(&lab, "alice", &["accepted verified", "accepted verified"])
}

#[test]
fn a_client_that_leaves_takes_its_login_along() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[TALKATIVE])?;
    let mut session = sshd.login("carol", Methods::Interactive)?;
    session.press_enter_at_code()?;
    mobile_id.wait_pushes(1)?;
    sshd.wait_until_pam_waits()?;
    session.kill();
    lab.syslog().wait_for("\"reason\":\"cancelled\"")?;

    // What the phone still shows is not this login's, which rings for itself.
    mobile_id.cancel("carol")?;
    let mut session = sshd.login("carol", Methods::Interactive)?;
    session.press_enter_at_code()?;
    mobile_id.wait_pushes(2)?;
    mobile_id.confirm("carol")?;
    session.expect_within("granted to carol", SOON)?;
    let_in(&session.finish()?)
}

#[test]
fn a_phone_shows_one_question_at_a_time() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let mut first = sshd.login("carol", Methods::Interactive)?;
    first.press_enter_at_code()?;
    mobile_id.wait_pushes(1)?;
    let mut second = sshd.login("carol", Methods::Interactive)?;
    sshd.log().wait_for_many("Connection from", 2)?;
    mobile_id.confirm("carol")?;
    let_in(&first.finish()?)?;
    // Only now it has its turn, with a code of its own.
    second.press_enter_at_code()?;
    mobile_id.wait_pushes(2)?;
    mobile_id.confirm("carol")?;
    let_in(&second.finish()?)?;
    ensure!(mobile_id.pushes("carol")?.len() == 2);
    Ok(())
}

#[test]
fn each_sudo_asks_for_itself() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    no_push(&mobile_id)?;
    for pushes in 1..=2 {
        let_in(&sudo(&lab, "alice")?)?;
        ensure!(mobile_id.pushes("alice")?.len() == pushes, "{:#?}", mobile_id.journal()?);
    }
    Ok(())
}
