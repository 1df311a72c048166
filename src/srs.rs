//! The Smart Registration Service: who is behind a number was found out by somebody whose trade it is, and the number
//! is entered only where the service vouches for that.
//!
//! Nothing here sends. Each function gives a [`Request`], a driver carries it out, and the module that made the
//! request reads the [`HttpResponse`]. What the guide (v1.41) leaves open is decided in
//! docs/decisions/0015-smart-registration-service.md.
//!
//! ```text
//!   token           client id, secret ──> access token, for some minutes
//!   methods         filters           ──> issuer, method                    guide 5.1
//!   identification  person            ──> Ref ID, target URL for the person
//!                   Ref ID            ──> state:
//!
//!                     Created ─> Initialized ─> Identification done ─> Data ready ─> Terminated
//!                                     └───────────────┴────────────────────┴──> Error, or negatively conducted
//!
//!   evidence        number, name, level ──> Evidence, which nothing else can make
//! ```
//!
//! A state is for people to follow. [`evidence::require`] wants an [`Evidence`]: that an identification is terminated
//! proves nothing, because the person may have identified herself for a lower level, for another number, or may not
//! have accepted the terms.
//!
//! ```
//! use mobileid::srs::{Basis, Jurisdiction, Level, Needed, evidence};
//!
//! let needed = Needed { basis: Basis::Jurisdiction(Jurisdiction::Zertes), level: Level::Four };
//! let refused = evidence::require(None, &"+41791234567".parse()?, &needed).unwrap_err();
//! assert!(refused.to_string().starts_with("no valid evidence"));
//! # Ok::<(), mobileid::subscriber::InvalidMsisdn>(())
//! ```

mod answer;
mod encoding;
pub mod evidence;
mod failure;
pub mod identification;
pub mod methods;
pub mod token;
mod values;

use std::time::Duration;

pub use crate::mss::{BODY_MAX, HttpResponse};
pub use evidence::Evidence;
pub use failure::{Failure, Refused, Unreadable, Why};
pub use token::{Client, Token};
pub use values::{
    Basis, BirthDate, ClaimedIdentity, Country, DistinguishedName, Email, EvidenceId, ExternalId,
    InvalidValue, Issuer, Jurisdiction, Level, MethodName, Needed, OrderId, PersonName, RefId, TargetUrl,
};

use crate::secret::Secret;

/// How long one exchange may take once the service is reached: it waits for nobody.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Which of the two services a request goes to. They have a URL each, and the token is for the first one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    /// Identification methods, identifications, and the tokens for both.
    Registration,
    /// The database of the Registration Authority, which has the evidence.
    Evidence,
}

/// One request to one of the two services.
#[derive(Debug)]
pub struct Request {
    /// Where it goes.
    pub host: Host,
    /// Path and query, encoded, e.g. `/api/providers?loa=4`.
    pub target: String,
    /// The media type of the answer.
    pub accept: &'static str,
    /// The value of Authorization.
    pub authorization: Option<Secret>,
    /// What is posted; a request without a body is a GET.
    pub body: Option<Body>,
    /// How long the whole exchange may take.
    pub limit: Duration,
}

/// What is posted. It names a person, or carries a secret.
#[derive(Debug)]
pub struct Body {
    /// Its media type.
    pub media_type: &'static str,
    /// The text.
    pub text: Secret,
}

impl Request {
    fn get(target: String, accept: &'static str, token: &Token) -> Self {
        let authorization = Some(token.bearer());
        Self { host: Host::Registration, target, accept, authorization, body: None, limit: LIMIT }
    }
}

#[cfg(test)]
mod tests;
