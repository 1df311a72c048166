//! What the simulator was asked and how it ended, kept in memory and written to `journal.jsonl` line by line.
//!
//! A request that reaches a phone leaves two entries, one when the text appears there and one when it is
//! gone: "exactly one push" is one entry with the event `push-started`. The journal holds whole numbers and
//! texts, which are invented ones; the file is private all the same.

use std::fs::File;
use std::io::Write;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use crate::lock;
use crate::requests::instant_text;
use crate::subscribers::Method;

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A text appeared on a phone.
    PushStarted,
    /// It is gone; `outcome` says why.
    PushEnded,
    /// A request was answered with a fault before it reached a phone; `outcome` is the fault.
    Refused,
    /// A status query was answered.
    StatusAnswered,
    /// A profile query was answered.
    ProfileAnswered,
    /// A receipt was shown.
    ReceiptShown,
    /// An identification has come to a state; `outcome` is its Ref ID and the state.
    Identification,
    /// The Registration Authority was asked for evidence; `outcome` is the evidence, or why there is none.
    EvidenceAsked,
    /// A number was activated anew; `outcome` is its new serial number.
    Reactivated,
}

/// One entry. What a request did not say, or did not get far enough to say, is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// When.
    #[serde(serialize_with = "as_instant")]
    pub at: OffsetDateTime,
    /// What.
    pub event: Event,
    /// The TLS connection the request came on, counted from 1; 0 where there was none.
    pub connection: u64,
    /// AP_TransID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ap_trans_id: Option<String>,
    /// MSSP_TransID, which ties the entries of one transaction together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mssp_trans_id: Option<String>,
    /// The number, without a plus sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<String>,
    /// The text as received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// UserLang as received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The SignatureProfile that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The method that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// TimeOut in seconds, as it counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How it ended: `signed`, `unanswered`, a status such as `504`, or a fault such as
    /// `401 User cancelled the request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Entry {
    pub(crate) fn new(event: Event, connection: u64) -> Entry {
        Entry {
            at: OffsetDateTime::now_utc(),
            event,
            connection,
            ap_trans_id: None,
            mssp_trans_id: None,
            msisdn: None,
            text: None,
            language: None,
            profile: None,
            method: None,
            timeout: None,
            outcome: None,
        }
    }
}

fn as_instant<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant_text(*at))
}

/// The journal of one simulator.
pub(crate) struct Journal {
    entries: Mutex<Vec<Entry>>,
    grown: Condvar,
    file: Mutex<File>,
}

impl Journal {
    pub(crate) fn new(file: File) -> Journal {
        Journal { entries: Mutex::default(), grown: Condvar::new(), file: Mutex::new(file) }
    }

    pub(crate) fn record(&self, entry: Entry) {
        // An entry serialises always, and a full disk must not change what the service answers.
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            let _ = lock(&self.file).write_all(&line);
        }
        lock(&self.entries).push(entry);
        self.grown.notify_all();
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        lock(&self.entries).clone()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        lock(&self.entries).iter().filter(|entry| wanted(entry)).count()
    }

    /// Blocks until `find` finds what it looks for.
    pub(crate) fn wait_for<T>(&self, find: impl Fn(&[Entry]) -> Option<T>, within: Duration) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut entries = lock(&self.entries);
        loop {
            if let Some(found) = find(&entries) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            entries = match self.grown.wait_timeout(entries, left) {
                Ok((entries, _)) => entries,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}
