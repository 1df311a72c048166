//! A configuration on its way into use: read and prepared as a whole, then taken or refused as a whole.
//!
//! ```text
//!  SIGHUP ──> reread ──> a worker reads and prepares ──> Mail::Read ──> change ──┬── all of it: the next packet
//!             │                                                                  │   is read by the new settings
//!             └─ RELOADING=1                                         READY=1 <───┴── or nothing: sentences
//! ```
//!
//! What is pending keeps the settings that it began with, its engine included, and its answers leave by the listener
//! that they are owed to, for as long as that is there.

use std::{fmt, io, path::Path, sync::Arc, time::SystemTime};

use mobileid::{
    config::{Mistakes, SerialPolicy},
    driver::{ldap, pins::Pins},
    verify::expiry,
};
use zeroize::Zeroizing;

use super::{Daemon, addresses};
use crate::{
    audit::Sink,
    config::{self, Settings, is_of_another},
    driver::Engine,
    learnt::Book,
    metrics::{Bound, Certificate, Port},
    scribe::Entry,
    server::Level,
};

/// A configuration that was read, with what it takes to use it.
#[derive(Debug)]
pub struct Plan {
    pub(super) settings: Arc<Settings>,
    pub(super) engine: Engine,
    pub(super) sink: Sink,
    pub(super) certificates: Vec<Certificate>,
}

/// Why a configuration is not used: sentences for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<String>);

impl Refused {
    pub(super) fn one(why: impl fmt::Display) -> Self {
        Self(vec![why.to_string()])
    }

    pub(super) fn metrics(error: io::Error) -> Self {
        Self::one(format_args!("the port for metrics: {error}"))
    }
}

impl From<Mistakes> for Refused {
    fn from(mistakes: Mistakes) -> Self {
        Self(mistakes.0.iter().map(ToString::to_string).collect())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Refused {}

impl Plan {
    /// Reads a configuration, and prepares what can be prepared without changing anything.
    ///
    /// # Errors
    /// All mistakes.
    pub fn read(config: &Path) -> Result<Self, Refused> {
        let settings = config::load(config)?;
        state(&settings)?;
        let engine = engine(&settings)?;
        let sink = Sink::open(&settings.audit).map_err(Refused::one)?;
        let certificates = certificates(&settings);
        Ok(Self { settings: Arc::new(settings), engine, sink, certificates })
    }

    /// Reads a configuration as [`Self::read`] does, but opens nothing that this would create; gives the warnings.
    ///
    /// # Errors
    /// All mistakes.
    pub fn check(config: &Path) -> Result<Vec<String>, Refused> {
        let settings = config::load_to_check(config)?;
        engine(&settings)?;
        let mut warnings = settings.warnings();
        let left = |key: &str, folder: &Path| {
            let folder = folder.display();
            format!("{key}: {folder} belongs to the service's user, and is looked at when it starts")
        };
        if let Some(folder) = settings.audit.folder().filter(|folder| is_of_another(folder)) {
            warnings.push(left("audit", folder));
        }
        if is_of_another(&settings.state_dir) {
            warnings.push(left("state_dir", &settings.state_dir));
        } else {
            state(&settings)?;
            Book::read(&settings.state_dir).map_err(Refused::one)?;
        }
        Sink::check(&settings.audit).map_err(Refused::one)?;
        Ok(warnings)
    }
}

/// Whether serial numbers can be kept: that they cannot is told now, and not to each person.
fn state(settings: &Settings) -> Result<(), Refused> {
    if settings.setup.config.serial == SerialPolicy::Ignore {
        return Ok(());
    }
    let usable = Pins::at(&settings.state_dir).check();
    usable.map_err(|why| Refused::one(format!("{why}; serial numbers are kept there (state_dir)")))
}

/// What runs logins.
fn engine(settings: &Settings) -> Result<Engine, Refused> {
    let pins = Pins::at(&settings.state_dir);
    for (name, directory) in settings.setup.directories.ldap() {
        ldap::ready(directory).map_err(|why| Refused::one(format_args!("{why} (directory {name})")))?;
    }
    Engine::new(&settings.setup.connection, pins).map_err(Refused::one)
}

impl Daemon {
    /// Has the configuration read again. One reading at a time: what is asked for meanwhile is covered by none.
    pub(super) fn reread(&mut self) {
        if self.ending.has_begun() {
            return;
        }
        if self.reading {
            self.read_again = true;
            return;
        }
        self.reading = true;
        self.notifier.reloading();
        self.scribe.log(Level::Info, "reads the configuration again");
        self.logins.read(self.config.clone());
    }

    /// Takes a configuration that was read, or says why not.
    pub(super) fn change(&mut self, plan: Result<Plan, Refused>) {
        self.reading = false;
        // Who was told that we end is not told that we are ready.
        if self.ending.has_begun() {
            return;
        }
        let taken = plan.and_then(|plan| self.take(plan));
        self.metrics.reloaded(SystemTime::now(), taken.is_ok());
        match taken {
            Ok(()) => {
                self.scribe.log(Level::Info, "the new configuration is in use");
                self.say_hello();
            }
            Err(Refused(mistakes)) => {
                for mistake in &mistakes {
                    self.scribe.log(Level::Error, mistake.as_str());
                }
                let what = "the new configuration was refused, and the old one stays in use";
                self.scribe.log(Level::Error, what);
                self.notifier.ready(what);
            }
        }
        if std::mem::take(&mut self.read_again) {
            self.reread();
        }
    }

    /// What can fail comes first; from there on nothing does.
    fn take(&mut self, plan: Plan) -> Result<(), Refused> {
        let Plan { settings, engine, sink, certificates } = plan;
        let opened = self.listeners.open(addresses(&settings)).map_err(Refused::one)?;
        let moves = settings.metrics != self.settings.metrics;
        let port =
            settings.metrics.filter(|_| moves).map(Bound::bind).transpose().map_err(Refused::metrics)?;
        for key in needs_restart(&self.settings, &settings) {
            self.scribe.log(Level::Warning, format!("{key} has changed, which takes effect with a restart"));
        }
        if moves {
            self.serve_port(port).map_err(Refused::metrics)?;
        }
        self.listeners.change_to(opened);
        self.logins.change_to(&settings, engine);
        self.server.reload(Arc::clone(&settings));
        self.scribe.note(Entry::Turn(sink));
        self.certificates = certificates;
        self.settings = settings;
        Ok(())
    }

    /// Serves metrics at this port from now on, or nowhere.
    pub(super) fn serve_port(&mut self, bound: Option<Bound>) -> io::Result<()> {
        let _workers = self.logins.workers().enter();
        self.port = bound.map(|bound| Port::serve(bound, self.ask.clone())).transpose()?;
        Ok(())
    }
}

/// The keys that have changed and that are looked at only at the start.
fn needs_restart(old: &Settings, new: &Settings) -> impl Iterator<Item = &'static str> {
    let key = |settings: &Settings| settings.state_key.as_ref().map(|key| Zeroizing::new(*key.expose()));
    let changed = [("state_dir", old.state_dir != new.state_dir), ("state_key_file", key(old) != key(new))];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key)
}

/// The certificates that logins depend on, and when they expire.
fn certificates(settings: &Settings) -> Vec<Certificate> {
    let setup = &settings.setup;
    let client = expiry(&setup.connection.client_cert);
    let client = client.map(|(subject, not_after)| Certificate { role: "client", subject, not_after });
    let anchors = setup.config.anchors.iter().map(|anchor| Certificate {
        role: "anchor",
        subject: anchor.subject().to_owned(),
        not_after: anchor.not_after(),
    });
    client.into_iter().chain(anchors).collect()
}
