//! `mobileidctl check`: reads everything that a login reads, as a login reads it, and names every mistake.
//! What would work but should not stay so is a warning.

pub(crate) mod anchors;
pub(crate) mod client;
mod directories;
mod pam;
mod serial;
mod srs;

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use mobileid::{
    config::{FileConfig, KindFile, Located, Mistake, Unenrolled},
    directory::Kind,
    driver::{https::Https, ldap, srs::Desk},
    load::{Registration, Setup, Written},
};
use serde::Serialize;

use crate::{
    Common, Exit, out,
    progress::{Progress, USER_DATABASE},
};
use anchors::{AnchorFacts, is_swisscoms};
use client::ClientFacts;
use directories::{DirectoryFacts, entered};
use pam::PamFacts;
use serial::SerialFacts;
use srs::SrsFacts;

/// Checks the configuration and all files it names; asks nobody
#[derive(Debug, Args)]
#[command(after_help = "\
Reads what a login reads, as a login reads it: owners and modes of the files,
keys, numbers, certificates. Each mistake is named with file, line and key.

Exit codes: 0 sound, 1 not (with --strict: or a warning), 2 unusable arguments.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Take warnings for mistakes
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let waiting = Progress::unless(arguments.common.json).wait("accounts and groups of [pam]", USER_DATABASE);
    let report = Report::of(&arguments.common.config, SystemTime::now());
    drop(waiting);
    let sound = report.is_sound() && (report.warnings.is_empty() || !arguments.strict);
    if arguments.common.json {
        out::json(&report.as_json(sound))?;
    } else {
        report.tell()?;
    }
    Ok(Exit::of(sound))
}

/// What was found.
#[derive(Default)]
pub(crate) struct Report {
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    facts: Option<Facts>,
}

/// What a sound configuration comes to. No number, no password, no key.
#[derive(Serialize)]
struct Facts {
    ap_id: String,
    dtbd_prefix: String,
    service: String,
    server_name: String,
    server_roots: usize,
    proxy: Option<String>,
    profile: &'static str,
    language: &'static str,
    users: usize,
    directories: Vec<DirectoryFacts>,
    unenrolled: &'static str,
    serial: SerialFacts,
    evidence: Option<PathBuf>,
    client_certificate: Option<ClientFacts>,
    anchors: Vec<AnchorFacts>,
    pam: PamFacts,
    registration: Option<SrsFacts>,
}

impl Report {
    pub(crate) fn of(path: &Path, now: SystemTime) -> Self {
        // A login does not look at [srs]; what is wrong there shall be known before somebody is to be enrolled.
        let read = Written::read(path).and_then(|written| {
            let (setup, registration) = (written.setup()?, written.registration()?);
            Ok((Places { name: written.shown, file: written.file }, setup, registration))
        });
        match read {
            Ok((places, setup, registration)) => Self::of_setup(&places, &setup, registration.as_ref(), now),
            Err(mistakes) => Self { mistakes: mistakes.0, ..Self::default() },
        }
    }

    fn of_setup(
        places: &Places,
        setup: &Setup,
        registration: Option<&Registration>,
        now: SystemTime,
    ) -> Self {
        let mut report = Self::default();
        if let Err(unusable) = Https::new(&setup.connection) {
            report.mistakes.push(places.of_unusable(&unusable.to_string()));
        }
        if let Some(Err(unusable)) = registration.map(Desk::new) {
            report.mistakes.push(places.of_unusable(&unusable.to_string()));
        }
        for (name, unusable) in setup.directories.ldap().map(|(name, ldap)| (name, ldap::ready(ldap))) {
            if let Err(unusable) = unusable {
                report.mistakes.push(places.of_unusable(&format!("{unusable} (directory {name})")));
            }
        }
        if let Err(why) = serial::usable(setup.config.serial) {
            report.mistakes.push(places.whole("signature.serial", why));
        }
        let client_certificate = report.client(places, setup, now);
        let anchors = report.anchors(places, setup, now);
        for (written, directory) in places.file.directories.iter().zip(setup.directories.iter()) {
            let (KindFile::File(at), Kind::File(table)) = (&written.kind, &directory.kind) else { continue };
            if table.is_empty() && setup.directories.iter().count() == 1 {
                // With "allow" an empty table is a mistake, and this is not reached.
                report.warn(at, places, "nobody is entered: nobody can log in");
            }
        }
        let config = &setup.config;
        if config.unenrolled == Unenrolled::Allow {
            let what = "is \"allow\": whom no directory knows is let in without a phone";
            report.warnings.push(places.whole("users.unenrolled", what.to_owned()));
        }
        let (pam, findings) = pam::look(&setup.pam);
        report.warnings.extend(findings.into_iter().map(|found| places.whole(found.key, found.what)));
        let connection = &setup.connection;
        report.facts = report.mistakes.is_empty().then(|| Facts {
            ap_id: config.ap.ap_id.clone(),
            dtbd_prefix: config.prefix.to_string(),
            service: connection.service.to_string(),
            server_name: connection.server_name.clone(),
            server_roots: connection.server_roots.len(),
            proxy: connection.proxy.as_ref().map(|p| p.endpoint.to_string()),
            profile: config.profile.uri(),
            language: config.language.wire(),
            users: setup.directories.iter().map(entered).sum(),
            directories: setup.directories.iter().map(DirectoryFacts::of).collect(),
            unenrolled: match config.unenrolled {
                Unenrolled::Deny => "deny",
                Unenrolled::Allow => "allow",
            },
            serial: SerialFacts::of(setup),
            evidence: setup.evidence.clone(),
            client_certificate,
            anchors,
            pam,
            registration: registration.map(SrsFacts::of),
        });
        report
    }

    fn client(&mut self, places: &Places, setup: &Setup, now: SystemTime) -> Option<ClientFacts> {
        let at = &places.file.client_cert;
        let connection = &setup.connection;
        let (facts, findings) = client::look(&connection.client_cert, connection.client_cert_count, now);
        findings.into_iter().for_each(|what| self.warn(at, places, what));
        facts
    }

    fn anchors(&mut self, places: &Places, setup: &Setup, now: SystemTime) -> Vec<AnchorFacts> {
        setup
            .config
            .anchors
            .iter()
            .map(|anchor| {
                let (facts, mut findings) = anchors::look(anchor, now);
                if facts.published.is_none() && is_swisscoms(&setup.connection.server_name) {
                    let what =
                        "is none of Swisscom's published roots: whoever has its key can confirm every login";
                    findings.push(format!("{} {what}", facts.subject));
                }
                for what in findings {
                    self.warnings.push(places.whole("signature.trust", what));
                }
                facts
            })
            .collect()
    }

    fn warn(&mut self, at: &Located<PathBuf>, places: &Places, what: impl Into<String>) {
        let warning = Mistake { line: Some(at.line), ..places.whole(&at.key, what.into()) };
        self.warnings.push(warning);
    }

    /// Whether a login could work with it.
    pub(crate) fn is_sound(&self) -> bool {
        self.mistakes.is_empty()
    }

    pub(crate) fn tell(&self) -> anyhow::Result<()> {
        if let Some(facts) = &self.facts {
            out::data(&facts.in_words())?;
        }
        for mistake in &self.mistakes {
            out::say(&mistake.to_string());
        }
        for warning in &self.warnings {
            out::say(&format!("warning: {warning}"));
        }
        if self.mistakes.is_empty() {
            let warnings = match self.warnings.len() {
                0 => "no warnings".to_owned(),
                1 => "1 warning".to_owned(),
                count => format!("{count} warnings"),
            };
            out::say(&format!("sound, with {warnings}"));
        }
        Ok(())
    }

    pub(crate) fn as_json(&self, sound: bool) -> Line<'_> {
        Line {
            verdict: if sound { "sound" } else { "unsound" },
            mistakes: self.mistakes.iter().map(Finding::of).collect(),
            warnings: self.warnings.iter().map(Finding::of).collect(),
            found: self.facts.as_ref(),
        }
    }
}

/// The report as JSON.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    verdict: &'static str,
    mistakes: Vec<Finding<'a>>,
    warnings: Vec<Finding<'a>>,
    found: Option<&'a Facts>,
}

#[derive(Serialize)]
struct Finding<'a> {
    file: &'a str,
    line: Option<usize>,
    key: &'a str,
    what: &'a str,
}

impl<'a> Finding<'a> {
    fn of(mistake: &'a Mistake) -> Self {
        Self { file: &mistake.file, line: mistake.line, key: &mistake.key, what: &mistake.what }
    }
}

impl Facts {
    fn in_words(&self) -> String {
        let mut lines = Vec::new();
        let mut line = |name: &str, value: &str| lines.push(format!("{name:<14}{value}"));
        line("AP_ID", &self.ap_id);
        line("prefix", &format!("\"{}\"", self.dtbd_prefix));
        line("service", &self.service);
        line("server name", &self.server_name);
        line("server roots", &self.server_roots.to_string());
        line("proxy", self.proxy.as_deref().unwrap_or("none"));
        line("profile", self.profile);
        line("language", self.language);
        for directory in &self.directories {
            line("directory", &directory.in_words());
        }
        line("unenrolled", self.unenrolled);
        for (at, what) in self.serial.in_words().iter().enumerate() {
            line(if at == 0 { "serial" } else { "" }, what);
        }
        let evidence = self.evidence.as_ref().map(|folder| folder.display().to_string());
        line("evidence", evidence.as_deref().unwrap_or("not kept"));
        for (at, what) in self.pam.in_words().iter().enumerate() {
            line(if at == 0 { "PAM" } else { "" }, what);
        }
        let registration = self.registration.as_ref().map(SrsFacts::in_words);
        for (name, what) in ["registration", ""].iter().zip(registration.iter().flatten()) {
            line(name, what);
        }
        if let Some(client) = &self.client_certificate {
            line("client", &client.subject);
            line("", &format!("{}, until {}", client.key, client.until));
            line("", &format!("SHA-256 {}", client.sha256));
        }
        for anchor in &self.anchors {
            line("anchor", &anchor.subject);
            line("", &format!("until {}, {}", anchor.until, anchor.published.unwrap_or("not Swisscom's")));
            line("", &format!("SHA-256 {}", anchor.sha256));
        }
        lines.join("\n")
    }
}

/// Where in the configuration file things were written.
struct Places {
    name: String,
    file: FileConfig,
}

impl Places {
    fn whole(&self, key: &str, what: String) -> Mistake {
        Mistake { file: self.name.clone(), line: None, key: key.to_owned(), what }
    }

    /// The driver's words start with the key to mend.
    fn of_unusable(&self, text: &str) -> Mistake {
        let (key, what) = text.split_once(": ").unwrap_or(("", text));
        let known = [&self.file.client_key, &self.file.client_cert];
        let line = known.iter().find(|at| key.contains(&at.key)).map(|at| at.line);
        Mistake { line, ..self.whole(key, what.to_owned()) }
    }
}
