//! Who is who, where somebody has to be asked: each directory in its order, within the time of the login.

use std::time::{Instant, SystemTime};

use super::{ldap, socket::Tick};
use crate::{
    directory::{Directories, Lookup, Remote},
    subscriber::UserName,
};

/// The host has given the login up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp;

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
    directories.lookup(user, |remote| match remote {
        Remote::Ldap(directory) => ldap::lookup(directory, user, tick, deadline, SystemTime::now()),
    })
}
