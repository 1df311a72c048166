//! Two nodes with one key: a login that one began is finished by the other, in the asynchronous mode.

use super::*;

/// As a node's own core would hand it out: version, 16 octets of entropy, start, length, MSSP_TransID, text.
fn ticket(text: &str) -> Ticket {
    let mut octets = vec![1];
    octets.extend_from_slice(&[9; 16]);
    octets.extend_from_slice(&1_800_000_000u32.to_be_bytes());
    octets.extend_from_slice(&80u16.to_be_bytes());
    octets.push(5);
    octets.extend_from_slice(b"h1234");
    octets.extend_from_slice(text.as_bytes());
    Ticket::decode(&octets).expect("a ticket")
}

const TEXT: &str = "ACME: Log in as alice on vpn (VPN)? Code K7PX";

/// Alice at client 2 of the first node, challenged, and her State.
fn begun(text: &str) -> (Bench, Vec<u8>) {
    let mut bench = Bench::node(CONFIG, &ASYNCH, 1);
    let alice = bench.ask("alice").from(2);
    assert_eq!(bench.send(&alice), ["start 1 alice"]);
    assert_eq!(bench.shown(1), nothing(), "the State is not whole yet");
    let outstanding = Event::Outstanding { id: LoginId(1), ticket: ticket(text) };
    assert_eq!(bench.event(outstanding), ["challenge 1"]);
    let state = bench.answer().state();
    (bench, state)
}

#[test]
fn another_node_finishes_the_login_once() {
    let (_, state) = begun(TEXT);
    let mut other = Bench::node(CONFIG, &ASYNCH, 2);
    let pressed = other.ask("alice").from(2).password("").state(&state);
    assert_eq!(other.send(&pressed), ["resume 1 alice"]);
    assert_eq!(other.tickets, [ticket(TEXT)]);
    assert_eq!(other.shown(1), nothing());

    // Again, while it waits: joined. Challenged once more: the text is the one on the phone.
    let again = other.ask("alice").from(2).password("").state(&state);
    assert_eq!(other.send(&again), nothing());
    assert_eq!(other.pass(9.0), ["challenge 1", "challenge 2"]);
    let challenge = other.answer();
    assert_eq!(challenge.text(), TEXT);
    let last = other.ask("alice").from(2).password("").state(&challenge.state());
    assert_eq!(other.send(&last), nothing());
    assert_eq!(other.confirmed(1)[2..], ["accept 3"]);

    // And after its end it is used.
    other.pass(10.0);
    for state in [&state, &challenge.state()] {
        let replayed = other.ask("alice").from(2).state(state);
        assert_eq!(other.send(&replayed)[0], "audit state-invalid");
    }
}

#[test]
fn what_was_finished_for_another_node_is_not_finished_again() {
    for (ends, verdict) in
        [(Bench::confirmed as fn(&mut Bench, u64) -> Vec<String>, "accept 1"), (Bench::refused, "reject 1")]
    {
        let (_, state) = begun(TEXT);
        let mut other = Bench::node(CONFIG, &ASYNCH, 2);
        let pressed = other.ask("alice").from(2).password("").state(&state);
        assert_eq!(other.send(&pressed), ["resume 1 alice"]);
        assert_eq!(ends(&mut other, 1).last().map(String::as_str), Some(verdict));
        // The State would open for a minute yet.
        other.pass(11.0);
        let replayed = other.ask("alice").from(2).password("").state(&state);
        assert_eq!(other.send(&replayed), ["audit state-invalid", "reject 2"], "after {verdict}");
    }
}

#[test]
fn a_state_of_the_other_node_serves_its_own_user_alone_there_too() {
    let (_, state) = begun(TEXT);
    let mut other = Bench::node(CONFIG, &ASYNCH, 2);
    let bob = other.ask("bob").from(2).state(&state);
    assert_eq!(other.send(&bob), ["audit state-invalid", "reject 1"]);
    other.pass(91.0);
    let late = other.ask("alice").from(2).state(&state);
    assert_eq!(other.send(&late), ["audit state-invalid", "reject 2"]);
}

#[test]
fn a_node_with_another_key_does_not_open_it() {
    let (_, state) = begun(TEXT);
    let mut other = Bench::node(CONFIG, &ASYNCH, 2);
    other.server.keys.state = StateKey::new(&[8; 32]);
    let alice = other.ask("alice").from(2).state(&state);
    assert_eq!(other.send(&alice), ["audit state-invalid", "reject 1"]);
}

#[test]
fn in_the_synchronous_mode_only_the_node_that_began_can_finish() {
    let (_, state) = begun(TEXT);
    let mut other = Bench::node(CONFIG, &SYNCH, 2);
    let alice = other.ask("alice").from(2).state(&state);
    assert_eq!(other.send(&alice), ["audit state-invalid", "reject 1"]);
}

#[test]
fn a_restarted_node_finishes_what_it_began() {
    let (_, state) = begun(TEXT);
    let mut restarted = Bench::node(CONFIG, &ASYNCH, 3);
    let alice = restarted.ask("alice").from(2).state(&state);
    assert_eq!(restarted.send(&alice), ["resume 1 alice"]);
}

#[test]
fn a_text_too_long_for_a_state_ties_the_login_to_its_node_and_says_so() {
    let (mut bench, state) = begun(&"x".repeat(230));
    assert!(bench.logs.iter().any(|line| line.contains("too long for a State")), "{:?}", bench.logs);
    let mut other = Bench::node(CONFIG, &ASYNCH, 2);
    let elsewhere = other.ask("alice").from(2).state(&state);
    assert_eq!(other.send(&elsewhere), ["audit state-invalid", "reject 1"]);
    let here = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&here), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 2"]);
}

#[test]
fn what_upstream_grants_ties_the_login_to_its_node() {
    let mut bench = Bench::node(CONFIG, &ASYNCH, 1);
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    bench.upstream(1, Answer::Accept { attributes: vec![plain(attribute::CLASS, b"c")] });
    bench.shown(1);
    bench.event(Event::Outstanding { id: LoginId(1), ticket: ticket(TEXT) });
    bench.pass(9.0);
    let state = bench.answer().state();
    let mut other = Bench::node(CONFIG, &ASYNCH, 2);
    let elsewhere = other.ask("alice").from(4).state(&state);
    assert_eq!(
        other.send(&elsewhere),
        ["audit state-invalid", "reject 1"],
        "another node would leave it out"
    );
}

#[test]
fn a_service_that_gives_no_ticket_in_time_is_challenged_without() {
    let mut bench = Bench::node(CONFIG, &ASYNCH, 1);
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    assert_eq!(bench.pass(8.9), nothing());
    assert_eq!(bench.pass(0.2), ["challenge 1"]);
}
