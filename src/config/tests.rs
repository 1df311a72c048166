use std::sync::LazyLock;

use super::*;

/// The administrator's reference has every table and every key: it is what a stranger is put into.
static FULL: LazyLock<&str> = LazyLock::new(|| sample(0));

fn sample(at: usize) -> &'static str {
    let document = include_str!("../../docs/configuration.md");
    document.split("```toml\n").nth(at + 1).and_then(|rest| rest.split("```").next()).unwrap()
}

/// No more than what must be there.
const SHORT: &str = r#"
[service]
ap_id = "mid://acme.example"
dtbd_prefix = "ACME: "
client_cert = "client.crt"
client_key = "client.key"
[signature]
trust = "trust.d"
[users]
table = "users.toml"
"#;

fn mistakes(text: &str) -> Vec<String> {
    let error = FileConfig::parse("f.toml", text).expect_err("was accepted");
    error.0.iter().map(ToString::to_string).collect()
}

/// `FULL` with one line exchanged.
fn with(key: &str, line: &str) -> String {
    let mut found = 0;
    let lines: Vec<_> = FULL
        .lines()
        .map(|l| {
            if l.split(" = ").next() == Some(key) {
                found += 1;
                line
            } else {
                l
            }
        })
        .collect();
    assert_eq!(found, 1, "{key} stands {found} times");
    lines.join("\n")
}

#[test]
fn a_full_file_is_read_to_the_last_key() {
    let c = FileConfig::parse("f.toml", &FULL).unwrap();
    assert_eq!(c.url, Endpoint { host: "195.65.233.218".into(), port: 8443 });
    assert_eq!(c.server_name.as_deref(), Some("mobileid.swisscom.com"));
    assert_eq!(c.proxy.as_ref().unwrap().endpoint.to_string(), "proxy.example:3128");
    assert_eq!(c.proxy.unwrap().authorization.unwrap().expose(), "Basic dXNlcjpwYXNz");
    assert_eq!(c.profile, Profile::Any);
    assert_eq!(c.trust.len(), 2);
    assert_eq!(c.timeouts.of(Profile::App), (Duration::from_secs(30), Duration::from_secs(40)));
    assert_eq!(c.timeouts.of(Profile::Any), (Duration::from_secs(60), Duration::from_secs(70)));
    assert_eq!((c.mode, c.timeouts.poll), (MessagingMode::Asynch, Duration::from_secs(5)));
    assert_eq!(c.language, Language::De);
    assert_eq!(c.unenrolled, Unenrolled::Allow);
    assert_eq!(c.templates.get(Language::Fr), &"{txn} fr".parse().unwrap());
    assert!(c.holds_secret);
}

#[test]
fn the_reference_of_the_user_table_is_read_too() {
    use crate::directory::{Lookup, file::UserTable};
    let table = UserTable::parse("users.toml", sample(1)).unwrap();
    let Lookup::Found(alice) = table.lookup(&"alice".parse().unwrap()) else { panic!() };
    assert_eq!((alice.profile, alice.language), (Some(Profile::App), Some(Language::Fr)));
    assert!(alice.serial.is_some());
    assert_eq!(alice.groups, ["vpn-admins"]);
    for key in ["msisdn", "language", "profile", "serial", "groups"] {
        let stranger = sample(1).replace(&format!("\n{key} ="), &format!("\nbogus_{key} ="));
        let shown = UserTable::parse("users.toml", &stranger).unwrap_err().to_string();
        assert!(shown.contains(&format!("alice.bogus_{key}: unknown key")), "{shown}");
    }
}

#[test]
fn a_short_file_gets_the_defaults_of_the_guide() {
    let c = FileConfig::parse("f.toml", SHORT).unwrap();
    assert_eq!(c.url, Endpoint { host: "mobileid.swisscom.com".into(), port: 443 });
    assert_eq!(c.server_trust, ServerTrust::System);
    assert_eq!(c.profile, Profile::AuthProfile1);
    assert_eq!(c.mode, MessagingMode::Synch);
    let s = Duration::from_secs;
    let t = Timeouts {
        sim: s(80),
        sim_connection: s(90),
        app: s(40),
        app_connection: s(50),
        connect: s(10),
        poll: s(2),
    };
    assert_eq!(c.timeouts, t);
    assert_eq!(c.language, Language::En);
    assert_eq!(c.unenrolled, Unenrolled::Deny);
    assert!(!c.holds_secret);
}

#[test]
fn every_table_refuses_strangers() {
    for sample in [*FULL, SHORT] {
        let headers: Vec<usize> =
            sample.lines().enumerate().filter(|(_, l)| l.starts_with('[')).map(|(at, _)| at).collect();
        assert!(headers.len() >= 3);
        for header in headers {
            for stranger in ["bogus = 1", "bogus = \"x\"", "bogus = {}", "bogus = [[]]"] {
                let mut lines: Vec<_> = sample.lines().collect();
                lines.insert(header + 1, stranger);
                let found = mistakes(&lines.join("\n"));
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].starts_with(&format!("f.toml:{}: ", header + 2)), "{found:?}");
                assert!(found[0].contains(".bogus: unknown key; there are "), "{found:?}");
            }
        }
        assert!(mistakes(&format!("bogus = 1\n{sample}"))[0].starts_with("f.toml:1: bogus: unknown key"));
        assert!(mistakes(&format!("{sample}\n[bogus]\n"))[0].contains(": bogus: unknown key"));
    }
}

#[test]
fn every_needed_key_is_missed_by_name() {
    for key in ["ap_id", "dtbd_prefix", "client_cert", "client_key", "trust", "table"] {
        let found = mistakes(&with(key, ""));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(key) && found[0].contains("is missing"), "{found:?}");
    }
    assert_eq!(mistakes("").len(), 6);
}

#[test]
fn bad_values_are_named_with_line_and_key_and_not_repeated() {
    for (key, line, says) in [
        ("ap_id", "ap_id = \"\"", "must be 1 to 200 printable characters"),
        ("ap_id", "ap_id = 5", "must be a text in quotes, not an integer"),
        ("ap_pwd", "ap_pwd = [\"s3cret\"]", "must be a text in quotes, not an array"),
        ("dtbd_prefix", "dtbd_prefix = \" \"", "the DTBD prefix is empty"),
        ("url", "url = \"http://mobileid.swisscom.com\"", "must be https://"),
        ("url", "url = \"https://mobileid.swisscom.com/rest\"", "no path may follow"),
        ("url", "url = \"https://user@host\"", "the host must be a name"),
        ("url", "url = \"https://host:0\"", "the port must be"),
        ("url", "url = \"https://host:99999\"", "the port must be"),
        ("url", "url = \"https://host:\"", "the port must be"),
        ("url", "url = \"https://[::1\"", "the host must be"),
        ("url", "url = \"https://::1\"", "the host must be"),
        ("server_name", "server_name = \"a b\"", "must be a host name"),
        ("server_name", "server_name = \"a\\r\\nHost: b\"", "must be a host name"),
        ("proxy", "proxy = \"socks5://p:1\"", "must be http://host:port"),
        ("proxy", "proxy = \"http://s3cret@p:1\"", "must be user:password"),
        ("client_key", "client_key = \"\"", "must be a path"),
        ("profile", "profile = \"Any\"", "a signature profile is one of"),
        ("trust", "trust = [1]", "must be a list of texts, but holds an integer"),
        ("trust", "trust = []", "is missing or empty"),
        ("sim", "sim = 0", "must be a whole number from 1 to 300"),
        ("sim", "sim = 301", "must be a whole number from 1 to 300"),
        ("sim", "sim = \"80\"", "must be a whole number from 1 to 300"),
        ("sim", "sim = 8e1", "must be a whole number from 1 to 300"),
        ("sim", "sim = 70", "must be longer than the 70 s"),
        ("app_connection", "app_connection = 30", "must be longer than the 30 s"),
        ("connect", "connect = 11", "must be a whole number from 1 to 10"),
        ("language", "language = \"rm\"", "a language is one of"),
        ("en", "en = \"no code\"", "lacks {txn}"),
        ("en", "en = \"{txn} {passwort}\"", "unknown placeholder"),
        ("unenrolled", "unenrolled = true", "must be a text in quotes, not a boolean"),
        ("unenrolled", "unenrolled = \"Allow\"", "must be \"deny\" or \"allow\""),
    ] {
        let text = with(key, line);
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(found[0].contains(says), "{line}: {found:?}");
        assert!(!found[0].contains("s3cret"), "{found:?}");
        if !says.starts_with("is missing")
            && !line.starts_with("sim = 70")
            && !says.starts_with("must be longer")
        {
            let at = text.lines().position(|l| l == line).unwrap() + 1;
            assert!(found[0].starts_with(&format!("f.toml:{at}: ")), "{line}: {found:?}");
            assert!(found[0].contains(&format!(".{key}: ")), "{line}: {found:?}");
        }
    }
}

#[test]
fn broken_toml_names_the_line_and_shows_none_of_it() {
    let text = FULL.replace("ap_pwd = \"not-needed\"", "ap_pwd = s3cret");
    let found = mistakes(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("f.toml:7: not TOML: "), "{found:?}");
    assert!(!found[0].contains("s3cret"), "{found:?}");
    assert!(mistakes("[service]\nap_id = \"a\"\nap_id = \"b\"\n")[0].contains("f.toml:3: not TOML"));
}

#[test]
fn tables_of_the_wrong_type_are_named() {
    assert!(mistakes("service = 5").iter().any(|m| m.contains("f.toml:1: service: must be a table")));
    let found = mistakes(&FULL.replace("[prompt.template]", "[prompt.templates]"));
    assert!(found[0].contains("prompt.templates: unknown key; there are language, template"), "{found:?}");
}

#[test]
fn endpoints_are_read_as_they_are_shown() {
    for (url, shown) in [
        ("https://host", "host:443"),
        ("https://host/", "host:443"),
        ("https://host:8443", "host:8443"),
        ("https://127.0.0.1:1", "127.0.0.1:1"),
        ("https://[::1]:1", "[::1]:1"),
        ("https://[2001:db8::1]", "[2001:db8::1]:443"),
    ] {
        assert_eq!(url.parse::<Endpoint>().unwrap().to_string(), shown);
    }
}

#[test]
fn a_configuration_does_not_show_its_secrets() {
    let shown = format!("{:?}", FileConfig::parse("f.toml", &FULL).unwrap());
    assert!(!shown.contains("not-needed") && !shown.contains("dXNlcjpwYXNz"), "{shown}");
}
