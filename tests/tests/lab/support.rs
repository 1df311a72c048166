//! What several stories need: the results PAM gives, and the ways to check a screen and a phone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Ended, Lab, Methods, PASSWORD, Prompt, Simulator, Sshd, Terminal};
use serde_json::Value;

/// PAM's results, by their numbers in Linux-PAM's `_pam_types.h`.
pub(crate) mod pam {
    pub(crate) const SUCCESS: i64 = 0;
    pub(crate) const SERVICE_ERR: i64 = 3;
    pub(crate) const AUTHINFO_UNAVAIL: i64 = 9;
    pub(crate) const USER_UNKNOWN: i64 = 10;
    pub(crate) const MAXTRIES: i64 = 11;
    pub(crate) const ABORT: i64 = 26;
}

/// Time limits for stories in which nobody answers. Whole seconds, as the service counts.
pub(crate) const SHORT: &str =
    "[timeouts]\nsim = 4\nsim_connection = 6\napp = 4\napp_connection = 6\nconnect = 2\n";

/// Within which a login must end when nobody waits for it any more: a quarter of a second, PAM's delay of up
/// to two and a half after a failure, and what two busy cores may add.
pub(crate) const SOON: Duration = Duration::from_secs(8);

/// Checks that a user's phone was asked exactly once, and returns what it showed.
pub(crate) fn one_push(mobile_id: &Simulator<'_>, user: &str) -> Result<String> {
    let pushes = mobile_id.pushes(user)?;
    ensure!(pushes.len() == 1, "{user} was to be asked once: {pushes:#?}");
    pushes.into_iter().next().context("one")
}

/// Checks that no phone at all was asked.
pub(crate) fn no_push(mobile_id: &Simulator<'_>) -> Result<()> {
    let journal = mobile_id.journal()?;
    ensure!(journal.is_empty(), "nobody was to be asked: {journal:#?}");
    Ok(())
}

/// Checks that the terminal and the phone showed the same transaction code.
pub(crate) fn same_code(shown: &str, phone: &str) -> Result<()> {
    let code = phone.rsplit(' ').next().context("the text on the phone ends with the code")?;
    ensure!(code.len() >= 4, "no code in {phone:?}");
    ensure!(shown.contains(code), "the terminal does not show the phone's code {code}:\n{shown}");
    Ok(())
}

/// Checks that the session was not let in, and that the module told the user why.
pub(crate) fn kept_out(ended: &Ended) -> Result<()> {
    ensure!(!ended.status.success() && !ended.shown.contains("granted"), "let in:\n{}", ended.shown);
    Ok(())
}

/// Checks that the program succeeded.
pub(crate) fn let_in(ended: &Ended) -> Result<()> {
    ensure!(ended.status.success(), "{}: kept out:\n{}", ended.status, ended.shown);
    Ok(())
}

/// Checks a user's only audit line, and returns it.
pub(crate) fn one_audit(lab: &Lab, user: &str, verdict: &str) -> Result<Value> {
    lab.syslog().wait_for(&format!("\"user\":\"{user}\""))?;
    lab.settle_syslog()?;
    let audits = lab.audits(user)?;
    let [audit] = audits.as_slice() else {
        anyhow::bail!("one audit line was to be written for {user}: {audits:#?}");
    };
    ensure!(audit.get("verdict").and_then(|v| v.as_str()) == Some(verdict), "not {verdict}: {audit:#}");
    Ok(audit.clone())
}

/// Logs in over SSH to the end, as somebody who knows the password and presses Enter at the code.
pub(crate) fn log_in(sshd: &Sshd<'_>, user: &str, methods: Methods) -> Result<Ended> {
    to_the_end(sshd.login(user, methods)?)
}

/// Types the password and Enter where they are asked for, until the program ends.
pub(crate) fn to_the_end(mut session: Terminal) -> Result<Ended> {
    let mut person = [
        Prompt::new("assword", &[PASSWORD]),
        Prompt::new("press Enter", &[""]),
        Prompt::new("drücken Sie Enter", &[""]),
    ];
    session.answer(&mut person, || Ok(false))?;
    session.finish()
}

/// Runs `sudo` as a user on a terminal, and ends with `granted to WHOM`.
pub(crate) fn sudo(lab: &Lab, user: &str) -> Result<Ended> {
    let mut command = lab.command_as(user, "sudo")?;
    command.args(["-k", "sh", "-c", "echo granted to $(id -un)"]);
    to_the_end(lab.terminal(&command)?)
}

/// What the audit lines of a user say, in order: `VERDICT REASON`.
pub(crate) fn verdicts(lab: &Lab, user: &str) -> Result<Vec<String>> {
    lab.settle_syslog()?;
    let field =
        |audit: &Value, name: &str| audit.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said = |audit: &Value| format!("{} {}", field(audit, "verdict"), field(audit, "reason"));
    Ok(lab.audits(user)?.iter().map(said).collect())
}

/// Checks what the audit lines of a user say: each login is waited for to its end before.
pub(crate) fn audited(lab: &Lab, user: &str, expected: &[&str]) -> Result<()> {
    let said = verdicts(lab, user)?;
    ensure!(said == expected, "not {expected:?}, but {said:?}:\n{}", lab.syslog().all().join("\n"));
    Ok(())
}
