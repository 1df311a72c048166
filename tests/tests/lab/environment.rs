//! What a caller puts into the environment does not reach the module's decisions: sudo and su hand a
//! user's variables to PAM.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Command;

use anyhow::{Result, ensure};
use mobileid_tests::{Conversation, Lab};

use crate::support::{let_in, one_push, pam};

/// A listener that takes note of everybody who trusts the environment.
struct Trap {
    listener: TcpListener,
}

impl Trap {
    fn set() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    fn hostile(&self, command: &mut Command) -> Result<()> {
        let proxy = format!("http://{}", self.listener.local_addr()?);
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
            command.env(name, &proxy);
        }
        command.env("NO_PROXY", "").env("no_proxy", "");
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "MOBILEID_CONFIG", "TMPDIR", "TZ", "HOME"] {
            command.env(name, "/home/judy/nowhere");
        }
        command.env("SSLKEYLOGFILE", "/home/alice/keys.log");
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("LANG", "xx_XX.nonsense");
        Ok(())
    }

    fn caught_nobody(&self, lab: &Lab) -> Result<()> {
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            caught => anyhow::bail!("somebody used the proxy of the environment: {caught:?}"),
        }
        ensure!(!lab.path("/home/alice/keys.log").exists(), "TLS keys were written to a file");
        Ok(())
    }
}

#[test]
fn sudo_hands_on_a_hostile_environment_in_vain() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let trap = Trap::set()?;
    let mut command = lab.command_as("alice", "sudo")?;
    command.args(["sh", "-c", "echo granted to $(id -un)"]);
    trap.hostile(&mut command)?;
    let mut session = lab.terminal(&command)?;
    session.expect("granted to root")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    trap.caught_nobody(&lab)
}

#[test]
fn an_application_with_a_hostile_environment_is_served_the_same() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module("")?)?;
    let trap = Trap::set()?;
    for (user, result) in [("alice", pam::SUCCESS), ("untrusted-chain", pam::ABORT)] {
        let mut host = lab.host()?;
        trap.hostile(&mut host)?;
        let rounds = lab.ask_with(host, "door", user, 1, Conversation::Talk)?;
        ensure!(rounds.iter().all(|round| round.result == result), "{user}: {rounds:?}");
    }
    trap.caught_nobody(&lab)
}
