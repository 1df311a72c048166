//! Client 4, which has its passwords judged upstream. No phone rings before that.

use super::*;

#[test]
fn a_directory_judges_as_an_upstream_does() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(10).password("opensesame");
    assert_eq!(bench.send(&alice), ["judge 1 ad alice opensesame"]);
    let granted = Answer::Accept { attributes: Vec::new() };
    assert_eq!(bench.upstream(1, granted), ["start 1 alice"]);
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
    let bob = bench.ask("bob").from(10).password("wrong");
    assert_eq!(bench.send(&bob), ["judge 2 ad bob wrong"]);
    assert_eq!(bench.upstream(2, reject()), ["audit first-factor-failed"]);
    // As long as a right one of somebody without a phone.
    assert_eq!(bench.pass(0.9), nothing());
    assert_eq!(bench.pass(0.5), ["reject 2"]);
    let carol = bench.ask("carol").from(10).password("x");
    assert_eq!(bench.send(&carol), ["judge 3 ad carol x"]);
    let away = bench.upstream(3, Answer::Silent("ad: no answer in time".into()));
    assert!(away.iter().any(|said| said == "audit first-factor-unavailable"), "{away:?}");
}

#[test]
fn no_directory_is_asked_without_a_password_in_the_clear() {
    let mut bench = Bench::new();
    let none = Ask { password: None, ..bench.ask("alice").from(10) };
    let chap = Ask { password: None, ..bench.ask("bob").from(10) }
        .with(attribute::CHAP_PASSWORD, &[1; 17])
        .with(attribute::CHAP_CHALLENGE, &[1; 16]);
    for ask in [none, chap] {
        let said = bench.send(&ask);
        assert!(said.iter().any(|said| said == "audit request-invalid"), "{said:?}");
        assert!(!said.iter().any(|said| said.starts_with("judge")), "{said:?}");
    }
}

fn accept() -> Answer {
    Answer::Accept { attributes: vec![plain(attribute::CLASS, b"theirs"), plain(27, &[0, 0, 0, 9])] }
}

fn reject() -> Answer {
    Answer::Reject { reply_message: None }
}

fn question() -> Answer {
    Answer::Challenge {
        state: b"theirs".to_vec(),
        server: 1,
        reply_message: Some("Enter\nyour code".into()),
        attributes: vec![plain(76, &[0, 0, 0, 1]), plain(attribute::CLASS, b"no")],
    }
}

#[test]
fn the_phone_rings_after_the_accept_and_not_before() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    assert_eq!(bench.send(&alice), ["upstream 1"]);
    bench.pass(2.0);
    assert_eq!(bench.upstream(1, accept()), ["start 1 alice"]);
    assert_eq!(bench.requests[0].limit, Some(Duration::from_secs(78)), "what is left of the deadline");
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
    let answer = bench.answer();
    assert_eq!(answer.all(attribute::CLASS), [b"theirs"], "listed in pass");
    assert_eq!(answer.all(27).len(), 0, "not listed");
    assert_eq!(answer.all(attribute::FILTER_ID), [b"ours"]);
}

#[test]
fn what_the_administrator_sets_goes_before_what_upstream_says() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, Answer::Accept { attributes: vec![plain(attribute::FILTER_ID, b"theirs")] });
    bench.confirmed(1);
    assert_eq!(bench.answer().all(attribute::FILTER_ID), [b"ours"]);
}

#[test]
fn a_wrong_password_is_final_and_told_after_the_delay() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.upstream(1, reject()), ["audit first-factor-failed"]);
    assert_eq!(bench.pass(1.9), nothing());
    let again = bench.ask("alice").from(4);
    assert_eq!(bench.send(&again), nothing(), "the same password again waits for the same answer");
    assert_eq!(bench.pass(0.7), ["reject 1", "reject 2"], "two seconds and up to a quarter more");
    let other = bench.ask("alice").from(4);
    assert_eq!(bench.send(&other), ["upstream 2"]);
}

#[test]
fn a_right_password_of_somebody_without_a_phone_takes_as_long() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, accept());
    let request = bench.requests[0].clone();
    let unknown = login::refuse(request, Reason::NotEnrolled, "", Language::En, bench.now);
    assert_eq!(bench.ends(1, unknown), ["audit not-enrolled"]);
    assert_eq!(bench.pass(1.9), nothing());
    assert_eq!(bench.pass(0.7), ["reject 1"]);
}

#[test]
fn a_refusal_on_the_phone_is_told_at_once() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, accept());
    assert_eq!(bench.refused(1), ["audit user-cancel", "reject 1"]);
}

#[test]
fn a_question_of_the_first_factor_is_carried_through() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.upstream(1, question()), ["challenge 1"]);
    let asked = bench.answer();
    assert_eq!(asked.text(), "Enter your code");
    assert_eq!(asked.all(76), [[0, 0, 0, 1]]);
    assert_eq!(asked.all(attribute::CLASS).len(), 0);

    // The challenge was lost; the same request under another identifier gets it again.
    let again = bench.ask("alice").from(4);
    assert_eq!(bench.send(&again), ["challenge 2"]);

    let code = bench.ask("alice").from(4).password("123456").state(&asked.state());
    assert_eq!(bench.send(&code), ["upstream 1"]);
    let repeated = Ask { identifier: 9, ..code.clone() };
    assert_eq!(bench.send(&repeated), nothing(), "the same answer again joins");
    assert_eq!(bench.upstream(1, accept()), ["start 1 alice"]);
    assert_eq!(bench.confirmed(1)[2..], ["accept 3", "accept 9"]);
}

#[test]
fn what_answered_one_question_does_not_answer_the_next() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, question());
    let first = bench.answer().state();
    let code = bench.ask("alice").from(4).password("123456").state(&first);
    assert_eq!(bench.send(&code), ["upstream 1"]);
    assert_eq!(bench.upstream(1, question()), ["challenge 2"]);
    let second = bench.answer().state();
    // That challenge was lost. The same code once more gets it again, and is no answer to it.
    let again = bench.ask("alice").from(4).password("123456").state(&first);
    assert_eq!(bench.send(&again), ["challenge 3"]);
    // Who has seen the first question only, in another browser with the same password, has not come that far.
    let other = bench.ask("alice").from(4).password("000000").state(&first);
    assert_eq!(bench.send(&other), ["audit state-invalid", "reject 4"]);
    let next = bench.ask("alice").from(4).password("654321").state(&second);
    assert_eq!(bench.send(&next), ["upstream 1"]);
    assert_eq!(bench.upstream(1, accept()), ["start 1 alice"]);
}

#[test]
fn who_comes_back_from_the_phone_needs_the_state_and_no_password() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, accept());
    bench.shown(1);
    assert_eq!(bench.pass(9.0), ["challenge 1"]);
    let state = bench.answer().state();
    // RFC 2865, section 4.1: a password or a State.
    let alone = Ask { password: None, ..bench.ask("alice").from(4).state(&state) };
    assert_eq!(bench.send(&alone), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 2"]);
}

#[test]
fn who_is_asked_by_the_first_factor_needs_an_answer() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, question());
    let state = bench.answer().state();
    let alone = Ask { password: None, ..bench.ask("alice").from(4).state(&state) };
    assert_eq!(bench.send(&alone), ["audit request-invalid", "reject 2"]);
    let garbage = Ask { password: None, ..bench.ask("alice").from(4).state(b"?") };
    assert_eq!(bench.send(&garbage)[1..], ["reject 3"]);
}

#[test]
fn a_wrong_answer_to_the_question_is_a_reject() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, question());
    let state = bench.answer().state();
    let code = bench.ask("alice").from(4).password("999999").state(&state);
    bench.send(&code);
    assert_eq!(bench.upstream(1, reject()), ["audit first-factor-failed"]);
    assert_eq!(bench.pass(3.0), ["reject 2"]);
    let another = bench.ask("alice").from(4).password("123456").state(&state);
    assert_eq!(bench.send(&another), ["audit state-invalid", "reject 3"]);
}

#[test]
fn a_question_that_nobody_answers_ends_with_the_deadline() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, question());
    assert_eq!(bench.pass(90.0), ["audit timed-out"]);
    assert_eq!(bench.server.pending(), 0);
}

#[test]
fn a_silent_first_factor_is_a_denial() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    let silent = Answer::Silent("203.0.113.1:1812: no answer".into());
    assert_eq!(bench.upstream(1, silent), ["audit first-factor-unavailable"]);
    assert_eq!(bench.pass(3.0), ["reject 1"]);
}

#[test]
fn or_silence_where_that_is_wanted_so_that_the_client_asks_another_node() {
    let config = CONFIG.replace("[limits]", "[limits]\noverload = \"silence\"");
    let mut bench = Bench::of(&config, &SYNCH);
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.upstream(1, Answer::Silent(String::new())), ["audit first-factor-unavailable"]);
    assert_eq!(bench.pass(9.0), nothing());
    assert_eq!(bench.send(&alice), ["upstream 2"], "the same packet may be judged now");
}

#[test]
fn rules_reject_before_the_password_is_judged_and_accept_after_it() {
    let mut bench = Bench::new();
    let probe = bench.ask("probe").from(4);
    assert_eq!(bench.send(&probe), ["audit rule-rejects", "reject 1"]);
    let robot = bench.ask("robot").from(4);
    assert_eq!(bench.send(&robot), ["upstream 1"]);
    assert_eq!(bench.upstream(1, accept()), ["audit rule-accepts", "accept 2"]);
    let robot = bench.ask("robot").from(4).password("wrong");
    assert_eq!(bench.send(&robot), ["upstream 2"]);
    assert_eq!(bench.upstream(2, reject()), ["audit first-factor-failed"]);
    assert_eq!(bench.pass(3.0), ["reject 3"]);
}

#[test]
fn where_the_client_has_checked_the_password_a_rule_accepts_at_once() {
    let mut bench = Bench::new();
    let robot = bench.ask("robot");
    assert_eq!(bench.send(&robot), ["audit rule-accepts", "accept 1"]);
    assert_eq!(bench.audits[0].detail.as_deref().map(|d| d.starts_with("rule of line")), Some(true));
}

#[test]
fn an_upstream_that_answers_after_the_deadline_rings_no_phone() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.pass(81.5), ["reject 1"]);
    assert_eq!(bench.upstream(1, accept()), ["audit timed-out"]);
    assert_eq!(bench.server.pending(), 0);
}

#[test]
fn an_answer_to_nothing_does_nothing() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.upstream(7, accept()), nothing());
    assert_eq!(bench.ends(1, no(login_request(), Reason::TimedOut, bench.now)), nothing());
    bench.upstream(1, accept());
    assert_eq!(bench.upstream(1, accept()), nothing(), "a second accept rings no second time");
    bench.confirmed(1);
    assert_eq!(bench.confirmed(1), nothing());
}

fn login_request() -> login::Request {
    login::Request {
        user: "alice".parse().unwrap(),
        service: "VPN".into(),
        host: "h".into(),
        rhost: None,
        client: None,
        target: None,
        command: None,
        limit: None,
    }
}
