//! The wait told to the person: a challenge with the code at once, and the answer when she presses OK.

use anyhow::{Context, Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::packet::{Draft, Reply, attribute, code};
use mobileid_tests::radius::{Nas, SECRET, Verdict};

use crate::radius::support::{audited, client, code_on_phone};

fn challenging() -> String {
    client("vpn", "127.0.0.1", "mode = \"challenge\"\nnas_timeout = 3")
}

/// What a NAS sends when the person has pressed OK: nothing new but the State.
fn follow_up(identifier: u8, user: &str, challenge: &Reply) -> Result<Draft> {
    let state = challenge.all(attribute::STATE);
    let [state] = state.as_slice() else { anyhow::bail!("a challenge has one State: {challenge:?}") };
    Ok(Draft::login(identifier, user, "", SECRET).with(attribute::STATE, state))
}

fn asks(nas: &Nas, draft: &Draft) -> Result<Reply> {
    nas.send(&draft.signed(SECRET))?;
    nas.answer(draft)
}

#[test]
fn radclient_is_challenged_and_gets_in_with_the_state() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&challenging())?;
    let asked = "User-Name=carol,User-Password=any,Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Challenge, "{answer:#?}");
    let state = answer.value("State").context("a challenge has a State")?.to_owned();
    mobile_id.confirm("carol")?;
    let told = answer.value("Reply-Message").context("a challenge says something")?;
    let code = code_on_phone(&mobile_id, "carol")?;
    ensure!(told.contains(&code), "{told:?} does not show the phone's code {code}");
    audited(&radiusd, "carol", "accepted", "")?;

    let again = format!("User-Name=carol,User-Password=\"\",State={state},Message-Authenticator=0x00");
    let answer = lab.radclient(radiusd.port(), &again, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());
    Ok(())
}

#[test]
fn pyrad_answers_challenges_until_the_person_has_confirmed() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&challenging())?;
    for (user, verdict) in [("alice", Verdict::Accept), ("bob", Verdict::Reject)] {
        // It asks again at once each time: the simulated person needs a moment, in which it may do so often.
        let answer = lab.pyrad(radiusd.port(), user, "any", 100_000)?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {}", answer.said);
        ensure!(answer.said.starts_with("Access-Challenge"), "{user}: {}", answer.said);
        ensure!(mobile_id.pushes(user)?.len() == 1, "one login is one push");
        audited(&radiusd, user, if verdict == Verdict::Accept { "accepted" } else { "denied" }, "")?;
    }
    Ok(())
}

#[test]
fn whoever_presses_ok_too_early_is_challenged_again() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&challenging())?;
    let nas = radiusd.nas()?;
    let first = asks(&nas, &Draft::login(1, "carol", "any", SECRET))?;
    // It waits with her for as long as the NAS does, and is then told to come again.
    let challenge = asks(&nas, &follow_up(2, "carol", &first)?)?;
    ensure!(challenge.code == code::ACCESS_CHALLENGE, "{challenge:?}");
    mobile_id.confirm("carol")?;
    audited(&radiusd, "carol", "accepted", "")?;
    let last = asks(&nas, &follow_up(9, "carol", &challenge)?)?;
    ensure!(last.code == code::ACCESS_ACCEPT, "{last:?}");
    ensure!(mobile_id.all_pushes() == 1, "one login is one push");
    Ok(())
}

#[test]
fn a_state_is_hers_alone_unchanged_and_good_once() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let other = client("other", "127.0.0.2", "mode = \"challenge\"");
    // Without a moment in which an accept is repeated.
    let once = "[limits]\naccept_kept = 0";
    let radiusd = lab.responder(&format!("{once}\n\n{}\n{other}", challenging()))?;
    let nas = radiusd.nas()?;
    let challenge = asks(&nas, &Draft::login(1, "carol", "any", SECRET))?;
    mobile_id.confirm("carol")?;
    audited(&radiusd, "carol", "accepted", "")?;

    let right = follow_up(2, "carol", &challenge)?;
    let mut bent = right.clone();
    bent.identifier = 3;
    if let Some((_, state)) = bent.attributes.last_mut() {
        state[10] ^= 1;
    }
    let reply = asks(&nas, &bent)?;
    ensure!(reply.code == code::ACCESS_REJECT, "a bent State: {reply:?}");
    let reply = asks(&nas, &follow_up(4, "alice", &challenge)?)?;
    ensure!(reply.code == code::ACCESS_REJECT, "another user's State: {reply:?}");
    let elsewhere = radiusd.nas_at("127.0.0.2")?;
    let reply = asks(&elsewhere, &follow_up(5, "carol", &challenge)?)?;
    ensure!(reply.code == code::ACCESS_REJECT, "another client's State: {reply:?}");

    let reply = asks(&nas, &right)?;
    ensure!(reply.code == code::ACCESS_ACCEPT, "{reply:?}");
    let reply = asks(&nas, &follow_up(6, "carol", &challenge)?)?;
    ensure!(reply.code == code::ACCESS_REJECT, "a State for the second time: {reply:?}");
    ensure!(mobile_id.all_pushes() == 1, "a State is no reason for a push");
    Ok(())
}

#[test]
fn who_waits_first_is_challenged_just_before_the_nas_gives_up() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd =
        lab.responder(&client("vpn", "127.0.0.1", "mode = \"wait-then-challenge\"\nnas_timeout = 3"))?;
    let nas = radiusd.nas()?;
    // Whoever confirms in time never sees a challenge.
    let reply = asks(&nas, &Draft::login(1, "alice", "any", SECRET))?;
    ensure!(reply.code == code::ACCESS_ACCEPT, "{reply:?}");

    let challenge = asks(&nas, &Draft::login(2, "carol", "any", SECRET))?;
    ensure!(challenge.code == code::ACCESS_CHALLENGE, "{challenge:?}");
    mobile_id.confirm("carol")?;
    let reply = asks(&nas, &follow_up(3, "carol", &challenge)?)?;
    ensure!(reply.code == code::ACCESS_ACCEPT, "{reply:?}");
    Ok(())
}
