//! How a login ends. [`Verdict`] and [`Reason`] are the closed list from which the PAM code, the RADIUS
//! reply, the log line and the person's notice all derive: a new way to fail gets a name here first.

use std::fmt;

use crate::{
    audit::AuditRecord,
    mss::fault::{Fault, Status},
    notice::Notice,
    subscriber::Language,
    verify::{Refusal, VerifiedSigner},
};

/// The decision. An accept cannot be written down without the proof that only [`crate::verify`] makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The person confirmed, and the proof holds.
    Accepted(VerifiedSigner),
    /// No phone was asked now, and the configuration says in so many words that this is right.
    Exempt(Exemption),
    /// Everything else.
    Denied(Reason),
}

/// Which explicit line of the configuration let somebody in without asking a phone now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exemption {
    /// `users.unenrolled = "allow"` and no entry for the user.
    Unenrolled,
    /// A rule of the RADIUS responder, written for such logins, accepts.
    Rule,
    /// `pam.require` names which logins need the phone, and this is none of them.
    NotRequired,
    /// `pam.exempt.services`.
    Service,
    /// `pam.exempt.users`.
    User,
    /// `pam.exempt.groups`.
    Group,
    /// `pam.exempt.networks`.
    Network,
    /// `pam.grace`: the same user, address and key were confirmed a short while ago.
    Grace,
    /// The phone has confirmed this very connection already: the stack runs a second time.
    Connection,
    /// `pam.on_unreachable = "allow"`, and the service cannot be reached.
    Unreachable,
    /// The service cannot be reached, and a one-time code was right.
    BreakGlass,
}

impl Exemption {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unenrolled,
        Self::Rule,
        Self::NotRequired,
        Self::Service,
        Self::User,
        Self::Group,
        Self::Network,
        Self::Grace,
        Self::Connection,
        Self::Unreachable,
        Self::BreakGlass,
    ];

    /// The stable name in logs, e.g. `unenrolled-allowed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unenrolled => "unenrolled-allowed",
            Self::Rule => "rule-accepts",
            Self::NotRequired => "not-required",
            Self::Service => "service-exempt",
            Self::User => "user-exempt",
            Self::Group => "group-exempt",
            Self::Network => "network-exempt",
            Self::Grace => "grace",
            Self::Connection => "already-confirmed",
            Self::Unreachable => "unreachable-allowed",
            Self::BreakGlass => "break-glass",
        }
    }
}

/// Everything that is known when a login has ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The decision.
    pub verdict: Verdict,
    /// What the person reads.
    pub notice: Notice,
    /// What the auditor reads, one line.
    pub audit: AuditRecord,
    /// The signature that was accepted, with its text: enough to prove the login later.
    pub evidence: Option<Proof>,
    /// The subscriber's groups; empty where nobody was found.
    pub groups: Vec<String>,
    /// The language of the person, or the configured one.
    pub language: Language,
}

/// A signed text and its signature, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// AP_TransID of the login, which names the files of an evidence folder.
    pub ap_trans_id: String,
    /// The text that was signed.
    pub text: String,
    /// The CMS signature, base64.
    pub signature: String,
}

/// Why a login was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The service refused or gave up, by code.
    Fault(Fault),
    /// The transaction ended without a signature, by code.
    Status(Status),
    /// A signature came and does not hold.
    Refused(Refusal),
    /// What came is no answer of the service.
    Unreadable(Unreadable),
    /// The request did not get through; nobody's phone was asked.
    Unreachable(Unreachable),
    /// The request was sent, and the answer broke off: a phone may have been asked.
    AnswerLost,
    /// Our own deadline passed.
    TimedOut,
    /// The host gave the login up: the person is gone, or pressed Ctrl-C.
    Cancelled,
    /// No directory knows the user.
    NotEnrolled,
    /// The directory that should know the user did not answer.
    DirectoryUnavailable,
    /// The directory says that the account is switched off or has expired.
    AccountDisabled,
    /// The account does not exist on this host.
    NoSuchUser,
    /// The first factor has already failed.
    FirstFactorFailed,
    /// The server that judges the first factor did not answer.
    FirstFactorUnavailable,
    /// A rule of the host's own rejects such logins.
    Rule,
    /// The host's request cannot be served: nobody is named, or with a credential that nobody can judge.
    RequestInvalid,
    /// The host speaks EAP, which is for whoever holds the certificate of its tunnel.
    EapRefused,
    /// What came back names no login that is under way: too old, used, or made for somebody else.
    StateInvalid,
    /// More logins wait than the host takes on.
    Overloaded,
    /// The person's phone has lately been asked in vain too often.
    PushLimit,
    /// Another login of the same person kept the phone busy for as long as this one could wait.
    PhoneBusy,
    /// This very connection was denied or interrupted before, after its phone was asked, or its time is over.
    AlreadyDenied,
    /// The service cannot be reached, and the one-time code given instead is wrong.
    BreakGlass,
    /// No serial number is known of the person, and the configuration wants one: the phone was not asked.
    SerialUnknown,
    /// The first serial number of the person could not be kept.
    PinFailed,
    /// The configuration cannot be used.
    Misconfigured,
    /// A defect of this program; it ends in a denial like everything else.
    Internal,
}

/// How an answer can be no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// More than [`crate::mss::BODY_MAX`] bytes.
    TooLarge,
    /// No JSON, or nested beyond reason, or a field of the wrong type.
    NotJson,
    /// Neither or both of a Fault and the expected answer.
    NotOneRoot,
    /// A field that the decision needs is absent.
    MissingField(&'static str),
    /// An HTTP status that the service does not use, e.g. a gateway's 503.
    HttpStatus(u16),
}

/// Where on the way to the service it ended, before the request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The name does not resolve.
    Name,
    /// No TCP connection.
    Connect,
    /// The proxy refused or answered nonsense.
    Proxy,
    /// No TLS: the server's certificate, or the server did not want ours.
    Tls,
    /// What reaching the service may take passed on the way.
    TooSlow,
    /// This host had no descriptor, memory, port or permission for it: that says nothing of the service.
    Local,
}

/// What a reason means to a host application: the level on which PAM codes and RADIUS replies are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// No, and asking again now would only push again: refused, cancelled, timed out, unverifiable.
    Refused,
    /// The service was not reached; no phone was asked.
    Unreachable,
    /// The user has no phone entered.
    NotEnrolled,
    /// The administrator must mend something.
    Misconfigured,
}

impl Reason {
    /// Every reason, with one example where it carries a number.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Fault::KNOWN.iter().copied().map(Self::Fault).collect();
        all.push(Self::Fault(Fault::Unknown(777)));
        all.extend(Status::KNOWN.iter().copied().map(Self::Status));
        all.push(Self::Status(Status::Unknown(777)));
        all.extend(Refusal::ALL.map(Self::Refused));
        all.extend(
            [
                Unreadable::TooLarge,
                Unreadable::NotJson,
                Unreadable::NotOneRoot,
                Unreadable::MissingField("Status"),
                Unreadable::HttpStatus(503),
            ]
            .map(Self::Unreadable),
        );
        all.extend(
            [
                Unreachable::Name,
                Unreachable::Connect,
                Unreachable::Proxy,
                Unreachable::Tls,
                Unreachable::TooSlow,
                Unreachable::Local,
            ]
            .map(Self::Unreachable),
        );
        all.extend([
            Self::AnswerLost,
            Self::TimedOut,
            Self::Cancelled,
            Self::NotEnrolled,
            Self::DirectoryUnavailable,
            Self::AccountDisabled,
            Self::NoSuchUser,
            Self::FirstFactorFailed,
            Self::FirstFactorUnavailable,
            Self::Rule,
            Self::RequestInvalid,
            Self::EapRefused,
            Self::StateInvalid,
            Self::Overloaded,
            Self::PushLimit,
            Self::PhoneBusy,
            Self::AlreadyDenied,
            Self::BreakGlass,
            Self::SerialUnknown,
            Self::PinFailed,
            Self::Misconfigured,
            Self::Internal,
        ]);
        all
    }

    /// The stable name in logs, e.g. `user-cancel`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.name(),
            Self::Status(status) => status.name(),
            Self::Refused(refusal) => refusal.name(),
            Self::Unreadable(Unreadable::TooLarge) => "answer-too-large",
            Self::Unreadable(Unreadable::NotJson) => "answer-not-json",
            Self::Unreadable(Unreadable::NotOneRoot) => "answer-not-one-root",
            Self::Unreadable(Unreadable::MissingField(_)) => "answer-lacks-field",
            Self::Unreadable(Unreadable::HttpStatus(_)) => "http-status",
            Self::Unreachable(Unreachable::Name) => "unreachable-name",
            Self::Unreachable(Unreachable::Connect) => "unreachable-connect",
            Self::Unreachable(Unreachable::Proxy) => "unreachable-proxy",
            Self::Unreachable(Unreachable::Tls) => "unreachable-tls",
            Self::Unreachable(Unreachable::TooSlow) => "unreachable-too-slow",
            Self::Unreachable(Unreachable::Local) => "unreachable-from-here",
            Self::AnswerLost => "answer-lost",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::NotEnrolled => "not-enrolled",
            Self::DirectoryUnavailable => "directory-unavailable",
            Self::AccountDisabled => "account-disabled",
            Self::NoSuchUser => "no-such-user",
            Self::FirstFactorFailed => "first-factor-failed",
            Self::FirstFactorUnavailable => "first-factor-unavailable",
            Self::Rule => "rule-rejects",
            Self::RequestInvalid => "request-invalid",
            Self::EapRefused => "eap-refused",
            Self::StateInvalid => "state-invalid",
            Self::Overloaded => "overloaded",
            Self::PushLimit => "push-limit",
            Self::PhoneBusy => "phone-busy",
            Self::AlreadyDenied => "denied-before",
            Self::BreakGlass => "break-glass-refused",
            Self::SerialUnknown => "serial-unknown",
            Self::PinFailed => "pin-failed",
            Self::Misconfigured => "misconfigured",
            Self::Internal => "internal",
        }
    }

    /// The number behind the name: fault or status code of guide 6.1, or HTTP status.
    #[must_use]
    pub fn code(self) -> Option<u16> {
        match self {
            Self::Fault(fault) => Some(fault.code()),
            Self::Status(status) => Some(status.code()),
            Self::Unreadable(Unreadable::HttpStatus(status)) => Some(status),
            _ => None,
        }
    }

    /// Whether a phone that was asked was asked for nothing: refused, not answered, or given up. A defect on our side
    /// is not the person's doing, and a phone that shows another request still, or has no Mobile ID, does not ring.
    #[must_use]
    pub fn is_in_vain(self) -> bool {
        let did_not_ring = matches!(
            self,
            Self::Internal
                | Self::PinFailed
                | Self::Fault(
                    Fault::SignatureInProcess | Fault::UnknownClient | Fault::NoKeyFound | Fault::NoCertFound
                )
        );
        self.class() == Class::Refused && !did_not_ring
    }

    /// What it means to the host application.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Fault(fault) => match fault {
                // Refused before any phone was asked, and the same again next time.
                Fault::WrongParam
                | Fault::MissingParam
                | Fault::WrongDataLength
                | Fault::UnauthorizedAccess
                | Fault::InappropriateData
                | Fault::IncompatibleInterface
                | Fault::UnsupportedProfile
                | Fault::ConnectionRefused => Class::Misconfigured,
                Fault::UnknownClient
                | Fault::ExpiredTransaction
                | Fault::OtaError
                | Fault::UserCancel
                | Fault::PinBlocked
                | Fault::CardBlocked
                | Fault::NoKeyFound
                | Fault::SignatureInProcess
                | Fault::NoCertFound
                | Fault::GeofencingViolation
                | Fault::InternalError
                | Fault::Unknown(_) => Class::Refused,
            },
            Self::Unreachable(_)
            | Self::DirectoryUnavailable
            | Self::FirstFactorUnavailable
            | Self::Overloaded
            | Self::BreakGlass => Class::Unreachable,
            Self::NotEnrolled | Self::NoSuchUser => Class::NotEnrolled,
            Self::Misconfigured | Self::RequestInvalid | Self::EapRefused => Class::Misconfigured,
            // Also what comes after the request was sent without being anybody's no, a gateway's 504 or a
            // defect of ours: a phone may have been asked, and trying again would ask it again.
            Self::Status(_)
            | Self::Refused(_)
            | Self::Unreadable(_)
            | Self::Internal
            | Self::AnswerLost
            | Self::TimedOut
            | Self::Cancelled
            | Self::AccountDisabled
            | Self::FirstFactorFailed
            | Self::Rule
            | Self::StateInvalid
            | Self::PushLimit
            | Self::PhoneBusy
            | Self::AlreadyDenied
            | Self::SerialUnknown
            | Self::PinFailed => Class::Refused,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.code().map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_name() {
        let all = Reason::all();
        let names: std::collections::BTreeSet<_> = all.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), all.len(), "two reasons share a name: {names:?}");
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')), "{names:?}");
    }
}
