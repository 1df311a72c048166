//! Packets that no honest client sends: what is not proven is not answered.

use std::time::Duration;

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::packet::{Draft, Integrity, attribute, code};
use mobileid_tests::radius::{Nas, Responder, SECRET};

use crate::radius::support::{client, waiting};
use crate::support::no_push;

const UNPROVEN: [Integrity; 4] = [Integrity::Absent, Integrity::Wrong, Integrity::Doubled, Integrity::Short];

/// Clients at four addresses of loopback, one for each way to treat a missing Message-Authenticator.
fn of_every_kind() -> String {
    [
        waiting("required", "127.0.0.1"),
        client("optional", "127.0.0.2", "mode = \"wait\"\nmessage_authenticator = \"optional\""),
        client("learn", "127.0.0.3", "mode = \"wait\"\nmessage_authenticator = \"learn\""),
    ]
    .join("\n")
}

fn asks(nas: &Nas, identifier: u8, integrity: Integrity) -> Result<Draft> {
    let draft = Draft::login(identifier, "judy", "any", SECRET);
    nas.send(&draft.write(SECRET, integrity))?;
    Ok(draft)
}

#[test]
fn only_one_right_message_authenticator_is_a_proof() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    let nas = radiusd.nas()?;
    for (identifier, integrity) in (1..).zip(UNPROVEN) {
        asks(&nas, identifier, integrity)?;
        nas.hears_nothing()?;
    }
    for (identifier, integrity) in [(10, Integrity::First), (11, Integrity::Last)] {
        let reply = nas.answer(&asks(&nas, identifier, integrity)?)?;
        ensure!(reply.code == code::ACCESS_REJECT, "{integrity:?}: {reply:?}");
    }
    nothing_more(radiusd, &nas, 2)?;
    no_push(&mobile_id)
}

#[test]
fn optional_excuses_one_that_is_missing_and_none_that_is_wrong() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    let nas = radiusd.nas_at("127.0.0.2")?;
    for (identifier, integrity) in (1..).zip(UNPROVEN) {
        let draft = asks(&nas, identifier, integrity)?;
        match integrity {
            Integrity::Absent => drop(nas.answer(&draft)?),
            _ => nas.hears_nothing()?,
        }
    }
    nothing_more(radiusd, &nas, 1)
}

#[test]
fn what_was_proven_once_is_demanded_ever_after() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    let nas = radiusd.nas_at("127.0.0.3")?;
    nas.answer(&asks(&nas, 1, Integrity::Absent)?)?;
    nas.answer(&asks(&nas, 2, Integrity::First)?)?;
    asks(&nas, 3, Integrity::Absent)?;
    nas.hears_nothing()?;
    nothing_more(radiusd, &nas, 2)?;

    // Another process, started on the same state, has not forgotten.
    let radiusd = lab.responder(&of_every_kind())?;
    let nas = radiusd.nas_at("127.0.0.3")?;
    asks(&nas, 4, Integrity::Absent)?;
    nas.hears_nothing()?;
    nas.answer(&asks(&nas, 5, Integrity::First)?)?;
    nothing_more(radiusd, &nas, 1)
}

#[test]
fn what_is_no_packet_is_not_answered() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    // By the lenient client, so that it is the form alone that is refused.
    let nas = radiusd.nas_at("127.0.0.2")?;
    let whole = Draft::login(1, "judy", "any", SECRET).write(SECRET, Integrity::Absent);
    let with = |place: usize, octet: u8| {
        let mut packet = whole.clone();
        packet[place] = octet;
        packet
    };
    for (what, packet) in [
        ("half a header", whole[..10].to_vec()),
        ("a length beyond the datagram", with(3, 255)),
        ("a length shorter than the header", with(3, 19)),
        ("an attribute of length 0", with(21, 0)),
        ("an attribute of length 1", with(21, 1)),
        ("an attribute beyond the end", with(21, 255)),
        ("an Access-Accept", with(0, code::ACCESS_ACCEPT)),
        ("an unknown code", with(0, 200)),
        ("an Accounting-Request on the port for logins", with(0, code::ACCOUNTING_REQUEST)),
    ] {
        nas.send(&packet)?;
        let heard = nas.until_now()?;
        ensure!(heard.is_empty(), "{what} was answered: {heard:02x?}");
    }
    // What follows the packet in its datagram is padding.
    let draft = Draft::login(2, "judy", "any", SECRET);
    let mut padded = draft.signed(SECRET);
    padded.extend([0; 7]);
    nas.send(&padded)?;
    nas.answer(&draft)?;
    nothing_more(radiusd, &nas, 1)
}

#[test]
fn nobody_hears_anything_who_is_no_client() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    let stranger = radiusd.nas_at("127.0.0.99")?;
    for identifier in 0..50 {
        asks(&stranger, identifier, Integrity::First)?;
    }
    // Every packet sent before has been seen when this one is answered: they wait in one socket.
    radiusd.nas()?.hears_nothing()?;
    // Somebody who asked fifty times is not fifty lines.
    let lines = radiusd.log().containing("127.0.0.99");
    ensure!(lines.len() <= 2, "{lines:#?}");
    nothing_more(radiusd, &stranger, 0)
}

/// Ends the responder, and checks how many logins there were and that the NAS hears nothing more: a login that
/// should not have begun would be audited by now, and its answer sent.
fn nothing_more(mut radiusd: Responder<'_>, nas: &Nas, logins: usize) -> Result<()> {
    radiusd.drain()?;
    ensure!(radiusd.audited() == logins, "{} logins instead of {logins}", radiusd.audited());
    let heard = nas.datagram(Duration::from_millis(1))?;
    ensure!(heard.is_none(), "silence was due, and this came: {heard:02x?}");
    Ok(())
}

#[test]
fn a_hundred_thousand_packets_with_a_wrong_secret_are_as_many_silences() -> Result<()> {
    const COUNT: usize = 100_000;
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    let wrong = Nas::at("127.0.0.1", radiusd.port(), "not the secret")?;
    let fence = radiusd.nas()?;
    for sent in 0..COUNT {
        wrong.login(u8::try_from(sent % 250)?, "alice", "any")?;
        // The machine's buffer may hold no more than this; what it drops would be silence of another kind.
        if sent % 100 == 99 {
            fence.hears_nothing()?;
        }
    }
    fence.hears_nothing()?;
    // Each was seen and thrown away, none was lost before.
    let forged = radiusd.metric("mobileid_packets_total", &["client=\"required\"", "fate=\"forged\""])?;
    ensure!(forged as usize == COUNT, "{forged} of {COUNT} packets were found forged");
    let reply = fence.answer(&fence.login(1, "alice", "any")?)?;
    ensure!(reply.code == code::ACCESS_ACCEPT, "{reply:?}");
    nothing_more(radiusd, &wrong, 1)?;
    ensure!(mobile_id.all_pushes() == 1, "one login is one push");
    Ok(())
}

#[test]
fn the_shape_of_blast_radius_is_met_with_silence() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&of_every_kind())?;
    // The attack needs a request without proof that carries octets of the attacker's in a Proxy-State, and an
    // answer without proof that brings them back. None of the defaults gives it either.
    let block = [0xC0; 200];
    for address in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
        let nas = radiusd.nas_at(address)?;
        let draft = Draft::login(1, "alice", "any", SECRET).with(attribute::PROXY_STATE, block);
        nas.send(&draft.write(SECRET, Integrity::Absent))?;
        nas.hears_nothing()?;
    }
    // With a proof it is a proxy, and gets back what it sent, below a proof: `answer` checks that it is first.
    let nas = radiusd.nas()?;
    let draft = Draft::login(2, "judy", "any", SECRET).with(attribute::PROXY_STATE, block);
    nas.send(&draft.signed(SECRET))?;
    let reply = nas.answer(&draft)?;
    ensure!(reply.all(attribute::PROXY_STATE) == [block], "{reply:?}");
    nothing_more(radiusd, &nas, 1)?;
    no_push(&mobile_id)
}
