//! MSS_ProfileQuery (guide 3.5): which methods somebody has, and in what state. No phone rings for it.
//!
//! ```text
//!   answer                      read as
//!   100 REQUEST_OK              Account    SIM and App, each with state, PIN and serial numbers
//!   any other status            NotOk      by its code
//!   Fault 105, 402, 404, ...    Fault      105: the number has no Mobile ID at all
//! ```
//!
//! What stands here decides nothing about a login: it tells an administrator what to mend before a phone is asked in
//! vain. The serial numbers are those of the certificates' subjects, which the service writes in lower case here and in
//! upper case in the certificates; they are shown as in the certificates, and what is pinned comes from a signature
//! that was verified, never from here.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{
    ApCredentials, ApTransId, Either, FaultReply, HttpRequest, HttpResponse,
    fault::Status,
    instant,
    rest::{
        self, Object,
        profile::{Few, Flag, ProfileReq, ProfileResp, ProfileRoot, Sscd, UserCertificate},
    },
};
use crate::{
    outcome::Unreadable,
    secret::Secret,
    subscriber::{Msisdn, Profile, SerialNumber},
    text,
};

/// The longest that the service may take to answer a profile query (guide 4.3).
pub const LIMIT: Duration = Duration::from_secs(10);

/// What one profile query says.
#[derive(Debug)]
pub struct ProfileRequest<'a> {
    /// Who asks.
    pub ap: &'a ApCredentials,
    /// This request's identifier.
    pub ap_trans_id: &'a ApTransId,
    /// When it is sent.
    pub at: SystemTime,
    /// Whose methods.
    pub msisdn: &'a Msisdn,
    /// How long we wait for the service.
    pub limit: Duration,
}

/// All that can be asked for but the card's network: devices, states, certificates, PIN, recovery code, auto-activation.
const PARAMS: &str = "sscds state certs pinstatus rcstatus aastatus";

/// The request as HTTP: POST to `/rest/service/profile`. It rings no phone, so it may be repeated.
#[must_use]
pub fn request(ask: &ProfileRequest<'_>) -> HttpRequest {
    let body = rest::profile::ProfileRequest {
        profile: ProfileReq {
            ap_info: rest::ApInfo {
                ap_id: &ask.ap.ap_id,
                ap_pwd: ask.ap.ap_pwd.expose(),
                ap_trans_id: ask.ap_trans_id.as_str(),
                instant: &instant(ask.at),
            },
            mssp_info: rest::MsspInfo::SWISSCOM,
            // Those of the other requests are fault 108 here.
            major: "2",
            minor: "0",
            mobile_user: rest::MobileUser { msisdn: &format!("+{}", ask.msisdn.digits()) },
            params: PARAMS,
        },
    };
    // Structs of strings always serialise; an empty body would be refused by the service.
    let body = serde_json::to_string(&body).unwrap_or_default();
    HttpRequest { path: "/rest/service/profile", body: Secret::new(body), limit: ask.limit, repeatable: true }
}

/// What the service answered to a profile query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileReply {
    /// It knows the number.
    Account(Account),
    /// A status that is not in the guide for this operation.
    NotOk(Status),
    /// It does not know the number (105), or the account is in no state to be used, or we asked wrongly.
    Fault(FaultReply),
}

/// What the service says of a number. What it does not say is None: that is neither yes nor no.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The SIM and the Apps.
    pub devices: Vec<Device>,
    /// What may be asked for with this number.
    pub profiles: Vec<Offer>,
    /// Whether a signature request activates a SIM that is not active yet (guide 5).
    pub auto_activation: Option<bool>,
    /// Whether the person has a code that keeps the serial number over a change of phone or SIM.
    pub recovery_code: Option<bool>,
}

/// One SIM card, or one phone with the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which of the two.
    pub method: Method,
    /// Whether it can sign.
    pub state: Option<State>,
    /// Whether its PIN was entered wrongly too often.
    pub pin_blocked: Option<bool>,
    /// Its certificates.
    pub certificates: Vec<Certificate>,
}

/// How somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// On the SIM card.
    Sim,
    /// With the Mobile ID App.
    App,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sim => "SIM",
            Self::App => "App",
        })
    }
}

/// The state of a device or of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can sign.
    Active,
    /// It is there, and not set up.
    Inactive,
    /// Its setting up was begun.
    Registered,
    /// Another one; foreign text, escaped for a log.
    Unknown(String),
}

impl State {
    fn read(text: &str) -> Self {
        match text {
            "ACTIVE" => Self::Active,
            "INACTIVE" => Self::Inactive,
            "REGISTERED" => Self::Registered,
            other => Self::Unknown(text::foreign(other, SHOWN_MAX)),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Registered => "registered",
            Self::Unknown(text) => text,
        })
    }
}

/// One certificate of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// `EC` or `RSA`; foreign text, escaped for a log.
    pub algorithm: Option<String>,
    /// Whether it is in use.
    pub state: Option<State>,
    /// The serial number of its subject, in upper case.
    pub serial: Option<SerialNumber>,
}

/// A signature profile that the service offers for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// One that we can ask for.
    Known(Profile),
    /// Another one; foreign text, escaped for a log.
    Other(String),
}

/// A remote text may be this long in a line.
const SHOWN_MAX: usize = 100;

/// Reads the answer to [`request`].
///
/// # Errors
/// [`Unreadable`] for what is no answer of this service: no JSON, too large, no status, hundreds of devices.
pub fn read(response: &HttpResponse) -> Result<ProfileReply, Unreadable> {
    match super::read::<ProfileRoot>(response)? {
        Either::Fault(fault) => Ok(ProfileReply::Fault(fault)),
        Either::Answer(answer) => read_profile(answer),
    }
}

fn read_profile(answer: ProfileResp) -> Result<ProfileReply, Unreadable> {
    let missing = Unreadable::MissingField("Status.StatusCode.Value");
    let status = answer.status.ok_or(missing)?.0;
    match status.status().ok_or(missing)? {
        Status::RequestOk => {}
        other => return Ok(ProfileReply::NotOk(other)),
    }
    let extension = inner(status.detail.and_then(|detail| detail.0.extension));
    let (user, devices) = (inner(extension.user), inner(extension.devices));
    let sims = few(devices.sims).map(|sim| device(Method::Sim, sim));
    let apps = few(devices.apps).map(|app| device(Method::App, app));
    Ok(ProfileReply::Account(Account {
        devices: sims.chain(apps).collect(),
        profiles: answer
            .profiles
            .map(|uris| uris.0.iter().map(|uri| offer(uri)).collect())
            .unwrap_or_default(),
        auto_activation: said(user.auto_activation),
        recovery_code: said(user.recovery_code),
    }))
}

fn inner<T: Default>(object: Option<Object<T>>) -> T {
    object.map(|object| object.0).unwrap_or_default()
}

fn few<T>(list: Option<Few<Object<T>>>) -> impl Iterator<Item = T> {
    list.into_iter().flat_map(|list| list.0).map(|object| object.0)
}

fn said(flag: Option<Flag>) -> Option<bool> {
    flag.map(|flag| flag.0)
}

fn offer(uri: &str) -> Offer {
    uri.parse().map_or_else(|_| Offer::Other(text::foreign(uri, SHOWN_MAX)), Offer::Known)
}

fn device(method: Method, device: Sscd) -> Device {
    Device {
        method,
        state: device.state.as_deref().map(State::read),
        pin_blocked: said(device.pin.and_then(|pin| pin.0.blocked)),
        certificates: few(device.certificates).map(certificate).collect(),
    }
}

fn certificate(certificate: UserCertificate) -> Certificate {
    let subjects = certificate.subjects.map(|subjects| subjects.0).unwrap_or_default();
    Certificate {
        algorithm: certificate.algorithm.map(|name| text::foreign(&name, SHOWN_MAX)),
        state: certificate.state.as_deref().map(State::read),
        // The first one is the person's, the others are those of the authorities.
        serial: subjects.first().and_then(|subject| serial_of(subject)),
    }
}

/// The serial number of a distinguished name like `cn=midche...:pn,serialnumber=midche...`. None where there is none,
/// where there are two, and where one is written with escapes: that is none of the service's.
fn serial_of(subject: &str) -> Option<SerialNumber> {
    let parts = subject.split([',', '+']).filter_map(|part| part.split_once('='));
    let mut serials = parts.filter(|(name, _)| {
        let name = name.trim();
        name.eq_ignore_ascii_case("serialnumber") || name == "2.5.4.5"
    });
    let (Some((_, value)), None) = (serials.next(), serials.next()) else { return None };
    if value.contains(['\\', '"']) { None } else { value.trim().to_ascii_uppercase().parse().ok() }
}

#[cfg(test)]
#[path = "profile/tests.rs"]
mod tests;
