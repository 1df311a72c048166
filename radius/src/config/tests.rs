//! The administrator's guide is what these tests read: a key that it lacks is a key that nobody can know.

mod defaults;
mod files;
mod mistakes;
mod told;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use mobileid::{
    config::{FileConfig, KindFile, Mistakes, PamConfig},
    directory::{Directories, Directory, Kind},
    load::{Connection, Setup},
    secret::Secret,
    verify::TrustAnchors,
};

use super::*;

const GUIDE: &str = include_str!("../../../docs/radius.md");

/// Every table and every key.
static FULL: LazyLock<&str> = LazyLock::new(|| sample(1));

fn sample(at: usize) -> &'static str {
    GUIDE.split("```toml\n").nth(at + 1).and_then(|rest| rest.split("```").next()).unwrap()
}

const CORE: &str = r#"
[service]
ap_id = "mid://acme.example"
dtbd_prefix = "ACME: "
client_cert = "client.crt"
client_key = "client.key"
[signature]
trust = "trust.d"
[users]
table = "users.toml"
[[directory]]
type = "ldap"
name = "ad"
servers = "ldaps://dc1.example"
trust = "system"
bind = "anonymous"
base = "dc=x"
filter = "(uid={user})"
attributes.user = "uid"
"#;

/// A core that no login is made with: 90 s at the longest, 10 s kept back.
fn setup() -> Arc<Setup> {
    setup_of(CORE)
}

fn setup_of(core: &str) -> Arc<Setup> {
    let file = FileConfig::parse("mobileid.toml", core).unwrap();
    let connection = Connection {
        service: file.url.clone(),
        server_name: String::new(),
        proxy: None,
        server_roots: Vec::new(),
        client_cert: Vec::new(),
        client_cert_count: 1,
        client_key: Secret::default(),
        timeouts: file.timeouts,
    };
    let directories = file.directories.iter().filter_map(|written| match &written.kind {
        KindFile::Ldap(ldap) => Some(Directory {
            name: written.name.value.clone(),
            unavailable: written.unavailable,
            kind: Kind::Ldap(Box::new(ldap.ldap.clone())),
        }),
        KindFile::File(_) | KindFile::Command(_) => None,
    });
    Arc::new(Setup {
        config: Arc::new(file.config(TrustAnchors::default())),
        directories: Arc::new(Directories::new(directories.collect())),
        connection,
        evidence: None,
        pam: PamConfig::default(),
    })
}

/// A folder with the files that the guide's samples name, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("radiusd-config-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.put("state.key", &"0f".repeat(32), 0o600);
        for secret in ["vpn.secret", "gateway.secret", "domain.secret"] {
            folder.put(secret, "a secret of twenty-five c\n", 0o600);
        }
        folder
    }

    fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn read(&self, text: &str) -> Result<Settings, Mistakes> {
        // The state folder is the machine's; here it is the test's.
        let text = text.replace("\"/var/lib/mobileid-radiusd\"", &format!("{:?}", self.0));
        read("r.toml", &text, &self.0, &setup())
    }

    fn mistakes(&self, text: &str) -> Vec<String> {
        self.read(text).expect_err("was accepted").0.iter().map(ToString::to_string).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(text: &str) -> Settings {
    Folder::new().read(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn client<'a>(settings: &'a Settings, name: &str) -> &'a Client {
    settings.clients.iter().find(|client| *client.name == *name).unwrap()
}

#[test]
fn the_guide_is_read_to_the_last_key() {
    let s = settings(&FULL);
    let port = |address: &str| address.parse::<SocketAddr>().unwrap();
    assert_eq!(s.listen, [port("0.0.0.0:1812"), port("[::]:1812")]);
    assert_eq!(s.accounting, [port("0.0.0.0:1813")]);
    assert_eq!(s.state_key.as_ref().unwrap().expose(), &[0x0f; 32]);
    assert_eq!((&s.audit, s.metrics), (&AuditTo::Stdout, Some(port("127.0.0.1:9812"))));
    let fortigate = client(&s, "fortigate");
    assert_eq!((fortigate.group.as_str(), fortigate.mode), ("fortigates", Mode::WaitThenChallenge));
    assert_eq!((fortigate.nas_timeout.as_secs(), fortigate.deadline.as_secs()), (10, 60));
    assert_eq!(fortigate.message_authenticator, MessageAuthenticator::Learn);
    assert_eq!(fortigate.host_from, HostFrom::NasIdentifier);
    let FirstFactor::Upstream { upstream, pass } = &fortigate.first_factor else { panic!() };
    assert!(Arc::ptr_eq(upstream, &s.upstreams[0]));
    assert_eq!(upstream.servers, [port("192.0.2.10:1812"), port("[2001:db8::10]:1812")]);
    let passed = |vendor, kind| pass.admits(&crate::upstream::PassedOn::plain(vendor, kind, b"x"));
    assert!(passed(None, 25) && passed(None, 11) && passed(Some(311), 16) && !passed(None, 8));
    assert!(matches!(client(&s, "gateway").first_factor, FirstFactor::Ignored));
    assert_eq!(s.rules.iter().next().unwrap().conditions.len(), 7);
    assert_eq!(s.limits.push_window.as_secs(), 300);
}

/// A recipe's part for this file, and the rows of its table.
struct Recipe {
    name: String,
    sample: String,
    rows: Vec<String>,
}

fn recipes() -> Vec<Recipe> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/recipes"));
    let recipe = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let samples: Vec<&str> = text.split("```toml\n").skip(1).collect();
        assert!(samples.len() < 2, "{}: two samples", path.display());
        let (sample, _) = samples.first()?.split_once("```").unwrap();
        Some(Recipe {
            name: path.display().to_string(),
            sample: format!("state_dir = \"/var/lib/mobileid-radiusd\"\n{sample}"),
            rows: text.lines().filter(|line| line.starts_with("| ")).map(str::to_owned).collect(),
        })
    };
    fs::read_dir(folder).unwrap().filter_map(|entry| recipe(entry.unwrap().path())).collect()
}

impl Recipe {
    /// The sample with what a row says in place of its lines; None where the row says nothing for a client.
    fn with(&self, row: &str) -> Option<String> {
        let key = |setting: &str| setting.split(" = ").next().unwrap_or_default().to_owned();
        let of_client = ["mode", "nas_timeout", "deadline", "message_authenticator", "host_from"];
        let literals = row.split('`').skip(1).step_by(2);
        let said: Vec<&str> =
            literals.filter(|s| s.contains(" = ") && of_client.contains(&&*key(s))).collect();
        let kept = self.sample.lines().filter(|line| !said.iter().any(|said| key(said) == key(line)));
        let client = format!("[[client]]\n{}", said.join("\n"));
        let sample = kept.map(|line| if line == "[[client]]" { &client } else { line });
        (!said.is_empty()).then(|| sample.collect::<Vec<_>>().join("\n"))
    }
}

#[test]
fn every_recipe_is_a_configuration_and_so_is_what_it_says_instead() {
    let (mut samples, mut variants) = (0, 0);
    for recipe in recipes() {
        let instead: Vec<String> = recipe.rows.iter().filter_map(|row| recipe.with(row)).collect();
        (samples, variants) = (samples + 1, variants + instead.len());
        for sample in instead.iter().chain([&recipe.sample]) {
            if let Err(mistakes) = Folder::new().read(sample) {
                panic!("{}: {mistakes}\n{sample}", recipe.name);
            }
        }
    }
    assert_eq!(samples, 7);
    assert!(variants >= 14, "{variants}");
}

#[test]
fn a_recipe_answers_before_the_gateway_gives_up() {
    for recipe in recipes() {
        let settings = settings(&recipe.sample);
        for client in settings.clients.iter() {
            assert!(client.nas_timeout >= Duration::from_secs(50), "{}: no time for a person", recipe.name);
            assert!(client.deadline < client.nas_timeout, "{}: the gateway gives up first", recipe.name);
        }
    }
}

#[test]
fn the_examples_of_the_manual_are_configurations() {
    let page = include_str!("../../../packaging/man/radiusd.toml.5").replace("\\-", "-");
    let blocks = page.split(".nf\n[[client]]").skip(1).filter_map(|rest| rest.split(".fi\n").next());
    let state = "state_dir = \"/var/lib/mobileid-radiusd\"\n[[client]]";
    let read = blocks.map(|block| settings(&format!("{state}{block}")).clients.iter().count());
    assert_eq!(read.collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_group_is_granted_what_everybody_is_and_more() {
    let s = settings(&FULL);
    let granted = |groups: &[&str]| {
        let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
        let fortigate = client(&s, "fortigate");
        fortigate.granted(&groups).map(|a| (a.attribute.to_string(), a.octets.clone())).collect::<Vec<_>>()
    };
    let everybody = [
        ("Session-Timeout", 28_800_u32.to_be_bytes().to_vec()),
        ("Class", b"vpn".to_vec()),
        ("Cisco-AVPair", b"ip:dns-servers=192.0.2.53".to_vec()),
        ("Cisco-AVPair", b"ip:route=10.0.0.0/8".to_vec()),
    ]
    .map(|(name, octets)| (name.to_owned(), octets));
    assert_eq!(granted(&[]), everybody);
    assert_eq!(granted(&["VPN-ADMINS", "others"]), everybody);
    let admins = granted(&["others", "vpn-admins"]);
    assert_eq!(admins[..4], everybody);
    assert_eq!(admins[4..], [("Fortinet-Group-Name".to_owned(), b"admins".to_vec())]);
}

#[test]
fn the_small_sample_gets_the_defaults() {
    let s = settings(sample(0));
    assert_eq!(s.listen.len(), 2);
    assert!(s.accounting.is_empty() && s.state_key.is_none() && s.metrics.is_none());
    assert_eq!(s.state_dir, Path::new("/var/lib/mobileid-radiusd"));
    assert_eq!(s.audit, AuditTo::Stdout);
    let second = Duration::from_secs;
    let limits = Limits {
        pending: 20_000,
        pending_per_client: 10_000,
        pending_per_user: 1,
        overload: Overload::Reject,
        answer_kept: second(120),
        accept_kept: second(10),
        pushes_per_user: 3,
        push_window: second(300),
        drain: second(90),
    };
    assert_eq!(s.limits, limits);
    let vpn = client(&s, "vpn.example.com");
    assert_eq!(vpn.group, "vpn.example.com");
    assert_eq!((vpn.nas_timeout, vpn.deadline, vpn.reject_delay), (second(10), second(90), second(1)));
    assert_eq!(vpn.message_authenticator, MessageAuthenticator::Required);
    assert_eq!(vpn.proxy_state, ProxyState::Guarded);
    assert_eq!((vpn.service.as_str(), vpn.host_from), ("VPN", HostFrom::Name));
    assert_eq!(vpn.realms, RealmRules::default());
    assert!(vpn.accept.is_empty() && vpn.groups.is_empty());
}

#[test]
fn the_packaged_sample_is_a_sound_one() {
    let sample = include_str!("../../../packaging/radiusd/radiusd.toml");
    assert_eq!(settings(sample).clients.len(), 1);
    // What it has commented out is sound too.
    let all = sample.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => key,
        _ => line,
    });
    let s = settings(&all.collect::<Vec<_>>().join("\n"));
    assert_eq!((s.upstreams.len(), s.rules.iter().count()), (1, 1));
}

#[test]
fn absent_times_follow_from_what_is_there() {
    for (keys, nas_timeout, deadline) in [
        ("", 90, 90),
        ("nas_timeout = 60", 60, 60),
        ("nas_timeout = 120", 120, 90),
        ("deadline = 45", 45, 45),
        ("nas_timeout = 30\ndeadline = 60", 30, 60),
        ("mode = \"challenge\"", 5, 90),
        ("mode = \"wait-then-challenge\"", 5, 90),
        ("mode = \"wait-then-challenge\"\nnas_timeout = 10", 10, 90),
        ("mode = \"challenge\"\ndeadline = 60", 5, 60),
    ] {
        let s = settings(&one_client(keys));
        let one = client(&s, "one");
        assert_eq!((one.nas_timeout.as_secs(), one.deadline.as_secs()), (nas_timeout, deadline), "{keys}");
    }
}

/// Each value asks for its line: a search from the top of the file each time would take minutes here.
#[test]
fn a_file_of_thousands_of_clients_is_read() {
    let one = |at: u32| {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + at);
        one_client("[client.accept]\nClass = \"x\"")
            .replace("\"one\"", &format!("\"nas-{at}\""))
            .replace("192.0.2.1", &address.to_string())
    };
    let text: String = (0..2000).map(one).collect();
    let s = settings(&text);
    assert_eq!(s.clients.len(), 2000);
    assert_eq!(&*s.clients.find("10.0.7.207".parse().unwrap()).unwrap().name, "nas-1999");
    let found = Folder::new().mistakes(&text.replacen("\"nas-1999\"", "\"nas-0\"", 1));
    assert_eq!(found, ["r.toml:15993: client.name: \"nas-0\" is the name of the client of line 1 already"]);
}

/// One client, with these keys beside the obligatory ones.
fn one_client(keys: &str) -> String {
    format!(
        "[[client]]\nname = \"one\"\naddress = \"192.0.2.1\"\nsecret = \"0123456789abcdef\"\n\
         first_factor = \"none\"\npassword = \"ignored\"\n{keys}\n"
    )
}
