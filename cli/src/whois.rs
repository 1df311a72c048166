//! `mobileidctl whois USER`: what a login would use, and where it comes from. Directories are asked, phones are not.
//!
//! ```text
//!   each directory, in order ──> what it answered
//!   the first one that settles it ──> number, language, method, groups
//!   the serial number ──> the directory's, or the one that is kept here
//!   all of it ──> what a login would do
//! ```

use std::fmt;

use anyhow::bail;
use clap::Args;
use mobileid::{
    config::{SerialPolicy, Unenrolled},
    directory::{Answer, Directory, Lookup},
    driver::{
        directories::{self, GivenUp},
        pins::Pins,
    },
    load::{self, Setup},
    memory::pin::Pin,
    outcome::Reason,
    policy,
    subscriber::{Msisdn, SerialNumber, Subscriber, UserName},
    text,
};
use nix::unistd::geteuid;
use serde::Serialize;

use crate::{Common, Exit, folders::State, out, patience, progress::Progress, when};

/// Shows what a login would use, and from where; no phone is asked
#[derive(Debug, Args)]
#[command(after_help = "\
Numbers are masked; --reveal shows them whole, to root. The rules of [pam] that
let somebody in without the phone are not looked at.

Exit codes: 0 a login would ask this phone, 1 it would not, 2 could not try.")]
pub(crate) struct Arguments {
    /// The account, as the directories know it
    user: UserName,
    /// Show the whole number; only root may
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    if arguments.reveal && !geteuid().is_root() {
        bail!("--reveal is for root: numbers are masked for everybody else");
    }
    let setup = load::load(&arguments.common.config)?;
    let pins = arguments.state.kept()?;
    let mut asked = Vec::new();
    let (tick, until) = (patience::tick(), patience::until());
    let told = |directory: &Directory, answer: &Answer| asked.push(Asked::of(directory, answer));
    let waiting = patience::shown(Progress::unless(arguments.common.json), &setup.directories);
    let found = directories::lookup_told(&setup.directories, &arguments.user, &tick, until, told);
    drop(waiting);
    let Ok(found) = found.map_err(|GivenUp| ()) else { bail!("given up") };
    let show = if arguments.reveal { Show::Whole } else { Show::Masked };
    let report = Report::of(&setup, asked, found, pins.as_ref(), show);
    if arguments.common.json {
        out::json(&report.line(&arguments.user))?;
    } else {
        out::data(&report.in_words(&arguments.user))?;
    }
    Ok(Exit::of(report.would.asks()))
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Masked,
    Whole,
}

impl Show {
    fn number(self, msisdn: &Msisdn) -> String {
        match self {
            Self::Masked => msisdn.to_string(),
            Self::Whole => format!("+{}", msisdn.digits()),
        }
    }

    /// What a directory calls a person may have the number in it.
    fn entry(self, id: &str) -> String {
        match self {
            Self::Masked => text::foreign(id, 600),
            Self::Whole => text::escaped(id, 600),
        }
    }
}

/// What one directory has answered.
#[derive(Serialize)]
struct Asked {
    directory: String,
    answer: &'static str,
    #[serde(skip)]
    in_words: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Asked {
    fn of(directory: &Directory, answer: &Answer) -> Self {
        let (answer, in_words, detail) = match answer {
            Answer::Found(_) => ("found", "knows the user", None),
            Answer::NotEnrolled => ("not-enrolled", "does not know the user", None),
            Answer::Barred(why) => ("account-disabled", "has switched the account off", Some(why)),
            Answer::Unusable(why) => ("unusable", "has an entry that must be mended", Some(why)),
            Answer::Away(why) => ("away", "could not be asked", Some(why)),
        };
        let detail = detail.map(|why| text::foreign(why, 300));
        Self { directory: directory.name.clone(), answer, in_words, detail }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.directory, self.in_words)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    user: &'a str,
    asked: &'a [Asked],
    #[serde(flatten)]
    person: Option<&'a Person>,
    /// `signature.serial`.
    policy: &'static str,
    /// What a login would do; where it would be denied, the name of the reason.
    login: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// What was found, and what it comes to.
struct Report {
    asked: Vec<Asked>,
    person: Option<Person>,
    policy: SerialPolicy,
    would: Would,
}

/// What a login would use.
#[derive(Serialize)]
struct Person {
    directory: String,
    entry: String,
    msisdn: String,
    language: &'static str,
    profile: &'static str,
    /// Which of the two the configuration says, because the entry does not.
    defaults: Vec<&'static str>,
    groups: Vec<String>,
    #[serde(flatten)]
    serial: Option<Serial>,
}

/// The serial number that the signer must have.
#[derive(Serialize)]
struct Serial {
    serial: String,
    serial_from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_by: Option<&'static str>,
}

/// What a login would do.
enum Would {
    AskPhone,
    /// And keep the serial number of the signature.
    AskPhoneFirst,
    LetIn,
    /// With what happened.
    Deny(Reason, Option<String>),
}

impl Report {
    fn of(setup: &Setup, asked: Vec<Asked>, found: Lookup, pins: Option<&Pins>, show: Show) -> Self {
        let (person, would) = match found {
            Lookup::Found(subscriber) => {
                let (person, would) = Person::of(setup, &subscriber, pins, show);
                (Some(person), would)
            }
            Lookup::NotEnrolled if setup.config.unenrolled == Unenrolled::Allow => (None, Would::LetIn),
            Lookup::NotEnrolled => (None, Would::Deny(Reason::NotEnrolled, None)),
            Lookup::Barred(why) => (None, Would::deny(Reason::AccountDisabled, &why)),
            Lookup::Unavailable(why) => (None, Would::deny(Reason::DirectoryUnavailable, &why)),
        };
        Self { asked, person, policy: setup.config.serial, would }
    }

    fn line<'a>(&'a self, user: &'a UserName) -> Line<'a> {
        Line {
            user: user.as_str(),
            asked: &self.asked,
            person: self.person.as_ref(),
            policy: self.policy.name(),
            login: self.would.name(),
            detail: self.would.detail(),
        }
    }

    fn in_words(&self, user: &UserName) -> String {
        let mut lines = vec![text::escaped(user.as_str(), 256)];
        let mut line = |name: &str, value: &str| lines.push(format!("  {name:<12}{value}"));
        self.asked.iter().for_each(|asked| line("directory", &asked.to_string()));
        if let Some(person) = &self.person {
            person.tell(&mut line);
        }
        line("policy", &format!("signature.serial = \"{}\"", self.policy.name()));
        line("a login", &self.would.in_words());
        lines.join("\n")
    }
}

impl Person {
    fn of(setup: &Setup, found: &Subscriber, pins: Option<&Pins>, show: Show) -> (Self, Would) {
        let config = &setup.config;
        let (serial, would) = match serial(setup, found, pins) {
            Ok(serial) => {
                let would = Would::with(config.serial, serial.is_some());
                (serial, would)
            }
            Err(why) => (None, Would::deny(Reason::PinFailed, &why)),
        };
        let defaults = [("language", found.language.is_none()), ("profile", found.profile.is_none())];
        let person = Self {
            directory: found.entry.directory.clone(),
            entry: show.entry(&found.entry.id),
            msisdn: show.number(&found.msisdn),
            language: policy::language(config, found).wire(),
            profile: policy::profile(config, found).name(),
            defaults: defaults.into_iter().filter_map(|(name, is)| is.then_some(name)).collect(),
            groups: found.groups.iter().map(|group| text::escaped(group, 300)).collect(),
            serial,
        };
        (person, would)
    }

    fn tell(&self, line: &mut impl FnMut(&str, &str)) {
        let by_default = |name| if self.defaults.contains(&name) { " (the configuration's)" } else { "" };
        line("entry", &format!("{}: {}", self.directory, self.entry));
        line("number", &self.msisdn);
        line("language", &format!("{}{}", self.language, by_default("language")));
        line("method", &format!("{}{}", self.profile, by_default("profile")));
        if !self.groups.is_empty() {
            line("groups", &self.groups.join(", "));
        }
        line("serial", &self.serial.as_ref().map_or_else(|| "none is known".to_owned(), Serial::in_words));
    }
}

/// The serial number that is known of a person, as a login would find it.
fn serial(setup: &Setup, subscriber: &Subscriber, pins: Option<&Pins>) -> Result<Option<Serial>, String> {
    let known = |serial: &SerialNumber, serial_from| Serial {
        serial: serial.to_string(),
        serial_from,
        serial_since: None,
        serial_by: None,
    };
    if let Some(serial) = &subscriber.serial {
        return Ok(Some(known(serial, "directory")));
    }
    let kept = |pin: Pin| Serial {
        serial_since: Some(when::day(pin.written())),
        serial_by: Some(pin.by.name()),
        ..known(&pin.serial, "kept")
    };
    let counts = pins.map(|pins| pins.counts_for(subscriber, setup.config.serial)).transpose()?;
    Ok(counts.flatten().map(kept))
}

impl Serial {
    fn in_words(&self) -> String {
        let from = match (&self.serial_since, self.serial_by) {
            (Some(since), Some(by)) => format!("kept here since {since}, by {by}"),
            _ => "of the directory".to_owned(),
        };
        format!("{}, {from}", self.serial)
    }
}

impl Would {
    fn deny(reason: Reason, why: &str) -> Self {
        Self::Deny(reason, Some(text::foreign(why, 600)))
    }

    fn with(policy: SerialPolicy, is_known: bool) -> Self {
        match policy {
            SerialPolicy::Required if !is_known => Self::Deny(Reason::SerialUnknown, None),
            SerialPolicy::FirstUse if !is_known => Self::AskPhoneFirst,
            _ => Self::AskPhone,
        }
    }

    fn asks(&self) -> bool {
        matches!(self, Self::AskPhone | Self::AskPhoneFirst)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::AskPhone => "asks-phone",
            Self::AskPhoneFirst => "asks-phone-and-keeps-serial",
            Self::LetIn => "lets-in-without-phone",
            Self::Deny(reason, _) => reason.name(),
        }
    }

    fn detail(&self) -> Option<&str> {
        if let Self::Deny(_, detail) = self { detail.as_deref() } else { None }
    }

    fn in_words(&self) -> String {
        match self {
            Self::AskPhone => "asks this phone".to_owned(),
            Self::AskPhoneFirst => "asks this phone, and keeps the serial number of its signature".to_owned(),
            Self::LetIn => "lets the user in without a phone: users.unenrolled is \"allow\"".to_owned(),
            Self::Deny(reason, None) => format!("is denied: {}", reason.name()),
            Self::Deny(reason, Some(detail)) => format!("is denied: {}: {detail}", reason.name()),
        }
    }
}
