//! `[srs]`: the Smart Registration Service, for enrolment. Where the section is absent, there is none, and nobody else
//! looks at it: no login depends on it.

use std::path::PathBuf;

use super::{
    Endpoint, Located, ServerTrust, is_wire_text, path,
    reader::{Section, Source},
    refused, server_trust,
};
use crate::srs::{Basis, Jurisdiction, Level, Needed};

/// The section `[srs]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrsConfig {
    /// Where methods, identifications and tokens are.
    pub url: Endpoint,
    /// Where evidence is verified: the Registration Authority.
    pub evidence_url: Endpoint,
    /// Client ID, as Swisscom gave it.
    pub client_id: String,
    /// A file with the Client Secret, and nothing else in it.
    pub client_secret_file: Located<PathBuf>,
    /// Roots of both servers' certificates.
    pub server_trust: ServerTrust,
    /// What an evidence must be good for where the administrator does not say otherwise.
    pub needed: Needed,
}

impl SrsConfig {
    pub(super) fn read(root: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let there = root.has("srs");
        let mut srs = root.section("srs", source);
        if !there {
            return None;
        }
        let url = srs.required_parsed("url", source);
        let evidence_url = srs.required_parsed("evidence_url", source);
        let client_id = srs.required("client_id", source);
        let client_id = client_id.filter(|id| !refused(is_wire_text(&id.value), id, CLIENT_ID_RULE, source));
        let client_secret_file = srs.required("client_secret_file", source).and_then(|t| path(t, source));
        let server_trust = server_trust(&mut srs, source);
        let jurisdiction = srs.parsed("jurisdiction", source).unwrap_or(Jurisdiction::Zertes);
        let level = srs.number("level", 3..=4, 4, source);
        srs.finish(source);
        Some(Self {
            url: url?,
            evidence_url: evidence_url?,
            client_id: client_id?.value,
            client_secret_file: client_secret_file?,
            server_trust: server_trust?,
            needed: Needed {
                basis: Basis::Jurisdiction(jurisdiction),
                level: if level? == 3 { Level::Three } else { Level::Four },
            },
        })
    }
}

const CLIENT_ID_RULE: &str = "must be 1 to 200 printable characters, as Swisscom gave it";
