//! What an Access-Accept carries, decoded by a client that has the dictionaries of the trade; and who is not asked.

use anyhow::{Result, ensure};
use mobileid_tests::Lab;
use mobileid_tests::radius::{Nas, SECRET, Verdict, has_ipv6};

use crate::radius::support::{audited, waiting};
use crate::support::{no_push, one_push};

const GRANTS: &str = r#"
[client.accept]
Class = "staff"
Session-Timeout = 28800
Fortinet-Group-Name = "vpn-users"
Cisco-AVPair = ["ip:addr-pool=vpn", "shell:priv-lvl=1"]
Filter-Id = "everybody"

[client.accept_group."vpn-admins"]
Fortinet-Group-Name = "vpn-admins"
"#;

#[test]
fn an_accept_grants_what_client_and_group_are_given() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.put_into_group("alice", "vpn-admins")?;
    let radiusd = lab.responder(&format!("{}{GRANTS}", waiting("vpn", "127.0.0.1")))?;
    let ask = |user: &str| {
        let asked = format!("User-Name={user},User-Password=any,Message-Authenticator=0x00");
        lab.radclient(radiusd.port(), &asked, &[])?.finish()
    };
    let everybody = [
        "Class = 0x7374616666",
        "Session-Timeout = 28800",
        "Fortinet-Group-Name = \"vpn-users\"",
        "Cisco-AVPair = \"ip:addr-pool=vpn\"",
        "Cisco-AVPair = \"shell:priv-lvl=1\"",
        "Filter-Id = \"everybody\"",
    ];
    let admins = "Fortinet-Group-Name = \"vpn-admins\"";
    for (user, admin) in [("alice", true), ("dave", false)] {
        let answer = ask(user)?;
        ensure!(answer.verdict == Verdict::Accept, "{user}: {answer:#?}");
        for attribute in everybody {
            ensure!(answer.said.contains(attribute), "{user} lacks {attribute}: {answer:#?}");
        }
        ensure!(answer.said.contains(admins) == admin, "{user}: {answer:#?}");
    }
    let refused = ask("bob")?;
    ensure!(refused.verdict == Verdict::Reject, "{refused:#?}");
    ensure!(everybody.iter().all(|attribute| !refused.said.contains(attribute)), "{refused:#?}");
    Ok(())
}

#[test]
fn rules_keep_out_let_in_and_say_so_without_a_phone() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let rules = "[[rule]]\nuser = \"probe\"\nthen = \"reject\"\n\n\
                 [[rule]]\nuser = \"judy\"\nclient = \"vpn\"\nthen = \"accept\"\n\n\
                 [[rule]]\nthen = \"phone\"\n";
    let radiusd = lab.responder(&format!("{}\n{rules}", waiting("vpn", "127.0.0.1")))?;
    for (user, verdict, audit) in [
        ("probe", Verdict::Reject, ("denied", "rule-rejects")),
        ("judy", Verdict::Accept, ("exempt", "rule-accepts")),
    ] {
        let asked = format!("User-Name={user},User-Password=any,Message-Authenticator=0x00");
        let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
        ensure!(answer.verdict == verdict, "{user}: {answer:#?}");
        audited(&radiusd, user, audit.0, audit.1)?;
    }
    no_push(&mobile_id)
}

#[test]
fn the_forms_of_a_name_are_one_person() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let realms = "strip_realms = [\"example.com\", \"CORP\"]";
    let radiusd = lab.responder(&crate::radius::support::client(
        "vpn",
        "127.0.0.1",
        &format!("mode = \"wait\"\n{realms}"),
    ))?;
    for (name, user) in [("alice@example.com", "alice"), ("CORP\\\\dave", "dave")] {
        let asked = format!("User-Name=\"{name}\",User-Password=any,Message-Authenticator=0x00");
        let answer = lab.radclient(radiusd.port(), &asked, &[])?.finish()?;
        ensure!(answer.verdict == Verdict::Accept, "{name}: {answer:#?}\n{:#?}", radiusd.log().all());
        one_push(&mobile_id, user)?;
    }
    let asked = "User-Name=\"bob@elsewhere.example\",User-Password=any,Message-Authenticator=0x00";
    let answer = lab.radclient(radiusd.port(), asked, &[])?.finish()?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    ensure!(mobile_id.pushes("bob")?.is_empty(), "the realm is another's");
    Ok(())
}

#[test]
fn a_client_over_ipv6_is_served() -> Result<()> {
    if !has_ipv6() {
        eprintln!("this machine has no IPv6: left out");
        return Ok(());
    }
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let clients = format!("{}\n{}", waiting("vpn", "127.0.0.1"), waiting("vpn6", "::1"));
    let radiusd = lab.responder(&clients)?;
    let nas = Nas::at("::1", radiusd.port(), SECRET)?;
    nas.answer(&nas.login(1, "alice", "any")?)?;
    one_push(&mobile_id, "alice")?;
    let audit = audited(&radiusd, "alice", "accepted", "")?;
    ensure!(audit.get("client").is_some_and(|client| client == "vpn6"), "{audit:#}");
    Ok(())
}
