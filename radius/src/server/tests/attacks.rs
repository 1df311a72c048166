//! Every way that is known to get an Access-Accept, a push or a kept answer that one has no right to.

use super::*;

/// Alice's login at the challenging client 2, waiting for her phone, and the State that she got.
fn challenged() -> (Bench, Vec<u8>) {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let state = bench.answer().state();
    (bench, state)
}

fn refused(bench: &mut Bench, ask: &Ask) {
    let expected = ["audit state-invalid".to_owned(), format!("reject {}", ask.identifier)];
    assert_eq!(bench.send(ask), expected);
}

#[test]
fn a_state_serves_its_own_user_station_and_client_group_alone() {
    for when in ["pending", "accepted"] {
        let (mut bench, state) = challenged();
        if when == "accepted" {
            bench.confirmed(1);
        }
        let bob = bench.ask("bob").from(2).state(&state);
        let elsewhere = bench.ask("alice").from(2).station("office").state(&state);
        let nowhere = Ask { station: None, ..bench.ask("alice").from(2) }.state(&state);
        let other_client = bench.ask("alice").from(3).state(&state);
        for ask in [bob, elsewhere, nowhere, other_client] {
            refused(&mut bench, &ask);
        }
        // And it still serves her.
        let alice = bench.ask("alice").from(2).password("").state(&state);
        let trace = bench.send(&alice);
        assert_eq!(trace, if when == "pending" { nothing() } else { vec!["accept 6".to_owned()] }, "{when}");
    }
}

/// The same password at the same client: what differs is where it is asked for, and what the rules say of that.
#[test]
fn who_needs_a_phone_does_not_ride_on_a_login_that_was_spared_it() {
    for spared_has_ended in [false, true] {
        let mut bench = Bench::new();
        let guest = bench.ask("alice").from(4).with(attribute::CALLED_STATION_ID, b"guest");
        assert_eq!(bench.send(&guest), ["upstream 1"]);
        if spared_has_ended {
            assert_eq!(bench.upstream(1, judged()), ["audit rule-accepts", "accept 1"]);
        }
        let office = bench.ask("alice").from(4).with(attribute::CALLED_STATION_ID, b"office");
        assert_eq!(bench.send(&office), ["upstream 2"]);
        assert_eq!(bench.upstream(2, judged()), ["start 2 alice"]);
    }
}

/// Without a Calling-Station-Id it is the session or the port that tells the thief of a password from its owner.
#[test]
fn who_comes_from_another_port_does_not_ride_on_the_push() {
    for kind in [attribute::ACCT_SESSION_ID, attribute::NAS_PORT, attribute::NAS_PORT_ID] {
        let mut bench = Bench::new();
        let nowhere = |bench: &mut Bench| Ask { station: None, ..bench.ask("alice") };
        let owner = nowhere(&mut bench).with(kind, &[0, 0, 0, 1]);
        assert_eq!(bench.send(&owner), ["start 1 alice"]);
        let again = Ask { identifier: 77, ..owner };
        assert_eq!(bench.send(&again), nothing(), "the same session joins");
        let thief = nowhere(&mut bench).with(kind, &[0, 0, 0, 2]);
        assert_eq!(bench.send(&thief), ["audit overloaded", format!("reject {}", thief.identifier).as_str()]);
    }
}

/// An upstream's question is answered from where a phone is needed: the rules are asked again.
#[test]
fn the_last_packet_says_whether_a_phone_is_needed() {
    let mut bench = Bench::new();
    let guest = bench.ask("alice").from(4).with(attribute::CALLED_STATION_ID, b"guest");
    bench.send(&guest);
    let state = b"s".to_vec();
    bench.upstream(1, Answer::Challenge { state, server: 0, reply_message: None, attributes: vec![] });
    let state = bench.answer().state();
    let office = bench.ask("alice").from(4).with(attribute::CALLED_STATION_ID, b"office").state(&state);
    assert_eq!(bench.send(&office), ["upstream 1"]);
    assert_eq!(bench.upstream(1, judged()), ["start 1 alice"]);
}

fn judged() -> Answer {
    Answer::Accept { attributes: vec![] }
}

#[test]
fn a_state_that_was_changed_or_made_up_is_refused() {
    let (mut bench, state) = challenged();
    for position in [0, 1, 13, state.len() - 1] {
        let mut changed = state.clone();
        changed[position] ^= 1;
        let ask = bench.ask("alice").from(2).state(&changed);
        refused(&mut bench, &ask);
    }
    for made_up in [&b""[..], b"x", &[0; 253]] {
        let ask = bench.ask("alice").from(2).state(made_up);
        refused(&mut bench, &ask);
    }
    let two = bench.ask("alice").from(2).state(&state).with(attribute::STATE, &state);
    assert_eq!(bench.send(&two)[0], "audit request-invalid");
}

#[test]
fn a_used_state_is_worth_nothing_after_the_accept_was_kept() {
    let (mut bench, state) = challenged();
    bench.confirmed(1);
    let alice = bench.ask("alice").from(2).state(&state);
    assert_eq!(bench.send(&alice), ["accept 2"]);
    bench.pass(10.0);
    let replayed = bench.ask("alice").from(2).state(&state);
    refused(&mut bench, &replayed);
}

#[test]
fn an_old_state_is_refused() {
    let (mut bench, state) = challenged();
    bench.pass(91.0);
    let late = bench.ask("alice").from(2).state(&state);
    refused(&mut bench, &late);
    assert!(bench.audits.last().unwrap().detail.as_deref().unwrap().contains("too old"));
}

#[test]
fn a_question_of_the_first_factor_opens_no_way_around_it() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    let question = || Answer::Challenge {
        state: b"s".to_vec(),
        server: 0,
        reply_message: Some("code?".into()),
        attributes: vec![],
    };
    bench.upstream(1, question());
    let state = bench.answer().state();
    let code = bench.ask("alice").from(4).password("123456").state(&state);
    assert_eq!(bench.send(&code), ["upstream 1"]);
    bench.upstream(1, Answer::Accept { attributes: vec![] });

    // Who knows the password and holds the State of the question, and has no code.
    let guess = bench.ask("alice").from(4).password("000000").state(&state);
    refused(&mut bench, &guess);
    // Who knows the password alone begins a login of his own, and is asked too.
    let password = bench.ask("alice").from(4);
    assert_eq!(bench.send(&password), ["upstream 2"]);
    bench.confirmed(1);
    assert_eq!(bench.answers.iter().filter(|reply| reply.code == Code::ACCESS_ACCEPT).count(), 1);
    let password = bench.ask("alice").from(4);
    assert_eq!(bench.send(&password), nothing(), "it waits for its own question");
    let guess = bench.ask("alice").from(4).password("000000").state(&state);
    refused(&mut bench, &guess);
}

#[test]
fn nobody_rides_on_a_push_with_another_password_station_user_or_group() {
    let config = CONFIG.replace("[limits]", "[limits]\npending_per_user = 9");
    let mut bench = Bench::of(&config, &SYNCH);
    let alice = bench.ask("alice");
    bench.send(&alice);
    let others = [
        bench.ask("alice").password("wrong"),
        Ask { password: None, ..bench.ask("alice") },
        bench.ask("alice").station("office"),
        Ask { station: None, ..bench.ask("alice") },
        bench.ask("bob"),
        bench.ask("alice").from(9),
    ];
    for (number, ask) in others.iter().enumerate() {
        let trace = bench.send(ask);
        assert!(trace[0].starts_with(&format!("start {}", number + 2)), "{trace:?}");
    }
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
    // Nor on the accept that is kept.
    let later = bench.ask("alice").password("other");
    assert_eq!(bench.send(&later), ["start 8 alice"]);
}

#[test]
fn by_default_a_second_person_gets_no_second_push_either() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    let other = bench.ask("alice").password("wrong");
    assert_eq!(bench.send(&other), ["audit overloaded", "reject 2"]);
    assert_eq!(bench.confirmed(1)[2..], ["accept 1"]);
}

#[test]
fn chap_joins_only_with_the_very_same_octets() {
    let config = CONFIG.replace("[limits]", "[limits]\npending_per_user = 9");
    let mut bench = Bench::of(&config, &SYNCH);
    let chap = |bench: &mut Bench, response: u8, challenge: u8| {
        Ask { password: None, ..bench.ask("alice") }
            .with(attribute::CHAP_PASSWORD, &[response; 17])
            .with(attribute::CHAP_CHALLENGE, &[challenge; 16])
    };
    let first = chap(&mut bench, 1, 1);
    assert_eq!(bench.send(&first), ["start 1 alice"]);
    let same = chap(&mut bench, 1, 1);
    assert_eq!(bench.send(&same), nothing());
    let other = chap(&mut bench, 1, 2);
    assert_eq!(bench.send(&other), ["start 2 alice"]);
    let other = chap(&mut bench, 2, 1);
    assert_eq!(bench.send(&other), ["start 3 alice"]);
}

#[test]
fn a_kept_answer_goes_only_to_who_could_have_asked() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice");
    bench.send(&alice);
    bench.confirmed(1);
    // The same header with no signature, or with a broken one: the authenticator was seen on the wire.
    assert_eq!(bench.raw(alice.peer, &alice.clone().unsigned().octets()), nothing());
    let mut broken = alice.octets();
    broken[22] ^= 1;
    assert_eq!(bench.raw(alice.peer, &broken), nothing());
    // Where signatures are optional, other contents under the same authenticator get nothing either.
    let bob = bench.ask("bob").from(5).unsigned();
    bench.send(&bob);
    bench.confirmed(2);
    let forged = Ask { user: Some("mallory".into()), ..bob.clone() };
    assert_eq!(bench.send(&forged), nothing());
    assert_eq!(bench.fate("optional", Fate::Altered), 1);
    assert_eq!(bench.send(&bob).len(), 1);
}

#[test]
fn the_shape_of_the_attack_on_md5_gets_no_answer_from_any_default() {
    let mut bench = Bench::new();
    for host in 1..=9 {
        if host == 7 {
            continue;
        }
        let secret = if host == 8 { "another secret of 24 octe" } else { SECRET };
        let ask = Ask { secret, ..bench.ask("alice").from(host).unsigned() };
        let ask = ask.with(attribute::PROXY_STATE, &[0xaa; 200]);
        assert_eq!(bench.send(&ask), nothing(), "client {host}");
    }
}

#[test]
fn a_hundred_thousand_packets_with_a_wrong_secret_are_as_many_silences() {
    let mut bench = Bench::new();
    let wrong = Ask { secret: "a wrong secret", ..bench.ask("alice") };
    let mut octets = wrong.octets();
    for number in 0..100_000u32 {
        octets[4..8].copy_from_slice(&number.to_be_bytes());
        assert_eq!(bench.raw(wrong.peer, &octets), nothing());
    }
    assert_eq!(bench.fate("wait", Fate::Forged), 100_000);
    assert_eq!(bench.logs.len(), 1);
}
