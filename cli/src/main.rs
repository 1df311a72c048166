//! The administrator's tool: is the configuration right, is the service well, does a login work, who signed this?
//!
//! ```text
//! mobileidctl setup               makes the configuration, our key and certificate
//! mobileidctl check               reads what a login reads, and asks nobody
//! mobileidctl heartbeat           asks the service, and nobody's phone
//! mobileidctl login USER          asks the user's phone
//! mobileidctl whois USER          asks the directories, and shows what a login would use
//! mobileidctl enrol USER          asks the user's phone, keeps its serial number, and enters a new user in the table
//! mobileidctl signature verify    asks nobody: it looks at what a login left behind
//! mobileidctl doctor              reads what sshd, sudo and PAM make of the module
//! mobileidctl identify ...        has somebody find out who is behind a number
//! mobileidctl breakglass ...      makes, lists and takes back one-time codes
//! mobileidctl grace ...           lists and ends confirmations that stand for a while
//! mobileidctl pushes ...          lists and forgets how often phones were asked in vain
//! mobileidctl serial ...          lists, changes and forgets serial numbers that signatures must have
//! mobileidctl reload              has the RADIUS responder read its configuration again
//! ```
//!
//! Standard output has what was asked for, and with `--json` exactly one line of it; mistakes and warnings go to
//! standard error, and so does a line about whatever takes longer than a second, where somebody watches. A verb ends
//! with 0 for yes, 1 for no, and 2 where it could not try.

mod advice;
mod audit;
mod breakglass;
mod careful;
mod check;
mod doctor;
mod enrol;
mod folders;
mod grace;
mod heartbeat;
mod identify;
mod login;
#[cfg(test)]
mod manual;
mod out;
mod patience;
mod progress;
mod pushes;
mod reload;
mod serial;
mod setup;
mod signals;
mod signature;
mod terminal;
mod when;
mod whois;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use mobileid::config::DEFAULT_PATH;
use nix::sys::prctl;

/// Administers the Mobile ID second factor of this host
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true, after_help = "Exit codes: 0 yes, 1 no, 2 could not try.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(subcommand)]
    Breakglass(breakglass::Verb),
    Check(check::Arguments),
    Doctor(doctor::Arguments),
    Enrol(Box<enrol::Arguments>),
    #[command(subcommand)]
    Grace(grace::Verb),
    Heartbeat(heartbeat::Arguments),
    #[command(subcommand)]
    Identify(identify::Verb),
    Login(login::Arguments),
    #[command(subcommand)]
    Pushes(pushes::Verb),
    Reload(reload::Arguments),
    #[command(subcommand)]
    Serial(serial::Verb),
    Setup(Box<setup::Arguments>),
    #[command(subcommand)]
    Signature(signature::Verb),
    Whois(whois::Arguments),
}

/// What every verb that needs the configuration takes.
#[derive(Debug, Args)]
struct Common {
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH, hide_default_value = true,
        help = format!("Instead of {DEFAULT_PATH}"))]
    config: PathBuf,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
}

/// How a verb ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is well: sound, healthy, accepted.
    Yes = 0,
    /// It is not, and the output says why.
    No = 1,
    /// It could not be tried: arguments, configuration, or this host.
    Unusable = 2,
}

impl Exit {
    fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return explain(&usage).into(),
    };
    // Most verbs hold our key. Neither a fault of ours nor Ctrl-\\ is to leave it in a core file; where the kernel does
    // not know how to do without, nothing is worse than it was.
    let _ = prctl::set_dumpable(false);
    let ended = match cli.verb {
        Verb::Breakglass(verb) => breakglass::run(&verb),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Enrol(arguments) => enrol::run(&arguments),
        Verb::Grace(verb) => grace::run(&verb),
        Verb::Heartbeat(arguments) => heartbeat::run(&arguments),
        Verb::Identify(verb) => identify::run(&verb),
        Verb::Login(arguments) => login::run(&arguments),
        Verb::Pushes(verb) => pushes::run(&verb),
        Verb::Reload(arguments) => reload::run(&arguments),
        Verb::Serial(verb) => serial::run(&verb),
        Verb::Setup(arguments) => setup::run(&arguments),
        Verb::Signature(verb) => signature::run(&verb),
        Verb::Whois(arguments) => whois::run(&arguments),
    };
    ended.unwrap_or_else(|error| failed(&error)).into()
}

/// Prints what clap has to say: help and version count as errors too.
fn explain(usage: &clap::Error) -> Exit {
    let text = usage.render().to_string();
    if usage.use_stderr() {
        out::say(&text);
        return Exit::Unusable;
    }
    out::data(&text).map_or_else(|error| failed(&error), |()| Exit::Yes)
}

fn failed(error: &anyhow::Error) -> Exit {
    out::say(&format!("mobileidctl: {error:#}"));
    Exit::Unusable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
