//! `[pam] grace`: a login that was confirmed counts for the next one, of the same user, from the same address, with
//! the same key, and for nothing else.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, Simulator, Sshd};

use crate::support::{audited, let_in, log_in, to_the_end};

const KEY_FIRST: &[&str] = &["AuthenticationMethods publickey,keyboard-interactive:pam"];
const GRACE: &str = "[pam]\ngrace = \"15m\"";

/// Logs alice in, and returns how many times her phone has rung until now.
fn rings(mobile_id: &Simulator<'_>, sshd: &Sshd<'_>) -> Result<usize> {
    let_in(&log_in(sshd, "alice", Methods::KeyThenInteractive)?)?;
    Ok(mobile_id.pushes("alice")?.len())
}

#[test]
fn the_same_key_from_the_same_address_needs_no_second_push() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(GRACE)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(KEY_FIRST)?;
    ensure!(rings(&mobile_id, &sshd)? == 1);
    let ended = log_in(&sshd, "alice", Methods::KeyThenInteractive)?;
    let_in(&ended)?;
    ensure!(!ended.shown.contains("Mobile ID"), "it was to be silent:\n{}", ended.shown);
    ensure!(mobile_id.pushes("alice")?.len() == 1, "{:#?}", mobile_id.journal()?);
    audited(&lab, "alice", &["accepted verified", "exempt grace"])?;

    // Somebody else with the same key.
    let_in(&log_in(&sshd, "dave", Methods::KeyThenInteractive)?)?;
    ensure!(mobile_id.pushes("dave")?.len() == 1, "alice's login counted for dave");

    // From another address.
    let elsewhere = ["-b", "127.0.0.2"];
    let session = sshd.login_with(&elsewhere, "alice", Methods::KeyThenInteractive, "echo granted")?;
    let_in(&to_the_end(session)?)?;
    ensure!(mobile_id.pushes("alice")?.len() == 2, "an address counted for another");

    // With another key.
    let change = "cd /root/.ssh && rm id_ed25519* && ssh-keygen -q -t ed25519 -N '' -f id_ed25519 \
                  && cat id_ed25519.pub >> /home/alice/.ssh/authorized_keys";
    ensure!(lab.run(lab.command("sh").args(["-c", change]))?.status.success());
    ensure!(rings(&mobile_id, &sshd)? == 3, "a key counted for another");
    Ok(())
}

#[test]
fn the_administrator_ends_it() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(GRACE)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(KEY_FIRST)?;
    ensure!(rings(&mobile_id, &sshd)? == 1);
    ensure!(rings(&mobile_id, &sshd)? == 1);
    let tool = lab.bring(&lab.artefacts().mobileidctl()?)?;
    let listed = lab.run(lab.command(&tool).args(["grace", "list"]))?;
    ensure!(String::from_utf8_lossy(&listed.stdout).contains("alice"), "{listed:?}");
    let cleared = lab.run(lab.command(&tool).args(["grace", "clear", "alice"]))?;
    ensure!(cleared.status.success(), "{cleared:?}");
    ensure!(rings(&mobile_id, &sshd)? == 2, "the grace was to be over");
    Ok(())
}

#[test]
fn without_the_setting_or_without_a_key_there_is_none() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let with_key = lab.sshd(KEY_FIRST)?;
    ensure!(rings(&mobile_id, &with_key)? == 1);
    ensure!(rings(&mobile_id, &with_key)? == 2, "grace is off where nothing is written");

    mobile_id.configure(GRACE)?;
    let without = lab.sshd(&[])?;
    for pushes in 3..=4 {
        let_in(&log_in(&without, "alice", Methods::Interactive)?)?;
        ensure!(mobile_id.pushes("alice")?.len() == pushes, "a login without a key has no grace");
    }
    Ok(())
}
