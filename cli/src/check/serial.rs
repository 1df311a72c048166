//! Which serial numbers signatures must have, and where those are kept.

use std::path::Path;

use mobileid::{
    config::SerialPolicy,
    directory::{Directory, Kind},
    driver::pins::Pins,
    load::Setup,
    memory::STATE,
};
use serde::Serialize;

/// The policy, and a sentence per directory.
#[derive(Serialize)]
pub(super) struct SerialFacts {
    policy: &'static str,
    folder: &'static str,
    directories: Vec<String>,
}

/// Whether what logins keep can be kept. A folder that is missing is made by the first of them.
pub(super) fn usable(policy: SerialPolicy) -> Result<(), String> {
    let folder = Path::new(STATE);
    if policy == SerialPolicy::Ignore || !folder.exists() { Ok(()) } else { Pins::at(folder).check() }
}

impl SerialFacts {
    pub(super) fn of(setup: &Setup) -> Self {
        let directories = match setup.config.serial {
            SerialPolicy::Ignore => Vec::new(),
            _ => setup.directories.iter().map(place).collect(),
        };
        Self { policy: setup.config.serial.name(), folder: STATE, directories }
    }

    pub(super) fn in_words(&self) -> Vec<String> {
        let mut lines = vec![self.policy.to_owned()];
        lines.extend(self.directories.iter().cloned());
        lines
    }
}

fn place(directory: &Directory) -> String {
    let name = &directory.name;
    let of_entry = match &directory.kind {
        Kind::Ldap(ldap) => match (&ldap.attributes.serial, ldap.write_serial) {
            (Some(attribute), true) => {
                return format!("{name}: {attribute}, and there the first one is written");
            }
            (Some(attribute), false) => attribute,
            (None, _) => return format!("{name}: {STATE}"),
        },
        Kind::File(_) | Kind::Command(_) => "serial",
    };
    format!("{name}: {of_entry} of the entry, else {STATE}")
}
