//! `mobileidctl enrol USER`: from a name and a number to somebody who can log in, and whose phone is known.
//!
//! ```text
//!   look-up ───────────> the number; for somebody in no directory, the one of --msisdn
//!   --identified ──────> is there evidence that it is hers?              (Smart Registration Service)
//!   profile query ─────> can she sign? what is missing?                  no phone rings
//!   one signature ─────> the machine of every login, with a text of its own
//!   serial number ─────> kept: from now on each login must have it
//!   the table ─────────> her entry, where she had none
//!   the system log
//! ```
//!
//! The serial number comes before the entry. Whoever is cut off between the two is not enrolled, and can be enrolled
//! again; the other way round a login could come first, and any phone with that number would be the right one.

mod person;
mod phone;
mod readiness;
mod refusal;
mod report;
mod table;

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Args;
use mobileid::{
    config::{KindFile, SerialPolicy},
    directory::{Kind, USERS},
    driver::{
        blocking::World as _,
        directories::{self, GivenUp},
        pins::Pins,
    },
    load::{Setup, Written},
    login::{self, Pinned},
    memory::pin::By,
    subscriber::{self, Language, Msisdn, SerialNumber, Subscriber, UserName},
    text,
};
use nix::{errno::Errno, unistd::User};

use self::{
    refusal::Refusal,
    report::{Facts, Kept},
    table::{NewEntry, NotEntered, Table},
};
use crate::{
    Common, Exit,
    audit::{self, Event},
    folders::State,
    identify::{self, verify::Named},
    out, patience,
    progress::{Bound, Progress, USER_DATABASE},
    terminal::Terminal,
};

/// Enrols a user: the phone signs once, and its serial number is kept
#[derive(Debug, Args)]
#[command(after_help = "\
Somebody who is in no directory is entered in the table of users.table, with the
number of --msisdn. Names are for --identified, as in the passport.

Exit codes: 0 enrolled, 1 not enrolled, 2 could not try.")]
pub(crate) struct Arguments {
    /// The account, as the directories know it or shall know it
    user: UserName,
    /// For somebody who is in no directory: +41791234567
    #[arg(long, value_name = "NUMBER")]
    msisdn: Option<Msisdn>,
    /// For somebody who is in none: en, de, fr or it
    #[arg(long, value_name = "LANG", requires = "msisdn")]
    language: Option<Language>,
    /// Only with evidence whose number it is: see identify
    #[arg(long)]
    identified: bool,
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let name = arguments.named.given()?;
    if arguments.identified != name.is_some() {
        bail!(if arguments.identified { identify::verify::WHOSE } else { "a name is for --identified" });
    }
    let mut enrolment = Enrolment::begin(arguments)?;
    let refusal = match enrolment.walk() {
        Ok(()) => None,
        Err(Stop::Refused(refusal)) => Some(refusal),
        Err(Stop::Failed(error)) => return Err(error),
    };
    if let Some(refusal) = &refusal {
        enrolment.record_refusal(refusal);
    }
    let (facts, user) = (&enrolment.facts, &arguments.user);
    if arguments.common.json {
        out::json(&facts.line(user, refusal.as_ref()))?;
    } else {
        out::data(&facts.in_words(user, refusal.as_ref()))?;
    }
    Ok(Exit::of(refusal.is_none()))
}

/// Why an enrolment goes no further.
enum Stop {
    /// The answer is no.
    Refused(Refusal),
    /// There is no answer.
    Failed(anyhow::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Where somebody stands or will stand, and whose phone is asked.
#[derive(Debug, Clone)]
struct Entry {
    at: subscriber::Entry,
    msisdn: Msisdn,
    /// Nobody had it before: it is there once it is written.
    is_new: bool,
}

/// An enrolment that is under way.
struct Enrolment<'a> {
    arguments: &'a Arguments,
    written: Written,
    setup: Setup,
    /// `users.table`.
    table: Option<PathBuf>,
    pins: Pins,
    terminal: Terminal,
    facts: Facts,
}

impl<'a> Enrolment<'a> {
    fn begin(arguments: &'a Arguments) -> anyhow::Result<Self> {
        let config = &arguments.common.config;
        let written = Written::read(config)?;
        let setup = written.setup()?;
        let table = written.file.directories.iter().find_map(|directory| match &directory.kind {
            KindFile::File(at) if directory.name.value == USERS => Some(written.folder.join(&at.value)),
            _ => None,
        });
        let pins = arguments.state.pins()?;
        let terminal = Terminal::new(pins.clone(), Progress::unless(arguments.common.json))?;
        Ok(Self { arguments, setup, written, table, pins, terminal, facts: Facts::default() })
    }

    fn walk(&mut self) -> Result<(), Stop> {
        let person = self.find()?;
        let subscriber = &person.subscriber;
        self.facts.entry = Some(Entry {
            at: subscriber.entry.clone(),
            msisdn: subscriber.msisdn.clone(),
            is_new: person.new.is_some(),
        });
        self.warn_of_others(&subscriber.msisdn);
        self.warn_of_no_account();
        self.prove(&subscriber.msisdn)?;
        self.ask_profile(subscriber)?;
        let serial = self.sign(subscriber)?;
        self.keep(subscriber, &serial)?;
        if let Some((table, entry)) = &person.new {
            self.enter(table, entry)?;
        }
        self.record();
        Ok(())
    }

    /// Two names may be one person's. But where they are not, one of them confirms the other's logins.
    fn warn_of_others(&self, msisdn: &Msisdn) {
        let tables = self.setup.directories.iter().filter_map(|directory| match &directory.kind {
            Kind::File(table) => Some((&directory.name, table)),
            Kind::Ldap(_) | Kind::Command(_) => None,
        });
        for (name, table) in tables {
            for other in table.with_number(msisdn).filter(|other| **other != self.arguments.user) {
                let other = text::escaped(&other.to_string(), 256);
                self.terminal.step(&format!(
                    "warning: {name} has the number {msisdn} for {other} too: whoever has that phone confirms logins of both"
                ));
            }
        }
    }

    /// A slip in the name shows itself at the first login otherwise.
    fn warn_of_no_account(&mut self) {
        let user = &self.arguments.user;
        self.terminal.wait("the account", USER_DATABASE);
        let account = User::from_name(user.as_str());
        self.terminal.waited();
        if matches!(account, Ok(None) | Err(Errno::ENOENT | Errno::ESRCH)) {
            let user = text::escaped(user.as_str(), 256);
            self.terminal.step(&format!("note: {user} is no account of this host: for RADIUS only?"));
        }
    }

    /// With `--identified`: somebody must vouch for the number.
    fn prove(&mut self, msisdn: &Msisdn) -> Result<(), Stop> {
        let Some(name) = self.arguments.named.given()? else { return Ok(()) };
        match identify::proven(&self.written, self.arguments.common.json, msisdn, name)? {
            None => Err(Refusal::GivenUp.into()),
            Some(Err(unproven)) => Err(Refusal::Unproven(unproven).into()),
            Some(Ok(evidence)) => {
                self.terminal.step(&format!("identified: evidence {evidence}"));
                self.facts.evidence = Some(evidence);
                Ok(())
            }
        }
    }

    /// Keeps the serial number, unless one is known: then it was the same, or the machine would have said no.
    fn keep(&mut self, subscriber: &Subscriber, serial: &SerialNumber) -> Result<(), Stop> {
        self.facts.kept = Some(match (self.setup.config.serial, &subscriber.serial) {
            (SerialPolicy::Ignore, _) => Kept::Ignored,
            (_, Some(_)) => Kept::Before,
            (_, None) => self.pin(subscriber, serial)?,
        });
        Ok(())
    }

    fn pin(&mut self, subscriber: &Subscriber, serial: &SerialNumber) -> Result<Kept, Stop> {
        self.terminal.wait("the serial number to be kept", Bound::AtMost(patience::PATIENCE));
        let kept = self.pin_now(subscriber, serial);
        self.terminal.waited();
        kept
    }

    fn pin_now(&self, subscriber: &Subscriber, serial: &SerialNumber) -> Result<Kept, Stop> {
        let (user, entry) = (self.arguments.user.clone(), subscriber.entry.clone());
        let pin = login::Pin { user, entry, serial: serial.clone() };
        let (directories, tick) = (&self.setup.directories, self.terminal.tick());
        let pinned = directories::pin(directories, &self.pins, &pin, By::Enrolment, &tick, patience::until());
        match pinned.map_err(|GivenUp| Refusal::GivenUp)? {
            Pinned::Kept => Ok(Kept::Now),
            Pinned::Same => Ok(Kept::Before),
            Pinned::Other(kept) => {
                Err(Refusal::OtherSerial { kept, found: pin.serial, user: pin.user }.into())
            }
            Pinned::Unavailable(why) => {
                Err(anyhow!("the serial number was not kept: {}", text::escaped(&why, 600)).into())
            }
        }
    }

    fn enter(&mut self, table: &Table, entry: &NewEntry) -> Result<(), Stop> {
        self.terminal.wait("the table", Bound::AtMost(table::PATIENCE));
        let entered = table.enter(entry);
        self.terminal.waited();
        match entered {
            Ok(_) => {}
            Err(NotEntered::Unusable(why)) => {
                let kept = self.left_behind();
                return Err(anyhow!("{why}; nobody was entered{kept}: mend that, then enrol again").into());
            }
            Err(other) => {
                self.take_back(entry.user.as_str());
                return Err(not_entered(table, other));
            }
        }
        let shown = table.path().display().to_string();
        self.terminal.step(&format!("entered in {shown}"));
        self.facts.table = Some(shown);
        Ok(())
    }

    /// A serial number that is kept of somebody who is not enrolled: said, and in the log, where each change is.
    fn left_behind(&self) -> String {
        let (Some(Kept::Now), Some(entry), Some(serial)) =
            (self.facts.kept, &self.facts.entry, &self.facts.serial)
        else {
            return String::new();
        };
        let (user, entry) = (self.arguments.user.as_str(), text::foreign(&entry.at.id, 600));
        let place = self.arguments.state.folder().display().to_string();
        let (place, new) = (place.as_str(), serial.as_str());
        audit::record(Event::SerialPinned { user, entry: &entry, place, old: None, new });
        format!(", and the serial number {serial} is kept of {entry}")
    }

    /// Somebody else has been entered under the name while the phone rang: the serial number is not hers.
    fn take_back(&mut self, entry: &str) {
        if self.facts.kept == Some(Kept::Now) && self.pins.forget(entry).is_ok() {
            self.facts.kept = None;
        }
    }

    /// For the auditor, whom a no interests as much: somebody may be trying numbers.
    fn record_refusal(&self, refusal: &Refusal) {
        let msisdn = self.facts.entry.as_ref().map(|entry| entry.msisdn.to_string());
        audit::record(Event::EnrolmentRefused {
            user: self.arguments.user.as_str(),
            reason: refusal.name(),
            detail: &refusal.to_string(),
            msisdn: msisdn.as_deref(),
            ap_trans_id: self.facts.ap_trans_id.as_deref(),
        });
    }

    /// For the auditor.
    fn record(&self) {
        let (Some(entry), Some(serial)) = (&self.facts.entry, &self.facts.serial) else { return };
        audit::record(Event::Enrolled {
            user: self.arguments.user.as_str(),
            directory: &entry.at.directory,
            entry: &text::foreign(&entry.at.id, 600),
            msisdn: &entry.msisdn.to_string(),
            serial: serial.as_str(),
            ap_trans_id: self.facts.ap_trans_id.as_deref(),
            evidence_id: self.facts.evidence.as_ref().map(|id| id.as_str()),
            table: self.facts.table.as_deref(),
        });
    }
}

fn not_entered(table: &Table, why: NotEntered) -> Stop {
    match why {
        NotEntered::Unusable(why) => anyhow!("{why}").into(),
        NotEntered::OtherNumber(number) => {
            let directory = text::escaped(&table.path().display().to_string(), 400);
            Refusal::OtherNumber { directory, number }.into()
        }
    }
}
