//! `mobileidctl serial show`: what is kept, what the directories say, and what counts.

use anyhow::Context as _;
use clap::Args;
use mobileid::{
    config::SerialPolicy,
    directory::Lookup,
    driver::pins::Pins,
    load::Setup,
    subscriber::{Entry, UserName},
    text,
};
use serde::Serialize;

use super::{Kept, change, name, of_user, read, shown};
use crate::{Common, Exit, folders::State, out, progress::Progress};

/// Shows what is kept of a user, what directories say, and what counts
#[derive(Debug, Args)]
#[command(after_help = "\
USER is the name of a login, or the entry as list shows it. What is kept is
shown also when the directories are away or do not know the user any more.

Exit codes: 0 a serial number is known, 1 none is, 2 could not try.")]
pub(crate) struct Arguments {
    /// The user, or the entry
    #[arg(value_name = "USER", value_parser = name)]
    user: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

#[derive(Serialize)]
struct Line<'a> {
    user: &'a str,
    kept: &'a [Kept],
    policy: &'static str,
    #[serde(flatten)]
    said: &'a Said,
}

/// What the directories say.
#[derive(Serialize)]
struct Said {
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    /// What a signature must have; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    /// In words.
    says: String,
    /// Whether anybody could tell.
    #[serde(skip)]
    told: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let user = arguments.user.as_str();
    let pins = arguments.state.kept()?;
    let (all, listing) = read(pins.as_ref())?;
    let kept: Vec<Kept> = of_user(&all, user).into_iter().map(Kept::of).collect();
    let (name, json) = (shown(user), arguments.common.json);
    if !json {
        out::data(&name)?;
        kept.iter().try_for_each(|kept| {
            let Kept { serial, since, by, entry, .. } = kept;
            out::data(&format!("  {:<12}{serial}, since {since}, by {by}, as {entry}", "kept"))
        })?;
    }
    let unknown = listing.records.len().saturating_sub(all.len());
    crate::folders::complete(&listing, unknown);
    let setup = change::setup(&arguments.common.config).context("what the directories say is not known")?;
    let said = Said::of(&setup, user, pins.as_ref(), Progress::unless(json));
    let policy = setup.config.serial;
    if json {
        out::json(&Line { user: &name, kept: &kept, policy: policy.name(), said: &said })?;
    } else {
        out::data(&format!("  {:<12}{}\n  {:<12}{}", "directories", said.says, "policy", in_words(policy)))?;
    }
    if !said.told {
        return Ok(Exit::Unusable);
    }
    Ok(Exit::of(said.serial.is_some()))
}

fn in_words(policy: SerialPolicy) -> &'static str {
    match policy {
        SerialPolicy::Ignore => "ignore: any signature of this number will do",
        SerialPolicy::IfKnown => "if-known: a signature must have the serial number that is known, if one is",
        SerialPolicy::FirstUse => {
            "first-use: a signature must have it; where none is known the first one is kept"
        }
        SerialPolicy::Required => "required: a signature must have it; where none is known nobody is asked",
    }
}

impl Said {
    fn of(setup: &Setup, user: &str, pins: Option<&Pins>, progress: Progress) -> Self {
        let none = |says: &str, told| Self {
            directory: None,
            entry: None,
            serial: None,
            says: says.to_owned(),
            told,
        };
        let Ok(user) = user.parse::<UserName>() else { return none("not asked: no name of a user", true) };
        let found = match change::looked_up(setup, &user, progress) {
            Lookup::Found(found) => found,
            Lookup::NotEnrolled => return none("none of them knows the user", true),
            Lookup::Barred(why) | Lookup::Unavailable(why) => return none(&text::foreign(&why, 600), false),
        };
        let Entry { directory, id } = found.entry;
        let (says, kept) = match (&found.serial, setup.directories.keeps_serial(&directory)) {
            (Some(serial), true) => (format!("{directory} keeps {serial}"), Ok(None)),
            (Some(serial), false) => (format!("{directory} says {serial}, which counts"), Ok(None)),
            (None, keeps) => {
                let kept = pins.map_or(Ok(None), |pins| pins.get(&id));
                (of_none(&directory, keeps, matches!(kept, Ok(Some(_)))), kept)
            }
        };
        match kept {
            Ok(kept) => Self {
                directory: Some(directory),
                entry: Some(shown(&id)),
                serial: found.serial.or(kept.map(|pin| pin.serial)).map(|serial| serial.to_string()),
                says,
                told: true,
            },
            Err(why) => none(&why, false),
        }
    }
}

/// What it means that a directory says no serial number.
fn of_none(directory: &str, keeps: bool, is_kept_here: bool) -> String {
    match (keeps, is_kept_here) {
        (true, true) => {
            format!("{directory} keeps none yet: what is kept here counts; serial pin writes it there")
        }
        (true, false) => format!("{directory} keeps none yet"),
        (false, true) => format!("{directory} says none: what is kept here counts"),
        (false, false) => format!("{directory} says none, and none is kept here"),
    }
}
