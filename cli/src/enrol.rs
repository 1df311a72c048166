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

mod readiness;
mod refusal;
mod report;
mod table;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use mobileid::{
    config::{Config, FileConfig, KindFile, SerialPolicy, Templates, Unenrolled},
    directory::{Directories, Directory, Kind, Lookup, USERS, WhenUnavailable, file::UserTable},
    driver::{
        Tick,
        blocking::{self, World},
        directories::{self, GivenUp},
        evidence,
        https::Https,
        pins::Pins,
    },
    load::{self, ConfigFile, Setup},
    login::{self, Answer, Login, Pinned, Request, Withheld},
    memory::pin::By,
    mss::{
        ApTransId, HttpResponse,
        profile::{self, ProfileReply, ProfileRequest},
    },
    notice::Notice,
    outcome::{Outcome, Reason, Verdict},
    policy,
    subscriber::{self, Language, Msisdn, SerialNumber, Subscriber, UserName},
    text,
};

use self::{
    readiness::{Readiness, judge},
    refusal::Refusal,
    report::{Facts, Kept, account_in_words},
    table::{NewEntry, NotEntered, Table},
};
use crate::{
    Common, Exit,
    audit::{self, Event},
    folders::State,
    identify::{self, verify::Named},
    out,
    terminal::{Terminal, host_name},
};

/// Enrols a user: asks what the phone can do, has it sign once, and keeps its serial number
#[derive(Debug, Args)]
#[command(after_help = "\
Somebody who is in no directory is entered in the table of users.table, with the
number of --msisdn. Names are for --identified, as in the passport. Ctrl-C gives up.

Exit codes: 0 enrolled, 1 not enrolled, 2 could not try.")]
pub(crate) struct Arguments {
    /// The account, as the directories know it or shall know it
    user: UserName,
    /// The number, internationally, for somebody who is in no directory
    #[arg(long, value_name = "NUMBER")]
    msisdn: Option<Msisdn>,
    /// Her language: en, de, fr or it
    #[arg(long, requires = "msisdn")]
    language: Option<Language>,
    /// Only with evidence that the number is this person's (see identify)
    #[arg(long)]
    identified: bool,
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

/// How long all directories together may take, and keeping the serial number in one.
const PATIENCE: Duration = Duration::from_secs(60);

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
}

/// An enrolment that is under way.
struct Enrolment<'a> {
    arguments: &'a Arguments,
    setup: Setup,
    texts: Templates,
    /// `users.table`.
    table: Option<PathBuf>,
    pins: Pins,
    terminal: Terminal,
    facts: Facts,
}

/// Somebody who was found, or is to be entered.
struct Person {
    subscriber: Subscriber,
    /// The entry that is still to be written.
    new: Option<(Table, NewEntry)>,
}

impl<'a> Enrolment<'a> {
    fn begin(arguments: &'a Arguments) -> anyhow::Result<Self> {
        let config = &arguments.common.config;
        let setup = load::load(config)?;
        let read = ConfigFile::read(config)?;
        let file = FileConfig::parse(&read.shown, read.text.expose())?;
        let table = file.directories.iter().find_map(|directory| match &directory.kind {
            KindFile::File(at) if directory.name.value == USERS => Some(read.folder.join(&at.value)),
            _ => None,
        });
        let pins = arguments.state.pins()?;
        let terminal = Terminal::new(pins.clone())?;
        Ok(Self { arguments, setup, texts: file.enrol, table, pins, terminal, facts: Facts::default() })
    }

    fn walk(&mut self) -> Result<(), Stop> {
        let person = self.find()?;
        let subscriber = &person.subscriber;
        self.facts.entry = Some(Entry { at: subscriber.entry.clone(), msisdn: subscriber.msisdn.clone() });
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

    /// Who it is about, with the serial number that is known.
    fn find(&mut self) -> Result<Person, Stop> {
        let user = &self.arguments.user;
        let found = {
            let terminal = &mut self.terminal;
            let tick = terminal.tick();
            directories::lookup_told(&self.setup.directories, user, &tick, soon(), |directory, answer| {
                let line = directories::passed_over(directory, answer, user);
                line.iter().for_each(|line| terminal.step(line));
            })
        };
        let found = found.map_err(|GivenUp| Refusal::GivenUp)?;
        let (found, new) = match (found, &self.arguments.msisdn) {
            (Lookup::NotEnrolled, Some(msisdn)) => {
                let (subscriber, new) = self.to_enter(msisdn)?;
                (Lookup::Found(subscriber), Some(new))
            }
            (found, _) => (found, None),
        };
        let found = self.pins.complete(found, &self.setup.directories, self.setup.config.serial);
        let found = found.map_err(|withheld| anyhow!("{}", text::escaped(&withheld.detail, 600)))?;
        self.terminal.looked_up(&found);
        let subscriber = match found {
            Lookup::Found(subscriber) => subscriber,
            Lookup::NotEnrolled => {
                return Err(Refusal::NotEnrolled { has_table: self.table.is_some() }.into());
            }
            Lookup::Barred(why) => return Err(Refusal::AccountDisabled(text::foreign(&why, 300)).into()),
            Lookup::Unavailable(why) => return Err(anyhow!("{}", text::foreign(&why, 600)).into()),
        };
        match &self.arguments.msisdn {
            Some(given) if *given != subscriber.msisdn => {
                let (directory, number) = (subscriber.entry.directory, subscriber.msisdn);
                Err(Refusal::OtherNumber { directory, number }.into())
            }
            _ => Ok(Person { subscriber, new }),
        }
    }

    /// Somebody new. Whether she can be entered is seen now, and not when her phone has rung.
    fn to_enter(&self, msisdn: &Msisdn) -> Result<(Subscriber, (Table, NewEntry)), Stop> {
        let user = &self.arguments.user;
        let language = self.arguments.language;
        let Some(path) = &self.table else {
            let config = self.arguments.common.config.display();
            return Err(anyhow!(
                "{config}: there is no users.table to enter anybody in: enter the person in a directory"
            )
            .into());
        };
        let table = Table::at(path).map_err(anyhow::Error::msg)?;
        let new = NewEntry { user: user.clone(), msisdn: msisdn.clone(), language };
        table.check(&new).map_err(|why| not_entered(&table, why))?;
        let subscriber = Subscriber {
            msisdn: msisdn.clone(),
            language,
            serial: None,
            profile: None,
            groups: Vec::new(),
            entry: subscriber::Entry { directory: USERS.to_owned(), id: user.to_string() },
        };
        Ok((subscriber, (table, new)))
    }

    /// With `--identified`: somebody must vouch for the number.
    fn prove(&mut self, msisdn: &Msisdn) -> Result<(), Stop> {
        let Some(name) = self.arguments.named.given()? else { return Ok(()) };
        match identify::proven(&self.arguments.common, msisdn, name)? {
            None => Err(Refusal::GivenUp.into()),
            Some(Err(unproven)) => Err(Refusal::Unproven(unproven).into()),
            Some(Ok(evidence)) => {
                self.terminal.step(&format!("identified: evidence {evidence}"));
                self.facts.evidence = Some(evidence);
                Ok(())
            }
        }
    }

    /// Asks the service what the number can do, and tells it.
    fn ask_profile(&mut self, subscriber: &Subscriber) -> Result<(), Stop> {
        let reply = profile::read(&self.exchange(&subscriber.msisdn)?);
        let reply =
            reply.map_err(|why| anyhow!("the service gave no profile: {}", Reason::Unreadable(why)))?;
        if let ProfileReply::Account(account) = &reply {
            account_in_words(account).iter().for_each(|line| self.terminal.step(line));
            self.facts.account = Some(account.clone());
        }
        let config = &self.setup.config;
        let known = subscriber.serial.as_ref().filter(|_| config.serial != SerialPolicy::Ignore);
        match (judge(&reply, policy::profile(config, subscriber), known), reply) {
            (Some(Readiness::Ready), _) => Ok(()),
            (Some(Readiness::Activates), _) => {
                self.terminal
                    .step("the SIM is not active: it is activated by the request, with a PIN of her choice");
                Ok(())
            }
            (Some(Readiness::Not(obstacle)), _) => {
                Err(Refusal::Unready(obstacle, self.arguments.user.clone()).into())
            }
            (None, ProfileReply::Fault(fault)) => {
                let (name, code) = (fault.fault.name(), fault.fault.code());
                Err(anyhow!("the service refused the profile query: {name} ({code}): {}", fault.detail)
                    .into())
            }
            (None, ProfileReply::NotOk(status)) => {
                Err(anyhow!("the service gave no profile: {} ({})", status.name(), status.code()).into())
            }
            (None, ProfileReply::Account(_)) => Err(anyhow!("the service gave no profile").into()),
        }
    }

    fn exchange(&self, msisdn: &Msisdn) -> Result<HttpResponse, Stop> {
        let shown = || self.arguments.common.config.display().to_string();
        let https = Https::new(&self.setup.connection).with_context(shown)?;
        let entropy = blocking::entropy().with_context(shown)?;
        let id = entropy.first_chunk().map(ApTransId::from_entropy).context("too little randomness")?;
        let limit = self.setup.connection.timeouts.connect.saturating_add(profile::LIMIT);
        let (ap, at) = (&self.setup.config.ap, SystemTime::now());
        let request = profile::request(&ProfileRequest { ap, ap_trans_id: &id, at, msisdn, limit });
        match https.exchange(&request, &self.terminal.tick()) {
            Answer::Reply(response) => Ok(response),
            Answer::Unreachable(_, why) | Answer::Lost(why) => {
                Err(anyhow!("the profile was not asked: {}", text::foreign(&why, 300)).into())
            }
            Answer::TimedOut => {
                Err(anyhow!("the service gave no answer to the profile query in time").into())
            }
            _ => Err(Refusal::GivenUp.into()),
        }
    }

    /// Has the phone sign, by the machine of every login; gives the serial number of the signature.
    fn sign(&mut self, subscriber: &Subscriber) -> Result<SerialNumber, Stop> {
        let outcome = self.ask_phone(subscriber)?;
        self.facts.signed(&outcome);
        self.terminal.step(&format!("{}: {}", outcome.audit.verdict, outcome.audit.reason));
        if let (Some(folder), Some(proof)) = (&self.setup.evidence, &outcome.evidence)
            && let Err(error) = evidence::keep(folder, proof)
        {
            out::say(&format!("warning: evidence not kept in {}: {error}", folder.display()));
        }
        match outcome.verdict {
            Verdict::Accepted(signer) => {
                let serial = signer.signer().serial.clone();
                self.facts.serial = Some(serial.clone());
                Ok(serial)
            }
            Verdict::Denied(reason) => {
                let detail = outcome.audit.detail.unwrap_or_default();
                Err(Refusal::Denied { reason, detail, user: self.arguments.user.clone() }.into())
            }
            // No rule was asked that could let anybody in.
            Verdict::Exempt(exemption) => Err(anyhow!("nothing was signed: {}", exemption.name()).into()),
        }
    }

    fn ask_phone(&mut self, subscriber: &Subscriber) -> Result<Outcome, Stop> {
        let request = Request {
            user: self.arguments.user.clone(),
            service: "enrol".to_owned(),
            host: host_name(),
            rhost: None,
            client: None,
            target: None,
            command: None,
            limit: None,
        };
        let (config, directories) = (self.config(subscriber), self.directory_of(subscriber));
        // For this one run: who it is has been looked up, and the number that was asked about is the one that signs.
        let ours = (
            std::mem::replace(&mut self.setup.config, Arc::new(config)),
            std::mem::replace(&mut self.setup.directories, Arc::new(directories)),
        );
        let outcome = blocking::run(request, &self.setup, &mut Enrolling(&mut self.terminal));
        self.terminal.waited();
        (self.setup.config, self.setup.directories) = ours;
        Ok(outcome.with_context(|| self.arguments.common.config.display().to_string())?)
    }

    /// That of a login, but with the text of an enrolment. What is kept is kept afterwards, and not by the machine.
    fn config(&self, subscriber: &Subscriber) -> Config {
        let config = Config::clone(&self.setup.config);
        let serial = match (config.serial, &subscriber.serial) {
            (SerialPolicy::Ignore, _) | (_, None) => SerialPolicy::Ignore,
            (_, Some(_)) => SerialPolicy::IfKnown,
        };
        Config { templates: self.texts.clone(), unenrolled: Unenrolled::Deny, serial, ..config }
    }

    fn directory_of(&self, subscriber: &Subscriber) -> Directories {
        let table = UserTable::of_one(self.arguments.user.clone(), subscriber.clone());
        Directories::new(vec![Directory {
            name: subscriber.entry.directory.clone(),
            unavailable: WhenUnavailable::Deny,
            kind: Kind::File(table),
        }])
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

    fn pin(&self, subscriber: &Subscriber, serial: &SerialNumber) -> Result<Kept, Stop> {
        let (user, entry) = (self.arguments.user.clone(), subscriber.entry.clone());
        let pin = login::Pin { user, entry, serial: serial.clone() };
        let (directories, tick) = (&self.setup.directories, self.terminal.tick());
        let pinned = directories::pin(directories, &self.pins, &pin, By::Enrolment, &tick, soon());
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
        table.enter(entry).map_err(|why| not_entered(table, why))?;
        let shown = table.path().display().to_string();
        self.terminal.step(&format!("entered in {shown}"));
        self.facts.table = Some(shown);
        Ok(())
    }

    /// For the auditor, where it is this host's logins that it counts for.
    fn record(&self) {
        let (Some(entry), Some(serial)) = (&self.facts.entry, &self.facts.serial) else { return };
        if self.arguments.state.is_the_modules() {
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
}

fn soon() -> Instant {
    Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now)
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

/// The terminal, as the host of the one signature: who it is was told before.
struct Enrolling<'a>(&'a mut Terminal);

impl World for Enrolling<'_> {
    fn passed_over(&mut self, line: &str) {
        self.0.passed_over(line);
    }

    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        self.0.step(&format!("tell the person: {notice}"));
        Ok(())
    }

    fn sending(&mut self, login: &Login) -> Result<(), Withheld> {
        self.0.sending(login)
    }

    fn pins(&self) -> Pins {
        self.0.pins()
    }

    fn tick(&self) -> Tick {
        self.0.tick()
    }
}
