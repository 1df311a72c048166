//! What answers carry.

use super::*;

#[test]
fn an_accept_carries_what_everybody_gets_and_what_the_groups_get() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(9);
    bench.send(&alice);
    bench.confirmed(1);
    let answer = bench.answer();
    assert_eq!(answer.all(attribute::SESSION_TIMEOUT), [[0, 0, 2, 0x58]]);
    assert_eq!(answer.all(attribute::CLASS), [b"staff"], "she is staff and no admin");
    assert_eq!(answer.all(attribute::VENDOR_SPECIFIC), [b"\0\0\0\x09\x01\x05a=1", b"\0\0\0\x09\x01\x05b=2"]);
}

#[test]
fn a_reject_carries_none_of_it() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(9);
    bench.send(&alice);
    bench.refused(1);
    let kinds: Vec<u8> = bench.answer().attributes.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [attribute::MESSAGE_AUTHENTICATOR, attribute::REPLY_MESSAGE]);
}

#[test]
fn an_accept_after_a_challenge_carries_the_same_as_one_at_once() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(2);
    bench.send(&alice);
    bench.shown(1);
    let state = bench.answer().state();
    let pressed = bench.ask("alice").from(2).state(&state);
    bench.send(&pressed);
    bench.confirmed(1);
    assert_eq!(bench.answer().all(attribute::CLASS), [b"vpn"]);
}

#[test]
fn proxy_state_is_echoed_in_order_at_the_end_of_every_answer() {
    let proxied = |ask: Ask| ask.with(attribute::PROXY_STATE, b"b").with(attribute::PROXY_STATE, b"a");
    let ends = |reply: &Reply| {
        let last: Vec<_> = reply.attributes.iter().rev().take(2).map(|(k, v)| (*k, v.clone())).collect();
        assert_eq!(last, [(attribute::PROXY_STATE, b"a".to_vec()), (attribute::PROXY_STATE, b"b".to_vec())]);
    };
    let mut bench = Bench::new();
    let alice = proxied(bench.ask("alice").from(2));
    bench.send(&alice);
    bench.shown(1);
    let challenge = bench.answer();
    ends(&challenge);
    let pressed = proxied(bench.ask("alice").from(2).state(&challenge.state()));
    bench.send(&pressed);
    bench.confirmed(1);
    ends(&bench.answer());
    let bob = proxied(bench.ask("bob"));
    bench.send(&bob);
    bench.refused(2);
    ends(&bench.answer());
}

#[test]
fn a_text_is_cut_at_a_whole_character() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    let said = format!("{}é\nend", "x".repeat(249));
    bench.upstream(1, Answer::Reject { reply_message: Some(said) });
    bench.pass(3.0);
    assert_eq!(bench.answer().text(), "x".repeat(249));
}

#[test]
fn an_answer_that_would_be_too_long_is_a_reject_with_a_line() {
    // One attribute of 250 octets twenty times leaves no room behind a long chain of proxies.
    let values = vec![format!("\"{}\"", "x".repeat(240)); 11].join(", ");
    let config = CONFIG.replace("Cisco-AVPair = [\"a=1\", \"b=2\"]", &format!("Cisco-AVPair = [{values}]"));
    let mut bench = Bench::of(&config, &SYNCH);
    let mut alice = bench.ask("alice").from(9);
    for _ in 0..5 {
        alice = alice.with(attribute::PROXY_STATE, &[1; 253]);
    }
    bench.send(&alice);
    let trace = bench.confirmed(1);
    assert_eq!(trace.last().map(String::as_str), Some("reject 1"));
    assert!(trace.contains(&"audit internal".to_owned()), "not: accepted: {trace:?}");
    assert!(bench.logs.iter().any(|line| line.contains("longer than a packet")), "{:?}", bench.logs);
    // Without the chain there is room.
    let bob = bench.ask("bob").from(9);
    bench.send(&bob);
    assert_eq!(bench.confirmed(2)[2..], ["accept 2"]);
}

#[test]
fn the_host_on_the_phone_is_what_the_client_says_where_that_is_wanted() {
    for (from, attribute, value, host) in [
        ("nas-identifier", attribute::NAS_IDENTIFIER, &b"gw7"[..], "gw7"),
        ("nas-ip-address", attribute::NAS_IP_ADDRESS, &[10, 0, 0, 1], "10.0.0.1"),
        ("called-station-id", attribute::CALLED_STATION_ID, b"office", "office"),
        ("nas-identifier", attribute::NAS_IDENTIFIER, b"\xff", "wait"),
        ("nas-ip-address", attribute::NAS_IP_ADDRESS, b"\x0a", "wait"),
        ("name", attribute::NAS_IDENTIFIER, b"gw7", "wait"),
    ] {
        let config =
            CONFIG.replacen("mode = \"wait\"", &format!("host_from = \"{from}\"\nmode = \"wait\""), 1);
        let mut bench = Bench::of(&config, &SYNCH);
        let alice = bench.ask("alice").with(attribute, value);
        bench.send(&alice);
        assert_eq!(bench.requests[0].host, host, "{from}");
    }
}

#[test]
fn no_two_keys_of_an_answer_are_hidden_with_the_same_salt() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(4);
    bench.send(&alice);
    let attributes = vec![PassedOn::key(16, &[1; 16]), PassedOn::key(17, &[2; 16])];
    bench.upstream(1, Answer::Accept { attributes });
    let outcome = Box::new(yes(&bench.requests[0], bench.now));
    // As bad as randomness gets: what it draws, it draws again.
    let (now, mut out) = (bench.now, Vec::new());
    bench.server.event(Event::Ended { id: LoginId(1), outcome }, now, &mut |to| to.fill(0xff), &mut out);
    bench.heard(out);
    let answer = bench.answer();
    // Vendor, type and length, then the salt.
    let salts: Vec<_> =
        answer.all(attribute::VENDOR_SPECIFIC).iter().map(|value| value[6..8].to_vec()).collect();
    assert_eq!(salts, [[0xff, 0xff], [0x80, 0x00]]);
}
