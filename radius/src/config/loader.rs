//! From the file as written to [`Settings`]: with what it names (`places.rs`), and its times held against the core's
//! (`times.rs`).

use std::{path::Path, sync::Arc};

use mobileid::{
    config::{Located, Mistakes, Unenrolled},
    load::{self, ConfigFile, Setup},
};

use super::{
    Client, FirstFactor, Settings,
    client::ClientDraft,
    factor::FactorDraft,
    file::File,
    upstream::UpstreamDraft,
    values::seconds,
    warnings::{self, Noted},
};
use crate::{clients::Clients, upstream::Upstream};

/// Loads `radiusd.toml` and all that it names, the core's configuration too.
///
/// # Errors
/// Every mistake of the file; or, where that is sound, every mistake of the files it names.
pub fn load(path: &Path) -> Result<Settings, Mistakes> {
    load_for(path, Reader::Service)
}

/// The same for root who only looks, at a configuration whose service runs as somebody else: what belongs to that user
/// is left to its start.
///
/// # Errors
/// As [`load`].
pub fn load_to_check(path: &Path) -> Result<Settings, Mistakes> {
    load_for(path, Reader::Visitor)
}

fn load_for(path: &Path, reader: Reader) -> Result<Settings, Mistakes> {
    let config = ConfigFile::read(path)?;
    let file = File::parse(&config.shown, config.text.expose())?;
    if file.holds_secret() {
        config.must_be_closed("it holds a shared secret")?;
    }
    let mut setup = load::load(&config.folder.join(&file.mobileid.value));
    if let (Ok(setup), Some(Unenrolled::Deny)) = (&mut setup, file.unenrolled.as_ref().map(|u| u.value)) {
        Arc::make_mut(&mut setup.config).unenrolled = Unenrolled::Deny;
    }
    let loader = Loader::new(&config.shown, &config.folder, reader);
    match setup {
        Ok(setup) => loader.settings(file, &Arc::new(setup)),
        Err(of_core) => {
            // The other files' mistakes are told too, as far as they do not depend on the core's times.
            let mut mistakes = of_core;
            mistakes.0.extend(loader.files(&file).0);
            Err(mistakes)
        }
    }
}

/// The settings of a text, for a core that is set up already: `name` stands in messages, and what the text names is
/// looked for in `folder`.
///
/// # Errors
/// As [`load`].
pub fn read(name: &str, text: &str, folder: &Path, setup: &Arc<Setup>) -> Result<Settings, Mistakes> {
    Loader::new(name, folder, Reader::Service).settings(File::parse(name, text)?, setup)
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// The one who is going to run as this says.
    Service,
    /// Somebody who checks it.
    Visitor,
}

/// What turns the file into settings, and gathers what is to mend.
pub(super) struct Loader<'a> {
    config: &'a str,
    pub(super) base: &'a Path,
    pub(super) reader: Reader,
    mistakes: Mistakes,
    pub(super) noted: Noted,
}

impl<'a> Loader<'a> {
    fn new(config: &'a str, base: &'a Path, reader: Reader) -> Self {
        Self { config, base, reader, mistakes: Mistakes::default(), noted: Noted::new(config) }
    }

    /// The mistakes of the files alone.
    fn files(mut self, file: &File) -> Mistakes {
        let _ = self.upstreams(&file.upstreams);
        for client in &file.clients {
            let _ = self.secret(&client.secret, &client.name);
        }
        let _ = self.places(file);
        self.mistakes
    }

    fn settings(mut self, file: File, setup: &Arc<Setup>) -> Result<Settings, Mistakes> {
        self.unenrolled(&file, setup.config.unenrolled);
        warnings::of_file(&file, setup, &mut self.noted);
        let places = self.places(&file);
        let upstreams = self.upstreams(&file.upstreams);
        let mut clients = Clients::default();
        for draft in file.clients {
            let networks: Vec<_> = draft.networks.iter().map(|network| network.value).collect();
            if let Some(client) = self.client(draft, &upstreams, setup) {
                clients.enter(Arc::new(client), networks);
            }
        }
        let warnings = self.noted.into_warnings();
        let settings = places.map(|places| Settings {
            setup: Arc::clone(setup),
            listen: file.listen,
            accounting: file.accounting,
            state_dir: places.state_dir,
            state_key: places.state_key,
            audit: places.audit,
            metrics: file.metrics,
            limits: file.limits,
            clients,
            upstreams,
            rules: file.rules,
            warnings,
        });
        self.mistakes.or(settings)
    }

    /// Whoever is let in without a phone on a host whose user database knows each name in one spelling is not
    /// let in by a gateway that knows it in many.
    fn unenrolled(&mut self, file: &File, of_core: Unenrolled) {
        match (&file.unenrolled, of_core) {
            (None, Unenrolled::Allow) => {
                let what = "has users.unenrolled = \"allow\", and a gateway may take ALICE for alice, who then needs no \
                            phone: write unenrolled = \"deny\" here, or \"allow\" if that is what you want";
                self.mistake(&file.mobileid, what);
            }
            (Some(at), Unenrolled::Deny) if at.value == Unenrolled::Allow => {
                self.mistake(at, "is \"deny\" in the core's configuration (users.unenrolled), and stays so");
            }
            _ => {}
        }
    }

    pub(super) fn mistake<T>(&mut self, at: &Located<T>, what: impl std::fmt::Display) {
        self.mistakes.add(self.config, Some(at.line), &at.key, what);
    }

    fn upstreams(&mut self, drafts: &[UpstreamDraft]) -> Vec<Arc<Upstream>> {
        let mut upstreams = Vec::new();
        for draft in drafts {
            let Some(secret) = self.secret(&draft.secret, &draft.name) else { continue };
            upstreams.push(Arc::new(Upstream {
                name: draft.name.clone(),
                servers: draft.servers.clone(),
                secret,
                timeout: seconds(draft.timeout),
                tries: draft.tries,
                message_authenticator: draft.message_authenticator.value,
            }));
        }
        upstreams
    }

    /// The LDAP directory of that name; without a name, the only one.
    fn directory(
        &mut self,
        named: Option<Located<String>>,
        (line, key): (usize, String),
        setup: &Setup,
    ) -> Option<String> {
        let known: Vec<_> = setup.directories.ldap().map(|(name, _)| name.to_owned()).collect();
        let there = format!(
            "the core's configuration has {}",
            match known.len() {
                0 => "none".to_owned(),
                _ => known.join(", "),
            }
        );
        match (named, known.as_slice()) {
            (Some(named), _) if known.contains(&named.value) => Some(named.value),
            (Some(named), _) => {
                self.mistake(&named, format_args!("is no [[directory]] with type = \"ldap\": {there}"));
                None
            }
            (None, [only]) => Some(only.clone()),
            (None, _) => {
                let at = Located { value: (), line, key };
                let what = "is \"ldap\": name one [[directory]] of type \"ldap\" with directory = ";
                self.mistake(&at, format_args!("{what}; {there}"));
                None
            }
        }
    }

    fn client(&mut self, draft: ClientDraft, upstreams: &[Arc<Upstream>], setup: &Setup) -> Option<Client> {
        let secret = self.secret(&draft.secret, &draft.name);
        let times = self.times(&draft, setup);
        let first_factor = match draft.first_factor.value {
            FactorDraft::Ignored => FirstFactor::Ignored,
            FactorDraft::Ldap { directory } => {
                let at = (draft.first_factor.line, draft.first_factor.key);
                FirstFactor::Ldap { directory: self.directory(directory, at, setup)? }
            }
            FactorDraft::Upstream { name, pass } => {
                // Where there is none, its secret was a mistake.
                let upstream = Arc::clone(upstreams.iter().find(|u| u.name == name.value)?);
                FirstFactor::Upstream { upstream, pass }
            }
        };
        let (nas_timeout, deadline) = times?;
        Some(Client {
            name: draft.name.into(),
            group: draft.group,
            secret: secret?,
            mode: draft.mode,
            nas_timeout: seconds(nas_timeout),
            deadline: seconds(deadline),
            message_authenticator: draft.message_authenticator.value,
            proxy_state: draft.proxy_state.value,
            first_factor,
            service: draft.service,
            host_from: draft.host_from,
            realms: draft.realms,
            accept: draft.accept,
            groups: draft.groups,
            reject_delay: seconds(draft.reject_delay),
        })
    }
}
