//! What the guide calls a default is what counts where the key is not there.

use super::*;

/// Tables and their keys, with what those are where they are absent, and how the guide says it.
const DEFAULTS: [(&str, &str, &str, &str); 25] = [
    ("", "mobileid", "\"mobileid.toml\"", "Default: \"mobileid.toml\"."),
    ("", "listen", "[\"0.0.0.0:1812\", \"[::]:1812\"]", "Default: these two."),
    ("", "audit", "\"stdout\"", "\"stdout\" (the default;"),
    ("[limits]", "pending", "20000", "Defaults: 20000, half of all, 1."),
    ("[limits]", "pending_per_client", "10000", "Defaults: 20000, half of all, 1."),
    ("[limits]", "pending_per_user", "1", "Defaults: 20000, half of all, 1."),
    ("[limits]", "overload", "\"reject\"", "\"reject\" (the default)"),
    ("[limits]", "answer_kept", "120", "default: 120."),
    ("[limits]", "accept_kept", "10", "default: 10."),
    ("[limits]", "pushes_per_user", "3", "defaults: 3 and 300."),
    ("[limits]", "push_window", "300", "defaults: 3 and 300."),
    ("[limits]", "drain", "90", "default: 90."),
    ("[[client]]", "mode", "\"wait\"", "\"wait\" (the default)"),
    ("[[client]]", "nas_timeout", "5", "Default: the deadline with mode = \"wait\", else 5."),
    ("[[client]]", "deadline", "90", "what the core waits for a phone (90). Default:"),
    ("[[client]]", "message_authenticator", "\"required\"", "\"required\" (the default)"),
    ("[[client]]", "proxy_state", "\"guarded\"", "\"guarded\" (the default)"),
    ("[[client]]", "service", "\"VPN\"", "Default: \"VPN\"."),
    ("[[client]]", "host_from", "\"name\"", "\"name\" (the default)"),
    ("[[client]]", "user_case", "\"exact\"", "(\"exact\", the default)"),
    ("[[client]]", "msisdn_from_user_name", "false", "Default: false."),
    ("[[client]]", "reject_delay", "1", "0 to 5. Default: 1."),
    ("[[upstream]]", "timeout", "3", "Defaults: 3 and 2."),
    ("[[upstream]]", "tries", "2", "Defaults: 3 and 2."),
    ("[[upstream]]", "message_authenticator", "\"required\"", "\"required\" (the default)"),
];

/// What stands above a key of a table in the guide's sample, and where it stands.
fn told(header: &str, key: &str) -> (usize, String) {
    let lines: Vec<&str> = FULL.lines().collect();
    let table = lines.iter().position(|line| header.is_empty() || *line == header).unwrap();
    let begin = format!("{key} = ");
    let at = table + lines[table..].iter().position(|line| line.starts_with(&begin)).unwrap();
    // Keys that are told together stand below one comment.
    let above = lines[..at].iter().rev().skip_while(|line| !line.starts_with('#'));
    let mut about: Vec<&str> = above.map_while(|line| line.strip_prefix("# ")).collect();
    about.reverse();
    (at, about.join(" "))
}

/// What a file means, or what is wrong with it; without the index of addresses, which has no order.
fn meaning(folder: &Folder, text: &str) -> String {
    let read = format!("{:?}", folder.read(text));
    let Some((before, index)) = read.split_once(", v4: ") else { return read };
    let (_, after) = index.split_once(" }, upstreams: ").unwrap();
    format!("{before}{after}")
}

#[test]
fn what_the_guide_calls_a_default_is_one() {
    let folder = Folder::new();
    for (header, key, value, said) in DEFAULTS {
        let (at, about) = told(header, key);
        assert!(about.contains(said), "{header} {key}: {said:?} is not in {about:?}");
        let read = |text: &str| {
            let lines = FULL.lines().enumerate().map(|(n, line)| if n == at { text } else { line });
            meaning(&folder, &lines.collect::<Vec<_>>().join("\n"))
        };
        assert!(
            read("#") == read(&format!("{key} = {value}")),
            "{header}: {key} = {value} is not the default"
        );
    }
}

#[test]
fn every_default_that_the_guide_names_is_held() {
    let named = FULL.match_indices("efault").count();
    let no_value = ["none", "the client's name", "a random key", "the only one"];
    let no_value: usize =
        no_value.iter().map(|words| FULL.matches(&format!("Default: {words}")).count()).sum();
    // The folder's is held where the small sample is read: here it is another.
    assert!(FULL.contains("Default: \"/var/lib/mobileid-radiusd\"."));
    let held = DEFAULTS.map(|(header, key, ..)| told(header, key).1);
    assert_eq!(named - no_value - 1, std::collections::BTreeSet::from(held).len());
}
