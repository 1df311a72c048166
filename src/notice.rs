//! What the person reads, in their language: what happened, and what they can do about it.
//!
//! Reasons that call for the same act share a message; what only the administrator can use is added as the
//! reason's name in brackets, so that a person can read it out. The words stand in `texts`.

mod texts;

use std::fmt;

use crate::{
    mss::fault::{Fault, Status},
    outcome::{Exemption, Reason},
    prompt::Code,
    subscriber::Language,
    verify::Refusal,
};
use texts::Texts;

/// One message to the person, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    kind: Kind,
    language: Language,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Confirm(Code),
    Accepted,
    Exempt(Exemption),
    Denied(Reason),
}

impl Notice {
    /// Before the wait: look at the phone, and compare the code.
    #[must_use]
    pub fn confirm(code: Code, language: Language) -> Self {
        Self { kind: Kind::Confirm(code), language }
    }

    /// After an accept.
    #[must_use]
    pub fn accepted(language: Language) -> Self {
        Self { kind: Kind::Accepted, language }
    }

    /// After an exemption.
    #[must_use]
    pub fn exempt(exemption: Exemption, language: Language) -> Self {
        Self { kind: Kind::Exempt(exemption), language }
    }

    /// After a denial.
    #[must_use]
    pub fn denied(reason: Reason, language: Language) -> Self {
        Self { kind: Kind::Denied(reason), language }
    }

    /// Whether the notice ends the login badly: hosts show such notices as errors.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(self.kind, Kind::Denied(_))
    }

    /// Whether the notice is not worth showing: the person is let in by a rule, or because the phone has confirmed
    /// before, and would read it at each login.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let Kind::Exempt(exemption) = self.kind else { return false };
        match exemption {
            Exemption::NotRequired
            | Exemption::Service
            | Exemption::User
            | Exemption::Group
            | Exemption::Network
            | Exemption::Grace
            | Exemption::Connection => true,
            Exemption::Unenrolled | Exemption::Rule | Exemption::Unreachable | Exemption::BreakGlass => false,
        }
    }

    /// The notice as a prompt that Enter answers, for an sshd that keeps information back until the login has ended.
    #[must_use]
    pub fn as_prompt(&self) -> String {
        let Kind::Confirm(code) = &self.kind else { return format!("{self} ") };
        let word = texts::CODE.in_language(self.language);
        let enter = texts::PRESS_ENTER.in_language(self.language);
        format!("{PREFIX}{word} {code}: {enter}: ")
    }

    /// The notice where the person must answer for the login to go on, as in an Access-Challenge of RADIUS.
    #[must_use]
    pub fn as_question(&self) -> String {
        format!("{self} {}", texts::THEN_OK.in_language(self.language))
    }

    /// The code to compare, while there is one.
    #[must_use]
    pub fn code(&self) -> Option<&Code> {
        match &self.kind {
            Kind::Confirm(code) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        match &self.kind {
            Kind::Confirm(code) => write!(f, "{} {code}.", texts::CONFIRM.in_language(self.language)),
            Kind::Accepted => f.write_str(texts::ACCEPTED.in_language(self.language)),
            Kind::Exempt(exemption) => f.write_str(let_in(*exemption).in_language(self.language)),
            Kind::Denied(reason) => {
                let (texts, for_administrator) = message(*reason);
                f.write_str(texts.in_language(self.language))?;
                if for_administrator { write!(f, " [{reason}]") } else { Ok(()) }
            }
        }
    }
}

/// What every message begins with: who it is that speaks, amid the messages of other modules.
const PREFIX: &str = "Mobile ID: ";

/// Asks for a one-time code where the service cannot be reached. Who has none presses Enter.
#[must_use]
pub fn break_glass_question(language: Language) -> &'static str {
    texts::ONE_TIME_CODE.in_language(language)
}

/// The message for an exemption.
fn let_in(exemption: Exemption) -> &'static Texts {
    match exemption {
        Exemption::Unenrolled => &texts::EXEMPT,
        Exemption::Rule
        | Exemption::NotRequired
        | Exemption::Service
        | Exemption::User
        | Exemption::Group
        | Exemption::Network => &texts::BY_RULE,
        Exemption::Grace => &texts::LATELY_CONFIRMED,
        Exemption::Connection => &texts::ALREADY_CONFIRMED,
        Exemption::Unreachable => &texts::LET_IN_UNREACHED,
        Exemption::BreakGlass => &texts::ONE_TIME_CODE_USED,
    }
}

/// The message for a reason, and whether the reason's name is worth reading out.
fn message(reason: Reason) -> (&'static Texts, bool) {
    match reason {
        Reason::Fault(fault) => match fault {
            Fault::UserCancel => (&texts::DECLINED, false),
            Fault::ExpiredTransaction => (&texts::NO_ANSWER, false),
            Fault::PinBlocked => (&texts::PIN_BLOCKED, false),
            Fault::CardBlocked => (&texts::SUSPENDED, false),
            Fault::NoKeyFound | Fault::NoCertFound => (&texts::NOT_ACTIVE, false),
            Fault::UnknownClient => (&texts::UNKNOWN_NUMBER, false),
            Fault::SignatureInProcess => (&texts::BUSY, false),
            Fault::OtaError => (&texts::PHONE_OUT_OF_REACH, false),
            Fault::GeofencingViolation => (&texts::WRONG_PLACE, false),
            Fault::UnsupportedProfile => (&texts::WRONG_METHOD, true),
            Fault::InternalError | Fault::Unknown(_) => (&texts::SERVICE_TROUBLE, true),
            Fault::WrongParam
            | Fault::MissingParam
            | Fault::WrongDataLength
            | Fault::UnauthorizedAccess
            | Fault::InappropriateData
            | Fault::IncompatibleInterface
            | Fault::ConnectionRefused => (&texts::MISCONFIGURED, true),
        },
        Reason::Status(Status::RevokedCertificate) => (&texts::NOT_ACTIVE, false),
        Reason::Status(Status::InvalidSignature) => (&texts::INVALID_SIGNATURE, false),
        Reason::Status(_) | Reason::AnswerLost => (&texts::SERVICE_TROUBLE, true),
        Reason::Unreadable(_) => (&texts::SERVICE_TROUBLE, true),
        Reason::Refused(Refusal::SerialMismatch) => (&texts::NEW_SERIAL, false),
        Reason::Refused(_) => (&texts::UNVERIFIED, true),
        Reason::Unreachable(_) => (&texts::UNREACHABLE, true),
        Reason::TimedOut => (&texts::NO_ANSWER, false),
        Reason::Cancelled => (&texts::INTERRUPTED, false),
        Reason::NotEnrolled => (&texts::NOT_ENROLLED, false),
        Reason::DirectoryUnavailable => (&texts::NO_DIRECTORY, true),
        Reason::AccountDisabled => (&texts::ACCOUNT_DISABLED, false),
        Reason::NoSuchUser | Reason::FirstFactorFailed => (&texts::FAILED, false),
        Reason::FirstFactorUnavailable => (&texts::NO_FIRST_FACTOR, true),
        Reason::Rule => (&texts::NOT_HERE, false),
        Reason::StateInvalid => (&texts::OVER, false),
        Reason::Overloaded => (&texts::TOO_MANY, true),
        Reason::PushLimit => (&texts::REST, false),
        Reason::PhoneBusy => (&texts::BUSY, false),
        Reason::AlreadyDenied => (&texts::DENIED_BEFORE, false),
        Reason::BreakGlass => (&texts::ONE_TIME_CODE_REFUSED, true),
        Reason::SerialUnknown => (&texts::NOT_REGISTERED, false),
        Reason::Misconfigured
        | Reason::PinFailed
        | Reason::RequestInvalid
        | Reason::EapRefused
        | Reason::Internal => (&texts::MISCONFIGURED, true),
    }
}

#[cfg(test)]
mod tests;
