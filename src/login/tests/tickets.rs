//! Logins that another node finishes.

use super::{asynchronous::*, *};

const OTHER_ENTROPY: Entropy = *b"of quite another process";

fn elsewhere(config: &Arc<Config>, ticket: Ticket, now: Now) -> Story {
    Story { now, step: Some(Login::resume(request(), ticket, config, now, &OTHER_ENTROPY)) }
}

/// An outstanding login, its ticket and the text that the phone shows.
fn begun() -> (Story, Ticket, String) {
    let story = begin().outstanding().polling().outstanding_still();
    let ticket = story.login().ticket().unwrap();
    let text = story.login().text().unwrap().to_owned();
    let read = Ticket::decode(&ticket.encode()).unwrap();
    assert_eq!(read, ticket);
    (story, read, text)
}

fn anchored() -> Arc<Config> {
    let (_, anchors, _) = good_signature("");
    asynchronous(&config(anchors, Unenrolled::Allow))
}

#[test]
fn there_is_a_ticket_while_the_login_is_outstanding() {
    let story = begin();
    assert_eq!(story.login().ticket(), None);
    let story = story.sent();
    assert_eq!(story.login().ticket(), None, "nobody knows whether the phone rings");
    let story = story.answer(taken(&our_id(), "41791234567"));
    let ticket = story.login().ticket().unwrap();
    assert_eq!(ticket.ap_trans_id().as_str(), our_id());
    assert_eq!(Some(ticket.text()), story.login().text());
    assert_eq!(ticket.ends().duration_since(ticket.started()).unwrap(), Duration::from_secs(90));
    assert_eq!(story.polling().login().ticket(), Some(ticket), "it does not change by polling");
}

#[test]
fn another_node_finishes_the_login() {
    let (story, ticket, text) = begun();
    let later = story.after(Duration::from_secs(3)).now;
    let story = elsewhere(&anchored(), ticket, later);
    assert!(matches!(story.asked(), Ask::Lookup(user) if user.as_str() == "alice"));
    let story = story.answer(Answer::Looked(Lookup::Found(alice())));
    assert_eq!(story.login().text(), Some(&*text));
    let (id, transaction, _) = story.poll();
    assert_eq!(transaction, "h44okl");
    assert!(!id.starts_with(&our_id()), "no two nodes send the same AP_TransID");
    let story = story.outstanding_still().polling();
    assert_ne!(story.poll().0, id);
    let outcome = story.signs(&text).end();
    let Verdict::Accepted(_) = outcome.verdict else { panic!("{:?}", outcome.audit) };
    assert_eq!(outcome.audit.ap_trans_id, Some(our_id()), "one login, one name");
    assert_eq!(outcome.audit.mssp_trans_id.as_deref(), Some("h44okl"));
    assert_eq!(outcome.audit.ms, 7000, "from its true beginning");
    assert_eq!(outcome.evidence.unwrap().ap_trans_id, our_id());
}

#[test]
fn what_the_directory_says_now_counts() {
    let pinned = Subscriber { serial: Some("MIDCHE0000000000".parse().unwrap()), ..alice() };
    let renumbered = Subscriber { msisdn: "+41791234568".parse().unwrap(), ..alice() };
    for (lookup, reason) in [
        // Also where the unenrolled are let in, as in this configuration.
        (Lookup::NotEnrolled, Reason::NotEnrolled),
        (Lookup::Unavailable("down".into()), Reason::DirectoryUnavailable),
        (Lookup::Found(pinned), Reason::Refused(Refusal::SerialMismatch)),
        (Lookup::Found(renumbered), Reason::Refused(Refusal::WrongMsisdn)),
    ] {
        let (story, ticket, text) = begun();
        let mut story = elsewhere(&anchored(), ticket, story.now).answer(Answer::Looked(lookup));
        if matches!(story.step, Some(Step::Ask(..))) {
            story = story.signs(&text);
        }
        let outcome = story.end();
        assert_eq!(outcome.verdict, Verdict::Denied(reason));
        assert_eq!(outcome.audit.ap_trans_id, Some(our_id()), "a phone was asked");
    }
}

#[test]
fn a_ticket_is_good_for_its_login_and_no_longer() {
    for (wall, limit, expected) in [
        (5_i64, None, Ok(85)),
        (5, Some(20), Ok(20)),
        (0, None, Ok(90)),
        (89, None, Ok(1)),
        (90, None, Err(Reason::TimedOut)),
        (100_000, None, Err(Reason::TimedOut)),
        // Our clock is a little behind that of the other node: what is left is what there ever was.
        (-5, None, Ok(90)),
        // It is far behind, or the ticket is from the future.
        (-6, None, Err(Reason::Internal)),
        (-100_000, None, Err(Reason::Internal)),
    ] {
        let (_, ticket, _) = begun();
        let offset = Duration::from_secs(wall.unsigned_abs());
        let wall = if wall < 0 { ticket.started() - offset } else { ticket.started() + offset };
        let now = Now { instant: Instant::now(), wall };
        let request = Request { limit: limit.map(Duration::from_secs), ..request() };
        match (Login::resume(request, ticket, &anchored(), now, &OTHER_ENTROPY), expected) {
            (Step::Ask(login, Ask::Lookup(_)), Ok(left)) => {
                assert_eq!(login.deadline() - now.instant, Duration::from_secs(left));
            }
            (Step::Done(outcome), Err(reason)) => {
                assert_eq!(outcome.verdict, Verdict::Denied(reason));
                assert_eq!(outcome.audit.mssp_trans_id.as_deref(), Some("h44okl"));
            }
            (step, expected) => panic!("{expected:?}: {step:?}"),
        }
    }
}

#[test]
fn a_ticket_is_read_back_whole_or_not_at_all() {
    let (_, ticket, _) = begun();
    let octets = ticket.encode();
    assert_eq!(octets.len(), 24 + "h44okl".len() + ticket.text().len());
    // Up to the end of the identifiers; a shorter text is another text, and no signature is over it.
    for length in 0..=octets.len() - ticket.text().len() {
        assert_eq!(Ticket::decode(&octets[..length]), None, "{length}");
    }
    let bent = |at: usize, to: u8| {
        let mut octets = octets.clone();
        octets[at] = to;
        Ticket::decode(&octets)
    };
    assert_eq!(bent(0, 0), None, "another version");
    assert_eq!(bent(0, 2), None, "another version");
    assert_eq!(bent(23, 0), None, "no MSSP_TransID");
    assert_eq!(bent(23, 65), None, "a long one");
    assert_eq!(bent(23, 255), None, "a longer one than there is");
    assert_eq!(bent(24, b' '), None, "a blank in it");
    assert_eq!(bent(octets.len() - 1, 7), None, "a bell in the text");
    assert_eq!(bent(octets.len() - 1, 0xff), None, "no UTF-8");
    assert_eq!(Ticket::decode(&[octets.as_slice(), &[b'x'; 500]].concat()), None, "a long text");
}
