//! Ours: `mobileid-radiusd` with a configuration of its own for each start.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::{Cores, Process, free_port};
use crate::service::Service;

/// How it decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decides {
    /// By a rule that asks no phone.
    Rule,
    /// By the phone, with one held request per login.
    Synch,
    /// By the phone, with status queries.
    Asynch,
}

impl Decides {
    /// Half of the time between two status queries: what an answer waits on average, beside the phone.
    #[must_use]
    pub fn half_a_poll(self) -> Duration {
        match self {
            Decides::Rule | Decides::Synch => Duration::ZERO,
            Decides::Asynch => Duration::from_secs(POLL) / 2,
        }
    }

    /// As the tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Decides::Rule => "rule",
            Decides::Synch => "synch",
            Decides::Asynch => "asynch",
        }
    }
}

/// The product's default, in seconds.
const POLL: u64 = 2;

/// A running responder.
#[derive(Debug)]
pub struct Responder {
    /// The daemon.
    pub process: Process,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Responder {
    /// Starts one in this folder, which is emptied.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(
        program: &Path,
        folder: &Path,
        service: &Service,
        decides: Decides,
        cores: Cores,
    ) -> Result<Responder> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        // Serial numbers are kept there: the responder wants it for itself.
        DirBuilder::new().mode(0o700).create(folder.join("state"))?;
        let folder = folder.canonicalize()?;
        let port = free_port()?;
        let mode = if decides == Decides::Asynch { "asynch" } else { "synch" };
        let core = service.configuration("bench.toml", &format!("messaging_mode = \"{mode}\""))?;
        let core = core.canonicalize()?;
        let mut text = format!(
            r#"mobileid = "{core}"
listen = ["127.0.0.1:{port}"]
state_dir = "{folder}/state"
audit = "{folder}/audit.jsonl"

[limits]
pending = 30000
pending_per_client = 30000
# The same person logs in again and again here, and is to be asked each time.
accept_kept = 0

[[client]]
name = "bench"
address = ["127.0.0.1"]
secret = "testing123"
mode = "wait"
nas_timeout = 110
deadline = 90
first_factor = "none"
password = "ignored"
service = "VPN"
"#,
            core = core.display(),
            folder = folder.display(),
        );
        if decides == Decides::Rule {
            write!(text, "\n[[rule]]\nclient = \"bench\"\nthen = \"accept\"\n")?;
        }
        let config = folder.join("radiusd.toml");
        fs::write(&config, text)?;
        private(&config)?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&config);
        let mut process = Process::start(&command, cores, &folder.join("log"))?;
        process.wait_for_port(port)?;
        Ok(Responder { process, port })
    }
}

/// Secrets are in it.
fn private(path: &Path) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
}
