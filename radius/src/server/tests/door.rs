//! Who is served at all, and who is met with silence.

use super::*;

fn status() -> Ask {
    Ask { code: Code::STATUS_SERVER, user: None, password: None, station: None, ..Bench::new().ask("nobody") }
}

#[test]
fn a_stranger_is_met_with_silence_and_counted() {
    let mut bench = Bench::new();
    let alice = bench.ask("alice").from(250);
    assert_eq!(bench.send(&alice), nothing());
    assert_eq!(bench.server.counters().unknown.of(Fate::UnknownClient), 1);
    assert_eq!(bench.logs.len(), 1);
    for _ in 0..10 {
        bench.send(&alice);
    }
    assert_eq!(bench.logs.len(), 1, "one line a minute");
}

#[test]
fn what_is_no_packet_is_met_with_silence_by_reason() {
    let mut bench = Bench::new();
    let whole = bench.ask("alice").octets();
    let mut short = whole.clone();
    short[3] = 19;
    short[2] = 0;
    for (octets, fate) in
        [(vec![], "short"), (short, "length-below-header"), (whole[..30].to_vec(), "truncated")]
    {
        assert_eq!(bench.raw(peer(1), &octets), nothing());
        let counted = bench.server.counters().clients["wait"].iter().any(|(f, n)| f.name() == fate && n == 1);
        assert!(counted, "{fate}");
    }
}

#[test]
fn what_is_asked_elsewhere_is_not_answered_here() {
    let mut bench = Bench::new();
    let accounting = Peer { purpose: Purpose::Accounting, ..peer(1) };
    let login = Ask { peer: accounting, ..bench.ask("alice") };
    let account = Ask { code: Code::ACCOUNTING_REQUEST, ..bench.ask("alice") };
    let answer = Ask { code: Code::ACCESS_ACCEPT, ..bench.ask("alice") };
    for ask in [login, account, answer] {
        assert_eq!(bench.send(&ask), nothing());
    }
    assert_eq!(bench.fate("wait", Fate::UnexpectedCode), 3);
}

/// What a client's policy makes of a packet with a right, a wrong and no Message-Authenticator, without and with
/// Proxy-State.
#[test]
fn each_policy_on_signatures() {
    for (host, signed, unsigned, unsigned_with_proxy) in
        [(1, true, false, false), (5, true, true, false), (6, true, true, false), (7, true, true, true)]
    {
        let tries = [
            (true, false, signed),
            (true, true, signed),
            (false, false, unsigned),
            (false, true, unsigned_with_proxy),
        ];
        for (with_signature, with_proxy, served) in tries {
            let mut bench = Bench::new();
            let mut ask = bench.ask("alice").from(host);
            ask.signed = with_signature;
            if with_proxy {
                ask = ask.with(attribute::PROXY_STATE, b"chain");
            }
            let trace = bench.send(&ask);
            assert_eq!(
                trace.iter().any(|action| action == "start 1 alice"),
                served,
                "client {host}, signed {with_signature}, Proxy-State {with_proxy}: {trace:?}"
            );
        }
        let mut bench = Bench::new();
        let wrong = Ask { secret: "another secret of 24 octe", ..bench.ask("alice").from(host) };
        assert_eq!(bench.send(&wrong), nothing(), "a wrong one is wrong for everybody: client {host}");
    }
}

#[test]
fn a_doubled_or_short_signature_is_wrong_for_everybody() {
    let mut bench = Bench::new();
    let doubled = bench.ask("alice").from(7).with(attribute::MESSAGE_AUTHENTICATOR, &[0; 16]);
    let short = bench.ask("alice").from(7).unsigned().with(attribute::MESSAGE_AUTHENTICATOR, &[0; 15]);
    for ask in [doubled, short] {
        assert_eq!(bench.send(&ask), nothing());
    }
    assert_eq!(bench.fate("unguarded", Fate::Forged), 2);
}

#[test]
fn an_address_that_has_shown_a_valid_signature_must_show_it_from_then_on() {
    let mut bench = Bench::new();
    let before = bench.ask("alice").from(6).unsigned();
    assert_eq!(bench.send(&before), ["start 1 alice"]);
    let wrong = Ask { secret: "another secret of 24 octe", ..bench.ask("bob").from(6) };
    assert_eq!(bench.send(&wrong), nothing());
    let valid = bench.ask("bob").from(6);
    assert_eq!(bench.send(&valid), ["learnt learn 192.0.2.6", "start 2 bob"]);
    let after = bench.ask("carol").from(6).unsigned();
    assert_eq!(bench.send(&after), nothing());
    assert_eq!(bench.fate("learn", Fate::Unsigned), 1);
    assert_eq!(bench.send(&before), nothing(), "also what came before, and would be answered again");

    // Another address of the same client has learnt nothing.
    let mut other = bench.ask("dave").unsigned();
    other.peer.remote = "[2001:db8::6]:40000".parse().unwrap();
    assert_eq!(bench.send(&other), ["start 3 dave"]);
    // And a reload makes nobody forget.
    bench.server.reload(settings(CONFIG, &SYNCH));
    let after = bench.ask("erin").from(6).unsigned();
    assert_eq!(bench.send(&after), nothing());
}

#[test]
fn what_was_learnt_before_a_restart_holds_also_for_the_mapped_address() {
    let mut bench = Bench::new();
    let mapped: SocketAddr = "[::ffff:192.0.2.6]:40000".parse().unwrap();
    let learnt: Learnt = [IpAddr::from([192, 0, 2, 6])].into_iter().collect();
    let keys = Keys::new(&settings(CONFIG, &SYNCH), &mut |to| to.fill(1));
    bench.server = Server::new(settings(CONFIG, &SYNCH), keys, learnt);
    let mut alice = bench.ask("alice").unsigned();
    alice.peer.remote = mapped;
    assert_eq!(bench.send(&alice), nothing());
    assert_eq!(bench.fate("learn", Fate::Unsigned), 1);
}

#[test]
fn a_network_learns_nothing() {
    let mut bench = Bench::new();
    let mut signed = bench.ask("alice");
    signed.peer.remote = "198.51.100.7:40000".parse().unwrap();
    assert_eq!(bench.send(&signed), ["start 1 alice"]);
    let mut unsigned = bench.ask("bob").unsigned();
    unsigned.peer.remote = signed.peer.remote;
    assert_eq!(bench.send(&unsigned), ["start 2 bob"]);
}

#[test]
fn status_server_must_be_signed_and_is_answered_at_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.send(&Ask { signed: false, ..status() }.from(7)), nothing());
    for _ in 0..3 {
        assert_eq!(bench.send(&status().with(attribute::PROXY_STATE, b"p")), ["accept 1"]);
        assert_eq!(bench.answer().all(attribute::PROXY_STATE), [b"p"]);
    }
    let mut accounting = status();
    accounting.peer.purpose = Purpose::Accounting;
    assert_eq!(bench.send(&accounting), ["acknowledge 1"]);
}

#[test]
fn eap_must_be_signed_and_is_refused_with_a_line() {
    let mut bench = Bench::new();
    let unsigned =
        bench.ask("alice").from(7).unsigned().with(attribute::EAP_MESSAGE, b"\x02\x00\x00\x05\x01");
    assert_eq!(bench.send(&unsigned), nothing());
    let signed = bench.ask("alice").with(attribute::EAP_MESSAGE, b"\x02\x00\x00\x05\x01");
    assert_eq!(bench.send(&signed), ["audit eap-refused", "reject 2"]);
    assert!(bench.logs.iter().any(|line| line.contains("EAP")), "{:?}", bench.logs);
    assert_eq!(bench.send(&signed), ["reject 2"]);
}

#[test]
fn a_request_that_names_nobody_or_cannot_be_judged_is_refused_without_a_push() {
    let mut bench = Bench::new();
    let nobody = Ask { user: None, ..bench.ask("x") };
    let two = bench.ask("alice").with(attribute::USER_NAME, b"bob");
    let realm = bench.ask("alice@elsewhere.example");
    let noise = bench.ask("a\u{7}lice");
    let both = bench.ask("alice").with(attribute::CHAP_PASSWORD, &[1; 17]);
    let odd = Ask { password: None, ..bench.ask("alice") }.with(attribute::USER_PASSWORD, &[1; 15]);
    let none = Ask { password: None, ..bench.ask("alice").from(4) };
    for (ask, reason) in [
        (nobody, "request-invalid"),
        (two, "request-invalid"),
        (realm, "no-such-user"),
        (noise, "no-such-user"),
        (both, "request-invalid"),
        (odd, "request-invalid"),
        (none, "request-invalid"),
    ] {
        let expected = [format!("audit {reason}"), format!("reject {}", ask.identifier)];
        assert_eq!(bench.send(&ask), expected, "{:?}", ask.user);
    }
    // A gateway that has checked a certificate sends no password.
    let certificate = Ask { password: None, ..bench.ask("alice") };
    assert_eq!(bench.send(&certificate), ["start 1 alice"]);
}

#[test]
fn accounting_is_acknowledged_once_and_written_down() {
    let mut bench = Bench::new();
    let mut start = bench
        .ask("alice")
        .with(attribute::ACCT_STATUS_TYPE, &[0, 0, 0, 1])
        .with(attribute::ACCT_SESSION_ID, b"s\x1b1")
        .with(attribute::PROXY_STATE, b"one")
        .with(attribute::PROXY_STATE, b"two");
    start.code = Code::ACCOUNTING_REQUEST;
    start.password = None;
    start.peer.purpose = Purpose::Accounting;
    assert_eq!(bench.send(&start), ["account", "acknowledge 1"]);
    assert_eq!(bench.answer().all(attribute::PROXY_STATE), [b"one", b"two"]);
    let line: serde_json::Value = serde_json::from_str(&bench.accounts[0]).unwrap();
    assert_eq!((&line["user"], &line["status"]), (&"alice".into(), &"start".into()));
    assert_eq!(line["session"], "s\\u{1b}1");
    assert_eq!(bench.send(&start), ["acknowledge 1"], "a duplicate is not written down again");

    let mut octets = start.octets();
    octets[4] ^= 1;
    assert_eq!(bench.raw(start.peer, &octets), nothing());
    assert_eq!(bench.fate("wait", Fate::Forged), 1);
}

const HAND_MADE: [u8; 16] =
    [0xfe, 0xf1, 0xf1, 0x0c, 0x81, 0x96, 0xdf, 0x51, 0x8e, 0x54, 0x15, 0x1d, 0xbd, 0xe8, 0xa2, 0x72];

#[test]
fn a_request_made_by_hand_is_understood() {
    // Access-Request 5, authenticator 00..0f, User-Name "alice", Message-Authenticator by another implementation
    // (Python: hmac.new(b"0123456789abcdefghij", packet, "md5")).
    let mut octets =
        b"\x01\x05\x00\x2d\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x01\x07alice\
                       \x50\x12"
            .to_vec();
    octets.extend_from_slice(&HAND_MADE);
    let mut bench = Bench::new();
    assert_eq!(bench.raw(peer(1), &octets), ["start 1 alice"]);
    octets.extend_from_slice(b"padding");
    assert_eq!(bench.raw(peer(1), &octets), nothing(), "padding belongs to no packet: a duplicate");
    assert_eq!(bench.fate("wait", Fate::Duplicate), 1);
}
