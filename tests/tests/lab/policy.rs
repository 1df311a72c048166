//! `[pam.require]` and `[pam.exempt]`: who is asked, and what the log says of who is not.

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods};

use crate::support::{let_in, log_in, sudo, verdicts};

/// Alice is one of the staff. Everybody is one of the people.
const STAFF: &str = "staff:x:2001:alice\n";

const ASKED: &str = "accepted verified";

/// What is written, and what becomes of alice's sudo, dave's sudo and alice's ssh.
const RULES: &[(&str, [&str; 3])] = &[
    ("", [ASKED, ASKED, ASKED]),
    ("[pam.exempt]\nservices = [\"sudo\"]", ["exempt service-exempt", "exempt service-exempt", ASKED]),
    ("[pam.exempt]\nusers = [\"alice\"]", ["exempt user-exempt", ASKED, "exempt user-exempt"]),
    ("[pam.exempt]\ngroups = [\"staff\"]", ["exempt group-exempt", ASKED, "exempt group-exempt"]),
    ("[pam.exempt]\ngroups = [\"no-such-group\"]", [ASKED, ASKED, ASKED]),
    // An address is sshd's to know: sudo has none, whatever its environment says.
    ("[pam.exempt]\nnetworks = [\"127.0.0.0/8\"]", [ASKED, ASKED, "exempt network-exempt"]),
    ("[pam.exempt]\nnetworks = [\"10.0.0.0/8\", \"2001:db8::/32\"]", [ASKED, ASKED, ASKED]),
    ("[pam.require]\nservices = [\"sshd\"]", ["exempt not-required", "exempt not-required", ASKED]),
    ("[pam.require]\nusers = [\"alice\"]", [ASKED, "exempt not-required", ASKED]),
    ("[pam.require]\ngroups = [\"staff\"]", [ASKED, "exempt not-required", ASKED]),
    (
        "[pam.require]\nservices = [\"sudo\"]\nusers = [\"dave\"]\ngroups = [\"staff\"]",
        [ASKED, ASKED, "exempt not-required"],
    ),
    (
        "[pam.require]\nusers = [\"alice\"]\n[pam.exempt]\nnetworks = [\"127.0.0.1\"]",
        [ASKED, "exempt not-required", "exempt network-exempt"],
    ),
];

fn check(rules: &str, expected: [&str; 3]) -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(rules)?;
    let group = std::fs::read_to_string(lab.path("/etc/group"))?;
    lab.write("/etc/group", 0o644, &format!("{group}{STAFF}"))?;
    for service in ["sudo", "sshd"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    let sshd = lab.sshd(&[])?;
    let logins = [
        ("alice", sudo(&lab, "alice")?),
        ("dave", sudo(&lab, "dave")?),
        ("alice", log_in(&sshd, "alice", Methods::Interactive)?),
    ];
    let mut said = verdicts(&lab, "alice")?;
    said.splice(1..1, verdicts(&lab, "dave")?);
    ensure!(said == expected, "{rules}\nnot {expected:?}, but {said:?}");
    let asked = expected.iter().filter(|verdict| **verdict == ASKED).count();
    ensure!(mobile_id.all_pushes() == asked, "{rules}\n{:#?}", mobile_id.journal()?);
    for ((user, ended), verdict) in logins.iter().zip(expected) {
        let_in(ended)?;
        let told = ended.shown.contains("Mobile ID");
        ensure!(told == (verdict == ASKED), "{rules}\nwhat {user} saw at {verdict}:\n{}", ended.shown);
    }
    Ok(())
}

#[test]
fn who_is_asked_and_who_is_not() -> Result<()> {
    RULES.iter().try_for_each(|(rules, expected)| check(rules, *expected))
}
