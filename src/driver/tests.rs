//! The driver against the simulator: real sockets, real TLS, every behaviour of a phone and of the wire.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    ops::Deref,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mobileid_simulator::{Behaviour, Options, Simulator};

use super::{Tick, TickVerdict, blocking, evidence, pins::Pins};
use crate::{
    directory::Lookup,
    load::{self, Setup},
    login::{Login, Request, Withheld},
    mss::fault::{Fault, Status},
    notice::Notice,
    outcome::{Outcome, Reason, Unreachable, Unreadable, Verdict},
    verify::Refusal,
};

/// One simulator for all tests that run at the same time; its folder goes with the last of them.
struct Service {
    simulator: Simulator,
}

impl Service {
    fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Service>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let service = Self::start();
            *running = Arc::downgrade(&service);
            service
        })
    }
}

impl Service {
    /// One for a story that leaves phones ringing.
    fn start() -> Arc<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("mobileid-driver-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::SeqCst));
        let folder = std::env::temp_dir().join(name);
        Arc::new(Self { simulator: Simulator::start(Options::new(folder)).unwrap() })
    }
}

impl Deref for Service {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.simulator.state_dir());
    }
}

/// A configuration of the simulator's with other lines in place of some, and one user with a number.
struct Site {
    service: Arc<Service>,
    folder: PathBuf,
}

impl Site {
    fn new(name: &str, msisdn: &str, bend: impl FnOnce(&Service, String) -> String) -> Self {
        Self::at(Service::shared(), name, msisdn, bend)
    }

    fn at(
        service: Arc<Service>,
        name: &str,
        msisdn: &str,
        bend: impl FnOnce(&Service, String) -> String,
    ) -> Self {
        let state = service.state_dir();
        let folder = state.join(format!("site-{name}"));
        fs::create_dir(&folder).unwrap();
        let config = fs::read_to_string(state.join("mobileid.toml")).unwrap();
        let config = format!(
            "{config}\n[timeouts]\nsim = 30\nsim_connection = 60\napp = 30\napp_connection = 60\nconnect = 30\n"
        );
        for file in ["client.crt", "client.key", "server-root.pem", "signer-anchors.pem"] {
            fs::copy(state.join(file), folder.join(file)).unwrap();
        }
        let config = config.replace("[signature]\n", "[signature]\nserial = \"if-known\"\n");
        write(&folder.join("mobileid.toml"), &bend(&service, config));
        write(&folder.join("users.toml"), &format!("[u]\nmsisdn = \"{msisdn}\"\n"));
        Self { folder, service }
    }

    fn setup(&self) -> Setup {
        load::load(&self.folder.join("mobileid.toml")).unwrap()
    }

    fn login(&self) -> Outcome {
        self.login_with(&mut Host::default())
    }

    fn login_with(&self, host: &mut Host) -> Outcome {
        blocking::run(request("u"), &self.setup(), host).unwrap()
    }
}

fn request(user: &str) -> Request {
    Request {
        user: user.parse().unwrap(),
        service: "test".into(),
        host: "here".into(),
        rhost: None,
        client: None,
        target: None,
        command: None,
        limit: None,
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[derive(Default)]
struct Host {
    cancel: Arc<AtomicBool>,
    /// How often it may be asked until it gives the login up; none for ever.
    patience: Option<Arc<AtomicUsize>>,
    shown: Vec<String>,
    sent: usize,
    /// Why it will not have the phone asked.
    withhold: Option<&'static str>,
    /// What it has heard of the directories before.
    known: Option<Lookup>,
}

impl blocking::World for Host {
    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        self.shown.push(notice.to_string());
        Ok(())
    }

    fn known(&mut self) -> Option<Lookup> {
        self.known.take()
    }

    fn passed_over(&mut self, line: &str) {
        panic!("these sites have one table: {line}");
    }

    fn sending(&mut self, _: &Login) -> Result<(), Withheld> {
        self.sent += 1;
        self.withhold.map_or(Ok(()), |why| Err(why.to_owned().into()))
    }

    fn pins(&self) -> Pins {
        // Nothing is written there: these sites keep no first serial number.
        Pins::at(&std::env::temp_dir().join(format!("mobileid-driver-{}-pins", std::process::id())))
    }

    fn tick(&self) -> Tick {
        let (cancel, patience) = (Arc::clone(&self.cancel), self.patience.clone());
        Arc::new(move || {
            let one_less = |left: usize| left.checked_sub(1);
            let spent = patience
                .as_ref()
                .is_some_and(|left| left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err());
            if spent || cancel.load(Ordering::SeqCst) { TickVerdict::Cancel } else { TickVerdict::Continue }
        })
    }
}

/// The reason for which a login of this built-in subscriber is denied; none where it is accepted.
fn reason_for(behaviour: Behaviour) -> Option<Reason> {
    let refused = |r| Some(Reason::Refused(r));
    match behaviour {
        Behaviour::Approve | Behaviour::Status502 => None,
        Behaviour::Cancel => Some(Reason::Fault(Fault::UserCancel)),
        Behaviour::Timeout | Behaviour::Interactive => Some(Reason::Fault(Fault::ExpiredTransaction)),
        Behaviour::Never | Behaviour::HalfBody | Behaviour::SlowDrip => Some(Reason::TimedOut),
        Behaviour::WrongText => refused(Refusal::WrongContent),
        Behaviour::WrongMsisdn => refused(Refusal::WrongMsisdn),
        Behaviour::WrongTransId => refused(Refusal::WrongTransaction),
        // This site pins no serial number; what happens where one is pinned is told elsewhere.
        Behaviour::OtherSerial => None,
        Behaviour::UntrustedChain => refused(Refusal::UntrustedChain),
        Behaviour::ExpiredSigner => refused(Refusal::NotValidNow),
        Behaviour::BadSignature => refused(Refusal::BadSignature),
        Behaviour::NoSignature => {
            Some(Reason::Unreadable(Unreadable::MissingField("MSS_Signature.Base64Signature")))
        }
        Behaviour::TwoSigners => refused(Refusal::SignerCount),
        Behaviour::TrailingGarbage => refused(Refusal::Malformed),
        Behaviour::BrokenJson | Behaviour::DeepJson => Some(Reason::Unreadable(Unreadable::NotJson)),
        Behaviour::HugeBody => Some(Reason::Unreadable(Unreadable::TooLarge)),
        Behaviour::TlsReset => Some(Reason::AnswerLost),
        Behaviour::Http503 => Some(Reason::Unreadable(Unreadable::HttpStatus(503))),
        Behaviour::Status501 => Some(Reason::Status(Status::RevokedCertificate)),
        Behaviour::Status503 => Some(Reason::Status(Status::InvalidSignature)),
        Behaviour::Status504 => Some(Reason::Status(Status::OutstandingTransaction)),
        other => panic!("a behaviour without an expectation: {other}"),
    }
}

/// The same in asynchronous mode: what breaks on the way to a status request is asked again until the deadline, and
/// so is what stays outstanding.
fn reason_for_asynchronous(behaviour: Behaviour) -> Option<Reason> {
    match behaviour {
        Behaviour::HalfBody
        | Behaviour::SlowDrip
        | Behaviour::TlsReset
        | Behaviour::Http503
        | Behaviour::Status504 => Some(Reason::TimedOut),
        other => reason_for(other),
    }
}

#[test]
fn every_behaviour_ends_in_its_verdict_within_the_deadline_and_with_one_push() {
    every_behaviour("synch", reason_for);
}

#[test]
fn every_behaviour_ends_in_its_verdict_in_asynchronous_mode_too() {
    every_behaviour("asynch", reason_for_asynchronous);
}

fn every_behaviour(mode: &'static str, reason_for: fn(Behaviour) -> Option<Reason>) {
    let service = Service::start();
    let mut waiting = Vec::new();
    for behaviour in Behaviour::ALL {
        let service = Arc::clone(&service);
        waiting.push(thread::spawn(move || {
            let hangs = matches!(
                reason_for(*behaviour),
                Some(Reason::TimedOut | Reason::Fault(Fault::ExpiredTransaction))
            );
            let site = Site::at(service, behaviour.name(), behaviour.msisdn(), |_, c| {
                let c = c
                    .replace("[service]", &format!("[service]\nmessaging_mode = \"{mode}\""))
                    .replace("connect = 30", "connect = 30\npoll = 1");
                if hangs {
                    c.replace("sim = 30\nsim_connection = 60", "sim = 2\nsim_connection = 4")
                        .replace("connect = 30", "connect = 2")
                } else {
                    c
                }
            });
            let begun = Instant::now();
            let mut host = Host::default();
            let outcome = site.login_with(&mut host);
            let took = begun.elapsed();
            match (reason_for(*behaviour), &outcome.verdict) {
                (None, Verdict::Accepted(signer)) => {
                    assert!(signer.signer().serial.as_str().starts_with("MIDCHE"));
                }
                (Some(reason), Verdict::Denied(found)) => {
                    assert_eq!(*found, reason, "{mode} {behaviour}: {:?}", outcome.audit);
                }
                (_, found) => panic!("{mode} {behaviour}: {found:?} {:?}", outcome.audit),
            }
            // What comes on top of a deadline is a loaded machine's.
            let deadline = Duration::from_secs(if hangs { 4 } else { 60 });
            assert!(took < deadline + Duration::from_secs(4), "{mode} {behaviour} took {took:?}");
            assert_eq!(site.service.pushes(behaviour.msisdn()), 1, "{mode} {behaviour}");
            assert_eq!((host.sent, host.shown.len()), (1, 1));
            let code = host.shown[0].trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
            let shown = site.service.journal().into_iter().any(|entry| {
                entry.msisdn.as_deref() == Some(behaviour.msisdn().trim_start_matches('+'))
                    && entry.text.is_some_and(|text| text.starts_with("SIM: ") && text.contains(&code))
            });
            assert!(shown, "the phone shows the terminal's code");
        }));
    }
    for login in waiting {
        login.join().unwrap();
    }
}

#[test]
fn the_test_numbers_of_the_guide_do_as_they_say() {
    for code in Fault::KNOWN {
        if !(101..=900).contains(&code.code()) || [450, 780].contains(&code.code()) {
            continue;
        }
        let msisdn = format!("+41000092{}", code.code());
        let outcome = Site::new(&format!("code-{}", code.code()), &msisdn, |_, c| c).login();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Fault(*code)));
    }
    for (msisdn, key) in [("+41700092501", "EC P-256"), ("+41700092502", "RSA 2048")] {
        let outcome = Site::new(&msisdn[1..], msisdn, |_, c| c).login();
        let Verdict::Accepted(signer) = outcome.verdict else { panic!("{:?}", outcome.audit) };
        assert_eq!(signer.signer().key, key);
    }
}

#[test]
fn a_pinned_serial_number_decides() {
    let rightful = |site: &Site| {
        let Verdict::Accepted(signer) = site.login().verdict else { panic!() };
        signer.signer().serial.as_str().to_lowercase()
    };
    let site = Site::new("pinned", "+41790000004", |_, c| c);
    let serial = rightful(&site);
    let table = |serial: &str| format!("[u]\nmsisdn = \"+41790000004\"\nserial = \"{serial}\"\n");
    write(&site.folder.join("users.toml"), &table(&serial));
    assert!(matches!(site.login().verdict, Verdict::Accepted(_)));
    write(&site.folder.join("users.toml"), &table("MIDCHE0000000000"));
    assert_eq!(site.login().verdict, Verdict::Denied(Reason::Refused(Refusal::SerialMismatch)));
}

#[test]
fn what_the_host_knows_of_the_directories_is_not_asked_again() {
    let site = Site::at(Service::start(), "known", "+41790000001", |_, c| c);
    let away = Lookup::Unavailable("ad: no answer in time".to_owned());
    let outcome = site.login_with(&mut Host { known: Some(away), ..Host::default() });
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::DirectoryUnavailable));
    assert_eq!(outcome.audit.detail.as_deref(), Some("ad: no answer in time"));
    assert_eq!(site.service.pushes("+41790000001"), 0);
}

#[test]
fn the_host_can_forbid_the_push() {
    let site = Site::at(Service::start(), "withheld", "+41790000001", |_, c| c);
    let mut host = Host { withhold: Some("nothing can be written down"), ..Host::default() };
    let outcome = site.login_with(&mut host);
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Misconfigured));
    assert_eq!(outcome.audit.detail.as_deref(), Some("nothing can be written down"));
    assert_eq!(site.service.pushes("+41790000001"), 0);
}

#[test]
fn a_key_of_another_certificate_is_found_before_anybody_is_told_or_asked() {
    let site = Site::at(Service::start(), "other-key", "+41790000001", |_, c| c);
    fs::copy(site.service.state_dir().join("pki/server-root.key"), site.folder.join("client.key")).unwrap();
    let mut host = Host::default();
    let unusable = blocking::run(request("u"), &site.setup(), &mut host).unwrap_err();
    assert!(unusable.to_string().starts_with("service.client_key: "), "{unusable}");
    assert_eq!((host.shown.len(), host.sent), (0, 0));
    // Who has no phone is told so, with or without a key.
    let outcome = blocking::run(request("stranger"), &site.setup(), &mut host).unwrap();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::NotEnrolled));
    assert_eq!(site.service.pushes("+41790000001"), 0);
}

#[test]
fn the_host_can_end_the_wait() {
    let site = Site::new("given-up", "+41790000008", |_, c| c);
    let mut host = Host::default();
    let cancel = Arc::clone(&host.cancel);
    let service = Arc::clone(&site.service);
    let watcher = thread::spawn(move || {
        service.wait_for_pending("+41790000008", Duration::from_secs(20)).unwrap();
        cancel.store(true, Ordering::SeqCst);
    });
    let outcome = site.login_with(&mut host);
    watcher.join().unwrap();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Cancelled));
    assert_eq!(site.service.pushes("+41790000008"), 1);
}

/// Between two polls there is no socket to wait for: the pause itself must end.
#[test]
fn the_host_can_end_the_pause_between_two_polls() {
    const NUMBER: &str = "+41790000003";
    let site = Site::at(Service::start(), "given-up-asynch", NUMBER, |_, c| {
        c.replace("[service]", "[service]\nmessaging_mode = \"asynch\"")
            .replace("connect = 30", "connect = 30\npoll = 30")
    });
    // More often than connecting and sending have to wait, and less often than a pause of 30 s asks.
    let mut host = Host { patience: Some(Arc::new(AtomicUsize::new(25))), ..Host::default() };
    let outcome = site.login_with(&mut host);
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Cancelled));
    assert!(outcome.audit.mssp_trans_id.is_some(), "it was outstanding: {:?}", outcome.audit);
}

fn unreachable(site: &Site) -> Unreachable {
    match site.login().verdict {
        Verdict::Denied(Reason::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fails_before_the_request_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = |to: String| move |s: &Service, c: String| c.replace(s.url(), &format!("https://{to}"));
    let site = Site::new("closed", "+41790000001", url(closed.to_string()));
    assert_eq!(unreachable(&site), Unreachable::Connect);

    let site = Site::new("name", "+41790000001", url("no-such-host.invalid".into()));
    assert_eq!(unreachable(&site), Unreachable::Name);

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to_silent = url(silent.local_addr().unwrap().to_string());
    let site =
        Site::new("silent", "+41790000001", |s, c| to_silent(s, c).replace("connect = 30", "connect = 1"));
    assert_eq!(unreachable(&site), Unreachable::TooSlow);

    // Another root than the server's, another name than the certificate's.
    let site = Site::new("root", "+41790000001", |_, c| c.replace("server-root.pem", "signer-anchors.pem"));
    assert_eq!(unreachable(&site), Unreachable::Tls);
    let named =
        |_: &Service, c: String| c.replace("[service]", "[service]\nserver_name = \"mobileid.swisscom.com\"");
    let site = Site::new("wrong-name", "+41790000001", named);
    assert_eq!(unreachable(&site), Unreachable::Tls);
}

#[test]
fn a_server_reached_by_address_is_held_to_the_configured_name() {
    let named = |_: &Service, c: String| c.replace("[service]", "[service]\nserver_name = \"localhost\"");
    let outcome = Site::new("by-name", "+41790000009", named).login();
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
}

/// A CONNECT proxy that says `answer`, and carries bytes on if that begins with 200. Gives its address and
/// the head of the request that it saw.
fn proxy(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let handle = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        client.write_all(answer.as_bytes()).unwrap();
        let head = String::from_utf8(head).unwrap();
        if answer.contains(" 200 ") {
            let target = head.split(' ').nth(1).unwrap();
            let mut server = TcpStream::connect(target).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let up = thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let _ = std::io::copy(&mut server, &mut client);
            let _ = client.shutdown(std::net::Shutdown::Both);
            up.join().unwrap();
        }
        head
    });
    (address, handle)
}

fn through(address: &str) -> impl FnOnce(&Service, String) -> String {
    let line = format!("[service]\nproxy = \"http://user:pass@{address}\"");
    move |_, c| c.replace("[service]", &line)
}

#[test]
fn a_proxy_carries_the_connection_and_is_told_no_more_than_the_target() {
    let (address, seen) = proxy("HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n");
    let site = Site::new("proxy", "+41790000005", through(&address));
    let outcome = site.login();
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
    let target = site.service.url().trim_start_matches("https://");
    let expected = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
    );
    assert_eq!(seen.join().unwrap(), expected);
}

#[test]
fn a_proxy_that_refuses_or_babbles_is_named() {
    for (at, answer) in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "220 smtp ready\r\n\r\n",
        "HTTP/1.1 2000 \r\n\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let (address, _) = proxy(answer);
        let site = Site::new(&format!("proxy-{at}"), "+41790000001", through(&address));
        assert_eq!(unreachable(&site), Unreachable::Proxy, "{answer}");
    }
}

#[test]
fn an_accepted_signature_can_be_kept_and_proves_the_login() {
    let site = Site::new("evidence", "+41700092501", |_, c| {
        c.replace("[signature]", "[signature]\nevidence = \"kept\"")
    });
    let kept = site.folder.join("kept");
    fs::create_dir(&kept).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o700)).unwrap();
    let setup = site.setup();
    let proof = site.login().evidence.unwrap();
    let folder = setup.evidence.unwrap();
    evidence::keep(&folder, &proof).unwrap();
    assert!(evidence::keep(&folder, &proof).is_err(), "nothing is overwritten");
    let base64 = fs::read_to_string(folder.join(format!("{}.p7s", proof.ap_trans_id))).unwrap();
    let text = fs::read_to_string(folder.join(format!("{}.txt", proof.ap_trans_id))).unwrap();
    let cms = crate::verify::decode_base64(&base64).unwrap();
    let anchors = &setup.config.anchors;
    assert!(crate::verify::check_signature(&cms, &text, anchors, blocking::now().wall).is_ok());
    let mode = fs::metadata(folder.join(format!("{}.txt", proof.ap_trans_id))).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
