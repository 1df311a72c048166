//! What may come back instead of an answer, in words that say what to do.

use std::fmt;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The service said no.
    Refused(Refused),
    /// What came is no answer of this service.
    Unreadable(Unreadable),
}

/// A no of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it means.
    pub why: Why,
    /// The HTTP status.
    pub status: u16,
    /// The service's own words, escaped and without numbers; empty where it said nothing.
    pub detail: String,
}

/// What a no means, from its HTTP status and from the request that earned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// No token for this client id and secret.
    Client,
    /// The token is none, or none any more.
    Token,
    /// The client may not do this.
    Forbidden,
    /// There is no such issuer, method or identification.
    Unknown,
    /// Something in the request is wrong, or missing.
    Request,
    /// Too many requests.
    TooMany,
    /// The service is not well, or it is not this service that answers.
    Service,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Client,
        Self::Token,
        Self::Forbidden,
        Self::Unknown,
        Self::Request,
        Self::TooMany,
        Self::Service,
    ];

    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Token => "token",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::Request => "request",
            Self::TooMany => "too-many",
            Self::Service => "service",
        }
    }

    /// By the status alone; the token's own request reads 400 and 401 differently.
    pub(super) fn of(status: u16) -> Self {
        match status {
            401 => Self::Token,
            403 => Self::Forbidden,
            404 | 410 => Self::Unknown,
            429 => Self::TooMany,
            400..=499 => Self::Request,
            _ => Self::Service,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Client => {
                "the service does not know this client: compare srs.client_id and srs.client_secret_file with what Swisscom sent"
            }
            Self::Token => "the service does not take its own token: try again, then ask Swisscom",
            Self::Forbidden => "this client may not do that: ask Swisscom what the contract covers",
            Self::Unknown => "the service knows no such thing: compare issuer, method and Ref ID",
            Self::Request => "the service does not take the request: something in it is wrong or missing",
            Self::TooMany => "the service was asked too often: wait a while",
            Self::Service => {
                "the service is not well, or something else answers under srs.url: try again later"
            }
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}", self.why.sentence(), self.status)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        f.write_str(")")
    }
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// More than [`super::BODY_MAX`] bytes.
    TooLarge,
    /// No JSON, or nested beyond reason.
    NotJson,
    /// JSON of another form than an object, or a list where one is read.
    NotAnObject,
    /// A field that is needed is absent, or empty.
    Missing(&'static str),
    /// A field that is needed holds something else.
    Invalid(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is none of the Smart Registration Service: ")?;
        match self {
            Self::TooLarge => f.write_str("it is larger than 1 MiB"),
            Self::NotJson => f.write_str("it is no JSON"),
            Self::NotAnObject => f.write_str("it is no JSON object"),
            Self::Missing(field) => write!(f, "it has no {field}"),
            Self::Invalid(field) => write!(f, "its {field} is not what it should be"),
        }?;
        f.write_str("; compare srs.url and srs.evidence_url")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Unreadable(unreadable) => unreadable.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}
