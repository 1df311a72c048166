//! A host and a world that expect exact calls in order.
//!
//! A script is one line per call: `call -> answer`. In a call `*` stands for any text. A call that is not
//! the next in the script, or a script that is not played to its end, fails the test.

#![allow(clippy::disallowed_methods, reason = "what is remembered is in files")]

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    convert::Infallible,
    env,
    ffi::CStr,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use mobileid::{
    config::{Config, FileConfig, Mistakes, PamConfig, Unenrolled},
    directory::{Directories, Lookup, file::UserTable},
    driver::{
        Tick, TickVerdict,
        blocking::{self, World},
        breakglass::{self, Existing, Stores},
        store::Store,
    },
    load::{Connection, Setup},
    login::{Answer, Ask, Entropy, Login, Now, Request, Step},
    memory::{Moment, pin::By},
    mss::HttpResponse,
    outcome::{Outcome, Proof, Reason, Unreachable},
    policy::Member,
    prompt::Command,
    secret::Secret,
    subscriber::UserName,
    verify::TrustAnchors,
};

use crate::{
    command::Asked,
    host::{Host, Item, Priority, Style},
    recall::Memory,
    system::{Account, System},
};

/// What does not change during a login: the host's manners, and what is remembered on it.
pub(super) struct Site {
    /// What the connection, or the process of sudo, is called; none where nobody can tell.
    pub(super) identity: Option<String>,
    /// Whether the program has more rights than who started it.
    pub(super) is_set_user_id: bool,
    /// Whether the person has hung up.
    pub(super) is_gone: bool,
    /// Whether sshd shows information when it comes.
    pub(super) shows_at_once: bool,
    /// The section `[pam]`.
    pub(super) pam: PamConfig,
    /// Where people are looked up; none for a table with alice in it.
    pub(super) directories: Option<Directories>,
    /// Where things are remembered.
    folder: PathBuf,
}

thread_local! {
    /// Seconds since the boot of the host, by which things are remembered.
    pub(super) static UPTIME: Cell<u64> = const { Cell::new(1000) };
}

impl Site {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("pam-site-{}-{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self {
            identity: None,
            is_set_user_id: false,
            is_gone: false,
            shows_at_once: true,
            pam: PamConfig::default(),
            directories: None,
            folder,
        }
    }

    /// One-time codes for alice.
    pub(super) fn codes(&self, count: usize) -> Vec<Secret> {
        let folder = |name| self.folder.join(name);
        let runtime = Store::open_until_boot(&folder("run")).unwrap();
        let state = Store::open(&folder("state")).unwrap();
        let stores = Stores { state: &state, runtime: &runtime };
        breakglass::create(stores, &"alice".parse().unwrap(), count, SystemTime::now(), Existing::Keep)
            .unwrap()
            .paper
    }

    /// A folder that others may write to is not trusted.
    pub(super) fn opens_to_everybody(&self, name: &str) {
        fs::create_dir(self.folder.join(name)).unwrap();
        fs::set_permissions(self.folder.join(name), fs::Permissions::from_mode(0o777)).unwrap();
    }

    /// What takes the place of a record in the making keeps it from being written.
    pub(super) fn has_no_room_for(&self, kind: &str) {
        for file in fs::read_dir(self.folder.join("run").join(kind)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none() {
                fs::create_dir(path.with_extension("new")).unwrap();
            }
        }
    }

    /// Where codes and serial numbers are.
    pub(super) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// How many files of this kind are left.
    pub(super) fn files_of(&self, kind: &str) -> usize {
        fs::read_dir(self.folder.join("run").join(kind)).unwrap().count()
    }

    pub(super) fn memory(&self) -> Result<Memory, String> {
        let clock = || Ok(Moment { boot: "b".to_owned(), up: Duration::from_secs(UPTIME.get()) });
        Memory::within(&self.folder.join("run"), &self.folder.join("state"), clock)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) struct Script<'s> {
    site: &'s Site,
    lines: RefCell<VecDeque<String>>,
    /// The first mismatch. Kept because the code under test catches panics.
    failed: RefCell<Option<String>>,
}

impl<'s> Script<'s> {
    pub(super) fn at(site: &'s Site, lines: &[&str]) -> Self {
        let lines = RefCell::new(lines.iter().map(|l| (*l).to_owned()).collect());
        Self { site, lines, failed: None.into() }
    }

    /// Takes the next line, which must be this call, and returns its answer.
    fn played(&self, call: &str) -> String {
        if let Some(failed) = self.failed.borrow().as_ref() {
            panic!("{failed}");
        }
        let line = self.lines.borrow_mut().pop_front().unwrap_or_else(|| "(the end)".to_owned());
        let (expected, answer) = line.rsplit_once(" -> ").unwrap_or((&line, ""));
        if !fits(expected, call) {
            self.fails(format!("expected: {expected}\n  called: {call}"));
        }
        if answer == "panic" {
            panic!("as the script says");
        }
        answer.to_owned()
    }

    fn fails(&self, why: String) -> ! {
        *self.failed.borrow_mut() = Some(why.clone());
        panic!("{why}");
    }

    fn text(&self, call: &str) -> Option<String> {
        Some(self.played(call)).filter(|answer| answer != "none")
    }

    pub(super) fn ends(&self) {
        assert_eq!(*self.failed.borrow(), None);
        assert!(self.lines.borrow().is_empty(), "not called: {:#?}", self.lines.borrow());
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = if part.is_empty() { "" } else { after };
    }
    rest.is_empty()
}

/// One of the two sides; both follow the same script.
#[derive(Clone, Copy)]
pub(super) struct Fake<'s>(pub(super) &'s Script<'s>);

impl Host for Fake<'_> {
    fn user(&mut self) -> Option<String> {
        self.0.text("user")
    }

    fn item(&self, item: Item) -> Option<String> {
        self.0.text(&format!("item {item:?}"))
    }

    fn env(&self, name: &CStr) -> Option<String> {
        self.0.text(&format!("env {}", name.to_str().unwrap()))
    }

    fn authtok_is_junk(&self) -> bool {
        self.0.played("junk?") == "yes"
    }

    fn show(&mut self, style: Style, text: &str) -> bool {
        self.0.played(&format!("show {style:?}: {text}")) != "refused"
    }

    fn ask(&mut self, question: &str) -> Option<Secret> {
        if question.contains("press Enter") {
            // Who does not press it keeps no other login of the same person waiting.
            let (tick, now): (Tick, _) = (Arc::new(|| TickVerdict::Cancel), blocking::now().instant);
            let memory = self.0.site.memory().unwrap();
            assert!(memory.phone("alice", &tick, now).is_ok(), "the phone is locked");
        }
        self.0.text(&format!("ask {question}")).map(Secret::new)
    }

    fn fail_delay(&mut self, delay: Duration) {
        self.0.played(&format!("fail_delay {delay:?}"));
    }

    fn syslog(&self, priority: Priority, line: &str) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        self.0.played(&format!("syslog {priority:?}: {line}"));
    }
}

impl System for Fake<'_> {
    fn now(&self) -> Now {
        Now { wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000), ..blocking::now() }
    }

    fn host_name(&self) -> String {
        self.0.played("host_name")
    }

    fn account(&self, name: &UserName) -> Result<Option<Account>, String> {
        match self.0.played(&format!("account {name}")).as_str() {
            "none" => Ok(None),
            "error" => Err("the user database of this host: EIO: I/O error".to_owned()),
            account => Ok(Some(Account { name: account.parse().unwrap(), is_root: account == "root" })),
        }
    }

    fn member(&self, user: &UserName, group: &str) -> Result<Member, String> {
        match self.0.played(&format!("member {user} {group}")).as_str() {
            "yes" => Ok(Member::Yes),
            "no" => Ok(Member::No),
            why => Err(why.to_owned()),
        }
    }

    fn caller(&self) -> Result<UserName, (Reason, String)> {
        Ok(self.0.played("caller").parse().unwrap())
    }

    fn sudo(&self, caller: Option<&str>) -> Option<Asked> {
        assert_eq!(caller, Some("alice"));
        let command = Command { program: "apt".to_owned(), line: "apt update".to_owned() };
        Some(Asked { target: "root".to_owned(), command })
    }

    fn connection_identity(&self, _: &str) -> Option<String> {
        self.0.site.identity.clone()
    }

    fn process_identity(&self) -> Option<String> {
        self.0.site.identity.clone()
    }

    fn shows_information_at_once(&self) -> bool {
        self.0.site.shows_at_once
    }

    fn is_set_user_id(&self) -> bool {
        self.0.site.is_set_user_id
    }

    fn has_room(&self) -> bool {
        self.0.played("has_room") == "yes"
    }

    fn memory(&self) -> Result<Memory, String> {
        self.0.site.memory()
    }

    fn load(&self, config: &Path) -> Result<Setup, Mistakes> {
        let setup = |unenrolled, evidence| {
            let mut setup = Setup { pam: self.0.site.pam.clone(), ..setup(unenrolled, evidence) };
            if let Some(directories) = &self.0.site.directories {
                setup.directories = Arc::new(directories.clone());
            }
            Ok(setup)
        };
        match self.0.played(&format!("load {}", config.display())).as_str() {
            "closed" => setup(Unenrolled::Deny, None),
            "open" => setup(Unenrolled::Allow, None),
            "evidence" => setup(Unenrolled::Deny, Some("/var/lib/mobileid".into())),
            mistakes => {
                let mistakes = (1..=mistakes.parse().unwrap()).map(|i| format!("what {i}"));
                Err(Mistakes(mistakes.flat_map(|what| Mistakes::of_file("m.toml", what).0).collect()))
            }
        }
    }

    fn watch(&self, _: Option<&str>) -> Tick {
        let verdict = if self.0.site.is_gone { TickVerdict::Cancel } else { TickVerdict::Continue };
        Arc::new(move || verdict)
    }

    /// The core's own machine, with fixed randomness; only what comes of a request is made up.
    fn run(&self, request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, String> {
        let Request { user, service, host, rhost, .. } = &request;
        let comes = self.0.played(&format!("run {user} {service} {host} {rhost:?}"));
        if comes == "unusable" {
            return Err("service.client_key: does not fit".to_owned());
        }
        let mut step = Login::start(request, &setup.config, self.now(), &ENTROPY);
        loop {
            let (login, ask) = match step {
                Step::Done(outcome) => return Ok(*outcome),
                Step::Ask(login, ask) => (login, ask),
            };
            let answer = match ask {
                Ask::Lookup(user) => {
                    let found = world.known().unwrap_or_else(|| directories_at_hand(setup, &user));
                    let known = world.pins().complete(found, &setup.directories, setup.config.serial);
                    known.map_or_else(Answer::Withheld, Answer::Looked)
                }
                Ask::Show(notice) => world.show(&notice).map_or_else(Answer::Withheld, |()| Answer::Shown),
                Ask::Send(http) => {
                    let sent = http.body.expose();
                    if !sent.contains(&format!("\"{TEXT}\"")) {
                        self.0.fails(format!("signature.sh and TEXT have to follow the text of {sent}"));
                    }
                    match world.sending(&login) {
                        Err(why) => Answer::Withheld(why),
                        Ok(()) => {
                            assert_eq!(world.tick()(), TickVerdict::Continue);
                            answer(&comes, login.ap_trans_id().as_str())
                        }
                    }
                }
                Ask::WaitUntil(_) => panic!("these stories are synchronous"),
                Ask::Pin(pin) => Answer::Pinned(world.pins().keep(&pin, By::Login, self.now().wall)),
            };
            step = login.step(answer, self.now());
        }
    }

    fn keep(&self, folder: &Path, proof: &Proof) -> io::Result<()> {
        match self.0.played(&format!("keep {} {}", folder.display(), proof.text)).as_str() {
            "full" => Err(io::Error::from(io::ErrorKind::StorageFull)),
            _ => Ok(()),
        }
    }
}

/// These stories have tables alone.
fn directories_at_hand(setup: &Setup, user: &UserName) -> Lookup {
    setup.directories.lookup::<Infallible>(user, |_| unreachable!("a table is not waited for")).unwrap()
}

const ENTROPY: Entropy = *b"entropy of a whole login";

/// What comes of the request.
fn answer(comes: &str, ap_trans_id: &str) -> Answer {
    let reply = |status, body: String| Answer::Reply(HttpResponse { status, date: None, body: body.into() });
    match comes {
        "signed" => reply(
            200,
            format!(
                r#"{{"MSS_SignatureResp":{{"AP_Info":{{"AP_TransID":"{ap_trans_id}"}},"MSSP_TransID":"h1",
                "MSS_Signature":{{"Base64Signature":"{}"}},"MobileUser":{{"MSISDN":"41791234567"}},
                "Status":{{"StatusCode":{{"Value":"500"}}}}}}}}"#,
                SIGNATURE.replace('\n', "")
            ),
        ),
        "declined" => reply(
            500,
            r#"{"Fault":{"Code":{"SubCode":{"Value":"_401"}},"Detail":"d","Reason":"r"}}"#.to_owned(),
        ),
        "unreachable" => {
            Answer::Unreachable(Unreachable::Connect, "mobileid.example:443: refused".to_owned())
        }
        "too slow" => Answer::Unreachable(Unreachable::TooSlow, "nothing came".to_owned()),
        "no descriptors" => Answer::Unreachable(Unreachable::Local, "EMFILE".to_owned()),
        "other certificate" => Answer::Unreachable(Unreachable::Tls, "not whom we know".to_owned()),
        "killed" => panic!("as if somebody had killed the process"),
        "late" => Answer::TimedOut,
        other => panic!("what is {other:?}?"),
    }
}

// Made with OpenSSL: a root, a signer with a serialNumber, and its CMS signature over the text that ENTROPY
// leads to. signature.sh beside them makes them.
const TEXT: &str = "ACME: Log in? Code W3WRH7";
const SIGNATURE: &str = include_str!("signature.b64");
const ROOT: &str = include_str!("root.pem");

fn setup(unenrolled: Unenrolled, evidence: Option<PathBuf>) -> Setup {
    let file = FileConfig::parse("m.toml", CONFIG).unwrap();
    let config = Config { unenrolled, ..file.config(TrustAnchors::from_pem(ROOT).unwrap()) };
    let connection = Connection {
        service: file.url,
        server_name: String::new(),
        proxy: None,
        server_roots: Vec::new(),
        client_cert: Vec::new(),
        client_cert_count: 1,
        client_key: Secret::default(),
        timeouts: file.timeouts,
    };
    let users = UserTable::parse("u.toml", "[alice]\nmsisdn = '+41791234567'").unwrap();
    let directories = Arc::new(Directories::of_table(users));
    Setup { config: config.into(), directories, connection, evidence, pam: PamConfig::default() }
}

const CONFIG: &str = r#"
[service]
ap_id = "mid://acme.example"
dtbd_prefix = "ACME: "
client_cert = "c"
client_key = "k"
[signature]
trust = "t"
[prompt.template]
en = "Log in? Code {txn}"
[prompt.sudo]
en = "Log in? Code {txn}"
[prompt.su]
en = "Log in? Code {txn}"
[users]
table = "u"
"#;

#[test]
fn patterns() {
    for (pattern, text) in [("a", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c*e", "abcde"), ("a*", "a")] {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "ab"), ("a*c", "ab"), ("*b", "abc"), ("b*", "abc")] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}
