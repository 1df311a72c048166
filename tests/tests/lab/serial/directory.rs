//! A directory that keeps serial numbers itself: what one host has found out holds on every other.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, Simulator, Slapd};

use super::{Door, NEW_SERIAL, Site};
use crate::support::{kept_out, let_in};

/// A directory with judy in it, whose phone is `whose`.
fn employ(lab: &Lab, mobile_id: &Simulator<'_>, whose: &str, attribute: &str) -> Result<Slapd> {
    let slapd = lab.slapd()?;
    slapd.configure_as_keeper(lab, mobile_id, attribute)?;
    slapd.hire("judy", "judy's password", &format!("+{}", mobile_id.number(whose)?))?;
    Ok(slapd)
}

/// A site whose directory was made before its door was opened.
fn site<'lab>(lab: &'lab Lab, door: Door, whose: &str, attribute: &str) -> Result<(Site<'lab>, Slapd)> {
    let mut slapd = None;
    let site = Site::open(lab, door, |mobile_id| {
        slapd = Some(employ(lab, mobile_id, whose, attribute)?);
        Ok(())
    })?;
    Ok((site, slapd.ok_or_else(|| anyhow::anyhow!("a door was opened without a directory"))?))
}

#[test]
fn what_one_host_has_written_holds_on_another() -> Result<()> {
    let lab = Lab::new()?;
    let (mut site, slapd) = site(&lab, Door::Ssh, "alice", Slapd::WRITABLE)?;
    let serial = site.log_in("judy")?.is_first()?.to_owned();
    ensure!(slapd.values("judy", Slapd::WRITABLE)? == [serial.as_str()]);
    ensure!(site.log_in("judy")?.is_later()? == serial);

    site.door = Door::Radius;
    site.open_again()?;
    ensure!(site.log_in("judy")?.is_later()? == serial);
    let new = site.mobile_id.reactivate("alice")?;
    site.log_in("judy")?.is_out("serial-mismatch", NEW_SERIAL)?;

    // The administrator renews the entry, with the tools that he has.
    slapd.replace("judy", Slapd::WRITABLE, &new)?;
    ensure!(site.log_in("judy")?.is_later()? == new);
    for state in ["/var/lib/mobileid", "/run/lab/radiusd-state"] {
        ensure!(lab.pins(state)?.is_empty(), "two memories: {:#?}", lab.pins(state)?);
    }
    Ok(())
}

/// The table's people are kept on the host as before.
#[test]
fn who_stands_elsewhere_is_kept_elsewhere() -> Result<()> {
    let lab = Lab::new()?;
    let (site, slapd) = site(&lab, Door::Sudo, "alice", Slapd::WRITABLE)?;
    site.log_in("dave")?.is_first()?;
    ensure!(site.pins()?.len() == 1 && slapd.values("judy", Slapd::WRITABLE)?.is_empty());
    Ok(())
}

#[test]
fn a_directory_that_takes_no_change_lets_nobody_in() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        // The account that asks may read this one, and not write it.
        let (site, slapd) = site(&lab, door, "alice", "roomNumber")?;
        let entered = site.log_in("judy")?;
        entered.is_out("pin-failed", "administrator")?;
        ensure!(entered.field("detail").contains("openldap"), "{:#}", entered.audit);
        site.rang("alice", 1)?;
        ensure!(slapd.values("judy", "roomNumber")?.is_empty() && site.pins()?.is_empty());
    }
    Ok(())
}

/// Another gateway has written while the phone rang here: the same serial number, or another one.
#[test]
fn another_gateway_was_quicker() -> Result<()> {
    let lab = Lab::new()?;
    let (mut site, slapd) = site(&lab, Door::Ssh, "carol", Slapd::WRITABLE)?;
    let confirmed = |site: &Site<'_>, meanwhile: &dyn Fn() -> Result<()>| {
        let pushes = site.mobile_id.all_pushes();
        let mut session = site.sshd()?.login("judy", Methods::Interactive)?;
        session.press_enter_at_code()?;
        site.mobile_id.wait_pushes(pushes + 1)?;
        meanwhile()?;
        site.mobile_id.confirm("carol")?;
        session.finish()
    };
    let_in(&confirmed(&site, &|| Ok(()))?)?;
    let values = slapd.values("judy", Slapd::WRITABLE)?;
    let [serial] = values.as_slice() else { anyhow::bail!("one: {values:?}") };

    slapd.clear("judy", Slapd::WRITABLE)?;
    site.open_again()?;
    let_in(&confirmed(&site, &|| slapd.replace("judy", Slapd::WRITABLE, serial))?)?;

    slapd.clear("judy", Slapd::WRITABLE)?;
    site.open_again()?;
    let ended = confirmed(&site, &|| slapd.replace("judy", Slapd::WRITABLE, "MIDCHEOTHERPHONE"))?;
    kept_out(&ended)?;
    ensure!(ended.shown.contains(NEW_SERIAL), "{}", ended.shown);
    ensure!(slapd.values("judy", Slapd::WRITABLE)? == ["MIDCHEOTHERPHONE"]);

    lab.settle_syslog()?;
    let firsts = lab.audits("judy")?.iter().map(super::is_first).collect::<Vec<_>>();
    ensure!(firsts == [true, false, false], "{firsts:?}");
    Ok(())
}
