//! `mobileidctl serial pin` and `forget`: in the folder, or in the directory that keeps serial numbers itself.

use std::{path::Path, time::SystemTime};

use anyhow::{Context as _, bail};
use clap::Args;
use mobileid::{
    config::SerialPolicy,
    directory::Lookup,
    driver::{
        directories::{self, GivenUp},
        ldap::Changed,
        pins::{Before, Pins},
    },
    load::{self, Setup},
    subscriber::{Entry, SerialNumber, UserName},
    text,
};
use serde::Serialize;

use super::{name, of_user, read, shown};
use crate::{
    Common, Exit,
    audit::{self, Event},
    folders::State,
    out, patience,
    progress::{Bound, Progress},
};

/// Gives a user this serial number: another one is refused from now on
#[derive(Debug, Args)]
#[command(after_help = "\
The user is looked up, and the serial number is kept where it belongs: here, or
in the directory that keeps them itself. Who is in no directory has no place for
one.

Exit codes: 0 kept, 1 not: no such user, or a directory says another one, 2
could not try.")]
pub(crate) struct Pin {
    /// The account, as the directories know it
    user: UserName,
    /// The serial number, like MIDCHEO16P1O6E92
    #[arg(value_parser = of_mobile_id)]
    serial: SerialNumber,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

/// As all serial numbers of Mobile ID are that anybody has seen. A slip of the pen would shut the person out.
fn of_mobile_id(text: &str) -> Result<SerialNumber, &'static str> {
    const EXPECTED: &str = "a Mobile ID's serial number is MIDCHE and ten letters or digits, like MIDCHEO16P1O6E92: it is in \
                            the signature's certificate, and enrol takes it from there";
    let is_one = |text: &str| {
        let (begins, ten) = text.split_at_checked(6)?;
        let fits = begins.eq_ignore_ascii_case("MIDCHE") && ten.len() == 10;
        (fits && ten.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(())
    };
    is_one(text).and_then(|()| text.parse().ok()).ok_or(EXPECTED)
}

/// Forgets a user's serial number: the next login is a first one
#[derive(Debug, Args)]
#[command(after_help = "\
Make sure who has the phone before: whoever signs next is taken for the user.
USER is the name of a login, or the entry as list shows it; directories need not
answer, unless they keep serial numbers themselves.

Exit codes: 0 forgotten, 1 there was none, 2 could not try, or not everywhere.")]
pub(crate) struct Forget {
    /// The user, or the entry
    #[arg(value_name = "USER", value_parser = name)]
    user: String,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    common: Common,
}

/// The configuration.
pub(super) fn setup(config: &Path) -> anyhow::Result<Setup> {
    load::load(config).map_err(Into::into)
}

/// What the directories say of a user.
pub(super) fn looked_up(setup: &Setup, user: &UserName, progress: Progress) -> Lookup {
    let _waiting = patience::shown(progress, &setup.directories);
    directories::lookup(&setup.directories, user, &patience::tick(), patience::until())
        .unwrap_or_else(|GivenUp| Lookup::Unavailable("given up".to_owned()))
}

/// A change, as JSON.
#[derive(Serialize)]
struct Done<'a> {
    user: &'a str,
    entry: &'a str,
    /// The folder, or the directory.
    place: &'a str,
    /// Absent where there was none, or one that nobody could read.
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a str>,
}

pub(super) fn pin(arguments: &Pin) -> anyhow::Result<Exit> {
    let Pin { user, serial, state, common } = arguments;
    let pins = state.pins()?;
    let setup = setup(&common.config)?;
    let progress = Progress::unless(common.json);
    let found = match looked_up(&setup, user, progress) {
        Lookup::Found(subscriber) => subscriber,
        Lookup::NotEnrolled => {
            out::say(&format!(
                "{user} is in no directory: a serial number would be nobody's. Enter the user first"
            ));
            return Ok(Exit::No);
        }
        Lookup::Barred(why) => bail!("{}", text::foreign(&why, 600)),
        Lookup::Unavailable(why) => bail!(
            "{}\n(where it is the serial number in the entry that must be mended: mobileidctl serial forget {user})",
            text::foreign(&why, 600)
        ),
    };
    let Entry { directory, id } = &found.entry;
    let (place, old) = match at_directory(&setup, directory, user, Some(serial), progress)? {
        Some(Changed::Done(before)) => (directory.clone(), joined(&before)),
        Some(Changed::NotFound) => bail!("{directory} does not know {user} any more"),
        Some(Changed::Failed(why)) => bail!("{directory}: {}", text::foreign(&why, 600)),
        None => {
            if let Some(said) = &found.serial {
                out::say(&format!("{directory} says {said}, which is what counts: change it there"));
                return Ok(Exit::of(said == serial));
            }
            let before =
                pins.set(user, &found.entry, serial, SystemTime::now()).map_err(anyhow::Error::msg)?;
            (state.folder().display().to_string(), serial_of(before))
        }
    };
    let (user, entry, new) = (shown(user.as_str()), shown(id), serial.as_str());
    let (old, place) = (old.as_deref(), place.as_str());
    audit::record(Event::SerialPinned { user: &user, entry: &entry, place, old, new });
    if setup.config.serial == SerialPolicy::Ignore {
        out::say("warning: signature.serial is \"ignore\": no login looks at it");
    }
    if common.json {
        out::json(&Done { user: &user, entry: &entry, place, old, new: Some(new) })?;
    } else {
        let instead = old.map_or_else(String::new, |old| format!(", in place of {old}"));
        out::data(&format!("{user}: {new} is kept in {place}{instead}"))?;
    }
    Ok(Exit::Yes)
}

/// What stood there; None where nothing did, or nothing that could be read.
fn serial_of(before: Before) -> Option<String> {
    match before {
        Before::Kept(pin) => Some(pin.serial.to_string()),
        Before::Nothing | Before::Damaged(_) => None,
    }
}

fn joined(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| text::escaped(&values.join(" and "), 300))
}

fn at_directory(
    setup: &Setup,
    directory: &str,
    user: &UserName,
    to: Option<&SerialNumber>,
    progress: Progress,
) -> anyhow::Result<Option<Changed>> {
    let _waiting = progress.wait(format!("the directory {directory}"), Bound::AtMost(patience::PATIENCE));
    directories::change(&setup.directories, directory, user, to, &patience::tick(), patience::until())
        .map_err(|GivenUp| anyhow::anyhow!("given up"))
}

pub(super) fn forget(arguments: &Forget) -> anyhow::Result<Exit> {
    let Forget { user, state, common } = arguments;
    let pins = state.kept()?;
    let setup =
        setup(&common.config).context("directories that keep serial numbers themselves are not asked");
    let (json, folder) = (common.json, state.folder().display().to_string());
    let mut gone = Gone { json, progress: Progress::unless(json), folder, told: Vec::new() };
    if let Some(pins) = &pins {
        gone.in_folder(pins, user, setup.as_ref().ok())?;
    }
    let everywhere = match &setup {
        Ok(setup) => gone.in_directories(setup, user)?,
        Err(_) => true,
    };
    let forgotten = gone.tell()?;
    match setup {
        // What was kept here is gone, and there may be nothing else.
        Err(why) if forgotten => out::say(&format!("warning: {why:#}")),
        Err(why) => return Err(why),
        Ok(_) if !forgotten && everywhere => {
            out::say(&format!("no serial number of {} is kept", shown(user)))
        }
        Ok(_) => {}
    }
    Ok(if everywhere { Exit::of(forgotten) } else { Exit::Unusable })
}

/// What is gone, told once all of it is.
struct Gone {
    json: bool,
    progress: Progress,
    folder: String,
    told: Vec<Forgotten>,
}

#[derive(Serialize)]
struct Forgotten {
    user: String,
    entry: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
}

impl Gone {
    fn in_folder(&mut self, pins: &Pins, user: &str, setup: Option<&Setup>) -> anyhow::Result<()> {
        let (all, _) = read(Some(pins))?;
        let mut entries: Vec<String> = of_user(&all, user).iter().map(|pin| pin.entry.clone()).collect();
        // One that cannot be read is known by its entry alone.
        if entries.is_empty() && pins.get(user).is_err() {
            entries.push(user.to_owned());
        }
        if entries.is_empty() {
            // Another spelling, or a damaged record: the directories know the entry.
            let known = setup.and_then(|setup| entry_of(setup, user, self.progress));
            entries.extend(known.filter(|id| pins.get(id) != Ok(None)));
        }
        if entries.len() > 1 {
            out::say(&format!("{} stands for {} entries, and all are forgotten", shown(user), entries.len()));
        }
        for entry in entries {
            let (name, old) = match pins.forget(&entry).map_err(anyhow::Error::msg)? {
                Before::Nothing => continue,
                Before::Kept(pin) => (pin.user, Some(pin.serial.to_string())),
                Before::Damaged(_) => (user.to_owned(), None),
            };
            self.add(&name, &entry, self.folder.clone(), old);
        }
        Ok(())
    }

    /// Whether each could be asked that keeps serial numbers itself.
    fn in_directories(&mut self, setup: &Setup, user: &str) -> anyhow::Result<bool> {
        let Ok(user) = user.parse::<UserName>() else { return Ok(true) };
        let mut everywhere = true;
        for directory in setup.directories.iter() {
            match at_directory(setup, &directory.name, &user, None, self.progress)? {
                Some(Changed::Done(before)) if !before.is_empty() => {
                    self.add(user.as_str(), user.as_str(), directory.name.clone(), joined(&before));
                }
                Some(Changed::Failed(why)) => {
                    everywhere = false;
                    out::say(&format!("{}: {}", directory.name, text::foreign(&why, 600)));
                }
                Some(Changed::Done(_) | Changed::NotFound) | None => {}
            }
        }
        Ok(everywhere)
    }

    /// Logged at once: what comes next may fail.
    fn add(&mut self, user: &str, entry: &str, place: String, old: Option<String>) {
        let (user, entry) = (shown(user), shown(entry));
        let event = Event::SerialForgotten { user: &user, entry: &entry, place: &place, old: old.as_deref() };
        audit::record(event);
        self.told.push(Forgotten { user, entry, place, old });
    }

    /// Says what is gone, and whether anything is.
    fn tell(&self) -> anyhow::Result<bool> {
        let Self { json, told, .. } = self;
        if *json {
            out::json(&std::collections::BTreeMap::from([("forgotten", told)]))?;
            return Ok(!told.is_empty());
        }
        for Forgotten { user, entry, place, old } in told {
            let what = old.as_deref().unwrap_or("what could not be read");
            out::data(&format!("{user}: {what} is forgotten in {place}, as {entry}"))?;
        }
        Ok(!told.is_empty())
    }
}

/// What the directories call a user.
fn entry_of(setup: &Setup, user: &str, progress: Progress) -> Option<String> {
    match looked_up(setup, &user.parse().ok()?, progress) {
        Lookup::Found(subscriber) => Some(subscriber.entry.id),
        _ => None,
    }
}
