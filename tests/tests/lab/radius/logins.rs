//! One login from its first packet to its last, by each client there is: approved, refused, not answered,
//! unknown.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::Verdict;

use crate::radius::support::{audited, client, waiting};
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

#[test]
fn a_number_that_nobody_knows_is_the_phone_that_is_asked_and_nobody_reads_it() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let number = mobile_id.number("alice")?;
    let radiusd = lab.responder(&client("vpn", "127.0.0.1", "msisdn_from_user_name = true"))?;
    let ask = |name: &str, password: &str| {
        let asked = format!("User-Name=\"{name}\",User-Password={password},Message-Authenticator=0x00");
        lab.radclient(radiusd.port(), &asked, &[])?.finish()
    };
    for (count, name) in [(1, format!("+{number}")), (2, format!("00{number}"))] {
        let answer = ask(&name, &format!("any{count}"))?;
        ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());
        let pushes = mobile_id.pushes("alice")?;
        let hidden =
            format!("+{}*****{}", number.get(..4).unwrap_or_default(), number.get(9..).unwrap_or_default());
        ensure!(pushes.len() == count && pushes.iter().all(|text| text.contains(&hidden)), "{pushes:#?}");
        radiusd.audit_log().wait_for(&format!("\"user\":\"{hidden}\""))?;
    }
    // Digits alone may be anything.
    ensure!(ask(&number, "any")?.verdict == Verdict::Reject);
    radiusd.audit_log().wait_for("\"reason\":\"not-enrolled\"")?;
    // Nor while somebody who may know it cannot be asked.
    mobile_id.configure(
        "[[directory]]\ntype = \"command\"\nname = \"hr\"\ncommand = [\"/usr/bin/cat\", \"/nonexistent\"]\n",
    )?;
    let radiusd = lab.responder(&client("vpn", "127.0.0.1", "msisdn_from_user_name = true"))?;
    let asked = format!("User-Name=+{number},User-Password=any,Message-Authenticator=0x00");
    let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    radiusd.audit_log().wait_for("\"reason\":\"directory-unavailable\"")?;
    ensure!(mobile_id.pushes("alice")?.len() == 2);
    let told =
        radiusd.log().all().into_iter().chain(radiusd.audit_log().all()).collect::<Vec<_>>().join("\n");
    ensure!(!told.contains(&number), "{told}");
    Ok(())
}
