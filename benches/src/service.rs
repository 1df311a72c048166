//! The Mobile ID service: the simulator, with a crowd of people whose phones take a while.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process::{Cores, Process};

/// The number of the crowd's first person; the others follow.
pub const FIRST_NUMBER: u64 = 41_791_000_000;

/// What the crowd signs with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    /// ECDSA on P-256.
    Ec,
    /// RSA with 2048 bits.
    Rsa,
}

impl Signing {
    /// As the simulator and the tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Signing::Ec => "ec",
            Signing::Rsa => "rsa",
        }
    }
}

/// The crowd: its size, how long its phones take, and its keys.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// People.
    pub size: u32,
    /// From the text on the phone to the signature.
    pub delay: Duration,
    /// Their keys.
    pub signing: Signing,
}

/// A running simulator.
#[derive(Debug)]
pub struct Service {
    process: Process,
    address: String,
    state: PathBuf,
}

impl Service {
    /// Starts one in this folder, which is made when missing; its keys are kept for the next.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(program: &Path, state: &Path, crowd: Crowd) -> Result<Service> {
        let mut command = Command::new(program);
        command.arg("--state").arg(state).args(["--population", &crowd.size.to_string()]);
        command.args(["--population-delay", &crowd.delay.as_millis().to_string()]);
        command.args(["--population-key", crowd.signing.name()]);
        let mut process = Process::start(&command, Cores::All, &state.with_extension("log"))?;
        let ready = process.wait_for("ready ")?;
        let url = ready.split_whitespace().find_map(|word| word.strip_prefix("service=https://"));
        let address = url.context("the simulator says where it is")?.to_owned();
        Ok(Service { process, address, state: state.to_owned() })
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A file of its state folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// Writes a configuration like the simulator's own, with these lines more in `[service]`.
    ///
    /// # Errors
    /// The simulator's own is not there, or not as it was.
    pub fn configuration(&self, name: &str, lines: &str) -> Result<PathBuf> {
        let own = self.file("mobileid.toml");
        let text = fs::read_to_string(&own)?;
        let changed = text.replacen("[service]\n", &format!("[service]\n{lines}\n"), 1);
        ensure!(changed != text, "no [service] in {}", own.display());
        let path = self.file(name);
        fs::write(&path, changed)?;
        fs::set_permissions(&path, fs::metadata(&own)?.permissions())?;
        Ok(path)
    }
}

/// The body of a signature request, as the service takes it; the instant has to be about now.
#[must_use]
pub fn signature_request(number: &str, transaction: &str, instant: &str) -> Value {
    json!({"MSS_SignatureReq": {
        "AP_Info": {
            "AP_ID": "mid://simulator.example", "AP_PWD": "not-needed", "AP_TransID": transaction,
            "Instant": instant,
        },
        "AdditionalServices": [{
            "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang", "UserLang": {"Value": "en"},
        }],
        "DataToBeSigned": {
            "Data": format!("SIM: Log in with {transaction}?"), "Encoding": "UTF-8", "MimeType": "text/plain",
        },
        "MSSP_Info": {"MSSP_ID": {"URI": "http://mid.swisscom.ch/"}},
        "MajorVersion": "1", "MinorVersion": "2", "MessagingMode": "synch", "TimeOut": "80",
        "MobileUser": {"MSISDN": number},
        "SignatureProfile": "http://mid.swisscom.ch/Any-LoA4",
    }})
}
