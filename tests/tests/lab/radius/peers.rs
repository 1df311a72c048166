//! The peers prove themselves, with FreeRADIUS where the responder will be: what a later story shows is then
//! what the responder did.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::packet::{Draft, Integrity};
use mobileid_tests::radius::{Nas, SECRET, UPSTREAM_SECRET, Verdict};

use crate::radius::support::{TTLS_MSCHAPV2, TTLS_PAP};

const USERS: &str = "alice\tCleartext-Password := \"correct horse\"\n\tReply-Message := \"hello\"\n";

#[test]
fn radclient_and_freeradius_understand_each_other() -> Result<()> {
    let lab = Lab::new()?;
    let server = lab.passwords(UPSTREAM_SECRET, USERS)?;
    for (attributes, verdict) in [
        ("User-Name=alice,User-Password=\"correct horse\"", Verdict::Accept),
        ("User-Name=alice,CHAP-Password=\"correct horse\"", Verdict::Accept),
        ("User-Name=alice,MS-CHAP-Password=\"correct horse\"", Verdict::Accept),
        ("User-Name=alice,User-Password=wrong", Verdict::Reject),
        ("User-Name=token,User-Password=anything", Verdict::Challenge),
        ("User-Name=token,User-Password=123456,State=0x746f6b656e", Verdict::Accept),
    ] {
        let attributes = format!("{attributes},Message-Authenticator=0x00");
        let answer = lab.radclient_with(UPSTREAM_SECRET, server.port(), &attributes, &[])?.finish()?;
        ensure!(answer.verdict == verdict, "{attributes}: {answer:?}");
    }
    Ok(())
}

#[test]
fn freeradius_hands_on_in_a_chain_and_out_of_a_tunnel() -> Result<()> {
    let lab = Lab::new()?;
    let server = lab.passwords(SECRET, USERS)?;
    let inner = lab.proxy(server.port())?;
    let outer = lab.proxy(inner.port())?;
    let login = "User-Name=alice,User-Password=\"correct horse\",Message-Authenticator=0x00";
    let answer = lab.radclient(outer.port(), login, &[])?.finish()?;
    ensure!(
        answer.verdict == Verdict::Accept && answer.value("Reply-Message") == Some("hello"),
        "{answer:?}"
    );

    let tunnel = lab.tunnel(server.port())?;
    for method in [TTLS_PAP, TTLS_MSCHAPV2] {
        let answer = lab.eapol_test(tunnel.port(), method)?.finish()?;
        ensure!(answer.verdict == Verdict::Accept, "{method}: {}\n{:#?}", answer.said, tunnel.log().all());
    }
    let answer = lab.eapol_test(tunnel.port(), &TTLS_PAP.replace("horse", "cow"))?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{}", answer.said);
    Ok(())
}

#[test]
fn packets_by_hand_are_packets_to_freeradius() -> Result<()> {
    let lab = Lab::new()?;
    let server = lab.passwords(SECRET, USERS)?;
    let nas = Nas::new(server.port())?;
    let login = |identifier, integrity| -> Result<Draft> {
        let draft = Draft::login(identifier, "alice", "correct horse", SECRET);
        nas.send(&draft.write(SECRET, integrity))?;
        Ok(draft)
    };
    login(1, Integrity::Wrong)?;
    login(2, Integrity::Absent)?;
    let draft = login(3, Integrity::First)?;
    // Only the last is answered; and without the proof that newer servers send, which is noticed.
    let refused = nas.answer(&draft).err().map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(refused.contains("no Message-Authenticator before everything else"), "{refused}");
    ensure!(refused.contains("hello") || refused.contains("68, 65, 6c, 6c, 6f"), "not the Accept: {refused}");
    Ok(())
}
