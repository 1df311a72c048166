//! Does the Registration Authority vouch for a number (guide 2.2, the verify call)? Only its yes makes an [`Evidence`],
//! and enrolment enters a number only if [`require`] finds the evidence to be of this number and of the level asked.
//!
//! ```text
//!   200 with evidenceId      Valid, unless the answer itself says: another number, a lower level, another law
//!   404, 409, 410, 422       Without: no evidence, or not for this name or level, or the terms are not accepted
//!   anything else            Failure: nobody knows, so nobody is entered
//! ```

use std::fmt;

use serde::Serialize;

use super::{
    Basis, Body, DistinguishedName, EvidenceId, Failure, Host, HttpResponse, Jurisdiction, LIMIT, Level,
    Needed, Request,
    answer::{self, Fields},
};
use crate::{secret::Secret, subscriber::Msisdn};

const MEDIA_TYPE: &str = "application/vnd.sc.ras.evidence.v1+json";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The number.
    pub msisdn: Msisdn,
    /// Whose it must be.
    pub name: DistinguishedName,
    /// What the evidence must be good for.
    pub needed: Needed,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_identity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jurisdiction: Option<&'static str>,
    distinguished_name: &'a str,
    msisdn: &'a str,
    assurance_level: &'static str,
}

/// The request. The Registration Authority takes it without a token.
#[must_use]
pub fn request(question: &Question) -> Request {
    let (claimed_identity, jurisdiction) = match &question.needed.basis {
        Basis::ClaimedIdentity(identity) => (Some(identity.as_str()), None),
        Basis::Jurisdiction(jurisdiction) => (None, Some(jurisdiction.name())),
    };
    let msisdn = Secret::new(format!("+{}", question.msisdn.digits()));
    let wire = Wire {
        claimed_identity,
        jurisdiction,
        distinguished_name: question.name.as_str(),
        msisdn: msisdn.expose(),
        assurance_level: question.needed.level.digit(),
    };
    Request {
        host: Host::Evidence,
        target: "/api/evidences/verify".to_owned(),
        accept: MEDIA_TYPE,
        authorization: None,
        // A struct of texts always serialises.
        body: Some(Body {
            media_type: MEDIA_TYPE,
            text: Secret::new(serde_json::to_string(&wire).unwrap_or_default()),
        }),
        limit: LIMIT,
    }
}

/// The Registration Authority's yes to one question. Only [`read`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    id: EvidenceId,
    msisdn: Msisdn,
    needed: Needed,
}

impl Evidence {
    /// Its name, for the audit log and for support (guide 6.2).
    #[must_use]
    pub fn id(&self) -> &EvidenceId {
        &self.id
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There is evidence for all that was asked.
    Valid(Evidence),
    /// There is none that is enough; the text is the service's, escaped and without numbers.
    Without(Refusal, String),
}

/// Why a number must not be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The Registration Authority has none for this number, name and level, or the person has not accepted the terms.
    NoEvidence,
    /// It is of another number.
    OtherNumber,
    /// It is of a lower level.
    LowerLevel,
    /// It is good for something else.
    OtherBasis,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoEvidence, Self::OtherNumber, Self::LowerLevel, Self::OtherBasis];

    /// The name in JSON and in a log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEvidence => "no-evidence",
            Self::OtherNumber => "other-number",
            Self::LowerLevel => "lower-level",
            Self::OtherBasis => "other-basis",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEvidence => {
                "no valid evidence: the person must be identified (identify methods, identify start) and accept the terms by SMS, under this very name"
            }
            Self::OtherNumber => "the evidence is of another number: identify the person with this one",
            Self::LowerLevel => "the evidence is of a lower level: identify the person with a method of the level asked",
            Self::OtherBasis => "the evidence is good under another law: identify the person with a method for the one asked",
        })
    }
}

impl std::error::Error for Refusal {}

/// Reads the answer to [`request`].
///
/// # Errors
/// What is neither a yes nor a no.
pub fn read(question: &Question, response: &HttpResponse) -> Result<Finding, Failure> {
    let body = match answer::body(response) {
        Err(Failure::Refused(refused)) if matches!(refused.status, 404 | 409 | 410 | 422) => {
            return Ok(Finding::Without(Refusal::NoEvidence, refused.detail));
        }
        body => body?,
    };
    let fields = Fields::of(&body)?;
    let id = fields.required(&["evidenceId"])?;
    Ok(match contradiction(question, fields)? {
        Some(refusal) => Finding::Without(refusal, String::new()),
        None => {
            Finding::Valid(Evidence { id, msisdn: question.msisdn.clone(), needed: question.needed.clone() })
        }
    })
}

/// An answer need not repeat the question; but where it does, under any name, it must be this one.
fn contradiction(question: &Question, fields: Fields<'_>) -> Result<Option<Refusal>, Failure> {
    for name in [&["msisdn"], &["mobile"]] {
        if fields.optional::<Msisdn>(name)?.is_some_and(|number| number != question.msisdn) {
            return Ok(Some(Refusal::OtherNumber));
        }
    }
    for name in [&["assuranceLevel"], &["loa"]] {
        if fields.optional::<Level>(name)?.is_some_and(|level| level < question.needed.level) {
            return Ok(Some(Refusal::LowerLevel));
        }
    }
    let said = fields.optional::<Jurisdiction>(&["jurisdiction"])?;
    let other = match (&question.needed.basis, said) {
        (Basis::Jurisdiction(asked), Some(said)) => *asked != said,
        _ => false,
    };
    Ok(other.then_some(Refusal::OtherBasis))
}

/// Whether a number may be entered: only with evidence of this number, good for what is needed, and of the level needed
/// or a higher one.
///
/// # Errors
/// Why it may not.
pub fn require(evidence: Option<&Evidence>, number: &Msisdn, needed: &Needed) -> Result<(), Refusal> {
    let evidence = evidence.ok_or(Refusal::NoEvidence)?;
    if evidence.msisdn != *number {
        return Err(Refusal::OtherNumber);
    }
    if evidence.needed.basis != needed.basis {
        return Err(Refusal::OtherBasis);
    }
    if evidence.needed.level < needed.level {
        return Err(Refusal::LowerLevel);
    }
    Ok(())
}
