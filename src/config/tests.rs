use std::sync::LazyLock;

use super::*;
use crate::srs::{Basis, Jurisdiction, Level, Needed};

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

/// `FULL` with one line exchanged: that of a key, which has its table before it where other tables have it too.
fn with(key: &str, line: &str) -> String {
    let (mut found, mut table) = (0, "");
    let lines: Vec<_> = FULL
        .lines()
        .map(|l| {
            if let Some(header) = l.strip_prefix('[') {
                table = header.trim_end_matches(']');
            }
            let there = l.split(" = ").next().unwrap_or_default();
            if there == key || format!("{table}.{there}") == key {
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
fn serial_numbers_are_kept_unless_the_configuration_says_otherwise() {
    use SerialPolicy::{FirstUse, IfKnown, Ignore, Required};
    let policy = |text: &str| FileConfig::parse("f.toml", text).unwrap().serial;
    assert_eq!(policy(SHORT), FirstUse);
    for written in [Ignore, IfKnown, FirstUse, Required] {
        let line = format!("serial = \"{}\"", written.name());
        assert_eq!(policy(&with("serial", &line)), written);
    }
    for wrong in ["\"first use\"", "\"Required\"", "\"\"", "true"] {
        let told = mistakes(&with("serial", &format!("serial = {wrong}")));
        assert!(told.len() == 1 && told[0].contains("signature.serial: must be "), "{told:?}");
    }
    let writes = guide()[1];
    let told = mistakes(&directories(&writes.replace("serial = \"employeeNumber\"\n", "")));
    assert!(
        told.len() == 1 && told[0].contains("directory.write_serial: needs attributes.serial"),
        "{told:?}"
    );
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
    assert_eq!(c.sudo.get(Language::De), &"{txn} sudo de {program}".parse().unwrap());
    assert_eq!(c.su.get(Language::En), &"{txn} su en {target}".parse().unwrap());
    assert_eq!(c.enrol.get(Language::It), &"{txn} enrol it {user}".parse().unwrap());
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let pam = PamConfig {
        sshd_message: SshdMessage::Prompt,
        su_identity: SuIdentity::Caller,
        on_unreachable: OnUnreachable::Allow,
        grace: Some(Duration::from_secs(900)),
        push_limit: 5,
        push_window: Duration::from_secs(3600),
        require: Require {
            services: Some(names(&["sshd", "sudo"])),
            users: Some(names(&["alice"])),
            groups: Some(names(&["wheel"])),
        },
        exempt: Exempt {
            services: names(&["cron"]),
            users: names(&["backup"]),
            groups: names(&["robots"]),
            networks: ["192.0.2.1/32", "10.1.0.0/16", "2001:db8::/32"].map(|n| n.parse().unwrap()).into(),
        },
    };
    assert_eq!(c.pam, pam);
    let srs = c.srs.unwrap();
    assert_eq!(srs.url, Endpoint { host: "registration.example".into(), port: 443 });
    assert_eq!(srs.evidence_url, Endpoint { host: "ras.scapp.swisscom.com".into(), port: 443 });
    assert_eq!(srs.client_id, "acme");
    assert_eq!(srs.client_secret_file.value, PathBuf::from("srs-client-secret"));
    assert!(matches!(srs.server_trust, ServerTrust::File(at) if at.key == "srs.server_trust"));
    assert_eq!(srs.needed, Needed { basis: Basis::Jurisdiction(Jurisdiction::Eidas), level: Level::Three });
    assert!(c.holds_secret);
}

#[test]
fn the_reference_of_the_user_table_is_read_too() {
    use crate::directory::{Answer, file::UserTable};
    let table = UserTable::parse("users.toml", sample(1)).unwrap();
    let Answer::Found(alice) = table.lookup(&"alice".parse().unwrap()) else { panic!() };
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
    assert_eq!(c.pam, PamConfig::default());
    assert_eq!((c.pam.push_limit, c.pam.push_window, c.pam.grace), (3, s(600), None));
    assert_eq!(c.srs, None);
    assert!(!c.holds_secret);
}

#[test]
fn the_default_texts_say_who_becomes_whom_and_where() {
    use crate::prompt::{Code, Command, Values, compose, limit, units};
    let c = FileConfig::parse("f.toml", SHORT).unwrap();
    let code = Code::from_entropy(&[7; 8]);
    let command = Command { program: "/usr/bin/mysql".into(), line: "/usr/bin/mysql -ps3cret".into() };
    let values = Values {
        user: "alice",
        host: "web1",
        service: "sudo",
        rhost: "",
        target: "root",
        command: Some(&command),
        code: &code,
    };
    for language in Language::ALL {
        let sudo = compose(&c.prefix, c.sudo.get(language), &values);
        let su = compose(&c.prefix, c.su.get(language), &values);
        let enrol = compose(&c.prefix, c.enrol.get(language), &values);
        for (text, names) in [
            (&sudo, &["/usr/bin/mysql", "root", "web1", "alice", code.as_str()][..]),
            (&su, &["root", "web1", "alice", code.as_str()]),
            (&enrol, &["alice", "web1", code.as_str()]),
        ] {
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
            assert!(!text.contains("s3cret"), "{text}");
            assert_eq!((limit(text), units(text) < 100), (239, true), "{text}");
        }
    }
    assert_eq!(
        compose(&c.prefix, c.sudo.get(Language::En), &values),
        format!("ACME: Run /usr/bin/mysql as root on web1 (alice)? Code {code}")
    );
}

#[test]
fn names_of_services_users_and_groups_are_taken_as_hosts_have_them() {
    let taken = "[pam.require]\nservices = 'systemd-user'\nusers = ['alice@corp.example', 'CORP\\alice']\n\
                 [pam.exempt]\nservices = []\ngroups = 'domain users'\nnetworks = ['::ffff:10.0.0.0/104']\n";
    let pam = FileConfig::parse("f.toml", &format!("{SHORT}{taken}")).unwrap().pam;
    assert_eq!(pam.require.services.unwrap(), ["systemd-user"]);
    assert_eq!(pam.require.users.unwrap(), ["alice@corp.example", "CORP\\alice"]);
    assert_eq!(pam.require.groups, None);
    assert_eq!(pam.exempt.groups, ["domain users"]);
    assert!(pam.exempt.services.is_empty());
    // As the addresses are that it is held against.
    assert_eq!(pam.exempt.networks, ["10.0.0.0/8".parse().unwrap()]);
}

#[test]
fn durations_have_one_number_and_one_unit() {
    use super::values::duration;
    for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43200), ("0s", 0), ("007m", 420)] {
        assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in [
        "",
        "s",
        "90",
        "1d",
        "1 m",
        " 1m",
        "1m ",
        "-1m",
        "+1m",
        "1.5h",
        "1h30m",
        "1ms",
        "1hh",
        "m1",
        "1M",
        "٣m",
        "18446744073709551615h",
        "99999999999999999999s",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
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
fn a_section_for_registration_is_whole_or_not_there() {
    let found = mistakes(&format!("{SHORT}[srs]\n"));
    let keys = ["url", "evidence_url", "client_id", "client_secret_file"];
    assert_eq!(found, keys.map(|key| format!("f.toml:11: srs.{key}: is missing")));
    let least =
        "[srs]\nurl = 'https://a'\nevidence_url = 'https://b'\nclient_id = 'c'\nclient_secret_file = 'd'\n";
    let srs = FileConfig::parse("f.toml", &format!("{SHORT}{least}")).unwrap().srs.unwrap();
    assert_eq!(srs.server_trust, ServerTrust::System);
    assert_eq!(srs.needed, Needed { basis: Basis::Jurisdiction(Jurisdiction::Zertes), level: Level::Four });
}

#[test]
fn bad_values_are_named_with_line_and_key_and_not_repeated() {
    for (key, line, says) in [
        ("ap_id", "ap_id = \"\"", "must be 1 to 200 printable characters"),
        ("ap_id", "ap_id = 5", "must be a text in quotes, not an integer"),
        ("ap_pwd", "ap_pwd = [\"s3cret\"]", "must be a text in quotes, not an array"),
        ("dtbd_prefix", "dtbd_prefix = \" \"", "the DTBD prefix is empty"),
        ("service.url", "url = \"http://mobileid.swisscom.com\"", "must be https://"),
        ("service.url", "url = \"https://mobileid.swisscom.com/rest\"", "no path may follow"),
        ("service.url", "url = \"https://user@host\"", "the host must be a name"),
        ("service.url", "url = \"https://host:0\"", "the port must be"),
        ("service.url", "url = \"https://host:99999\"", "the port must be"),
        ("service.url", "url = \"https://host:\"", "the port must be"),
        ("service.url", "url = \"https://[::1\"", "the host must be"),
        ("service.url", "url = \"https://::1\"", "the host must be"),
        ("server_name", "server_name = \"a b\"", "must be a host name"),
        ("server_name", "server_name = \"a\\r\\nHost: b\"", "must be a host name"),
        ("proxy", "proxy = \"socks5://p:1\"", "must be http://host:port"),
        ("proxy", "proxy = \"http://s3cret@p:1\"", "must be user:password"),
        ("srs.url", "url = \"http://registration.example\"", "must be https://"),
        ("evidence_url", "evidence_url = \"https://ras.example/api\"", "no path may follow"),
        ("client_id", "client_id = \"a\\nb\"", "must be 1 to 200 printable characters"),
        ("client_secret_file", "client_secret_file = \"\"", "must be a path"),
        ("jurisdiction", "jurisdiction = \"US\"", "must be \"zertes\" (CH) or \"eidas\" (EU)"),
        ("srs.level", "level = 2", "must be a whole number from 3 to 4"),
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
        ("prompt.template.en", "en = \"no code\"", "lacks {txn}"),
        ("prompt.sudo.en", "en = \"{txn} {passwort}\"", "unknown placeholder"),
        ("prompt.su.it", "it = 5", "must be a text in quotes"),
        ("unenrolled", "unenrolled = true", "must be a text in quotes, not a boolean"),
        ("unenrolled", "unenrolled = \"Allow\"", "must be \"deny\" or \"allow\""),
        ("sshd_message", "sshd_message = \"yes\"", "must be \"auto\" or \"prompt\" or \"info\" or \"none\""),
        ("sshd_message", "sshd_message = true", "must be a text in quotes"),
        ("su_identity", "su_identity = \"root\"", "must be \"auto\" or \"caller\" or \"target\""),
        ("on_unreachable", "on_unreachable = \"\"", "must be \"deny\" or \"allow\""),
        ("grace", "grace = 15", "must be a text in quotes, not an integer"),
        ("grace", "grace = \"0s\"", "must be from \"1s\" to \"12h\""),
        ("grace", "grace = \"12h1s\"", "must be a whole number of seconds, minutes or hours"),
        ("grace", "grace = \"43201s\"", "must be from \"1s\" to \"12h\""),
        ("push_limit", "push_limit = 0", "must be a whole number from 1 to 20"),
        ("push_limit", "push_limit = 21", "must be a whole number from 1 to 20"),
        ("push_window", "push_window = \"59s\"", "must be from \"1m\" to \"24h\""),
        ("push_window", "push_window = \"25h\"", "must be from \"1m\" to \"24h\""),
        ("pam.require.services", "services = []", "would ask nobody"),
        ("pam.require.services", "services = [\"/etc/pam.d/sshd\"]", "must be the name of a PAM service"),
        ("pam.require.users", "users = []", "would ask nobody"),
        ("pam.require.users", "users = [\"alice\", \"bob,carol\"]", "must be the name of one user"),
        ("pam.require.groups", "groups = []", "would ask nobody"),
        ("pam.require.groups", "groups = [5]", "must be a list of texts, but holds an integer"),
        ("pam.exempt.services", "services = \"ssh d\"", "must be the name of a PAM service"),
        ("pam.exempt.users", "users = [\"*\"]", "must be the name of one user"),
        ("pam.exempt.groups", "groups = [\"@robots\"]", "must be the name of one group"),
        ("pam.exempt.networks", "networks = [\"10.1.0.0/8\"]", "has bits behind its prefix"),
        ("pam.exempt.networks", "networks = [\"localhost\"]", "must be an address or a network"),
        ("srs.url", "url = \"http://registration.example\"", "must be https://"),
        ("evidence_url", "evidence_url = \"https://ras.example/api\"", "no path may follow"),
        ("client_id", "client_id = \"a\\nb\"", "must be 1 to 200 printable characters"),
        ("client_secret_file", "client_secret_file = \"\"", "must be a path"),
        ("jurisdiction", "jurisdiction = \"US\"", "must be \"zertes\" (CH) or \"eidas\" (EU)"),
        ("level", "level = 2", "must be a whole number from 3 to 4"),
        ("pam.exempt.networks", "networks = [\"0.0.0.0/0\"]", "would let everybody in without a phone"),
        ("pam.exempt.networks", "networks = \"::/0\"", "would let everybody in without a phone"),
        ("pam.exempt.networks", "networks = [\"::ffff:0.0.0.0/96\"]", "would let everybody in"),
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
            let key = key.rsplit('.').next().unwrap();
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
    assert!(
        found[0].contains("prompt.templates: unknown key; there are language, template, sudo, su, enrol"),
        "{found:?}"
    );
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

/// Without `[users]`, and with these directories.
fn directories(text: &str) -> String {
    format!("{}{text}", SHORT.replace("[users]\ntable = \"users.toml\"\n", ""))
}

#[test]
fn directories_stand_in_their_order_and_the_table_of_users_is_the_first() {
    let more = "[[directory]]\ntype='file'\nname='staff'\ntable='a'\n\
                [[directory]]\ntype='file'\nname='guests'\ntable='b'\nunavailable='next'\n";
    let names = |text: &str| {
        let read = FileConfig::parse("f.toml", text).unwrap().directories;
        read.into_iter().map(|d| d.name.value).collect::<Vec<_>>()
    };
    assert_eq!(names(&format!("{SHORT}{more}")), ["users", "staff", "guests"]);
    assert_eq!(names(&directories(more)), ["staff", "guests"]);
    let mistakes = |text: &str| mistakes(&directories(text)).join("\n");
    assert!(mistakes("").contains("users.table: is missing"));
    let twice = mistakes(&more.replace("guests", "staff"));
    assert!(
        twice.contains("f.toml:15: directory.name: \"staff\" is the name of the directory of line 11"),
        "{twice}"
    );
    for (from, to, told) in [
        ("type='file'", "", "directory.type: is missing: \"file\", \"ldap\" or \"command\""),
        ("'file'", "'yp'", "directory.type: must be \"file\" or \"ldap\" or \"command\""),
        ("name='staff'", "", "directory.name: is missing"),
        ("'staff'", "'two words'", "directory.name: must be 1 to 32 letters"),
        ("'staff'", "'user-name'", "directory.name: must be 1 to 32 letters"),
        ("'next'", "'allow'", "directory.unavailable: must be \"deny\" or \"next\""),
        ("table='a'", "", "directory.table: is missing"),
        ("table='a'", "table='a'\nbase='x'", "directory.base: unknown key"),
    ] {
        let told_so = mistakes(&more.replace(from, to));
        assert!(told_so.contains(told), "{told}: {told_so}");
    }
}

#[test]
fn a_command_is_a_program_by_its_absolute_path_and_its_arguments() {
    let read = |command: &str| {
        let text = directories(&format!("[[directory]]\ntype='command'\nname='hr'\n{command}\n"));
        FileConfig::parse("f.toml", &text).map_err(|mistakes| mistakes.to_string())
    };
    let file = read("command=['/bin/phone-of','--site','a b']\ntimeout=30").unwrap();
    let KindFile::Command(file) = &file.directories[0].kind else { panic!() };
    let sample = guide().into_iter().find(|sample| sample.contains("\"command\"")).unwrap();
    let stranger = mistakes(&directories(&format!("{sample}bogus = 1\n"))).join("\n");
    let (_, keys) = stranger.split_once("bogus: unknown key; there are ").unwrap();
    assert!(keys.split(", ").all(|key| sample.contains(&format!("\n{key} = "))), "{keys}");
    assert_eq!(file.program.value.to_str(), Some("/bin/phone-of"));
    assert_eq!((file.program.line, file.timeout.as_secs()), (12, 30));
    assert_eq!(file.arguments, ["--site", "a b"]);
    let file = read("command='/bin/phone-of'").unwrap();
    let KindFile::Command(file) = &file.directories[0].kind else { panic!() };
    assert_eq!((file.arguments.len(), file.timeout.as_secs()), (0, 5));
    let rule = "f.toml:12: directory.command: must be a program by its absolute path";
    let long = format!("command=['/x','{}']", "a".repeat(4097));
    let many = format!("command=['/x'{}]", ",'a'".repeat(65));
    for (command, expected) in [
        ("", "f.toml:9: directory.command: is missing"),
        ("command='phone-of'", rule),
        ("command=['./phone-of']", rule),
        ("command=[]", rule),
        ("command=['']", rule),
        ("command=['/x',\"a\\u0000\"]", rule),
        ("command=['/x',1]", "f.toml:12: directory.command: must be a list of texts"),
        (&long, rule),
        (&many, rule),
        ("command='/x'\ntimeout=0", "f.toml:13: directory.timeout: must be a whole number from 1 to 30"),
        ("command='/x'\nshell=true", "directory.shell: unknown key; there are"),
    ] {
        let told = read(command).unwrap_err();
        assert!(told.contains(expected) && told.lines().count() == 1, "{expected}: {told}");
    }
}

/// The directories of the guide, each under a configuration without any.
fn guide() -> Vec<&'static str> {
    let document = include_str!("../../docs/directories.md");
    document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_guide_to_directories_is_read_to_the_last_key() {
    let read = |text: &str| FileConfig::parse("f.toml", &directories(text)).unwrap().directories;
    assert_eq!(guide().len(), 5);
    for sample in guide() {
        assert_eq!(read(sample).len(), 1, "{sample}");
    }
    let full = guide()[1];
    let KindFile::Ldap(file) = &read(full)[0].kind else { panic!() };
    assert_eq!(file.ldap.servers.len(), 2);
    assert_eq!(file.ldap.default_country.as_deref(), Some("41"));
    assert!(file.ldap.active_directory && file.ldap.groups.as_ref().unwrap().nested);
    assert!(file.password.is_some() && file.trust.is_some());
    for (header, first) in
        [("[[directory]]", "type"), ("[directory.attributes]", "msisdn"), ("[directory.groups]", "base")]
    {
        let stranger = full.replace(header, &format!("{header}\nbogus = 1"));
        let found = mistakes(&directories(&stranger)).join("\n");
        let (_, keys) =
            found.split_once("bogus: unknown key; there are ").unwrap_or_else(|| panic!("{found}"));
        assert!(keys.contains(first), "{found}");
        for key in keys.lines().next().unwrap().split(", ").filter(|key| *key != "bind") {
            let table = format!("[directory.{key}]");
            assert!(
                full.lines().any(|l| l.starts_with(&format!("{key} = ")) || l == table),
                "{key} is not in the guide"
            );
        }
    }
}

#[test]
fn mistakes_of_an_ldap_directory_are_named() {
    let full = guide()[1];
    for (from, to, told) in [
        ("start_tls = true", "", "directory.servers: would send numbers and passwords in the clear"),
        ("start_tls = true", "start_tls = 'yes'", "directory.start_tls: must be true or false, not a string"),
        ("ldaps://dc1.corp.example", "https://dc1", "directory.servers: must be ldaps://host"),
        ("trust = \"ldap-ca.pem\"", "", "directory.trust: is missing"),
        (
            "bind_password_file = \"ldap.secret\"",
            "",
            "directory.bind_dn: must stand there with bind_password_file",
        ),
        ("bind_dn = ", "bind = 'anonymous'\nbind_dn = ", "directory.bind_dn: must stand there with"),
        ("(uid={user}))", "(uid=alice))", "directory.filter: must have {user} in it"),
        ("(uid={user}))", "(uid={user})(m={dn}))", "directory.filter: must not have {dn} in it"),
        ("(uid={user}))", "(uid={user})", "directory.filter: has parentheses"),
        ("(member={dn})", "(member=x)", "directory.groups.filter: must have {dn} in it"),
        ("(member={dn})", "(uid={user})", "directory.groups.filter: must have no name but {dn}"),
        ("timeout = 5", "timeout = 31", "directory.timeout: must be a whole number from 1 to 30"),
        ("\"+41\"", "\"41\"", "directory.default_country: must be a country code"),
        ("\"ou=people,dc=corp,dc=example\"", "\"people\"", "directory.base: must be a distinguished name"),
        ("[\"mobile\", \"otherMobile\"]", "[]", "directory.attributes.msisdn: names no attribute"),
        ("\"memberOf\"", "\"member of\"", "directory.attributes.groups: must be the name of an attribute"),
        ("scope = \"subtree\"", "scope = \"all\"", "directory.scope: must be"),
    ] {
        let found = mistakes(&directories(&full.replace(from, to))).join("\n");
        assert!(found.contains(told), "{told}: {found}");
    }
    let here =
        full.replace("start_tls = true", "").replace("ldap://dc2.corp.example:389", "ldap://127.0.0.1");
    assert!(FileConfig::parse("f.toml", &directories(&here)).is_ok());
}
