#![allow(
    clippy::disallowed_methods,
    reason = "a story begins at some instant; after that its clock is its own"
)]

use super::*;
use crate::{
    config::FileConfig,
    mss::fault::{Fault, Status},
    outcome::{Class, Unreadable},
    subscriber::Profile,
    verify::{Refusal, TrustAnchors, tests::good_signature},
};

mod asynchronous;
mod serials;
mod tickets;

/// A login in virtual time: the clock moves only when the story says so.
struct Story {
    now: Now,
    step: Option<Step>,
}

const ENTROPY: Entropy = *b"entropy of a whole login";
const SERIAL: &str = "MIDCHE0123456789";

fn config(anchors: TrustAnchors, unenrolled: Unenrolled) -> Arc<Config> {
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
        profile = "any"
        [prompt]
        language = "it"
        [users]
        table = "u"
        "#,
    )
    .unwrap();
    Arc::new(Config { unenrolled, ..file.config(anchors) })
}

fn request() -> Request {
    Request {
        user: "alice".parse().unwrap(),
        service: "sshd".into(),
        host: "web1".into(),
        rhost: Some("192.0.2.7".into()),
        client: None,
        target: None,
        command: None,
        limit: None,
    }
}

fn alice() -> Subscriber {
    Subscriber {
        msisdn: "+41791234567".parse().unwrap(),
        language: Some(Language::De),
        serial: Some(SERIAL.to_lowercase().parse().unwrap()),
        profile: None,
        groups: vec!["staff".into()],
        entry: Entry { directory: "users".into(), id: "alice".into() },
    }
}

impl Story {
    fn begin(config: &Arc<Config>, wall: SystemTime) -> Self {
        let now = Now { instant: Instant::now(), wall };
        Self { now, step: Some(Login::start(request(), config, now, &ENTROPY)) }
    }

    /// Signed by the right person, at a time when the certificates hold.
    fn trusting() -> (Self, impl Fn(&str) -> String) {
        let (_, anchors, at) = good_signature("");
        (Self::begin(&config(anchors, Unenrolled::Deny), at), |text: &str| good_signature(text).0)
    }

    fn after(mut self, time: Duration) -> Self {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall + time };
        self
    }

    fn answer(mut self, answer: Answer) -> Self {
        let Some(Step::Ask(login, _)) = self.step.take() else { panic!("the login is over") };
        self.step = Some(login.step(answer, self.now));
        self
    }

    fn asked(&self) -> &Ask {
        match self.step.as_ref().unwrap() {
            Step::Ask(_, ask) => ask,
            Step::Done(outcome) => panic!("already over: {:?}", outcome.verdict),
        }
    }

    /// Up to the request that waits for its answer.
    fn sent(self) -> Self {
        self.answer(Answer::Looked(Lookup::Found(alice()))).answer(Answer::Shown)
    }

    fn http(&self) -> (serde_json::Value, Duration) {
        let Ask::Send(http) = self.asked() else { panic!("nothing is sent: {:?}", self.asked()) };
        (serde_json::from_str(http.body.expose()).unwrap(), http.limit)
    }

    fn text(&self) -> String {
        self.http().0["MSS_SignatureReq"]["DataToBeSigned"]["Data"].as_str().unwrap().to_owned()
    }

    fn end(self) -> Outcome {
        match self.step.unwrap() {
            Step::Done(outcome) => *outcome,
            Step::Ask(_, ask) => panic!("not over: {ask:?}"),
        }
    }
}

fn reply(status: u16, body: impl Into<String>) -> Answer {
    Answer::Reply(HttpResponse { status, date: None, body: body.into().into_bytes() })
}

fn signed(ap_trans_id: &str, msisdn: &str, base64: &str) -> String {
    serde_json::json!({ "MSS_SignatureResp": {
        "AP_Info": { "AP_TransID": ap_trans_id },
        "MSSP_TransID": "h44okl",
        "MSS_Signature": { "Base64Signature": base64 },
        "MobileUser": { "MSISDN": msisdn },
        "SignatureProfile": "http://mid.swisscom.ch/STK-LoA4",
        "Status": { "StatusCode": { "Value": "500" } },
    }})
    .to_string()
}

fn fault(code: u16) -> Answer {
    reply(
        500,
        format!(r#"{{"Fault":{{"Code":{{"SubCode":{{"Value":"_{code}"}}}},"Detail":"d","Reason":"r"}}}}"#),
    )
}

fn our_id() -> String {
    let (_, rest) = split(&ENTROPY);
    ApTransId::from_entropy(&rest).as_str().to_owned()
}

#[test]
fn a_person_who_confirms_is_let_in_and_it_is_written_down() {
    let (story, sign) = Story::trusting();
    let story = story.sent();
    let text = story.text();
    assert_eq!(
        text,
        format!("ACME: Anmelden als alice auf web1 (sshd)? Code {}", Code::from_entropy(b"entropy "))
    );
    let body = signed(&our_id(), "41791234567", &sign(&text));
    let outcome = story.after(Duration::from_millis(4321)).answer(reply(200, body)).end();
    let Verdict::Accepted(signer) = &outcome.verdict else { panic!("{:?}", outcome.audit) };
    assert_eq!(signer.signer().serial.as_str(), SERIAL);
    assert_eq!(outcome.notice.to_string(), "Mobile ID: bestätigt.");
    let proof = outcome.evidence.unwrap();
    assert_eq!((proof.text, proof.ap_trans_id), (text, our_id()));
    let line: serde_json::Value = serde_json::from_str(&outcome.audit.line()).unwrap();
    assert_eq!(
        line,
        serde_json::json!({
            "time": "2025-01-01T00:00:04.321Z", "verdict": "accepted", "reason": "verified",
            "user": "alice", "service": "sshd", "host": "web1", "rhost": "192.0.2.7",
            "msisdn": "+4179*****67", "ap_trans_id": our_id(), "mssp_trans_id": "h44okl",
            "profile": "http://mid.swisscom.ch/STK-LoA4", "serial": SERIAL, "ms": 4321,
        })
    );
}

#[test]
fn the_steps_come_in_one_order_and_the_terminal_shows_the_code_of_the_phone() {
    let (story, _) = Story::trusting();
    assert!(matches!(story.asked(), Ask::Lookup(user) if user.as_str() == "alice"));
    let story = story.answer(Answer::Looked(Lookup::Found(alice())));
    let Ask::Show(notice) = story.asked() else { panic!() };
    let code = notice.code().unwrap().clone();
    assert!(notice.to_string().contains(code.as_str()));
    let story = story.answer(Answer::Shown);
    assert!(story.text().contains(code.as_str()));
}

#[test]
fn the_phone_shows_what_is_asked_for_a_login_a_command_or_another_user() {
    let become_root = || Request { service: "su".into(), target: Some("root".into()), ..request() };
    let command = Command { program: "/usr/bin/mysql".into(), line: "/usr/bin/mysql -ps3cret".into() };
    for (request, shown) in [
        (request(), "ACME: Anmelden als alice auf web1 (sshd)? Code "),
        (become_root(), "ACME: Wechseln zu root auf web1 (alice)? Code "),
        (
            Request { command: Some(command), ..become_root() },
            "ACME: /usr/bin/mysql ausführen als root auf web1 (alice)? Code ",
        ),
    ] {
        let config = config(TrustAnchors::default(), Unenrolled::Deny);
        let now = Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let story = Story { now, step: Some(Login::start(request, &config, now, &ENTROPY)) }.sent();
        assert_eq!(story.text().strip_prefix(shown).map(str::len), Some(6), "{}", story.text());
    }
}

/// Every way in which a well-signed answer can be the answer to something else.
#[test]
fn a_signature_for_something_else_is_refused() {
    type Bend = fn(&mut String, &mut String, &mut String);
    let stories: [(&str, Bend, Refusal); 6] = [
        ("another transaction", |id, _, _| id.push('0'), Refusal::WrongTransaction),
        ("another number", |_, msisdn, _| *msisdn = "41791234568".into(), Refusal::WrongMsisdn),
        ("no number", |_, msisdn, _| *msisdn = "alice".into(), Refusal::WrongMsisdn),
        ("another code", |_, _, text| *text = text.replace("Code ", "Code X"), Refusal::WrongContent),
        ("a longer text", |_, _, text| text.push(' '), Refusal::WrongContent),
        ("no text", |_, _, text| text.clear(), Refusal::WrongContent),
    ];
    for (name, bend, refusal) in stories {
        let (story, sign) = Story::trusting();
        let story = story.sent();
        let (mut id, mut msisdn, mut text) = (our_id(), "41791234567".to_owned(), story.text());
        bend(&mut id, &mut msisdn, &mut text);
        let outcome = story.answer(reply(200, signed(&id, &msisdn, &sign(&text)))).end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Refused(refusal)), "{name}");
        assert_eq!(outcome.evidence, None);
    }
}

#[test]
fn another_serial_number_than_the_pinned_one_is_its_own_reason() {
    let (story, sign) = Story::trusting();
    let pinned = Subscriber { serial: Some("MIDCHE0000000000".parse().unwrap()), ..alice() };
    let story = story.answer(Answer::Looked(Lookup::Found(pinned))).answer(Answer::Shown);
    let body = signed(&our_id(), "+41791234567", &sign(&story.text()));
    let outcome = story.answer(reply(200, body)).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Refused(Refusal::SerialMismatch)));
    assert!(outcome.notice.to_string().contains("neu eingerichtet"));
}

#[test]
fn a_chain_to_somebody_elses_root_is_refused() {
    let (_, _, at) = good_signature("");
    let story = Story::begin(&config(TrustAnchors::default(), Unenrolled::Deny), at).sent();
    let body = signed(&our_id(), "41791234567", &good_signature(&story.text()).0);
    let outcome = story.answer(reply(200, body)).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Refused(Refusal::UntrustedChain)));
}

#[test]
fn every_code_ends_the_login_with_its_own_reason() {
    let codes = Fault::KNOWN.iter().copied().chain([Fault::Unknown(777), Fault::Unknown(0)]);
    for code in codes {
        let (story, _) = Story::trusting();
        let outcome = story.sent().answer(fault(code.code())).end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Fault(code)));
        assert_eq!(outcome.audit.code, Some(code.code()));
        assert_eq!(outcome.audit.detail.as_deref(), Some("r: d"));
    }
    for code in [Status::RequestOk, Status::RevokedCertificate, Status::InvalidSignature, Status::Unknown(7)]
    {
        let (story, sign) = Story::trusting();
        let story = story.sent();
        let body = signed(&our_id(), "41791234567", &sign(&story.text()));
        let body = body.replace(r#""Value":"500""#, &format!(r#""Value":"{}""#, code.code()));
        assert_eq!(story.answer(reply(200, body)).end().verdict, Verdict::Denied(Reason::Status(code)));
    }
}

#[test]
fn what_happens_on_the_way_is_a_denial() {
    let not_enrolled = || Answer::Looked(Lookup::NotEnrolled);
    let early: [(Answer, Reason); 3] = [
        (not_enrolled(), Reason::NotEnrolled),
        (Answer::Looked(Lookup::Unavailable("down".into())), Reason::DirectoryUnavailable),
        (Answer::Cancelled, Reason::Cancelled),
    ];
    for (answer, reason) in early {
        let (story, _) = Story::trusting();
        let outcome = story.answer(answer).end();
        assert_eq!(outcome.verdict, Verdict::Denied(reason));
        assert_eq!(outcome.audit.ap_trans_id, None, "no request was made");
    }
    let late: [(Answer, Reason); 7] = [
        (Answer::Unreachable(Unreachable::Tls, "x".into()), Reason::Unreachable(Unreachable::Tls)),
        (Answer::Lost("reset".into()), Reason::AnswerLost),
        (Answer::TimedOut, Reason::TimedOut),
        (Answer::Cancelled, Reason::Cancelled),
        (reply(503, "busy"), Reason::Unreadable(Unreadable::HttpStatus(503))),
        (reply(200, "{"), Reason::Unreadable(Unreadable::NotJson)),
        (
            reply(200, vec![' '; crate::mss::BODY_MAX + 1].iter().collect::<String>()),
            Reason::Unreadable(Unreadable::TooLarge),
        ),
    ];
    for (answer, reason) in late {
        let (story, _) = Story::trusting();
        let outcome = story.sent().answer(answer).end();
        assert_eq!(outcome.verdict, Verdict::Denied(reason));
        assert_eq!(outcome.audit.ap_trans_id, Some(our_id()));
        assert_eq!(outcome.notice, Notice::denied(reason, Language::De));
    }
}

#[test]
fn an_answer_that_does_not_fit_the_ask_is_a_denial() {
    let misfits: [fn() -> Answer; 4] =
        [|| Answer::Shown, || reply(200, "{}"), || Answer::TimedOut, || Answer::Lost(String::new())];
    for misfit in misfits {
        let (story, _) = Story::trusting();
        assert_eq!(story.answer(misfit()).end().verdict, Verdict::Denied(Reason::Internal));
    }
    let (story, _) = Story::trusting();
    let outcome = story.sent().answer(Answer::Looked(Lookup::Found(alice()))).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Internal));
}

#[test]
fn what_the_host_withholds_is_for_its_administrator_to_mend() {
    let (story, _) = Story::trusting();
    let outcome = story.sent().answer(Answer::Withheld("/run/mobileid: no space\n".to_owned().into())).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Misconfigured));
    assert_eq!(outcome.audit.detail.as_deref(), Some("/run/mobileid: no space\\u{a}"));
}

#[test]
fn a_user_without_a_phone_is_let_in_only_where_the_configuration_says_so() {
    let story = Story::begin(&config(TrustAnchors::default(), Unenrolled::Allow), SystemTime::UNIX_EPOCH);
    let outcome = story.answer(Answer::Looked(Lookup::NotEnrolled)).end();
    assert_eq!(outcome.verdict, Verdict::Exempt(Exemption::Unenrolled));
    assert_eq!((outcome.audit.verdict, outcome.audit.reason), ("exempt", "unenrolled-allowed"));
    // A directory that is down is no reason to let anybody in.
    let story = Story::begin(&config(TrustAnchors::default(), Unenrolled::Allow), SystemTime::UNIX_EPOCH);
    let outcome = story.answer(Answer::Looked(Lookup::Unavailable(String::new()))).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::DirectoryUnavailable));
}

#[test]
fn the_time_limits_of_the_guide_are_asked_for() {
    for (profile, transaction, connection) in [
        (None, "80", 90),
        (Some(Profile::Sim), "80", 90),
        (Some(Profile::AuthProfile1), "80", 90),
        (Some(Profile::App), "40", 50),
    ] {
        let (story, _) = Story::trusting();
        let subscriber = Subscriber { profile, ..alice() };
        // No look-up takes no time at all.
        let story = story.after(Duration::from_millis(7)).answer(Answer::Looked(Lookup::Found(subscriber)));
        let story = story.answer(Answer::Shown);
        let (body, limit) = story.http();
        assert_eq!(body["MSS_SignatureReq"]["TimeOut"], transaction, "{profile:?}");
        let connection = Duration::from_secs(connection);
        assert!(limit <= connection && limit > connection - Duration::from_secs(1), "{profile:?} {limit:?}");
    }
}

#[test]
fn time_spent_before_the_request_is_taken_off_the_wait() {
    let (story, _) = Story::trusting();
    let story = story.answer(Answer::Looked(Lookup::Found(alice())));
    let story = story.after(Duration::from_secs(30)).answer(Answer::Shown);
    let (body, limit) = story.http();
    assert_eq!(body["MSS_SignatureReq"]["TimeOut"], "50");
    assert_eq!(limit, Duration::from_secs(60));
    // Too little is left for a person: nobody is asked.
    let (story, _) = Story::trusting();
    let story = story.answer(Answer::Looked(Lookup::Found(alice())));
    let outcome = story.after(Duration::from_secs(80)).answer(Answer::Shown).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
    assert_eq!(outcome.audit.ap_trans_id, None);
}

#[test]
fn a_good_signature_that_comes_too_late_is_a_denial() {
    let (story, sign) = Story::trusting();
    let story = story.sent();
    let body = signed(&our_id(), "41791234567", &sign(&story.text()));
    let in_time = Duration::from_millis(89_999);
    let outcome = story.after(in_time).answer(reply(200, body)).end();
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)));
    let (story, sign) = Story::trusting();
    let story = story.sent();
    let body = signed(&our_id(), "41791234567", &sign(&story.text()));
    let outcome = story.after(Duration::from_secs(90)).answer(reply(200, body)).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
    assert_eq!(outcome.audit.ms, 90_000);
}

#[test]
fn who_was_not_reached_in_time_was_still_not_reached() {
    let (story, _) = Story::trusting();
    let late = story.sent().after(Duration::from_secs(200));
    let outcome = late.answer(Answer::Unreachable(Unreachable::Name, "slow".into())).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Unreachable(Unreachable::Name)));
}

#[test]
fn what_a_stranger_writes_reaches_the_log_escaped() {
    let outcome = refuse(
        Request { service: "s\n".into(), host: "h\u{202e}".into(), rhost: Some("r\0".into()), ..request() },
        Reason::FirstFactorFailed,
        "d\u{1b}[2J",
        Language::Fr,
        Now { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH },
    );
    let line = outcome.audit.line();
    assert!(!line.chars().any(text::is_unprintable), "{line}");
    assert!(line.contains(r#""detail":"d\\u{1b}[2J""#), "{line}");
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::FirstFactorFailed));
}

#[test]
fn one_bit_of_the_answer_never_makes_another_accept() {
    let (story, sign) = Story::trusting();
    let text = story.sent().text();
    let good = signed(&our_id(), "41791234567", &sign(&text)).into_bytes();
    let (_, anchors, at) = good_signature("");
    let config = config(anchors, Unenrolled::Deny);
    for bit in 0..good.len() * 8 {
        let mut bent = good.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        let story = Story::begin(&config, at).sent();
        let outcome = story.answer(Answer::Reply(HttpResponse { status: 200, date: None, body: bent })).end();
        // What is accepted must be what was: the flips that do nothing are in skipped fields and spelling.
        if let Verdict::Accepted(signer) = outcome.verdict {
            assert_eq!(signer.signer().serial.as_str(), SERIAL, "bit {bit}");
            assert_eq!(outcome.evidence.unwrap().text, text, "bit {bit}");
            assert_eq!(outcome.audit.user, "alice");
        }
    }
}

#[test]
fn classes_cover_what_hosts_decide_by() {
    assert_eq!(Reason::Fault(Fault::UserCancel).class(), Class::Refused);
    assert_eq!(Reason::AnswerLost.class(), Class::Refused, "a phone may have been asked");
    assert_eq!(Reason::Unreachable(Unreachable::Connect).class(), Class::Unreachable);
    assert_eq!(Reason::Unreadable(Unreadable::HttpStatus(504)).class(), Class::Refused, "and so here");
    assert_eq!(Reason::Internal.class(), Class::Refused, "and here");
    assert_eq!(Reason::NotEnrolled.class(), Class::NotEnrolled);
    assert_eq!(Reason::Fault(Fault::UnauthorizedAccess).class(), Class::Misconfigured);
}
