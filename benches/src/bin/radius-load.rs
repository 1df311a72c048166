//! The load generator alone, from a shell.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use lexopt::prelude::*;
use mobileid_benches::load::{self, Pace, Plan};

const HELP: &str = "Sends Access-Requests to a RADIUS server on this machine, and checks its answers.

Usage: radius-load [OPTION]...

  --target ADDRESS   the server, on loopback (127.0.0.1:1812)
  --secret TEXT      what is shared with it (testing123)
  --count N          logins (10000)
  --open N           so many open at a time (64), or
  --burst            all at once, or
  --rate N           so many begun per second
  --user TEXT        the User-Name, in which {} is the login's number (user{})
  --users N          so many different users (one per login)
  --password TEXT    of at most 16 octets; empty sends none (password)
  --timeout SECONDS  for an answer (10)
  --retries N        the same packet again so often (0)
  --rejoin SECONDS   after that a second request for the same login
  --confirm SECONDS  after that an answer to an Access-Challenge, with its State
  --proxied          with two Proxy-States, which have to come back
  --wrong-secret     signed with another secret: a server should be silent
  --linger SECONDS   time for stray answers at the end (0.2)
  --json             print one line of JSON
";

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "radius-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String> {
    let mut plan = Plan::new(1812, 10_000, Pace::Closed(64));
    let mut json = false;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("target") => plan.target = parser.value()?.parse()?,
            Long("secret") => plan.secret = parser.value()?.string()?.into_bytes(),
            Long("count") => plan.count = parser.value()?.parse()?,
            Long("open") => plan.pace = Pace::Closed(parser.value()?.parse()?),
            Long("burst") => plan.pace = Pace::Burst,
            Long("rate") => plan.pace = Pace::Rate(parser.value()?.parse()?),
            Long("user") => plan.user = parser.value()?.string()?,
            Long("users") => plan.users = parser.value()?.parse()?,
            Long("password") => plan.password = parser.value()?.string()?.into_bytes(),
            Long("timeout") => plan.timeout = seconds(&mut parser)?,
            Long("retries") => plan.retries = parser.value()?.parse()?,
            Long("rejoin") => plan.rejoin = Some(seconds(&mut parser)?),
            Long("confirm") => plan.confirm = Some(seconds(&mut parser)?),
            Long("proxied") => plan.proxied = true,
            Long("wrong-secret") => plan.wrong_secret = true,
            Long("linger") => plan.linger = seconds(&mut parser)?,
            Long("json") => json = true,
            Short('h') | Long("help") => return Ok(HELP.to_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    let report = load::run(&plan)?;
    Ok(if json { format!("{}\n", report.to_json()) } else { report.to_string() })
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration> {
    let number: f64 = parser.value()?.parse()?;
    match Duration::try_from_secs_f64(number) {
        Ok(time) => Ok(time),
        Err(_) => bail!("{number} is no number of seconds"),
    }
}
