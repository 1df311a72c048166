//! Two first logins at the same time: one serial number is kept, and the other login is held against it.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::SECRET;
use mobileid_tests::radius::packet::{Draft, attribute, code};

use super::{Door, NEW_SERIAL, Site, field, in_words};
use crate::support::kept_out;

/// What became of two logins: what the audit says of each, in no order, and the codes of the answers.
struct Race {
    said: Vec<String>,
    codes: [u8; 2],
}

/// Two gateways ask for alice, of whom nothing is known; `meanwhile` happens between her two signatures. Both stand
/// before the same record, and which one comes first is for the machine to say.
fn race(meanwhile: impl FnOnce(&Site<'_>) -> Result<()>) -> Result<Race> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Radius, |_| Ok(()))?;
    site.log_in("alice")?.is_first()?;
    let held = site.hold_as_unknown()?;
    let radiusd = site.radiusd()?;
    let (vpn, office) = (radiusd.nas()?, radiusd.nas_at("127.0.0.2")?);
    let login =
        |station: &str| Draft::login(1, "alice", "any", SECRET).with(attribute::CALLING_STATION_ID, station);
    let (first, second) = (login("one"), login("another"));
    vpn.send(&first.signed(SECRET))?;
    site.wait_signatures(2)?;
    meanwhile(&site)?;
    office.send(&second.signed(SECRET))?;
    site.wait_signatures(3)?;
    drop(held);
    let replies = [vpn.answer(&first)?, office.answer(&second)?];
    site.rang("alice", 3)?;
    let denials = replies.iter().filter(|reply| reply.code == code::ACCESS_REJECT);
    for denial in denials {
        let told = denial.all(attribute::REPLY_MESSAGE).concat();
        ensure!(String::from_utf8_lossy(&told).contains(NEW_SERIAL), "{denial:?}");
    }
    ensure!(site.pins()?.len() == 1, "{:#?}", site.pins()?);
    let audits = site.audits_from("alice", 3)?;
    let mut said = audits.iter().skip(1).map(in_words).collect::<Vec<_>>();
    said.sort();
    Ok(Race { said, codes: replies.map(|reply| reply.code) })
}

#[test]
fn two_gateways_at_once_keep_one_serial_number() -> Result<()> {
    let Race { said, codes } = race(|_| Ok(()))?;
    ensure!(codes == [code::ACCESS_ACCEPT; 2], "{said:?}");
    ensure!(said == ["accepted verified", "accepted verified, first"], "{said:?}");
    Ok(())
}

#[test]
fn of_two_phones_at_once_one_is_let_in() -> Result<()> {
    let Race { said, codes } = race(|site| site.mobile_id.reactivate("alice").map(drop))?;
    ensure!(codes.contains(&code::ACCESS_ACCEPT) && codes.contains(&code::ACCESS_REJECT), "{said:?}");
    ensure!(said == ["accepted verified, first", "denied serial-mismatch"], "{said:?}");
    Ok(())
}

/// An administrator says who it is while the phone rings: what he says counts already.
#[test]
fn an_administrator_is_quicker_than_the_person() -> Result<()> {
    let lab = Lab::new()?;
    let site = Site::open(&lab, Door::Sudo, |_| Ok(()))?;
    let mut session = lab.terminal(lab.command_as("carol", "sudo")?.args(["-k", "echo", "granted"]))?;
    session.expect("code ")?;
    let pinned = lab.mobileidctl(&["serial", "pin", "carol", "MIDCHEOTHERPHONE"])?;
    ensure!(pinned.status.success(), "{pinned:?}");
    site.mobile_id.confirm("carol")?;
    let ended = session.finish()?;
    kept_out(&ended)?;
    ensure!(ended.shown.contains(NEW_SERIAL), "{}", ended.shown);
    let pins = site.pins()?;
    ensure!(pins.len() == 1 && pins.iter().all(|pin| field(pin, "by") == "administrator"), "{pins:#?}");
    Ok(())
}
