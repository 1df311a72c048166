//! The Mobile ID simulator as a process of the world, its files in `/etc/mobileid`, and its journal.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{DEADLINE, Lab, Lines};

/// A subscriber that the simulator has built in, by what happens on its phone or in its answer.
pub type Subscriber = &'static str;

/// A running simulator.
#[derive(Debug)]
pub struct Simulator<'lab> {
    lab: &'lab Lab,
    process: Child,
    ready: String,
    log: Lines,
}

impl<'lab> Simulator<'lab> {
    pub(crate) fn start(lab: &'lab Lab) -> Result<Self> {
        let program = lab.bring(&lab.artefacts().simulator()?)?;
        let mut process = lab
            .command(&program)
            .args(["--listen", "127.0.0.1:0", "--phone", "127.0.0.1:0", "--state", "/etc/mobileid"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run nsenter (util-linux)")?;
        let said = Lines::of_pipe(process.stdout.take().context("the simulator speaks")?);
        let log = Lines::of_pipe(process.stderr.take().context("the simulator has a log")?);
        let mut simulator = Self { lab, process, ready: String::new(), log };
        simulator.ready = said
            .wait_for("ready ")
            .with_context(|| format!("the simulator did not come up:\n{}", simulator.log.all().join("\n")))?;
        Ok(simulator)
    }

    /// The address of the service, `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.told("service=")
    }

    /// The address of the phone's page, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn phone(&self) -> &str {
        self.told("phone=")
    }

    /// Everything the simulator has written to its journal.
    ///
    /// # Errors
    /// When a line of it is no JSON.
    pub fn journal(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(self.lab.path("/etc/mobileid/journal.jsonl")).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        whole.lines().map(|line| serde_json::from_str(line).context("a journal line is no JSON")).collect()
    }

    /// Waits until the journal satisfies the caller.
    ///
    /// # Errors
    /// When it never does; the message carries the journal.
    pub fn wait_journal(&self, what: &str, satisfied: impl Fn(&[Value]) -> bool) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let journal = self.journal()?;
            if satisfied(&journal) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the journal never showed {what}:\n{journal:#?}");
            }
            // A file tells nobody that it has grown; looking again is all there is.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn told(&self, name: &str) -> &str {
        self.ready.split_whitespace().find_map(|word| word.strip_prefix(name)).unwrap_or_default()
    }
}

impl Drop for Simulator<'_> {
    fn drop(&mut self) {
        // This ends nsenter; the simulator itself ends with the world.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
