use super::{file::tests::Texts, *};

/// As Debian 12 has it.
const COMMON_AUTH: &str = "\
# here are the per-package modules (the \"Primary\" block)
auth\t[success=1 default=ignore]\tpam_unix.so nullok
# here's the fallback if no module succeeds
auth\trequisite\t\t\tpam_deny.so
# prime the stack with a positive return value if there isn't one already;
auth\trequired\t\t\tpam_permit.so
# and here are more per-package modules (the \"Additional\" block)
auth\toptional\t\t\tpam_cap.so 
# end of pam-auth-update config
";
/// As Red Hat has it.
const PASSWORD_AUTH: &str = "\
auth required pam_env.so
auth required pam_faildelay.so delay=2000000
auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular
auth [default=1 ignore=ignore success=ok] pam_localuser.so
auth sufficient pam_unix.so nullok
auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular
auth sufficient pam_sss.so forward_pass
auth required pam_deny.so
";
const OURS: &str = "auth required pam_mobileid.so\n";

fn found(service: &str, text: &str) -> Report {
    let files = Texts::of(&[
        (service, text),
        ("common-auth", COMMON_AUTH),
        ("password-auth", PASSWORD_AUTH),
        ("common-with-us", &format!("{COMMON_AUTH}{OURS}")),
        ("common-session", "session required pam_unix.so\n"),
    ]);
    let exists = |path: &Path| path == Path::new("/lib/security/pam_mobileid.so");
    let modules = Modules { folder: Some("/lib/security".into()), exists: &exists };
    examine(&files, &BTreeSet::new(), &["common-with-us".to_owned()], &modules)
}

fn kinds(service: &str, text: &str) -> Vec<Kind> {
    found(service, text).findings.into_iter().map(|finding| finding.kind).collect()
}

#[test]
fn each_stack_and_what_is_found() {
    use Kind::*;
    let stories: &[(&str, &str, &[Kind])] = &[
        ("sudo", "@include common-auth\nauth required pam_mobileid.so\n", &[]),
        ("sudo", "@include common-with-us\n@include common-session\n", &[]),
        (
            "sudo",
            "auth requisite pam_unix.so nodelay\nauth required pam_mobileid.so config=/etc/m.toml debug\n",
            &[],
        ),
        ("sudo", "auth requisite pam_unix.so\nauth [success=ok default=bad] pam_mobileid.so\n", &[]),
        ("sudo", "auth requisite pam_unix.so\nauth [success=done default=die] pam_mobileid.so\n", &[]),
        // Another factor in place of the phone is an alternative.
        (
            "sudo",
            "auth requisite pam_unix.so\nauth sufficient pam_mobileid.so\nauth required pam_google_authenticator.so\n",
            &[],
        ),
        // "ok" for a failure is a failure that stays.
        ("sudo", "@include common-auth\nauth [default=ok] pam_mobileid.so\n", &[]),
        (
            "sudo",
            "@include common-auth\nauth [success=ok default=reset] pam_mobileid.so\nauth required pam_permit.so\n",
            &[RefusalIgnored],
        ),
        // A jump beyond the end is a failure.
        ("sudo", "@include common-auth\nauth [success=ok default=1] pam_mobileid.so\n", &[]),
        (
            "sudo",
            "@include common-auth\nauth [success=ok default=1] pam_mobileid.so\nauth optional pam_cap.so\n",
            &[RefusalIgnored],
        ),
        // An exemption by a rule.
        (
            "sudo",
            "@include common-auth\nauth [success=1 default=ignore] pam_access.so\nauth required pam_mobileid.so\n",
            &[],
        ),
        ("su", "auth sufficient pam_rootok.so\n@include common-auth\nauth required pam_mobileid.so\n", &[]),
        (
            "login",
            "auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n@include common-auth\n\
             auth optional pam_group.so\nauth required pam_mobileid.so\n",
            &[],
        ),
        // Red Hat's, with what substack makes of it; "include" leaves the stack before us.
        ("su", "auth substack password-auth\nauth required pam_mobileid.so\n", &[PushAfterWrongPassword]),
        (
            "su",
            "auth include password-auth\nauth required pam_mobileid.so\n",
            &[PushAfterWrongPassword, ModuleSkipped],
        ),
        ("sudo", "auth required pam_unix.so\nauth required pam_mobileid.so\n", &[PushAfterWrongPassword]),
        ("sudo", "auth optional pam_unix.so\nauth required pam_mobileid.so\n", &[PushAfterWrongPassword]),
        ("sudo", "auth required pam_mobileid.so\n", &[NoFirstFactor]),
        ("login", "auth required pam_mobileid.so\n@include common-auth\n", &[NoFirstFactor]),
        ("su", "auth required pam_env.so\nauth required pam_mobileid.so\n", &[NoFirstFactor]),
        (
            "sudo",
            "auth sufficient pam_mobileid.so\nauth requisite pam_unix.so\n",
            &[NoFirstFactor, RefusalIgnored],
        ),
        ("sudo", "@include common-auth\nauth optional pam_mobileid.so\n", &[RefusalIgnored]),
        ("sudo", "@include common-auth\nauth sufficient pam_mobileid.so\n", &[RefusalIgnored]),
        (
            "sudo",
            "@include common-auth\nauth [success=ok authinfo_unavail=ignore default=bad] pam_mobileid.so\n",
            &[RefusalIgnored],
        ),
        ("sudo", "@include common-auth\nauth sufficient pam_mobileid.so\nauth required pam_deny.so\n", &[]),
        (
            "sudo",
            "auth sufficient pam_unix.so\nauth required pam_mobileid.so\n",
            &[PushAfterWrongPassword, ModuleSkipped],
        ),
        (
            "sudo",
            "auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
             auth required pam_mobileid.so\nauth required pam_permit.so\n",
            &[ModuleSkipped],
        ),
        ("sudo", "@include common-with-us\nauth required pam_mobileid.so\n", &[ModuleTwice]),
        ("sudo", "@include common-auth\nauth required libpam_mobileid.so\n", &[ModulePath]),
        ("sudo", "@include common-auth\nauth required /opt/pam_mobileid.so\n", &[ModulePath]),
        ("sudo", "@include common-auth\nauth required pam_mobileid.so config=relative\n", &[ModuleArguments]),
        ("sudo", "@include common-auth\nauth required pam_mobileid.so debug debug\n", &[ModuleArguments]),
        ("sudo", "@include common-auht\n", &[PamFileBroken, ServiceWithoutMobileid]),
        ("sudo", "@include common-auth\n", &[ServiceWithoutMobileid]),
        // Whether a key comes before it, sshd's configuration tells.
        ("sshd", "auth required pam_mobileid.so\n", &[]),
        ("sshd", "auth required pam_unix.so\nauth required pam_mobileid.so\n", &[PushAfterWrongPassword]),
    ];
    for (service, text, expected) in stories {
        assert_eq!(&kinds(service, text), expected, "{service}:\n{text}");
    }
}

#[test]
fn a_module_that_is_nowhere_is_missing() {
    let files = Texts::of(&[("sudo", &format!("{COMMON_AUTH}{OURS}"))]);
    let folder = Some(PathBuf::from("/lib/security"));
    let report = examine(&files, &BTreeSet::new(), &[], &Modules { folder, exists: &|_| false });
    assert_eq!(report.findings[0].kind, Kind::ModuleMissing);
    assert!(report.findings[0].remedy.contains("/lib/security/pam_mobileid.so"), "{report:?}");
    let report = examine(&files, &BTreeSet::new(), &[], &Modules { folder: None, exists: &|_| false });
    assert_eq!(report.findings[0].kind, Kind::NotExamined);
}

#[test]
fn sshd_is_told_what_its_stack_has() {
    let alone = found("sshd", "auth required pam_mobileid.so config=/etc/other.toml\n").sshd.unwrap();
    let expected =
        Sshd { place: "sshd:1".to_owned(), config: Some("/etc/other.toml".into()), asks_phone_alone: true };
    assert_eq!(alone, expected);
    let behind = found("sshd", "@include common-auth\nauth required pam_mobileid.so\n").sshd.unwrap();
    assert!(!behind.asks_phone_alone);
    assert_eq!(found("sshd", "@include common-auth\n").sshd, None);
}

#[test]
fn a_login_shell_is_a_service_of_its_own() {
    const GUARDED: &str = "auth requisite pam_unix.so\nauth required pam_mobileid.so\n";
    const OPEN: &str = "auth requisite pam_unix.so\n";
    for (first, second) in [("sudo", "sudo-i"), ("su", "su-l")] {
        for (of_first, of_second, expected) in [
            (GUARDED, OPEN, &[Kind::SecondNameWithoutMobileid][..]),
            (GUARDED, GUARDED, &[]),
            (OPEN, OPEN, &[Kind::ServiceWithoutMobileid, Kind::ServiceWithoutMobileid]),
        ] {
            let files = Texts::of(&[(first, of_first), (second, of_second)]);
            let modules = Modules { folder: Some("/m".into()), exists: &|_| true };
            let report = examine(&files, &BTreeSet::new(), &[], &modules);
            let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
            assert_eq!(kinds, expected, "{second}");
        }
    }
}

#[test]
fn a_service_of_its_own_is_examined_and_an_included_file_is_not() {
    let files = Texts::of(&[
        ("vpn", "auth required pam_mobileid.so\n"),
        ("shared", "auth required pam_mobileid.so\n"),
        ("cron", "auth required pam_unix.so\n"),
        ("sudo", "auth requisite pam_unix.so\n@include shared\n"),
        ("admin", "auth required pam_unix.so\n"),
    ]);
    let others = ["admin", "cron", "shared", "sudo", "vpn"].map(str::to_owned);
    let of_sudo = BTreeSet::from(["admin".to_owned()]);
    let modules = Modules { folder: Some("/m".into()), exists: &|_| true };
    let report = examine(&files, &of_sudo, &others, &modules);
    assert_eq!(report.services, ["admin", "sudo", "vpn"]);
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::ServiceWithoutMobileid, Kind::NoFirstFactor]);
    assert_eq!(report.guarded, BTreeSet::from(["sudo".to_owned(), "vpn".to_owned()]));
}

#[test]
fn a_file_that_cannot_be_read_is_not_passed_over() {
    struct Locked;
    impl Files for Locked {
        fn file(&self, name: &str) -> Result<Option<(String, String)>, String> {
            if name == "sudo" { Err("Permission denied\u{1b}".to_owned()) } else { Ok(None) }
        }
    }
    let modules = Modules { folder: Some("/m".into()), exists: &|_| true };
    let report = examine(&Locked, &BTreeSet::new(), &[], &modules);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind, Kind::NotExamined);
    assert!(report.findings[0].what.contains("Permission denied\\u{1b}"), "{report:?}");
}
