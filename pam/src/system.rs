//! What the module needs of the world beside libpam: accounts, files, the clock, and the service.

#![forbid(unsafe_code)]

use std::{io, path::Path};

use mobileid::{
    config::Mistakes,
    driver::{
        Tick,
        blocking::{self, World},
        evidence,
    },
    load::{self, Setup},
    login::{Now, Request},
    outcome::{Outcome, Proof},
    subscriber::UserName,
};
use nix::{
    errno::Errno,
    unistd::{User, gethostname},
};

use crate::presence;

/// The world, as one login sees it.
pub(crate) trait System {
    /// Both clocks.
    fn now(&self) -> Now;

    /// The name of this host, as far as the first dot.
    fn host_name(&self) -> String;

    /// The account of that name, as the user database itself writes it: a directory may answer to other
    /// spellings too. None where there is no such account.
    fn account(&self, name: &UserName) -> Result<Option<UserName>, String>;

    /// Reads the configuration and all that it names.
    fn load(&self, config: &Path) -> Result<Setup, Mistakes>;

    /// What tells during a wait whether the person is still there.
    fn watch(&self, ssh_connection: Option<&str>) -> Tick;

    /// Runs the login to its end; an error is a configuration that cannot be used.
    fn run(&self, request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, String>;

    /// Keeps what proves an accepted login.
    fn keep(&self, folder: &Path, proof: &Proof) -> io::Result<()>;
}

/// The real one.
pub(crate) struct Live;

impl System for Live {
    fn now(&self) -> Now {
        blocking::now()
    }

    fn host_name(&self) -> String {
        let name = gethostname().unwrap_or_default();
        let name = name.to_string_lossy();
        match name.split('.').next() {
            Some(short) if !short.is_empty() => short.to_owned(),
            _ => "localhost".to_owned(),
        }
    }

    fn account(&self, name: &UserName) -> Result<Option<UserName>, String> {
        match User::from_name(name.as_str()) {
            Ok(Some(user)) => user.name.parse().map(Some).map_err(|e| format!("of the account: {e}")),
            // Some name services report a missing entry as an error (getpwnam_r(3)).
            Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
            Err(errno) => Err(format!("the user database of this host: {errno}")),
        }
    }

    fn load(&self, config: &Path) -> Result<Setup, Mistakes> {
        load::load(config)
    }

    fn watch(&self, ssh_connection: Option<&str>) -> Tick {
        presence::watch(ssh_connection)
    }

    fn run(&self, request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, String> {
        blocking::run(request, setup, world).map_err(|unusable| unusable.to_string())
    }

    fn keep(&self, folder: &Path, proof: &Proof) -> io::Result<()> {
        evidence::keep(folder, proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_told_from_none() {
        let root: UserName = "root".parse().unwrap();
        assert_eq!(Live.account(&root), Ok(Some(root)));
        assert_eq!(Live.account(&"no-such-account-here".parse().unwrap()), Ok(None));
    }

    #[test]
    fn the_host_has_a_short_name() {
        let name = Live.host_name();
        assert!(!name.is_empty() && !name.contains('.'), "{name}");
    }
}
