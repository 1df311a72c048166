//! What is refused, and with which line and words.

use super::*;

/// `FULL` with the one line that reads so exchanged.
fn with(old: &str, new: &str) -> (String, usize) {
    let places: Vec<_> = FULL.lines().enumerate().filter(|(_, l)| *l == old).map(|(at, _)| at).collect();
    let [at] = places[..] else { panic!("{old} stands {} times", places.len()) };
    let mut lines: Vec<_> = FULL.lines().collect();
    lines[at] = new;
    (lines.join("\n"), at + 1)
}

#[test]
fn a_directory_that_is_to_judge_passwords_is_there() {
    let folder = Folder::new();
    let found = |from: &str, to: &str| folder.mistakes(&FULL.replacen(from, to, 1)).join("\n");
    let none = found("directory = \"ad\"", "directory = \"dc\"");
    assert!(
        none.contains(
            "client.directory: is no [[directory]] with type = \"ldap\": the core's configuration has ad"
        ),
        "{none}"
    );
    for (to, told) in [
        ("password = \"ignored\"", "client.password: is \"ignored\", but with first_factor = \"ldap\""),
        (
            "upstream = \"domain\"",
            "client.upstream: belongs to first_factor = \"radius\", but it is \"ldap\"",
        ),
    ] {
        let told_so = found("directory = \"ad\"", to);
        assert!(told_so.contains(told), "{told_so}");
    }
    let other = found("upstream = \"domain\"", "upstream = \"domain\"\ndirectory = \"ad\"");
    assert!(
        other.contains("client.directory: belongs to first_factor = \"ldap\", but it is \"radius\""),
        "{other}"
    );
}

#[test]
fn every_table_refuses_strangers() {
    let folder = Folder::new();
    let headers: Vec<_> = FULL.lines().enumerate().filter(|(_, line)| line.starts_with('[')).collect();
    assert_eq!(headers.len(), 8, "a table of the guide is new: is it in this test's words?");
    for (at, header) in headers {
        for stranger in ["bogus = 1", "bogus = \"x\"", "bogus = {}", "bogus = [[]]"] {
            let mut lines: Vec<_> = FULL.lines().collect();
            lines.insert(at + 1, stranger);
            let found = folder.mistakes(&lines.join("\n"));
            assert!(
                found.iter().all(|m| m.starts_with(&format!("r.toml:{}: ", at + 2))),
                "{header} {found:?}"
            );
            // In these two the keys are names of attributes.
            let of_attributes = header == "[client.accept]" || header.starts_with("[client.accept_group.");
            let says = if of_attributes {
                ".bogus: no attribute has this name"
            } else {
                ".bogus: unknown key; there are "
            };
            assert!(found.last().unwrap().contains(says), "{header} {found:?}");
            assert!(of_attributes || found.len() == 1, "{header} {found:?}");
        }
    }
    for (stranger, says) in [
        (
            format!("bogus = 1\n{}", *FULL),
            "r.toml:1: bogus: unknown key; there are mobileid, unenrolled, listen, ",
        ),
        (format!("{}\n[bogus]\n", *FULL), ": bogus: unknown key"),
        (format!("{}\n[[bogus]]\n", *FULL), ": bogus: unknown key"),
    ] {
        let found = folder.mistakes(&stranger);
        assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
    }
}

#[test]
fn the_guide_has_every_key() {
    // A stranger is told all keys that there are: each of them stands in the guide's sample, and each of the sample's
    // is known, or it would not be read.
    let folder = Folder::new();
    let mut told = 0;
    for table in ["", "[limits]", "[[client]]", "[[upstream]]", "[[rule]]"] {
        let stranger = if table.is_empty() {
            format!("bogus = 1\n{}", *FULL)
        } else {
            FULL.replacen(&format!("\n{table}\n"), &format!("\n{table}\nbogus = 1\n"), 1)
        };
        let found = folder.mistakes(&stranger);
        let (_, keys) = found[0].split_once("there are ").unwrap();
        for key in keys.split(", ") {
            told += 1;
            let stands = FULL.lines().any(|line| {
                line.starts_with(&format!("{key} = "))
                    || line == format!("[{key}]")
                    || line == format!("[[{key}]]")
                    || line.starts_with(&format!("[client.{key}"))
            });
            assert!(stands, "{table} {key} is not in docs/radius.md");
        }
    }
    assert!(told > 50, "{told}");
}

#[test]
fn every_needed_key_is_missed_by_name() {
    let folder = Folder::new();
    for (line, says) in [
        ("name = \"fortigate\"", "client.name: is missing"),
        (
            "address = [\"192.0.2.1\", \"10.20.0.0/16\", \"2001:db8:1::/48\"]",
            "client.address: is missing: from which",
        ),
        ("secret = \"0123456789abcdefghij\"", "client.secret: is missing; or name a secret_file"),
        ("first_factor = \"radius\"", "client.first_factor: is missing: \"none\" if the NAS has checked"),
        ("upstream = \"domain\"", "client.upstream: is missing: the name of an [[upstream]]"),
        (
            "password = \"ignored\"",
            "client.password: is missing: with first_factor = \"none\" nobody here looks",
        ),
        ("name = \"domain\"", "upstream.name: is missing"),
        (
            "address = [\"192.0.2.10:1812\", \"[2001:db8::10]:1812\"]",
            "upstream.address: is missing: the servers",
        ),
        ("secret_file = \"domain.secret\"", "upstream.secret: is missing; or name"),
        ("then = \"reject\"", "rule.then: is missing: \"phone\", \"reject\" or \"accept\""),
    ] {
        let found = folder.mistakes(&with(line, "").0);
        assert!(found.len() == 1 && found[0].contains(says), "{line}: {found:?}");
    }
    let found = folder.mistakes("");
    assert!(
        found.len() == 1 && found[0].starts_with("r.toml:1: client: is missing: at least one"),
        "{found:?}"
    );
}

#[test]
fn bad_values_are_named_with_line_and_key_and_what_to_do() {
    let folder = Folder::new();
    for (old, new, says) in [
        (
            "listen = [\"0.0.0.0:1812\", \"[::]:1812\"]",
            "listen = [\"0.0.0.0\"]",
            "listen: must be an address and a port",
        ),
        (
            "listen = [\"0.0.0.0:1812\", \"[::]:1812\"]",
            "listen = \"localhost:1812\"",
            "listen: must be an address and a port",
        ),
        (
            "accounting = [\"0.0.0.0:1813\"]",
            "accounting = [1813]",
            "accounting: must be a list of texts, but holds an integer",
        ),
        ("audit = \"stdout\"", "audit = \"\"", "audit: must be a path"),
        ("audit = \"stdout\"", "audit = \"/nowhere/at/all/audit.log\"", "audit: /nowhere cannot be read"),
        ("metrics = \"127.0.0.1:9812\"", "metrics = \"0.0.0.0:9812\"", "metrics: must be a loopback address"),
        ("metrics = \"127.0.0.1:9812\"", "metrics = \"[::1]\"", "metrics: must be an address and a port"),
        (
            "state_key_file = \"state.key\"",
            "state_key_file = \"domain.secret\"",
            "domain.secret: must hold 64 hexadecimal digits",
        ),
        ("state_key_file = \"state.key\"", "state_key_file = \"nokey\"", "cannot be read"),
        ("mobileid = \"mobileid.toml\"", "mobileid = \"\"", "mobileid: must be a path"),
        ("pending = 20000", "pending = 0", "limits.pending: must be a whole number from 1 to 1000000"),
        (
            "pending_per_client = 10000",
            "pending_per_client = 20001",
            "must be a whole number from 1 to 20000",
        ),
        (
            "overload = \"reject\"",
            "overload = \"drop\"",
            "limits.overload: must be \"reject\" or \"silence\"",
        ),
        ("accept_kept = 10", "accept_kept = 31", "limits.accept_kept: must be a whole number from 0 to 30"),
        ("push_window = 300", "push_window = \"300\"", "limits.push_window: must be a whole number"),
        ("name = \"fortigate\"", "name = \"a\\u0007\"", "client.name: must be 1 to 64 bytes of printable"),
        (FORTIGATES, "address = []", "client.address: is an empty list"),
        (
            FORTIGATES,
            "address = \"192.0.2.1/24\"",
            "has bits behind its prefix: is 192.0.2.0/24 meant, or 192.0.2.1?",
        ),
        (FORTIGATES, "address = \"vpn.example.com\"", "client.address: must be an address or a network"),
        (
            FORTIGATES,
            "address = [\"192.0.2.1\", \"192.0.2.1/32\"]",
            "192.0.2.1/32 is the client fortigate's already",
        ),
        (
            "secret = \"0123456789abcdefghij\"",
            "secret = \"s3cretx\"",
            "client.secret: must have 8 characters at least",
        ),
        (
            "secret = \"0123456789abcdefghij\"",
            "secret = \" s3cret and long\"",
            "client.secret: begins or ends with a blank",
        ),
        (
            "secret = \"0123456789abcdefghij\"",
            "secret = \"s3cret\\nand long\"",
            "client.secret: must be one line",
        ),
        (
            "mode = \"wait-then-challenge\"",
            "mode = \"push\"",
            "client.mode: must be \"wait\" or \"challenge\" or \"wait-then-challenge\"",
        ),
        ("nas_timeout = 10", "nas_timeout = 2", "client.nas_timeout: must be a whole number from 3 to 300"),
        ("deadline = 60", "deadline = 91", "client.deadline: must be 90 at most"),
        ("deadline = 60", "deadline = 14", "client.deadline: must be 15 at least"),
        (
            "message_authenticator = \"learn\"",
            "message_authenticator = true",
            "must be a text in quotes, not a boolean",
        ),
        (
            "proxy_state = \"guarded\"",
            "proxy_state = \"off\"",
            "client.proxy_state: must be \"guarded\" or \"unguarded\"",
        ),
        (
            "first_factor = \"radius\"",
            "first_factor = \"yes\"",
            "client.first_factor: must be \"none\" or \"ldap\" or \"radius\"",
        ),
        ("password = \"ignored\"", "password = \"checked\"", "client.password: must be \"ignored\""),
        (
            "upstream = \"domain\"",
            "upstream = \"domian\"",
            "client.upstream: there is no [[upstream]] of this name; there are: domain",
        ),
        (PASS, "pass = [\"Clas\"]", "client.pass: no attribute has this name; is Class meant?"),
        (PASS, "pass = [\"State\"]", "client.pass: State is the responder's own"),
        ("service = \"VPN\"", "service = \"\"", "client.service: must be 1 to 64 bytes"),
        ("host_from = \"nas-identifier\"", "host_from = \"nas\"", "client.host_from: must be \"name\" or "),
        (
            "strip_realms = [\"example.com\", \"EXAMPLE\"]",
            "strip_realms = \"@example.com\"",
            "a realm is what stands behind the @",
        ),
        (
            "strip_realms = [\"example.com\", \"EXAMPLE\"]",
            "strip_realms = [\"*\", \"a\"]",
            "client.strip_realms: \"*\" is every realm: no other",
        ),
        (
            "user_case = \"lower\"",
            "user_case = \"upper\"",
            "client.user_case: must be \"exact\" or \"lower\"",
        ),
        ("reject_delay = 1", "reject_delay = 6", "client.reject_delay: must be a whole number from 0 to 5"),
        (
            "Session-Timeout = 28800",
            "Session-Timeout = -1",
            "client.accept.Session-Timeout: the number is below zero",
        ),
        (
            "Session-Timeout = 28800",
            "Session-Timeout = 1.5",
            "client.accept.Session-Timeout: must be a text, a whole number",
        ),
        ("Class = \"vpn\"", "Class = \"\"", "client.accept.Class: the value must not be empty"),
        (
            "Class = \"vpn\"",
            "User-Password = \"vpn\"",
            "client.accept.User-Password: the attribute is the responder's own",
        ),
        (
            "Class = \"vpn\"",
            "Tunnel-Password = \"vpn\"",
            "client.accept.Tunnel-Password: the attribute is hidden",
        ),
        (
            "Fortinet-Group-Name = \"admins\"",
            "Fortinet-Group = \"admins\"",
            "client.accept_group.vpn-admins.Fortinet-Group: no attribute",
        ),
        (UPSTREAMS, "address = \"ads.example.com:1812\"", "upstream.address: must be an address and a port"),
        (UPSTREAMS, "address = \"127.0.0.1:1812\"", "upstream.address: 127.0.0.1:1812 is where we listen"),
        (
            UPSTREAMS,
            "address = [\"192.0.2.10:1\", \"192.0.2.10:1\"]",
            "upstream.address: 192.0.2.10:1 is listed twice",
        ),
        ("timeout = 3", "timeout = 0", "upstream.timeout: must be a whole number from 1 to 30"),
        ("tries = 2", "tries = 11", "upstream.tries: must be a whole number from 1 to 10"),
        (
            "client = [\"fortigate\", \"gateway\"]",
            "client = \"gatway\"",
            "rule.client: there is no [[client]] of this name; there are: fortigate, ssl-vpn, gateway",
        ),
        ("user = [\"radius-check\", \"test*\"]", "user = []", "rule.user: is an empty list"),
        (
            "nas_ip = [\"192.0.2.0/24\", \"2001:db8::/32\"]",
            "nas_ip = \"192.0.2.*\"",
            "rule.nas_ip: must be an address or a network",
        ),
        (
            "calling_station = [\"198.51.100.0/24\", \"00-11-22-*\"]",
            "calling_station = \"198.51.100.7/24\"",
            "rule.calling_station: has bits behind",
        ),
        (
            "calling_station = [\"198.51.100.0/24\", \"00-11-22-*\"]",
            "calling_station = \"198.51.100\"",
            "rule.calling_station: must be an address",
        ),
        (
            "calling_station = [\"198.51.100.0/24\", \"00-11-22-*\"]",
            "calling_station = \"2001:db8::/129\"",
            "rule.calling_station: must be an address",
        ),
        ("realm = \"example.com\"", "realm = \"*\"", "rule.realm: must name the realms"),
        ("then = \"reject\"", "then = \"deny\"", "rule.then: must be \"phone\" or \"reject\" or \"accept\""),
    ] {
        let (text, line) = with(old, new);
        let found = folder.mistakes(&text);
        assert_eq!(found.len(), 1, "{new}: {found:?}");
        assert!(found[0].starts_with(&format!("r.toml:{line}: ")), "{new}: {found:?}");
        assert!(found[0].contains(says), "{new}: {found:?}");
        assert!(!found[0].contains("s3cret"), "{found:?}");
    }
}

const FORTIGATES: &str = "address = [\"192.0.2.1\", \"10.20.0.0/16\", \"2001:db8:1::/48\"]";
const UPSTREAMS: &str = "address = [\"192.0.2.10:1812\", \"[2001:db8::10]:1812\"]";
const PASS: &str = "pass = [\"Class\", \"Filter-Id\", \"MS-MPPE-Send-Key\", \"MS-MPPE-Recv-Key\"]";

#[test]
fn what_does_not_fit_together_is_named() {
    let folder = Folder::new();
    let second = |keys: &str| {
        let text = one_client("").replace("\"one\"", "\"two\"").replace("192.0.2.1", "192.0.2.2");
        format!("{}{text}{keys}", one_client(""))
    };
    for (text, says) in [
        (one_client("secret_file = \"vpn.secret\""), "r.toml:4: client.secret: stands beside secret_file"),
        (one_client("upstream = \"x\""), "r.toml:7: client.upstream: belongs to first_factor = \"radius\""),
        (one_client("pass = \"Class\""), "r.toml:7: client.pass: belongs to first_factor = \"radius\""),
        (
            one_client("nas_timeout = 10"),
            "r.toml:7: client.nas_timeout: leaves a person no time to confirm: with mode",
        ),
        (
            one_client("mode = \"challenge\"\nnas_timeout = 3\nreject_delay = 3"),
            "r.toml:1: client.reject_delay: must be shorter than nas_timeout, 3",
        ),
        (
            one_client("strip_realms = [\"a\"]\nkeep_realms = [\"b\", \"A\"]"),
            "r.toml:8: client.keep_realms: names a realm that",
        ),
        (
            one_client("strip_realms = \"*\"\nkeep_realms = \"*\""),
            "r.toml:8: client.keep_realms: names a realm that",
        ),
        (
            second("").replace("two", "one"),
            "r.toml:8: client.name: \"one\" is the name of the client of line 1",
        ),
        (
            second("").replace("192.0.2.2", "192.0.2.1"),
            "r.toml:10: client.address: 192.0.2.1/32 is the client one's already, in line 3",
        ),
        (
            second("").replace("192.0.2.2", "::ffff:192.0.2.1"),
            "client.address: 192.0.2.1/32 is the client one's already",
        ),
        (
            second("group = \"one\"\nuser_case = \"lower\""),
            "r.toml:8: client.group: how it reads User-Names differs from that of the client one",
        ),
        (
            FULL.replace("name = \"gateway\"", "name = \"gateway\"\ngroup = \"fortigates\"\nuser_case = \"lower\"\nstrip_realms = [\"example.com\", \"EXAMPLE\"]\nkeep_realms = \"partner.example\"\nmsisdn_from_user_name = true"),
            "client.first_factor: differs from that of the client fortigate in the same group",
        ),
        (
            FULL.replace(
                "\n[[upstream]]",
                "\n[[client]]\nname = \"standby\"\naddress = \"192.0.2.3\"\nsecret_file = \"gateway.secret\"\n\
                 group = \"fortigates\"\nfirst_factor = \"radius\"\nupstream = \"domain\"\npass = \"Class\"\n\
                 user_case = \"lower\"\nstrip_realms = [\"example.com\", \"EXAMPLE\"]\n\
                 keep_realms = \"partner.example\"\nmsisdn_from_user_name = true\n[[upstream]]",
            ),
            "client.group: what it passes on differs from that of the client fortigate in the same group",
        ),
        (
            one_client(
                "[[upstream]]\nname = \"a\"\naddress = \"192.0.2.9:1\"\nsecret_file = \"domain.secret\"\n[[upstream]]\nname = \"a\"\naddress = \"192.0.2.9:1\"\nsecret_file = \"domain.secret\"",
            ),
            "r.toml:11: upstream.name: \"a\" is the name of the upstream of line 7",
        ),
        (
            one_client("[[rule]]\nthen = \"accept\""),
            "r.toml:7: rule.then: is \"accept\" without any condition",
        ),
        (
            format!("listen = [\"0.0.0.0:1\", \"0.0.0.0:1\"]\n{}", one_client("")),
            "listen: 0.0.0.0:1 is listed twice",
        ),
        (
            format!("listen = \"0.0.0.0:1\"\naccounting = \"0.0.0.0:1\"\n{}", one_client("")),
            "listen: 0.0.0.0:1 is listed twice",
        ),
        (
            format!("client = 5\n{}", one_client("").replace("[[client]]", "[limits]")),
            "r.toml:1: client: must be tables, each under [[client]], not an integer",
        ),
        (
            one_client("[client.accept]\nCisco-AVPair = [").trim_end().to_owned()
                + &format!("\"{}\",", "x".repeat(247)).repeat(12)
                + "]",
            "client.accept: the attributes come to 3060 octets; at most 3000 fit",
        ),
    ] {
        let found = folder.mistakes(&text);
        assert!(found.iter().any(|m| m.contains(says)), "{text}: {found:?}");
        assert!(found.len() == 1 || text.starts_with("client = 5"), "{text}: {found:?}");
    }
    // Both together: the upstream's mistake only, not that its client does not find it.
    let (text, _) = with("timeout = 3", "timeout = 0");
    assert_eq!(folder.mistakes(&text).len(), 1);
}

#[test]
fn all_mistakes_are_told_at_once_and_none_of_the_secrets() {
    let folder = Folder::new();
    let text = FULL
        .replace("secret = \"0123456789abcdefghij\"", "secret = [\"s3cret-and-long-enough\"]")
        .replace("mode = \"wait-then-challenge\"", "mode = \"s3cret\"")
        .replace("then = \"reject\"", "then = 5")
        .replace("tries = 2", "tries = 0");
    let found = folder.mistakes(&text);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|m| !m.contains("s3cret")), "{found:?}");
    let lines = found.iter().map(|m| m.split(':').nth(1).unwrap().parse::<usize>().unwrap());
    assert!(lines.is_sorted(), "{found:?}");
    let found = folder.mistakes(&FULL.replace("secret = \"0123456789abcdefghij\"", "secret = s3cret"));
    assert!(found.len() == 1 && found[0].contains("not TOML") && !found[0].contains("s3cret"), "{found:?}");
}
