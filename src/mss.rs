//! The Mobile Signature Service: what is asked of it over HTTP, and what its answers say.
//!
//! Nothing here sends: [`signature::request`] and [`heartbeat::request`] give an [`HttpRequest`], a driver
//! carries it out once, and the [`HttpResponse`] is read by the module that made the request. Nothing here
//! knows certificates: a signature leaves as the base64 that came.

pub mod fault;
pub mod heartbeat;
pub mod signature;

mod rest;

use std::{fmt, time::Duration};

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::{outcome::Unreadable, secret::Secret};

/// The most that is read of an answer, in bytes. A signature with its chain has about 11,000.
pub const BODY_MAX: usize = 1 << 20;

/// One POST to the service, never to be repeated once it was sent.
#[derive(Debug)]
pub struct HttpRequest {
    /// The path below the base URL, e.g. `/rest/service/sign`.
    pub path: &'static str,
    /// The JSON body; it carries AP_PWD.
    pub body: Secret,
    /// How long the whole exchange may take (guide 4.3, client connection timeout).
    pub limit: Duration,
}

/// Content-Type of every request (guide 3.1.1).
pub const CONTENT_TYPE: &str = "application/json;charset=UTF-8";
/// Accept of every request (guide 3.1.1).
pub const ACCEPT: &str = "application/json";

/// What came back, whole, but not longer than [`BODY_MAX`].
#[derive(Clone)]
pub struct HttpResponse {
    /// The HTTP status. 500 with a Fault is an answer of the service (guide 3.1.2).
    pub status: u16,
    /// The Date header, for the administrator's check of the clock.
    pub date: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Without the body, in which numbers stand.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// Who asks: the Application Provider's credentials (guide 2.1).
#[derive(Debug, Clone)]
pub struct ApCredentials {
    /// AP_ID.
    pub ap_id: String,
    /// AP_PWD. The service does not check it, but wants it to be there.
    pub ap_pwd: Secret,
}

/// AP_TransID: an xsd:NCName (it must not begin with a digit), unique per request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApTransId(String);

impl ApTransId {
    /// `mid-` and 32 hexadecimal digits.
    #[must_use]
    pub fn from_entropy(entropy: &[u8; 16]) -> Self {
        Self(format!("mid-{:032x}", u128::from_be_bytes(*entropy)))
    }

    /// The identifier as it goes over the wire and into the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApTransId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const INSTANT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in time as `Instant` wants it: xs:dateTime with zone, in UTC, with milliseconds (guide 4.1.1).
/// A clock beyond the year 9999 gives the epoch, which the service refuses.
#[must_use]
pub fn instant(at: std::time::SystemTime) -> String {
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let nanos = i128::try_from(since.as_nanos()).unwrap_or(0);
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(INSTANT).unwrap_or_else(|_| "1970-01-01T00:00:00.000Z".to_owned())
}

/// The service's Fault: what was wrong, and the texts beside it, escaped for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReply {
    /// The code, by number.
    pub fault: fault::Fault,
    /// Reason and Detail of the answer, for the administrator only.
    pub detail: String,
}

/// Reads a body that must be a Fault or the expected answer; the JSON root key decides, not the status.
fn read_root(response: &HttpResponse) -> Result<rest::Root, Unreadable> {
    if response.body.len() > BODY_MAX {
        return Err(Unreadable::TooLarge);
    }
    let root = serde_json::from_slice::<rest::Shallow>(&response.body)
        .and_then(|_| serde_json::from_slice::<rest::Object<rest::Root>>(&response.body));
    match root {
        Ok(root) => Ok(root.0),
        // A gateway's error page is no answer of the service.
        Err(_) if response.status != 200 && response.status != 500 => {
            Err(Unreadable::HttpStatus(response.status))
        }
        Err(_) => Err(Unreadable::NotJson),
    }
}

/// A recorded answer for a test, where the recordings are at hand; says so where they are not.
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test reads its data")]
fn recorded(folder: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("{folder}/{name}")).ok();
    if text.is_none() {
        println!("skipped: the recorded answers are not here");
    }
    text
}
