//! The Mobile ID simulator as a process of the world, its files in `/etc/mobileid`, and its journal.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::lab::end;
use crate::{DEADLINE, Lab, Lines};

/// A running simulator.
#[derive(Debug)]
pub struct Simulator<'lab> {
    lab: &'lab Lab,
    process: Child,
    ready: String,
    log: Lines,
}

impl<'lab> Simulator<'lab> {
    pub(crate) fn start(lab: &'lab Lab, arguments: &[&str]) -> Result<Self> {
        let built = lab.artefacts().simulator()?;
        let keys = Keys::of(lab, &built)?;
        keys.lend(lab)?;
        let program = lab.bring(&built)?;
        let mut process = lab
            .command(&program)
            .args(["--listen", "127.0.0.1:0", "--phone", "127.0.0.1:0", "--state", "/etc/mobileid"])
            .args(arguments)
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
        keys.keep(lab)?;
        Ok(simulator)
    }

    /// Stops the service, as an outage would; its files stay.
    pub fn stop(&mut self) {
        end(&mut self.process);
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

    /// The number that the simulator enrolled a user with, as its journal writes it: without a plus sign.
    ///
    /// # Errors
    /// When `users.toml` has no such user.
    pub fn number(&self, user: &str) -> Result<String> {
        let users = fs::read_to_string(self.lab.path("/etc/mobileid/users.toml"))?;
        let users: toml::Table = users.parse()?;
        let number = users.get(user).and_then(|entry| entry.get("msisdn")).and_then(|msisdn| msisdn.as_str());
        Ok(number.with_context(|| format!("{user} is not enrolled"))?.trim_start_matches('+').to_owned())
    }

    /// The texts that appeared on a user's phone: as many as there were pushes.
    ///
    /// # Errors
    /// As [`Simulator::number`] and [`Simulator::journal`].
    pub fn pushes(&self, user: &str) -> Result<Vec<String>> {
        let number = self.number(user)?;
        let started =
            |entry: &&Value| text(entry, "event") == "push-started" && text(entry, "msisdn") == number;
        Ok(self.journal()?.iter().filter(started).map(|entry| text(entry, "text").to_owned()).collect())
    }

    /// How many times any phone was asked until now. Counts lines, for stories with thousands of them.
    #[must_use]
    pub fn all_pushes(&self) -> usize {
        let text = fs::read_to_string(self.lab.path("/etc/mobileid/journal.jsonl")).unwrap_or_default();
        text.matches("\"push-started\"").count()
    }

    /// Waits until phones were asked this many times.
    ///
    /// # Errors
    /// When that does not happen.
    pub fn wait_pushes(&self, wanted: usize) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while self.all_pushes() < wanted {
            ensure!(Instant::now() < deadline, "{} pushes instead of {wanted}", self.all_pushes());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Adds a user to `users.toml`.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn enrol(&self, user: &str, number: &str) -> Result<()> {
        let users = fs::read_to_string(self.lab.path("/etc/mobileid/users.toml"))?;
        let users = format!("{users}\n[{user}]\nmsisdn = \"+{number}\"\n");
        self.lab.write("/etc/mobileid/users.toml", 0o600, &users)
    }

    /// Makes a user of `users.toml` a member of a group.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn put_into_group(&self, user: &str, group: &str) -> Result<()> {
        self.set_user(user, &format!("groups = [\"{group}\"]"))
    }

    /// Adds lines to `mobileid.toml`.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn configure(&self, lines: &str) -> Result<()> {
        let text = fs::read_to_string(self.lab.path("/etc/mobileid/mobileid.toml"))?;
        self.lab.write("/etc/mobileid/mobileid.toml", 0o600, &format!("{text}\n{lines}\n"))
    }

    /// Adds a line to a section of `mobileid.toml` that is there already.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has no such section.
    pub fn set(&self, section: &str, line: &str) -> Result<()> {
        self.change("/etc/mobileid/mobileid.toml", section, line)
    }

    /// Adds a line to a user's entry in `users.toml`; one with the same key goes.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has no such user.
    pub fn set_user(&self, user: &str, line: &str) -> Result<()> {
        self.change("/etc/mobileid/users.toml", user, line)
    }

    /// Makes every login asynchronous: the service is asked again and again whether the person has answered.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn asynchronous(&self) -> Result<()> {
        self.set("service", "messaging_mode = \"asynch\"")?;
        self.configure("[timeouts]\npoll = 1")
    }

    fn change(&self, file: &str, section: &str, line: &str) -> Result<()> {
        let text = fs::read_to_string(self.lab.path(file))?;
        let head = format!("[{section}]\n");
        let (before, after) = text.split_once(&head).with_context(|| format!("{file} has no {head}"))?;
        let (key, _) = line.split_once('=').context("a line is KEY = VALUE")?;
        let end = after.find("\n[").unwrap_or(after.len());
        let (own, others) = after.split_at(end);
        let kept = own.lines().filter(|other| !other.starts_with(key)).map(|other| format!("{other}\n"));
        let kept = kept.collect::<String>();
        self.lab.write(file, 0o600, &format!("{before}{head}{line}\n{kept}{others}"))
    }

    fn told(&self, name: &str) -> &str {
        self.ready.split_whitespace().find_map(|word| word.strip_prefix(name)).unwrap_or_default()
    }
}

impl Drop for Simulator<'_> {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// The keys of the simulated certificate authorities, which take a second or two to make: the first world
/// keeps them for the others, for as long as the simulator is not built anew.
struct Keys {
    kept: PathBuf,
}

impl Keys {
    fn of(lab: &Lab, simulator: &Path) -> Result<Self> {
        let built = simulator.metadata()?.modified()?.duration_since(UNIX_EPOCH)?;
        Ok(Self { kept: lab.artefacts().folder().join(format!("lab-keys/{}", built.as_nanos())) })
    }

    fn lend(&self, lab: &Lab) -> Result<()> {
        if self.kept.exists() {
            copy(&self.kept, &lab.path("/etc/mobileid/pki"))?;
            // The simulator wants a folder that holds keys to be its own.
            fs::set_permissions(lab.path("/etc/mobileid"), Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    fn keep(&self, lab: &Lab) -> Result<()> {
        let (Some(folder), false) = (self.kept.parent(), self.kept.exists()) else { return Ok(()) };
        // Many tests may get here at once. Each makes a whole copy; the first to name it wins.
        let copied = lab.path("keys");
        copy(&lab.path("/etc/mobileid/pki"), &copied)?;
        fs::create_dir_all(folder)?;
        if fs::rename(&copied, &self.kept).is_err() {
            fs::remove_dir_all(&copied)?;
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let done = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(done.success(), "cannot copy {}", from.display());
    Ok(())
}

/// A text field of a journal entry, empty where there is none.
pub(crate) fn text<'entry>(entry: &'entry Value, name: &str) -> &'entry str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
