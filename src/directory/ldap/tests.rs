use std::time::SystemTime;

use super::{
    message::{Attribute, Entry},
    *,
};
use crate::{directory::Answer, subscriber::Language};

fn ldap() -> Ldap {
    Ldap {
        servers: Vec::new(),
        resting: Resting::default(),
        roots: Vec::new(),
        bind: Bind::Anonymous,
        base: "dc=x".into(),
        scope: Scope::Subtree,
        filter: "(uid={user})".parse().unwrap(),
        timeout: Duration::from_secs(5),
        attributes: Attributes {
            user: Some("uid".into()),
            msisdn: vec!["mobile".into(), "pager".into()],
            language: Some("preferredLanguage".into()),
            serial: Some("midSerial".into()),
            profile: Some("midProfile".into()),
            groups: Some("memberOf".into()),
        },
        groups: None,
        active_directory: false,
        write_serial: false,
        default_country: None,
    }
}

/// `name: value`, one a line.
fn entry(text: &str) -> Entry {
    let attribute = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        Attribute { name: name.to_owned(), values: vec![value.as_bytes().to_vec()] }
    };
    Entry { dn: "cn=a".into(), attributes: text.lines().map(attribute).collect() }
}

/// In 2026.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn read(ldap: &Ldap, text: &str) -> String {
    let user: UserName = "alice".parse().unwrap();
    let entry = entry(&format!("uid: alice\n{text}"));
    match entry::read(ldap, &user, &entry, now()) {
        Answer::Found(subscriber) => subscriber.msisdn.digits().to_owned(),
        Answer::NotEnrolled => "not enrolled".to_owned(),
        Answer::Barred(why) => format!("barred: {why}"),
        Answer::Unusable(why) => format!("unusable: {why}"),
        Answer::Away(why) => format!("away: {why}"),
    }
}

#[test]
fn numbers_are_international_or_there_is_none() {
    for (text, expected) in [
        ("mobile: +41 79 123 45 67", "41791234567"),
        ("mobile: 0041791234567", "41791234567"),
        ("mobile: 079 123 45 67\nmobile: +41791234568", "41791234568"),
        ("mobile: +41791234567\nmobile: +41791234568", "41791234567"),
        ("pager: +41791234567", "41791234567"),
        ("pager: +41791234567\nMOBILE: +41791234568", "41791234568"),
        ("mobile;lang-de: +41791234567", "not enrolled"),
        ("", "not enrolled"),
        ("mobile: ", "not enrolled"),
        ("mobile:    ", "not enrolled"),
    ] {
        assert_eq!(read(&ldap(), text), expected, "{text}");
    }
    // Without + or 00 it might be a local number of nine digits, or Russia's.
    for text in [
        "mobile: 791234567",
        "mobile: 079 123 45 67",
        "mobile: +41 (0)79 123 45 67",
        "mobile: +4",
        "mobile: x",
    ] {
        let shown = read(&ldap(), text);
        assert!(
            shown.starts_with("unusable: the entry's mobile: has no phone number with its country"),
            "{shown}"
        );
        assert!(!shown.contains("79 1"), "{shown}");
    }
    let swiss = Ldap { default_country: Some("41".into()), ..ldap() };
    assert_eq!(read(&swiss, "mobile: 079 123 45 67"), "41791234567");
    assert_eq!(read(&swiss, "mobile: 0049 171 1234567"), "491711234567");
    // International, however it is grouped.
    for text in ["0 041 79 123 45 67", "0-041-79-123-45-67", "00 41 79 123 45 67"] {
        assert_eq!(read(&swiss, &format!("mobile: {text}")), "41791234567", "{text}");
    }
    assert!(read(&swiss, "mobile: 791234567").starts_with("unusable"));
    assert!(read(&swiss, "mobile: 000791234567").starts_with("unusable"));
}

#[test]
fn what_cannot_be_used_is_to_be_mended_and_not_passed_over() {
    let number = "mobile: +41791234567\n";
    for (text, why) in [
        ("midSerial: a b", "midSerial: a serial number has"),
        ("midSerial: A\nmidSerial: B", "midSerial: has more than one value"),
        ("midProfile: phone", "midProfile: a signature profile"),
        ("memberOf;range=0-1499: cn=x", "memberOf: has more values than the server sends"),
        ("memberOf: a\u{7}", "a group's name"),
    ] {
        let shown = read(&ldap(), &format!("{number}{text}"));
        assert!(shown.starts_with("unusable: ") && shown.contains(why), "{text}: {shown}");
    }
    let many: String = (0..=1024).map(|at| format!("memberOf: cn={at}\n")).collect();
    assert_eq!(read(&ldap(), &format!("{number}{many}")), "unusable: more than 1024 groups");
    let mut binary = entry("uid: alice\nmobile: +41791234567");
    binary.attributes[1].values[0].push(0xff);
    let user = "alice".parse().unwrap();
    assert!(matches!(entry::read(&ldap(), &user, &binary, now()), Answer::Unusable(_)));
}

#[test]
fn a_whole_entry_is_read() {
    let text = "uid: alice\nmobile: +41791234567\npreferredLanguage: de-CH, fr;q=0.5\nmidSerial: MIDCHE1\n\
                midProfile: app\nmemberOf: cn=a,dc=x\nmemberOf: cn=b,dc=x";
    let Answer::Found(found) = entry::read(&ldap(), &"alice".parse().unwrap(), &entry(text), now()) else {
        panic!("not found")
    };
    assert_eq!(found.language, Some(Language::De));
    assert_eq!(found.serial.unwrap().as_str(), "MIDCHE1");
    assert_eq!(found.groups, ["cn=a,dc=x", "cn=b,dc=x"]);
    let rest = "uid: alice\nmobile: +41791234567\npreferredLanguage: rm-CH";
    let Answer::Found(found) = entry::read(&ldap(), &"alice".parse().unwrap(), &entry(rest), now()) else {
        panic!("not found")
    };
    assert_eq!((found.language, found.serial), (None, None));
}

#[test]
fn a_name_is_the_same_only_letter_for_letter() {
    for name in ["ALICE", "alice ", "alicia"] {
        let found = entry(&format!("uid: {name}\nmobile: +41791234567"));
        let answer = entry::read(&ldap(), &"alice".parse().unwrap(), &found, now());
        assert!(matches!(&answer, Answer::Unusable(why) if why.contains("letter for letter")), "{answer:?}");
    }
}

#[test]
fn active_directory_bars_accounts() {
    let ad = Ldap { active_directory: true, ..ldap() };
    let number = "mobile: +41791234567\n";
    for (text, expected) in [
        ("userAccountControl: 512\naccountExpires: 0", "41791234567"),
        ("userAccountControl: 512\naccountExpires: 9223372036854775807", "41791234567"),
        // 2100-01-01, and 2020-01-01.
        ("userAccountControl: 66048\naccountExpires: 157469184000000000", "41791234567"),
        (
            "userAccountControl: 512\naccountExpires: 132223104000000000",
            "barred: the account has expired (accountExpires)",
        ),
        ("userAccountControl: 512\naccountExpires: -5", "barred: the account has expired (accountExpires)"),
        ("userAccountControl: 514", "barred: the account is disabled (userAccountControl)"),
    ] {
        assert_eq!(read(&ad, &format!("{number}{text}")), expected, "{text}");
    }
    for text in ["", "userAccountControl: x", "userAccountControl: 512\nuserAccountControl: 514"] {
        assert!(read(&ad, &format!("{number}{text}")).starts_with("unusable: "), "{text}");
    }
    // Disabled counts before the number does: who has none is not asked for elsewhere.
    assert!(read(&ad, "userAccountControl: 514").starts_with("barred"));
}

#[test]
fn what_stands_in_an_entry_is_not_shown() {
    let shown = format!("{:?}", entry("uid: alice\nmobile: +41791234567"));
    assert!(shown.contains("mobile") && !shown.contains("49, 50, 51"), "{shown}");
}

#[test]
fn a_domain_is_taken_apart_where_the_filter_asks_for_it() {
    let plain: Template = "(uid={user})".parse().unwrap();
    let parted: Template = "(&(uid={user})(o={domain}))".parse().unwrap();
    let names = |name: &str, template: &Template| {
        let user: UserName = name.parse().unwrap();
        Names::of(&user, template).map(|names| format!("{} {}", names.user, names.domain))
    };
    assert_eq!(names("alice@acme.example", &plain).as_deref(), Some("alice@acme.example "));
    assert_eq!(names("alice@acme.example", &parted).as_deref(), Some("alice acme.example"));
    assert_eq!(names("ACME\\alice", &parted).as_deref(), Some("alice ACME"));
    for name in ["alice", "@acme", "alice@", "a@b@c", "ACME\\alice@acme"] {
        assert_eq!(names(name, &parted), None, "{name}");
    }
}
