mod fake;
mod remembering;

use fake::{Fake, Script, Site};
use pam::constants::PamResultCode::{self, *};

use super::*;

/// Plays a login against a script; the first part of the script is the facts.
fn play(arguments: &[&CStr], silent: bool, facts: &[&str], script: &[&str]) -> PamResultCode {
    play_at(&Site::new(), arguments, silent, facts, script)
}

/// The same on a host that remembers what was there before.
fn play_at(site: &Site, arguments: &[&CStr], silent: bool, facts: &[&str], script: &[&str]) -> PamResultCode {
    let script = Script::at(site, &[facts, script].concat());
    let code = authenticate(&mut Fake(&script), &Fake(&script), arguments, silent);
    script.ends();
    code
}

const SSHD: &[&str] = &[
    "fail_delay 2s",
    "item Service -> sshd",
    "item Tty -> ssh",
    "env SSH_CONNECTION -> 192.0.2.7 4711 192.0.2.1 22",
    "env SSH_AUTH_INFO_0 -> none",
    "item Ruser -> none",
    "user -> alice",
    "host_name -> web1",
];
const SUDO: &[&str] = &[
    "fail_delay 2s",
    "item Service -> sudo",
    "item Tty -> /dev/pts/3",
    "item Rhost -> none",
    "item Ruser -> alice",
    "user -> alice",
    "host_name -> web1",
];
const LOAD: &str = "load /etc/mobileid/mobileid.toml -> closed";

/// As the first one, with some lines replaced by others.
fn with(facts: &[&'static str], changes: &[(&str, &'static str)]) -> Vec<&'static str> {
    let changed =
        |line: &&'static str| changes.iter().find(|(from, _)| line.starts_with(from)).map_or(*line, |c| c.1);
    facts.iter().map(changed).collect()
}

#[test]
fn in_sshd_a_confirmed_login() {
    let script = [
        LOAD,
        "junk? -> no",
        "account alice -> alice",
        r#"run alice sshd web1 Some("192.0.2.7") -> signed"#,
        "show Info: Mobile ID: confirm on your phone if it shows the code *.",
        "syslog Info: request sent: ap_trans_id=mid-* user=alice service=sshd",
        "show Info: Mobile ID: confirmed.",
        "user -> alice",
        r#"syslog Info: {"time":"*","verdict":"accepted","reason":"verified","user":"alice","service":"sshd","host":"web1","rhost":"192.0.2.7","msisdn":"+4179*67","ap_trans_id":"mid-*","mssp_trans_id":"h1",*"serial":"MIDCHEPAMTEST001","first_use":true,"ms":*}"#,
    ];
    assert_eq!(play(&[], false, SSHD, &script), PAM_SUCCESS);
}

#[test]
fn in_silent_sudo_only_the_decoration_is_left_out() {
    let script = [
        LOAD,
        "junk? -> no",
        "account alice -> alice",
        "run alice sudo web1 None -> signed",
        "show Error: Mobile ID: confirm on your phone*",
        "syslog Info: request sent: *",
        "user -> alice",
        r#"syslog Info: {*"accepted"*}"#,
    ];
    assert_eq!(play(&[], true, SUDO, &script), PAM_SUCCESS);
    let script = [
        LOAD,
        "junk? -> no",
        "account alice -> alice",
        "run alice sudo web1 None -> declined",
        "show Error: Mobile ID: confirm on your phone*",
        "syslog Info: request sent: *",
        r#"syslog Notice: {*"verdict":"denied","reason":"user-cancel","code":401,*}"#,
        "show Error: Mobile ID: declined on the phone.*",
    ];
    assert_eq!(play(&[], true, SUDO, &script), PAM_ABORT);
}

#[test]
fn what_comes_of_the_request_decides_the_code() {
    for (comes, reason, in_sshd, in_sudo) in [
        ("declined", "user-cancel", PAM_MAXTRIES, PAM_ABORT),
        ("late", "timed-out", PAM_MAXTRIES, PAM_ABORT),
        ("unreachable", "unreachable-connect", PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL),
    ] {
        for (facts, expected) in [(SSHD, in_sshd), (SUDO, in_sudo)] {
            let run = format!("run alice * -> {comes}");
            let audit = format!(r#"syslog Notice: {{*"verdict":"denied","reason":"{reason}",*}}"#);
            let script = [
                LOAD,
                "junk? -> no",
                "account alice -> alice",
                &run,
                "show *: Mobile ID: confirm on your phone*",
                "syslog Info: request sent: *",
                &audit,
                "show Error: *",
            ];
            assert_eq!(play(&[], false, facts, &script), expected, "{comes}");
        }
    }
}

/// sudo and su would write information to the standard output of the command.
#[test]
fn in_sudo_and_su_and_without_a_terminal_what_is_shown_goes_to_standard_error() {
    let no_tty = with(SUDO, &[("item Service", "item Service -> door"), ("item Tty", "item Tty -> none")]);
    let su = with(SUDO, &[("item Service", "item Service -> su")]);
    let su_l = with(SUDO, &[("item Service", "item Service -> su-l")]);
    for facts in [SUDO.to_vec(), no_tty, su, su_l] {
        let script = [
            LOAD,
            "junk? -> no",
            "account alice -> alice",
            "run * -> signed",
            "show Error: Mobile ID: confirm on your phone*",
            "syslog Info: request sent: *",
            "show Error: Mobile ID: confirmed.",
            "user -> alice",
            "syslog Info: {*}",
        ];
        assert_eq!(play(&[], false, &facts, &script), PAM_SUCCESS);
    }
}

#[test]
fn an_application_that_shows_nothing_changes_nothing() {
    let script = [
        LOAD,
        "junk? -> no",
        "account alice -> alice",
        "run * -> signed",
        "show Info: *confirm* -> refused",
        "syslog Info: request sent: *",
        "show Info: * -> refused",
        "user -> alice",
        "syslog Info: {*}",
    ];
    assert_eq!(play(&[], false, SSHD, &script), PAM_SUCCESS);
}

/// Every story here ends without a call of `run`: no phone is asked.
#[test]
fn the_gate_asks_nobody_for_a_login_that_cannot_be() {
    const FAILED: &str = "show Error: Mobile ID: the login failed. Try again.";
    let stories: [(&'static str, &[&str], &str, PamResultCode); 8] = [
        (
            "user -> alice",
            &["junk? -> no", "account alice -> none", FAILED],
            r#""reason":"no-such-user","user":"alice""#,
            PAM_USER_UNKNOWN,
        ),
        (
            "user -> alice",
            &["junk? -> yes", FAILED],
            r#""reason":"first-factor-failed","user":"alice""#,
            PAM_AUTH_ERR,
        ),
        (
            "user -> alice",
            &["junk? -> no", "account alice -> error", "show Error: *"],
            r#""reason":"directory-unavailable"*EIO"#,
            PAM_AUTHINFO_UNAVAIL,
        ),
        (
            "user -> none",
            &[FAILED],
            r#""reason":"no-such-user","user":"?"*"detail":"the application has no user name"#,
            PAM_USER_UNKNOWN,
        ),
        ("user -> ", &[FAILED], r#""reason":"no-such-user","user":"?"*empty"#, PAM_USER_UNKNOWN),
        (
            "user -> al\u{1b}[2Jice\n",
            &[FAILED],
            r#""reason":"no-such-user","user":"al?[2Jice?"*control"#,
            PAM_USER_UNKNOWN,
        ),
        ("user -> al\u{202e}ice", &[FAILED], r#""reason":"no-such-user","user":"al?ice""#, PAM_USER_UNKNOWN),
        (
            Box::leak(format!("user -> {}", "x".repeat(257)).into_boxed_str()),
            &[FAILED],
            r#""reason":"no-such-user","user":"xxx*...","*longer than 256 bytes"#,
            PAM_USER_UNKNOWN,
        ),
    ];
    for (user, calls, audit, expected) in stories {
        let audit = format!(r#"syslog Notice: {{"time":"*","verdict":"denied",{audit}*}}"#);
        let (told, calls) = calls.split_last().unwrap();
        let script = [&[LOAD], calls, &[&audit, told]].concat();
        assert_eq!(play(&[], false, &with(SSHD, &[("user", user)]), &script), expected, "{user}");
    }
}

/// A directory that ignores case: otherwise `Alice`, whom no table knows, might be let in for that.
#[test]
fn the_accounts_own_spelling_counts() {
    let facts = with(SSHD, &[("user", "user -> Alice")]);
    let script = [
        "load /etc/mobileid/mobileid.toml -> open",
        "junk? -> no",
        "account Alice -> alice",
        "run alice sshd * -> declined",
        "show Info: *",
        "syslog Info: request sent: * user=Alice *",
        r#"syslog Notice: {*"user":"alice"*}"#,
        "show Error: *",
    ];
    assert_eq!(play(&[], false, &facts, &script), PAM_MAXTRIES);
}

#[test]
fn who_has_no_phone_is_denied_or_let_in_as_configured() {
    let facts = with(SUDO, &[("user", "user -> bob")]);
    let script = [
        LOAD,
        "junk? -> no",
        "account bob -> bob",
        "run bob sudo * -> never",
        r#"syslog Notice: {*"verdict":"denied","reason":"not-enrolled","user":"bob"*}"#,
        "show Error: Mobile ID: no phone is entered for you.*",
    ];
    assert_eq!(play(&[], false, &facts, &script), PAM_USER_UNKNOWN);
    let script = [
        "load /etc/mobileid/mobileid.toml -> open",
        "junk? -> no",
        "account bob -> bob",
        "run bob sudo * -> never",
        "user -> bob",
        r#"syslog Notice: {*"verdict":"exempt","reason":"unenrolled-allowed","user":"bob"*}"#,
    ];
    assert_eq!(play(&[], true, &facts, &script), PAM_SUCCESS);
}

#[test]
fn who_changed_in_between_is_not_let_in() {
    for changed in ["user -> root", "user -> none", "user -> Alice"] {
        let script = [
            LOAD,
            "junk? -> no",
            "account alice -> alice",
            "run * -> signed",
            "show Info: *",
            "syslog Info: request sent: *",
            "show Info: *",
            changed,
            "show Error: *",
            r#"syslog Notice: {*"verdict":"denied","reason":"internal","user":"alice"*"ap_trans_id":"mid-*PAM_USER*}"#,
        ];
        assert_eq!(play(&[], false, SSHD, &script), PAM_MAXTRIES, "{changed}");
    }
}

#[test]
fn where_a_login_comes_from() {
    let connections: [(&'static str, &str); 4] = [
        ("env SSH_CONNECTION -> 2001:db8::7 1 ::1 22", r#"Some("2001:db8::7")"#),
        ("env SSH_CONNECTION -> UNKNOWN 65535 UNKNOWN 65535", r#"Some("gate.example")"#),
        ("env SSH_CONNECTION -> none", r#"Some("gate.example")"#),
        ("env SSH_CONNECTION ->  192.0.2.7", r#"Some("gate.example")"#),
    ];
    for (connection, rhost) in connections {
        let mut facts = with(SSHD, &[("env SSH_CONNECTION", connection)]);
        if rhost.contains("gate") {
            facts.insert(5, "item Rhost -> gate.example");
        }
        let run = format!("run alice sshd web1 {rhost} -> late");
        let script = [
            LOAD,
            "junk? -> no",
            "account alice -> alice",
            &run,
            "show Info: *",
            "syslog Info: *",
            "syslog Notice: *",
            "show Error: *",
        ];
        assert_eq!(play(&[], false, &facts, &script), PAM_MAXTRIES, "{connection}");
    }
}

#[test]
fn an_argument_that_is_not_understood_lets_nobody_in() {
    let script = [
        "syslog Error: PAM configuration: the argument 'nonsense' is unknown*",
        r#"syslog Notice: {*"verdict":"denied","reason":"misconfigured","user":"alice"*'nonsense'*}"#,
        "show Error: Mobile ID: it is not set up correctly on this host.*[misconfigured]",
    ];
    assert_eq!(play(&[c"debug", c"nonsense"], true, SSHD, &script), PAM_SERVICE_ERR);
}

#[test]
fn a_configuration_with_mistakes_lets_nobody_in() {
    let script = [
        "load /etc/mobileid/mobileid.toml -> 2",
        "syslog Error: m.toml: what 1",
        "syslog Error: m.toml: what 2",
        r#"syslog Notice: {*"reason":"misconfigured"*"detail":"m.toml: what 1"}"#,
        "show Error: *",
    ];
    assert_eq!(play(&[], false, SUDO, &script), PAM_SERVICE_ERR);

    let lines: Vec<_> = (1..=20).map(|i| format!("syslog Error: m.toml: what {i}")).collect();
    let mut script = vec!["load /x -> 99"];
    script.extend(lines.iter().map(String::as_str));
    script.extend(["syslog Error: and 79 more mistakes", "syslog Notice: {*}", "show Error: *"]);
    assert_eq!(play(&[c"config=/x"], false, SUDO, &script), PAM_SERVICE_ERR);
}

#[test]
fn a_configuration_that_turns_out_unusable_lets_nobody_in() {
    let script = [
        LOAD,
        "junk? -> no",
        "account alice -> alice",
        "run * -> unusable",
        "syslog Error: service.client_key: does not fit",
        r#"syslog Notice: {*"reason":"misconfigured"*"detail":"service.client_key*}"#,
        "show Error: *",
    ];
    assert_eq!(play(&[], false, SUDO, &script), PAM_SERVICE_ERR);
}

#[test]
fn evidence_is_kept_and_its_loss_is_logged() {
    for (answer, lost) in [("", false), (" -> full", true)] {
        let keep = format!("keep /var/lib/mobileid ACME: Log in? Code *{answer}");
        let mut script = vec![
            "load /etc/mobileid/mobileid.toml -> evidence",
            "junk? -> no",
            "account alice -> alice",
            "run * -> signed",
            "show Error: *",
            "syslog Info: request sent: *",
            &keep,
        ];
        script.extend(
            lost.then_some("syslog Error: the evidence of mid-* was not kept in /var/lib/mobileid: *"),
        );
        script.extend(["user -> alice", "syslog Info: {*}"]);
        assert_eq!(play(&[], true, SUDO, &script), PAM_SUCCESS);
    }
}

#[test]
fn debug_says_what_the_decision_is_based_on() {
    let script = [
        r"syslog Debug: config=/x user='alice' service='sudo' host='web1' tty='/dev/pts/3' rhost=none ruser='alice'",
        "load /x -> closed",
        "junk? -> no",
        "account alice -> alice",
        "syslog Debug: account=alice",
        "run * -> late",
        "show Error: *",
        "syslog Info: *",
        "syslog Notice: {*}",
        "show Error: *",
    ];
    assert_eq!(play(&[c"config=/x", c"debug"], false, SUDO, &script), PAM_ABORT);
}

/// The line of the log is the audit line, and only that one.
#[test]
fn a_panic_is_a_denial_with_one_line() {
    let ends: [&[&str]; 3] = [
        &["load /etc/mobileid/mobileid.toml -> panic"],
        &[LOAD, "junk? -> no", "account alice -> panic"],
        &[LOAD, "junk? -> no", "account alice -> alice", "run * -> panic"],
    ];
    for end in ends {
        let again = SSHD.get(1..).unwrap();
        let denial = [
            r#"syslog Notice: {*"verdict":"denied","reason":"internal","user":"alice"*"detail":"panicked at *: as the script says"}"#,
            "show Error: Mobile ID: it is not set up correctly on this host.*[internal]",
        ];
        let script = [end, again, &denial].concat();
        assert_eq!(play(&[], false, SSHD, &script), PAM_MAXTRIES);
    }
}

#[cfg(feature = "test-panic")]
#[test]
fn the_argument_panic_panics() {
    let again = SSHD.get(1..).unwrap();
    let denial =
        [r#"syslog Notice: {*"detail":"panicked at *the argument 'panic' asked for it"}"#, "show Error: *"];
    assert_eq!(play(&[c"panic"], false, SSHD, &[again, &denial].concat()), PAM_MAXTRIES);
}
