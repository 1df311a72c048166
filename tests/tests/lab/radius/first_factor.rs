//! The first factor at FreeRADIUS behind us: no phone rings before it has accepted, and its No is final.

use anyhow::{Context, Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::{FreeRadius, SECRET, UPSTREAM_SECRET, Verdict};

use crate::radius::support::{TTLS_MSCHAPV2, TTLS_PAP, audited};
use crate::support::{no_push, one_push};

const USERS: &str = r#"
alice	Cleartext-Password := "correct horse"
	Class := "staff",
	Filter-Id := "not to be passed on",
	Reply-Message := "Welcome"
bob	Cleartext-Password := "correct horse"
token	Cleartext-Password := "123456"
"#;

fn asking(upstreams: &[&FreeRadius], silent: &str) -> String {
    let address = |server: &&FreeRadius| format!("\"127.0.0.1:{}\"", server.port());
    let addresses = upstreams.iter().map(address).collect::<Vec<_>>().join(", ");
    format!(
        "[[upstream]]\nname = \"passwords\"\naddress = [{silent}{addresses}]\nsecret = \"{UPSTREAM_SECRET}\"\n\
         timeout = 1\ntries = 2\nmessage_authenticator = \"optional\"\n\n\
         [[client]]\nname = \"vpn\"\naddress = [\"127.0.0.1\"]\nsecret = \"{SECRET}\"\nmode = \"wait\"\n\
         first_factor = \"radius\"\nupstream = \"passwords\"\npass = [\"Class\"]\n"
    )
}

#[test]
fn the_phone_rings_only_after_a_right_password() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    let radiusd = lab.responder(&asking(&[&upstream], ""))?;
    let wrong = "User-Name=alice,User-Password=wrong,Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), wrong, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    audited(&radiusd, "alice", "denied", "first-factor-failed")?;
    no_push(&mobile_id)?;

    for (user, verdict) in [("alice", Verdict::Accept), ("bob", Verdict::Reject)] {
        let right = format!("User-Name={user},User-Password=\"correct horse\",Message-Authenticator=0x00");
        let answer = lab.radclient(radiusd.port(), &right, &[])?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}\n{:#?}", radiusd.log().all());
        one_push(&mobile_id, user)?;
        if verdict == Verdict::Accept {
            ensure!(
                answer.value("Class") == Some("0x7374616666"),
                "its Class was to come along: {answer:#?}"
            );
        }
        ensure!(answer.value("Filter-Id").is_none(), "nobody asked for its Filter-Id: {answer:#?}");
    }
    Ok(())
}

#[test]
fn chap_and_ms_chap_are_judged_by_whoever_can() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    let radiusd = lab.responder(&asking(&[&upstream], ""))?;
    for (pushes, method) in (1..).zip(["CHAP-Password", "MS-CHAP-Password"]) {
        for (password, verdict) in [("wrong", Verdict::Reject), ("correct horse", Verdict::Accept)] {
            let asked = format!("User-Name=alice,{method}=\"{password}\",Message-Authenticator=0x00");
            let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
            ensure!(
                answer.verdict == verdict,
                "{method} {password}: {answer:#?}\n{:#?}",
                radiusd.log().all()
            );
        }
        ensure!(mobile_id.all_pushes() == pushes, "{method}: {} pushes", mobile_id.all_pushes());
    }
    Ok(())
}

#[test]
fn ms_chapv2_comes_out_of_a_tunnel_and_goes_to_the_first_factor() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    let radiusd = lab.responder(&asking(&[&upstream], ""))?;
    let tunnel = lab.tunnel(radiusd.port())?;
    let wrong = TTLS_MSCHAPV2.replace("horse", "cow");
    let answer = lab.eapol_test(tunnel.port(), &wrong)?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{}", answer.said);
    no_push(&mobile_id)?;
    for (pushes, method) in (1..).zip([TTLS_PAP, TTLS_MSCHAPV2]) {
        let answer = lab.eapol_test(tunnel.port(), method)?.finish()?;
        ensure!(answer.verdict == Verdict::Accept, "{}\n{:#?}", answer.said, radiusd.log().all());
        ensure!(mobile_id.all_pushes() == pushes, "{} pushes", mobile_id.all_pushes());
    }
    Ok(())
}

#[test]
fn its_challenge_is_carried_through_before_the_phone_rings() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.enrol("token", &mobile_id.number("alice")?)?;
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    let radiusd = lab.responder(&asking(&[&upstream], ""))?;
    let asked = "User-Name=token,User-Password=anything,Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Challenge, "{answer:#?}");
    ensure!(answer.value("Reply-Message") == Some("Token?"), "{answer:#?}");
    no_push(&mobile_id)?;
    let state = answer.value("State").context("a challenge has a State")?;
    let asked = format!("User-Name=token,User-Password=123456,State={state},Message-Authenticator=0x00");
    let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());
    one_push(&mobile_id, "alice")?;
    Ok(())
}

#[test]
fn another_server_is_asked_where_the_first_is_silent_and_nobody_gets_in_where_all_are() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    // A socket that nobody reads: silence, and no refusal by the machine.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let silent = format!("\"{}\", ", silent.local_addr()?);
    let radiusd = lab.responder(&asking(&[&upstream], &silent))?;
    let right = "User-Name=alice,User-Password=\"correct horse\",Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), right, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());

    drop(upstream);
    let bob = right.replace("alice", "bob");
    let answer = lab.radclient(radiusd.port(), &bob, &["-t", "10"])?.finish()?;
    ensure!(answer.verdict != Verdict::Accept, "{answer:#?}");
    ensure!(mobile_id.pushes("bob")?.is_empty(), "a phone rang without a first factor");
    audited(&radiusd, "bob", "denied", "").map(drop)
}

#[test]
fn an_answer_without_a_proof_is_not_believed_unless_the_upstream_is_excused() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    // Debian's FreeRADIUS answers without a Message-Authenticator: what an attacker would answer too.
    let upstream = lab.passwords(UPSTREAM_SECRET, USERS)?;
    let excused = asking(&[&upstream], "");
    let radiusd = lab.responder(&excused.replace("\"optional\"", "\"required\""))?;
    let right = "User-Name=alice,User-Password=\"correct horse\",Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), right, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    upstream.log().wait_for("Login OK: [alice]")?;
    audited(&radiusd, "alice", "denied", "first-factor-unavailable")?;
    no_push(&mobile_id)
}
