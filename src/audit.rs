//! What the auditor reads: one JSON line per login, complete in itself, without a whole phone number.

use serde::Serialize;

/// One login. Absent facts are absent fields. Foreign text in it was escaped when it was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRecord {
    /// When the login ended: xs:dateTime in UTC.
    pub time: String,
    /// `accepted`, `exempt` or `denied`.
    pub verdict: &'static str,
    /// The stable name of the reason: see [`crate::outcome::Reason::name`]; `verified` for an accept.
    pub reason: &'static str,
    /// The fault, status or HTTP code behind the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The account.
    pub user: String,
    /// The service that asked, e.g. `sshd`.
    pub service: String,
    /// This host.
    pub host: String,
    /// The RADIUS client that asked, by its configured name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whom the user wanted to become, for sudo and su.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the user wanted to run, for sudo: the program alone, because arguments may be secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Where the login came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhost: Option<String>,
    /// The number, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<String>,
    /// Our identifier of the transaction, present once a request was ready to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ap_trans_id: Option<String>,
    /// The service's identifier of the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mssp_trans_id: Option<String>,
    /// The signature profile: the one used where the service said so, else the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The signer's serial number, once verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Whether it is the first one of this person, and kept from now on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub first_use: bool,
    /// Milliseconds from the start to the verdict.
    pub ms: u64,
    /// What was found, for the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl AuditRecord {
    /// The line, without a line break.
    #[must_use]
    pub fn line(&self) -> String {
        // A struct of strings and numbers always serialises.
        serde_json::to_string(self).unwrap_or_else(|_| format!("{self:?}"))
    }
}
