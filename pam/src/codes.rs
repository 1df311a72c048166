//! What PAM is told: the one table from a verdict to a result code.
//!
//! The codes are chosen by what applications do with them. sshd asks again after any failure but
//! PAM_MAXTRIES, and sudo after PAM_MAXTRIES too but not after PAM_ABORT: with any other code for a refusal,
//! somebody who presses "no" is asked on the phone three times. PAM_IGNORE is never returned: with the usual
//! stacks it would mean that the second factor is skipped.

#![forbid(unsafe_code)]

use mobileid::outcome::{Class, Exemption, Reason, Verdict};
use pam::constants::PamResultCode;

/// OpenSSH's name in PAM.
pub(crate) const SSHD: &str = "sshd";

/// The result of `pam_sm_authenticate`.
pub(crate) fn code(verdict: &Verdict, service: &str) -> PamResultCode {
    match verdict {
        Verdict::Accepted(_) => PamResultCode::PAM_SUCCESS,
        // Those rules are the RADIUS responder's: here there are none, so none has let anybody in.
        Verdict::Exempt(Exemption::Rule) => PamResultCode::PAM_ABORT,
        Verdict::Exempt(_) => PamResultCode::PAM_SUCCESS,
        Verdict::Denied(reason) => denied(*reason, service),
    }
}

fn denied(reason: Reason, service: &str) -> PamResultCode {
    if reason == Reason::FirstFactorFailed {
        // As the module that checks the password says it: nobody was asked, so asking again pushes nothing.
        return PamResultCode::PAM_AUTH_ERR;
    }
    match reason.class() {
        Class::Refused if service == SSHD => PamResultCode::PAM_MAXTRIES,
        Class::Refused => PamResultCode::PAM_ABORT,
        Class::Unreachable => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Class::NotEnrolled => PamResultCode::PAM_USER_UNKNOWN,
        Class::Misconfigured => PamResultCode::PAM_SERVICE_ERR,
    }
}

#[cfg(test)]
mod tests;
