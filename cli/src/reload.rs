//! `mobileidctl reload`: the RADIUS responder reads its configuration again.
//!
//! The responder takes a new configuration as a whole or not at all. Under systemd it says which, and so do we; to a
//! process that is named by its number a signal is all that can be sent, and its log has the answer.

use std::{fs, process::Command};

use anyhow::{Context as _, bail};
use clap::Args;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    Exit, out,
    progress::{Bound, Progress},
};

/// Has mobileid-radiusd read its configuration again
#[derive(Debug, Args)]
#[command(after_help = "\
Its secrets and certificates, too. Logins that are pending go on. Try the new
files first: mobileid-radiusd --check.

Exit codes: 0 in use (with --pid: asked), 1 refused, 2 could not ask.")]
pub(crate) struct Arguments {
    /// The unit of systemd
    #[arg(long, value_name = "UNIT", default_value = "mobileid-radiusd.service", conflicts_with = "pid")]
    unit: String,
    /// The process, where it is no unit
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(2..))]
    pid: Option<i32>,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
}

/// How /proc names the program: its name's first 15 characters.
const COMM: &str = "mobileid-radius";
/// How the responder's status begins when it has kept its old configuration.
const REFUSED: &str = "the new configuration was refused";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match arguments.pid {
        Some(pid) => signal(pid, arguments.json),
        None => reload(&arguments.unit, arguments.json),
    }
}

fn signal(pid: i32, json: bool) -> anyhow::Result<Exit> {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).with_context(|| format!("process {pid}"))?;
    if comm.trim_end() != COMM {
        // SIGHUP ends most programs.
        bail!("process {pid} is {}, not mobileid-radiusd", mobileid::text::escaped(comm.trim_end(), 32));
    }
    kill(Pid::from_raw(pid), Signal::SIGHUP).with_context(|| format!("process {pid}"))?;
    if json {
        out::json(&serde_json::json!({ "pid": pid, "asked": true }))?;
    } else {
        out::data(&format!(
            "process {pid} was asked; its log says whether it has taken the configuration\n"
        ))?;
    }
    Ok(Exit::Yes)
}

fn reload(unit: &str, json: bool) -> anyhow::Result<Exit> {
    let what = format!("{unit} to read its configuration");
    let waiting = Progress::unless(json).wait(what, Bound::Of("its TimeoutStartSec"));
    let asked = Command::new("systemctl").args(["reload", "--", unit]).output().context("systemctl")?;
    drop(waiting);
    if !asked.status.success() {
        let why = in_one_line(&String::from_utf8_lossy(&asked.stderr));
        let name = unit.strip_suffix(".service").unwrap_or(unit);
        bail!(
            "systemctl reload {unit}: {why}; with --pid the process can be asked itself; \
             journalctl -u {name} -n 20 names the mistake"
        );
    }
    let status =
        Command::new("systemctl").args(["show", "--property=StatusText", "--value", "--", unit]).output();
    let status = String::from_utf8_lossy(&status.context("systemctl")?.stdout).trim().to_owned();
    let (shown, in_use) = (mobileid::text::escaped(&status, 500), !status.starts_with(REFUSED));
    if json {
        out::json(&serde_json::json!({ "unit": unit, "in_use": in_use, "status": shown }))?;
    } else {
        out::data(&format!("{unit}: {shown}\n"))?;
    }
    Ok(Exit::of(in_use))
}

/// systemctl says it in several lines.
fn in_one_line(said: &str) -> String {
    let lines = said.lines().map(|line| line.trim().trim_end_matches('.'));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    mobileid::text::escaped(&lines.join("; "), 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_are_said_in_one() {
        for (said, expected) in [
            (
                "Job failed.\nSee \"systemctl status x\" and \"journalctl -xe\" for details.\n",
                "Job failed; See \"systemctl status x\" and \"journalctl -xe\" for details",
            ),
            ("\r\n  Unit x not found.\r\n\n", "Unit x not found"),
            ("a\u{1b}[2J\n", "a\\u{1b}[2J"),
            ("", ""),
        ] {
            assert_eq!(in_one_line(said), expected);
        }
    }

    #[test]
    fn another_program_gets_no_signal() {
        let own = i32::try_from(std::process::id()).unwrap();
        let refused = signal(own, false).unwrap_err().to_string();
        assert!(refused.contains("not mobileid-radiusd"), "{refused}");
        assert!(signal(i32::MAX, false).is_err());
    }
}
