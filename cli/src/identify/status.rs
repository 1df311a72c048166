//! `mobileidctl identify status`: how far an identification is (guide 4).

use std::{
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use mobileid::{
    config::values::duration,
    driver::{TICK, srs::NoAnswer},
    srs::{
        Failure, RefId, Why,
        identification::{Identification, State},
    },
};

use super::{Session, WITH_TOKEN, answered, table};
use crate::{Common, Exit, out, progress::Bound};

/// Says how far an identification is
#[derive(Debug, Args)]
#[command(after_help = "\
Terminated means that the evidence is there, not that it is enough: see identify
verify. With --wait an outage on the way is waited through. Ctrl-C gives up.

Exit codes: 0 terminated, 1 not, or not yet, 2 could not try.")]
pub(crate) struct Arguments {
    /// The Ref ID that identify start has printed
    ref_id: RefId,
    /// Wait until it has ended
    #[arg(long)]
    wait: bool,
    /// How long to wait at most
    #[arg(long = "for", value_name = "TIME", default_value = "60m", value_parser = duration, requires = "wait")]
    limit: Duration,
    /// How long after one answer to ask again
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = pause, requires = "wait")]
    every: Duration,
    #[command(flatten)]
    common: Common,
}

/// Never without a rest: the service counts.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = duration(text)?;
    if (1..=600).contains(&pause.as_secs()) {
        Ok(pause)
    } else {
        Err("must be from \"1s\" to \"10m\"".to_owned())
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut session = Session::open(&arguments.common)?;
    let found = if arguments.wait {
        Wait::new(arguments).until_it_has_ended(&mut session)?
    } else {
        let (tick, waiting) = (session.tick(), session.wait(WITH_TOKEN));
        let found = session.desk.status(&arguments.ref_id, &tick);
        drop(waiting);
        answered(found)?
    };
    let Some(found) = found else { return Ok(Exit::No) };
    tell(&arguments.ref_id, &found, arguments.common.json)?;
    Ok(Exit::of(found.state == State::Terminated))
}

/// A wait, told to the person at the terminal.
struct Wait<'a> {
    arguments: &'a Arguments,
    started: Instant,
    last: String,
}

impl<'a> Wait<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        Self { arguments, started: Instant::now(), last: String::new() }
    }

    /// The last state that was seen; None where there was none.
    fn until_it_has_ended(mut self, session: &mut Session) -> anyhow::Result<Option<Identification>> {
        let tick = session.tick();
        let _waiting = session.progress.wait("the identification", Bound::AtMost(self.arguments.limit));
        let mut seen = None;
        loop {
            match session.desk.status(&self.arguments.ref_id, &tick) {
                Ok(found) => {
                    self.step(found.state.name());
                    let has_ended = found.state.has_ended();
                    seen = Some(found);
                    if has_ended {
                        return Ok(seen);
                    }
                }
                Err(trouble) if passes(&trouble) => self.step(&trouble.to_string()),
                Err(NoAnswer::Cancelled) => {}
                Err(trouble) => return Err(trouble.into()),
            }
            if !self.rest(session) {
                out::say(if session.is_given_up() { "given up" } else { "waited long enough" });
                return Ok(seen);
            }
        }
    }

    /// Tells what is new.
    fn step(&mut self, what: &str) {
        if self.last != what {
            out::say(&format!("{:>6.0} s  {what}", self.started.elapsed().as_secs_f64()));
            what.clone_into(&mut self.last);
        }
    }

    /// Waits until it is time to ask again. False if there is no more time, or no more wish.
    fn rest(&self, session: &Session) -> bool {
        let until = Instant::now().checked_add(self.arguments.every);
        while until.is_some_and(|until| Instant::now() < until) {
            if session.is_given_up() || self.started.elapsed() >= self.arguments.limit {
                break;
            }
            thread::sleep(TICK);
        }
        !session.is_given_up() && self.started.elapsed() < self.arguments.limit
    }
}

/// Whether trouble may pass by itself.
fn passes(trouble: &NoAnswer) -> bool {
    match trouble {
        NoAnswer::Unreachable(..) | NoAnswer::Lost(_) | NoAnswer::TimedOut => true,
        NoAnswer::Failure(Failure::Refused(refused)) => matches!(refused.why, Why::Service | Why::TooMany),
        NoAnswer::Failure(Failure::Unreadable(_)) | NoAnswer::Cancelled => false,
    }
}

fn tell(ref_id: &RefId, found: &Identification, json: bool) -> anyhow::Result<()> {
    let mobile = found.mobile.as_ref().map(ToString::to_string);
    let issuer = found.issuer.as_ref().map(ToString::to_string);
    let method = found.method.as_ref().map(ToString::to_string);
    if json {
        return out::json(&serde_json::json!({
            "ref_id": ref_id.as_str(),
            "state": found.state.name(),
            "ended": found.state.has_ended(),
            "issuer": issuer,
            "method": method,
            "mobile": mobile,
            "reason": found.reason,
        }));
    }
    let rows = [("issuer", issuer), ("method", method), ("mobile", mobile), ("reason", found.reason.clone())];
    out::data(&table(&format!("{}: {}", found.state, found.state.sentence()), &rows))
}
