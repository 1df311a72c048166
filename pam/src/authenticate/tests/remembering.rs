//! Several logins on one host: what one leaves for the next, and what the rules of `[pam]` make of it.

use std::{
    fs,
    net::{IpAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mobileid::{
    config::{Exempt, FileConfig, KindFile, OnUnreachable, PamConfig, Require, SshdMessage, SuIdentity},
    directory::{Directories, Directory, Kind, WhenUnavailable},
    driver::{Tick, TickVerdict, blocking},
    memory::{
        connection,
        grace::{self, Key},
        outage, pushes,
    },
    subscriber::Subscriber,
};

use super::{fake::UPTIME, *};

/// A login as alice until the phone is asked, or not.
const BEGINS: [&str; 3] = [LOAD, "junk? -> no", "account alice -> alice"];
const KEY: (&str, &str) = ("env SSH_AUTH_INFO_0", "env SSH_AUTH_INFO_0 -> publickey ssh-ed25519 AAAAC3Nz");

/// As the table of these tests has it.
fn alices_phone() -> Subscriber {
    Subscriber {
        msisdn: "+41791234567".parse().unwrap(),
        language: None,
        serial: None,
        profile: None,
        groups: Vec::new(),
        entry: mobileid::subscriber::Entry::default(),
    }
}

fn site(identity: &str, pam: PamConfig) -> Site {
    let mut site = Site::new();
    (site.identity, site.pam) = (Some(identity.to_owned()), pam);
    site
}

/// alice logs in over SSH; what comes of the request, and the audit line.
fn asked(comes: &str, audit: &str) -> Vec<String> {
    let mut script: Vec<String> = BEGINS.map(str::to_owned).into();
    script.push(format!("run alice * -> {comes}"));
    script.push("show *: *confirm on your phone*".to_owned());
    script.push("syslog Info: request sent: *".to_owned());
    script.extend(ends(audit));
    script
}

/// alice logs in, and no phone rings.
fn unasked(audit: &str) -> Vec<String> {
    BEGINS.map(str::to_owned).into_iter().chain(ends(audit)).collect()
}

fn ends(audit: &str) -> Vec<String> {
    let line = |priority| format!(r#"syslog {priority}: {{*{audit}*}}"#);
    let accepted = audit.contains("accepted");
    let exempt = audit.contains("exempt");
    match () {
        () if accepted => vec!["show *: *confirmed.".to_owned(), "user -> alice".to_owned(), line("Info")],
        () if exempt && audit.contains("unreachable") => {
            let room = audit.contains("connect").then(|| "has_room -> yes".to_owned());
            let shown = ["show *: *".to_owned(), "user -> alice".to_owned(), line("Notice")];
            room.into_iter().chain(shown).collect()
        }
        () if exempt => vec!["user -> alice".to_owned(), line("Notice")],
        () => vec![line("Notice"), "show Error: *".to_owned()],
    }
}

fn log_in(site: &Site, facts: &[&str], script: &[String]) -> PamResultCode {
    play_at(site, &[], false, facts, &script.iter().map(String::as_str).collect::<Vec<_>>())
}

fn accepted() -> Vec<String> {
    asked("signed", r#""verdict":"accepted""#)
}

fn declined() -> Vec<String> {
    asked("declined", r#""verdict":"denied","reason":"user-cancel""#)
}

#[test]
fn a_connection_that_was_confirmed_is_not_asked_again() {
    let mut site = site("cookie:1", PamConfig::default());
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    let again =
        unasked(r#""verdict":"exempt","reason":"already-confirmed"*"detail":"on this connection, by mid-"#);
    for _ in 0..2 {
        assert_eq!(log_in(&site, SSHD, &again), PAM_SUCCESS);
    }
    // The same addresses and ports, but another socket.
    site.identity = Some("cookie:2".to_owned());
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    // Nobody can tell whether it is the same.
    site.identity = None;
    for _ in 0..2 {
        assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    }
}

fn bob_is_not_enrolled(site: &Site) {
    let bob = with(SSHD, &[("user", "user -> bob")]);
    let script = [
        LOAD,
        "junk? -> no",
        "account bob -> bob",
        "run bob * -> never",
        r#"syslog Notice: {*"not-enrolled"*}"#,
        "show Error: *",
    ];
    assert_eq!(play_at(site, &[], false, &bob, &script), PAM_USER_UNKNOWN);
}

#[test]
fn a_confirmation_is_one_persons() {
    let site = site("cookie:1", PamConfig::default());
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    bob_is_not_enrolled(&site);
}

#[test]
fn a_confirmation_stands_for_ten_minutes() {
    let site = site("cookie:1", PamConfig::default());
    UPTIME.set(1000);
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    UPTIME.set(1000 + 601);
    let late = unasked(r#""verdict":"denied","reason":"denied-before"*"detail":"the time for all runs"#);
    assert_eq!(log_in(&site, SSHD, &late), PAM_MAXTRIES);
}

#[test]
fn a_connection_that_was_refused_is_not_asked_again() {
    for (comes, reason) in [("declined", "user-cancel"), ("late", "timed-out")] {
        for facts in [SSHD, SUDO] {
            let site = site("one", PamConfig::default());
            let code = if facts == SSHD { PAM_MAXTRIES } else { PAM_ABORT };
            let first = asked(comes, &format!(r#""verdict":"denied","reason":"{reason}""#));
            assert_eq!(log_in(&site, facts, &first), code);
            let audit = format!(r#""reason":"denied-before"*"detail":"on this connection, for {reason}""#);
            assert_eq!(log_in(&site, facts, &unasked(&audit)), code);
        }
    }
}

#[test]
fn who_was_killed_while_the_phone_rang_is_not_asked_again() {
    let site = site("cookie:1", PamConfig::default());
    let mut killed: Vec<String> = BEGINS.map(str::to_owned).into();
    killed
        .extend(["run alice * -> killed", "show Info: *", "syslog Info: request sent: *"].map(str::to_owned));
    killed.extend(SSHD[1..].iter().map(|line| (*line).to_owned()));
    killed.extend(ends(r#""verdict":"denied","reason":"internal""#));
    assert_eq!(log_in(&site, SSHD, &killed), PAM_MAXTRIES);
    let again = unasked(r#""reason":"denied-before"*the process was killed""#);
    assert_eq!(log_in(&site, SSHD, &again), PAM_MAXTRIES);
}

#[test]
fn the_time_is_one_for_all_runs_on_a_connection() {
    let mut site = site("cookie:1", PamConfig::default());
    UPTIME.set(1000);
    let down = asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#);
    assert_eq!(log_in(&site, SSHD, &down), PAM_AUTHINFO_UNAVAIL);
    UPTIME.set(1000 + 60);
    assert_eq!(log_in(&site, SSHD, &down), PAM_AUTHINFO_UNAVAIL);
    UPTIME.set(1000 + 90);
    let late = unasked(r#""verdict":"denied","reason":"denied-before"*"the time for all runs"#);
    assert_eq!(log_in(&site, SSHD, &late), PAM_MAXTRIES);
    site.identity = Some("cookie:2".to_owned());
    UPTIME.set(1000 + 120);
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
}

#[test]
fn a_service_that_is_down_is_not_tried_for_ten_seconds() {
    let site = site("pid 7 start 70", PamConfig::default());
    UPTIME.set(1000);
    let down = asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#);
    assert_eq!(log_in(&site, SUDO, &down), PAM_AUTHINFO_UNAVAIL);
    // sudo tries three times.
    let remembered = unasked(r#""reason":"unreachable-connect"*"detail":"as a few seconds ago""#);
    for uptime in [1002, 1009] {
        UPTIME.set(uptime);
        assert_eq!(log_in(&site, SUDO, &remembered), PAM_AUTHINFO_UNAVAIL);
    }
    UPTIME.set(1010);
    assert_eq!(log_in(&site, SUDO, &accepted()), PAM_SUCCESS);
}

/// Each sudo is a process of its own: a file for each would fill the folder.
#[test]
fn whoever_looks_for_a_record_leaves_none_behind() {
    let grace = PamConfig { grace: Some(Duration::from_secs(900)), ..PamConfig::default() };
    let mut site = site("", grace);
    UPTIME.set(1000);
    for number in 0..3 {
        site.identity = Some(format!("process:{number}:1"));
        assert_eq!(log_in(&site, SUDO, &declined()), PAM_ABORT);
    }
    site.identity = Some("cookie:1".to_owned());
    let rest = unasked(r#""reason":"push-limit""#);
    assert_eq!(log_in(&site, &with(SSHD, &[KEY]), &rest), PAM_MAXTRIES);
    assert_eq!((site.files_of(outage::KIND), site.files_of(grace::KIND)), (0, 0));
}

#[test]
fn a_phone_that_rang_in_vain_too_often_has_a_rest_on_the_whole_host() {
    let mut site = site("", PamConfig::default());
    let connection = |site: &mut Site, number: u64| site.identity = Some(format!("cookie:{number}"));
    UPTIME.set(1000);
    for (number, (facts, script)) in
        [(SSHD, declined()), (SSHD, accepted()), (SUDO, declined()), (SSHD, declined())].iter().enumerate()
    {
        connection(&mut site, number as u64);
        log_in(&site, facts, script);
    }
    let rest =
        unasked(r#""verdict":"denied","reason":"push-limit"*"detail":"3 pushes in vain within 600 s""#);
    for (number, facts, code) in [(10, SSHD, PAM_MAXTRIES), (11, SUDO, PAM_ABORT)] {
        connection(&mut site, number);
        assert_eq!(log_in(&site, facts, &rest), code);
    }
    UPTIME.set(1000 + 601);
    connection(&mut site, 12);
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
}

/// Whoever starts sudo without end would otherwise fill /run.
#[test]
fn a_sudo_in_which_nothing_came_to_an_end_leaves_no_record() {
    let mut site = site("", PamConfig { push_limit: 1, ..PamConfig::default() });
    let mut sudo = |script: &[String]| {
        site.identity = Some(format!("process:{}", UPTIME.get()));
        UPTIME.set(UPTIME.get() + 20);
        log_in(&site, SUDO, script);
        site.files_of(connection::KIND)
    };
    UPTIME.set(1000);
    assert_eq!(sudo(&asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#)), 0);
    // A record and its lock: another stack in the same sudo is not to ring again.
    assert_eq!(sudo(&declined()), 2);
    assert_eq!(sudo(&unasked(r#""verdict":"denied","reason":"push-limit""#)), 2);
    UPTIME.set(UPTIME.get() + 600);
    assert_eq!(sudo(&accepted()), 4);
}

#[test]
fn a_push_that_never_left_is_none() {
    let mut site = site("", PamConfig { push_limit: 1, ..PamConfig::default() });
    for number in 0..3 {
        site.identity = Some(format!("cookie:{number}"));
        UPTIME.set(1000 + 20 * number);
        let down = asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#);
        assert_eq!(log_in(&site, SSHD, &down), PAM_AUTHINFO_UNAVAIL);
    }
    UPTIME.set(1100);
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
}

#[test]
fn grace_is_for_the_same_user_address_and_key() {
    let grace = PamConfig { grace: Some(Duration::from_secs(900)), ..PamConfig::default() };
    let mut site = site("", grace);
    let mut number = 0;
    let mut log_in_anew = |facts: &[&str], script: &[String]| {
        number += 1;
        site.identity = Some(format!("cookie:{number}"));
        log_in(&site, facts, script)
    };
    let key = with(SSHD, &[KEY]);
    let other_key = ("env SSH_AUTH_INFO_0", "env SSH_AUTH_INFO_0 -> publickey ssh-ed25519 BBBB");
    let elsewhere = ("env SSH_CONNECTION", "env SSH_CONNECTION -> 192.0.2.8 4711 192.0.2.1 22");
    UPTIME.set(1000);
    // Without a key there is nothing to bind it to.
    for _ in 0..2 {
        assert_eq!(log_in_anew(SSHD, &accepted()), PAM_SUCCESS);
    }
    assert_eq!(log_in_anew(&key, &accepted()), PAM_SUCCESS);
    let spared = unasked(r#""verdict":"exempt","reason":"grace","user":"alice""#);
    for uptime in [1001, 1899] {
        UPTIME.set(uptime);
        assert_eq!(log_in_anew(&key, &spared), PAM_SUCCESS);
    }
    // It counts from the confirmation, not from its last use; and a refusal grants none.
    UPTIME.set(1900);
    assert_eq!(log_in_anew(&key, &declined()), PAM_MAXTRIES);
    assert_eq!(log_in_anew(&key, &accepted()), PAM_SUCCESS);
    assert_eq!(log_in_anew(&with(SSHD, &[other_key]), &accepted()), PAM_SUCCESS);
    assert_eq!(log_in_anew(&with(SSHD, &[KEY, elsewhere]), &accepted()), PAM_SUCCESS);
    assert_eq!(log_in_anew(SSHD, &accepted()), PAM_SUCCESS);
    let password = ("env SSH_AUTH_INFO_0", "env SSH_AUTH_INFO_0 -> password");
    assert_eq!(log_in_anew(&with(SSHD, &[password]), &accepted()), PAM_SUCCESS);
}

#[test]
fn grace_ends_when_the_phone_is_taken_out_of_the_table() {
    let grace = PamConfig { grace: Some(Duration::from_secs(900)), ..PamConfig::default() };
    let site = site("c", grace);
    UPTIME.set(1000);
    let key = Key::of("publickey ssh-ed25519 AAAAC3Nz", &alices_phone()).unwrap();
    site.memory().unwrap().grant("bob", IpAddr::from([192, 0, 2, 7]), key).unwrap();
    let script = [
        LOAD,
        "junk? -> no",
        "account bob -> bob",
        "run bob * -> never",
        r#"syslog Notice: {*"not-enrolled"*}"#,
        "show Error: *",
    ];
    let bob = with(SSHD, &[("user", "user -> bob"), KEY]);
    assert_eq!(play_at(&site, &[], false, &bob, &script), PAM_USER_UNKNOWN);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the directory's side")]
fn a_directory_is_asked_once_for_each_login() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "[service]\nap_id='a'\ndtbd_prefix='A: '\nclient_cert='c'\nclient_key='k'\n[signature]\ntrust='t'\n\
         [[directory]]\ntype='ldap'\nname='ad'\nservers='ldap://{}'\nbind='anonymous'\nbase='dc=x'\n\
         filter='(uid={{user}})'\n",
        listener.local_addr().unwrap()
    );
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    thread::spawn(move || {
        listener.incoming().for_each(|_| {
            counter.fetch_add(1, Ordering::SeqCst);
        })
    });
    let file = FileConfig::parse("m.toml", &text).unwrap();
    let KindFile::Ldap(ldap) = &file.directories[0].kind else { panic!("no LDAP") };
    let kind = Kind::Ldap(Box::new(ldap.ldap.clone()));
    let ad = Directory { name: "ad".to_owned(), unavailable: WhenUnavailable::Deny, kind };
    let grace = PamConfig { grace: Some(Duration::from_secs(900)), ..PamConfig::default() };
    let mut site = site("", grace);
    site.directories = Some(Directories::new(vec![ad]));
    let mut script: Vec<String> = BEGINS.map(str::to_owned).into();
    script.push("run alice * -> never".to_owned());
    script.extend(ends(r#""verdict":"denied","reason":"directory-unavailable"*"detail":"ad: 127.0.0.1:"#));
    // For grace, and for the phone.
    assert_eq!(log_in(&site, &with(SSHD, &[KEY]), &script), PAM_AUTHINFO_UNAVAIL);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn the_rules_say_who_is_asked() {
    let names = |name: &str| vec![name.to_owned()];
    let exempt = |exempt| PamConfig { exempt, ..PamConfig::default() };
    for (rules, reason) in [
        (exempt(Exempt { services: names("sshd"), ..Exempt::default() }), "service-exempt"),
        (exempt(Exempt { users: names("alice"), ..Exempt::default() }), "user-exempt"),
        (
            exempt(Exempt { networks: vec!["192.0.2.0/24".parse().unwrap()], ..Exempt::default() }),
            "network-exempt",
        ),
        (
            PamConfig {
                require: Require { services: Some(names("sudo")), ..Require::default() },
                ..PamConfig::default()
            },
            "not-required",
        ),
    ] {
        let script = unasked(&format!(r#""verdict":"exempt","reason":"{reason}","user":"alice""#));
        assert_eq!(log_in(&site("c", rules), SSHD, &script), PAM_SUCCESS, "{reason}");
    }
    // A link-local address has its interface behind it.
    let local = ("env SSH_CONNECTION", "env SSH_CONNECTION -> fe80::7%eth0 4711 fe80::1%eth0 22");
    let rules = exempt(Exempt { networks: vec!["fe80::/10".parse().unwrap()], ..Exempt::default() });
    let script = unasked(r#""reason":"network-exempt"*"rhost":"fe80::7""#);
    assert_eq!(log_in(&site("c", rules), &with(SSHD, &[local]), &script), PAM_SUCCESS);
    // The name that reverse DNS gave is nobody's network.
    let rules = exempt(Exempt { networks: vec![IpAddr::from([192, 0, 2, 7]).into()], ..Exempt::default() });
    let mut facts = with(SSHD, &[("env SSH_CONNECTION", "env SSH_CONNECTION -> none")]);
    facts.insert(5, "item Rhost -> 192.0.2.7");
    assert_eq!(log_in(&site("c", rules), &facts, &accepted()), PAM_SUCCESS);
}

#[test]
fn a_group_exempts_its_members_and_one_that_is_not_there_nobody() {
    let rules = || {
        let groups = vec!["staff".to_owned()];
        PamConfig { exempt: Exempt { groups, ..Exempt::default() }, ..PamConfig::default() }
    };
    let log_in = |answer: &str, rest: Vec<String>| {
        let mut script = BEGINS.map(str::to_owned).to_vec();
        script.push(format!("member alice staff -> {answer}"));
        script.extend(rest);
        log_in(&site("c", rules()), SSHD, &script)
    };
    assert_eq!(log_in("yes", ends(r#""verdict":"exempt","reason":"group-exempt""#)), PAM_SUCCESS);
    assert_eq!(log_in("no", accepted().split_off(3)), PAM_SUCCESS);
    let mut rest = vec!["syslog Error: no such group".to_owned()];
    rest.extend(accepted().split_off(3));
    assert_eq!(log_in("no such group", rest), PAM_SUCCESS);
}

#[test]
fn what_may_happen_where_the_service_is_out_of_reach() {
    let allow = || PamConfig { on_unreachable: OnUnreachable::Allow, ..PamConfig::default() };
    let exempt = r#""verdict":"exempt","reason":"unreachable-allowed"*"detail":"unreachable-connect""#;
    let site = site("c", allow());
    UPTIME.set(1000);
    assert_eq!(log_in(&site, SSHD, &asked("unreachable", exempt)), PAM_SUCCESS);
    // While it is remembered too.
    assert_eq!(log_in(&site, SSHD, &unasked(exempt)), PAM_SUCCESS);
    // Nothing else is let in for it.
    for (comes, reason) in [
        ("declined", "user-cancel"),
        ("late", "timed-out"),
        ("other certificate", "unreachable-tls"),
        ("no descriptors", "unreachable-from-here"),
    ] {
        let site = self::site("c", allow());
        let script = asked(comes, &format!(r#""verdict":"denied","reason":"{reason}""#));
        assert_ne!(log_in(&site, SSHD, &script), PAM_SUCCESS, "{comes}");
    }
}

/// Whoever starts sudo can make it fail, by taking away descriptors, or by stopping it.
#[test]
fn sudo_is_not_let_in_for_a_failure_that_its_caller_may_have_made() {
    let allow = || PamConfig { on_unreachable: OnUnreachable::Allow, ..PamConfig::default() };
    let exempt = r#""verdict":"exempt","reason":"unreachable-allowed""#;
    let slow = r#""verdict":"denied","reason":"unreachable-too-slow""#;
    let refused = r#""verdict":"denied","reason":"unreachable-connect""#;
    UPTIME.set(1000);
    let with_room = |comes: &str, answer: &str, audit: &str| {
        let mut script = asked(comes, audit);
        script.insert(6, format!("has_room -> {answer}"));
        script
    };
    assert_eq!(log_in(&site("p", allow()), SUDO, &with_room("unreachable", "yes", exempt)), PAM_SUCCESS);
    assert_eq!(
        log_in(&site("p", allow()), SUDO, &with_room("unreachable", "no", refused)),
        PAM_AUTHINFO_UNAVAIL
    );
    let mut site = site("p", allow());
    assert_eq!(log_in(&site, SUDO, &asked("too slow", slow)), PAM_AUTHINFO_UNAVAIL);
    // It is remembered for this sudo, and for nobody else.
    assert_eq!(log_in(&site, SUDO, &unasked(slow)), PAM_AUTHINFO_UNAVAIL);
    site.identity = Some("another".to_owned());
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    site.identity = Some("a third".to_owned());
    assert_eq!(log_in(&site, SSHD, &asked("too slow", exempt)), PAM_SUCCESS);
}

/// doas, or what asks for an administrator's password on a desktop.
#[test]
fn what_holds_for_sudo_holds_for_every_program_with_more_rights_than_its_caller() {
    let allow = || PamConfig { on_unreachable: OnUnreachable::Allow, ..PamConfig::default() };
    let doas = with(SUDO, &[("item Service", "item Service -> doas")]);
    let mut site = site("p", allow());
    let slow = |verdict: &str| asked("too slow", &format!(r#""verdict":"{verdict}","reason":"unreachable-"#));
    UPTIME.set(1000);
    assert_eq!(log_in(&site, &doas, &slow("exempt")), PAM_SUCCESS, "started by a daemon");
    site = self::site("p", allow());
    site.is_set_user_id = true;
    assert_eq!(log_in(&site, &doas, &slow("denied")), PAM_AUTHINFO_UNAVAIL);
    let mut refused = asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#);
    refused.insert(6, "has_room -> no".to_owned());
    assert_eq!(log_in(&site, &doas, &refused), PAM_AUTHINFO_UNAVAIL);
    // It may serve several people, and is remembered for none.
    assert_eq!(log_in(&site, &doas, &accepted()), PAM_SUCCESS);
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    // SELinux starts sshd as it would such a program, but nobody who logs in has started it.
    site.identity = Some("another".to_owned());
    assert_eq!(log_in(&site, SSHD, &slow("exempt")), PAM_SUCCESS);
}

#[test]
fn a_phone_that_cannot_be_noted_does_not_ring() {
    let mut site = site("one", PamConfig::default());
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
    site.has_no_room_for(pushes::KIND);
    site.identity = Some("two".to_owned());
    let mut script: Vec<String> = BEGINS.map(str::to_owned).into();
    script.push("run alice * -> signed".to_owned());
    script.push("show Info: *confirm on your phone*".to_owned());
    script.extend(ends(r#""verdict":"denied","reason":"misconfigured"*cannot be written"#));
    // Nor does the second run find that it had rung.
    for _ in 0..2 {
        assert_eq!(log_in(&site, SSHD, &script), PAM_SERVICE_ERR);
    }
}

#[test]
fn who_hangs_up_behind_another_login_is_noted_as_gone() {
    let mut site = site("one", PamConfig::default());
    let memory = site.memory().unwrap();
    let (here, until): (Tick, _) = (Arc::new(|| TickVerdict::Continue), blocking::now().instant);
    let phone = memory.phone("alice", &here, until).unwrap();
    site.is_gone = true;
    let mut gone =
        unasked(r#""verdict":"denied","reason":"cancelled"*"detail":"while another login of the same"#);
    gone.insert(3, "run alice * -> never".to_owned());
    assert_eq!(log_in(&site, SSHD, &gone), PAM_MAXTRIES);
    drop(phone);
    // No phone rang: the next run on the connection is as good as the first.
    site.is_gone = false;
    assert_eq!(log_in(&site, SSHD, &accepted()), PAM_SUCCESS);
}

#[test]
fn who_is_not_enrolled_is_not_let_in_for_an_outage() {
    let allow = PamConfig { on_unreachable: OnUnreachable::Allow, ..PamConfig::default() };
    let site = site("c", allow);
    UPTIME.set(1000);
    let exempt = r#""verdict":"exempt","reason":"unreachable-allowed"*"detail":"unreachable-connect""#;
    assert_eq!(log_in(&site, SSHD, &asked("unreachable", exempt)), PAM_SUCCESS);
    bob_is_not_enrolled(&site);
}

#[test]
fn a_one_time_code_is_asked_for_only_where_the_service_is_out_of_reach() {
    const QUESTION: &str = "ask *code*";
    let mut site = site("c", PamConfig::default());
    let codes = site.codes(2);
    let [first, second] = codes.as_slice() else { panic!("two were made") };
    UPTIME.set(1000);
    let down = |answer: &str, rest: &[&str]| {
        let mut script: Vec<String> = BEGINS.map(str::to_owned).into();
        script.push("run alice * -> unreachable".to_owned());
        script.extend(["show Info: *", "syslog Info: request sent: *"].map(str::to_owned));
        script.push(format!("{QUESTION} -> {answer}"));
        script.extend(rest.iter().map(|line| (*line).to_owned()));
        script
    };
    let refused = |reason: &str| {
        [
            format!(r#"syslog Notice: {{*"verdict":"denied","reason":"{reason}"*}}"#),
            "show Error: *".to_owned(),
        ]
    };
    let [shown, wrong] = &refused("break-glass-refused");
    assert_eq!(log_in(&site, SSHD, &down("AAAA-BBBB-CCCC", &[shown, wrong])), PAM_AUTHINFO_UNAVAIL);
    // Who has none presses Enter, and it is as if nobody had asked. So it is where nobody can be asked.
    for nothing in ["", "none"] {
        UPTIME.set(UPTIME.get() + 20);
        let [shown, line] = &refused("unreachable-connect");
        assert_eq!(log_in(&site, SSHD, &down(nothing, &[shown, line])), PAM_AUTHINFO_UNAVAIL);
    }
    UPTIME.set(UPTIME.get() + 20);
    let used = [
        "show Info: *",
        "user -> alice",
        r#"syslog Alert: {*"verdict":"exempt","reason":"break-glass"*"detail":"unreachable-connect; 1 codes left"}"#,
    ];
    assert_eq!(log_in(&site, SSHD, &down(first.expose(), &used)), PAM_SUCCESS);
    // A second run on the same connection does not want a second code.
    let again = unasked(r#""verdict":"exempt","reason":"already-confirmed"*by a one-time code""#);
    assert_eq!(log_in(&site, SSHD, &again), PAM_SUCCESS);
    site.identity = Some("d".to_owned());
    // A code is good once.
    UPTIME.set(UPTIME.get() + 20);
    let script = down(first.expose(), &[shown, wrong]);
    assert_eq!(log_in(&site, SSHD, &script), PAM_AUTHINFO_UNAVAIL);
    // While the service works nobody is asked for one.
    UPTIME.set(UPTIME.get() + 20);
    assert_eq!(log_in(&site, SSHD, &declined()), PAM_MAXTRIES);
    assert!(!second.expose().is_empty());
}

#[test]
fn codes_that_cannot_be_looked_at_let_nobody_in() {
    let site = site("c", PamConfig::default());
    site.codes(1);
    let kind = site.state().join("breakglass");
    fs::set_permissions(&kind, fs::Permissions::from_mode(0o777)).unwrap();
    UPTIME.set(1000);
    let mut script = asked("unreachable", r#""verdict":"denied","reason":"unreachable-connect""#);
    script.insert(6, "syslog Error: */state/breakglass may be read by others*".to_owned());
    assert_eq!(log_in(&site, SSHD, &script), PAM_AUTHINFO_UNAVAIL);
}

#[test]
fn where_no_serial_number_can_be_kept_no_phone_is_asked() {
    let site = site("c", PamConfig::default());
    site.opens_to_everybody("state");
    UPTIME.set(1000);
    let mut script = BEGINS.map(str::to_owned).to_vec();
    script.push("run alice * -> never asked".to_owned());
    script.extend(ends(r#""verdict":"denied","reason":"pin-failed""#));
    assert_eq!(log_in(&site, SSHD, &script), PAM_MAXTRIES);
}

#[test]
fn what_cannot_be_noted_after_the_phone_has_confirmed_keeps_nobody_out() {
    let grace = PamConfig { grace: Some(Duration::from_secs(60)), ..PamConfig::default() };
    let mut site = site("one", grace);
    let key = with(SSHD, &[KEY]);
    UPTIME.set(1000);
    assert_eq!(log_in(&site, &key, &accepted()), PAM_SUCCESS);
    site.has_no_room_for(grace::KIND);
    site.identity = Some("two".to_owned());
    UPTIME.set(2000);
    let mut script = accepted();
    script.insert(6, "syslog Error: */run/grace-1/* cannot be written: *".to_owned());
    assert_eq!(log_in(&site, &key, &script), PAM_SUCCESS);
    // The old one does not stand in for it.
    site.identity = Some("three".to_owned());
    assert_eq!(log_in(&site, &key, &script), PAM_SUCCESS);
}

#[test]
fn in_sshd_the_code_is_shown_as_configured() {
    const PROMPT: &str = "ask Mobile ID: code *: press Enter, *";
    const INFO: &str = "show Info: *confirm on your phone*";
    for (message, at_once, shown) in [
        (SshdMessage::Auto, true, &[INFO][..]),
        (SshdMessage::Auto, false, &[PROMPT]),
        (SshdMessage::Prompt, true, &[PROMPT]),
        (SshdMessage::Info, false, &[INFO]),
        (SshdMessage::None, false, &[]),
        // sshd's method `password` cannot ask: then it is information after all.
        (SshdMessage::Auto, false, &["ask * -> none", INFO]),
    ] {
        let pam = PamConfig { sshd_message: message, ..PamConfig::default() };
        let mut site = site("c", pam);
        site.shows_at_once = at_once;
        let ends = ["syslog Info: request sent: *", "show Info: *", "user -> alice", "syslog Info: {*}"];
        let script = [&BEGINS, &["run * -> signed"][..], shown, &ends].concat();
        assert_eq!(play_at(&site, &[], false, SSHD, &script), PAM_SUCCESS, "{message:?} {at_once}");
        // Elsewhere nothing keeps it back.
        let ends = ends.map(|line| line.replace("show Info", "show Error"));
        let run = ["run * -> signed", "show Error: *confirm on your phone*"];
        let script: Vec<&str> =
            BEGINS.into_iter().chain(run).chain(ends.iter().map(String::as_str)).collect();
        site.identity = Some("e".to_owned());
        assert_eq!(play_at(&site, &[], false, SUDO, &script), PAM_SUCCESS, "{message:?}");
    }
}

#[test]
fn su_asks_the_caller_or_the_target() {
    for (identity, target, asked) in [
        (SuIdentity::Auto, "root", "alice"),
        (SuIdentity::Auto, "bob", "bob"),
        (SuIdentity::Caller, "bob", "alice"),
        (SuIdentity::Target, "root", "root"),
    ] {
        let pam = PamConfig { su_identity: identity, ..PamConfig::default() };
        let user: &'static str = if target == "root" { "user -> root" } else { "user -> bob" };
        let facts = with(SUDO, &[("item Service", "item Service -> su"), ("user", user)]);
        let account = format!("account {target} -> {target}");
        let run = format!("run {asked} su * -> late");
        let mut script = vec![LOAD, "junk? -> no", &account];
        script.extend((asked == "alice").then_some("caller -> alice"));
        script.push(&run);
        let line = format!(r#"syslog Notice: {{*"user":"{asked}"*"target":"{target}"*}}"#);
        if asked == "alice" {
            script.extend(["show Error: *", "syslog Info: request sent: *"]);
        }
        script.extend([line.as_str(), "show Error: *"]);
        assert_ne!(
            play_at(&site("c", pam), &[], false, &facts, &script),
            PAM_SUCCESS,
            "{identity:?} {target}"
        );
    }
}

#[test]
fn sudo_says_for_whom_and_what() {
    let site = site("c", PamConfig::default());
    let script = declined();
    let mut script: Vec<_> = script.iter().map(String::as_str).collect();
    script.truncate(script.len() - 2);
    script.extend([r#"syslog Notice: {*"user":"alice"*"target":"root","program":"apt"*}"#, "show Error: *"]);
    assert_eq!(play_at(&site, &[], false, SUDO, &script), PAM_ABORT);
}

#[test]
fn where_nothing_can_be_remembered_nobody_is_let_in() {
    let site = site("c", PamConfig::default());
    site.opens_to_everybody("run");
    let mut script = BEGINS.map(str::to_owned).to_vec();
    script.push("syslog Error: */run*".to_owned());
    script.extend(ends(r#""verdict":"denied","reason":"misconfigured""#));
    assert_eq!(log_in(&site, SSHD, &script), PAM_SERVICE_ERR);
}
