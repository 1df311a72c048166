//! What is too much, and what it does to others: nothing.

use super::*;

fn limited(limits: &str) -> Bench {
    Bench::of(&CONFIG.replace("[limits]\npushes_per_user = 1000", &format!("[limits]\n{limits}")), &SYNCH)
}

#[test]
fn beyond_the_limit_of_all_a_login_is_refused() {
    let mut bench = limited("pending = 2\npending_per_client = 2");
    for (user, expected) in [
        ("alice", vec!["start 1 alice"]),
        ("bob", vec!["start 2 bob"]),
        ("carol", vec!["audit overloaded", "reject 3"]),
    ] {
        let ask = bench.ask(user);
        assert_eq!(bench.send(&ask), expected);
    }
    bench.confirmed(1);
    let carol = bench.ask("carol");
    assert_eq!(bench.send(&carol), ["start 3 carol"]);
}

#[test]
fn or_met_with_silence_and_served_when_there_is_room() {
    let mut bench = limited("pending = 1\noverload = \"silence\"");
    let alice = bench.ask("alice");
    let bob = bench.ask("bob");
    bench.send(&alice);
    assert_eq!(bench.send(&bob), nothing());
    assert_eq!(bench.fate("wait", Fate::Overload), 1);
    bench.confirmed(1);
    assert_eq!(bench.send(&bob), ["start 2 bob"], "the retransmission finds room");
}

#[test]
fn a_client_cannot_take_the_place_of_another() {
    let mut bench = limited("pending = 10\npending_per_client = 3");
    for number in 0..50 {
        let ask = bench.ask(&format!("user{number}")).from(9);
        bench.send(&ask);
    }
    assert_eq!(bench.server.pending(), 3);
    let alice = bench.ask("alice");
    assert_eq!(bench.send(&alice), ["start 4 alice"]);
}

#[test]
fn after_pushes_in_vain_the_phone_is_left_alone() {
    let mut bench = limited("pushes_per_user = 3\npush_window = 300");
    for number in 1..=3 {
        let alice = bench.ask("alice");
        assert_eq!(bench.send(&alice), [format!("start {number} alice")]);
        bench.refused(number);
    }
    let alice = bench.ask("alice");
    assert_eq!(bench.send(&alice), ["audit push-limit", "reject 4"]);
    let bob = bench.ask("bob");
    assert_eq!(bench.send(&bob), ["start 5 bob"]);
    let elsewhere = bench.ask("alice").from(9);
    assert_eq!(bench.send(&elsewhere), ["start 6 alice"], "counted by client group");
    bench.pass(300.0);
    let alice = bench.ask("alice");
    assert_eq!(bench.send(&alice), ["start 7 alice"]);
}

#[test]
fn what_asked_no_phone_or_was_confirmed_is_not_in_vain() {
    let mut bench = limited("pushes_per_user = 2\naccept_kept = 0");
    for number in 1..=10 {
        let alice = bench.ask("alice");
        assert_eq!(bench.send(&alice), [format!("start {number} alice")]);
        if number % 2 == 0 {
            bench.confirmed(number);
        } else {
            let request = bench.requests[0].clone();
            let unknown = login::refuse(request, Reason::NotEnrolled, "", Language::En, bench.now);
            bench.ends(number, unknown);
        }
    }
}

#[test]
fn who_does_not_know_the_password_uses_up_nobodys_pushes() {
    let mut bench = limited("pushes_per_user = 1");
    for number in 1..=5 {
        let guess = bench.ask("alice").from(4).password("wrong");
        assert_eq!(bench.send(&guess), [format!("upstream {number}")]);
        bench.upstream(number, Answer::Reject { reply_message: None });
        bench.pass(3.0);
    }
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    assert_eq!(bench.upstream(6, Answer::Accept { attributes: vec![] }), ["start 6 alice"]);
}

#[test]
fn the_packets_of_one_login_are_bounded_and_the_newest_wait() {
    let mut bench = Bench::new();
    for _ in 0..40 {
        let alice = bench.ask("alice");
        bench.send(&alice);
    }
    let trace = bench.confirmed(1);
    let expected: Vec<String> = (25..=40).map(|identifier| format!("accept {identifier}")).collect();
    assert_eq!(trace[2..], expected);
}

#[test]
fn fifty_logins_retransmitted_twice_are_fifty_pushes_and_twenty_repeated_ones_are_forty_answers() {
    let mut bench = Bench::new();
    let mut pushes = 0;
    for number in 0..50 {
        let ask = bench.ask(&format!("user{number}"));
        for _ in 0..3 {
            pushes += bench.send(&ask).len();
        }
    }
    assert_eq!(pushes, 50);
    let mut bench = Bench::new();
    let mut pushes = 0;
    for round in 0..2 {
        for number in 0..20 {
            let ask = bench.ask(&format!("user{number}")).port(40_000 + round);
            pushes += bench.send(&ask).len();
        }
    }
    assert_eq!(pushes, 20);
    let answers: usize = (1..=20).map(|id| bench.confirmed(id).len() - 2).sum();
    assert_eq!(answers, 40);
}

#[test]
fn nothing_is_left_when_all_has_ended() {
    let mut bench = Bench::new();
    for number in 1..=200u64 {
        let host = if number % 2 == 0 { 2 } else { 3 };
        let ask = bench.ask(&format!("user{number}")).from(host);
        bench.send(&ask);
        bench.shown(number);
        if number % 3 == 0 {
            bench.confirmed(number)
        } else {
            bench.refused(number)
        };
    }
    bench.pass(1_000.0);
    let server = &bench.server;
    assert_eq!((server.pending(), server.timers.len(), server.ended.len()), (0, 0, 0));
    assert_eq!((server.joining.len(), server.handed_on.len(), server.due()), (0, 0, None));
    assert!(server.desks.values().all(|desk| desk.pending == 0));
}
