use super::*;

fn values<'a>(user: &'a str, code: &'a Code) -> Values<'a> {
    Values { user, host: "web1", service: "sshd", rhost: "192.0.2.7", target: "", command: None, code }
}

fn prefix() -> Prefix {
    "ACME: ".parse().unwrap()
}

#[test]
fn the_code_has_six_plain_characters_and_follows_the_entropy() {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..2000u64 {
        let code = Code::from_entropy(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        assert_eq!(code.as_str().len(), 6);
        assert!(code.as_str().bytes().all(|b| ALPHABET.contains(&b)), "{code}");
        assert!(!code.as_str().contains(['0', 'O', '1', 'I', 'L', '2', 'Z', '5', 'S', '8', 'B']));
        seen.insert(code.0);
    }
    assert!(seen.len() > 1900, "codes repeat: {} of 2000 differ", seen.len());
}

#[test]
fn templates_are_refused_with_the_mistake() {
    for (text, why) in [
        ("no code", InvalidPrompt::NoTxn),
        ("", InvalidPrompt::NoTxn),
        ("{txn", InvalidPrompt::Brace),
        ("txn} {txn}", InvalidPrompt::Brace),
        ("{txn} }", InvalidPrompt::Brace),
        ("{txn} {", InvalidPrompt::Brace),
        ("{txn} {password}", InvalidPrompt::Placeholder),
        ("{} {txn}", InvalidPrompt::Placeholder),
        ("{txn}\n", InvalidPrompt::Unprintable),
        (&"x".repeat(240), InvalidPrompt::LongTemplate),
    ] {
        assert_eq!(text.parse::<Template>(), Err(why), "{text:?}");
    }
    for (text, why) in [
        ("", InvalidPrompt::EmptyPrefix),
        ("  ", InvalidPrompt::EmptyPrefix),
        ("a\u{7}", InvalidPrompt::Unprintable),
        (&"x".repeat(51), InvalidPrompt::LongPrefix),
    ] {
        assert_eq!(text.parse::<Prefix>(), Err(why), "{text:?}");
    }
}

#[test]
fn every_placeholder_is_filled_and_values_are_not_expanded_again() {
    let code = Code::from_entropy(&[1; 8]);
    let template: Template = "{service}/{user}@{host} from {rhost}: {txn} ({txn})".parse().unwrap();
    assert_eq!(
        compose(&prefix(), &template, &values("{txn} Code X", &code)),
        format!("ACME: sshd/{{txn}}_Code_X@web1 from 192.0.2.7: {code} ({code})")
    );
}

#[test]
fn a_prefix_without_a_space_gets_one() {
    let code = Code::from_entropy(&[1; 8]);
    let text = compose(&"ACME".parse().unwrap(), &"{txn}".parse().unwrap(), &values("alice", &code));
    assert_eq!(text, format!("ACME {code}"));
}

#[test]
fn user_supplied_control_characters_never_reach_the_phone() {
    let code = Code::from_entropy(&[1; 8]);
    let text = compose(
        &prefix(),
        &"{user} {txn}".parse().unwrap(),
        &values("a\nb\rc\u{1b}[0m\u{202e}d\u{200b}e\0", &code),
    );
    assert_eq!(text, format!("ACME: a?b?c?[0m?d?e? {code}"));
    let empty = Values { rhost: "", ..values("alice", &code) };
    assert_eq!(compose(&prefix(), &"{rhost} {txn}".parse().unwrap(), &empty), format!("ACME: - {code}"));
}

#[test]
fn lengths_are_counted_as_the_service_counts() {
    assert_eq!((units("abc"), limit("abc")), (3, 239));
    assert_eq!((units("a{b}"), limit("a{b}")), (6, 239));
    assert_eq!((units("€"), limit("€")), (2, 239));
    assert_eq!((units("àéèùìòäöüñÇßØ@_"), limit("à")), (15, 239));
    assert_eq!((units("ça"), limit("ça")), (2, 119));
    assert_eq!((units("a`"), limit("`")), (2, 119));
    assert_eq!((units("😀"), limit("😀")), (2, 119));
}

#[test]
fn prefix_and_code_survive_every_cut() {
    let code = Code::from_entropy(&[9; 8]);
    for filler in ["x", "{service}", "ç", "€", "😀"] {
        for (before, after) in [(1, 60), (60, 1), (60, 60), (0, 119), (119, 0)] {
            let width = if filler == "{service}" { 9 } else { 1 };
            let make = |n: usize| filler.repeat(n / width);
            let template: Template = format!("{}{{txn}}{}", make(before), make(after)).parse().unwrap();
            let long_user = "ü€ç".repeat(100);
            let text = compose(&prefix(), &template, &Values { service: &long_user, ..values("u", &code) });
            assert!(text.starts_with("ACME: "), "{text}");
            assert!(text.contains(code.as_str()), "{text}");
            assert!(units(&text) <= limit(&text), "{} > {}: {text}", units(&text), limit(&text));
        }
    }
}

#[test]
fn the_limits_are_used_to_the_last_character() {
    let code = Code::from_entropy(&[9; 8]);
    let fill =
        |template: String| units(&compose(&prefix(), &template.parse().unwrap(), &values("alice", &code)));
    assert_eq!(fill(format!("{{txn}}{}", "x".repeat(234))), 239);
    assert_eq!(fill(format!("{{txn}}{}", "ç".repeat(234))), 119);
}
