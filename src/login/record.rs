//! What is written down when a login ends.

use std::time::Duration;

use super::{Now, Request};
use crate::{
    audit::AuditRecord,
    config::Config,
    mss::{self, ApTransId, signature::Transaction},
    outcome::Verdict,
    policy,
    subscriber::{Language, Profile, SerialNumber, Subscriber},
    text,
};

/// What is known of a login so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) language: Option<Language>,
    pub(super) groups: Vec<String>,
    msisdn: Option<String>,
    ap_trans_id: Option<String>,
    mssp_trans_id: Option<String>,
    profile: Option<String>,
    detail: Option<String>,
    serial: Option<String>,
    first_use: bool,
}

impl Found {
    pub(super) fn of(subscriber: &Subscriber, config: &Config) -> Self {
        Self {
            language: Some(policy::language(config, subscriber)),
            groups: subscriber.groups.clone(),
            msisdn: Some(subscriber.msisdn.to_string()),
            ..Self::default()
        }
    }

    /// From the moment when there is a request.
    pub(super) fn sent(self, ap_trans_id: &ApTransId) -> Self {
        Self { ap_trans_id: Some(ap_trans_id.to_string()), ..self }
    }

    /// With the profile that was asked for.
    pub(super) fn profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile.uri().to_owned()), ..self }
    }

    /// With how the service names the transaction, and the profile where it says which one was used.
    pub(super) fn with(self, transaction: &Transaction) -> Self {
        Self {
            mssp_trans_id: transaction.mssp_trans_id.clone().or(self.mssp_trans_id),
            profile: transaction.profile.clone().or(self.profile),
            ..self
        }
    }

    /// Signed with this serial number, whatever becomes of the login.
    pub(super) fn verified(self, serial: &SerialNumber) -> Self {
        Self { serial: Some(serial.to_string()), ..self }
    }

    /// With the serial number kept from now on.
    pub(super) fn first_use(self) -> Self {
        Self { first_use: true, ..self }
    }

    /// With what was found, already escaped.
    pub(super) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()).filter(|d| !d.is_empty()), ..self }
    }

    /// With what a driver says of a failure: words from the network are in it.
    pub(super) fn because(self, detail: &str) -> Self {
        self.detail(text::foreign(detail, 300))
    }
}

/// The audit line of a login that has ended like this.
pub(super) fn record(
    request: &Request,
    verdict: &Verdict,
    found: Found,
    took: Duration,
    now: Now,
) -> AuditRecord {
    let (name, reason, code) = match verdict {
        Verdict::Accepted(_) => ("accepted", "verified", None),
        Verdict::Exempt(exemption) => ("exempt", exemption.name(), None),
        Verdict::Denied(reason) => ("denied", reason.name(), reason.code()),
    };
    AuditRecord {
        time: mss::instant(now.wall),
        verdict: name,
        reason,
        code,
        user: text::escaped(&request.user.to_string(), 256),
        service: text::escaped(&request.service, 64),
        host: text::escaped(&request.host, 256),
        client: request.client.as_deref().map(|c| text::escaped(c, 256)),
        target: request.target.as_deref().map(|t| text::escaped(t, 256)),
        program: request.command.as_ref().map(|c| text::foreign(&c.program, 256)),
        rhost: request.rhost.as_deref().filter(|r| !r.is_empty()).map(|r| text::escaped(r, 256)),
        msisdn: found.msisdn,
        ap_trans_id: found.ap_trans_id,
        mssp_trans_id: found.mssp_trans_id,
        profile: found.profile,
        serial: found.serial,
        first_use: found.first_use,
        ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        detail: found.detail,
    }
}
