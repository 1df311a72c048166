//! `mobileidctl grace`: the confirmations that stand for a while, where `pam.grace` lets them.

use clap::Subcommand;
use mobileid::{
    driver::moment::moment,
    memory::grace::{Grace, KIND},
};
use serde::Serialize;

use crate::{
    Exit,
    audit::{self, Event},
    folders::{self, CLEARED, Clear, List},
};

/// Confirmations that stand for a while (pam.grace)
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists who has confirmed, from where, how long ago, and with which key
    #[command(after_help = "\
How long a confirmation stands is for pam.grace to say; an old one stays listed
until it is swept away.

Exit codes: 0 listed, 1 not everything could be read, 2 could not try.")]
    List(List),
    /// Ends confirmations: the next login asks the phone
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
    address: String,
    /// Absent where it was before the last boot, and stands no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_ago: Option<u64>,
    key: String,
}

fn list(arguments: &List) -> anyhow::Result<Exit> {
    let now = moment().map_err(anyhow::Error::msg)?;
    let listing = arguments.runtime.listing(KIND)?;
    let graces = listing.records.iter().filter_map(|octets| Grace::decode(octets).ok());
    let mut listed: Vec<Listed> = graces
        .map(|grace| Listed {
            seconds_ago: now.since(&grace.confirmed).map(|ago| ago.as_secs()),
            address: grace.address.to_string(),
            key: grace.key.to_string(),
            user: grace.user,
        })
        .collect();
    listed.sort_by(|one, other| (&one.user, &one.address).cmp(&(&other.user, &other.address)));
    folders::show(&listed, arguments.json, "grace", in_words, "no confirmation stands")?;
    let unknown = listing.records.len().saturating_sub(listed.len());
    Ok(folders::complete(&listing, unknown))
}

fn in_words(one: &Listed) -> String {
    let ago = one.seconds_ago.map_or_else(|| "before the last boot".to_owned(), ago);
    let key: String = one.key.chars().take(16).collect();
    format!("{:<20} from {:<15} {ago}, keys {key}", one.user, one.address)
}

/// `12 min ago`.
fn ago(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds} s ago") } else { format!("{} min ago", seconds / 60) }
}

fn clear(arguments: &Clear) -> anyhow::Result<Exit> {
    let whose = &arguments.whose;
    let goes =
        |octets: &[u8]| whose.means(Grace::decode(octets).ok().as_ref().map(|grace| grace.user.as_str()));
    let removed = arguments.runtime.open()?.clear(KIND, goes).map_err(anyhow::Error::msg)?;
    if removed.removed > 0 && arguments.runtime.is_the_modules() {
        audit::record(Event::GraceCleared { user: whose.name(), count: removed.removed });
    }
    whose.told(removed, "confirmations", arguments.json)
}
