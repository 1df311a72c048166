//! One identification: begun for a person with a method, and asked about until it has ended (guide 4).

use std::fmt;

use serde::Serialize;

use super::{
    BirthDate, Body, Country, Email, ExternalId, Failure, Host, HttpResponse, Issuer, LIMIT, MethodName,
    OrderId, PersonName, RefId, Request, TargetUrl, Token, Unreadable,
    answer::{self, Fields, remark},
    encoding,
    methods::MEDIA_TYPE,
};
use crate::{
    secret::Secret,
    subscriber::{Language, Msisdn},
};

/// What is known of the person beforehand (guide 2.5). Nothing must be there; a method may want some of it, and what
/// is there must be right to the letter, or the identification counts as an attempt of fraud (guide 7.2).
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "they are what they are called")]
pub struct Person {
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    pub born: Option<BirthDate>,
    pub country: Option<Country>,
    pub mobile: Option<Msisdn>,
    pub email: Option<Email>,
    pub language: Option<Language>,
    /// Ours, for the bill.
    pub external_id: Option<ExternalId>,
}

/// The body on the wire; what is not known is not there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dob: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<String>,
}

/// The request that begins one. It must not be sent twice: each one that arrives is an order, and may cost.
#[must_use]
pub fn start(issuer: &Issuer, method: &MethodName, person: &Person, token: &Token) -> Request {
    let wire = Wire {
        country: person.country.as_ref().map(Country::as_str),
        dob: person.born.as_ref().map(BirthDate::as_str),
        email: person.email.as_ref().map(Email::as_str),
        external_id: person.external_id.as_ref().map(ExternalId::as_str),
        first_name: person.first_name.as_ref().map(PersonName::as_str),
        language: person.language.map(|l| l.wire().to_ascii_lowercase()),
        last_name: person.last_name.as_ref().map(PersonName::as_str),
        mobile: person.mobile.as_ref().map(|number| format!("+{}", number.digits())),
    };
    let (issuer, method) = (encoding::component(issuer.as_str()), encoding::component(method.as_str()));
    Request {
        host: Host::Registration,
        target: format!("/api/providers/{issuer}/{method}"),
        accept: MEDIA_TYPE,
        authorization: Some(token.bearer()),
        // A struct of texts always serialises.
        body: Some(Body {
            media_type: MEDIA_TYPE,
            text: Secret::new(serde_json::to_string(&wire).unwrap_or_default()),
        }),
        limit: LIMIT,
    }
}

/// An identification that was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// What to ask about it by, and what to tell support.
    pub ref_id: RefId,
    /// The issuer's name for it, where there is one.
    pub order_id: Option<OrderId>,
    /// Where the person goes. Without one the order stands all the same, so this is no reason to lose the Ref ID.
    pub target_url: Option<TargetUrl>,
}

/// Reads the answer to [`start`].
///
/// # Errors
/// A refusal, or an answer without a Ref ID.
pub fn read_start(response: &HttpResponse) -> Result<Started, Failure> {
    let body = answer::body(response)?;
    let fields = Fields::of(&body)?;
    let ref_id = fields.required(&["refId", "referenceId"])?;
    // The task has what the method wants: an object, or the URL alone; some of it may stand beside it.
    let task = fields.get(&["task"]);
    let inner = task.and_then(|task| Fields::of(task).ok());
    let bare = task.and_then(|task| task.as_str()).and_then(|url| url.parse().ok());
    let places = [inner, Some(fields)];
    let target = places.iter().flatten().find_map(|f| f.known(&["targetUrl", "url", "href"]).pop());
    let order_id = places.iter().flatten().find_map(|f| f.known(&["orderId"]).pop());
    Ok(Started { ref_id, order_id, target_url: target.or(bare) })
}

/// How far an identification has come (guide 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The data is collected, the order is not placed.
    Created,
    /// It is ordered: the person can begin.
    Initialized,
    /// The person is through; the evidence is being prepared.
    IdentificationDone,
    /// The data is ready with the issuer, and on its way to the Registration Authority.
    DataReady,
    /// The evidence is there. The person may have to accept the terms yet.
    Terminated,
    /// The person was not identified, or not in time (guides 7.2 and 7.3).
    Negative,
    /// The data could not be taken over.
    Error,
    /// One that the guide does not have, escaped.
    Other(String),
}

impl State {
    /// The name in JSON and in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Initialized => "initialized",
            Self::IdentificationDone => "identification-done",
            Self::DataReady => "data-ready",
            Self::Terminated => "terminated",
            Self::Negative => "negative",
            Self::Error => "error",
            Self::Other(name) => name,
        }
    }

    /// What it means, and what to do.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Created => "the data is collected, the order is not placed yet",
            Self::Initialized => "the person can begin, at the target URL",
            Self::IdentificationDone => "the person is through, the evidence is being prepared",
            Self::DataReady => "the data is ready and is being taken over",
            Self::Terminated => "the evidence is there: see whether it is enough with identify verify",
            Self::Negative => "the person was not identified, or not in time: begin anew with identify start",
            Self::Error => "the data could not be taken over: begin anew, or ask Swisscom with the Ref ID",
            Self::Other(_) => "a state that the guide does not have: ask Swisscom with the Ref ID",
        }
    }

    /// Whether nothing more will come. A state that is not known may still change.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Terminated | Self::Negative | Self::Error)
    }

    /// Whatever its spelling: `Identification done`, `IDENTIFICATION_DONE`.
    fn read(text: &str) -> Self {
        let letters: String = text.chars().filter(char::is_ascii_alphabetic).take(60).collect();
        match letters.to_ascii_uppercase().as_str() {
            "CREATED" => Self::Created,
            "INITIALIZED" | "INITIALISED" => Self::Initialized,
            "IDENTIFICATIONDONE" => Self::IdentificationDone,
            "DATAREADY" => Self::DataReady,
            "TERMINATED" => Self::Terminated,
            "IDENTIFICATIONNEGATIVELYCONDUCTED" | "NEGATIVEIDENTIFICATION" => Self::Negative,
            "ERROR" => Self::Error,
            _ => Self::Other(remark(text)),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the service says of an identification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    /// How far it is.
    pub state: State,
    /// Who carries it out, where it is said.
    pub issuer: Option<Issuer>,
    /// By which method, where it is said.
    pub method: Option<MethodName>,
    /// For which number, where it is said.
    pub mobile: Option<Msisdn>,
    /// Why it is an error, where the issuer says so; escaped and without numbers.
    pub reason: Option<String>,
}

/// The request that asks about one.
#[must_use]
pub fn status(ref_id: &RefId, token: &Token) -> Request {
    Request::get(format!("/api/identifications/{}", encoding::component(ref_id.as_str())), MEDIA_TYPE, token)
}

/// Reads the answer to [`status`].
///
/// # Errors
/// A refusal, or an answer without a state.
pub fn read_status(response: &HttpResponse) -> Result<Identification, Failure> {
    let body = answer::body(response)?;
    let fields = Fields::of(&body)?;
    let state = fields.text(&["status", "state"]).ok_or(Unreadable::Missing("status"))?;
    Ok(Identification {
        state: State::read(state),
        // These decide nothing: where they are of another form, the state still counts.
        issuer: fields.known(&["issuer"]).pop(),
        method: fields.known(&["method"]).pop(),
        mobile: fields.known(&["mobile", "msisdn"]).pop(),
        reason: fields.text(&["reason", "message"]).map(remark),
    })
}
