//! People whom no table knows: they stand in an LDAP directory.

use anyhow::{Result, ensure};
use mobileid_tests::radius::{SECRET, Verdict};
use mobileid_tests::{Lab, Methods};

use crate::support::{kept_out, let_in, no_push, one_push};

#[test]
fn a_new_employee_logs_in_over_ssh_as_soon_as_the_directory_knows_her() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let slapd = lab.slapd()?;
    slapd.configure(&lab, &mobile_id)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.settle_syslog()?;
    // sshd asks again where a user is unknown.
    let audits = lab.audits("judy")?;
    let unknown =
        |audit: &serde_json::Value| audit.get("reason").is_some_and(|reason| reason == "not-enrolled");
    ensure!(!audits.is_empty() && audits.iter().all(unknown), "{audits:#?}");
    no_push(&mobile_id)?;

    // Her phone is the one that the table gives to alice.
    slapd.hire("judy", "judy's password", &format!("+{}", mobile_id.number("alice")?))?;
    let mut session = sshd.login("judy", Methods::Interactive)?;
    session.press_enter_at_code()?;
    session.expect("granted to judy")?;
    let_in(&session.finish()?)?;
    let text = one_push(&mobile_id, "alice")?;
    ensure!(text.contains("judy"), "{text}");
    Ok(())
}

#[test]
fn while_the_directory_is_away_its_people_are_kept_out_and_those_of_the_table_are_not() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut slapd = lab.slapd()?;
    slapd.configure(&lab, &mobile_id)?;
    slapd.hire("judy", "judy's password", &format!("+{}", mobile_id.number("alice")?))?;
    slapd.stop();
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.syslog().wait_for("directory-unavailable")?;
    lab.syslog().wait_for("openldap: 127.0.0.1:")?;
    no_push(&mobile_id)?;
    let mut session = sshd.login("alice", Methods::Interactive)?;
    session.press_enter_at_code()?;
    session.expect("granted to alice")?;
    let_in(&session.finish()?)
}

#[test]
fn over_radius_the_directory_judges_the_password_before_the_phone_rings() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let slapd = lab.slapd()?;
    slapd.configure(&lab, &mobile_id)?;
    slapd.hire("judy", "judy's password", &format!("+{}", mobile_id.number("alice")?))?;
    let client = format!(
        "[[client]]\nname = \"vpn\"\naddress = [\"127.0.0.1\"]\nsecret = \"{SECRET}\"\nfirst_factor = \"ldap\"\n\
         directory = \"openldap\"\nreject_delay = 0\n"
    );
    let radiusd = lab.responder(&client)?;
    let asked = |password: &str| {
        let asked = format!("User-Name=judy,User-Password=\"{password}\",Message-Authenticator=0x00");
        lab.radclient(radiusd.port(), &asked, &[])?.finish()
    };
    for (password, reason) in [("not hers", "first-factor-failed"), ("", "request-invalid")] {
        let answer = asked(password)?;
        ensure!(answer.verdict == Verdict::Reject, "{password:?}: {answer:#?}\n{:#?}", radiusd.log().all());
        radiusd.audit_log().wait_for(&format!("\"reason\":\"{reason}\""))?;
    }
    no_push(&mobile_id)?;
    let answer = asked("judy's password")?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());
    one_push(&mobile_id, "alice")?;
    Ok(())
}
