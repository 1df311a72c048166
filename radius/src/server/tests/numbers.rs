//! Client 11, at which a phone number stands for a name.

use super::*;

/// Everything that anybody may read of what was done.
fn shown(bench: &Bench) -> String {
    let audits = bench.audits.iter().map(|audit| serde_json::to_string(audit).unwrap());
    let requests = bench.requests.iter().map(|request| format!("{request:?}"));
    audits.chain(requests).chain(bench.logs.iter().cloned()).chain(bench.accounts.iter().cloned()).collect()
}

#[test]
fn one_number_is_one_person_however_it_is_written_and_is_shown_masked() {
    let mut bench = Bench::new();
    let plus = bench.ask("+41791234567").from(11);
    assert_eq!(bench.send(&plus), ["start 1 +4179*****67"]);
    assert_eq!(bench.requests[0].user.as_str(), "+41791234567");
    // The same person asks again, in another spelling.
    let zeros = bench.ask("0041791234567").from(11);
    assert_eq!(bench.send(&zeros), nothing());
    assert_eq!(bench.confirmed(1)[2..], ["accept 1", "accept 2"]);
    // Who is shown alike is somebody else.
    let other = bench.ask("+41798888867").from(11);
    assert_eq!(bench.send(&other), ["start 2 +4179*****67"]);
    let shown = shown(&bench);
    assert!(
        shown.contains("+4179*****67") && !shown.contains("1234567") && !shown.contains("8888867"),
        "{shown}"
    );
}

#[test]
fn nothing_that_is_refused_or_accounted_for_tells_the_number() {
    let mut bench = Bench::new();
    let realm = bench.ask("+41791234567@nowhere.example").from(11);
    assert!(bench.send(&realm).contains(&"audit no-such-user".to_owned()));
    let eap = bench.ask("+41791234567").from(11).with(attribute::EAP_MESSAGE, b"x");
    assert!(bench.send(&eap).contains(&"audit eap-refused".to_owned()));
    let mut start = bench.ask("0041791234567").from(11).with(attribute::ACCT_STATUS_TYPE, &[0, 0, 0, 1]);
    start.code = Code::ACCOUNTING_REQUEST;
    start.password = None;
    start.peer.purpose = Purpose::Accounting;
    assert_eq!(bench.send(&start)[0], "account");
    let shown = shown(&bench);
    assert!(shown.contains(r#""user":"+4179*****67""#) && !shown.contains("1234567"), "{shown}");
}

#[test]
fn pushes_in_vain_are_counted_by_the_number_in_whatever_spelling() {
    let config = CONFIG
        .replace("[limits]\npushes_per_user = 1000", "[limits]\npushes_per_user = 2\npush_window = 300");
    let mut bench = Bench::of(&config, &SYNCH);
    for (number, name) in [(1, "+41791234567"), (2, "0041791234567")] {
        let ask = bench.ask(name).from(11);
        assert_eq!(bench.send(&ask), [format!("start {number} +4179*****67")]);
        bench.refused(number);
    }
    let third = bench.ask("+41791234567").from(11);
    assert!(bench.send(&third).contains(&"audit push-limit".to_owned()));
}

#[test]
fn at_other_clients_a_number_is_a_name_like_any_other() {
    let mut bench = Bench::new();
    let alice = bench.ask("+41791234567");
    assert_eq!(bench.send(&alice), ["start 1 +41791234567"]);
    assert_eq!(bench.requests[0].user.number(), None);
}
