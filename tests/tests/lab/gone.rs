//! Nobody waits any more: how soon the login ends then, from the act to the audit line. The best of three counts, so
//! that a busy machine is not taken for a slow module.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, OpenSsh, Simulator, TALKATIVE, Terminal};

const HANG_UP: Duration = Duration::from_secs(1);
const CTRL_C: Duration = Duration::from_millis(500);

/// Who lets the phone ring: another one for each try, because the phone of the one before still does.
const PEOPLE: [&str; 3] = ["grace", "carol", "heidi"];

/// Waits until a user's phone rings, gives the login up, and measures until the audit line.
fn gives_up(
    lab: &Lab,
    mobile_id: &Simulator<'_>,
    user: &str,
    ready: impl Fn() -> Result<()>,
    give_up: impl FnOnce() -> Result<()>,
) -> Result<Duration> {
    mobile_id.wait_journal("the push", |_| mobile_id.pushes(user).is_ok_and(|pushes| pushes.len() == 1))?;
    ready()?;
    let acted = Instant::now();
    give_up()?;
    lab.syslog().wait_for(&format!("\"reason\":\"cancelled\",\"user\":\"{user}\""))?;
    Ok(acted.elapsed())
}

fn hang_up(openssh: OpenSsh) -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let mut best = Duration::MAX;
    for user in PEOPLE {
        let sshd = lab.sshd_of(openssh, &[TALKATIVE])?;
        let mut session = sshd.login(user, Methods::Interactive)?;
        match openssh {
            OpenSsh::Machine => session.press_enter_at_code()?,
            OpenSsh::Newer => drop(session.expect("confirm on your phone")?),
        }
        let ready = || sshd.wait_until_pam_waits();
        let leave = || {
            session.kill();
            Ok(())
        };
        best = best.min(gives_up(&lab, &mobile_id, user, ready, leave)?);
    }
    ensure!(best < HANG_UP, "{best:?} from the client's end to the audit line");
    Ok(())
}

#[test]
fn a_client_that_hangs_up_ends_the_wait_within_a_second() -> Result<()> {
    hang_up(OpenSsh::Machine)
}

#[test]
#[cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
fn also_with_the_newer_openssh() -> Result<()> {
    hang_up(OpenSsh::Newer)
}

#[test]
fn ctrl_c_ends_the_wait_of_sudo_within_half_a_second() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let mut best = Duration::MAX;
    for user in PEOPLE {
        let mut session: Terminal = lab.terminal(lab.command_as(user, "sudo")?.arg("true"))?;
        let interrupt = || session.send(b"\x03");
        best = best.min(gives_up(&lab, &mobile_id, user, || Ok(()), interrupt)?);
    }
    ensure!(best < CTRL_C, "{best:?} from Ctrl-C to the audit line");
    Ok(())
}
