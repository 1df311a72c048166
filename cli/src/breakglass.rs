//! `mobileidctl breakglass`: one-time codes for the day on which the service cannot be reached.
//!
//! The codes go to standard output, one a line, and nowhere else; whatever is said about them goes to standard error.
//! They are shown after their hashes are on disk. What is not shown then, because the disk is full or the reader gone,
//! nobody knows, and `create --replace` makes others.

use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use mobileid::{
    driver::breakglass::{self, Created, Existing, NotCreated, Stores},
    memory::breakglass::{COUNT_MAX, Codes, KIND},
    subscriber::UserName,
};
use nix::{errno::Errno, unistd::User};
use serde::Serialize;

use crate::{
    Exit,
    audit::{self, Event},
    folders::{self, Runtime, State},
    out,
    progress::{Bound, Progress, USER_DATABASE},
    when,
};

/// One-time codes for the day on which the service is out of reach
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Makes codes for a user and prints them, once
#[derive(Debug, Args)]
#[command(after_help = "\
Standard output has the codes, one a line. What is kept of them are hashes:
print them now, and lock the paper away.

Exit codes: 0 made, 1 the user has codes left, 2 could not try.")]
pub(crate) struct Create {
    /// The account
    user: UserName,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = count)]
    count: usize,
    /// Also where some are left, which are then no good
    #[arg(long)]
    replace: bool,
    /// Make codes for a name that is no account of this host
    #[arg(long)]
    force: bool,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    runtime: Runtime,
}

/// Lists who has codes, how many, and from when; never the codes
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 listed, 1 not everything could be read, 2 could not try.")]
pub(crate) struct List {
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: State,
}

/// Takes all codes of a user back
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 taken back, 1 there were none, 2 could not try.")]
pub(crate) struct Revoke {
    /// The account
    user: UserName,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    runtime: Runtime,
}

fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count));
    count.ok_or_else(|| format!("must be a number from 1 to {COUNT_MAX}"))
}

pub(crate) fn run(verb: &Verb) -> anyhow::Result<Exit> {
    match verb {
        Verb::Create(arguments) => create(arguments),
        Verb::List(arguments) => list(arguments),
        Verb::Revoke(arguments) => revoke(arguments),
    }
}

/// The codes of one user, as JSON.
#[derive(Serialize)]
struct Paper<'a> {
    user: &'a str,
    created: String,
    replaced: usize,
    codes: Vec<&'a str>,
}

fn create(arguments: &Create) -> anyhow::Result<Exit> {
    let (state, runtime) = (arguments.state.open()?, arguments.runtime.open()?);
    let stores = Stores { state: &state, runtime: &runtime };
    let progress = Progress::unless(arguments.json);
    let user = &if arguments.force { arguments.user.clone() } else { account(&arguments.user, progress)? };
    let existing = if arguments.replace { Existing::Replace } else { Existing::Keep };
    let now = SystemTime::now();
    let waiting = progress.wait("the codes to be hashed", Bound::Of("this host"));
    let created = breakglass::create(stores, user, arguments.count, now, existing);
    drop(waiting);
    let Created { paper, replaced } = match created {
        Ok(created) => created,
        Err(NotCreated::Left(left)) => {
            if arguments.json {
                out::json(&Untouched { user: user.as_str(), left })?;
            }
            out::say(&format!("{user} has codes left ({left}); --replace makes new ones in their place"));
            return Ok(Exit::No);
        }
        Err(NotCreated::Store(sentence)) => bail!(sentence),
    };
    if arguments.state.is_the_modules() {
        let count = paper.len();
        audit::record(Event::BreakglassCreated { user: user.as_str(), count, replaced });
    }
    let codes: Vec<&str> = paper.iter().map(|code| code.expose()).collect();
    let shown = if arguments.json {
        out::json(&Paper { user: user.as_str(), created: when::rfc3339(now), replaced, codes })
    } else {
        out::data(&codes.join("\n"))
    };
    shown.with_context(|| format!("{user} has codes that nobody has seen: make others with --replace"))?;
    if !arguments.json {
        out::say(&in_words(user, paper.len(), replaced));
    }
    Ok(Exit::Yes)
}

/// Codes that were there already, and stay, as JSON.
#[derive(Serialize)]
struct Untouched<'a> {
    user: &'a str,
    left: usize,
}

fn in_words(user: &UserName, count: usize, replaced: usize) -> String {
    let mut text = format!(
        "Codes for {user}: {count}, shown this once. Print them and lock the paper away.\n\
         Each is good for one login while the Mobile ID service cannot be reached."
    );
    if replaced > 0 {
        text.push_str(&format!("\nThose of {user} that were left are no good any more: {replaced}."));
    }
    text
}

/// The name as the user database itself writes it: the one that the module looks for.
fn account(name: &UserName, progress: Progress) -> anyhow::Result<UserName> {
    let _waiting = progress.wait("the account", USER_DATABASE);
    match User::from_name(name.as_str()) {
        Ok(Some(user)) => user.name.parse().context("the name of the account"),
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
            bail!("{name} is no account of this host; --force makes codes all the same")
        }
        Err(errno) => Err(errno).context("the user database of this host"),
    }
}

#[derive(Serialize)]
struct Listed {
    user: String,
    left: usize,
    created: String,
}

fn list(arguments: &List) -> anyhow::Result<Exit> {
    let listing = arguments.state.listing(KIND)?;
    let codes = listing.records.iter().filter_map(|octets| Codes::decode(octets).ok());
    let mut listed: Vec<Listed> = codes
        .map(|codes| Listed {
            user: codes.user().to_string(),
            left: codes.left(),
            created: when::rfc3339(codes.created()),
        })
        .collect();
    listed.sort_by(|one, other| one.user.cmp(&other.user));
    let line = |one: &Listed| format!("{:<20} {:>2} left, made {}", one.user, one.left, one.created);
    folders::show(&listed, arguments.json, "breakglass", line, "nobody has break-glass codes")?;
    let unknown = listing.records.len().saturating_sub(listed.len());
    Ok(folders::complete(&listing, unknown))
}

/// What was taken back, as JSON.
#[derive(Serialize)]
struct TakenBack<'a> {
    user: &'a str,
    count: usize,
}

fn revoke(arguments: &Revoke) -> anyhow::Result<Exit> {
    let (state, runtime) = (arguments.state.open()?, arguments.runtime.open()?);
    let user = &arguments.user;
    let stores = Stores { state: &state, runtime: &runtime };
    let Some(count) = breakglass::revoke(stores, user).map_err(anyhow::Error::msg)? else {
        if arguments.json {
            out::json(&TakenBack { user: user.as_str(), count: 0 })?;
        }
        out::say(&format!("{user} has no break-glass codes"));
        return Ok(Exit::No);
    };
    if arguments.state.is_the_modules() {
        audit::record(Event::BreakglassRevoked { user: user.as_str(), count });
    }
    if arguments.json {
        out::json(&TakenBack { user: user.as_str(), count })?;
    } else {
        out::data(&format!("{user}: codes taken back: {count}\n"))?;
    }
    Ok(Exit::Yes)
}
