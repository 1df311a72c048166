//! `mobileidctl heartbeat`: is the service well, and does it know us? (guide 4.5)
//!
//! The way there is walked in stages, so that what ends it can be named: the look-up of the name, a connection
//! to each address, and one exchange, which is the request that a healthy service refuses with 101
//! `Illegal msisdn`. Nobody's phone is involved.

mod advice;
mod reach;

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context as _;
use clap::Args;
use mobileid::{
    driver::{blocking, https::Https},
    load::{self, Setup},
    login::Answer,
    mss::{ApTransId, HttpRequest, HttpResponse, heartbeat, heartbeat::Health},
    outcome::Reason,
};
use serde::Serialize;

use crate::{
    Common, Exit,
    advice::Us,
    out, patience,
    progress::{Bound, Progress},
    when,
};
use advice::Trouble;

/// Asks the service whether it is well and knows us; no phone rings
#[derive(Debug, Args)]
#[command(after_help = "\
Sends the health check of the Mobile ID guide (4.5), and names what is wrong on
the way: name, connection, proxy, TLS, authorisation, clock.

Exit codes: 0 healthy, 1 not, 2 unusable arguments or configuration.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// What the answer itself may take once the service is reached: it waits for nobody.
const PATIENCE: Duration = Duration::from_secs(10);
/// A clock that is further off is worth a word: the service refuses an Instant that is too far off with 101.
const SKEW_MAX: i64 = 60;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let beat = ask(&arguments.common.config, arguments.common.json)?;
    let healthy = beat.is_healthy();
    if arguments.common.json {
        out::json(&beat.into_line())?;
    } else {
        out::data(&beat.into_words())?;
    }
    Ok(Exit::of(healthy))
}

/// Walks to the service and back.
///
/// # Errors
/// The configuration cannot be used.
pub(crate) fn ask(config: &Path, quiet: bool) -> anyhow::Result<Beat> {
    let setup = load::load(config)?;
    let https = Https::new(&setup.connection).with_context(|| config.display().to_string())?;
    let mut report = Report::new(quiet);
    let ended = report.walk(&setup, &https);
    Ok(Beat { report, ended })
}

/// What was found on the way, and what ended it.
pub(crate) struct Beat {
    report: Report,
    ended: Result<(), Trouble>,
}

impl Beat {
    pub(crate) fn is_healthy(&self) -> bool {
        self.ended.is_ok()
    }

    /// The fault or HTTP status that ended it.
    pub(crate) fn code(&self) -> Option<u16> {
        self.ended.as_ref().err().and_then(|trouble| trouble.code)
    }

    pub(crate) fn into_words(self) -> String {
        self.report.in_words(self.ended)
    }

    /// For JSON.
    pub(crate) fn into_line(self) -> impl Serialize {
        self.report.line(self.ended)
    }
}

/// What was found on the way.
struct Report {
    quiet: bool,
    stages: Vec<Stage>,
    /// Seconds by which our clock is ahead of the service's.
    ahead: Option<i64>,
    hints: Vec<String>,
}

/// One stage of the way.
#[derive(Serialize)]
struct Stage {
    stage: &'static str,
    ok: bool,
    ms: u64,
    what: String,
}

impl Report {
    fn new(quiet: bool) -> Self {
        Self { quiet, stages: Vec::new(), ahead: None, hints: Vec::new() }
    }

    fn stage(&mut self, stage: Stage) {
        if !self.quiet {
            let mark = if stage.ok { "ok" } else { "no" };
            out::say(&format!("{mark}  {:<8}{:>6} ms  {}", stage.stage, stage.ms, stage.what));
        }
        self.stages.push(stage);
    }

    /// Walks to the service and back. An error is what ended the walk.
    fn walk(&mut self, setup: &Setup, https: &Https) -> Result<(), Trouble> {
        let connection = &setup.connection;
        let target = connection.proxy.as_ref().map_or(&connection.service, |p| &p.endpoint);
        let progress = Progress::unless(self.quiet);
        let waiting = progress.wait(format!("the name {}", target.host), Bound::Of("the resolver"));
        let resolved = reach::resolve(target);
        drop(waiting);
        let addresses = resolved.map_err(|failed| {
            self.stage(failed);
            advice::no_name(target)
        })?;
        self.stage(addresses.stage);
        let limit = connection.timeouts.connect;
        let waiting = progress.wait(format!("a connection to {target}"), Bound::AtMost(limit));
        let reached = reach::connect(&addresses.found, limit);
        drop(waiting);
        let errors: Vec<_> = reached.iter().filter_map(|r| r.error).collect();
        let count = reached.len();
        reached.into_iter().for_each(|r| self.stage(r.stage));
        if errors.len() == count {
            return Err(advice::no_connection(target, connection.proxy.is_some(), &errors));
        }
        if !errors.is_empty() {
            let what =
                "some addresses do not accept connections: logins are slower where they are tried first";
            self.hints.push(what.to_owned());
        }
        let response = self.exchange(setup, https)?;
        self.judge(setup, &response)
    }

    fn exchange(&mut self, setup: &Setup, https: &Https) -> Result<HttpResponse, Trouble> {
        let request = request(setup)?;
        let (started, sent) = (Instant::now(), SystemTime::now());
        let service = &setup.connection.service;
        let what = format!("the answer of {service}");
        let waiting = Progress::unless(self.quiet).wait(what, Bound::AtMost(request.limit));
        let answer = https.exchange(&request, &patience::tick());
        let took = started.elapsed();
        drop(waiting);
        let (ok, what) = match &answer {
            Answer::Reply(response) => (true, format!("{service} {}", answered(response))),
            Answer::Unreachable(_, detail) | Answer::Lost(detail) => (false, detail.clone()),
            Answer::TimedOut => (false, format!("{service} gave no answer in time")),
            _ => (false, "given up".to_owned()),
        };
        self.stage(Stage { stage: "request", ok, ms: reach::millis(took), what });
        match answer {
            Answer::Reply(response) => {
                // The header has whole seconds: it is held against the middle of the exchange.
                let middle = sent.checked_add(took / 2).unwrap_or(sent);
                let theirs = response.date.as_deref().and_then(when::parse_http_date);
                self.ahead = theirs.map(|theirs| seconds_ahead(middle, theirs));
                Ok(response)
            }
            Answer::Unreachable(why, detail) => Err(advice::unreachable(&setup.connection, why, &detail)),
            Answer::Lost(detail) => Err(advice::lost(&setup.connection, &detail)),
            Answer::TimedOut => Err(advice::silent(&setup.connection, request.limit)),
            _ => Err(Trouble::of(Reason::Internal, "the request was given up".to_owned())),
        }
    }

    fn judge(&mut self, setup: &Setup, response: &HttpResponse) -> Result<(), Trouble> {
        let skewed = self.ahead.filter(|ahead| ahead.abs() > SKEW_MAX);
        if let Some(ahead) = skewed {
            self.hints.push(format!("this host's clock is {}: set it by NTP", clock(ahead)));
        }
        match heartbeat::read(response) {
            Ok(Health::Healthy) => Ok(()),
            Ok(Health::Fault(reply)) => Err(advice::fault(&Us::of(setup), &reply, skewed.is_some())),
            Ok(Health::Unexpected) => Err(advice::unexpected()),
            Err(unreadable) => Err(advice::unreadable(&setup.connection, unreadable)),
        }
    }

    fn line(self, ended: Result<(), Trouble>) -> impl Serialize {
        #[derive(Serialize)]
        struct Line {
            verdict: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<u16>,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<String>,
            hints: Vec<String>,
            clock_ahead_s: Option<i64>,
            stages: Vec<Stage>,
        }
        let (reason, code, detail, more) = match ended {
            Ok(()) => (None, None, None, Vec::new()),
            Err(trouble) => (Some(trouble.reason), trouble.code, Some(trouble.what), trouble.hints),
        };
        Line {
            verdict: if reason.is_none() { "healthy" } else { "unhealthy" },
            reason,
            code,
            detail,
            hints: more.into_iter().chain(self.hints).collect(),
            clock_ahead_s: self.ahead,
            stages: self.stages,
        }
    }

    fn in_words(self, ended: Result<(), Trouble>) -> String {
        let (mut lines, more) = match ended {
            Ok(()) => (vec!["healthy: the service works and knows us".to_owned()], Vec::new()),
            Err(trouble) => (vec![format!("unhealthy: {}: {}", trouble.name(), trouble.what)], trouble.hints),
        };
        lines.extend(self.ahead.map(|ahead| format!("  clock: {}", clock(ahead))));
        lines.extend(more.iter().chain(&self.hints).map(|hint| format!("  - {hint}")));
        lines.join("\n")
    }
}

/// What came back, before it is judged. A healthy service refuses, with HTTP 500 as all its refusals: told as it is, it
/// would be taken for a fault.
fn answered(response: &HttpResponse) -> String {
    match heartbeat::read(response) {
        Ok(Health::Healthy) => "refused the number that is none, as a healthy service does".to_owned(),
        Ok(Health::Fault(_)) => "answered with a fault".to_owned(),
        Ok(Health::Unexpected) | Err(_) => format!("answered (HTTP {})", response.status),
    }
}

fn request(setup: &Setup) -> Result<HttpRequest, Trouble> {
    let internal = |what: String| Trouble::of(Reason::Internal, what);
    let entropy = blocking::entropy().map_err(|e| internal(e.to_string()))?;
    let id = entropy.first_chunk().map(ApTransId::from_entropy);
    let id = id.ok_or_else(|| internal("too little randomness".to_owned()))?;
    let config = &setup.config;
    let limit = setup.connection.timeouts.connect.saturating_add(PATIENCE);
    heartbeat::request(&config.ap, &id, config.profile, SystemTime::now(), limit)
        .map_err(|e| internal(e.to_string()))
}

fn seconds_ahead(ours: SystemTime, theirs: SystemTime) -> i64 {
    let whole = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    match ours.duration_since(theirs) {
        Ok(ahead) => whole(ahead),
        Err(behind) => -whole(behind.duration()),
    }
}

fn clock(ahead: i64) -> String {
    match ahead {
        -1..=1 => "within a second of the service's".to_owned(),
        2.. => format!("{ahead} s ahead of the service's"),
        _ => format!("{} s behind the service's", ahead.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_or_behind() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(clock(seconds_ahead(at(1000), at(910))), "90 s ahead of the service's");
        assert_eq!(clock(seconds_ahead(at(910), at(1000))), "90 s behind the service's");
        assert_eq!(clock(seconds_ahead(at(1000), at(1001))), "within a second of the service's");
    }
}
