//! Who is who, where somebody has to be asked: each directory in its order, within the time of the login. And where the
//! serial number of a first signature is kept: in the directory that keeps them itself, or on this host.

use std::time::{Instant, SystemTime};

#[cfg(feature = "store")]
use super::pins::Pins;
use super::{command, ldap, socket::Tick};
use crate::{
    directory::{self, Directories, Directory, Lookup, Remote, WhenUnavailable},
    subscriber::{SerialNumber, UserName},
    text,
};
#[cfg(feature = "store")]
use crate::{
    login::{Pin, Pinned},
    memory::pin::By,
};

/// Keeps the serial number of a first signature, where the person's directory keeps it; answers after the deadline at
/// the latest.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
#[cfg(feature = "store")]
pub fn pin(
    directories: &Directories,
    pins: &Pins,
    pin: &Pin,
    by: By,
    tick: &Tick,
    deadline: Instant,
) -> Result<Pinned, GivenUp> {
    let pinned = match directories.keeper(&pin.entry.directory) {
        Some(directory) => ldap::pin(directory, pin, tick, deadline)?,
        None => return Ok(pins.keep(pin, by, SystemTime::now())),
    };
    Ok(match pinned {
        Pinned::Unavailable(why) => Pinned::Unavailable(format!("{}: {why}", pin.entry.directory)),
        other => other,
    })
}

/// Changes the serial number of a user in the directory of this name, or takes it away; None where that directory keeps
/// none itself.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn change(
    directories: &Directories,
    name: &str,
    user: &UserName,
    to: Option<&SerialNumber>,
    tick: &Tick,
    deadline: Instant,
) -> Result<Option<ldap::Changed>, GivenUp> {
    let keeper = directories.keeper(name);
    keeper.map(|directory| ldap::change(directory, user, to, tick, deadline)).transpose()
}

/// The host has given the login up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp;

/// What the administrator is told of a directory that was away and passed over: the login goes on without what it knows.
#[must_use]
pub fn passed_over(directory: &Directory, answer: &directory::Answer, user: &UserName) -> Option<String> {
    let directory::Answer::Away(why) = answer else { return None };
    let (name, user) = (&directory.name, text::escaped(&user.to_string(), 256));
    let line =
        || format!("directory {name} is away and passed over, for {user}: {}", text::foreign(why, 600));
    (directory.unavailable == WhenUnavailable::Next).then(line)
}

/// Looks a user up; answers after the deadline at the latest.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn lookup(
    directories: &Directories,
    user: &UserName,
    tick: &Tick,
    deadline: Instant,
) -> Result<Lookup, GivenUp> {
    lookup_told(directories, user, tick, deadline, |_, _| {})
}

/// The same; `told` hears what each directory that was asked has answered.
///
/// # Errors
/// As [`lookup`].
pub fn lookup_told(
    directories: &Directories,
    user: &UserName,
    tick: &Tick,
    deadline: Instant,
    told: impl FnMut(&Directory, &directory::Answer),
) -> Result<Lookup, GivenUp> {
    let ask = |remote: Remote<'_>| match remote {
        Remote::Ldap(directory) => ldap::lookup(directory, user, tick, deadline, SystemTime::now()),
        Remote::Command(program) => command::lookup(program, user, tick, deadline),
    };
    directories.lookup_told(user, ask, told)
}
