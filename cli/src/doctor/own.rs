//! Our own configuration, as far as it decides what is wrong elsewhere: how long a login may take, where it connects
//! to, whom it knows.

use std::{fs, io, io::ErrorKind::NotFound, path::Path, time::Duration};

use mobileid::{
    config::Mistakes,
    load::{self, Setup},
    policy,
};
use nix::{errno::Errno, unistd::geteuid};

use super::finding::{Finding, Kind, Severity};

/// The defaults' deadline, where the configuration is not known.
const DEADLINE: Duration = Duration::from_secs(90);

/// What of our own configuration matters here.
pub(crate) struct Own {
    pub(crate) deadline: Duration,
    /// Where the module connects to first.
    pub(crate) port: Option<u16>,
    /// None where it cannot be used.
    pub(crate) setup: Option<Setup>,
}

/// Who wants the configuration to be sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A stack has the module: people log in by it.
    Logins,
    /// The administrator has named the file.
    Named,
    /// Nobody yet: a file that is not there either is no news.
    Nobody,
}

impl Own {
    pub(crate) fn read(config: &Path, need: Need) -> (Self, Option<Finding>) {
        match load::load(config) {
            Ok(setup) => {
                let service = &setup.connection.service;
                let first = setup.connection.proxy.as_ref().map_or(service, |proxy| &proxy.endpoint);
                let (deadline, port) = (policy::longest(&setup.config), Some(first.port));
                (Self { deadline, port, setup: Some(setup) }, None)
            }
            Err(mistakes) => {
                let is_there = fs::symlink_metadata(config).map_or_else(|e| e.kind() != NotFound, |_| true);
                let finding = (need != Need::Nobody || is_there).then(|| {
                    let is_closed = !geteuid().is_root() && is_closed_to_us(&mistakes);
                    let place = config.display().to_string();
                    if is_closed { not_read(&place) } else { unusable(&place, need) }
                });
                (Self { deadline: DEADLINE, port: None, setup: None }, finding)
            }
        }
    }
}

/// Whether it is us who may not read it: of what a login reads, nothing is known then.
fn is_closed_to_us(mistakes: &Mistakes) -> bool {
    let denied = io::Error::from(Errno::EACCES).to_string();
    mistakes.0.iter().any(|mistake| mistake.what.contains(&denied))
}

fn not_read(place: &str) -> Finding {
    let what = "not examined: it, or a file that it names, is closed to whoever runs this (90 s are taken for its deadline)";
    Finding::new(Kind::NotExamined, place, what, "run it as root")
}

fn unusable(place: &str, need: Need) -> Finding {
    let remedy = "mobileidctl check says why";
    if need == Need::Logins {
        let what = "the configuration cannot be used: the module refuses everybody (90 s are taken for its deadline)";
        return Finding::new(Kind::ConfigUnusable, place, what, remedy);
    }
    let what = "the configuration cannot be used: once a service has the module, it would refuse everybody";
    Finding::new(Kind::ConfigUnusable, place, what, remedy).with_severity(Severity::Warning)
}

#[cfg(test)]
mod tests {
    use mobileid::config::Mistake;

    use super::*;

    #[test]
    fn a_file_that_is_closed_to_us_is_no_mistake_in_it() {
        let mistakes = |what: &str| {
            let of = |what: &str| Mistake {
                file: String::new(),
                line: None,
                key: String::new(),
                what: what.into(),
            };
            Mistakes(vec![of("is missing"), of(what)])
        };
        assert!(!is_closed_to_us(&mistakes("cannot be read: No such file or directory (os error 2)")));
        assert!(is_closed_to_us(&mistakes("cannot be read: Permission denied (os error 13)")));
    }

    #[test]
    fn it_is_as_bad_as_who_needs_it() {
        let found =
            |need| Own::read(Path::new("/nowhere/mobileid.toml"), need).1.map(|finding| finding.severity);
        assert_eq!(found(Need::Logins), Some(Severity::Error));
        assert_eq!(found(Need::Named), Some(Severity::Warning));
        assert_eq!(found(Need::Nobody), None);
    }
}
