//! From the file as written to [`Settings`]: reads what it names, and holds its times against the core's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mobileid::{
    config::{Located, Mistakes, Timeouts},
    load::{self, ConfigFile, Setup},
    policy,
};
use zeroize::Zeroizing;

use super::{
    AuditTo, Client, FirstFactor, Mode, Settings, StateKey,
    client::ClientDraft,
    factor::FactorDraft,
    file::{File, UpstreamDraft},
    values::{self, SecretFrom, seconds},
    warnings::{self, Noted},
};
use crate::{authenticator::SharedSecret, clients::Clients, upstream::Upstream};

/// Loads `radiusd.toml` and all that it names, the core's configuration too.
///
/// # Errors
/// Every mistake of the file; or, where that is sound, every mistake of the files it names.
pub fn load(path: &Path) -> Result<Settings, Mistakes> {
    let config = ConfigFile::read(path)?;
    let file = File::parse(&config.shown, config.text.expose())?;
    if file.holds_secret() {
        config.must_be_closed("it holds a shared secret")?;
    }
    let setup = load::load(&config.folder.join(&file.mobileid.value));
    let loader = Loader::new(&config.shown, &config.folder);
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
    Loader::new(name, folder).settings(File::parse(name, text)?, setup)
}

struct Loader<'a> {
    config: &'a str,
    base: &'a Path,
    mistakes: Mistakes,
    noted: Noted,
}

impl<'a> Loader<'a> {
    fn new(config: &'a str, base: &'a Path) -> Self {
        Self { config, base, mistakes: Mistakes::default(), noted: Noted::new(config) }
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

    fn mistake<T>(&mut self, at: &Located<T>, what: impl std::fmt::Display) {
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

    fn client(&mut self, draft: ClientDraft, upstreams: &[Arc<Upstream>], setup: &Setup) -> Option<Client> {
        let secret = self.secret(&draft.secret, &draft.name);
        let times = self.times(&draft, setup);
        let first_factor = match draft.first_factor.value {
            FactorDraft::Ignored => FirstFactor::Ignored,
            FactorDraft::Upstream { name, pass } => {
                // Where there is none, its secret was a mistake.
                let upstream = Arc::clone(upstreams.iter().find(|u| u.name == name.value)?);
                FirstFactor::Upstream { upstream, pass }
            }
        };
        let (nas_timeout, deadline) = times?;
        Some(Client {
            name: draft.name,
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

    /// `nas_timeout` and `deadline`, in seconds.
    fn times(&mut self, draft: &ClientDraft, setup: &Setup) -> Option<(u64, u64)> {
        let longest = policy::longest(&setup.config).as_secs();
        let shortest = shortest(&setup.config.timeouts);
        let (nas_timeout, deadline) = draft.times(longest);
        let at = |given: &Option<Located<u64>>, key: &str| {
            let place =
                given.as_ref().map_or((draft.line, format!("client.{key}")), |l| (l.line, l.key.clone()));
            Located { value: (), line: place.0, key: place.1 }
        };
        if deadline > longest {
            let what =
                format_args!("must be {longest} at most: longer than that the core waits for no phone");
            self.mistake(&at(&draft.deadline, "deadline"), what);
            return None;
        }
        if deadline < shortest && draft.deadline.is_none() {
            let what = format_args!(
                "leaves a person no time to confirm: with mode = \"wait\" it takes {shortest} at least, better 60 and \
                 more; raise the timeout of the NAS, or choose mode = \"wait-then-challenge\""
            );
            self.mistake(&at(&draft.nas_timeout, "nas_timeout"), what);
            return None;
        }
        if deadline < shortest {
            let what = format_args!("must be {shortest} at least, or a person has no time to confirm");
            self.mistake(&at(&draft.deadline, "deadline"), what);
            return None;
        }
        if draft.reject_delay >= nas_timeout {
            let what = format_args!("must be shorter than nas_timeout, {nas_timeout}");
            self.mistake(&at(&None, "reject_delay"), what);
            return None;
        }
        Some((nas_timeout, deadline))
    }

    fn secret(&mut self, from: &SecretFrom, owner: &str) -> Option<SharedSecret> {
        let (text, at) = match from {
            SecretFrom::Inline(secret) => {
                (secret.value.clone(), Located { value: (), line: secret.line, key: secret.key.clone() })
            }
            SecretFrom::File(file) => {
                let at = Located { value: (), line: file.line, key: file.key.clone() };
                match load::secret_file(&self.base.join(&file.value)) {
                    Ok(text) => (text, at),
                    Err(what) => {
                        self.mistake(&at, what);
                        return None;
                    }
                }
            }
        };
        // The end of the line is the editor's, not the secret's.
        let line = match from {
            SecretFrom::Inline(_) => text.expose(),
            SecretFrom::File(_) => without_line_end(text.expose()),
        };
        match values::shared_secret(line) {
            Ok(octets) => {
                if octets.len() < values::GOOD_SECRET {
                    let what = format_args!(
                        "of {owner} is shorter than 16 characters, which RFC 2865 asks for: who has recorded a packet \
                         can try them all"
                    );
                    self.noted.add(at.line, &at.key, what);
                }
                Some(SharedSecret::new(octets))
            }
            Err(what) => {
                self.mistake(&at, what);
                None
            }
        }
    }

    fn places(&mut self, file: &File) -> Option<Places> {
        let learns = file.clients.iter().any(ClientDraft::learns);
        let state_dir = self.base.join(&file.state_dir.value);
        let checked = if learns { load::guarded_folder(&state_dir) } else { Ok(state_dir) };
        let state_dir = checked.map_err(|what| {
            let what = format!("{what}; message_authenticator = \"learn\" needs it");
            self.mistake(&file.state_dir, what);
        });
        let state_key = match &file.state_key_file {
            None => Some(None),
            Some(at) => self.state_key(at).map(Some),
        };
        let audit = match &file.audit {
            None => Some(AuditTo::Stdout),
            Some(at) => self.audit(at).map(AuditTo::File),
        };
        Some(Places { state_dir: state_dir.ok()?, state_key: state_key?, audit: audit? })
    }

    fn state_key(&mut self, at: &Located<PathBuf>) -> Option<StateKey> {
        let path = self.base.join(&at.value);
        let key = load::secret_file(&path).and_then(|text| {
            let rule = "must hold 64 hexadecimal digits, as `openssl rand -hex 32` writes them";
            hexadecimal(without_line_end(text.expose())).ok_or_else(|| format!("{}: {rule}", path.display()))
        });
        key.map_err(|what| self.mistake(at, what)).ok()
    }

    fn audit(&mut self, at: &Located<PathBuf>) -> Option<PathBuf> {
        let path = self.base.join(&at.value);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let Some(name) = path.file_name() else {
            self.mistake(at, "must be a file, or \"stdout\"");
            return None;
        };
        load::guarded_folder(folder)
            .map(|folder| folder.join(name))
            .map_err(|what| self.mistake(at, what))
            .ok()
    }
}

/// What the file names, once it was found in order.
struct Places {
    state_dir: PathBuf,
    state_key: Option<StateKey>,
    audit: AuditTo,
}

/// The shortest deadline that leaves a person five seconds: the core gives up so much later than the service.
pub(super) fn shortest(timeouts: &Timeouts) -> u64 {
    let sim = timeouts.sim_connection.saturating_sub(timeouts.sim);
    let app = timeouts.app_connection.saturating_sub(timeouts.app);
    sim.max(app).as_secs().saturating_add(5)
}

impl ClientDraft {
    /// `nas_timeout` and `deadline` in seconds, with what stands for the one that is absent: a client that only waits
    /// is believed to wait as long as a login may take, and to be answered in time; one that can be challenged is
    /// believed to give up early.
    pub(super) fn times(&self, longest: u64) -> (u64, u64) {
        let deadline = self.deadline.as_ref().map(|l| l.value);
        let nas_timeout = self.nas_timeout.as_ref().map(|l| l.value);
        match self.mode {
            Mode::Wait => {
                let deadline = deadline.unwrap_or_else(|| nas_timeout.unwrap_or(longest).min(longest));
                (nas_timeout.unwrap_or(deadline), deadline)
            }
            Mode::Challenge | Mode::WaitThenChallenge => {
                (nas_timeout.unwrap_or(NAS_TIMEOUT), deadline.unwrap_or(longest))
            }
        }
    }
}

/// What most products are set to; the shorter ones send the request again.
const NAS_TIMEOUT: u64 = 5;

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn hexadecimal(digits: &str) -> Option<StateKey> {
    let mut key = Zeroizing::new([0; 32]);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (octet, [high, low]) in key.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(StateKey(key))
}
