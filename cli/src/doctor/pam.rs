//! The PAM files: where is the module in each service's stack, and what does the stack do with its verdict?

mod file;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

pub(crate) use super::finding::quoted;
use super::finding::{Finding, Kind};
pub(crate) use file::Files;
use file::{Line, Stack};
use walk::Event;

/// The services that people log in by; a host has them all or says why not. A second name stands after the first.
pub(crate) const SERVICES: [&str; 6] = ["sshd", "sudo", "sudo-i", "su", "su-l", "login"];
/// The second names of services, for a login shell: of which, and how they are reached.
const SECOND_NAMES: [(&str, &str, &str); 2] = [("sudo-i", "sudo", "sudo -i"), ("su-l", "su", "su -")];
const SSHD: &str = "sshd";
const FILE: &str = "pam_mobileid.so";
/// What `cargo build` names it.
const BUILT: &str = "libpam_mobileid.so";

/// Where modules are.
pub(crate) struct Modules<'a> {
    /// The folder that PAM takes a bare name from; none where it was not found.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
}

/// What the PAM files come to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// Services whose stack was read.
    pub(crate) services: Vec<String>,
    /// Those of them that use the module.
    pub(crate) guarded: BTreeSet<String>,
    /// What sshd's stack has of us.
    pub(crate) sshd: Option<Sshd>,
}

/// Our line in sshd's stack, for the examination of sshd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sshd {
    pub(crate) place: String,
    /// The configuration that the line names.
    pub(crate) config: Option<PathBuf>,
    /// Whether the stack asks for nothing before the phone: then a key must come first.
    pub(crate) asks_phone_alone: bool,
}

/// Examines the services that people log in by, `of_sudo` among them, and of `others` those that use the module and
/// that no file includes.
pub(crate) fn examine(
    files: &impl Files,
    of_sudo: &BTreeSet<String>,
    others: &[String],
    modules: &Modules<'_>,
) -> Report {
    let logins: BTreeSet<&str> = SERVICES.into_iter().chain(of_sudo.iter().map(String::as_str)).collect();
    let mut stacks: BTreeMap<&str, Stack> = BTreeMap::new();
    let mut report = Report::default();
    let names: BTreeSet<&str> = logins.iter().copied().chain(others.iter().map(String::as_str)).collect();
    for name in names {
        match Stack::read(files, name) {
            Ok(Some(stack)) => {
                stacks.insert(name, stack);
            }
            Ok(None) => {}
            Err(why) => {
                let what = format!("the PAM file could not be read: {}", quoted(&why));
                report.findings.push(not_examined(name, &what));
            }
        }
    }
    let included: BTreeSet<String> = stacks.values().flat_map(|stack| stack.included.clone()).collect();
    for (name, stack) in &stacks {
        let known = logins.contains(name);
        if known || (!walk::ours(&stack.steps).is_empty() && !included.contains(*name)) {
            report.service(name, stack, modules);
        }
    }
    report
}

fn not_examined(place: &str, what: &str) -> Finding {
    Finding::new(Kind::NotExamined, place, what, "run it as root, or look yourself")
}

impl Report {
    fn find(&mut self, kind: Kind, place: &str, what: &str, remedy: &str) {
        let finding = Finding::new(kind, place, what, remedy);
        // A file that several services include has its mistakes once.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn service(&mut self, name: &str, stack: &Stack, modules: &Modules<'_>) {
        self.services.push(name.to_owned());
        for (place, why) in &stack.broken {
            let what = format!("PAM refuses everybody in this service, because {why}");
            self.find(Kind::PamFileBroken, place, &what, "correct the line, with a root shell open");
        }
        let ours = walk::ours(&stack.steps);
        let Some(first) = ours.first() else {
            let twin = SECOND_NAMES.iter().find(|(second, _, _)| *second == name);
            if let Some((_, first, command)) = twin.filter(|(_, first, _)| self.guarded.contains(*first)) {
                let what =
                    format!("{first} asks the phone, but {command}, which is the service {name}, does not");
                let remedy = format!("the module's line in /etc/pam.d/{name} too, after its first factor");
                return self.find(Kind::SecondNameWithoutMobileid, name, &what, &remedy);
            }
            let what = format!("the service {} does not ask the phone", quoted(name));
            let remedy =
                "where one should ask it: \"auth required pam_mobileid.so\" after the service's first factor";
            return self.find(Kind::ServiceWithoutMobileid, name, &what, remedy);
        };
        self.guarded.insert(name.to_owned());
        for line in &ours {
            self.module(line, modules);
            self.arguments(line);
        }
        let events = walk::walk(&stack.steps);
        if name == SSHD {
            self.sshd = Some(Sshd {
                place: first.place.clone(),
                config: config_of(first),
                asks_phone_alone: events.contains_key(&Event::NoFirstFactor),
            });
        }
        for (event, place) in &events {
            // Whether a key comes first in ssh, sshd's own configuration tells.
            if !(name == SSHD && *event == Event::NoFirstFactor) {
                self.event(name, *event, place);
            }
        }
    }

    fn event(&mut self, service: &str, event: Event, place: &str) {
        let service = quoted(service);
        match event {
            Event::NoFirstFactor => self.find(
                Kind::NoFirstFactor,
                place,
                &format!("in the service {service} the phone is all that is asked for"),
                "put the line after the one that checks the password, e.g. after \"@include common-auth\"",
            ),
            Event::AfterFailure => self.find(
                Kind::PushAfterWrongPassword,
                place,
                &format!("in the service {service} a wrong password rings the phone too"),
                "write \"requisite\" for \"required\" before it, and \"include\" for \"substack\"",
            ),
            Event::Twice => self.find(
                Kind::ModuleTwice,
                place,
                &format!("in the service {service} one login rings the phone twice"),
                "take one of the lines out",
            ),
            Event::RefusalIgnored => self.find(
                Kind::RefusalIgnored,
                place,
                &format!("in the service {service} a refusal on the phone does not keep anybody out"),
                "write \"required\" as the line's control value",
            ),
            Event::Skipped => self.find(
                Kind::ModuleSkipped,
                place,
                &format!("in the service {service} the right password ends the stack before the phone is asked"),
                "no line before it may end the stack: \"requisite\" for \"sufficient\", and no jump beyond it",
            ),
        }
    }

    fn module(&mut self, line: &Line, modules: &Modules<'_>) {
        let named = Path::new(&line.module);
        let looked_for = match (&modules.folder, named.is_absolute()) {
            (_, true) => named.to_owned(),
            (Some(folder), false) => folder.join(named),
            (None, false) => {
                let what =
                    "the folder of PAM's modules was not found: whether the module is there is not known";
                return self.findings.push(not_examined(&line.place, what));
            }
        };
        if (modules.exists)(&looked_for) {
            return;
        }
        let shown = quoted(&looked_for.to_string_lossy());
        let proper = modules.folder.as_ref().map(|folder| folder.join(FILE));
        match proper {
            Some(proper) if (modules.exists)(&proper) => self.find(
                Kind::ModulePath,
                &line.place,
                &format!("the line names {shown}, which is not there; the service refuses everybody"),
                "write pam_mobileid.so, which is installed",
            ),
            proper => {
                let proper = proper.unwrap_or_else(|| looked_for.clone());
                self.find(
                    Kind::ModuleMissing,
                    &line.place,
                    &format!("{shown} is not there; the service refuses everybody"),
                    &format!("install {BUILT} as {}, mode 0644", quoted(&proper.to_string_lossy())),
                );
            }
        }
    }

    /// As the module reads them: what it does not understand it refuses, and with it every login.
    fn arguments(&mut self, line: &Line) {
        let (mut debug, mut config) = (0, 0);
        for argument in &line.arguments {
            match argument.strip_prefix("config=") {
                Some(path) if path.starts_with('/') => config += 1,
                None if argument == "debug" => debug += 1,
                _ => {
                    let what = format!("the module does not take {} and refuses everybody", quoted(argument));
                    let remedy = "its arguments are config=/PATH and debug, each once";
                    return self.find(Kind::ModuleArguments, &line.place, &what, remedy);
                }
            }
        }
        if debug > 1 || config > 1 {
            let what = "an argument is there twice: the module refuses everybody";
            self.find(Kind::ModuleArguments, &line.place, what, "leave each argument there once");
        }
    }
}

fn config_of(line: &Line) -> Option<PathBuf> {
    line.arguments.iter().find_map(|argument| argument.strip_prefix("config=")).map(PathBuf::from)
}

#[cfg(test)]
mod tests;
