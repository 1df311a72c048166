use super::*;

fn rules(strip: &[&str], keep: &[&str], case: UserCase) -> RealmRules {
    let realms = |names: &[&str]| match names {
        ["*"] => Realms::Every,
        names => Realms::Listed(names.iter().map(ToString::to_string).collect()),
    };
    RealmRules { strip: realms(strip), keep: realms(keep), case, numbers: false }
}

/// The name that is looked up, and the realm; or why there is none.
fn read_as(octets: &[u8], rules: &RealmRules) -> Result<(String, Option<String>), Unreadable> {
    identify(octets, rules)
        .map(|identity| {
            assert_eq!(identity.received.as_str().as_bytes(), octets);
            (identity.user.to_string(), identity.realm)
        })
        .map_err(|nobody| nobody.why)
}

#[test]
fn a_name_is_read_by_the_rules_and_never_guessed() {
    let none = rules(&[], &[], UserCase::Exact);
    let listed = rules(&["example.com", "ACME"], &["partner.example"], UserCase::Exact);
    let lower = rules(&["example.com", "ACME"], &["partner.example"], UserCase::Lower);
    let all = rules(&["*"], &["partner.example"], UserCase::Exact);
    let kept = rules(&["example.com"], &["*"], UserCase::Exact);
    let other = |realm: &str| Err(Unreadable::Realm(realm.to_owned()));
    let ok = |user: &'static str, realm: Option<&'static str>| Ok((user, realm));
    for (rules, name, expected) in [
        (&none, "alice", ok("alice", None)),
        (&none, "Alice", ok("Alice", None)),
        (&none, "alice smith", ok("alice smith", None)),
        (&none, "host/web1", ok("host/web1", None)),
        (&none, "Zoë", ok("Zoë", None)),
        (&none, "alice@example.com", other("example.com")),
        (&none, "ACME\\alice", other("ACME")),
        (&listed, "alice", ok("alice", None)),
        (&listed, "alice@example.com", ok("alice", Some("example.com"))),
        (&listed, "Alice@EXAMPLE.com", ok("Alice", Some("EXAMPLE.com"))),
        (&listed, "alice@partner.example", ok("alice@partner.example", Some("partner.example"))),
        (&listed, "alice@Partner.Example", ok("alice@Partner.Example", Some("Partner.Example"))),
        (&listed, "partner.example\\alice", ok("partner.example\\alice", Some("partner.example"))),
        (&listed, "acme\\alice", ok("alice", Some("acme"))),
        (&listed, "alice@acme", ok("alice", Some("acme"))),
        (&listed, "alice@sub.example.com", other("sub.example.com")),
        (&listed, "alice@example.com.", other("example.com.")),
        (&listed, "alice@example.co", other("example.co")),
        (&listed, "ACME\\alice@example.com", Err(Unreadable::Ambiguous)),
        (&listed, "alice@example.com@example.com", Err(Unreadable::Ambiguous)),
        (&listed, "ACME\\ACME\\alice", Err(Unreadable::Ambiguous)),
        (&listed, "@example.com", Err(Unreadable::Half)),
        (&listed, "alice@", Err(Unreadable::Half)),
        (&listed, "ACME\\", Err(Unreadable::Half)),
        (&listed, "\\alice", Err(Unreadable::Half)),
        (&listed, "@", Err(Unreadable::Half)),
        (&listed, "", Err(Unreadable::Invalid(InvalidUserName::Empty))),
        (&lower, "ALICE", ok("alice", None)),
        (&lower, "Alice@Example.COM", ok("alice", Some("Example.COM"))),
        (&lower, "Alice@Partner.Example", ok("alice@partner.example", Some("Partner.Example"))),
        // The Kelvin sign and a dotted capital I are not our k and i.
        (&lower, "\u{212a}\u{130}A", ok("\u{212a}\u{130}a", None)),
        (&all, "alice@anywhere.example", ok("alice", Some("anywhere.example"))),
        (&all, "alice@partner.example", ok("alice@partner.example", Some("partner.example"))),
        (&kept, "alice@example.com", ok("alice", Some("example.com"))),
        (&kept, "X\\alice", ok("X\\alice", Some("X"))),
    ] {
        let expected = expected.map(|(user, realm)| (user.to_owned(), realm.map(str::to_owned)));
        assert_eq!(read_as(name.as_bytes(), rules), expected, "{name}");
    }
}

#[test]
fn what_is_no_text_has_a_stand_in_for_the_record() {
    let none = RealmRules::default();
    for (octets, why, stand_in) in [
        (&b"ali\xffce"[..], Unreadable::NotText, "ali\u{fffd}ce"),
        (b"alice\0", Unreadable::Invalid(InvalidUserName::Unprintable), "alice?"),
        (b"a\x1b[31mb", Unreadable::Invalid(InvalidUserName::Unprintable), "a?[31mb"),
        ("a\u{202e}b".as_bytes(), Unreadable::Invalid(InvalidUserName::Unprintable), "a?b"),
        (b"", Unreadable::Invalid(InvalidUserName::Empty), "?"),
    ] {
        let nobody = identify(octets, &none).unwrap_err();
        assert_eq!((nobody.why, nobody.stand_in.as_str()), (why, stand_in));
    }
    // The longest that a packet carries.
    let long = "ä".repeat(126);
    assert_eq!(identify(long.as_bytes(), &none).unwrap().user.as_str(), long);
}

#[test]
fn the_reason_is_told_without_what_a_terminal_would_obey() {
    let nobody = identify("a@b\u{e9}.example".as_bytes(), &RealmRules::default()).unwrap_err();
    assert_eq!(
        nobody.why.to_string(),
        "the realm bé.example is neither in strip_realms nor in keep_realms of the client"
    );
    let raw = Unreadable::Realm("a\u{1b}[2J".to_owned()).to_string();
    assert!(!raw.contains('\u{1b}'), "{raw}");
}

#[test]
fn a_number_is_a_name_only_where_that_is_wanted_and_has_one_spelling() {
    let wanted =
        RealmRules { numbers: true, ..rules(&["example.com"], &["partner.example"], UserCase::Exact) };
    let of = |name: &str, rules: &RealmRules| identify(name.as_bytes(), rules).unwrap().user;
    for name in ["+41791234567", "0041791234567", "+41791234567@example.com", "example.com\\0041791234567"] {
        let user = of(name, &wanted);
        assert_eq!(user.as_str(), "+41791234567", "{name}");
        assert_eq!(user.number().unwrap().digits(), "41791234567", "{name}");
        assert_eq!(user.to_string(), "+4179*****67", "{name}");
    }
    // Digits may be a number of staff; what is written in another way is somebody's name.
    for name in [
        "41791234567",
        "0791234567",
        "+41 79 123 45 67",
        "0041-791234567",
        "+0041791234567",
        "+4179",
        "+",
        "00",
        "+41791234567a",
        "+4179123456789012",
        " +41791234567",
        "+41791234567@partner.example",
        "alice",
        "++41791234567",
        "+٤١٧٩١٢٣٤٥٦٧",
    ] {
        assert_eq!(of(name, &wanted).number(), None, "{name}");
    }
    let unwanted = RealmRules { numbers: false, ..wanted.clone() };
    assert_eq!(of("+41791234567", &unwanted).number(), None);
    // Also where it comes to nobody, the record has no number.
    for name in ["+41791234567@nowhere.example", "+41791234567\0"] {
        let nobody = identify(name.as_bytes(), &wanted).unwrap_err();
        assert!(nobody.stand_in.as_str().starts_with("+41*******67"), "{:?}", nobody.stand_in);
    }
}
