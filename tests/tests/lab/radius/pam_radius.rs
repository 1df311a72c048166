//! A host that has no module of ours: sshd asks PAM, `pam_radius_auth` asks us.

use anyhow::{Result, ensure};
use mobileid_tests::radius::{Responder, SECRET};
use mobileid_tests::{Lab, Methods};

use crate::radius::support::{audited, client, code_on_phone};
use crate::support::{kept_out, let_in, one_push};

/// It sends no Message-Authenticator in Debian's version, so its client must be excused by name.
fn host(mode: &str) -> String {
    client("host", "127.0.0.1", &format!("mode = \"{mode}\"\nmessage_authenticator = \"optional\""))
}

/// The module in PAM service `sshd`, told where we are.
fn pam_radius_auth(lab: &Lab, radiusd: &Responder<'_>) -> Result<()> {
    let line = format!("127.0.0.1:{} {} 30\n", radiusd.port(), SECRET);
    lab.write("/etc/pam_radius_auth.conf", 0o600, &line)?;
    lab.pam_service("sshd", "auth required pam_radius_auth.so")
}

#[test]
fn sshd_lets_in_whom_the_phone_lets_in() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&host("wait"))?;
    pam_radius_auth(&lab, &radiusd)?;
    let sshd = lab.sshd(&["MaxAuthTries 1"])?;
    for user in ["alice", "bob"] {
        let mut session = sshd.login(user, Methods::Interactive)?;
        session.expect("Password")?;
        session.send_line("any")?;
        let ended = session.finish()?;
        if user == "alice" {
            let_in(&ended)?;
            audited(&radiusd, user, "accepted", "")?;
        } else {
            kept_out(&ended)?;
            audited(&radiusd, user, "denied", "user-cancel")?;
        }
        one_push(&mobile_id, user)?;
    }
    Ok(())
}

#[test]
fn the_challenge_appears_on_the_terminal() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&host("challenge"))?;
    pam_radius_auth(&lab, &radiusd)?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("carol", Methods::Interactive)?;
    session.expect("Password")?;
    session.send_line("any")?;
    mobile_id.confirm("carol")?;
    let code = code_on_phone(&mobile_id, "carol")?;
    session.expect(&code)?;
    audited(&radiusd, "carol", "accepted", "")?;
    session.send_line("")?;
    let ended = session.finish()?;
    ensure!(ended.shown.contains("granted to carol"), "{}", ended.shown);
    Ok(())
}
