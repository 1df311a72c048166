//! `mobileidctl login USER`: one login as the PAM module does it, told step by step.
//!
//! The audit line is printed and not sent to the system log: there it would pass for a login to this host.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Args;
use mobileid::{
    directory::Lookup,
    driver::{
        Tick, TickVerdict,
        blocking::{self, World},
        evidence,
        pins::Pins,
    },
    load,
    login::{Login, Request, Withheld},
    notice::Notice,
    outcome::{Exemption, Outcome, Verdict},
    subscriber::UserName,
    text,
};

use crate::{Common, Exit, folders::State, out, signals};

/// Logs a user in on the phone, and tells each step
#[derive(Debug, Args)]
#[command(after_help = "\
Asks the user's phone as the PAM module does, and keeps the evidence where the
configuration says so. --json prints the audit record; nothing goes to the system log.
Ctrl-C gives the login up.

Exit codes: 0 accepted, 1 denied, 2 unusable arguments or configuration.")]
pub(crate) struct Arguments {
    /// The account, as the directories know it
    user: UserName,
    /// The service to name on the phone
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
    let mut terminal = Terminal::new(Pins::at(arguments.state.folder()))?;
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
        out::data(&in_words(&outcome))?;
    }
    Ok(exit)
}

fn in_words(outcome: &Outcome) -> String {
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
    line("took", &seconds(Duration::from_millis(audit.ms)));
    line("user reads", &outcome.notice.to_string());
    lines.join("\n")
}

/// The person at the terminal, as the host of a login.
struct Terminal {
    started: Instant,
    pins: Pins,
    given_up: Arc<AtomicBool>,
    /// Whether the wait is being counted on the screen.
    counting: Arc<AtomicBool>,
}

impl Terminal {
    fn new(pins: Pins) -> anyhow::Result<Self> {
        let given_up = signals::give_up()?;
        Ok(Self { started: Instant::now(), pins, given_up, counting: Arc::default() })
    }

    fn step(&self, what: &str) {
        out::say(&format!("{:>8}  {what}", seconds(self.started.elapsed())));
    }

    /// Ends the counting.
    fn waited(&self) {
        if self.counting.swap(false, Ordering::Relaxed) {
            out::overwrite("");
        }
    }
}

impl World for Terminal {
    fn looked_up(&mut self, found: &Lookup) {
        match found {
            Lookup::Found(subscriber) => {
                let serial = subscriber.serial.as_ref();
                let serial = serial.map_or_else(String::new, |serial| format!(", pinned to {serial}"));
                self.step(&format!("looked up: {}{serial}", subscriber.msisdn));
            }
            Lookup::NotEnrolled => self.step("looked up: in no directory"),
            Lookup::Barred(detail) | Lookup::Unavailable(detail) => {
                self.step(&format!("looked up: {}", text::escaped(detail, 300)));
            }
        }
    }

    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        self.step(&format!("the user reads: {notice}"));
        Ok(())
    }

    fn sending(&mut self, login: &Login) -> Result<(), Withheld> {
        self.step(&format!("AP_TransID: {}", login.ap_trans_id()));
        if let Some(text) = login.text() {
            self.step(&format!("text on the phone: {}", text::escaped(text, 300)));
        }
        let limit = login.deadline().saturating_duration_since(Instant::now());
        if out::is_watched() {
            self.counting.store(true, Ordering::Relaxed);
        } else {
            self.step(&format!("waiting for the phone, {:.0} s at most", limit.as_secs_f64()));
        }
        Ok(())
    }

    fn pins(&self) -> Pins {
        self.pins.clone()
    }

    fn tick(&self) -> Tick {
        let (given_up, counting) = (Arc::clone(&self.given_up), Arc::clone(&self.counting));
        let since = Instant::now();
        let told = AtomicU64::new(u64::MAX);
        Arc::new(move || {
            let passed = since.elapsed().as_secs();
            if counting.load(Ordering::Relaxed) && told.swap(passed, Ordering::Relaxed) != passed {
                out::overwrite(&format!("          waiting for the phone: {passed} s (Ctrl-C gives up)"));
            }
            if given_up.load(Ordering::Relaxed) { TickVerdict::Cancel } else { TickVerdict::Continue }
        })
    }
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
