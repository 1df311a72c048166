//! Who signs must be who has signed before (guide 4.2): the first login's serial number is kept, and each later one is
//! held against it. Told through each door there is.
//!
//! ```text
//!   Site ── Door::Ssh, Door::Sudo ──> the module ──> /var/lib/mobileid
//!        └─ Door::Radius ───────────> radiusd ─────> its state_dir
//!
//!   first login ──> kept    second ──> the same    activated anew ──> another: denied, and told what to do
//! ```

mod broken;
mod directory;
mod logins;
mod policies;
mod races;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use mobileid_tests::radius::{Responder, Verdict};
use mobileid_tests::{Lab, Methods, Simulator, Sshd};
use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

use crate::radius::support::waiting;
use crate::support::{log_in, sudo};

/// What the English notice says to whoever comes with another serial number.
const NEW_SERIAL: &str = "was set up anew and is not the one known here";

/// How somebody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Ssh,
    Sudo,
    Radius,
}

/// A host with one door.
struct Site<'lab> {
    lab: &'lab Lab,
    mobile_id: Simulator<'lab>,
    door: Door,
    sshd: Option<Sshd<'lab>>,
    radiusd: Option<Responder<'lab>>,
}

/// How one login ended.
struct Entered {
    granted: bool,
    /// What the person was told.
    told: String,
    audit: Value,
}

impl<'lab> Site<'lab> {
    /// Opens the door, with a configuration as the caller has changed it.
    fn open(
        lab: &'lab Lab,
        door: Door,
        configure: impl FnOnce(&Simulator<'_>) -> Result<()>,
    ) -> Result<Self> {
        let mobile_id = lab.simulator()?;
        configure(&mobile_id)?;
        let mut site = Self { lab, mobile_id, door, sshd: None, radiusd: None };
        site.open_again()?;
        Ok(site)
    }

    /// As after a change of the configuration.
    fn open_again(&mut self) -> Result<()> {
        (self.sshd, self.radiusd) = (None, None);
        match self.door {
            Door::Ssh => {
                self.lab.pam_service("sshd", &self.lab.module("")?)?;
                self.sshd = Some(self.lab.sshd(&[])?);
            }
            Door::Sudo => self.lab.pam_service("sudo", &self.lab.module("")?)?,
            Door::Radius => {
                let clients = [waiting("vpn", "127.0.0.1"), waiting("office", "127.0.0.2")];
                self.radiusd = Some(self.lab.responder(&clients.concat())?);
            }
        }
        Ok(())
    }

    /// Where it keeps serial numbers.
    fn state(&self) -> &'static str {
        match self.door {
            Door::Ssh | Door::Sudo => "/var/lib/mobileid",
            Door::Radius => "/run/lab/radiusd-state",
        }
    }

    fn pins(&self) -> Result<Vec<Value>> {
        self.lab.pins(self.state())
    }

    /// The file in which the only serial number that there is stands.
    fn record(&self) -> Result<PathBuf> {
        let folder = self.lab.path(&format!("{}/pins-1", self.state()));
        let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        files.into_iter().find(|file| file.extension().is_none()).context("there is none")
    }

    /// Forgets the only serial number that there is, and holds its place: whoever comes is unknown, and has to wait
    /// before it is kept.
    fn hold_as_unknown(&self) -> Result<Flock<File>> {
        let record = self.record()?;
        let lock = record.with_extension("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        let held = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, why)| why)?;
        fs::remove_file(record)?;
        Ok(held)
    }

    /// Waits until so many signatures have been made.
    fn wait_signatures(&self, wanted: usize) -> Result<()> {
        let signed = |entry: &&Value| field(entry, "outcome") == "signed";
        let enough = |journal: &[Value]| journal.iter().filter(signed).count() >= wanted;
        self.mobile_id.wait_journal(&format!("{wanted} signatures"), enough)
    }

    /// Comes in, or does not.
    fn log_in(&self, user: &str) -> Result<Entered> {
        let before = self.audits(user)?.len();
        let (granted, told) = match (&self.sshd, &self.radiusd) {
            (Some(sshd), _) => shown(log_in(sshd, user, Methods::Interactive)?),
            (_, Some(radiusd)) => asked(self.lab, radiusd, user)?,
            (None, None) => shown(sudo(self.lab, user)?),
        };
        let audits = self.audits_from(user, before + 1)?;
        let [audit] = audits.get(before..).unwrap_or_default() else {
            anyhow::bail!("one audit line was to be written more than {before}: {audits:#?}\n{told}");
        };
        Ok(Entered { granted, told, audit: audit.clone() })
    }

    fn sshd(&self) -> Result<&Sshd<'lab>> {
        self.sshd.as_ref().context("its door is another")
    }

    fn radiusd(&self) -> Result<&Responder<'lab>> {
        self.radiusd.as_ref().context("its door is another")
    }

    fn audits(&self, user: &str) -> Result<Vec<Value>> {
        match &self.radiusd {
            Some(radiusd) => radiusd.audits(user),
            None => {
                self.lab.settle_syslog()?;
                self.lab.audits(user)
            }
        }
    }

    /// The same, once there are so many.
    fn audits_from(&self, user: &str, wanted: usize) -> Result<Vec<Value>> {
        let lines = self.radiusd.as_ref().map_or(self.lab.syslog(), Responder::audit_log);
        lines.wait_for_many(&format!("\"user\":\"{user}\""), wanted)?;
        self.audits(user)
    }

    /// Whether somebody's phone has rung so often.
    fn rang(&self, user: &str, times: usize) -> Result<()> {
        let pushes = self.mobile_id.pushes(user)?;
        ensure!(pushes.len() == times, "not {times} pushes: {pushes:#?}");
        Ok(())
    }
}

fn shown(ended: mobileid_tests::Ended) -> (bool, String) {
    (ended.status.success(), ended.shown)
}

fn asked(lab: &Lab, radiusd: &Responder<'_>, user: &str) -> Result<(bool, String)> {
    // From another station each time: the same one, asking again at once, would be a repetition.
    static STATIONS: AtomicU32 = AtomicU32::new(1);
    let station = STATIONS.fetch_add(1, Ordering::Relaxed);
    let request = format!(
        "User-Name={user},User-Password=any,Calling-Station-Id=desk-{station},Message-Authenticator=0x00"
    );
    let answer = lab.radclient(radiusd.port(), &request, &[])?.finish()?;
    let told = answer.value("Reply-Message").unwrap_or_default().to_owned();
    Ok((answer.verdict == Verdict::Accept, told))
}

impl Entered {
    fn field(&self, name: &str) -> &str {
        field(&self.audit, name)
    }

    /// Checks that the person is in, and returns the serial number that was verified.
    fn is_in(&self) -> Result<&str> {
        ensure!(
            self.granted && self.field("verdict") == "accepted",
            "kept out: {:#}\n{}",
            self.audit,
            self.told
        );
        ensure!(self.field("serial").starts_with("MIDCHE"), "{:#}", self.audit);
        Ok(self.field("serial"))
    }

    /// The same, and that the serial number is kept from now on.
    fn is_first(&self) -> Result<&str> {
        ensure!(is_first(&self.audit), "no first use: {:#}\n{}", self.audit, self.told);
        self.is_in()
    }

    /// The same, and that nothing new was kept.
    fn is_later(&self) -> Result<&str> {
        ensure!(self.audit.get("first_use").is_none(), "{:#}", self.audit);
        self.is_in()
    }

    /// Checks that the person is out for this reason and was told so.
    fn is_out(&self, reason: &str, told: &str) -> Result<()> {
        ensure!(
            !self.granted && self.field("verdict") == "denied",
            "let in: {:#}\n{}",
            self.audit,
            self.told
        );
        ensure!(self.field("reason") == reason, "not for {reason}: {:#}", self.audit);
        ensure!(self.audit.get("first_use").is_none(), "{:#}", self.audit);
        ensure!(self.told.contains(told), "{told:?} was not told:\n{}", self.told);
        Ok(())
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_first(audit: &Value) -> bool {
    audit.get("first_use").is_some_and(|first| first == true)
}

/// What an audit line says: `VERDICT REASON`, and whether it was a first use.
pub(crate) fn in_words(audit: &Value) -> String {
    let first = if is_first(audit) { ", first" } else { "" };
    format!("{} {}{first}", field(audit, "verdict"), field(audit, "reason"))
}
