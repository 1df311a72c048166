//! `mobileidctl serial`: the serial numbers that signatures must have, where a first login or somebody here has written
//! them down.
//!
//! ```text
//!   list     what this host keeps
//!   show     what it keeps of a user, what the directories say, and which of them counts
//!   pin      this serial number, from now on
//!   forget   none, so that the next login is a first one
//! ```
//!
//! They are kept on this host, or by a directory itself (`write_serial`), and are changed where they are. Each change is
//! a line in the system log.

mod change;
mod show;

use clap::{Args, Subcommand};
use mobileid::{
    driver::{pins::Pins, store::Listing},
    memory::pin::Pin,
    text,
};
use serde::Serialize;

use crate::{
    Exit,
    folders::{self, State},
    when,
};

/// Serial numbers that signatures must have (signature.serial)
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(List),
    Show(show::Arguments),
    Pin(change::Pin),
    Forget(change::Forget),
}

/// Lists the serial numbers that this host keeps
#[derive(Debug, Args)]
#[command(after_help = "\
What directories say or keep themselves is not listed: see show. The responder
keeps its own: --state /var/lib/mobileid-radiusd, as the user that it runs as.

Exit codes: 0 listed, 1 not everything could be read, 2 could not try.")]
pub(crate) struct List {
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: State,
}

pub(crate) fn run(verb: &Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::List(arguments) => list(arguments),
        Verb::Show(arguments) => show::run(arguments),
        Verb::Pin(arguments) => change::pin(arguments),
        Verb::Forget(arguments) => change::forget(arguments),
    }
}

/// A serial number that is kept, as it is shown: names and entries may be phone numbers.
#[derive(Serialize)]
struct Kept {
    user: String,
    entry: String,
    serial: String,
    since: String,
    by: &'static str,
}

impl Kept {
    fn of(pin: &Pin) -> Self {
        Self {
            user: shown(&pin.user),
            entry: shown(&pin.entry),
            serial: pin.serial.to_string(),
            since: when::rfc3339(pin.written()),
            by: pin.by.name(),
        }
    }

    fn in_words(&self) -> String {
        format!("{:<20} {}, since {}, by {}, as {}", self.user, self.serial, self.since, self.by, self.entry)
    }
}

/// A name, as others may see it.
fn shown(name: &str) -> String {
    text::foreign(name, 1100)
}

fn list(arguments: &List) -> anyhow::Result<Exit> {
    let (pins, listing) = read(arguments.state.kept()?.as_ref())?;
    let mut kept: Vec<Kept> = pins.iter().map(Kept::of).collect();
    kept.sort_by(|one, other| (&one.user, &one.entry).cmp(&(&other.user, &other.entry)));
    folders::show(&kept, arguments.json, "serial", Kept::in_words, "no serial numbers are kept here")?;
    let unknown = listing.records.len().saturating_sub(kept.len());
    Ok(folders::complete(&listing, unknown))
}

/// All that is kept, and the listing that it comes from.
fn read(pins: Option<&Pins>) -> anyhow::Result<(Vec<Pin>, Listing)> {
    let Some(pins) = pins else { return Ok((Vec::new(), Listing::default())) };
    let listing = pins.each().map_err(anyhow::Error::msg)?;
    let kept = listing.records.iter().filter_map(|octets| Pin::decode(octets).ok()).collect();
    Ok((kept, listing))
}

/// Those of a user: by the name of the login, or by what the directory calls them.
fn of_user<'a>(kept: &'a [Pin], user: &str) -> Vec<&'a Pin> {
    kept.iter().filter(|pin| pin.user == user || pin.entry == user).collect()
}

/// A user, or what a directory calls one: 1 to 1024 bytes without control characters.
fn name(name: &str) -> Result<String, &'static str> {
    let fits = (1..=1024).contains(&name.len()) && !name.chars().any(text::is_unprintable);
    if fits { Ok(name.to_owned()) } else { Err("must have 1 to 1024 bytes, without control characters") }
}
