//! Asynchronous logins in virtual time.

use super::*;
use crate::mss::{self, MessagingMode};

/// The service's poll interval in these stories, which is the default.
pub(super) const POLL: Duration = Duration::from_secs(2);

pub(super) fn asynchronous(config: &Arc<Config>) -> Arc<Config> {
    Arc::new(Config { mode: MessagingMode::Asynch, ..Config::clone(config) })
}

pub(super) fn begin() -> Story {
    let (_, anchors, at) = good_signature("");
    Story::begin(&asynchronous(&config(anchors, Unenrolled::Deny)), at)
}

pub(super) fn taken(ap_trans_id: &str, msisdn: &str) -> Answer {
    reply(200, signed(ap_trans_id, msisdn, "").replace(r#""Value":"500""#, r#""Value":"100""#))
}

/// The answer to a status request.
fn status(id: &str, msisdn: &str, code: u16, base64: &str) -> Answer {
    let answer = serde_json::json!({ "MSS_StatusResp": {
        "AP_Info": { "AP_TransID": id },
        "MSS_Signature": { "Base64Signature": base64 },
        "MobileUser": { "MSISDN": msisdn },
        "Status": { "StatusCode": { "Value": code.to_string() } },
    }});
    reply(200, answer.to_string())
}

impl Story {
    /// Up to the wait for the first poll.
    pub(super) fn outstanding(self) -> Self {
        self.sent().answer(taken(&our_id(), "41791234567"))
    }

    /// Through the wait, up to the status request.
    pub(super) fn polling(self) -> Self {
        let Ask::WaitUntil(due) = *self.asked() else { panic!("not waiting: {:?}", self.asked()) };
        let left = due.saturating_duration_since(self.now.instant);
        self.after(left).answer(Answer::Waited)
    }

    /// AP_TransID, MSSP_TransID and limit of the status request that is being sent.
    pub(super) fn poll(&self) -> (String, String, Duration) {
        let Ask::Send(http) = self.asked() else { panic!("nothing is sent: {:?}", self.asked()) };
        assert_eq!((http.path, http.repeatable), ("/rest/service/status", true));
        let body: serde_json::Value = serde_json::from_str(http.body.expose()).unwrap();
        let at = |path: &str| body["MSS_StatusReq"].pointer(path).unwrap().as_str().unwrap().to_owned();
        assert_eq!(at("/AP_Info/Instant"), mss::instant(self.now.wall));
        (at("/AP_Info/AP_TransID"), at("/MSSP_TransID"), http.limit)
    }

    pub(super) fn outstanding_still(self) -> Self {
        let id = self.poll().0;
        self.answer(status(&id, "41791234567", 504, ""))
    }

    /// Answered with a good signature over `text`.
    pub(super) fn signs(self, text: &str) -> Self {
        let id = self.poll().0;
        self.answer(status(&id, "41791234567", 500, &good_signature(text).0))
    }

    pub(super) fn login(&self) -> &Login {
        match self.step.as_ref().unwrap() {
            Step::Ask(login, _) => login,
            Step::Done(outcome) => panic!("already over: {:?}", outcome.verdict),
        }
    }
}

#[test]
fn whoever_confirms_between_two_polls_is_let_in() {
    let story = begin().sent();
    let (text, (body, limit)) = (story.text(), story.http());
    assert_eq!(body["MSS_SignatureReq"]["MessagingMode"], "asynch");
    assert_eq!(body["MSS_SignatureReq"]["TimeOut"], "80", "the phone has as long as ever");
    assert_eq!(limit, Duration::from_secs(10), "that it was taken is said at once");
    let Ask::Send(http) = story.asked() else { panic!() };
    assert!(!http.repeatable, "a signature request rings a phone");

    let story = story.answer(taken(&our_id(), "41791234567"));
    assert_eq!(story.login().text(), Some(&*text));
    let begun = story.now.instant;
    let story = story.polling();
    assert_eq!(story.now.instant - begun, POLL);
    assert_eq!(story.poll(), (format!("{}-1", our_id()), "h44okl".into(), Duration::from_secs(10)));
    let story = story.outstanding_still().polling();
    assert_eq!(story.now.instant - begun, 2 * POLL);
    assert_eq!(story.poll().0, format!("{}-2", our_id()));

    let outcome = story.signs(&text).end();
    let Verdict::Accepted(signer) = &outcome.verdict else { panic!("{:?}", outcome.audit) };
    assert_eq!(signer.signer().serial.as_str(), SERIAL);
    let proof = outcome.evidence.unwrap();
    assert_eq!((proof.text, proof.ap_trans_id), (text, our_id()));
    assert_eq!((outcome.groups, outcome.language), (vec!["staff".to_owned()], Language::De));
    let audit = outcome.audit;
    assert_eq!(audit.ap_trans_id, Some(our_id()), "the record names the login, not the poll");
    assert_eq!(audit.mssp_trans_id.as_deref(), Some("h44okl"));
    assert_eq!(audit.profile.as_deref(), Some("http://mid.swisscom.ch/STK-LoA4"));
    assert_eq!((audit.ms, audit.detail), (4000, None));
}

#[test]
fn what_a_poll_brings_ends_the_login_as_in_synchronous_mode() {
    let (other_id, number) = (|id: &str| format!("{id}0"), "41791234567");
    let sign = |text: &str| good_signature(text).0;
    type Bend<'a> = Box<dyn Fn(&str, &str) -> Answer + 'a>;
    let table: Vec<(&str, Bend<'_>, Reason)> = vec![
        ("401", Box::new(|_, _| fault(401)), Reason::Fault(Fault::UserCancel)),
        ("208", Box::new(|_, _| fault(208)), Reason::Fault(Fault::ExpiredTransaction)),
        ("101", Box::new(|_, _| fault(101)), Reason::Fault(Fault::WrongParam)),
        (
            "501",
            Box::new(|id, text| status(id, number, 501, &sign(text))),
            Reason::Status(Status::RevokedCertificate),
        ),
        (
            "503",
            Box::new(|id, text| status(id, number, 503, &sign(text))),
            Reason::Status(Status::InvalidSignature),
        ),
        (
            "the answer to another poll",
            Box::new(|id, text| status(&other_id(id), number, 500, &sign(text))),
            Reason::Refused(Refusal::WrongTransaction),
        ),
        (
            "the answer to the signature request",
            Box::new(|_, text| status(&our_id(), number, 500, &sign(text))),
            Reason::Refused(Refusal::WrongTransaction),
        ),
        (
            "another number",
            Box::new(|id, text| status(id, "41791234568", 500, &sign(text))),
            Reason::Refused(Refusal::WrongMsisdn),
        ),
        (
            "another text",
            Box::new(|id, text| status(id, number, 500, &sign(&format!("{text} ")))),
            Reason::Refused(Refusal::WrongContent),
        ),
        (
            "an answer of another operation",
            Box::new(|id, text| reply(200, signed(id, number, &sign(text)))),
            Reason::Unreadable(Unreadable::NotOneRoot),
        ),
        ("no JSON", Box::new(|_, _| reply(200, "{")), Reason::Unreadable(Unreadable::NotJson)),
        ("a shown notice", Box::new(|_, _| Answer::Shown), Reason::Internal),
        ("a wait", Box::new(|_, _| Answer::Waited), Reason::Internal),
        ("the person is gone", Box::new(|_, _| Answer::Cancelled), Reason::Cancelled),
    ];
    for (name, bend, reason) in table {
        let story = begin().sent();
        let text = story.text();
        let story = story.answer(taken(&our_id(), number)).polling();
        let answer = bend(&story.poll().0, &text);
        let outcome = story.answer(answer).end();
        assert_eq!(outcome.verdict, Verdict::Denied(reason), "{name}");
        assert_eq!((outcome.audit.ap_trans_id, outcome.evidence), (Some(our_id()), None), "{name}");
        assert_eq!(outcome.audit.mssp_trans_id.as_deref(), Some("h44okl"), "{name}");
    }
}

/// What came to nothing on the way is asked again, and only that.
#[test]
fn a_lost_poll_is_repeated_and_a_lost_request_is_not() {
    let losses: [fn() -> Answer; 5] = [
        || Answer::Unreachable(Unreachable::Connect, "refused".into()),
        || Answer::Lost("reset".into()),
        || Answer::TimedOut,
        || reply(503, "busy"),
        || reply(502, r#"{"MSS_StatusResp":{}}"#),
    ];
    for loss in losses {
        let story = begin().sent();
        let text = story.text();
        let story = story.answer(taken(&our_id(), "41791234567")).polling().answer(loss()).polling();
        assert_eq!(story.poll().0, format!("{}-2", our_id()), "each poll has a name of its own");
        let outcome = story.signs(&text).end();
        assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
        assert_eq!(outcome.audit.detail, None);

        let Step::Done(_) = begin().sent().answer(loss()).step.unwrap() else { panic!("asked again") };
    }
}

#[test]
fn nobody_is_asked_about_beyond_the_deadline() {
    // A service that is always outstanding, and one that is never there.
    for silent in [false, true] {
        let mut story = begin().outstanding();
        let start = story.now.instant;
        let mut polls = 0;
        while matches!(story.step, Some(Step::Ask(..))) {
            story = story.polling();
            polls += 1;
            let left = story.login().deadline() - story.now.instant;
            assert_eq!(story.poll().2, left.min(Duration::from_secs(10)), "within the deadline");
            story = match silent {
                false => story.outstanding_still(),
                true => story.answer(Answer::Lost("reset".into())),
            };
        }
        assert_eq!(polls, 44, "every two seconds of ninety");
        assert!(story.now.instant - start < Duration::from_secs(90));
        let outcome = story.end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
        let told = silent.then_some("the last status request: reset");
        assert_eq!(outcome.audit.detail.as_deref(), told);
    }
}

#[test]
fn an_answer_after_the_deadline_is_too_late_wherever_it_stands() {
    let late = Duration::from_secs(90);
    let outcome = begin().outstanding().after(late).answer(Answer::Waited).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
    let story = begin().sent();
    let text = story.text();
    let story = story.answer(taken(&our_id(), "41791234567")).polling();
    let signed = status(&story.poll().0, "41791234567", 500, &good_signature(&text).0);
    assert_eq!(story.after(late).answer(signed).end().verdict, Verdict::Denied(Reason::TimedOut));
    let outcome = begin().outstanding().polling().after(late).answer(Answer::Lost(String::new())).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
    let outcome = begin().sent().after(late).answer(taken(&our_id(), "41791234567")).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
}

#[test]
fn a_driver_that_wakes_early_sleeps_on() {
    let story = begin().outstanding().after(POLL - Duration::from_millis(1)).answer(Answer::Waited);
    assert!(matches!(story.asked(), Ask::WaitUntil(_)));
    assert_eq!(story.polling().poll().0, format!("{}-1", our_id()));
    for answer in [Answer::Shown, Answer::TimedOut, Answer::Lost(String::new()), reply(200, "{}")] {
        let outcome = begin().outstanding().answer(answer).end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Internal));
    }
    let outcome = begin().outstanding().answer(Answer::Cancelled).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Cancelled));
}

#[test]
fn only_what_was_taken_for_us_is_asked_about() {
    for (id, number, refusal) in [
        (format!("{}0", our_id()), "41791234567", Refusal::WrongTransaction),
        (our_id(), "41791234568", Refusal::WrongMsisdn),
    ] {
        let outcome = begin().sent().answer(taken(&id, number)).end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Refused(refusal)));
    }
    let (story, _) = Story::trusting();
    let outcome = story.sent().answer(taken(&our_id(), "41791234567")).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Status(Status::RequestOk)), "synchronous");
}

#[test]
fn a_signature_that_comes_at_once_is_as_good() {
    let story = begin().sent();
    let body = signed(&our_id(), "41791234567", &good_signature(&story.text()).0);
    assert!(matches!(story.answer(reply(200, body)).end().verdict, Verdict::Accepted(_)));
}

#[test]
fn the_hosts_own_limit_counts_where_it_is_shorter() {
    for (limit, transaction, whole) in [(25, "15", 25), (300, "80", 90)] {
        let (_, anchors, at) = good_signature("");
        let config = asynchronous(&config(anchors, Unenrolled::Deny));
        let now = Now { instant: Instant::now(), wall: at };
        let request = Request { limit: Some(Duration::from_secs(limit)), ..request() };
        let story = Story { now, step: Some(Login::start(request, &config, now, &ENTROPY)) }.sent();
        assert_eq!(story.http().0["MSS_SignatureReq"]["TimeOut"], transaction);
        assert_eq!(story.login().deadline() - now.instant, Duration::from_secs(whole));
    }
}

#[test]
fn the_method_has_its_own_deadline() {
    for (profile, whole) in [(Profile::App, 50), (Profile::Sim, 90)] {
        let story = begin();
        let subscriber = Subscriber { profile: Some(profile), ..alice() };
        let story = story.answer(Answer::Looked(Lookup::Found(subscriber))).answer(Answer::Shown);
        assert_eq!(story.login().deadline() - story.now.instant, Duration::from_secs(whole), "{profile:?}");
    }
}
