//! `mobileidctl identify methods`: which ways of identifying there are (guide 5.1).

use clap::{Args, builder::BoolishValueParser};
use mobileid::srs::{
    Basis, Issuer, Jurisdiction, Level,
    methods::{Filter, Method, MethodType},
};
use serde::Serialize;

use super::{Session, WITH_TOKEN, answered};
use crate::{Common, Exit, out};

/// Lists identification methods
#[derive(Debug, Args)]
#[command(after_help = "\
Without --all, --jurisdiction and --level those that reach what srs asks for.

Exit codes: 0 there are some, 1 there is none, 2 could not try.")]
pub(crate) struct Arguments {
    /// Of this provider; repeatable
    #[arg(long)]
    issuer: Vec<Issuer>,
    /// Under this law, zertes or eidas; repeatable
    #[arg(long, value_name = "LAW")]
    jurisdiction: Vec<Jurisdiction>,
    /// Of this level of assurance, 3 or 4
    #[arg(long)]
    level: Option<Level>,
    /// Of this type, like Video, eID, Bankident
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<MethodType>,
    /// Whether the person has to go somewhere
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    offline: Option<bool>,
    /// Whether a browser is enough
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    webflow: Option<bool>,
    /// Whether the person can sign at once
    #[arg(long, value_name = "YES|NO", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    real_time: Option<bool>,
    /// Of every law and level
    #[arg(long, conflicts_with_all = ["jurisdiction", "level"])]
    all: bool,
    #[command(flatten)]
    common: Common,
}

/// A method as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    issuer: &'a str,
    method: &'a str,
    r#type: Option<&'a str>,
    jurisdictions: Vec<&'static str>,
    levels: Vec<&'static str>,
    offline: Option<bool>,
    webflow: Option<bool>,
    real_time: Option<bool>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut session = Session::open(&arguments.common)?;
    let filter = arguments.filter(&session);
    let (tick, waiting) = (session.tick(), session.wait(WITH_TOKEN));
    let methods = session.desk.methods(&filter, &tick);
    drop(waiting);
    let Some(methods) = answered(methods)? else { return Ok(Exit::No) };
    let lines: Vec<_> = methods.iter().map(Line::of).collect();
    if arguments.common.json {
        out::json(&serde_json::json!({ "methods": lines }))?;
    } else if lines.is_empty() {
        out::say("there is no such method");
    } else {
        out::data(&lines.iter().map(|line| line.in_words() + "\n").collect::<String>())?;
    }
    Ok(Exit::of(!lines.is_empty()))
}

impl Arguments {
    fn filter(&self, session: &Session) -> Filter {
        let needed = &session.registration.needed;
        let mut filter = Filter {
            issuers: self.issuer.clone(),
            jurisdictions: self.jurisdiction.clone(),
            level: self.level,
            kind: self.kind.clone(),
            offline: self.offline,
            webflow: self.webflow,
            real_time: self.real_time,
        };
        if self.all {
            return filter;
        }
        filter.level.get_or_insert(needed.level);
        if let (true, Basis::Jurisdiction(jurisdiction)) = (filter.jurisdictions.is_empty(), &needed.basis) {
            filter.jurisdictions.push(*jurisdiction);
        }
        filter
    }
}

impl<'a> Line<'a> {
    fn of(method: &'a Method) -> Self {
        Self {
            issuer: method.issuer.as_str(),
            method: method.name.as_str(),
            r#type: method.kind.as_ref().map(MethodType::name),
            jurisdictions: method.jurisdictions.iter().map(|j| j.name()).collect(),
            levels: method.levels.iter().map(|level| level.digit()).collect(),
            offline: method.offline,
            webflow: method.webflow,
            real_time: method.real_time,
        }
    }

    fn in_words(&self) -> String {
        let flag = |flag: Option<bool>, yes: &str, no: &str| match flag {
            Some(true) => format!(", {yes}"),
            Some(false) => format!(", {no}"),
            None => String::new(),
        };
        format!(
            "{:<14}\"{}\"  {}, {}, level {}{}{}{}",
            self.issuer,
            self.method,
            self.r#type.unwrap_or("type not said"),
            or_not_said(&self.jurisdictions),
            or_not_said(&self.levels),
            flag(self.offline, "offline", "online"),
            flag(self.webflow, "in a browser", "not in a browser alone"),
            flag(self.real_time, "at once", "not at once"),
        )
    }
}

fn or_not_said(words: &[&str]) -> String {
    if words.is_empty() { "not said".to_owned() } else { words.join(" and ") }
}
