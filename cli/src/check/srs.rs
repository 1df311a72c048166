//! What `[srs]` comes to.

use mobileid::load::Registration;
use serde::Serialize;

/// The Smart Registration Service; nothing of the secret.
#[derive(Serialize)]
pub(super) struct SrsFacts {
    service: String,
    evidence: String,
    client_id: String,
    good_for: String,
    level: &'static str,
}

impl SrsFacts {
    pub(super) fn of(registration: &Registration) -> Self {
        Self {
            service: registration.registration.endpoint.to_string(),
            evidence: registration.evidence.endpoint.to_string(),
            client_id: registration.client.id.clone(),
            good_for: registration.needed.basis.to_string(),
            level: registration.needed.level.digit(),
        }
    }

    pub(super) fn in_words(&self) -> [String; 2] {
        let Self { service, evidence, client_id, good_for, level } = self;
        [
            format!("{service} as {client_id}, evidence from {evidence}"),
            format!("evidence must be good for {good_for}, level {level}"),
        ]
    }
}
