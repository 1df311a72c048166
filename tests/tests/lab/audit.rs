//! The audit line: one per login, JSON through syslog's authpriv, complete, and without a whole number.

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Lab, Methods};
use serde_json::Value;

use crate::support::{log_in, one_audit};

/// authpriv is facility 10; a priority is eight times the facility plus the severity.
const AUTHPRIV: std::ops::Range<u32> = 80..88;

#[test]
fn one_line_per_login_that_an_auditor_can_read() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    for (user, verdict) in [("alice", "accepted"), ("bob", "denied"), ("wrong-text", "denied")] {
        let shown = log_in(&sshd, user, Methods::Interactive)?.shown;
        let audit = one_audit(&lab, user, verdict)?;
        let field = |name: &str| audit.get(name).and_then(Value::as_str).unwrap_or_default();
        ensure!(field("service") == "sshd" && field("rhost") == "127.0.0.1", "{audit:#}");
        ensure!(!field("reason").is_empty() && !field("msisdn").is_empty(), "{audit:#}");
        let same = |entry: &Value| entry.get("ap_trans_id") == audit.get("ap_trans_id");
        ensure!(mobile_id.journal()?.iter().any(same), "the service knows no such transaction: {audit:#}");
        // Without the country code, so that no spelling of the number is missed.
        let number = mobile_id.number(user)?;
        let number = number.trim_start_matches("41");
        for text in [lab.syslog().all().join("\n"), shown] {
            ensure!(!text.contains(number), "{user}'s whole number was written:\n{text}");
        }
    }
    for line in lab.syslog().containing("{\"time\":") {
        let priority =
            line.strip_prefix('<').and_then(|rest| rest.split('>').next()).context("a priority")?;
        ensure!(AUTHPRIV.contains(&priority.parse()?), "not authpriv: {line}");
        ensure!(line.contains("pam_mobileid(sshd:auth)"), "not by pam_syslog: {line}");
        ensure!(!line.chars().any(char::is_control), "control characters: {line:?}");
    }
    Ok(())
}
