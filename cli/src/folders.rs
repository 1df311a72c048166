//! The folders in which logins keep what the next one must know, and whose records are meant.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::bail;
use clap::Args;
use mobileid::{
    driver::{
        pins::Pins,
        store::{Listing, Removed, Store},
    },
    memory::{RUNTIME, STATE, pin},
    subscriber::UserName,
};
use nix::unistd::{Uid, User, geteuid};
use serde::Serialize;

use crate::{Exit, out};

/// What is kept over a boot.
#[derive(Debug, Args)]
pub(crate) struct State {
    #[arg(long, value_name = "DIR", default_value = STATE, hide_default_value = true,
        help = format!("Instead of {STATE}, like the responder's"))]
    state: PathBuf,
}

/// What is forgotten at boot.
#[derive(Debug, Args)]
pub(crate) struct Runtime {
    #[arg(long, value_name = "DIR", default_value = RUNTIME, hide_default_value = true,
        help = format!("Instead of {RUNTIME}, to try things out"))]
    runtime: PathBuf,
}

impl State {
    /// Opens it.
    ///
    /// # Errors
    /// Names the folder, and says what to do.
    pub(crate) fn open(&self) -> anyhow::Result<Store> {
        allowed(&self.state, STATE)?;
        Store::open(&self.state).map_err(anyhow::Error::msg)
    }

    /// The serial numbers in it, which are looked for when they are needed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn pins(&self) -> anyhow::Result<Pins> {
        allowed(&self.state, STATE)?;
        Ok(Pins::at(&self.state))
    }

    /// The serial numbers in it; None where there are none. Nothing is made for who only looks.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn kept(&self) -> anyhow::Result<Option<Pins>> {
        let pins = self.pins()?;
        Ok(looked_at(&self.state, pin::KIND, || self.open())?.map(|_| pins))
    }

    /// What there is of a kind. Nothing is made for who only looks.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn listing(&self, kind: &'static str) -> anyhow::Result<Listing> {
        listing(looked_at(&self.state, kind, || self.open())?, kind)
    }

    /// Its path, for what opens it when it is needed.
    pub(crate) fn folder(&self) -> &Path {
        &self.state
    }

    /// Whether the module reads it too: what is done elsewhere is not for this host's log.
    pub(crate) fn is_the_modules(&self) -> bool {
        self.state == Path::new(STATE)
    }
}

impl Runtime {
    /// Opens it.
    ///
    /// # Errors
    /// Names the folder, and says what to do.
    pub(crate) fn open(&self) -> anyhow::Result<Store> {
        allowed(&self.runtime, RUNTIME)?;
        Store::open_until_boot(&self.runtime).map_err(anyhow::Error::msg)
    }

    /// As [`State::listing`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn listing(&self, kind: &'static str) -> anyhow::Result<Listing> {
        listing(looked_at(&self.runtime, kind, || self.open())?, kind)
    }

    /// As [`State::is_the_modules`].
    pub(crate) fn is_the_modules(&self) -> bool {
        self.runtime == Path::new(RUNTIME)
    }
}

/// The folder, opened with all its checks where there is one; None where it is not there, or nothing of the kind in it.
fn looked_at(
    folder: &Path,
    kind: &str,
    open: impl FnOnce() -> anyhow::Result<Store>,
) -> anyhow::Result<Option<Store>> {
    let is_there = |path: &Path| {
        // What keeps us from seeing it is for the checks to say.
        fs::symlink_metadata(path).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
    };
    if !is_there(folder) {
        return Ok(None);
    }
    let store = open()?;
    Ok(is_there(&folder.join(kind)).then_some(store))
}

fn listing(store: Option<Store>, kind: &'static str) -> anyhow::Result<Listing> {
    store.map_or_else(|| Ok(Listing::default()), |store| store.each(kind).map_err(anyhow::Error::msg))
}

/// Records belong to whoever logs people in. What root writes into another user's folder, that user cannot read.
fn allowed(folder: &Path, the_modules: &str) -> anyhow::Result<()> {
    if folder == Path::new(the_modules) && !geteuid().is_root() {
        bail!("{the_modules} is root's alone: run this as root");
    }
    let owner = fs::symlink_metadata(folder).map_or(geteuid(), |meta| Uid::from_raw(meta.uid()));
    if owner.is_root() || owner == geteuid() {
        return Ok(());
    }
    let shown = folder.display();
    match User::from_uid(owner) {
        Ok(Some(user)) => bail!(
            "{shown} belongs to {name}: run this as {name}:\nrunuser -u {name} -- {command}",
            name = user.name,
            command = command_line(std::env::args_os())
        ),
        _ => bail!("{shown} belongs to the user {owner}, who has no name on this host: run this as that one"),
    }
}

/// What was typed, for a shell.
pub(crate) fn command_line(arguments: impl Iterator<Item = OsString>) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    let quoted = |word: OsString| {
        let word = word.to_string_lossy().into_owned();
        let plain = !word.is_empty() && word.chars().all(is_plain);
        if plain { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    arguments.map(quoted).collect::<Vec<_>>().join(" ")
}

/// What a listing of records takes.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print one line of JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) runtime: Runtime,
}

/// What removing records takes.
#[derive(Debug, Args)]
pub(crate) struct Clear {
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// Print one line of JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) runtime: Runtime,
}

/// How removing records ends.
pub(crate) const CLEARED: &str =
    "Exit codes: 0 cleared, 1 there were none or some are in use, 2 could not try.";

/// Whose records are to go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// Those of this account
    user: Option<UserName>,
    /// Everybody's, and what cannot be read
    #[arg(long)]
    all: bool,
}

/// What became of records, as JSON.
#[derive(Serialize)]
struct Cleared<'a> {
    /// Absent where everybody's were meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    cleared: usize,
    in_use: usize,
}

impl Whose {
    /// The one user; None where everybody is meant.
    pub(crate) fn name(&self) -> Option<&str> {
        self.user.as_ref().map(UserName::as_str)
    }

    /// Whether a record of this user goes; None is a record that nobody can read.
    pub(crate) fn means(&self, user: Option<&str>) -> bool {
        self.all || (user.is_some() && user == self.name())
    }

    /// Says what became of them. That there were none of one user is a no: the name may be mistyped.
    ///
    /// # Errors
    /// As [`out::data`] has them.
    pub(crate) fn told(&self, removed: Removed, what: &str, json: bool) -> anyhow::Result<Exit> {
        let Removed { removed, busy } = removed;
        if json {
            out::json(&Cleared { user: self.name(), cleared: removed, in_use: busy })?;
        } else {
            let whose = self.name().unwrap_or("everybody");
            out::data(&format!("{whose}: {what} cleared: {removed}\n"))?;
        }
        if busy > 0 {
            out::say("some are in use by a login and still there: try again");
        }
        Ok(Exit::of(busy == 0 && (removed > 0 || self.all)))
    }
}

/// Prints what was found in a folder, each as a line or all as one line of JSON under `name`. `none` says on standard
/// error that there is nothing.
///
/// # Errors
/// As [`out::data`] has them.
pub(crate) fn show<T: Serialize>(
    listed: &[T],
    json: bool,
    name: &str,
    line: impl Fn(&T) -> String,
    none: &str,
) -> anyhow::Result<()> {
    if json {
        return out::json(&BTreeMap::from([(name, listed)]));
    }
    if listed.is_empty() {
        out::say(none);
    }
    out::data(&listed.iter().map(|one| line(one) + "\n").collect::<String>())
}

/// Warns of what was not listed: so many of its records are none that we know, and others cannot be read at all.
pub(crate) fn complete(listing: &Listing, unknown: usize) -> Exit {
    listing.unreadable.iter().for_each(|why| out::say(&format!("warning: {why}")));
    if unknown > 0 {
        out::say(&format!("warning: records that are damaged, or of another version: {unknown}"));
    }
    if listing.more {
        out::say("warning: there are more than are listed here");
    }
    Exit::of(unknown == 0 && listing.unreadable.is_empty() && !listing.more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_again() {
        let words = ["mobileidctl", "serial", "forget", "cn=o'neill m,ou=x", "", "$HOME"];
        assert_eq!(
            command_line(words.into_iter().map(OsString::from)),
            r"mobileidctl serial forget 'cn=o'\''neill m,ou=x' '' '$HOME'"
        );
    }
}
