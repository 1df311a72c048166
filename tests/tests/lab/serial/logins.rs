//! From the first login to the one that comes from another phone, through each door and in each language.

use std::fs;

use anyhow::{Result, ensure};
use mobileid_tests::Lab;

use super::{Door, NEW_SERIAL, Site, field};

/// A first login, a second one, and one after Mobile ID was activated anew.
fn kept_held_and_told(door: Door, language: &str, words: &str) -> Result<()> {
    let lab = Lab::new()?;
    let language = format!("language = \"{language}\"");
    let site = Site::open(&lab, door, |mobile_id| mobile_id.set_user("alice", &language))?;

    let first = site.log_in("alice")?;
    let serial = first.is_first()?.to_owned();
    let pins = site.pins()?;
    let [pin] = pins.as_slice() else { anyhow::bail!("one was to be kept: {pins:#?}") };
    let said = [field(pin, "user"), field(pin, "entry"), field(pin, "serial"), field(pin, "by")];
    ensure!(said == ["alice", "alice", &serial, "login"], "{pin:#}");

    ensure!(site.log_in("alice")?.is_later()? == serial);

    let new = site.mobile_id.reactivate("alice")?;
    let other = site.log_in("alice")?;
    other.is_out("serial-mismatch", words)?;
    let detail = other.field("detail");
    ensure!(detail.contains(&new) && detail.contains(&serial), "which two? {detail}");
    site.rang("alice", 3)?;
    ensure!(site.pins()? == pins, "a login has changed what is kept: {:#?}", site.pins()?);

    // Whoever else comes is somebody else.
    site.log_in("dave")?.is_first()?;
    ensure!(site.pins()?.len() == 2);
    Ok(())
}

#[test]
fn over_ssh() -> Result<()> {
    kept_held_and_told(
        Door::Ssh,
        "de",
        "Ihre Mobile ID wurde neu eingerichtet und ist nicht die hier bekannte",
    )
}

#[test]
fn at_sudo() -> Result<()> {
    kept_held_and_told(Door::Sudo, "fr", "Demandez à votre administrateur de renouveler votre inscription")
}

#[test]
fn over_radius() -> Result<()> {
    kept_held_and_told(Door::Radius, "it", "Chieda all'amministratore di rinnovare la registrazione")
}

/// The module of one host has one memory, whatever was logged in to.
#[test]
fn what_ssh_has_kept_holds_for_sudo() -> Result<()> {
    let lab = Lab::new()?;
    let mut site = Site::open(&lab, Door::Ssh, |_| Ok(()))?;
    let serial = site.log_in("alice")?.is_first()?.to_owned();
    site.door = Door::Sudo;
    site.open_again()?;
    ensure!(site.log_in("alice")?.is_later()? == serial);
    site.mobile_id.reactivate("alice")?;
    site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)
}

#[test]
fn also_where_the_service_is_asked_again_and_again() -> Result<()> {
    for door in [Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        let site = Site::open(&lab, door, |mobile_id| mobile_id.asynchronous())?;
        let serial = site.log_in("alice")?.is_first()?.to_owned();
        ensure!(site.log_in("alice")?.is_later()? == serial);
        site.mobile_id.reactivate("alice")?;
        site.log_in("alice")?.is_out("serial-mismatch", NEW_SERIAL)?;
        site.rang("alice", 3)?;
    }
    Ok(())
}

/// What is kept in a world is the world's.
#[test]
fn this_machine_keeps_nothing() -> Result<()> {
    let kept = || fs::read_dir("/var/lib/mobileid/pins-1").map_or(0, Iterator::count);
    let before = kept();
    for door in [Door::Ssh, Door::Sudo, Door::Radius] {
        let lab = Lab::new()?;
        Site::open(&lab, door, |_| Ok(()))?.log_in("alice")?.is_first()?;
    }
    ensure!(kept() == before, "a login of the laboratory is kept on this machine");
    Ok(())
}

#[test]
fn a_restart_forgets_nothing() -> Result<()> {
    let lab = Lab::new()?;
    let mut site = Site::open(&lab, Door::Radius, |_| Ok(()))?;
    let serial = site.log_in("alice")?.is_first()?.to_owned();
    site.open_again()?;
    ensure!(site.log_in("alice")?.is_later()? == serial);
    Ok(())
}

/// The serial number is a person's, not a number's: two people with one phone are two records.
#[test]
fn two_people_with_one_phone_are_kept_apart() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Sudo, |mobile_id| {
        let number = mobile_id.number("alice")?;
        mobile_id.enrol("judy", &number)
    })?;
    let serial = site.log_in("alice")?.is_first()?.to_owned();
    ensure!(site.log_in("judy")?.is_first()? == serial);
    ensure!(site.pins()?.len() == 2);
    Ok(())
}
