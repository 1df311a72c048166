//! Reads answers: tolerant of what is unknown, exact about what is needed.
//!
//! The guide names what an answer holds and not how it is spelled, so a field is looked for under every name that it
//! may have, and a text may stand where a number is expected. A body is bounded before it is parsed, and serde_json
//! bounds its depth.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::{BODY_MAX, Failure, HttpResponse, Refused, Unreadable, Why};
use crate::text;

/// The names that a field may have; the first one is what it is called in a message.
pub(super) type Names = &'static [&'static str];

/// The body of a success, or the refusal.
pub(super) fn body(response: &HttpResponse) -> Result<Value, Failure> {
    match response.status {
        200..=299 => Ok(json(response)?),
        status => Err(Failure::Refused(Refused { why: Why::of(status), status, detail: detail(response) })),
    }
}

fn json(response: &HttpResponse) -> Result<Value, Unreadable> {
    if response.body.len() > BODY_MAX {
        return Err(Unreadable::TooLarge);
    }
    serde_json::from_slice(&response.body).map_err(|_| Unreadable::NotJson)
}

/// What the service says of its no: the first of the texts that such bodies have.
fn detail(response: &HttpResponse) -> String {
    let said = json(response).ok();
    let fields = said.as_ref().and_then(|said| Fields::of(said).ok());
    let text = fields.and_then(|f| f.text(&["message", "error_description", "detail", "reason", "error"]));
    text.map(remark).unwrap_or_default()
}

/// Words of the service that are shown and decide nothing: escaped, cut, and without numbers.
pub(super) fn remark(text: &str) -> String {
    text::foreign(text, 200)
}

/// The fields of an object.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Unreadable> {
        value.as_object().map(Self).ok_or(Unreadable::NotAnObject)
    }

    /// The first of the names that is there; null is not.
    pub(super) fn get(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| self.0.get(*name).filter(|value| !value.is_null()))
    }

    /// The first of the names under which a text stands that is not empty.
    pub(super) fn text(&self, names: &[&str]) -> Option<&'a str> {
        let text = |name: &&str| self.0.get(*name)?.as_str().filter(|text| !text.is_empty());
        names.iter().find_map(text)
    }

    pub(super) fn flag(&self, names: &[&str]) -> Option<bool> {
        match self.get(names)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A value that must be there, and of its type.
    pub(super) fn required<T: FromStr>(&self, names: Names) -> Result<T, Unreadable> {
        self.optional(names)?.ok_or(Unreadable::Missing(shown(names)))
    }

    /// A value that may be absent, but is of its type where it is there.
    pub(super) fn optional<T: FromStr>(&self, names: Names) -> Result<Option<T>, Unreadable> {
        let invalid = Unreadable::Invalid(shown(names));
        match self.get(names).map(scalar) {
            None => Ok(None),
            Some(None) => Err(invalid),
            Some(Some(text)) if text.is_empty() => Ok(None),
            Some(Some(text)) => text.parse().map(Some).map_err(|_| invalid),
        }
    }

    /// The values of a list, or a single one; what is of no known form is left out.
    pub(super) fn known<T: FromStr>(&self, names: &[&str]) -> Vec<T> {
        let one = |value: &Value| scalar(value).and_then(|text| text.parse().ok());
        match self.get(names) {
            Some(Value::Array(items)) => items.iter().filter_map(one).collect(),
            Some(value) => one(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

fn shown(names: Names) -> &'static str {
    names.first().copied().unwrap_or_default()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
