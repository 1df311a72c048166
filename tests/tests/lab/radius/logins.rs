//! One login from its first packet to its last, by each client there is: approved, refused, not answered,
//! unknown.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::Verdict;

use crate::radius::support::{audited, waiting};
use crate::support::{no_push, one_push};

/// As short as a person may be waited for where the client waits too.
const UNANSWERED: &str = "[timeouts]\nsim = 6\nsim_connection = 8\napp = 6\napp_connection = 8\n";

#[test]
fn radclient_is_told_what_the_phone_said() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(UNANSWERED)?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    for (user, verdict, audit) in [
        ("alice", Verdict::Accept, ("accepted", "")),
        ("bob", Verdict::Reject, ("denied", "user-cancel")),
        ("frank", Verdict::Reject, ("denied", "")),
        ("wrong-text", Verdict::Reject, ("denied", "")),
        ("bad-signature", Verdict::Reject, ("denied", "")),
    ] {
        let asked = format!("User-Name={user},User-Password=any,NAS-Port=7,Message-Authenticator=0x00");
        let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}\n{:#?}", radiusd.log().all());
        ensure!(
            answer.value("Reply-Message").is_some_and(|text| text.contains("Mobile ID")) || user == "alice"
        );
        let audit = audited(&radiusd, user, audit.0, audit.1)?;
        ensure!(audit.get("client").is_some_and(|client| client == "vpn"), "{audit:#}");
        one_push(&mobile_id, user)?;
    }
    Ok(())
}

#[test]
fn who_is_not_enrolled_is_refused_and_nobody_is_asked() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let asked = "User-Name=judy,User-Password=any,Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    audited(&radiusd, "judy", "denied", "not-enrolled")?;
    no_push(&mobile_id)
}

#[test]
fn radtest_works_as_an_administrator_types_it() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    for (user, verdict) in [("alice", Verdict::Accept), ("bob", Verdict::Reject)] {
        let answer = lab.radtest(radiusd.port(), user, "any")?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}");
        one_push(&mobile_id, user)?;
    }
    Ok(())
}

#[test]
fn pyrad_which_demands_a_proof_in_every_reply_gets_it() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    for (user, verdict) in [("alice", Verdict::Accept), ("bob", Verdict::Reject)] {
        let answer = lab.pyrad(radiusd.port(), user, "any", 0)?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}");
        one_push(&mobile_id, user)?;
    }
    Ok(())
}

#[test]
fn a_person_presses_the_button_while_radclient_waits() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let asked = "User-Name=carol,User-Password=any,Message-Authenticator=0x00";
    let pending = lab.radclient(radiusd.port(), asked, &[])?;
    mobile_id.confirm("carol")?;
    let answer = pending.finish()?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}");
    audited(&radiusd, "carol", "accepted", "")?;
    Ok(())
}

#[test]
fn a_wrong_secret_is_met_with_silence() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let asked = "User-Name=alice,User-Password=any,Message-Authenticator=0x00";
    let answer = lab.radclient_with("another", radiusd.port(), asked, &["-t", "1"])?.finish()?;
    ensure!(answer.verdict == Verdict::Silence, "{answer:#?}");
    // radclient may have stopped listening before a late answer: what cannot be late is a login.
    radiusd.nas()?.hears_nothing()?;
    ensure!(radiusd.audited() == 0, "a login began");
    no_push(&mobile_id)
}
