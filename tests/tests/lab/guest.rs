//! The module is a guest in somebody else's process: it leaves nothing there, changes nothing, needs no
//! conversation, and its own death is not its host's.

use anyhow::{Result, ensure};
use mobileid_tests::{Conversation, Lab, Methods, nothing_left};

use crate::support::{SHORT, kept_out, let_in, one_push, pam};

#[test]
fn pamtester_is_let_in_and_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module("")?)?;
    let mut session = lab.pamtester("door", "alice", "authenticate")?;
    session.expect("successfully authenticated")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    kept_out(&lab.pamtester("door", "bob", "authenticate")?.finish()?)?;
    one_push(&mobile_id, "bob")?;
    // setcred asks nobody, whoever it is for.
    let_in(&lab.pamtester("door", "dave", "setcred")?.finish()?)?;
    ensure!(mobile_id.pushes("dave")?.is_empty(), "setcred asked the phone");
    Ok(())
}

#[test]
fn many_logins_leave_nothing_behind() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module("")?)?;
    for (user, result) in [("alice", pam::SUCCESS), ("bob", pam::ABORT), ("tls-reset", pam::ABORT)] {
        let rounds = lab.ask("door", user, 25, Conversation::Talk)?;
        ensure!(rounds.iter().all(|round| round.result == result), "{user}: {rounds:?}");
        nothing_left(&rounds)?;
    }
    Ok(())
}

#[test]
fn many_failures_to_reach_the_service_leave_nothing_behind() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("door", &lab.module("")?)?;
    drop(mobile_id);
    let rounds = lab.ask("door", "alice", 200, Conversation::Talk)?;
    ensure!(rounds.iter().all(|round| round.result == pam::AUTHINFO_UNAVAIL), "{rounds:?}");
    nothing_left(&rounds)
}

#[test]
fn an_application_that_cannot_talk_still_lets_in_who_confirms() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module("")?)?;
    for how in [Conversation::Null, Conversation::Fail, Conversation::Empty] {
        for (user, result) in [("alice", pam::SUCCESS), ("bob", pam::ABORT)] {
            let rounds = lab.ask("door", user, 2, how)?;
            ensure!(rounds.iter().all(|round| round.result == result), "{how:?}, {user}: {rounds:?}");
        }
    }
    Ok(())
}

#[test]
fn a_panic_is_a_denial_and_the_host_lives_on() -> Result<()> {
    let lab = Lab::new()?;
    let module = lab.bring(&lab.artefacts().panicking_module()?)?;
    let _mobile_id = lab.simulator()?;
    lab.pam_service("door", &format!("auth required {module} config=/etc/mobileid/mobileid.toml panic"))?;
    let rounds = lab.ask("door", "alice", 3, Conversation::Talk)?;
    ensure!(rounds.iter().all(|round| round.result != pam::SUCCESS), "{rounds:?}");
    nothing_left(&rounds)?;
    lab.settle_syslog()?;
    let told = lab.syslog().containing("pam_mobileid");
    ensure!(told.len() == 3, "one line for each of three panics:\n{}", told.join("\n"));
    Ok(())
}

#[test]
fn a_panic_does_not_take_sshd_down() -> Result<()> {
    let lab = Lab::new()?;
    let module = lab.bring(&lab.artefacts().panicking_module()?)?;
    let _mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &format!("auth required {module} config=/etc/mobileid/mobileid.toml panic"))?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("alice", Methods::Interactive)?.finish()?)?;
    lab.pam_service("sshd", "auth required pam_permit.so")?;
    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.expect("granted to alice")?;
    Ok(())
}
