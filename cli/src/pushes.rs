//! `mobileidctl pushes`: how often phones were asked in vain, which `pam.push_limit` limits.

use std::time::Duration;

use clap::Subcommand;
use mobileid::{
    driver::moment::moment,
    memory::{
        Moment,
        pushes::{KIND, Pushes},
    },
};
use serde::Serialize;

use crate::{
    Exit,
    audit::{self, Event},
    folders::{self, CLEARED, Clear, List},
};

/// Phones that were asked in vain (pam.push_limit)
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists whose phone was asked in vain within the last day, and how often
    #[command(after_help = "\
Refused, unanswered and abandoned: all that pam.push_limit counts within
pam.push_window.

Exit codes: 0 listed, 1 not everything could be read, 2 could not try.")]
    List(List),
    /// Forgets pushes in vain: the phone may be asked again
    #[command(after_help = CLEARED)]
    Clear(Clear),
}

pub(crate) fn run(verb: &Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::List(arguments) => list(arguments),
        Verb::Clear(arguments) => clear(arguments),
    }
}

#[derive(Serialize)]
struct Listed {
    user: String,
    within_10_minutes: usize,
    within_1_hour: usize,
    within_24_hours: usize,
}

impl Listed {
    fn of(pushes: &Pushes, now: &Moment) -> Self {
        let within = |minutes: u64| pushes.within(Duration::from_secs(60 * minutes), now);
        Self {
            user: pushes.user().to_owned(),
            within_10_minutes: within(10),
            within_1_hour: within(60),
            within_24_hours: within(24 * 60),
        }
    }

    fn in_words(&self) -> String {
        format!(
            "{:<20} {} in 10 minutes, {} in 1 hour, {} in 24 hours",
            self.user, self.within_10_minutes, self.within_1_hour, self.within_24_hours
        )
    }
}

fn list(arguments: &List) -> anyhow::Result<Exit> {
    let now = moment().map_err(anyhow::Error::msg)?;
    let listing = arguments.runtime.listing(KIND)?;
    let pushes: Vec<Pushes> =
        listing.records.iter().filter_map(|octets| Pushes::decode(octets).ok()).collect();
    let mut listed: Vec<Listed> = pushes.iter().map(|pushes| Listed::of(pushes, &now)).collect();
    listed.retain(|one| one.within_24_hours > 0);
    listed.sort_by(|one, other| one.user.cmp(&other.user));
    folders::show(&listed, arguments.json, "pushes", Listed::in_words, "no phone was asked in vain")?;
    let unknown = listing.records.len().saturating_sub(pushes.len());
    Ok(folders::complete(&listing, unknown))
}

fn clear(arguments: &Clear) -> anyhow::Result<Exit> {
    let whose = &arguments.whose;
    let goes = |octets: &[u8]| whose.means(Pushes::decode(octets).ok().as_ref().map(Pushes::user));
    let removed = arguments.runtime.open()?.clear(KIND, goes).map_err(anyhow::Error::msg)?;
    if removed.removed > 0 && arguments.runtime.is_the_modules() {
        audit::record(Event::PushesCleared { user: whose.name(), count: removed.removed });
    }
    whose.told(removed, "counts of pushes", arguments.json)
}
