//! What is there already, and whether it agrees with what was said.
//!
//! A configuration that is there names the other files; where there is none they have the sample's names. What is there
//! stays: a flag that says otherwise is a mistake, with the line to edit.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use mobileid::{
    config::{
        FileConfig, KindFile, Located, Mistakes, ServerTrust,
        reader::{Section, Source},
    },
    load::{ConfigFile, secret_file},
    text::escaped,
};

use super::{
    Arguments,
    client::{Certificate, Key},
    home::{Home, is_there, shown},
    simulator,
};
use crate::check::anchors::is_swisscoms;

/// The folder's files.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) config: Option<Existing>,
    /// Our key and certificate, as far as they are there.
    pub(super) client: Pair,
    places: Places,
}

/// What there is of our key and certificate. A key alone is of a setup that was stopped; a certificate alone lacks what
/// nobody can bring back.
#[derive(Debug)]
pub(super) enum Pair {
    Neither,
    Key(Key),
    Both(Certificate),
}

/// Where each file is or will be.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) config: PathBuf,
    pub(super) key: PathBuf,
    pub(super) cert: PathBuf,
    /// The table of people, where there is one.
    pub(super) users: Option<PathBuf>,
    /// Files and folders of roots.
    pub(super) trust: Vec<PathBuf>,
}

/// A configuration that is there.
#[derive(Debug)]
pub(super) struct Existing {
    shown: String,
    text: mobileid::secret::Secret,
    pub(super) file: FileConfig,
    folder: PathBuf,
}

impl Found {
    /// Looks, and changes nothing.
    ///
    /// # Errors
    /// A file that is there and cannot be used, by name.
    pub(super) fn at(home: &Home) -> anyhow::Result<Self> {
        let path = home.path("mobileid.toml");
        let config = is_there(&path).then(|| Existing::read(&path)).transpose()?;
        let places = match &config {
            Some(existing) => existing.places(path),
            None => Places {
                config: path,
                key: home.path("client.key"),
                cert: home.path("client.crt"),
                users: Some(home.path("users.toml")),
                trust: vec![home.path("trust")],
            },
        };
        let client = Pair::at(&places)?;
        Ok(Self { config, client, places })
    }

    pub(super) fn places(&self) -> Places {
        self.places.clone()
    }

    /// Whether a certificate must be made, and so named.
    pub(super) fn lacks_certificate(&self) -> bool {
        !matches!(self.client, Pair::Both(_))
    }

    /// Holds what was said against what is there.
    ///
    /// # Errors
    /// Every contradiction, with the line to edit.
    pub(super) fn agrees_with(
        &self,
        arguments: &Arguments,
        server_roots: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut mistakes = Mistakes::default();
        if let Some(existing) = &self.config {
            existing.agrees_with(arguments, server_roots, &mut mistakes);
        }
        if let Pair::Both(certificate) = &self.client {
            for (what, flag) in certificate.disagreements(arguments) {
                let file = self.places.cert.display().to_string();
                let what = format!(
                    "{what}; leave {flag} out, or move the key and the certificate away for new ones"
                );
                mistakes.add(&file, None, "", what);
            }
        }
        mistakes.or(Some(())).map_err(anyhow::Error::new)
    }
}

impl Pair {
    fn at(places: &Places) -> anyhow::Result<Self> {
        let Places { key, cert, .. } = places;
        let read_key = || Key::parse(&secret_file(key).map_err(anyhow::Error::msg)?, key);
        match (is_there(key), is_there(cert)) {
            (false, false) => Ok(Self::Neither),
            (true, false) => Ok(Self::Key(read_key()?)),
            (false, true) => bail!(
                "{cert} is there, but its key {key} is not: bring the key back, or move the certificate away for a new \
                 one, which Swisscom must be given then",
                cert = shown(cert),
                key = shown(key)
            ),
            (true, true) => {
                let certificate = Certificate::parse(ConfigFile::read(cert)?.text.expose(), cert)?;
                if !certificate.is_of(&read_key()?) {
                    bail!(
                        "{} is not the key of {}: bring back the one that belongs to it, or move both away",
                        shown(key),
                        shown(cert)
                    );
                }
                Ok(Self::Both(certificate))
            }
        }
    }
}

impl Existing {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let ConfigFile { shown, text, folder, .. } = ConfigFile::read(path)?;
        let file = FileConfig::parse(&shown, text.expose())?;
        Ok(Self { shown, text, file, folder })
    }

    /// Whether it is Swisscom's service that is asked.
    pub(super) fn is_swisscom(&self) -> bool {
        is_swisscoms(self.file.server_name.as_deref().unwrap_or(&self.file.url.host))
    }

    /// Whether the simulator has written it, for itself.
    pub(super) fn is_simulators(&self) -> bool {
        let is_here = self.file.url.is_loopback() && !self.is_swisscom();
        is_here && self.text.expose().starts_with(simulator::MARK)
    }

    fn places(&self, config: PathBuf) -> Places {
        let at = |named: &Located<PathBuf>| self.folder.join(&named.value);
        let tables = self.file.directories.iter().filter_map(|directory| match &directory.kind {
            KindFile::File(table) => Some(at(table)),
            _ => None,
        });
        Places {
            config,
            key: at(&self.file.client_key),
            cert: at(&self.file.client_cert),
            // Which of several a person belongs to is not ours to say.
            users: Some(tables.collect::<Vec<_>>())
                .filter(|all| all.len() == 1)
                .and_then(|mut all| all.pop()),
            trust: self.file.trust.iter().map(at).collect(),
        }
    }

    fn agrees_with(&self, arguments: &Arguments, server_roots: Option<&str>, mistakes: &mut Mistakes) {
        let file = &self.file;
        let (server_trust, is_copy) = match &file.server_trust {
            ServerTrust::System => ("system".to_owned(), false),
            ServerTrust::File(at) => {
                let path = self.folder.join(&at.value);
                // What was named in the first run is named again: it was copied then.
                let text = ConfigFile::read(&path).ok().map(|read| read.text);
                (path.display().to_string(), text.is_some_and(|text| Some(text.expose()) == server_roots))
            }
        };
        let url = format!("https://{}", file.url);
        let said_url = arguments.url.as_ref().map(|url| format!("https://{url}"));
        let said_trust = arguments.server_trust.as_ref().filter(|_| !is_copy);
        let said_trust = said_trust.map(|path| path.display().to_string());
        let prefix = file.prefix.to_string();
        let said = [
            ("--ap-id", "ap_id", arguments.ap_id.as_deref(), file.ap.ap_id.as_str()),
            ("--prefix", "dtbd_prefix", arguments.prefix.as_deref(), &prefix),
            ("--url", "url", said_url.as_deref(), &url),
            (
                "--server-name",
                "server_name",
                arguments.server_name.as_deref(),
                file.server_name.as_deref().unwrap_or(&file.url.host),
            ),
            ("--server-trust", "server_trust", said_trust.as_deref(), &server_trust),
        ];
        for (flag, key, said, is) in said {
            let Some(said) = said.filter(|said| *said != is) else { continue };
            let (is, said) = (escaped(is, 200), escaped(said, 200));
            let what = format!("is {is:?}, and {flag} says {said:?}: edit the file, or leave {flag} out");
            mistakes.add(&self.shown, self.line(key), &format!("service.{key}"), what);
        }
    }

    fn line(&self, key: &'static str) -> Option<usize> {
        let (mut source, mut root): (Source<'_>, Section<'_>) =
            Source::parse(&self.shown, self.text.expose()).ok()?;
        let service = root.section("service", &mut source);
        Some(service.line_of(key, &source))
    }
}

impl Places {
    /// Where files may be made.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let files = [&self.config, &self.key, &self.cert].into_iter().chain(&self.users);
        let folders = files.filter_map(|file| file.parent()).map(Path::to_owned);
        let mut folders: Vec<_> =
            folders.chain(self.trust.iter().filter(|path| path.is_dir()).cloned()).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// The folder that roots go to.
    ///
    /// # Errors
    /// The configuration names single files only.
    pub(super) fn trust_folder(&self) -> anyhow::Result<&PathBuf> {
        let is_folder = |path: &&PathBuf| match std::fs::metadata(path) {
            Ok(meta) => meta.is_dir(),
            Err(_) => !mobileid::load::is_certificate_file(path),
        };
        self.trust.iter().find(is_folder).ok_or_else(|| {
            anyhow!(
                "{}: signature.trust names single files: name a folder there, such as \"trust\", or put the roots into \
                 those files by hand",
                shown(&self.config)
            )
        })
    }
}
