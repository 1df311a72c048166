//! Where serial numbers cannot be kept, nobody's phone rings: nobody would be held against anything.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Conversation, Lab};

use super::{Door, Site};
use crate::support::pam;

/// The notice for what only an administrator can mend.
const TELL_ADMINISTRATOR: &str = "administrator";

#[test]
fn a_folder_that_others_may_write_is_no_memory() -> Result<()> {
    for door in [Door::Ssh, Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let site = Site::open(&lab, door, |_| Ok(()))?;
        site.log_in("alice")?.is_first()?;
        for (mode, is_usable) in [(0o777, false), (0o700, true)] {
            fs::set_permissions(lab.path(site.state()), Permissions::from_mode(mode))?;
            for user in ["alice", "dave"] {
                let before = site.mobile_id.pushes(user)?.len();
                let entered = site.log_in(user)?;
                if is_usable {
                    entered.is_in()?;
                    continue;
                }
                entered.is_out("pin-failed", TELL_ADMINISTRATOR)?;
                let detail = entered.field("detail");
                ensure!(detail.contains(site.state()), "which folder? {detail}");
                site.rang(user, before)?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_damaged_record_is_no_reason_to_begin_anew() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let site = Site::open(&lab, door, |_| Ok(()))?;
        site.log_in("alice")?.is_first()?;
        let record = site.record()?;
        let whole = fs::read(&record)?;
        for damage in [&b""[..], b"{}", whole.get(..whole.len() / 2).unwrap_or_default()] {
            fs::write(&record, damage)?;
            let entered = site.log_in("alice")?;
            entered.is_out("pin-failed", TELL_ADMINISTRATOR)?;
            let detail = entered.field("detail");
            ensure!(detail.contains("mobileidctl serial forget 'alice'"), "what is to be done? {detail}");
            // Others are not touched by it.
            site.log_in("dave")?.is_in()?;
        }
        site.rang("alice", 1)?;
        fs::write(&record, &whole)?;
        site.log_in("alice")?.is_later()?;
    }
    Ok(())
}

/// The same is told when the responder starts, and not to each person.
#[test]
fn radiusd_does_not_start_without_a_memory() -> Result<()> {
    let lab = Lab::new()?;
    let mut site = Site::open(&lab, Door::Radius, |_| Ok(()))?;
    fs::set_permissions(lab.path(site.state()), Permissions::from_mode(0o777))?;
    let refused = site.open_again().err().context("it started")?;
    let told = format!("{refused:#}");
    ensure!(told.contains(site.state()), "which folder?\n{told}");

    // Where no serial number is looked at, it needs none.
    site.mobile_id.set("signature", "serial = \"ignore\"")?;
    fs::set_permissions(lab.path(site.state()), Permissions::from_mode(0o700))?;
    site.open_again()
}

#[test]
fn a_serial_number_that_cannot_be_kept_after_all_lets_nobody_in() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Sudo, |_| Ok(()))?;
    site.log_in("alice")?.is_first()?;
    let held = site.hold_as_unknown()?;
    let entered = site.log_in("alice")?;
    entered.is_out("pin-failed", TELL_ADMINISTRATOR)?;
    ensure!(entered.field("detail").contains("another process holds"), "{:#}", entered.audit);
    site.rang("alice", 2)?;
    drop(held);
    site.log_in("alice")?.is_first()?;
    Ok(())
}

/// The module is killed when the person has confirmed, before it has written: the next login is the first one.
#[test]
fn killed_after_the_confirmation_is_as_if_nobody_had_come() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Sudo, |_| Ok(()))?;
    site.log_in("alice")?.is_first()?;
    let held = site.hold_as_unknown()?;
    let mut session = lab.terminal(lab.command_as("alice", "sudo")?.args(["-k", "echo", "granted"]))?;
    site.wait_signatures(2)?;
    session.kill();
    drop(held);
    ensure!(!session.shown().contains("granted"), "{}", session.shown());
    ensure!(site.pins()?.is_empty(), "{:#?}", site.pins()?);
    ensure!(site.audits("alice")?.len() == 1, "{:#?}", site.audits("alice")?);
    site.log_in("alice")?.is_first()?;
    site.rang("alice", 3)
}

/// It is tried once: neither ssh nor sudo can make it better by asking again.
#[test]
fn pam_is_told_not_to_ask_again() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Sudo, |_| Ok(()))?;
    site.log_in("alice")?.is_first()?;
    lab.pam_service("door", &lab.module("")?)?;
    fs::set_permissions(lab.path(site.state()), Permissions::from_mode(0o777))?;
    let rounds = lab.ask("door", "alice", 1, Conversation::Talk)?;
    ensure!(rounds.iter().all(|round| round.result == pam::ABORT), "{rounds:?}");
    site.rang("alice", 1)
}
