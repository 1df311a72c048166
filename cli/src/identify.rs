//! `mobileidctl identify`: has somebody find out who is behind a number (Smart Registration Service).
//!
//! ```text
//!   methods   which ways there are, and which of them reach the level that is needed
//!   start     orders one for a person: a Ref ID to ask by, a URL for her to go to
//!   status    how far it is; with --wait until it has ended
//!   verify    whether the evidence is enough: this is what counts
//! ```

mod methods;
mod person;
mod start;
mod status;
pub(crate) mod verify;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use mobileid::{
    driver::{
        Tick, TickVerdict,
        srs::{Desk, NoAnswer},
    },
    load::{Registration, Written},
    srs::{
        self, DistinguishedName, EvidenceId,
        evidence::{Finding, Question, Refusal, require},
    },
    subscriber::Msisdn,
};

use crate::{
    Common, Exit, out,
    progress::{Bound, Progress, Waiting},
    signals,
};

/// Has a person identified, and asks for the evidence
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Methods(methods::Arguments),
    Start(start::Arguments),
    Status(status::Arguments),
    Verify(verify::Arguments),
}

pub(crate) fn run(verb: &Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::Methods(arguments) => methods::run(arguments),
        Verb::Start(arguments) => start::run(arguments),
        Verb::Status(arguments) => status::run(arguments),
        Verb::Verify(arguments) => verify::run(arguments),
    }
}

/// How many exchanges there are where no token is needed, and else at most: a token, the question, and both again where
/// the token was old.
const ONE: u32 = 1;
const WITH_TOKEN: u32 = 4;

/// The service, and Ctrl-C.
struct Session {
    registration: Registration,
    desk: Desk,
    given_up: Arc<AtomicBool>,
    progress: Progress,
}

impl Session {
    fn open(common: &Common) -> anyhow::Result<Self> {
        Self::of(&Written::read(&common.config)?, common.json)
    }

    fn of(written: &Written, json: bool) -> anyhow::Result<Self> {
        let shown = &written.shown;
        let Some(registration) = written.registration()? else {
            bail!(
                "{shown}: there is no section [srs]: the Smart Registration Service takes a contract of its own"
            );
        };
        let desk = Desk::new(&registration).with_context(|| shown.clone())?;
        let progress = Progress::unless(json);
        Ok(Self { registration, desk, given_up: signals::give_up()?, progress })
    }

    /// The answer of the one host or the other, within so many exchanges.
    fn wait(&self, exchanges: u32) -> Waiting {
        let bound = Bound::AtMost(srs::LIMIT.saturating_mul(exchanges));
        self.progress.wait("the Smart Registration Service", bound)
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    fn tick(&self) -> Tick {
        let given_up = Arc::clone(&self.given_up);
        Arc::new(move || match given_up.load(Ordering::Relaxed) {
            true => TickVerdict::Cancel,
            false => TickVerdict::Continue,
        })
    }
}

/// Whether there is evidence that a number is a person's, good for what the configuration needs: the door that an
/// identity-proofed enrolment goes through. None where the person at the terminal gave up, which is then said.
///
/// # Errors
/// It could not be tried: that is neither a yes nor a no.
pub(crate) fn proven(
    written: &Written,
    json: bool,
    msisdn: &Msisdn,
    name: DistinguishedName,
) -> anyhow::Result<Option<Result<EvidenceId, Unproven>>> {
    let mut session = Session::of(written, json)?;
    let question = Question { msisdn: msisdn.clone(), name, needed: session.registration.needed.clone() };
    let (tick, waiting) = (session.tick(), session.wait(ONE));
    let found = session.desk.verify(&question, &tick);
    drop(waiting);
    let Some(finding) = answered(found)? else { return Ok(None) };
    Ok(Some(match finding {
        Finding::Valid(evidence) => require(Some(&evidence), msisdn, &question.needed)
            .map(|()| evidence.id().clone())
            .map_err(|refusal| Unproven { refusal, detail: String::new() }),
        Finding::Without(refusal, detail) => Err(Unproven { refusal, detail }),
    }))
}

/// Why a number is not entered: nobody vouches for it.
#[derive(Debug)]
pub(crate) struct Unproven {
    pub(crate) refusal: Refusal,
    /// The service's own words, escaped and without numbers.
    pub(crate) detail: String,
}

/// The answer; None where the person at the terminal gave up, which is then said.
///
/// # Errors
/// Everything else that is no answer: it could not be tried.
fn answered<T>(answer: Result<T, NoAnswer>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(NoAnswer::Cancelled) => {
            out::say("given up");
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

/// Lines of a name and a value.
fn table(title: &str, rows: &[(&str, Option<String>)]) -> String {
    let rows = rows.iter().filter_map(|(name, value)| Some(format!("\n  {name:<12}{}", value.as_ref()?)));
    title.to_owned() + &rows.collect::<String>()
}
