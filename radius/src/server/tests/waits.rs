//! How a person waits: duplicates, joining, the three modes, deadlines.

use super::*;

#[test]
fn one_login_from_the_request_to_the_accept() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    assert_eq!(bench.send(&alice), ["start 1 alice"]);
    let request = &bench.requests[0];
    assert_eq!((request.service.as_str(), request.host.as_str()), ("VPN", "wait"));
    assert_eq!(request.rhost.as_deref(), Some("home"));
    assert_eq!(request.client.as_deref(), Some("wait"));
    assert_eq!(request.limit, Some(Duration::from_secs(60)));
    assert_eq!(bench.shown(1), nothing());
    assert_eq!(bench.server.pending(), 1);
    assert_eq!(bench.confirmed(1), ["audit unenrolled-allowed", "keep", "accept 1"]);
    assert_eq!(bench.server.pending(), 0);
    assert!(bench.answer().text().starts_with("Mobile ID: "));
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    assert_eq!(bench.refused(1), ["audit user-cancel", "reject 1"]);
    assert!(bench.answer().text().contains("declined on the phone"));
}

#[test]
fn a_retransmission_is_absorbed_and_after_the_answer_gets_the_same_octets() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    for _ in 0..5 {
        assert_eq!(bench.send(&alice), nothing());
    }
    assert_eq!(bench.fate("wait", Fate::Duplicate), 5);
    bench.confirmed(1);
    let first = bench.answer();
    bench.pass(119.0);
    assert_eq!(bench.send(&alice), ["accept 1"]);
    assert_eq!(bench.answer().octets, first.octets);
    bench.pass(1.0);
    assert_eq!(bench.send(&alice), ["start 2 alice"], "two minutes later it is a new request");
}

#[test]
fn a_reject_is_repeated_for_its_own_packet_and_for_no_other() {
    let mut bench = Bench::new();
    let (first, second) = (bench.ask("alice"), bench.ask("alice"));
    bench.send(&first);
    bench.refused(1);
    assert_eq!(bench.send(&first), ["reject 1"]);
    assert_eq!(bench.send(&second), ["start 2 alice"]);
}

#[test]
fn an_identifier_used_again_is_a_new_request_and_the_old_login_can_still_be_joined() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    let mut bob = bench.ask("bob");
    bob.identifier = alice.identifier;
    bench.send(&alice);
    assert_eq!(bench.send(&bob), ["start 2 bob"]);
    assert_eq!(bench.fate("wait", Fate::Superseded), 1);
    let again = bench.ask("alice");
    assert_eq!(bench.send(&again), nothing());
    // Alice's first packet has no answer any more: a client would take it for bob's.
    assert_eq!(bench.confirmed(1), ["audit unenrolled-allowed", "keep", "accept 3"]);
    assert_eq!(bench.refused(2), ["audit user-cancel", "reject 1"]);
}

#[test]
fn another_identifier_port_or_client_of_the_group_joins_and_all_get_the_verdict() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    let (identifier, port) = (bench.ask("alice"), bench.ask("alice").port(40_001));
    let address = bench.ask("alice").from(101);
    let standby = Ask { secret: "another secret of 24 octe", ..bench.ask("alice").from(8) };
    assert_eq!(bench.send(&alice), ["start 1 alice"]);
    for other in [&identifier, &port, &address, &standby] {
        assert_eq!(bench.send(other), nothing());
    }
    assert_eq!(bench.fate("wait", Fate::Joined), 3);
    assert_eq!(bench.fate("standby", Fate::Joined), 1);
    let trace = bench.confirmed(1);
    assert_eq!(trace[2..], ["accept 1", "accept 2", "accept 3", "accept 4", "accept 5"]);
    let of_standby = bench.answers.pop_back().unwrap();
    assert_eq!(of_standby.all(attribute::FILTER_ID), [b"standby"], "each client's own attributes");
}

#[test]
fn an_accept_is_kept_for_ten_seconds() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.confirmed(1);
    bench.pass(9.9);
    let again = bench.ask("alice");
    assert_eq!(bench.send(&again), ["accept 2"]);
    bench.pass(0.2);
    let again = bench.ask("alice");
    assert_eq!(bench.send(&again), ["start 2 alice"]);
}

#[test]
fn without_keeping_an_accept_serves_its_own_packets_alone() {
    let config = CONFIG.replace("[limits]", "[limits]\naccept_kept = 0");
    let mut bench = Bench::of(&config, &SYNCH);
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.confirmed(1);
    let again = bench.ask("alice");
    assert_eq!(bench.send(&again), ["start 2 alice"]);
}

#[test]
fn a_client_that_can_be_challenged_is_so_as_soon_as_the_code_is_known() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    assert_eq!(bench.send(&alice), ["start 1 alice"]);
    assert_eq!(bench.shown(1), ["challenge 1"]);
    let challenge = bench.answer();
    let text = challenge.text();
    assert!(text.contains("confirm on your phone") && text.ends_with(". Then press OK."), "{text}");

    // The person presses the key, and the request waits until just before the client gives up.
    let pressed = bench.ask("alice").from(2).password("").state(&challenge.state());
    assert_eq!(bench.send(&pressed), nothing());
    assert_eq!(bench.pass(8.9), nothing());
    assert_eq!(bench.pass(0.2), ["challenge 2"]);
    let second = bench.answer();
    assert_ne!(second.state(), challenge.state());

    let pressed = bench.ask("alice").from(2).password("").state(&second.state());
    assert_eq!(bench.send(&pressed), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 3"]);
}

#[test]
fn who_confirms_before_pressing_the_key_has_time_to_press_it() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let state = bench.answer().state();
    assert_eq!(bench.confirmed(1), ["audit unenrolled-allowed", "keep"]);
    bench.pass(60.0);
    let pressed = bench.ask("alice").from(2).password("").state(&state);
    assert_eq!(bench.send(&pressed), ["accept 2"]);
    // The client lost the answer and asks again under a new identifier.
    bench.pass(9.0);
    let again = bench.ask("alice").from(2).password("").state(&state);
    assert_eq!(bench.send(&again), ["accept 3"]);
    bench.pass(1.0);
    let again = bench.ask("alice").from(2).password("").state(&state);
    assert_eq!(bench.send(&again), ["audit state-invalid", "reject 4"]);
}

#[test]
fn a_refusal_that_nobody_has_heard_of_is_told_once() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let state = bench.answer().state();
    assert_eq!(bench.refused(1), ["audit user-cancel"]);
    let pressed = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&pressed), ["reject 2"]);
    assert!(bench.answer().text().contains("declined on the phone"));
    let again = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&again), ["audit state-invalid", "reject 3"]);
}

#[test]
fn a_client_that_waits_first_is_challenged_just_before_it_gives_up() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(3);
    bench.send(&alice);
    assert_eq!(bench.shown(1), nothing());
    assert_eq!(bench.pass(8.9), nothing());
    assert_eq!(bench.pass(0.1), ["challenge 1"]);
    assert_eq!(bench.send(&alice), ["challenge 1"], "a retransmission gets the same");
    assert_eq!(bench.answer().octets, bench.answer().octets);
}

#[test]
fn a_phone_that_is_quick_spares_the_challenge() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(3);
    bench.send(&alice);
    bench.shown(1);
    bench.pass(3.0);
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
}

#[test]
fn a_code_that_comes_late_is_shown_at_once() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(3);
    bench.send(&alice);
    assert_eq!(bench.pass(12.0), nothing(), "nothing to show yet");
    assert_eq!(bench.shown(1), ["challenge 1"]);
}

#[test]
fn a_lost_challenge_is_made_anew_for_the_same_request_under_another_identifier() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let again = bench.ask("alice").from(2);
    assert_eq!(bench.send(&again), ["challenge 2"]);
}

#[test]
fn a_client_that_waits_beyond_its_own_time_collects_by_retransmission() {
    let config =
        CONFIG.replace("nas_timeout = 60\nfirst_factor", "nas_timeout = 10\ndeadline = 60\nfirst_factor");
    let mut bench = Bench::of(&config, &SYNCH);
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.shown(1);
    assert_eq!(bench.pass(40.0), nothing());
    assert_eq!(bench.send(&alice), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
    assert_eq!(bench.send(&alice), ["accept 1"]);
}

#[test]
fn when_the_deadline_passes_the_login_is_abandoned_and_its_end_is_recorded() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    assert_eq!(bench.pass(60.5), nothing());
    assert_eq!(bench.pass(0.5), ["abandon 1", "reject 1"]);
    assert_eq!(bench.server.pending(), 1, "its task still runs");
    assert_eq!(bench.send(&alice), ["reject 1"]);
    let request = bench.requests[0].clone();
    let cancelled = no(request, Reason::Cancelled, bench.now);
    assert_eq!(bench.ends(1, cancelled), ["audit cancelled"]);
    assert_eq!(bench.server.pending(), 0);
    assert_eq!(bench.server.due(), None);
}

#[test]
fn an_accept_after_the_deadline_lets_nobody_in() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let state = bench.answer().state();
    assert_eq!(bench.pass(82.0), ["abandon 1"]);
    let pressed = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&pressed), ["audit state-invalid", "reject 2"]);
    assert_eq!(bench.confirmed(1), ["audit timed-out"], "no accept, no evidence");
    let pressed = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&pressed), ["reject 3"]);
}

#[test]
fn a_first_serial_number_that_was_kept_too_late_is_on_record() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.pass(82.0);
    let mut outcome = yes(&bench.requests[0], bench.now);
    outcome.audit.serial = Some("MIDCHE1".to_owned());
    outcome.audit.first_use = true;
    assert_eq!(bench.ends(1, outcome), ["audit timed-out"]);
    let audit = bench.audits.last().unwrap();
    assert_eq!((audit.verdict, audit.serial.as_deref(), audit.first_use), ("denied", Some("MIDCHE1"), true));
}

#[test]
fn an_abandoned_login_that_never_ends_is_given_up() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.pass(70.0);
    assert_eq!(bench.pass(3_600.0), ["audit internal"]);
    assert_eq!((bench.server.pending(), bench.server.due()), (0, None));
}

#[test]
fn a_login_that_breaks_is_a_denial_and_a_line_in_the_audit() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    let broken = Event::Broken { id: LoginId(1), detail: "index out of bounds".into() };
    assert_eq!(bench.event(broken), ["audit internal", "reject 1"]);
    assert!(bench.logs.iter().any(|line| line.contains("index out of bounds")), "{:?}", bench.logs);
    assert_eq!(bench.confirmed(1), nothing(), "what it says afterwards counts for nothing");
}

#[test]
fn a_reload_leaves_what_is_pending_as_it_was() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    let changed = CONFIG
        .replacen(r#"secret = "0123456789abcdefghij""#, r#"secret = "a new secret of 22 octe""#, 1)
        .replace("name = \"wait\"", "name = \"renamed\"");
    bench.server.reload(settings(&changed, &SYNCH));
    // Signed with the old secret, or the bench would not take it.
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
    let bob = bench.ask("bob");
    assert_eq!(bench.send(&bob), nothing(), "the old secret is wrong now");
    let bob = Ask { secret: "a new secret of 22 octe", ..bench.ask("bob") };
    assert_eq!(bench.send(&bob), ["start 2 bob"]);
}

#[test]
fn at_the_end_of_the_end_nobody_is_left_without_a_word() {
    let mut bench = Bench::new();
    let (judged, late, rings) = (bench.ask("alice").from(4), bench.ask("carol").from(4), bench.ask("bob"));
    bench.send(&judged);
    assert_eq!(bench.upstream(1, Answer::Reject { reply_message: None }), ["audit first-factor-failed"]);
    bench.send(&late);
    bench.send(&rings);
    let (now, mut out) = (bench.now, Vec::new());
    let random = &mut bench.random;
    bench.server.give_up(now, &mut |to| draw(random, to), &mut out);
    assert_eq!(bench.heard(out), ["audit cancelled", "reject 2"]);
    let accept = Answer::Accept { attributes: Vec::new() };
    assert_eq!(bench.upstream(2, accept), nothing(), "whatever comes now");
    let cancelled = no(bench.requests[2].clone(), Reason::Cancelled, bench.now);
    assert_eq!(bench.ends(3, cancelled), ["audit cancelled", "reject 3"]);
    assert_eq!(bench.pass(3.0), ["reject 1"], "a denial that is held back stays so");
    assert_eq!(bench.server.pending(), 0);
}

#[test]
fn while_draining_what_is_pending_ends_and_nothing_begins() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.server.drain();
    let bob = bench.ask("bob");
    assert_eq!(bench.send(&bob), nothing());
    assert_eq!(bench.send(&bob), nothing());
    assert_eq!(bench.fate("wait", Fate::Draining), 2);
    let again = bench.ask("alice");
    assert_eq!(bench.send(&again), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 1", "accept 3"]);
    let status = Ask { code: Code::STATUS_SERVER, user: None, password: None, ..bench.ask("x") };
    assert_eq!(bench.send(&status), nothing());
}
