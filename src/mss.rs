//! The Mobile Signature Service: what is asked of it over HTTP, and what its answers say.
//!
//! Nothing here sends: [`signature::request`], [`status::request`], [`profile::request`] and [`heartbeat::request`] give
//! an [`HttpRequest`], a driver carries it out, and the [`HttpResponse`] is read by the module that made the
//! request. Nothing here knows certificates: a signature leaves as the base64 that came.

pub mod fault;
pub mod heartbeat;
pub mod profile;
pub mod signature;
pub mod status;

mod rest;

use std::{fmt, str::FromStr, time::Duration};

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::{outcome::Unreadable, secret::Secret};

/// The most that is read of an answer, in bytes. A signature with its chain has about 11,000.
pub const BODY_MAX: usize = 1 << 20;

/// One POST to the service.
#[derive(Debug)]
pub struct HttpRequest {
    /// The path below the base URL, e.g. `/rest/service/sign`.
    pub path: &'static str,
    /// The JSON body; it carries AP_PWD.
    pub body: Secret,
    /// How long the whole exchange may take (guide 4.3, client connection timeout).
    pub limit: Duration,
    /// Whether it may be sent once more where its answer was lost. A signature request may not: it is written to
    /// one connection, once, because each one that arrives makes a phone ring.
    pub repeatable: bool,
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

impl ApTransId {
    /// This identifier with `-` and a number: for what belongs to the same login but is a request of its own.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }
}

/// MSSP_TransID: the service's name for a transaction, opaque to us and quoted when asking for its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MsspTransId(String);

/// The live service's have eight characters; TS 102 204 sets no bound, and a [`crate::login::Ticket`] needs one.
const MSSP_TRANS_ID_MAX: usize = 64;

impl MsspTransId {
    /// The identifier as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads 1 to 64 printable ASCII characters without blanks.
impl FromStr for MsspTransId {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits =
            (1..=MSSP_TRANS_ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(Unreadable::MissingField("MSSP_TransID")) }
    }
}

/// How the service is asked to sign (guide 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessagingMode {
    /// The answer to the request is the signature: one connection is held until the person has answered.
    #[default]
    Synch,
    /// The answer is at once that the request was taken; what became of it is asked for until it is known.
    Asynch,
}

impl MessagingMode {
    /// As it stands on the wire and in the configuration.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Synch => "synch",
            Self::Asynch => "asynch",
        }
    }
}

impl FromStr for MessagingMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Synch, Self::Asynch].into_iter().find(|mode| mode.wire() == text);
        known.ok_or("must be \"synch\" or \"asynch\"")
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

/// What an answer holds.
enum Either<T> {
    Answer(T),
    Fault(FaultReply),
}

/// Reads a body that must be a Fault or the expected answer; the JSON root key decides, not the status.
fn read<R: rest::Root>(response: &HttpResponse) -> Result<Either<R::Answer>, Unreadable> {
    match read_root::<R>(response)?.parts() {
        (None, Some(fault)) => fault.0.reply().map(Either::Fault),
        (Some(answer), None) if response.status == 200 => Ok(Either::Answer(answer.0)),
        (Some(_), None) => Err(Unreadable::HttpStatus(response.status)),
        (Some(_), Some(_)) | (None, None) => Err(Unreadable::NotOneRoot),
    }
}

fn read_root<R: rest::Root>(response: &HttpResponse) -> Result<R, Unreadable> {
    if response.body.len() > BODY_MAX {
        return Err(Unreadable::TooLarge);
    }
    let root = serde_json::from_slice::<rest::Shallow>(&response.body)
        .and_then(|_| serde_json::from_slice::<rest::Object<R>>(&response.body));
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
