//! What the auditor reads of an administrator's doings: a line of JSON in the system log, facility authpriv, where the
//! PAM module's lines are too.
//!
//! The line goes to the log's socket as it is. syslog(3) would tell nobody that it did not arrive.

use std::{io, os::unix::net::UnixDatagram, path::Path, time::SystemTime};

use serde::Serialize;

use crate::{out, when};

/// The system log's socket: journald's and every syslogd's.
const SOCKET: &str = "/dev/log";
/// Facility authpriv (10), severity notice (5).
const PRIORITY: u8 = 10 << 3 | 5;

/// What an administrator did.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// Made codes: so many, in place of so many.
    BreakglassCreated { user: &'a str, count: usize, replaced: usize },
    /// Took back the codes that were left.
    BreakglassRevoked { user: &'a str, count: usize },
    /// Ended confirmations that stood for a while.
    GraceCleared { user: Option<&'a str>, count: usize },
    /// Forgot pushes in vain.
    PushesCleared { user: Option<&'a str>, count: usize },
    /// Enrolled somebody, whose phone has signed.
    Enrolled {
        user: &'a str,
        directory: &'a str,
        entry: &'a str,
        msisdn: &'a str,
        serial: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        ap_trans_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        evidence_id: Option<&'a str>,
        /// The table that the person was entered in; absent for somebody whom a directory knew.
        #[serde(skip_serializing_if = "Option::is_none")]
        table: Option<&'a str>,
    },
    /// Tried to enrol somebody, and the answer was no.
    EnrolmentRefused {
        user: &'a str,
        reason: &'a str,
        detail: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        msisdn: Option<&'a str>,
        /// Absent where no phone was asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        ap_trans_id: Option<&'a str>,
    },
    /// Gave somebody a serial number, in a folder or a directory, in place of another one or of none.
    SerialPinned { user: &'a str, entry: &'a str, place: &'a str, old: Option<&'a str>, new: &'a str },
    /// Took somebody's serial number away; none where its record could not be read.
    SerialForgotten { user: &'a str, entry: &'a str, place: &'a str, old: Option<&'a str> },
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    event: Event<'a>,
    /// Whom the kernel takes us for.
    uid: u32,
    /// Who logged in, before any sudo or su; absent where nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_uid: Option<u32>,
}

/// Writes an event to the system log. It has happened by then: that it is not in the log is a warning.
pub(crate) fn record(event: Event<'_>) {
    let uid = nix::unistd::getuid().as_raw();
    let line = Line { time: when::rfc3339(SystemTime::now()), event, uid, login_uid: login_uid() };
    if let Err(error) = line.send(Path::new(SOCKET)) {
        out::say(&format!("warning: not in the system log: {SOCKET}: {error}"));
    }
}

impl Line<'_> {
    fn send(&self, socket: &Path) -> io::Result<()> {
        let json = out::json_line(&serde_json::to_string(self)?);
        let line = format!("<{PRIORITY}>mobileidctl[{}]: {json}", std::process::id());
        UnixDatagram::unbound()?.send_to(line.as_bytes(), socket).map(|_| ())
    }
}

/// The kernel's note of the login that led to this process.
fn login_uid() -> Option<u32> {
    let uid = std::fs::read_to_string("/proc/self/loginuid").ok()?.trim().parse().ok()?;
    (uid != u32::MAX).then_some(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_the_log() {
        let path = std::env::temp_dir().join(format!("mobileidctl-log-{}", std::process::id()));
        let log = UnixDatagram::bind(&path).unwrap();
        let event = Event::BreakglassCreated { user: "al\"\u{202e}ice", count: 10, replaced: 3 };
        let line = Line { time: "2024-07-02T08:30:00Z".to_owned(), event, uid: 0, login_uid: Some(1000) };
        line.send(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut octets = [0; 500];
        let length = log.recv(&mut octets).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&octets[..length]),
            format!(
                r#"<85>mobileidctl[{}]: {{"time":"2024-07-02T08:30:00Z","event":"breakglass-created","user":"al\"\u202eice","count":10,"replaced":3,"uid":0,"login_uid":1000}}"#,
                std::process::id()
            )
        );
        assert!(line.send(&path).is_err(), "nobody listens");
    }

    #[test]
    fn a_refused_enrolment_is_told_with_what_is_known() {
        let line = |event| {
            serde_json::to_string(&Line { time: String::new(), event, uid: 0, login_uid: None }).unwrap()
        };
        let (user, reason, detail) = ("alice", "not-enrolled", "in no directory");
        assert_eq!(
            line(Event::EnrolmentRefused { user, reason, detail, msisdn: None, ap_trans_id: None }),
            r#"{"time":"","event":"enrolment-refused","user":"alice","reason":"not-enrolled","detail":"in no directory","uid":0}"#
        );
        let (msisdn, ap_trans_id) = (Some("+4179*****67"), Some("mid-1"));
        assert!(
            line(Event::EnrolmentRefused { user, reason, detail, msisdn, ap_trans_id })
                .contains(r#","msisdn":"+4179*****67","ap_trans_id":"mid-1","#)
        );
    }

    #[test]
    fn a_changed_serial_number_is_told_with_the_old_one() {
        let line = |event| {
            serde_json::to_string(&Line { time: String::new(), event, uid: 0, login_uid: None }).unwrap()
        };
        let (user, entry, place) = ("alice", "uid=alice", "/var/lib/mobileid");
        assert_eq!(
            line(Event::SerialPinned { user, entry, place, old: Some("OLD1"), new: "NEW1" }),
            r#"{"time":"","event":"serial-pinned","user":"alice","entry":"uid=alice","place":"/var/lib/mobileid","old":"OLD1","new":"NEW1","uid":0}"#
        );
        assert_eq!(
            line(Event::SerialForgotten { user, entry, place, old: None }),
            r#"{"time":"","event":"serial-forgotten","user":"alice","entry":"uid=alice","place":"/var/lib/mobileid","old":null,"uid":0}"#
        );
    }
}
