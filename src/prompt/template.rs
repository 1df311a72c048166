//! A text with placeholders, and how values from a login stand in it.

use std::str::FromStr;

use super::{GSM_MAX, InvalidPrompt, Values};
use crate::text::is_unprintable;

/// A name or an address from the login is cut to this many characters.
const VALUE_MAX: usize = 48;

/// A text with placeholders `{user} {host} {service} {rhost} {target} {program} {command} {txn}`; `{txn}` is
/// obligatory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    before: Vec<Part>,
    after: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    User,
    Host,
    Service,
    RHost,
    Target,
    Program,
    Command,
    Txn,
}

impl FromStr for Template {
    type Err = InvalidPrompt;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().any(is_unprintable) {
            return Err(InvalidPrompt::Unprintable);
        }
        if text.chars().count() > GSM_MAX {
            return Err(InvalidPrompt::LongTemplate);
        }
        let mut before = Vec::new();
        let mut after = None;
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, tail) = rest.split_once('{').unwrap_or((rest, ""));
            if literal.contains('}') {
                return Err(InvalidPrompt::Brace);
            }
            if !literal.is_empty() {
                after.as_mut().unwrap_or(&mut before).push(Part::Text(literal.to_owned()));
            }
            if literal.len() == rest.len() {
                break;
            }
            let (name, tail) = tail.split_once('}').ok_or(InvalidPrompt::Brace)?;
            match Part::placeholder(name)? {
                Part::Txn if after.is_none() => after = Some(Vec::new()),
                part => after.as_mut().unwrap_or(&mut before).push(part),
            }
            rest = tail;
        }
        after.map(|after| Self { before, after }).ok_or(InvalidPrompt::NoTxn)
    }
}

impl Template {
    /// What stands before the code and what after it; a command has `room` for so many characters.
    pub(super) fn render(&self, values: &Values<'_>, room: usize) -> (String, String) {
        let render = |parts: &[Part]| {
            let mut out = String::new();
            parts.iter().for_each(|part| part.append(values, room, &mut out));
            out
        };
        (render(&self.before), render(&self.after))
    }
}

impl Part {
    fn placeholder(name: &str) -> Result<Self, InvalidPrompt> {
        Ok(match name {
            "user" => Self::User,
            "host" => Self::Host,
            "service" => Self::Service,
            "rhost" => Self::RHost,
            "target" => Self::Target,
            "program" => Self::Program,
            "command" => Self::Command,
            "txn" => Self::Txn,
            _ => return Err(InvalidPrompt::Placeholder),
        })
    }

    fn append(&self, values: &Values<'_>, room: usize, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::User => out.push_str(&cleaned(values.user)),
            Self::Host => out.push_str(&cleaned(values.host)),
            Self::Service => out.push_str(&cleaned(values.service)),
            Self::RHost => out.push_str(&cleaned(values.rhost)),
            Self::Target => out.push_str(&cleaned(values.target)),
            Self::Program => out.push_str(&cleaned(values.command.map_or("", |command| &command.program))),
            Self::Command => match values.command {
                Some(command) => out.push_str(&command.quoted(room)),
                None => out.push_str(&cleaned("")),
            },
            Self::Txn => out.push_str(values.code.as_str()),
        }
    }
}

/// A value from the login as it may stand in a sentence: one line, no hidden characters, shortened.
fn cleaned(value: &str) -> String {
    if value.is_empty() {
        return "-".to_owned();
    }
    // No blanks either: a name with a sentence in it could pass for a part of the text.
    let seen = |c| {
        if is_unprintable(c) {
            '?'
        } else if c == ' ' {
            '_'
        } else {
            c
        }
    };
    let mut out: String = value.chars().take(VALUE_MAX).map(seen).collect();
    if value.chars().nth(VALUE_MAX).is_some() {
        out.push_str("..");
    }
    out
}
