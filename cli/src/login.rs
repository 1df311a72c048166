//! `mobileidctl login USER`: one login as the PAM module does it, told step by step.
//!
//! The audit line is printed and not sent to the system log: there it would pass for a login to this host.

use std::{
    iter::{once, repeat},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use mobileid::{
    config::SerialPolicy,
    driver::{blocking, evidence, pins::Pins},
    load,
    login::Request,
    outcome::{Exemption, Outcome, Reason, Verdict},
    policy,
    subscriber::UserName,
    verify::Refusal,
};

use crate::{
    Common, Exit,
    advice::Us,
    folders::State,
    out, patience,
    progress::Progress,
    terminal::{Terminal, host_name, seconds},
};

/// Logs a user in on the phone, and tells each step
#[derive(Debug, Args)]
#[command(after_help = "\
Asks the user's phone as the PAM module does, and keeps the evidence where the
configuration says so. --json prints the audit record; nothing goes to the
system log. Ctrl-C gives the login up.

Exit codes: 0 accepted, 1 denied, 2 unusable arguments or configuration.")]
pub(crate) struct Arguments {
    /// The account, as the directories know it
    user: UserName,
    /// What the phone calls it
    #[arg(long, default_value = "mobileidctl")]
    service: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let setup = load::load(&arguments.common.config)?;
    let request = Request {
        user: arguments.user.clone(),
        service: arguments.service.clone(),
        host: host_name(),
        rhost: None,
        client: None,
        target: None,
        command: None,
        limit: None,
    };
    let pins = match setup.config.serial {
        SerialPolicy::Ignore => Pins::at(arguments.state.folder()),
        _ => arguments.state.pins()?,
    };
    let mut terminal = Terminal::new(pins, Progress::unless(arguments.common.json))?;
    let bound = patience::of_directories(&setup.directories, policy::longest(&setup.config));
    terminal.wait("the directories", bound);
    let outcome = blocking::run(request, &setup, &mut terminal);
    terminal.waited();
    let outcome = outcome.with_context(|| arguments.common.config.display().to_string())?;
    terminal.step(&format!("{}: {}", outcome.audit.verdict, outcome.audit.reason));
    if let (Some(folder), Some(proof)) = (&setup.evidence, &outcome.evidence) {
        match evidence::keep(folder, proof) {
            Ok(()) => terminal.step(&format!("evidence: {}/{}.p7s", folder.display(), proof.ap_trans_id)),
            Err(error) => out::say(&format!("warning: evidence not kept in {}: {error}", folder.display())),
        }
    }
    let exit = Exit::of(!matches!(outcome.verdict, Verdict::Denied(_)));
    if arguments.common.json {
        out::data(&out::json_line(&outcome.audit.line()))?;
    } else {
        out::data(&in_words(&outcome, &Us::of(&setup)))?;
    }
    Ok(exit)
}

fn in_words(outcome: &Outcome, us: &Us<'_>) -> String {
    let audit = &outcome.audit;
    let mut lines = vec![match &outcome.verdict {
        Verdict::Accepted(signer) => format!("accepted: {}", signer.signer().subject),
        Verdict::Exempt(Exemption::Unenrolled) => {
            "let in without a phone: in no directory, and users.unenrolled is \"allow\"".to_owned()
        }
        Verdict::Exempt(other) => format!("let in without a phone: {}", other.name()),
        Verdict::Denied(reason) => format!("denied: {reason}"),
    }];
    let mut line = |name: &str, value: &str| lines.push(format!("  {name:<14}{value}"));
    let facts = [
        ("serial", &audit.serial),
        ("detail", &audit.detail),
        ("profile", &audit.profile),
        ("AP_TransID", &audit.ap_trans_id),
        ("MSSP_TransID", &audit.mssp_trans_id),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            line(name, value);
        }
    }
    if audit.first_use {
        line("first use", "its serial number is kept from now on");
    }
    if let Some(advice) = advice(&outcome.verdict) {
        line("advice", advice);
    }
    let of_us = us.after_login(&outcome.verdict);
    of_us.iter().zip(once("advice").chain(repeat(""))).for_each(|(what, name)| line(name, what));
    line("took", &seconds(Duration::from_millis(audit.ms)));
    line("user reads", &outcome.notice.to_string());
    lines.join("\n")
}

/// What an administrator does about a serial number.
fn advice(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Denied(Reason::Refused(Refusal::SerialMismatch)) => Some(
            "find out who has the phone by something else than the phone; then mobileidctl serial forget, and enrol",
        ),
        Verdict::Denied(Reason::SerialUnknown) => {
            Some("mobileidctl enrol has the phone sign once, and keeps it")
        }
        _ => None,
    }
}
