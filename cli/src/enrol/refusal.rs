//! Why somebody is not enrolled: the closed list, each with what to do.

use std::fmt;

use mobileid::{
    mss::fault::Fault,
    outcome::Reason,
    subscriber::{Msisdn, SerialNumber, UserName},
    text, verify,
};

use super::readiness::Obstacle;
use crate::identify::Unproven;

/// Why the answer is no.
#[derive(Debug)]
pub(super) enum Refusal {
    /// In no directory, and no number was given to be entered.
    NotEnrolled { has_table: bool },
    /// A directory knows the user, with another number than the one that was given.
    OtherNumber { directory: String, number: Msisdn },
    /// A directory says that the account is switched off; with its words.
    AccountDisabled(String),
    /// Nobody vouches for the number.
    Unproven(Unproven),
    /// Nobody could sign.
    Unready(Obstacle, UserName),
    /// The phone was asked, and the machine says no.
    Denied { reason: Reason, detail: String, user: UserName },
    /// The signature is good, and of another Mobile ID than the one that is kept.
    OtherSerial { kept: SerialNumber, found: SerialNumber, user: UserName },
    /// Ctrl-C.
    GivenUp,
}

impl Refusal {
    /// The name in JSON.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NotEnrolled { .. } => Reason::NotEnrolled.name(),
            Self::OtherNumber { .. } => "other-number",
            Self::AccountDisabled(_) => Reason::AccountDisabled.name(),
            Self::Unproven(unproven) => unproven.refusal.name(),
            Self::Unready(obstacle, _) => obstacle.name(),
            Self::Denied { reason, .. } => reason.name(),
            Self::OtherSerial { .. } => verify::Refusal::SerialMismatch.name(),
            Self::GivenUp => Reason::Cancelled.name(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnrolled { has_table: true } => {
                f.write_str("in no directory: give --msisdn, and the user is entered in the table")
            }
            Self::NotEnrolled { has_table: false } => f.write_str(
                "in no directory, and there is no users.table: enter the person in a directory first",
            ),
            Self::OtherNumber { directory, number } => write!(
                f,
                "{directory} has the number {number}, not the one given: if that has changed, change it there, then enrol without --msisdn"
            ),
            Self::AccountDisabled(why) => write!(f, "the account is switched off: {why}"),
            Self::Unproven(Unproven { refusal, detail }) if detail.is_empty() => refusal.fmt(f),
            Self::Unproven(Unproven { refusal, detail }) => write!(f, "{refusal}: {detail}"),
            Self::Unready(obstacle @ Obstacle::OtherSerial(_), user) => {
                write!(f, "{obstacle}. ")?;
                forget(f, user)
            }
            Self::Unready(obstacle, _) => obstacle.fmt(f),
            Self::Denied { reason, detail, user } => denied(f, *reason, detail, user),
            Self::OtherSerial { kept, found, user } => {
                write!(f, "signed by {found}, and {kept} is kept. ")?;
                forget(f, user)
            }
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

fn denied(f: &mut fmt::Formatter<'_>, reason: Reason, detail: &str, user: &UserName) -> fmt::Result {
    match reason {
        Reason::Fault(Fault::UserCancel) => f.write_str("declined on the phone"),
        Reason::TimedOut | Reason::Fault(Fault::ExpiredTransaction) => {
            f.write_str("nobody answered on the phone in time")
        }
        Reason::Cancelled => f.write_str("given up: decline what the phone still shows"),
        Reason::Refused(verify::Refusal::SerialMismatch) => {
            write!(f, "another Mobile ID signed: {detail}. ")?;
            forget(f, user)
        }
        other if detail.is_empty() => write!(f, "{other}"),
        other => write!(f, "{other}: {detail}"),
    }
}

/// What to do where a serial number is another one.
fn forget(f: &mut fmt::Formatter<'_>, user: &UserName) -> fmt::Result {
    let user = text::escaped(user.as_str(), 256);
    write!(
        f,
        "Once it is sure that the person has it, run mobileidctl serial forget {user} (or take the serial number out of the \
         entry), then enrol again"
    )
}
