//! `[signature] serial`: what each of its words does with a serial number that is known, and with none.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;

use super::{Door, NEW_SERIAL, Site, field};

const DOORS: [Door; 3] = [Door::Ssh, Door::Sudo, Door::Radius];

fn policy(word: &str) -> String {
    format!("serial = \"{word}\"")
}

/// Changes the policy of a site that is open.
fn change(site: &mut Site<'_>, word: &str) -> Result<()> {
    site.mobile_id.set("signature", &policy(word))?;
    site.open_again()
}

#[test]
fn required_asks_nobody_of_whom_nothing_is_known() -> Result<()> {
    for door in DOORS {
        let lab = Lab::new()?;
        let mut site = Site::open(&lab, door, |mobile_id| mobile_id.set("signature", &policy("required")))?;
        let told = "your phone was not asked, because it has not been registered here yet";
        site.log_in("alice")?.is_out("serial-unknown", told)?;
        site.rang("alice", 0)?;
        ensure!(site.pins()?.is_empty(), "{:#?}", site.pins()?);

        // Whom the table knows is asked, and held against it.
        site.log_in("other-serial")?.is_out("serial-mismatch", NEW_SERIAL)?;
        site.rang("other-serial", 1)?;

        // What was kept before the word was changed counts.
        change(&mut site, "first-use")?;
        site.log_in("alice")?.is_first()?;
        change(&mut site, "required")?;
        site.log_in("alice")?.is_later()?;
        site.mobile_id.reactivate("alice")?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;
    }
    Ok(())
}

#[test]
fn if_known_writes_nothing_and_holds_to_what_is_known() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let mut site = Site::open(&lab, door, |mobile_id| mobile_id.set("signature", &policy("if-known")))?;
        let serial = site.log_in("alice")?.is_later()?.to_owned();
        let new = site.mobile_id.reactivate("alice")?;
        ensure!(site.log_in("alice")?.is_later()? == new && new != serial);
        ensure!(site.pins()?.is_empty(), "{:#?}", site.pins()?);
        site.log_in("other-serial")?.is_out("serial-mismatch", NEW_SERIAL)?;

        change(&mut site, "first-use")?;
        site.log_in("alice")?.is_first()?;
        change(&mut site, "if-known")?;
        site.mobile_id.reactivate("alice")?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;
    }
    Ok(())
}

#[test]
fn ignore_looks_at_no_serial_number() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let mut site = Site::open(&lab, door, |_| Ok(()))?;
        let serial = site.log_in("alice")?.is_first()?.to_owned();
        let new = site.mobile_id.reactivate("alice")?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;

        change(&mut site, "ignore")?;
        ensure!(site.log_in("alice")?.is_later()? == new);
        site.log_in("other-serial")?.is_later()?;
        let pins = site.pins()?;
        ensure!(pins.len() == 1 && pins.iter().all(|pin| field(pin, "serial") == serial), "{pins:#?}");

        // It was not forgotten for having been ignored.
        change(&mut site, "first-use")?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;
    }
    Ok(())
}

/// An administrator who renews the table's entry means what he writes: what this host has kept does not stand against it.
#[test]
fn the_directory_has_the_last_word() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let mut site = Site::open(&lab, door, |_| Ok(()))?;
        let serial = site.log_in("alice")?.is_first()?.to_owned();
        let new = site.mobile_id.reactivate("alice")?;
        site.mobile_id.set_user("alice", &format!("serial = \"{new}\""))?;
        site.open_again()?;
        ensure!(site.log_in("alice")?.is_later()? == new);

        site.mobile_id.set_user("alice", &format!("serial = \"{serial}\""))?;
        site.open_again()?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;
    }
    Ok(())
}
