//! The serial number of the signer: what it is held against, and who keeps the first one.

use super::*;
use crate::config::SerialPolicy;

const ANOTHER: &str = "MIDCHE0000000000";
const POLICIES: [SerialPolicy; 4] =
    [SerialPolicy::Ignore, SerialPolicy::IfKnown, SerialPolicy::FirstUse, SerialPolicy::Required];

/// What is known of alice.
fn known(serial: Option<&str>) -> Answer {
    let serial = serial.map(|serial| serial.parse().unwrap());
    Answer::Looked(Lookup::Found(Subscriber { serial, ..alice() }))
}

/// Looked up; None where the login has ended by that.
fn begun(policy: SerialPolicy, serial: Option<&str>) -> (Story, Arc<Config>) {
    let (_, anchors, at) = good_signature("");
    let config = Config { serial: policy, ..(*config(anchors, Unenrolled::Deny)).clone() };
    let config = Arc::new(config);
    (Story::begin(&config, at).answer(known(serial)), config)
}

/// Signed by her.
fn signs(policy: SerialPolicy, serial: Option<&str>) -> Story {
    let story = begun(policy, serial).0.answer(Answer::Shown);
    let signature = good_signature(&story.text()).0;
    story.answer(reply(200, signed(&our_id(), "+41791234567", &signature)))
}

/// A first login that waits for its serial number to be kept.
fn first() -> Story {
    signs(SerialPolicy::FirstUse, None)
}

#[test]
fn what_is_known_counts_unless_it_is_ignored() {
    let (hers, accepted) = (Some(SERIAL), Ok(()));
    let mismatch = Err(Reason::Refused(Refusal::SerialMismatch));
    for (policy, serial, expected) in [
        (SerialPolicy::Ignore, None, accepted),
        (SerialPolicy::Ignore, hers, accepted),
        (SerialPolicy::Ignore, Some(ANOTHER), accepted),
        (SerialPolicy::IfKnown, None, accepted),
        (SerialPolicy::IfKnown, hers, accepted),
        (SerialPolicy::IfKnown, Some(ANOTHER), mismatch),
        (SerialPolicy::FirstUse, hers, accepted),
        (SerialPolicy::FirstUse, Some(ANOTHER), mismatch),
        (SerialPolicy::Required, hers, accepted),
        (SerialPolicy::Required, Some(ANOTHER), mismatch),
    ] {
        let outcome = signs(policy, serial).end();
        let found = match outcome.verdict {
            Verdict::Accepted(_) => Ok(()),
            Verdict::Denied(reason) => Err(reason),
            Verdict::Exempt(exemption) => panic!("{exemption:?}"),
        };
        assert_eq!(found, expected, "{policy:?} {serial:?}");
        assert!(!outcome.audit.first_use);
    }
}

#[test]
fn where_one_is_required_and_none_is_known_no_phone_is_asked() {
    let outcome = begun(SerialPolicy::Required, None).0.end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::SerialUnknown));
    assert_eq!(outcome.audit.ap_trans_id, None);
    assert_eq!(outcome.audit.msisdn.as_deref(), Some("+4179*****67"));
    assert!(outcome.notice.to_string().contains("noch nicht registriert"), "{}", outcome.notice);
    // A stack that ignores users without a phone must not ignore this.
    assert_eq!(Reason::SerialUnknown.class(), Class::Refused);
}

#[test]
fn a_first_login_is_accepted_once_its_serial_number_is_kept() {
    for (kept, first_use) in [(Pinned::Kept, true), (Pinned::Same, false)] {
        let story = first();
        let Ask::Pin(pin) = story.asked() else { panic!("{:?}", story.asked()) };
        assert_eq!(pin.user.as_str(), "alice");
        assert_eq!(pin.entry, alice().entry);
        assert_eq!(pin.serial.as_str(), SERIAL);
        let outcome = story.answer(Answer::Pinned(kept)).end();
        assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.verdict);
        assert_eq!(outcome.audit.first_use, first_use);
        assert_eq!(outcome.audit.serial.as_deref(), Some(SERIAL));
        assert!(outcome.evidence.is_some());
        assert_eq!(outcome.audit.line().contains("\"first_use\":true"), first_use);
    }
}

#[test]
fn a_first_login_whose_serial_number_is_not_kept_is_denied() {
    let late = Duration::from_secs(91);
    let o_clock = Duration::ZERO;
    let same = ANOTHER.parse().unwrap();
    for (name, after, answer, reason) in [
        (
            "another is kept",
            o_clock,
            Answer::Pinned(Pinned::Other(same)),
            Reason::Refused(Refusal::SerialMismatch),
        ),
        ("the disk is full", o_clock, Answer::Pinned(Pinned::Unavailable("full".into())), Reason::PinFailed),
        ("kept too late", late, Answer::Pinned(Pinned::Kept), Reason::TimedOut),
        ("given up", o_clock, Answer::Cancelled, Reason::Cancelled),
        ("another answer", o_clock, Answer::Shown, Reason::Internal),
        ("looked up", o_clock, known(Some(SERIAL)), Reason::Internal),
        ("waited", o_clock, Answer::Waited, Reason::Internal),
    ] {
        let outcome = first().after(after).answer(answer).end();
        assert_eq!(outcome.verdict, Verdict::Denied(reason), "{name}");
        assert_eq!(outcome.evidence, None, "{name}");
        assert_eq!(outcome.audit.ap_trans_id, Some(our_id()), "{name}: a phone was asked");
        // Whose signature it was that held, and whether it is the first one from now on, is on record all the same.
        assert_eq!(outcome.audit.serial.as_deref(), Some(SERIAL), "{name}");
        assert_eq!(outcome.audit.first_use, name == "kept too late", "{name}");
    }
}

#[test]
fn nothing_is_a_first_use_that_nobody_was_asked_to_keep() {
    let story = begun(SerialPolicy::FirstUse, None).0.after(Duration::from_secs(91));
    let outcome = story.answer(Answer::Pinned(Pinned::Kept)).end();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
    assert!(!outcome.audit.first_use && outcome.audit.serial.is_none());
}

#[test]
fn nothing_is_kept_of_a_signature_that_does_not_hold() {
    for policy in POLICIES {
        let (story, _) = begun(policy, None);
        if policy == SerialPolicy::Required {
            continue;
        }
        let story = story.answer(Answer::Shown);
        let signature = good_signature("another text").0;
        let outcome = story.answer(reply(200, signed(&our_id(), "+41791234567", &signature))).end();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Refused(Refusal::WrongContent)), "{policy:?}");
    }
}

#[test]
fn a_login_finished_elsewhere_is_held_to_the_same() {
    let (_, anchors, at) = good_signature("");
    let asynch =
        Config { mode: crate::config::MessagingMode::Asynch, ..(*config(anchors, Unenrolled::Deny)).clone() };
    let with = |serial| Arc::new(Config { serial, ..asynch.clone() });
    let story = Story::begin(&with(SerialPolicy::FirstUse), at).answer(known(None)).answer(Answer::Shown);
    let taken = signed(&our_id(), "+41791234567", "").replace("\"500\"", "\"100\"");
    let story = story.answer(reply(200, taken));
    let Some(Step::Ask(login, Ask::WaitUntil(_))) = &story.step else { panic!("{:?}", story.step) };
    let ticket = login.ticket().unwrap();
    let resumed = |policy, answer| {
        let (now, other) = (story.now, b"the entropy on that node");
        let step = Login::resume(request(), ticket.clone(), &with(policy), now, other);
        Story { now, step: Some(step) }.answer(answer)
    };
    let unknown = resumed(SerialPolicy::Required, known(None)).end();
    assert_eq!(unknown.verdict, Verdict::Denied(Reason::SerialUnknown));
    assert_eq!(unknown.audit.ap_trans_id, Some(our_id()), "a phone was asked");
    assert!(matches!(resumed(SerialPolicy::FirstUse, known(None)).asked(), Ask::Send(_)));
}
