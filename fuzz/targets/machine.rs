//! Any story of a login: answers in any order, with any body, while the clocks jump. A synchronous one ends after three
//! answers at most, and one more where a first serial number is to be kept; an asynchronous one may go on for as long as
//! the story does, and on other nodes. Each sends one signature request at most, and accepts only what Alice or Bob
//! signed for this very login, by the policy on serial numbers.
//!
//! A story is a string of bytes, read from the front; bytes that are missing are zero.
//!
//! ```text
//! story   config entropy [24 bytes] user service host rhost clock (answer clock)*
//! clock   0-3 stands, 4 s forward, 5 s back, 6 u32 seconds forward, 7 u64 the date, 8 to the end of time
//! answer  0 Found number language serial profile | 1 NotEnrolled | 2 Unavailable text | 3 Shown
//!         | 4 Reply status body | 5 Unreachable why text | 6 Lost text | 7 TimedOut | 8 Cancelled | 9 Waited
//!         | 10 none: the login goes on elsewhere, where it can: entropy [24 bytes]
//!         | 11 Pinned: 0 Kept, 1 Same, 2 Other, 3 Unavailable text
//! body    0 u16-length bytes | 1 signature: transaction number code signature (changes (u16 where, xor)*)
//!         | 2 fault: code detail | 3 status: like a signature, for the last status request
//! text    length bytes
//! ```
//!
//! seeds.rs writes such stories.
#![no_main]

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};
use mobileid::{
    config::{Config, FileConfig, MessagingMode, SerialPolicy, Unenrolled},
    directory::Lookup,
    login::{Answer, Ask, Login, Now, Pin, Pinned, Request, Step, Ticket},
    mss::{HttpRequest, HttpResponse},
    outcome::{Exemption, Outcome, Reason, Unreachable, Verdict},
    subscriber::{Entry, Language, Profile, SerialNumber, Subscriber},
};
use mobileid_fuzz as fixtures;
use mobileid_fuzz::{assert_fits_the_phone, assert_genuine, assert_one_plain_line};
use serde_json::{Value, json};

fuzz_target!(init: the_genuine_login_is_accepted(), |bytes: &[u8]| { play(bytes); });

/// Without this the fuzzer would look for a way around a door that nobody can pass.
fn the_genuine_login_is_accepted() {
    let outcome = play(include_bytes!("../corpus/machine/accepted"));
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{outcome:?}: see seeds.sh");
}

/// Configurations that differ in what a login depends on: lines for [signature], and lines for the end.
static CONFIGS: LazyLock<[Arc<Config>; 9]> = LazyLock::new(|| {
    [
        ("", ""),
        ("", "\nunenrolled = 'allow'"),
        ("", "\n[timeouts]\nsim = 1\nsim_connection = 300"),
        ("", "\n[prompt]\nlanguage = 'it'"),
        ("", "\nunenrolled = 'allow'\n[timeouts]\npoll = 1"),
        ("serial = 'ignore'", ""),
        ("serial = 'if-known'", ""),
        ("serial = 'required'", ""),
        ("serial = 'required'", "\n[timeouts]\npoll = 1"),
    ]
    .map(|(signature, more)| {
        let text = format!(
            "[service]\nap_id = 'mid://acme.example'\nap_pwd = '{}'\ndtbd_prefix = '{}'\n\
                 client_cert = 'c'\nclient_key = 'k'\n[signature]\ntrust = 't'\n{signature}\n\
                 [prompt.template]\nen = '{}'\n\
                 [users]\ntable = 'u'{more}\n",
            fixtures::SECRET,
            fixtures::PREFIX,
            fixtures::TEMPLATE
        );
        // TOML has a table once: where more of [prompt] follows, its templates are the default ones.
        let text = if more.contains("[prompt]") { text.replace("[prompt.template]\nen", "#") } else { text };
        let text = match more.contains("poll") {
            true => text.replace("[service]", "[service]\nmessaging_mode = 'asynch'"),
            false => text,
        };
        let file = FileConfig::parse("m.toml", &text).expect("the configuration is good");
        Arc::new(file.config(fixtures::ANCHORS.clone()))
    })
});

fn play(bytes: &[u8]) -> Outcome {
    let mut story = Story { bytes: Unstructured::new(bytes), foreign: String::new() };
    let config = Arc::clone(&CONFIGS[usize::from(story.byte()) % CONFIGS.len()]);
    let entropy = match story.byte() {
        0 => fixtures::ALICE_ENTROPY,
        1 => fixtures::BOB_ENTROPY,
        _ => story.entropy(),
    };
    let request = Request {
        user: story.name(&["alice", "bob"]).parse().unwrap_or_else(|_| "alice".parse().expect("a good name")),
        service: story.name(&["sshd"]),
        host: story.name(&["web1"]),
        rhost: Some(story.name(&["", "192.0.2.7"])).filter(|rhost| !rhost.is_empty()),
        client: None,
        target: None,
        command: None,
        limit: None,
    };
    let mut clock = Clock::start();
    clock.turn(&mut story);

    let mut known = Known::default();
    let mut step = Login::start(request.clone(), &config, clock.now, &entropy);
    for answers in 0.. {
        let (login, ask) = match step {
            Step::Ask(login, ask) => (login, ask),
            Step::Done(outcome) => {
                judge(&outcome, &config, &known, &story);
                return *outcome;
            }
        };
        let most = if matches!(ask, Ask::Pin(_)) { 4 } else { 3 };
        assert!(answers < most || config.mode == MessagingMode::Asynch, "one ask too many: {ask:?}");
        known.note(&ask, &login, &clock);
        if let Ask::Pin(pin) = &ask {
            known.note_pin(pin, &request, &config);
        }
        let Some(answer) = story.answer(&login, &known) else {
            let entropy = story.entropy();
            clock.turn(&mut story);
            step = match login.ticket() {
                Some(ticket) => {
                    known.moves_on(&ticket);
                    Login::resume(request.clone(), ticket, &config, clock.now, &entropy)
                }
                None => login.step(Answer::Cancelled, clock.now),
            };
            known.cancelled = known.elsewhere.is_none();
            continue;
        };
        known.last(&answer);
        clock.turn(&mut story);
        known.too_late = clock.now.instant >= login.deadline();
        // What is kept after the verification has no date.
        known.date = if matches!(answer, Answer::Pinned(_)) { known.date } else { Some(clock.now.wall) };
        step = login.step(answer, clock.now);
    }
    unreachable!("the loop returns")
}

/// What a story has shown so far.
#[derive(Default)]
struct Known {
    /// The code on the terminal: the phone must show the same.
    code: String,
    /// The text on the phone and AP_TransID, as they went over the wire.
    sent: Option<(String, String)>,
    subscriber: Option<Subscriber>,
    not_enrolled: bool,
    /// The AP_TransID of the last status request.
    poll: Option<String>,
    /// Set when the login goes on elsewhere, until its user is looked up there: the text and AP_TransID of the ticket.
    elsewhere: Option<(String, String)>,
    /// The serial number that was to be kept, and what became of it.
    pin: Option<Pin>,
    pinned: Option<Pinned>,
    /// The last answer.
    cancelled: bool,
    reply: Option<HttpResponse>,
    too_late: bool,
    date: Option<SystemTime>,
}

impl Known {
    fn note(&mut self, ask: &Ask, login: &Login, clock: &Clock) {
        assert!(!format!("{login:?} {ask:?}").contains(fixtures::SECRET), "AP_PWD in a Debug text");
        match ask {
            Ask::Lookup(_) => {
                let begun = self.elsewhere.take();
                assert_eq!(begun, self.sent, "looked up again, or somebody else's login goes on");
                assert!(self.subscriber.is_none());
            }
            Ask::Show(notice) => {
                assert!(self.sent.is_none(), "shown after the request");
                assert_one_plain_line(&notice.to_string());
                assert!(!notice.is_denial());
                self.code = notice.code().expect("a code to compare").to_string();
            }
            Ask::Send(request) if request.repeatable => {
                assert!(self.sent.is_some(), "asked what became of a request that was not sent");
                let left = login.deadline().saturating_duration_since(clock.now.instant);
                self.poll = Some(read_status_request(request, left));
            }
            Ask::WaitUntil(due) => {
                assert!(self.sent.is_some() && *due < login.deadline());
                // There is none before 1970.
                if let Some(ticket) = login.ticket() {
                    assert_eq!(Ticket::decode(&ticket.encode()), Some(ticket));
                }
            }
            Ask::Pin(_) => assert!(login.ticket().is_none(), "what is signed is finished here"),
            Ask::Send(request) => {
                assert!(self.sent.is_none(), "a second request: somebody's phone rings twice");
                let left = login.deadline().saturating_duration_since(clock.now.instant);
                self.sent = Some(read_request(request, &self.code, left, self.subscriber.as_ref()));
            }
        }
    }

    /// Asked for once, after the signature, where none is known and the policy says so.
    fn note_pin(&mut self, pin: &Pin, request: &Request, config: &Config) {
        assert_eq!(config.serial, SerialPolicy::FirstUse);
        assert!(self.sent.is_some() && self.reply.is_some(), "a serial number, and nobody has signed");
        let subscriber = self.subscriber.as_ref().expect("a serial number of nobody");
        assert!(subscriber.serial.is_none(), "another one is known");
        assert_eq!((&pin.user, &pin.entry), (&request.user, &subscriber.entry), "somebody else's");
        let earlier = self.pin.replace(pin.clone());
        assert!(earlier.is_none(), "asked for twice");
    }

    /// Another node looks the user up for itself.
    fn moves_on(&mut self, ticket: &Ticket) {
        self.elsewhere = Some((ticket.text().to_owned(), ticket.ap_trans_id().to_string()));
        (self.subscriber, self.poll, self.reply) = (None, None, None);
    }

    fn last(&mut self, answer: &Answer) {
        self.cancelled = matches!(answer, Answer::Cancelled);
        if let (Answer::Pinned(pinned), Some(_)) = (answer, &self.pin) {
            self.pinned = Some(pinned.clone());
            return;
        }
        self.reply = None;
        match answer {
            Answer::Reply(response) => self.reply = Some(response.clone()),
            Answer::Looked(Lookup::Found(subscriber)) if self.subscriber.is_none() => {
                self.subscriber = Some(subscriber.clone());
            }
            Answer::Looked(Lookup::NotEnrolled) => self.not_enrolled = true,
            _ => {}
        }
    }
}

/// A status request has a name of its own and ends in time.
fn read_status_request(request: &HttpRequest, left: Duration) -> String {
    let json: Value = serde_json::from_str(request.body.expose()).expect("the request is JSON");
    let request_id = json["MSS_StatusReq"]["AP_Info"]["AP_TransID"].as_str().expect("a field").to_owned();
    assert!(request.limit <= left && request.limit <= Duration::from_secs(10));
    assert_eq!(json["MSS_StatusReq"]["MinorVersion"], "1");
    assert!(!json.to_string().contains("MSISDN"));
    request_id
}

/// The request asks the right number, in time, for a text that fits.
fn read_request(
    request: &HttpRequest,
    code: &str,
    left: Duration,
    subscriber: Option<&Subscriber>,
) -> (String, String) {
    let json: Value = serde_json::from_str(request.body.expose()).expect("the request is JSON");
    let at = |path: &str| {
        json["MSS_SignatureReq"].pointer(path).and_then(Value::as_str).expect("a field").to_owned()
    };
    let subscriber = subscriber.expect("nobody was found and somebody is asked");
    assert_eq!(at("/MobileUser/MSISDN"), format!("+{}", subscriber.msisdn.digits()));
    let patience = Duration::from_secs(at("/TimeOut").parse().expect("whole seconds"));
    assert!(patience.as_secs() >= 1 && request.limit <= left);
    match at("/MessagingMode").as_str() {
        "synch" => assert!(patience < request.limit),
        _ => assert!(patience < left && request.limit <= Duration::from_secs(10)),
    }
    assert_eq!(at("/AP_Info/Instant").len(), "2050-01-01T00:00:00.000Z".len());
    let text = at("/DataToBeSigned/Data");
    assert_fits_the_phone(&text, fixtures::PREFIX, code);
    (text, at("/AP_Info/AP_TransID"))
}

/// The end: no accept without proof, nothing that a log or a terminal must not show.
fn judge(outcome: &Outcome, config: &Config, known: &Known, story: &Story<'_>) {
    match &outcome.verdict {
        Verdict::Accepted(proof) => {
            let (text, ap_trans_id) = known.sent.as_ref().expect("accepted, and nothing was sent");
            let subscriber = known.subscriber.as_ref().expect("accepted, and nobody was found");
            assert_genuine(text, proof.signer());
            assert!(!known.too_late, "accepted after the deadline");
            let reply = known.reply.as_ref().expect("accepted, and the service did not answer");
            assert_eq!(reply.status, 200);
            assert_answers(reply, ap_trans_id, known.poll.as_deref(), subscriber);
            assert_serial(&proof.signer().serial, subscriber, config, known);
            assert_eq!(outcome.audit.first_use, known.pinned == Some(Pinned::Kept));
            let date = known.date.expect("a date");
            assert!(
                date > fixtures::day() - YEAR * 25
                    && date <= proof.signer().not_after + Duration::from_secs(1)
            );
            let evidence = outcome.evidence.as_ref().expect("accepted without evidence");
            assert_eq!((&evidence.text, &evidence.ap_trans_id), (text, ap_trans_id));
        }
        Verdict::Exempt(Exemption::Unenrolled) => {
            assert!(
                config.unenrolled == Unenrolled::Allow && known.not_enrolled && known.subscriber.is_none()
            );
            assert!(!known.too_late && known.sent.is_none() && outcome.evidence.is_none());
        }
        Verdict::Exempt(_) => panic!("no host exempts here"),
        Verdict::Denied(reason) => {
            assert!(outcome.evidence.is_none() && outcome.notice.is_denial());
            assert_eq!(known.cancelled, *reason == Reason::Cancelled);
            // What the service said is known only after it was asked, and counts only in time. That it was not
            // reached stays true for ever.
            let answered = matches!(
                reason,
                Reason::Fault(_) | Reason::Status(_) | Reason::Refused(_) | Reason::Unreadable(_)
            );
            assert!(!answered || (known.sent.is_some() && !known.too_late));
            let looked =
                matches!(reason, Reason::NotEnrolled | Reason::DirectoryUnavailable | Reason::SerialUnknown);
            assert!(!looked || !known.too_late);
            assert!(*reason != Reason::SerialUnknown || config.serial == SerialPolicy::Required);
            let is_unkept = matches!(known.pinned, Some(Pinned::Unavailable(_)));
            assert_eq!(*reason == Reason::PinFailed, is_unkept && !known.too_late);
            // What was kept too late is kept all the same.
            let is_kept = known.pin.is_some() && known.pinned == Some(Pinned::Kept);
            assert!(!outcome.audit.first_use || (is_kept && known.too_late));
        }
    }
    assert_one_plain_line(&outcome.notice.to_string());
    let line = outcome.audit.line();
    assert_one_plain_line(&line);
    assert!(serde_json::from_str::<Value>(&line).is_ok());
    assert_eq!(outcome.audit.ap_trans_id.as_ref(), known.sent.as_ref().map(|(_, id)| id));
    for number in [fixtures::ALICE_NUMBER, fixtures::BOB_NUMBER] {
        assert!(
            !line.contains(number) || story.foreign.contains(number),
            "a whole number in the log: {line}"
        );
    }
    assert!(!format!("{outcome:?}").contains(fixtures::SECRET) || story.foreign.contains(fixtures::SECRET));
}

/// Who has signed is who was known, or is kept from now on; the policy says what has to be.
fn assert_serial(signed: &SerialNumber, subscriber: &Subscriber, config: &Config, known: &Known) {
    let is_kept = matches!(known.pinned, Some(Pinned::Kept | Pinned::Same));
    match (config.serial, &subscriber.serial) {
        (SerialPolicy::Ignore, _) | (SerialPolicy::IfKnown, None) => assert!(known.pin.is_none()),
        (_, Some(serial)) => assert!(serial == signed && known.pin.is_none(), "another phone"),
        (SerialPolicy::FirstUse, None) => {
            let pin = known.pin.as_ref().expect("accepted, and nothing is kept");
            assert!(
                is_kept && pin.serial == *signed,
                "accepted, and the next one would not have to be the same"
            );
        }
        (SerialPolicy::Required, None) => panic!("accepted, and no serial number is known"),
    }
}

/// The answer names this transaction and this number.
fn assert_answers(reply: &HttpResponse, ap_trans_id: &str, poll: Option<&str>, subscriber: &Subscriber) {
    let json: Value = serde_json::from_slice(&reply.body).expect("accepted, and the answer is no JSON");
    let (answer, ap_trans_id) = match poll {
        None => (&json["MSS_SignatureResp"], ap_trans_id),
        Some(poll) => (&json["MSS_StatusResp"], poll),
    };
    let field = |part: &str, name: &str| answer[part][name].as_str().expect("a text").to_owned();
    assert_eq!(field("AP_Info", "AP_TransID"), ap_trans_id, "accepted for another transaction");
    let number = field("MobileUser", "MSISDN");
    assert_eq!(number.parse().as_ref(), Ok(&subscriber.msisdn), "accepted for another number");
}

const YEAR: Duration = Duration::from_secs(31_557_600);

struct Clock {
    now: Now,
}

impl Clock {
    /// Far enough from the beginning of time to be set back.
    fn start() -> Self {
        static BOOT: LazyLock<Instant> = LazyLock::new(Instant::now);
        Self { now: Now { instant: *BOOT + YEAR, wall: fixtures::day() } }
    }

    /// Both clocks may jump either way, as a machine that slept or a wrong driver would have it.
    fn turn(&mut self, story: &mut Story<'_>) {
        let Now { instant, wall } = &mut self.now;
        let seconds = |seconds| Duration::from_secs(seconds);
        match story.byte() {
            0..=3 => {}
            4 => *instant += seconds(story.byte().into()),
            5 => *instant = instant.checked_sub(seconds(story.byte().into())).unwrap_or(*instant),
            6 => *instant += seconds(u32::from_be_bytes(story.array()).into()),
            7 => {
                let by = seconds(u64::from_be_bytes(story.array()));
                let epoch = SystemTime::UNIX_EPOCH;
                *wall = epoch.checked_add(by).or_else(|| epoch.checked_sub(by)).unwrap_or(epoch - seconds(1));
            }
            8 => *instant = instant.checked_add(seconds(i64::MAX as u64 - (1 << 40))).unwrap_or(*instant),
            _ => *instant += Duration::from_millis(1),
        }
    }
}

struct Story<'a> {
    bytes: Unstructured<'a>,
    /// All texts that came from the fuzzer: what stands in them may come out again.
    foreign: String,
}

impl Story<'_> {
    fn byte(&mut self) -> u8 {
        self.bytes.arbitrary().unwrap_or_default()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes.arbitrary().unwrap_or([0; N])
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()].clone()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let length = length.min(self.bytes.len());
        self.bytes.bytes(length).unwrap_or_default().to_vec()
    }

    fn text(&mut self) -> String {
        let length = self.byte().into();
        let text = String::from_utf8_lossy(&self.bytes(length)).into_owned();
        self.foreign.push_str(&text);
        self.foreign.push('\n');
        text
    }

    /// One of the usual ones, or any.
    fn name(&mut self, usual: &[&str]) -> String {
        match usual.get(usize::from(self.byte())) {
            Some(name) => (*name).to_owned(),
            None => self.text(),
        }
    }

    fn entropy(&mut self) -> [u8; 24] {
        self.array()
    }

    /// None where the login is to go on elsewhere.
    fn answer(&mut self, login: &Login, known: &Known) -> Option<Answer> {
        Some(match self.byte() % 12 {
            0 => Answer::Looked(Lookup::Found(self.subscriber())),
            1 => Answer::Looked(Lookup::NotEnrolled),
            2 => Answer::Looked(Lookup::Unavailable(self.text())),
            3 => Answer::Shown,
            4 => Answer::Reply(self.response(login, known)),
            5 => {
                use Unreachable::{Connect, Local, Name, Proxy, Tls, TooSlow};
                Answer::Unreachable(self.pick(&[Name, Connect, Proxy, Tls, TooSlow, Local]), self.text())
            }
            6 => Answer::Lost(self.text()),
            7 => Answer::TimedOut,
            8 => Answer::Cancelled,
            9 => Answer::Waited,
            10 => return None,
            _ => Answer::Pinned(self.pinned()),
        })
    }

    fn pinned(&mut self) -> Pinned {
        match self.byte() % 4 {
            0 => Pinned::Kept,
            1 => Pinned::Same,
            2 => Pinned::Other(fixtures::BOB_SERIAL.parse().expect("a serial number")),
            _ => Pinned::Unavailable(self.text()),
        }
    }

    fn subscriber(&mut self) -> Subscriber {
        let number = self.pick(&[fixtures::ALICE_NUMBER, fixtures::BOB_NUMBER]);
        let language = self.byte();
        let serial = self.name(&["", fixtures::ALICE_SERIAL, fixtures::BOB_SERIAL]);
        let profile = self.byte();
        Subscriber {
            msisdn: number.parse().expect("a number"),
            language: Language::ALL.get(usize::from(language).wrapping_sub(1)).copied(),
            serial: serial.parse().ok(),
            profile: Profile::ALL.get(usize::from(profile).wrapping_sub(1)).copied(),
            groups: Vec::new(),
            entry: Entry { directory: "users".into(), id: format!("who has {number}") },
        }
    }

    fn response(&mut self, login: &Login, known: &Known) -> HttpResponse {
        let status = match self.byte() {
            0 => 200,
            1 => 500,
            _ => u16::from_be_bytes(self.array()),
        };
        let body = match self.byte() % 4 {
            0 => {
                let length = u16::from_be_bytes(self.array()).into();
                let body = self.bytes(length);
                self.foreign.push_str(&String::from_utf8_lossy(&body));
                body
            }
            1 => self.signature(login.ap_trans_id().as_str(), "MSS_SignatureResp").to_string().into_bytes(),
            3 => {
                let own = known.poll.as_deref().unwrap_or_default();
                self.signature(own, "MSS_StatusResp").to_string().into_bytes()
            }
            _ => {
                let (code, detail) = (self.name(&["_401", "_208", "_101"]), self.text());
                json!({ "Fault": { "Code": { "SubCode": { "Value": code } }, "Detail": detail, "Reason": "R" } })
                    .to_string()
                    .into_bytes()
            }
        };
        HttpResponse { status, date: None, body }
    }

    /// An answer of the right shape; whether it is the right one is for the story to say.
    fn signature(&mut self, own: &str, root: &str) -> Value {
        let transaction = self.name(&[own, "mid-00000000000000000000000000000000"]);
        let number = self.name(&[fixtures::ALICE_NUMBER, fixtures::BOB_NUMBER]);
        let code = self.name(&["500", "502", "100", "504"]);
        let mut cms = self
            .pick(&[
                fixtures::ALICE_SIGNATURE,
                fixtures::BOB_SIGNATURE,
                fixtures::STRANGERS_SIGNATURE,
                fixtures::ALICE_P384_SIGNATURE,
            ])
            .to_vec();
        for _ in 0..self.byte() % 8 {
            let at = usize::from(u16::from_be_bytes(self.array())) % cms.len();
            cms[at] ^= self.byte();
        }
        json!({ root: {
            "AP_Info": { "AP_TransID": transaction },
            "MSSP_TransID": "h0001",
            "MobileUser": { "MSISDN": number },
            "MSS_Signature": { "Base64Signature": BASE64_STANDARD.encode(cms) },
            "Status": { "StatusCode": { "Value": code } },
        } })
    }
}
