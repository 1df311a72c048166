//! What an enrolment has come to, in words and as one line of JSON.

use mobileid::{
    mss::profile::{Account, Device},
    outcome::Outcome,
    srs::EvidenceId,
    subscriber::{SerialNumber, UserName},
    text,
};
use serde::Serialize;

use super::{Entry, Refusal};

/// What is known so far; each step adds to it.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) entry: Option<Entry>,
    pub(super) evidence: Option<EvidenceId>,
    pub(super) account: Option<Account>,
    pub(super) ap_trans_id: Option<String>,
    pub(super) serial: Option<SerialNumber>,
    pub(super) kept: Option<Kept>,
    /// The table that the person was entered in.
    pub(super) table: Option<String>,
    /// What to do where the service refuses us.
    pub(super) advice: Vec<String>,
}

/// What became of the serial number of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kept {
    /// It is kept from now on.
    Now,
    /// It was known before.
    Before,
    /// `signature.serial` is "ignore".
    Ignored,
}

#[derive(Serialize)]
struct Line<'a> {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ap_trans_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_kept: Option<Kept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a str>,
}

#[derive(Serialize)]
struct AccountLine {
    devices: Vec<DeviceLine>,
    auto_activation: Option<bool>,
    recovery_code: Option<bool>,
}

#[derive(Serialize)]
struct DeviceLine {
    method: String,
    state: Option<String>,
    pin_blocked: Option<bool>,
    algorithms: Vec<String>,
    serials: Vec<String>,
}

impl Facts {
    /// What the machine has written down of the signature.
    pub(super) fn signed(&mut self, outcome: &Outcome) {
        self.ap_trans_id.clone_from(&outcome.audit.ap_trans_id);
    }

    /// One line of JSON.
    pub(super) fn line<'a>(&'a self, user: &'a UserName, refusal: Option<&Refusal>) -> impl Serialize + 'a {
        Line {
            verdict: if refusal.is_none() { "enrolled" } else { "refused" },
            reason: refusal.map(Refusal::name),
            detail: refusal.map(ToString::to_string),
            user: user.as_str(),
            directory: self.standing().map(|entry| entry.at.directory.as_str()),
            entry: self.standing().map(|entry| text::foreign(&entry.at.id, 600)),
            msisdn: self.entry.as_ref().map(|entry| entry.msisdn.to_string()),
            evidence_id: self.evidence.as_ref().map(EvidenceId::as_str),
            account: self.account.as_ref().map(AccountLine::of),
            ap_trans_id: self.ap_trans_id.as_deref(),
            serial: self.serial.as_ref().map(SerialNumber::as_str),
            serial_kept: self.kept,
            table: self.table.as_deref(),
        }
    }

    /// The entry that there is: of somebody new only once it is written.
    fn standing(&self) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| !entry.is_new || self.table.is_some())
    }

    /// The same in words.
    pub(super) fn in_words(&self, user: &UserName, refusal: Option<&Refusal>) -> String {
        let user = text::escaped(user.as_str(), 256);
        let mut lines = vec![match refusal {
            None => format!("enrolled: {user}"),
            Some(refusal) => format!("not enrolled: {user}: {refusal}"),
        }];
        let mut line = |name: &str, value: &str| lines.push(format!("  {name:<12}{value}"));
        if let Some(entry) = self.standing() {
            line("entry", &format!("{}: {}", entry.at.directory, text::foreign(&entry.at.id, 600)));
        }
        if let Some(entry) = &self.entry {
            line("number", &entry.msisdn.to_string());
        }
        if let Some(evidence) = &self.evidence {
            line("evidence ID", evidence.as_str());
        }
        if let (Some(serial), Some(kept)) = (&self.serial, self.kept) {
            line("serial", &format!("{serial}, {}", kept.in_words()));
        }
        if let Some(table) = &self.table {
            line("entered in", &text::escaped(table, 400));
        }
        let counts = refusal.is_none() && self.kept != Some(Kept::Ignored);
        if counts && self.account.as_ref().is_some_and(|it| it.recovery_code == Some(false)) {
            line("advice", NO_RECOVERY_CODE);
        }
        self.advice.iter().for_each(|advice| line("advice", advice));
        lines.join("\n")
    }
}

/// What spares an administrator work later.
const NO_RECOVERY_CODE: &str = "have the person make a recovery code on mobileid.ch: without one, a new phone or SIM \
                                means another serial number, and no login until that is settled";

impl Kept {
    fn in_words(self) -> &'static str {
        match self {
            Self::Now => "kept from now on",
            Self::Before => "known before",
            Self::Ignored => "not kept: signature.serial is \"ignore\"",
        }
    }
}

impl AccountLine {
    fn of(account: &Account) -> Self {
        let device = |device: &Device| DeviceLine {
            method: device.method.to_string().to_lowercase(),
            state: device.state.as_ref().map(ToString::to_string),
            pin_blocked: device.pin_blocked,
            algorithms: device.certificates.iter().filter_map(|it| it.algorithm.clone()).collect(),
            serials: device
                .certificates
                .iter()
                .filter_map(|it| Some(it.serial.as_ref()?.to_string()))
                .collect(),
        };
        Self {
            devices: account.devices.iter().map(device).collect(),
            auto_activation: account.auto_activation,
            recovery_code: account.recovery_code,
        }
    }
}

/// What the service says of a number: a line for each device, and one for the rest.
pub(super) fn account_in_words(account: &Account) -> Vec<String> {
    let yes_or_no = |name: &str, flag: Option<bool>| {
        let flag = flag.map_or("not said", |yes| if yes { "yes" } else { "no" });
        format!("{name}: {flag}")
    };
    let mut lines: Vec<_> = account.devices.iter().map(device_in_words).collect();
    if lines.is_empty() {
        lines.push("no SIM and no App was named".to_owned());
    }
    let rest = [
        yes_or_no("auto-activation", account.auto_activation),
        yes_or_no("recovery code", account.recovery_code),
    ];
    lines.push(rest.join(", "));
    lines
}

fn device_in_words(device: &Device) -> String {
    let state = device.state.as_ref().map_or_else(|| "state not said".to_owned(), ToString::to_string);
    let pin = match device.pin_blocked {
        Some(true) => ", PIN blocked",
        Some(false) => "",
        None => ", PIN not said",
    };
    let certificates = device.certificates.iter().map(|certificate| {
        let algorithm = certificate.algorithm.as_deref().unwrap_or("unknown algorithm");
        let serial = certificate.serial.as_ref().map_or("no serial number", SerialNumber::as_str);
        let state = certificate.state.as_ref().map(|state| format!(" ({state})")).unwrap_or_default();
        format!(", {algorithm} {serial}{state}")
    });
    format!("{}: {state}{pin}{}", device.method, certificates.collect::<String>())
}
