//! One login, from the arguments in `/etc/pam.d` to the result code.
//!
//! ```text
//!  fail delay ─> facts ─> options ─> load ─> gate ─> run ────────────> report ─> code
//!                            │         │       │      │ notice, wait
//!                            v         v       v      v
//!                         Misconfigured    no phone is asked      (a panic anywhere: Internal)
//! ```
//!
//! Every way ends in an [`Outcome`], and so in exactly one audit line, one notice and one code. The delay
//! after a failure is asked for first and is the same for everybody: the time that a denial takes does not
//! tell whether there is such an account, or a phone for it that was not asked.
//!
//! What goes to the system log, authpriv, by priority:
//!
//! | Priority | Line |
//! |---|---|
//! | alert | the audit line of a login by a one-time code |
//! | error | each mistake of the configuration; groups that nobody can tell; what could not be kept or noted |
//! | notice | the audit line of a denial, and of an exemption |
//! | info | the audit line of an accept; `request sent:` before the wait, for when the process is killed in it |
//! | debug | with the argument `debug`: what the decision was based on |

#![forbid(unsafe_code)]

use std::{ffi::CStr, path::Path, time::Duration};

use mobileid::{
    audit::AuditRecord,
    load::Setup,
    login,
    outcome::{Exemption, Outcome, Reason, Verdict},
    subscriber::Language,
    text,
};
use pam::constants::PamResultCode;

use crate::{
    attempt::Attempt,
    codes,
    facts::Facts,
    host::{Host, Priority},
    options::Options,
    panics,
    person::show,
    system::{Account, System},
};

/// How long libpam waits, give or take a quarter, before it reports a failure of any kind.
const FAIL_DELAY: Duration = Duration::from_secs(2);

/// The most mistakes of a configuration that are logged per login.
const MISTAKES_MAX: usize = 20;

/// Answers `pam_sm_authenticate`.
pub(crate) fn authenticate(
    host: &mut impl Host,
    system: &impl System,
    arguments: &[&CStr],
    silent: bool,
) -> PamResultCode {
    let judged = panics::caught(|| {
        host.fail_delay(FAIL_DELAY);
        let facts = Facts::read(host, system);
        let outcome = decide(host, system, &facts, arguments);
        report(host, system, &facts, outcome, silent)
    });
    judged.unwrap_or_else(|panic| {
        // From the beginning, because nothing half done is to be trusted. A second panic is for the guard of
        // pam-bindings, which answers PAM_ABORT.
        let facts = Facts::read(host, system);
        let outcome = denied(system, &facts, Reason::Internal, &panic, Language::En);
        report(host, system, &facts, outcome, silent)
    })
}

fn decide(host: &mut impl Host, system: &impl System, facts: &Facts, arguments: &[&CStr]) -> Outcome {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(bad) => return misconfigured(host, system, facts, &[bad.to_string()], Language::En),
    };
    #[cfg(feature = "test-panic")]
    #[expect(clippy::panic, reason = "the feature is for a test of just this, and in no release")]
    if options.panic {
        panic!("the argument 'panic' asked for it");
    }
    debug(host, &options, &format!("config={} {facts}", shown_path(&options.config)));
    let setup = match system.load(&options.config) {
        Ok(setup) => setup,
        Err(mistakes) => {
            let mistakes: Vec<_> = mistakes.0.iter().map(ToString::to_string).collect();
            return misconfigured(host, system, facts, &mistakes, Language::En);
        }
    };
    let language = setup.config.language;
    match gate(host, system, facts) {
        Ok(account) => {
            debug(host, &options, &format!("account={}", text::escaped(account.name.as_str(), 256)));
            run(host, system, facts, account, &setup)
        }
        Err((reason, detail)) => denied(system, facts, reason, &detail, language),
    }
}

/// What must hold before anybody's phone is asked. Returns the account under its proper name.
fn gate(host: &impl Host, system: &impl System, facts: &Facts) -> Result<Account, (Reason, String)> {
    let name = facts.user.as_ref().map_err(|why| (Reason::NoSuchUser, why.clone()))?;
    if host.authtok_is_junk() {
        let why = "sshd refuses this user by itself: it replaced the password";
        return Err((Reason::FirstFactorFailed, why.to_owned()));
    }
    // A directory that ignores case finds `Alice` and `alice`. The phone and the rules for one must be those
    // for the other, so from here on the account's own spelling counts.
    match system.account(name) {
        Ok(Some(account)) => Ok(account),
        Ok(None) => Err((Reason::NoSuchUser, String::new())),
        Err(why) => Err((Reason::DirectoryUnavailable, why)),
    }
}

fn run(
    host: &mut impl Host,
    system: &impl System,
    facts: &Facts,
    account: Account,
    setup: &Setup,
) -> Outcome {
    let language = setup.config.language;
    let attempt = match Attempt::new(host, system, facts, setup, account) {
        Ok(attempt) => attempt,
        Err((reason, detail)) => return denied(system, facts, reason, &detail, language),
    };
    let outcome = match attempt.outcome() {
        Ok(outcome) => outcome,
        Err(unusable) => return misconfigured(host, system, facts, &[unusable], language),
    };
    if let (Some(folder), Some(proof)) = (&setup.evidence, &outcome.evidence)
        && let Err(error) = system.keep(folder, proof)
    {
        // The signature was verified; that it could not be filed is no reason to keep the person out.
        let (id, folder) = (&proof.ap_trans_id, shown_path(folder));
        host.syslog(Priority::Error, &format!("the evidence of {id} was not kept in {folder}: {error}"));
    }
    outcome
}

/// Tells the person, the auditor and PAM.
fn report(
    host: &mut impl Host,
    system: &impl System,
    facts: &Facts,
    outcome: Outcome,
    silent: bool,
) -> PamResultCode {
    if matches!(outcome.verdict, Verdict::Denied(_)) {
        // Written down first: an sshd whose client is gone notices it when it passes the notice on, and ends us.
        log(host, &outcome);
        show(host, facts, &outcome.notice);
        return codes::code(&outcome.verdict, &facts.service);
    }
    // With PAM_SILENT, which sudo always sets, success needs no words.
    if !silent && !outcome.notice.is_silent() {
        show(host, facts, &outcome.notice);
    }
    let outcome = unless_user_changed(host, system, facts, outcome);
    log(host, &outcome);
    codes::code(&outcome.verdict, &facts.service)
}

/// Writes the audit line.
fn log(host: &impl Host, outcome: &Outcome) {
    let priority = match outcome.verdict {
        Verdict::Accepted(_) => Priority::Info,
        Verdict::Exempt(Exemption::BreakGlass) => Priority::Alert,
        Verdict::Exempt(_) | Verdict::Denied(_) => Priority::Notice,
    };
    host.syslog(priority, &outcome.audit.line());
}

/// Turns a success into a denial if PAM_USER is not who it was. An application may change it in any
/// conversation, so this comes after the last one: somebody else's phone has not confirmed this login.
fn unless_user_changed(
    host: &mut impl Host,
    system: &impl System,
    facts: &Facts,
    outcome: Outcome,
) -> Outcome {
    if matches!(outcome.verdict, Verdict::Denied(_)) || host.user() == facts.pam_user {
        return outcome;
    }
    let detail = "the application changed PAM_USER during the login";
    let refused = denied(system, facts, Reason::Internal, detail, Language::En);
    show(host, facts, &refused.notice);
    // What was found out about the transaction stays in the record.
    let audit = AuditRecord {
        verdict: refused.audit.verdict,
        reason: refused.audit.reason,
        detail: refused.audit.detail,
        ..outcome.audit
    };
    Outcome { audit, ..refused }
}

fn misconfigured(
    host: &impl Host,
    system: &impl System,
    facts: &Facts,
    mistakes: &[String],
    language: Language,
) -> Outcome {
    for mistake in mistakes.iter().take(MISTAKES_MAX) {
        host.syslog(Priority::Error, &text::escaped(mistake, 1000));
    }
    let more = mistakes.len().saturating_sub(MISTAKES_MAX);
    if more > 0 {
        host.syslog(Priority::Error, &format!("and {more} more mistakes"));
    }
    let first = mistakes.first().map(String::as_str).unwrap_or_default();
    denied(system, facts, Reason::Misconfigured, first, language)
}

fn denied(system: &impl System, facts: &Facts, reason: Reason, detail: &str, language: Language) -> Outcome {
    login::refuse(facts.request(), reason, detail, language, system.now())
}

/// A line that the argument `debug` asks for.
fn debug(host: &impl Host, options: &Options, line: &str) {
    if options.debug {
        host.syslog(Priority::Debug, line);
    }
}

fn shown_path(path: &Path) -> String {
    text::escaped(&path.display().to_string(), 400)
}

#[cfg(test)]
mod tests;
