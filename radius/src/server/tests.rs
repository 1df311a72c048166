//! The responder in virtual time: packets in, a trace of what it wants out.
//!
//! A trace is one word or two for each action, so that a story reads as a list. Every answer that the responder sends
//! is checked as a strict client would: Message-Authenticator first and right, Response Authenticator right.

#![allow(
    clippy::disallowed_methods,
    reason = "a story begins at some instant; after that its clock is its own"
)]

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, UNIX_EPOCH},
};

use mobileid::{
    config::{FileConfig, KindFile, MessagingMode, PamConfig},
    directory::{Directories, Directory, Kind, WhenUnavailable},
    load::{Connection, Setup},
    login::{self, Ticket},
    mss::fault::Fault,
    notice::Notice,
    outcome::{Exemption, Outcome, Proof, Reason},
    prompt::Code as TransactionCode,
    secret::Secret,
    subscriber::Language,
    verify::TrustAnchors,
};

use super::*;
use crate::{
    authenticator::{self, Authenticator, SharedSecret, Signed, hide_password},
    config,
    packet::{Attribute, Builder, Code, Packet, attribute},
    upstream::{Answer, PassedOn},
};

mod attacks;
mod attributes;
mod door;
mod first_factor;
mod limits;
mod nodes;
mod numbers;
mod random;
mod waits;

const SECRET: &str = "0123456789abcdefghij";

/// Clients by what is peculiar to them. Where nothing is said: 192.0.2.x, the number of the table.
const CONFIG: &str = r#"
[limits]
pushes_per_user = 1000
[[client]]
name = "wait"
address = ["192.0.2.1", "192.0.2.101"]
secret = "0123456789abcdefghij"
group = "vpn"
mode = "wait"
nas_timeout = 60
first_factor = "none"
password = "ignored"
[[client]]
name = "challenge"
address = "192.0.2.2"
secret = "0123456789abcdefghij"
mode = "challenge"
nas_timeout = 10
deadline = 80
first_factor = "none"
password = "ignored"
[client.accept]
Class = "vpn"
[[client]]
name = "later"
address = "192.0.2.3"
secret = "0123456789abcdefghij"
mode = "wait-then-challenge"
nas_timeout = 10
deadline = 80
first_factor = "none"
password = "ignored"
[[client]]
name = "domain"
address = "192.0.2.4"
secret = "0123456789abcdefghij"
mode = "wait-then-challenge"
nas_timeout = 10
deadline = 80
first_factor = "radius"
upstream = "domain"
pass = ["Class", "Filter-Id"]
reject_delay = 2
[client.accept]
Filter-Id = "ours"
[[client]]
name = "optional"
address = "192.0.2.5"
secret = "0123456789abcdefghij"
message_authenticator = "optional"
first_factor = "none"
password = "ignored"
[[client]]
name = "learn"
address = ["192.0.2.6", "2001:db8::6", "198.51.100.0/24"]
secret = "0123456789abcdefghij"
message_authenticator = "learn"
first_factor = "none"
password = "ignored"
[[client]]
name = "unguarded"
address = "192.0.2.7"
secret = "0123456789abcdefghij"
message_authenticator = "optional"
proxy_state = "unguarded"
first_factor = "none"
password = "ignored"
[[client]]
name = "standby"
address = "192.0.2.8"
secret = "another secret of 24 octe"
group = "vpn"
mode = "wait"
nas_timeout = 60
first_factor = "none"
password = "ignored"
[client.accept]
Filter-Id = "standby"
[[client]]
name = "lan"
address = "192.0.2.9"
secret = "0123456789abcdefghij"
first_factor = "none"
password = "ignored"
[client.accept]
Session-Timeout = 600
Cisco-AVPair = ["a=1", "b=2"]
[client.accept_group."admins"]
Class = "admin"
[client.accept_group."staff"]
Class = "staff"
[[client]]
name = "directory"
address = "192.0.2.10"
secret = "0123456789abcdefghij"
first_factor = "ldap"
[[client]]
name = "numbers"
address = "192.0.2.11"
secret = "0123456789abcdefghij"
first_factor = "none"
password = "ignored"
msisdn_from_user_name = true
[[upstream]]
name = "domain"
address = "203.0.113.1:1812"
secret = "0123456789abcdefghij"
[[rule]]
name = "probes"
user = "probe"
then = "reject"
[[rule]]
user = "robot"
then = "accept"
[[rule]]
name = "guest network"
client = "domain"
called_station = "guest"
then = "accept"
"#;

/// The core's configuration, once: its certificates are read from nowhere.
fn setup(mode: MessagingMode) -> Arc<Setup> {
    let file = FileConfig::parse(
        "mobileid.toml",
        r#"
        [service]
        ap_id = "mid://acme.example"
        dtbd_prefix = "ACME: "
        client_cert = "c"
        client_key = "k"
        [signature]
        trust = "t"
        [[directory]]
        type = "ldap"
        name = "ad"
        servers = "ldap://127.0.0.1"
        bind = "anonymous"
        base = "dc=x"
        filter = "(uid={user})"
        "#,
    )
    .unwrap();
    let connection = Connection {
        service: file.url.clone(),
        server_name: "mobileid.example".into(),
        proxy: None,
        server_roots: Vec::new(),
        client_cert: Vec::new(),
        client_cert_count: 1,
        client_key: Secret::default(),
        timeouts: file.timeouts,
    };
    let Some(KindFile::Ldap(ldap)) = file.directories.first().map(|directory| &directory.kind) else {
        panic!()
    };
    let kind = Kind::Ldap(Box::new(ldap.ldap.clone()));
    let directory = Directory { name: "ad".to_owned(), unavailable: WhenUnavailable::Deny, kind };
    let mut config = file.config(TrustAnchors::default());
    config.mode = mode;
    Arc::new(Setup {
        config: Arc::new(config),
        directories: Arc::new(Directories::new(vec![directory])),
        connection,
        evidence: None,
        pam: PamConfig::default(),
    })
}

static SYNCH: LazyLock<Arc<Setup>> = LazyLock::new(|| setup(MessagingMode::Synch));
static ASYNCH: LazyLock<Arc<Setup>> = LazyLock::new(|| setup(MessagingMode::Asynch));

fn settings(text: &str, setup: &Arc<Setup>) -> Arc<Settings> {
    // A folder that is there; the loop alone writes what was learnt.
    let text = format!("state_dir = \"/\"\n{text}");
    let read = config::read("radiusd.toml", &text, Path::new("/"), setup);
    Arc::new(read.unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// The responder, its clock, and what it was heard to say.
struct Bench {
    server: Server,
    now: Now,
    /// Repeats with a long period: enough to tell nonces apart.
    random: u64,
    /// The requests that an answer may belong to.
    asked: HashMap<(Peer, u8), Vec<(Authenticator, SharedSecret)>>,
    /// The answers since the last look at them.
    answers: VecDeque<Reply>,
    logs: Vec<String>,
    tickets: Vec<Ticket>,
    requests: Vec<login::Request>,
    accounts: Vec<String>,
    audits: Vec<mobileid::audit::AuditRecord>,
    next_identifier: u8,
}

/// An answer, as a client reads it.
#[derive(Clone, Debug)]
struct Reply {
    code: Code,
    identifier: u8,
    octets: Arc<[u8]>,
    attributes: Vec<(u8, Vec<u8>)>,
}

impl Reply {
    fn all(&self, kind: u8) -> Vec<&[u8]> {
        self.attributes.iter().filter(|(k, _)| *k == kind).map(|(_, value)| &value[..]).collect()
    }

    fn text(&self) -> String {
        let all = self.all(attribute::REPLY_MESSAGE);
        String::from_utf8(all.first().map(|value| value.to_vec()).unwrap_or_default()).unwrap()
    }

    fn state(&self) -> Vec<u8> {
        self.all(attribute::STATE)[0].to_vec()
    }
}

/// A packet to be.
#[derive(Clone)]
struct Ask {
    peer: Peer,
    code: Code,
    identifier: u8,
    authenticator: Authenticator,
    secret: &'static str,
    user: Option<String>,
    password: Option<&'static str>,
    station: Option<&'static str>,
    state: Option<Vec<u8>>,
    more: Vec<(u8, Vec<u8>)>,
    signed: bool,
}

impl Ask {
    fn from(mut self, host: u8) -> Self {
        self.peer.remote = peer(host).remote;
        self
    }

    fn port(mut self, port: u16) -> Self {
        self.peer.remote.set_port(port);
        self
    }

    fn station(mut self, station: &'static str) -> Self {
        self.station = Some(station);
        self
    }

    fn password(mut self, password: &'static str) -> Self {
        self.password = Some(password);
        self
    }

    fn state(mut self, state: &[u8]) -> Self {
        self.state = Some(state.to_vec());
        self
    }

    fn with(mut self, kind: u8, value: &[u8]) -> Self {
        self.more.push((kind, value.to_vec()));
        self
    }

    fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    fn secret(&self) -> SharedSecret {
        SharedSecret::new(self.secret.as_bytes())
    }

    fn octets(&self) -> Vec<u8> {
        let mut builder = Builder::new(self.code, self.identifier, self.authenticator);
        if let Some(user) = &self.user {
            builder.add(attribute::USER_NAME, user.as_bytes()).unwrap();
        }
        if let Some(password) = self.password {
            let hidden = hide_password(password.as_bytes(), &self.secret(), &self.authenticator).unwrap();
            builder.add(attribute::USER_PASSWORD, &hidden).unwrap();
        }
        if let Some(station) = self.station {
            builder.add(attribute::CALLING_STATION_ID, station.as_bytes()).unwrap();
        }
        if let Some(state) = &self.state {
            builder.add(attribute::STATE, state).unwrap();
        }
        for (kind, value) in &self.more {
            builder.add(*kind, value).unwrap();
        }
        match self.code {
            Code::ACCOUNTING_REQUEST => {
                let mut octets = builder.unsigned();
                let authenticator = authenticator::of_accounting(&octets, &self.secret());
                octets[4..20].copy_from_slice(&authenticator);
                octets
            }
            _ if self.signed => builder.signed_request(&self.secret()),
            _ => builder.unsigned(),
        }
    }
}

fn peer(host: u8) -> Peer {
    Peer { listener: 0, purpose: Purpose::Authentication, remote: ([192, 0, 2, host], 40_000).into() }
}

impl Bench {
    fn new() -> Self {
        Self::of(CONFIG, &SYNCH)
    }

    fn of(config: &str, setup: &Arc<Setup>) -> Self {
        Self::node(config, setup, 1)
    }

    /// A node; the same number seals State with the same key, but names another run each time.
    fn node(config: &str, setup: &Arc<Setup>, run: u8) -> Self {
        let settings = settings(config, setup);
        let keys = Keys {
            state: StateKey::new(&[7; 32]),
            joining: JoiningKey::new(&[run; 32]),
            node: NodeId(run.into()),
        };
        let wall = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Self {
            server: Server::new(settings, keys, Learnt::default()),
            now: Now { instant: Instant::now(), wall },
            random: u64::from(run) << 32,
            asked: HashMap::new(),
            answers: VecDeque::new(),
            logs: Vec::new(),
            tickets: Vec::new(),
            requests: Vec::new(),
            accounts: Vec::new(),
            audits: Vec::new(),
            next_identifier: 0,
        }
    }

    /// A new request of a user at client 1, signed, from her station.
    fn ask(&mut self, user: &str) -> Ask {
        self.next_identifier = self.next_identifier.wrapping_add(1);
        let mut authenticator = [0; 16];
        draw(&mut self.random, &mut authenticator);
        Ask {
            peer: peer(1),
            code: Code::ACCESS_REQUEST,
            identifier: self.next_identifier,
            authenticator,
            secret: SECRET,
            user: Some(user.to_owned()),
            password: Some("right"),
            station: Some("home"),
            state: None,
            more: Vec::new(),
            signed: true,
        }
    }

    fn send(&mut self, ask: &Ask) -> Vec<String> {
        let octets = ask.octets();
        let authenticator = Packet::parse(&octets).unwrap().authenticator();
        let asked = self.asked.entry((ask.peer, ask.identifier)).or_default();
        asked.push((authenticator, ask.secret()));
        self.raw(ask.peer, &octets)
    }

    fn raw(&mut self, peer: Peer, octets: &[u8]) -> Vec<String> {
        let (now, mut out) = (self.now, Vec::new());
        let random = &mut self.random;
        self.server.datagram(peer, octets, now, &mut |to| draw(random, to), &mut out);
        self.heard(out)
    }

    fn event(&mut self, event: Event) -> Vec<String> {
        let (now, mut out) = (self.now, Vec::new());
        let random = &mut self.random;
        self.server.event(event, now, &mut |to| draw(random, to), &mut out);
        self.heard(out)
    }

    /// Time passes; the responder is woken whenever it wants to be.
    fn pass(&mut self, time: f64) -> Vec<String> {
        let end = self.now.instant + Duration::from_secs_f64(time);
        let mut trace = Vec::new();
        loop {
            let next = self.server.due().unwrap_or(end).min(end).max(self.now.instant);
            self.now.wall += next - self.now.instant;
            self.now.instant = next;
            let (now, mut out) = (self.now, Vec::new());
            let random = &mut self.random;
            self.server.tick(now, &mut |to| draw(random, to), &mut out);
            trace.extend(self.heard(out));
            assert!(self.server.due().is_none_or(|due| due > next), "what was due is done");
            if next == end {
                return trace;
            }
        }
    }

    fn shown(&mut self, id: u64) -> Vec<String> {
        let code = TransactionCode::from_entropy(&[3; 8]);
        self.event(Event::Shown { id: LoginId(id), notice: Notice::confirm(code, Language::En) })
    }

    fn ends(&mut self, id: u64, outcome: Outcome) -> Vec<String> {
        self.event(Event::Ended { id: LoginId(id), outcome: Box::new(outcome) })
    }

    /// The phone says yes. The tests cannot make a signature; an exemption opens the same door.
    fn confirmed(&mut self, id: u64) -> Vec<String> {
        let outcome = yes(&self.requests[usize::try_from(id).unwrap() - 1], self.now);
        self.ends(id, outcome)
    }

    fn refused(&mut self, id: u64) -> Vec<String> {
        let request = self.requests[usize::try_from(id).unwrap() - 1].clone();
        let outcome = no(request, Reason::Fault(Fault::UserCancel), self.now);
        self.ends(id, outcome)
    }

    fn upstream(&mut self, id: u64, answer: Answer) -> Vec<String> {
        self.event(Event::Upstream { id: LoginId(id), answer })
    }

    fn answer(&mut self) -> Reply {
        self.answers.pop_front().expect("an answer")
    }

    fn heard(&mut self, out: Vec<Action>) -> Vec<String> {
        out.into_iter().filter_map(|action| self.hear(action)).collect()
    }

    fn hear(&mut self, action: Action) -> Option<String> {
        Some(match action {
            Action::Send { to, packet } => {
                let reply = self.checked(to, packet);
                let kind = match reply.code {
                    Code::ACCESS_ACCEPT => "accept",
                    Code::ACCESS_REJECT => "reject",
                    Code::ACCESS_CHALLENGE => "challenge",
                    Code::ACCOUNTING_RESPONSE => "acknowledge",
                    other => panic!("{other}"),
                };
                let said = format!("{kind} {}", reply.identifier);
                self.answers.push_back(reply);
                said
            }
            Action::Start { id, request, .. } => {
                let said = format!("start {} {}", id.0, request.user);
                self.note(id, request);
                said
            }
            Action::Resume { id, request, ticket, .. } => {
                let said = format!("resume {} {}", id.0, request.user);
                self.note(id, request);
                self.tickets.push(ticket);
                said
            }
            Action::Upstream { id, .. } => format!("upstream {}", id.0),
            Action::Judge { id, password, .. } => {
                format!(
                    "judge {} {} {} {}",
                    id.0,
                    password.directory,
                    password.user,
                    password.password.expose()
                )
            }
            Action::Abandon { id } => format!("abandon {}", id.0),
            Action::Audit(record) => {
                let said = format!("audit {}", record.reason);
                self.audits.push(*record);
                said
            }
            Action::Account(line) => {
                self.accounts.push(line);
                "account".into()
            }
            Action::Keep(..) => "keep".into(),
            Action::Learnt(client, address) => format!("learnt {client} {address}"),
            Action::Log(_, line) => {
                self.logs.push(line);
                return None;
            }
        })
    }

    fn note(&mut self, id: LoginId, request: login::Request) {
        let at = usize::try_from(id.0).unwrap();
        let nobody = login::Request { user: "nobody".parse().unwrap(), ..request.clone() };
        self.requests.resize(self.requests.len().max(at), nobody);
        self.requests[at - 1] = request;
    }

    /// As a strict client looks at an answer.
    fn checked(&self, to: Peer, octets: Arc<[u8]>) -> Reply {
        let packet = Packet::parse(&octets).unwrap();
        let asked = &self.asked[&(to, packet.identifier())];
        let (authenticator, secret) = asked
            .iter()
            .rfind(|(authenticator, secret)| authenticator::is_answer(&packet, authenticator, secret))
            .expect("a right Response Authenticator");
        if packet.code() != Code::ACCOUNTING_RESPONSE {
            let first = packet.attributes().next().map(|a| a.kind);
            assert_eq!(first, Some(attribute::MESSAGE_AUTHENTICATOR), "it comes first");
            assert_eq!(authenticator::check_answer(&packet, authenticator, secret), Signed::Valid);
        }
        let attributes = packet.attributes().map(|Attribute { kind, value }| (kind, value.to_vec()));
        let (code, identifier) = (packet.code(), packet.identifier());
        Reply { code, identifier, attributes: attributes.collect(), octets: Arc::clone(&octets) }
    }

    fn fate(&self, client: &str, fate: Fate) -> u64 {
        self.server.counters().clients.get(client).map_or(0, |fates| fates.of(fate))
    }
}

fn draw(state: &mut u64, to: &mut [u8]) {
    for octet in to {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *octet = (*state >> 56) as u8;
    }
}

fn yes(request: &login::Request, now: Now) -> Outcome {
    let mut outcome = login::exempt(request.clone(), Exemption::Unenrolled, "", Language::En, now);
    outcome.audit.ap_trans_id = Some("AP".into());
    outcome.evidence =
        Some(Proof { ap_trans_id: "AP".into(), text: "text".into(), signature: "signature".into() });
    outcome.groups = vec!["staff".into()];
    outcome
}

fn no(request: login::Request, reason: Reason, now: Now) -> Outcome {
    let mut outcome = login::refuse(request, reason, "", Language::En, now);
    outcome.audit.ap_trans_id = Some("AP".into());
    outcome
}

fn plain(kind: u8, value: &[u8]) -> PassedOn {
    PassedOn::plain(None, kind, value)
}

fn nothing() -> Vec<String> {
    Vec::new()
}
