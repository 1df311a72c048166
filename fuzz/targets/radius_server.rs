//! Any story of the whole responder: packets, right and wrong, retransmitted and changed, logins that end in any way,
//! time that passes. Every answer is signed and belongs to a packet that was let in; nobody is accepted before somebody
//! has confirmed.
//!
//! ```text
//! story   step*
//! step    0 octets from anybody | 1 a request: client user password flags | 2 an earlier packet again
//!         | 3 an earlier packet with one octet changed | 4 shown | 5 confirmed | 6 refused | 7 broken
//!         | 8 the first factor says | 9 time passes | 10 drain, seldom
//! ```
#![no_main]

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, Instant, UNIX_EPOCH},
};

use libfuzzer_sys::fuzz_target;
use mobileid::{
    config::{FileConfig, PamConfig},
    load::{Connection, Setup},
    login::{self, Now, Request},
    notice::Notice,
    outcome::{Exemption, Reason},
    prompt::Code as TransactionCode,
    secret::Secret,
    subscriber::Language,
    verify::TrustAnchors,
};
use mobileid_radius::{
    authenticator::{Authenticator, SharedSecret, Signed, check_answer, hide_password, is_answer},
    config::{self, Settings},
    packet::{Builder, Code, Packet, attribute},
    server::{Action, Event, Keys, Learnt, LoginId, Peer, Purpose, Server},
    upstream::Answer,
};

const SECRET: &[u8] = b"0123456789abcdefghij";
const CLIENTS: &str = r#"
state_dir = "/"
[limits]
pending = 8
[[client]]
name = "wait"
address = "192.0.2.0"
secret = "0123456789abcdefghij"
mode = "wait"
nas_timeout = 60
first_factor = "none"
password = "ignored"
[[client]]
name = "challenge"
address = "192.0.2.1"
secret = "0123456789abcdefghij"
mode = "challenge"
nas_timeout = 10
deadline = 80
message_authenticator = "optional"
first_factor = "none"
password = "ignored"
[[client]]
name = "domain"
address = "192.0.2.2"
secret = "0123456789abcdefghij"
mode = "wait-then-challenge"
nas_timeout = 10
deadline = 80
first_factor = "radius"
upstream = "domain"
[[upstream]]
name = "domain"
address = "203.0.113.1:1812"
secret = "0123456789abcdefghij"
"#;
const CORE: &str = "[service]\nap_id = 'mid://acme.example'\ndtbd_prefix = 'ACME: '\nclient_cert = 'c'\n\
                    client_key = 'k'\n[signature]\ntrust = 't'\n[users]\ntable = 'u'\n";

static SETTINGS: LazyLock<Arc<Settings>> = LazyLock::new(|| {
    let file = FileConfig::parse("mobileid.toml", CORE).expect("a configuration");
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
    let config = Arc::new(file.config(TrustAnchors::default()));
    let setup = Arc::new(Setup {
        config,
        directories: Arc::default(),
        connection,
        evidence: None,
        pam: PamConfig::default(),
    });
    Arc::new(config::read("radiusd.toml", CLIENTS, Path::new("/"), &setup).expect("settings"))
});
static KEY: LazyLock<SharedSecret> = LazyLock::new(|| SharedSecret::new(SECRET));
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fuzz_target!(|bytes: &[u8]| {
    let mut world = World::new();
    let mut story = Story(bytes);
    while !story.0.is_empty() {
        world.step(&mut story);
    }
    world.pass(Duration::from_secs(10_000));
});

struct Story<'a>(&'a [u8]);

impl<'a> Story<'a> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.octet()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }
}

struct World {
    server: Server,
    now: Now,
    random: u8,
    authenticators: u64,
    /// Packets that were sent with the secret, each with its authenticator.
    sent: Vec<(Peer, Vec<u8>, Authenticator)>,
    state: Option<Vec<u8>>,
    running: Vec<(LoginId, Request)>,
    asked: BTreeSet<LoginId>,
    confirmed: bool,
}

impl World {
    fn new() -> Self {
        let keys = Keys::new(&SETTINGS, &mut |to| to.fill(7));
        Self {
            server: Server::new(Arc::clone(&SETTINGS), keys, Learnt::default()),
            now: Now { instant: *START, wall: UNIX_EPOCH + Duration::from_secs(1_800_000_000) },
            random: 0,
            authenticators: 0,
            sent: Vec::new(),
            state: None,
            running: Vec::new(),
            asked: BTreeSet::new(),
            confirmed: false,
        }
    }

    fn step(&mut self, story: &mut Story<'_>) {
        match story.octet() % 11 {
            0 => {
                let peer = peer(story.octet() % 4);
                self.datagram(peer, story.piece());
            }
            1 => self.request(story),
            kind @ (2 | 3) if !self.sent.is_empty() => {
                let (peer, mut octets, _) = self.sent[usize::from(story.octet()) % self.sent.len()].clone();
                if kind == 3 {
                    let place = usize::from(story.octet()) % octets.len();
                    octets[place] ^= story.octet();
                }
                self.datagram(peer, &octets);
            }
            4 => {
                if let Some((id, _)) = self.running.first().cloned() {
                    let notice = Notice::confirm(TransactionCode::from_entropy(&[3; 8]), Language::En);
                    self.event(Event::Shown { id, notice });
                }
            }
            kind @ 5..=7 if !self.running.is_empty() => {
                let at = usize::from(story.octet()) % self.running.len();
                let (id, request) = self.running.remove(at);
                self.end(kind, id, request);
            }
            8 => {
                if let Some(id) = self.asked.pop_first() {
                    let text = String::from_utf8_lossy(story.piece()).into_owned();
                    let answer = match story.octet() % 4 {
                        0 => Answer::Accept { attributes: Vec::new() },
                        1 => Answer::Reject { reply_message: Some(text) },
                        2 => Answer::Challenge {
                            state: text.into_bytes(),
                            server: 0,
                            reply_message: None,
                            attributes: Vec::new(),
                        },
                        _ => Answer::Silent(text),
                    };
                    self.event(Event::Upstream { id, answer });
                }
            }
            9 => self.pass(Duration::from_millis(u64::from(story.octet()) * 200)),
            10 if story.octet() == 0 => self.server.drain(),
            _ => {}
        }
    }

    fn end(&mut self, kind: u8, id: LoginId, request: Request) {
        let outcome = match kind {
            5 => {
                self.confirmed = true;
                login::exempt(request, Exemption::Unenrolled, "", Language::En, self.now)
            }
            6 => login::refuse(request, Reason::TimedOut, "", Language::En, self.now),
            _ => return self.event(Event::Broken { id, detail: "broken".into() }),
        };
        self.event(Event::Ended { id, outcome: Box::new(outcome) });
    }

    fn request(&mut self, story: &mut Story<'_>) {
        let peer = peer(story.octet() % 3);
        self.authenticators += 1;
        let mut authenticator = [0; 16];
        authenticator[..8].copy_from_slice(&self.authenticators.to_be_bytes());
        let code = if story.octet() == 0 { Code::STATUS_SERVER } else { Code::ACCESS_REQUEST };
        let mut builder = Builder::new(code, story.octet() % 4, authenticator);
        // What does not fit is left out.
        let _ = builder.add(attribute::USER_NAME, story.piece());
        if let Some(hidden) = hide_password(story.piece(), &KEY, &authenticator) {
            let _ = builder.add(attribute::USER_PASSWORD, &hidden);
        }
        let flags = story.octet();
        if flags & 1 != 0 {
            let _ = builder.add(attribute::PROXY_STATE, story.piece());
        }
        if let Some(state) = self.state.as_ref().filter(|_| flags & 2 != 0) {
            let _ = builder.add(attribute::STATE, state);
        }
        if flags & 4 != 0 {
            let _ = builder.add(story.octet(), story.piece());
        }
        let octets = if flags & 8 != 0 { builder.unsigned() } else { builder.signed_request(&KEY) };
        self.sent.push((peer, octets.clone(), authenticator));
        self.datagram(peer, &octets);
    }

    fn datagram(&mut self, peer: Peer, octets: &[u8]) {
        let (mut out, random) = (Vec::new(), &mut self.random);
        self.server.datagram(peer, octets, self.now, &mut |to| draw(random, to), &mut out);
        // Where a signature is optional, a packet may be another one than was sent.
        if let Ok(packet) = Packet::parse(octets) {
            self.sent.push((peer, octets.to_vec(), packet.authenticator()));
        }
        self.heard(out);
        if self.sent.len() > 64 {
            self.sent.drain(..32);
        }
    }

    fn event(&mut self, event: Event) {
        let (mut out, random) = (Vec::new(), &mut self.random);
        self.server.event(event, self.now, &mut |to| draw(random, to), &mut out);
        self.heard(out);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some(due) = self.server.due().filter(|due| *due <= end) {
            self.clock(due);
            assert!(self.server.due().is_none_or(|next| next > due), "what is due is done");
        }
        self.clock(end);
    }

    fn clock(&mut self, to: Instant) {
        let passed = to.saturating_duration_since(self.now.instant);
        self.now = Now { instant: self.now.instant + passed, wall: self.now.wall + passed };
        let (mut out, random) = (Vec::new(), &mut self.random);
        self.server.tick(self.now, &mut |to| draw(random, to), &mut out);
        self.heard(out);
    }

    fn heard(&mut self, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Send { to, packet } => self.answered(to, &packet),
                Action::Start { id, request, .. } => self.running.push((id, request)),
                Action::Upstream { id, .. } => assert!(self.asked.insert(id), "asked twice at once"),
                Action::Log(_, line) => mobileid_fuzz::assert_one_plain_line(&line),
                _ => {}
            }
        }
        assert!(self.server.pending() <= 8);
    }

    fn answered(&mut self, to: Peer, octets: &[u8]) {
        let packet = Packet::parse(octets).expect("a whole packet");
        // Requests that were altered on the way share an authenticator, and one of them is answered.
        let of: Vec<_> = self
            .sent
            .iter()
            .filter(|(peer, _, authenticator)| *peer == to && is_answer(&packet, authenticator, &KEY))
            .map(|(_, request, authenticator)| {
                (Packet::parse(request).expect("a whole packet"), authenticator)
            })
            .collect();
        let Some((_, authenticator)) = of.first() else {
            // Its request is no longer remembered here.
            return;
        };
        assert_eq!(packet.attributes().next().map(|a| a.kind), Some(attribute::MESSAGE_AUTHENTICATOR));
        assert_eq!(check_answer(&packet, authenticator, &KEY), Signed::Valid);
        let states =
            |packet: &Packet<'_>| packet.all(attribute::PROXY_STATE).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut answered =
            of.iter().map(|(request, _)| request).filter(|r| states(r) == states(&packet)).peekable();
        assert!(answered.peek().is_some(), "Proxy-State comes back in order");
        let asks_for_life = |request: &Packet<'_>| {
            request.code() == Code::STATUS_SERVER && request.identifier() == packet.identifier()
        };
        if packet.code() == Code::ACCESS_ACCEPT && !answered.any(asks_for_life) {
            assert!(self.confirmed, "accepted, and nobody has confirmed");
        }
        self.state = packet.first(attribute::STATE).map(<[u8]>::to_vec).or(self.state.take());
    }
}

fn peer(host: u8) -> Peer {
    let remote = SocketAddr::from(([192, 0, 2, host], 40_000));
    Peer { listener: 0, purpose: Purpose::Authentication, remote }
}

fn draw(state: &mut u8, to: &mut [u8]) {
    for octet in to {
        *state = state.wrapping_mul(5).wrapping_add(1);
        *octet = *state;
    }
}
