use super::*;

const FACTS: Facts<'_> = Facts {
    client: "vpn",
    nas_identifier: Some("vpn-1.example"),
    nas_ip: Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7))),
    calling_station: Some("198.51.100.9"),
    called_station: Some("00-11-22-33-44-55:guests"),
    user: "alice",
    realm: Some("Example.com"),
};

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn networks(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn stations(texts: &[&str]) -> Vec<Station> {
    let station = |text: &&str| match text.parse() {
        Ok(network) => Station::Network(network),
        Err(_) => Station::Pattern(Pattern::new(text)),
    };
    texts.iter().map(station).collect()
}

fn names(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn a_condition_holds_when_one_of_its_values_does() {
    for (condition, holds) in [
        (Condition::Client(names(&["vpn"])), true),
        (Condition::Client(names(&["other", "vpn"])), true),
        (Condition::Client(names(&["VPN", "vp", "vpn1", "*"])), false),
        (Condition::NasIdentifier(patterns(&["vpn-*"])), true),
        (Condition::NasIdentifier(patterns(&["VPN-*", "vpn-1"])), false),
        (Condition::NasIp(networks(&["192.0.2.0/24"])), true),
        (Condition::NasIp(networks(&["::ffff:192.0.2.0/120"])), true),
        (Condition::NasIp(networks(&["192.0.2.8/32", "::/0"])), false),
        (Condition::CallingStation(stations(&["10.0.0.0/8", "198.51.100.0/24"])), true),
        (Condition::CallingStation(stations(&["198.51.*"])), true),
        (Condition::CallingStation(stations(&["198.51.100.0/32"])), false),
        (Condition::CalledStation(stations(&["*:guests"])), true),
        (Condition::CalledStation(stations(&["0.0.0.0/0", "::/0"])), false),
        (Condition::User(patterns(&["bob", "al*e"])), true),
        (Condition::User(patterns(&["Alice"])), false),
        (Condition::Realm(names(&["example.COM"])), true),
        (Condition::Realm(names(&["example"])), false),
        (Condition::User(Vec::new()), false),
    ] {
        assert_eq!(condition.holds(&FACTS), holds, "{condition:?}");
    }
}

#[test]
fn what_a_request_lacks_holds_never() {
    let bare = Facts {
        nas_identifier: None,
        nas_ip: None,
        calling_station: None,
        called_station: None,
        realm: None,
        ..FACTS
    };
    for condition in [
        Condition::NasIdentifier(patterns(&["*"])),
        Condition::NasIp(networks(&["0.0.0.0/0", "::/0"])),
        Condition::CallingStation(stations(&["*", "0.0.0.0/0"])),
        Condition::CalledStation(stations(&["*"])),
        Condition::Realm(names(&[""])),
    ] {
        assert!(!condition.holds(&bare), "{condition:?}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rule = |line, conditions, then| Rule { name: None, line, conditions, then };
    let user = |text| Condition::User(patterns(&[text]));
    let rules = Rules::new(vec![
        rule(1, vec![user("alice"), Condition::Client(names(&["other"]))], Then::Accept),
        rule(5, vec![user("a*"), Condition::Client(names(&["vpn"]))], Then::Reject),
        Rule { name: Some("all of a".into()), ..rule(9, vec![user("a*")], Then::Accept) },
        rule(12, vec![user("b*")], Then::Phone),
        rule(15, vec![Condition::Client(names(&["vpn"]))], Then::Reject),
    ]);
    for (client, user, then, by) in [
        ("other", "alice", Then::Accept, Some("rule of line 1")),
        ("vpn", "alice", Then::Reject, Some("rule of line 5")),
        ("third", "alice", Then::Accept, Some("rule \"all of a\" (line 9)")),
        ("vpn", "bob", Then::Phone, Some("rule of line 12")),
        ("vpn", "carol", Then::Reject, Some("rule of line 15")),
        ("third", "carol", Then::Phone, None),
    ] {
        let decision = rules.decide(&Facts { client, user, ..FACTS });
        assert_eq!(
            (decision.then, decision.by.map(ToString::to_string).as_deref()),
            (then, by),
            "{client} {user}"
        );
    }
    assert_eq!(Rules::default().decide(&FACTS), Decision { then: Then::Phone, by: None });
    let everything = Rules::new(vec![rule(1, Vec::new(), Then::Reject)]);
    assert_eq!(everything.decide(&FACTS).then, Then::Reject);
}

#[test]
fn a_star_is_any_characters_and_all_else_is_itself() {
    for (pattern, fits, fits_not) in [
        ("alice", &["alice"][..], &["Alice", "alice ", "", "alic"][..]),
        ("*", &["", "a", "a*b"], &[]),
        ("a*", &["a", "ab"], &["", "ba"]),
        ("*a", &["a", "ba"], &["", "ab"]),
        ("a*a", &["aa", "aba"], &["a", "ab"]),
        ("ab*ba", &["abba", "abxba"], &["aba"]),
        ("*b*", &["b", "abc"], &["", "ac"]),
        ("a*b*c", &["abc", "aXbXc", "abbcc"], &["acb", "ab", "ac"]),
        ("a**c", &["ac", "abc"], &["ab"]),
        ("*ab*ab", &["abab", "aabXab"], &["ab", "aab"]),
        ("a.c", &["a.c"], &["abc"]),
        ("a?", &["a?"], &["ab"]),
    ] {
        for text in fits {
            assert!(Pattern::new(pattern).fits(text), "{pattern} {text}");
        }
        for text in fits_not {
            assert!(!Pattern::new(pattern).fits(text), "{pattern} {text}");
        }
    }
    // What makes a backtracking matcher slow.
    assert!(!Pattern::new(&"*a".repeat(126)).fits(&"a".repeat(125)));
}
