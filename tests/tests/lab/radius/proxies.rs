//! Proxies between the NAS and us, and EAP that has to end before us.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::packet::{Draft, attribute};
use mobileid_tests::radius::{SECRET, Verdict};

use crate::radius::support::{TTLS_PAP, audited, waiting};
use crate::support::{no_push, one_push};

#[test]
fn a_login_comes_through_two_proxies_and_finds_its_way_back() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("proxy", "127.0.0.1"))?;
    let inner = lab.proxy(radiusd.port())?;
    let outer = lab.proxy(inner.port())?;
    // Each proxy adds a Proxy-State of its own and finds its request again only if it comes back as it was.
    for (user, verdict) in [("alice", Verdict::Accept), ("bob", Verdict::Reject), ("judy", Verdict::Reject)] {
        let asked =
            format!("User-Name={user},User-Password=any,Proxy-State=0x4e4153,Message-Authenticator=0x00");
        let answer = lab.radclient(outer.port(), &asked, &[])?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}\n{:#?}", outer.log().all());
        ensure!(answer.value("Proxy-State") == Some("0x4e4153"), "{user}: {answer:#?}");
    }
    one_push(&mobile_id, "alice")?;
    one_push(&mobile_id, "bob")?;
    Ok(())
}

#[test]
fn every_proxy_state_comes_back_in_its_order() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("proxy", "127.0.0.1"))?;
    let nas = radiusd.nas()?;
    let states: Vec<Vec<u8>> = vec![vec![0; 1], vec![1; 253], vec![], vec![2; 16], vec![1; 253]];
    let mut draft = Draft::login(1, "judy", "any", SECRET);
    for state in &states {
        draft = draft.with(attribute::PROXY_STATE, state);
    }
    nas.send(&draft.signed(SECRET))?;
    let reply = nas.answer(&draft)?;
    ensure!(reply.all(attribute::PROXY_STATE) == states, "{reply:?}");
    Ok(())
}

#[test]
fn eap_is_refused_and_the_log_says_so() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("access-point", "127.0.0.1"))?;
    let answer = lab.eapol_test(radiusd.port(), TTLS_PAP)?.finish()?;
    ensure!(answer.verdict != Verdict::Accept, "{}", answer.said);
    radiusd.log().wait_for("EAP")?;
    no_push(&mobile_id)
}

#[test]
fn a_password_out_of_a_tunnel_that_ended_before_us_is_a_login() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("tunnel", "127.0.0.1"))?;
    let tunnel = lab.tunnel(radiusd.port())?;
    let answer = lab.eapol_test(tunnel.port(), TTLS_PAP)?.finish()?;
    ensure!(answer.verdict == Verdict::Accept, "{}\n{:#?}", answer.said, radiusd.log().all());
    one_push(&mobile_id, "alice")?;
    audited(&radiusd, "alice", "accepted", "")?;

    let answer = lab.eapol_test(tunnel.port(), &TTLS_PAP.replace("alice", "bob"))?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{}", answer.said);
    one_push(&mobile_id, "bob")?;
    Ok(())
}
