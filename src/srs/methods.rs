//! Which identification methods there are (guide 5.1): a filter, and what the service has for it.
//!
//! The filter is sent, and the answer is held against it once more: a parameter that the service does not know and
//! passes over must not let a method through that was not asked for.

use std::{fmt, str::FromStr};

use serde_json::Value;

use super::{
    Failure, HttpResponse, InvalidValue, Issuer, Jurisdiction, Level, MethodName, Request, Token, Unreadable,
    answer::{self, Fields},
    encoding,
};

/// What every request about methods and identifications asks to be answered with, and posts.
pub(super) const MEDIA_TYPE: &str = "application/vnd.sc.miss.provider.v1+json";

/// The filter of guide 5.1. What is empty or absent restricts nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only methods of these.
    pub issuers: Vec<Issuer>,
    /// Only methods that are good under one of these.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Only methods of this level.
    pub level: Option<Level>,
    /// Only methods of this type.
    pub kind: Option<MethodType>,
    /// Whether the person has to go somewhere.
    pub offline: Option<bool>,
    /// Whether a browser is enough for all of it.
    pub webflow: Option<bool>,
    /// Whether the person can sign at once when it is done.
    pub real_time: Option<bool>,
}

/// The type of a method (guide 5.1, which says that the list will grow).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MethodType {
    /// A conversation by video.
    Video,
    /// A national electronic identity.
    EId,
    /// The login of a bank.
    Bankident,
    /// One that came later.
    Other(MethodName),
}

impl MethodType {
    /// As it is written.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Video => "Video",
            Self::EId => "eID",
            Self::Bankident => "Bankident",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl fmt::Display for MethodType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MethodType {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Video, Self::EId, Self::Bankident];
        match known.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text)) {
            Some(kind) => Ok(kind),
            None => text.parse().map(Self::Other),
        }
    }
}

/// A method, as far as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Who carries it out.
    pub issuer: Issuer,
    /// Its name with that issuer.
    pub name: MethodName,
    /// Its type.
    pub kind: Option<MethodType>,
    /// What it is good for.
    pub jurisdictions: Vec<Jurisdiction>,
    /// The levels that it reaches.
    pub levels: Vec<Level>,
    /// As in [`Filter::offline`].
    pub offline: Option<bool>,
    /// As in [`Filter::webflow`].
    pub webflow: Option<bool>,
    /// As in [`Filter::real_time`].
    pub real_time: Option<bool>,
}

impl Filter {
    fn query(&self) -> String {
        let flag = |name, flag: Option<bool>| flag.map(|flag| (name, if flag { "true" } else { "false" }));
        let issuers = self.issuers.iter().map(|issuer| ("issuer", issuer.as_str()));
        let jurisdictions = self.jurisdictions.iter().map(|j| ("jurisdiction", j.filter()));
        let level = self.level.map(|level| ("loa", level.digit()));
        let kind = self.kind.as_ref().map(|kind| ("method", kind.name()));
        let flags =
            [flag("offline", self.offline), flag("webflow", self.webflow), flag("realtime", self.real_time)];
        encoding::pairs(
            jurisdictions.chain(level).chain(kind).chain(issuers).chain(flags.into_iter().flatten()),
        )
    }

    /// Whether a method fits, in all that is known of it.
    #[must_use]
    pub fn admits(&self, method: &Method) -> bool {
        let flag = |asked: Option<bool>, is: Option<bool>| asked.is_none() || is.is_none() || asked == is;
        let issuer = |issuer: &Issuer| issuer.as_str().eq_ignore_ascii_case(method.issuer.as_str());
        (self.issuers.is_empty() || self.issuers.iter().any(issuer))
            && (self.jurisdictions.is_empty()
                || method.jurisdictions.is_empty()
                || self.jurisdictions.iter().any(|j| method.jurisdictions.contains(j)))
            && self.level.is_none_or(|level| method.levels.is_empty() || method.levels.contains(&level))
            && (self.kind.is_none() || method.kind.is_none() || self.kind == method.kind)
            && flag(self.offline, method.offline)
            && flag(self.webflow, method.webflow)
            && flag(self.real_time, method.real_time)
    }
}

/// The request for the list.
#[must_use]
pub fn request(filter: &Filter, token: &Token) -> Request {
    let query = filter.query();
    let separator = if query.is_empty() { "" } else { "?" };
    Request::get(format!("/api/providers{separator}{query}"), MEDIA_TYPE, token)
}

/// Reads the answer to [`request`]: the methods that fit, at most 200.
///
/// # Errors
/// A refusal, or an answer without a list, or a method in it without issuer or name.
pub fn read(filter: &Filter, response: &HttpResponse) -> Result<Vec<Method>, Failure> {
    let body = answer::body(response)?;
    let list = match &body {
        Value::Array(list) => list,
        Value::Object(fields) => Fields(fields)
            .get(&["providers", "methods", "content"])
            .and_then(Value::as_array)
            .ok_or(Unreadable::Missing("providers"))?,
        _ => return Err(Unreadable::NotAnObject.into()),
    };
    let methods: Result<Vec<_>, _> = list.iter().take(LIST_MAX).map(method).collect();
    Ok(methods?.into_iter().filter(|method| filter.admits(method)).collect())
}

const LIST_MAX: usize = 200;

fn method(value: &Value) -> Result<Method, Unreadable> {
    let fields = Fields::of(value)?;
    Ok(Method {
        issuer: fields.required(&["issuer", "issuerName"])?,
        name: fields.required(&["method", "methodName", "name"])?,
        kind: fields.known(&["methodType", "type"]).pop(),
        jurisdictions: fields.known(&["jurisdictions", "jurisdiction"]),
        levels: fields.known(&["loas", "loa", "levelOfAssurance", "assuranceLevel"]),
        offline: fields.flag(&["offline"]),
        webflow: fields.flag(&["webflow", "webFlow"]),
        real_time: fields.flag(&["realtime", "realTime", "realTimeMethod"]),
    })
}
