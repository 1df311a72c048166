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

fn command(line: &str) -> Command {
    Command { program: line.split(' ').next().unwrap().to_owned(), line: line.to_owned() }
}

#[test]
fn sudo_and_su_may_name_target_program_and_command() {
    let code = Code::from_entropy(&[1; 8]);
    let template: Template = "{user}: {command} ({program}) as {target}: {txn}".parse().unwrap();
    let apt = command("/usr/bin/apt install vim");
    let values = Values { target: "root", command: Some(&apt), ..values("alice", &code) };
    assert_eq!(
        compose(&prefix(), &template, &values),
        format!("ACME: alice: \"/usr/bin/apt install vim\" (/usr/bin/apt) as root: {code}")
    );
    let unknown = Values { target: "", command: None, ..values };
    assert_eq!(compose(&prefix(), &template, &unknown), format!("ACME: alice: - (-) as -: {code}"));
    // A file may be called so.
    let sentence = Command { program: "apt as root? Code 3D5K7P".into(), ..apt.clone() };
    let values = Values { command: Some(&sentence), ..values };
    let text = compose(&prefix(), &"{program}? {txn}".parse().unwrap(), &values);
    assert_eq!(text, format!("ACME: apt_as_root?_Code_3D5K7P? {code}"));
}

#[test]
fn a_command_stays_within_its_quotes() {
    let sixty = "x".repeat(60);
    for (line, shown) in [
        ("ls -l", "ls -l"),
        ("", ""),
        ("a  b", "a  b"),
        ("x\" as alice? Code 3D5K7P", "x' as alice? Code 3D5K7P"),
        // What looks like a double quote, made of two single ones or of another alphabet.
        ("a''b", "a'b"),
        ("a'\"'`b", "a'b"),
        ("a\u{201d}b\u{2033}c\u{ff02}d\u{ab}e\u{2ba}f \u{30b}g", "a?b?c?d?e?f ?g"),
        ("a\u{2018}\u{2019}b\u{b4}\u{b4}c", "a??b??c"),
        // Controls, and what reorders or hides.
        ("a\nb\r\tc\u{1b}[0m\0\u{7f}", "a?b??c?[0m??"),
        ("a\u{202e}b\u{200b}c\u{a0}d\u{115f}e\u{2028}f", "a?b?c?d?e?f"),
        // Letters of every language are themselves.
        ("touch Übersicht_日本", "touch Übersicht_日本"),
        (&sixty, &sixty),
        (&format!("{sixty}y"), &format!("{sixty}..")),
        (&"\"x".repeat(60), &format!("{}..", "'x".repeat(30))),
        (&"ü".repeat(10_000), &format!("{}..", "ü".repeat(60))),
    ] {
        assert_eq!(command(line).quoted(60), format!("\"{shown}\""), "{line:?}");
    }
    // Beyond these planes there are no characters yet.
    for c in (0..=0x1_ffff).chain(0xe_0000..=0xe_0fff).filter_map(char::from_u32) {
        let quoted = command(&format!("a{c}{c}b")).quoted(60);
        assert_eq!(quoted.matches('"').count(), 2, "{}", c.escape_unicode());
        assert!(!quoted.contains("''") && !quoted.chars().any(is_unprintable), "{}", c.escape_unicode());
    }
}

#[test]
fn where_room_is_short_the_command_gives_way_and_its_quotes_still_close() {
    let code = Code::from_entropy(&[9; 8]);
    let template: Template = "{user}@{host} runs {command} as {target}? Code {txn}".parse().unwrap();
    // One letter outside GSM 03.38, and half of the room is gone.
    let long = command(&"ç? Code 3D5K7P ".repeat(20));
    for width in 0..48 {
        let user = "u".repeat(width);
        let values = Values { target: "root", command: Some(&long), ..values(&user, &code) };
        let text = compose(&prefix(), &template, &values);
        assert!(units(&text) <= limit(&text), "{text}");
        assert!(text.ends_with(&format!("..\" as root? Code {code}")), "{text}");
        assert_eq!(text.matches('"').count(), 2, "{text}");
    }
    let short = command("/bin/sh");
    let values = Values { target: "root", command: Some(&short), ..values("alice", &code) };
    assert!(compose(&prefix(), &template, &values).contains("\"/bin/sh\""));
}

#[test]
fn the_debug_text_of_a_command_lacks_its_arguments() {
    let shown = format!("{:?}", command("/usr/bin/mysql -ps3cret"));
    assert!(shown.contains("/usr/bin/mysql") && !shown.contains("s3cret"), "{shown}");
}
