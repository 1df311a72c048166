use mobileid::outcome::Unreachable;

use super::*;
use PamResultCode::{
    PAM_ABORT, PAM_AUTH_ERR, PAM_AUTHINFO_UNAVAIL, PAM_MAXTRIES, PAM_SERVICE_ERR, PAM_SUCCESS,
    PAM_USER_UNKNOWN,
};

const SERVICES: [&str; 4] = [SSHD, "sudo", "su", "login"];

#[test]
fn every_reason_has_its_code_in_every_service() {
    for reason in Reason::all() {
        for service in SERVICES {
            let expected = match (reason, reason.class(), service) {
                (Reason::FirstFactorFailed, _, _) => PAM_AUTH_ERR,
                (_, Class::Refused, "sshd") => PAM_MAXTRIES,
                (_, Class::Refused, "sudo" | "su" | "login") => PAM_ABORT,
                (_, Class::Unreachable, _) => PAM_AUTHINFO_UNAVAIL,
                (_, Class::NotEnrolled, _) => PAM_USER_UNKNOWN,
                (_, Class::Misconfigured, _) => PAM_SERVICE_ERR,
                other => panic!("{other:?}"),
            };
            assert_eq!(code(&Verdict::Denied(reason), service), expected, "{reason} in {service}");
        }
    }
}

#[test]
fn a_denial_is_never_success_and_never_ignored() {
    for reason in Reason::all() {
        for service in SERVICES {
            let code = code(&Verdict::Denied(reason), service);
            assert!(code != PAM_SUCCESS && code != PamResultCode::PAM_IGNORE, "{reason} in {service}");
        }
    }
}

#[test]
fn the_codes_by_name() {
    for (reason, in_sshd, elsewhere) in [
        (Reason::TimedOut, PAM_MAXTRIES, PAM_ABORT),
        (Reason::Cancelled, PAM_MAXTRIES, PAM_ABORT),
        (Reason::AnswerLost, PAM_MAXTRIES, PAM_ABORT),
        (Reason::Unreachable(Unreachable::Connect), PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL),
        (Reason::DirectoryUnavailable, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL),
        (Reason::NotEnrolled, PAM_USER_UNKNOWN, PAM_USER_UNKNOWN),
        (Reason::NoSuchUser, PAM_USER_UNKNOWN, PAM_USER_UNKNOWN),
        (Reason::FirstFactorFailed, PAM_AUTH_ERR, PAM_AUTH_ERR),
        (Reason::Misconfigured, PAM_SERVICE_ERR, PAM_SERVICE_ERR),
        (Reason::Internal, PAM_MAXTRIES, PAM_ABORT),
    ] {
        assert_eq!(code(&Verdict::Denied(reason), SSHD), in_sshd, "{reason}");
        assert_eq!(code(&Verdict::Denied(reason), "sudo"), elsewhere, "{reason}");
    }
}

#[test]
fn an_exemption_is_success() {
    assert_eq!(code(&Verdict::Exempt(Exemption::Unenrolled), "sudo"), PAM_SUCCESS);
}

#[test]
fn the_manual_has_every_code() {
    let page = include_str!("../../../packaging/man/pam_mobileid.8");
    let denials = Reason::all().into_iter().map(Verdict::Denied);
    let verdicts: Vec<Verdict> = denials.chain(Exemption::ALL.map(Verdict::Exempt)).collect();
    let returned = verdicts.iter().flat_map(|verdict| SERVICES.map(|service| code(verdict, service)));
    let returned: std::collections::BTreeSet<String> = returned.map(|code| format!("{code:?}")).collect();
    let (_, section) = page.split_once(".SH RETURN VALUES\n").unwrap();
    let (section, _) = section.split_once("\n.PP\n.B PAM_IGNORE\n").unwrap();
    let told: std::collections::BTreeSet<String> =
        section.lines().filter_map(|line| line.strip_prefix(".B PAM_")).map(|c| format!("PAM_{c}")).collect();
    assert_eq!(told, returned);
}
