//! `mobileidctl setup`: from a contract with Swisscom to a configuration that works.
//!
//! ```text
//!   /etc/mobileid ──> found.rs ─────┐ what is there is kept; what was said must not contradict it
//!   --trust FILE ───> roots.rs ─────┤ only roots whose fingerprints are published, or named
//!   flags, person ──> answers.rs ───┤ asked.rs: one question a line, on a terminal only
//!                                   │
//!                                   │ until here nothing was written, and each mistake ends it
//!                                   ▼
//!   mobileid.toml  users.toml  client.key  client.crt  trust/      home.rs: each whole or not at all, over nothing
//!   sample.rs                  client.rs               roots.rs
//!                                   │
//!                                   ▼
//!   check, heartbeat, doctor ──> report.rs: what was made, what Swisscom needs, what is left to do
//! ```
//!
//! Swisscom takes days to register a certificate, and its roots come from elsewhere. So setup is run again and goes on
//! where it stopped: the files are all that it remembers. The configuration is written first, because it holds the
//! answers; whoever runs setup again is not asked for them.
//!
//! Without a contract, `--simulator` takes the files that mobileid-simulator has laid out (simulator.rs).

mod answers;
mod asked;
mod client;
mod found;
mod home;
mod report;
mod roots;
mod sample;
mod send;
mod simulator;
mod todo;

use std::{convert::Infallible, path::PathBuf};

use clap::Args;
use mobileid::config::Endpoint;

use crate::{Exit, out, progress::Progress};
use answers::{Country, Named};
use client::KeyKind;
use found::Found;
use home::{Home, Mode};
use report::Report;
use roots::Fingerprint;

/// Makes configuration, key and certificate; goes on where it stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Asks on a terminal for what is not said. Keeps what is there. Prints what to
send to Swisscom, runs check, heartbeat and doctor, and says what is left.

Exit codes: 0 all is well, 1 something is left to do, 2 could not try.")]
pub(crate) struct Arguments {
    /// Who we are: from the contract with Swisscom
    #[arg(long, value_name = "ID", value_parser = trimmed)]
    ap_id: Option<String>,
    /// The text's first word: from the contract, too
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Instead of https://mobileid.swisscom.com
    #[arg(long)]
    url: Option<Endpoint>,
    /// The server's name, where URL has an address
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Roots of the server, instead of the system's
    #[arg(long, value_name = "FILE")]
    server_trust: Option<PathBuf>,
    /// The certificate's CN; this host's name if not said
    #[arg(long)]
    name: Option<Named>,
    /// The certificate's O: the company
    #[arg(long, value_name = "NAME")]
    organisation: Option<Named>,
    /// The certificate's C; CH if not said
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    /// rsa-4096 if not said, or rsa-2048
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    key: Option<KeyKind>,
    /// A root of the signers, from Swisscom; repeatable
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Takes a root that is not Swisscom's; repeatable
    #[arg(long, value_name = "HEX", requires = "trust")]
    trust_sha256: Vec<Fingerprint>,
    /// Takes what mobileid-simulator has laid out there
    #[arg(long, value_name = "DIR", conflicts_with_all = CONTRACT)]
    simulator: Option<PathBuf>,
    #[arg(long, value_name = "DIR", default_value = home::DEFAULT, hide_default_value = true,
        help = format!("Instead of {}", home::DEFAULT))]
    folder: PathBuf,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    /// The system that doctor looks at
    #[arg(long, value_name = "DIR", hide = true)]
    root: Option<PathBuf>,
}

/// What the simulator has an answer to.
const CONTRACT: [&str; 11] = [
    "ap_id",
    "prefix",
    "url",
    "server_name",
    "server_trust",
    "name",
    "organisation",
    "country",
    "key",
    "trust",
    "trust_sha256",
];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let home = Home::at(&arguments.folder)?;
    let mut report = Report::new(arguments, &home);
    match &arguments.simulator {
        Some(state) => simulator::copy(state, home, Progress::unless(arguments.json), &mut report)?,
        None => with_contract(arguments, home, &mut report)?,
    }
    report.examine()?;
    report.end()
}

fn with_contract(arguments: &Arguments, home: Home, report: &mut Report<'_>) -> anyhow::Result<()> {
    let found = Found::at(&home)?;
    let server_roots = sample::server_roots(arguments)?;
    found.agrees_with(arguments, server_roots.as_deref())?;
    let roots = roots::read(&arguments.trust, &arguments.trust_sha256)?;
    let planned = roots::plan(&roots, &found)?;
    let answers = answers::all(arguments, &found)?;
    let config = answers.service.as_ref().map(sample::written).transpose()?;
    // Takes seconds, in which Ctrl-C shall leave nothing behind.
    let client = client::make(arguments, &found, answers.subject.as_ref())?;

    let home = home.open(Progress::unless(arguments.json))?;
    let places = found.places();
    home.clear_up(&places.folders())?;
    match &config {
        Some(text) => {
            if let Some(pem) = &server_roots {
                report.made_or_same(
                    &home,
                    &home.path(sample::SERVER_ROOTS),
                    pem.as_bytes(),
                    Mode::Readable,
                )?;
            }
            report.made(&home, &places.config, text.as_bytes(), Mode::Readable)?;
        }
        None => report.kept(&places.config),
    }
    if let Some(users) = &places.users {
        report.made_or_kept(&home, users, sample::USERS.as_bytes(), Mode::Private)?;
    }
    client.write(&home, &places, report)?;
    planned.write(&home, report)
}

/// What was copied out of a letter may have brought a blank along: the service would refuse it after days.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn trimmed(text: &str) -> Result<String, Infallible> {
    Ok(text.trim().to_owned())
}

/// Says something to a person, who may not be there.
fn say(arguments: &Arguments, what: &str) {
    if !arguments.json {
        out::say(what);
    }
}
