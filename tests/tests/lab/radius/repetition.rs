//! A NAS that is impatient: it sends again, under a new number, or to another port. One login is one push.

use std::time::Duration;

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::packet::{Draft, attribute, code};
use mobileid_tests::radius::{Nas, SECRET};

use crate::radius::support::waiting;

/// Long enough that everything is sent again before the first answer.
const PATIENCE_MS: u32 = 4000;

#[test]
fn fifty_logins_sent_three_times_are_fifty_pushes_and_fifty_answers() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator_with_crowd(50, PATIENCE_MS)?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let nas = radiusd.nas()?;
    let login = |number: u8| Draft::login(number, &format!("user{number}"), "any", SECRET);
    let logins = (0..50).map(login).collect::<Vec<_>>();
    let packets = logins.iter().map(|login| login.signed(SECRET)).collect::<Vec<_>>();
    for _ in 0..3 {
        for packet in &packets {
            nas.send(packet)?;
        }
        nas.hears_nothing()?;
    }
    let replies = nas.answers(&logins)?;
    ensure!(replies.iter().all(|reply| reply.code == code::ACCESS_ACCEPT), "{replies:#?}");

    // Whoever lost the answer gets the same octets again, and no phone rings.
    for (packet, (login, reply)) in packets.iter().zip(logins.iter().zip(&replies)) {
        nas.send(packet)?;
        ensure!(nas.answer(login)? == *reply, "another answer to the same request");
    }
    nas.hears_nothing()?;
    radiusd.drain()?;
    ensure!(radiusd.audited() == 50 && mobile_id.all_pushes() == 50, "{} pushes", mobile_id.all_pushes());
    Ok(())
}

#[test]
fn twenty_logins_repeated_under_a_new_number_are_twenty_pushes_and_forty_answers() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator_with_crowd(20, PATIENCE_MS)?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let nas = radiusd.nas()?;
    let login = |number: u8| nas.login(number, &format!("user{}", number % 20), "any");
    let logins = (0..40).map(login).collect::<Result<Vec<_>>>()?;
    nas.hears_nothing()?;
    let replies = nas.answers(&logins)?;
    ensure!(replies.iter().all(|reply| reply.code == code::ACCESS_ACCEPT), "{replies:#?}");
    radiusd.drain()?;
    ensure!(mobile_id.all_pushes() == 20, "{} pushes", mobile_id.all_pushes());
    ensure!(radiusd.audited() == 20, "{} audit lines", radiusd.audited());
    Ok(())
}

#[test]
fn a_nas_that_fails_over_to_another_port_joins_its_login() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let (first, second) = (radiusd.nas()?, Nas::new(radiusd.second_port())?);
    let to_first = first.login(1, "carol", "any")?;
    mobile_id.wait_pushes(1)?;
    let to_second = second.login(1, "carol", "any")?;
    second.hears_nothing()?;
    mobile_id.confirm("carol")?;
    for reply in [first.answer(&to_first)?, second.answer(&to_second)?] {
        ensure!(reply.code == code::ACCESS_ACCEPT, "{reply:?}");
    }
    radiusd.drain()?;
    ensure!(mobile_id.all_pushes() == 1 && radiusd.audited() == 1, "one login is one push");
    Ok(())
}

#[test]
fn nobody_rides_on_a_push_with_another_password_or_from_another_station() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let (honest, rider) = (radiusd.nas()?, radiusd.nas()?);
    let from = |identifier, password, station: &str| {
        Draft::login(identifier, "carol", password, SECRET).with(attribute::CALLING_STATION_ID, station)
    };
    let login = from(1, "hers", "192.0.2.1");
    honest.send(&login.signed(SECRET))?;
    mobile_id.wait_pushes(1)?;
    for other in [from(2, "guessed", "192.0.2.1"), from(3, "hers", "192.0.2.66")] {
        rider.send(&other.signed(SECRET))?;
        let reply = rider.answer(&other)?;
        ensure!(reply.code == code::ACCESS_REJECT, "{reply:?}");
    }
    mobile_id.confirm("carol")?;
    ensure!(honest.answer(&login)?.code == code::ACCESS_ACCEPT);
    radiusd.drain()?;
    let heard = rider.datagram(Duration::from_millis(1))?;
    ensure!(heard.is_none(), "the rider heard more: {heard:02x?}");
    ensure!(mobile_id.all_pushes() == 1, "{} pushes", mobile_id.all_pushes());
    Ok(())
}

#[test]
fn an_accept_holds_for_a_moment_and_a_refusal_for_none() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    for (user, code, pushes) in [("alice", code::ACCESS_ACCEPT, 1), ("bob", code::ACCESS_REJECT, 2)] {
        let nas = radiusd.nas()?;
        for identifier in 1..=2 {
            let reply = nas.answer(&nas.login(identifier, user, "any")?)?;
            ensure!(reply.code == code, "{user}: {reply:?}");
        }
        ensure!(mobile_id.pushes(user)?.len() == pushes, "{user}: {:?}", mobile_id.pushes(user)?);
    }
    radiusd.drain()?;
    ensure!(radiusd.audited() == 3, "{} logins", radiusd.audited());
    Ok(())
}

#[test]
fn a_phone_that_says_no_three_times_is_left_alone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let nas = radiusd.nas()?;
    for identifier in 1..=4 {
        let reply = nas.answer(&nas.login(identifier, "bob", "any")?)?;
        ensure!(reply.code == code::ACCESS_REJECT, "{reply:?}");
    }
    ensure!(mobile_id.pushes("bob")?.len() == 3, "{:?}", mobile_id.pushes("bob")?);
    radiusd.drain()?;
    let audits = radiusd.audits("bob")?;
    let last = audits.last().and_then(|audit| audit.get("reason"));
    ensure!(last.is_some_and(|reason| reason == "push-limit"), "{audits:#?}");
    Ok(())
}
