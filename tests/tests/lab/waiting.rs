//! Whoever holds a prompt open, or opens many, keeps nobody from logging in.

use std::thread;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Lab, Methods};

use crate::support::{audited, let_in, log_in, to_the_end};

#[test]
fn who_sits_at_the_code_keeps_no_phone_busy() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let mut idle = sshd.login("alice", Methods::Interactive)?;
    idle.expect("press Enter")?;
    let_in(&log_in(&sshd, "alice", Methods::Interactive)?)?;
    ensure!(mobile_id.pushes("alice")?.len() == 1, "{:#?}", mobile_id.journal()?);
    idle.send_line("")?;
    let_in(&idle.finish()?)?;
    audited(&lab, "alice", &["accepted verified"; 2])
}

#[test]
fn many_logins_at_once_are_asked_one_after_the_other() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&["MaxStartups 50"])?;
    let logins: Vec<_> = (0..8).map(|_| sshd.login("alice", Methods::Interactive)).collect::<Result<_>>()?;
    let ended: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = logins.into_iter().map(|login| scope.spawn(|| to_the_end(login))).collect();
        running.into_iter().map(|one| one.join().ok().context("a login panicked")?).collect::<Result<_>>()
    })?;
    ended.iter().try_for_each(let_in)?;
    ensure!(mobile_id.pushes("alice")?.len() == 8, "{:#?}", mobile_id.journal()?);
    audited(&lab, "alice", &["accepted verified"; 8])
}
