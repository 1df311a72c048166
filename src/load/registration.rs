//! What `[srs]` names, read and checked. Apart from [`super::load`]: a login neither needs the Client Secret nor shall
//! be denied for a file of the enrolment.

use std::{path::Path, time::Duration};

use super::{Keep, Loader, Written};
use crate::{
    config::{Endpoint, FileConfig, Mistakes, Proxy, SrsConfig},
    secret::Secret,
    srs::{Client, Needed},
    text,
};

/// The Smart Registration Service, for a driver and for whoever asks through it.
#[derive(Debug)]
pub struct Registration {
    /// Who asks.
    pub client: Client,
    /// How methods and identifications are reached.
    pub registration: Way,
    /// How the Registration Authority is reached.
    pub evidence: Way,
    /// What an evidence must be good for where the administrator does not say otherwise.
    pub needed: Needed,
}

/// How a server is reached that knows us by what a request carries, and not by a certificate.
#[derive(Debug)]
pub struct Way {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// Roots of the server's certificate, DER.
    pub server_roots: Vec<Vec<u8>>,
    /// How long reaching it may take.
    pub connect_limit: Duration,
}

/// Loads `[srs]` and what it names; None where the configuration has no such section.
///
/// # Errors
/// Every mistake of the configuration file; or, where that is sound, of the files that the section names.
pub fn registration(path: &Path) -> Result<Option<Registration>, Mistakes> {
    Written::read(path)?.registration()
}

impl Written {
    /// `[srs]` and what it names; None where there is no such section.
    ///
    /// # Errors
    /// Every mistake of the files that the section names.
    pub fn registration(&self) -> Result<Option<Registration>, Mistakes> {
        self.file.srs.as_ref().map(|srs| Loader::of(self).registration(&self.file, srs)).transpose()
    }
}

impl Loader {
    fn registration(mut self, file: &FileConfig, srs: &SrsConfig) -> Result<Registration, Mistakes> {
        let secret = self.client_secret(srs);
        let server_roots = self.server_roots(&srs.server_trust, "srs.server_trust");
        let way = |endpoint: &Endpoint| Way {
            endpoint: endpoint.clone(),
            proxy: file.proxy.clone(),
            server_roots: server_roots.clone(),
            connect_limit: file.timeouts.connect,
        };
        let registration = secret.map(|secret| Registration {
            client: Client { id: srs.client_id.clone(), secret },
            registration: way(&srs.url),
            evidence: way(&srs.evidence_url),
            needed: srs.needed.clone(),
        });
        self.mistakes.or(registration)
    }

    /// The one line of the file, without the end that editors give it.
    fn client_secret(&mut self, srs: &SrsConfig) -> Option<Secret> {
        let (shown, text) = self.named(&srs.client_secret_file, Keep::Secret)?;
        let line = text.expose().trim_end_matches(['\r', '\n']);
        if !(1..=SECRET_MAX).contains(&line.len()) || line.chars().any(text::is_unprintable) {
            let what = format_args!("{shown}: must have one line with the Client Secret, and nothing else");
            self.mistake(&srs.client_secret_file, what);
            return None;
        }
        Some(Secret::new(line.to_owned()))
    }
}

const SECRET_MAX: usize = 1024;
