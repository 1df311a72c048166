//! Serial numbers that are written: to slapd, where rights, schema and others stand in the way, and to servers that
//! answer anything.

use std::{
    io::{Read, Write},
    sync::Barrier,
    thread,
};

use super::{
    fake::{Fake, done, message, string},
    slapd::Slapd,
    *,
};
use crate::{
    asn1::der,
    login::{Pin, Pinned},
    subscriber::{self, SerialNumber},
};

const OLD: &str = "MIDCHE0000000001";
const NEW: &str = "MIDCHE0000000002";

fn writer() -> Bind {
    let dn = "cn=writer,dc=acme,dc=example".into();
    Bind::Simple { dn, password: Secret::new("writer's password".into()) }
}

/// Those whose serial numbers this attribute keeps.
fn keeping(slapd: &Slapd, attribute: &str) -> Ldap {
    let mut ldap = Ldap { bind: writer(), base: "ou=kept,dc=acme,dc=example".into(), ..slapd.ldap() };
    ldap.attributes.serial = Some(attribute.to_owned());
    ldap.write_serial = true;
    ldap
}

fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

fn first(user: &str, text: &str) -> Pin {
    let id = format!("uid={user},ou=kept,dc=acme,dc=example").to_lowercase();
    let entry = subscriber::Entry { directory: "ldap".to_owned(), id };
    Pin { user: user.parse().unwrap(), entry, serial: serial(text) }
}

/// What becomes of a first serial number, in words.
fn pinned(ldap: &Ldap, user: &str, text: &str) -> String {
    match pin(ldap, &first(user, text), &patient(), in_a_minute()) {
        Ok(Pinned::Kept) => "kept".to_owned(),
        Ok(Pinned::Same) => "same".to_owned(),
        Ok(Pinned::Other(other)) => format!("other: {other}"),
        Ok(Pinned::Unavailable(why)) => format!("unavailable: {why}"),
        Err(GivenUp) => "given up".to_owned(),
    }
}

fn changed(ldap: &Ldap, user: &str, to: Option<&str>) -> Changed {
    let to = to.map(serial);
    change(ldap, &user.parse().unwrap(), to.as_ref(), &patient(), in_a_minute()).unwrap()
}

/// What stands in the entry, as a login finds it.
fn stands(ldap: &Ldap, user: &str) -> String {
    match lookup(ldap, &user.parse().unwrap(), &patient(), in_a_minute(), SystemTime::now()) {
        Ok(Answer::Found(subscriber)) => {
            subscriber.serial.map_or_else(|| "none".to_owned(), |serial| serial.to_string())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn the_first_one_is_written_and_stays() {
    let slapd = Slapd::shared();
    for (attribute, user) in [("labKept", "Kept0"), ("labMany", "Kept1")] {
        let ldap = keeping(&slapd, attribute);
        assert_eq!(stands(&ldap, user), "none");
        assert_eq!(pinned(&ldap, user, OLD), "kept");
        assert_eq!(stands(&ldap, user), OLD);
        assert_eq!(pinned(&ldap, user, OLD), "same");
        assert_eq!(pinned(&ldap, user, &OLD.to_lowercase()), "same");
        assert_eq!(pinned(&ldap, user, NEW), format!("other: {OLD}"));
        assert_eq!(stands(&ldap, user), OLD);
    }
}

#[test]
fn an_administrator_changes_and_forgets() {
    let slapd = Slapd::shared();
    for (attribute, user) in [("labKept", "Kept2"), ("labMany", "Kept3")] {
        let ldap = keeping(&slapd, attribute);
        let before = |values: &[&str]| Changed::Done(values.iter().map(|&value| value.to_owned()).collect());
        assert_eq!(changed(&ldap, user, None), before(&[]));
        assert_eq!(changed(&ldap, user, Some(OLD)), before(&[]));
        assert_eq!(changed(&ldap, user, Some(NEW)), before(&[OLD]));
        assert_eq!(stands(&ldap, user), NEW);
        assert_eq!(changed(&ldap, user, None), before(&[NEW]));
        assert_eq!(stands(&ldap, user), "none");
        assert_eq!(pinned(&ldap, user, OLD), "kept");
    }
    let ldap = keeping(&slapd, "labKept");
    for user in ["nobody", "kept2", "Kept2 ", "*"] {
        assert_eq!(changed(&ldap, user, Some(OLD)), Changed::NotFound, "{user}");
    }
}

#[test]
fn two_values_let_nobody_in_until_an_administrator_has_looked() {
    let slapd = Slapd::shared();
    let ldap = keeping(&slapd, "labMany");
    add(&ldap, "Kept4", OLD);
    add(&ldap, "Kept4", NEW);
    assert!(stands(&ldap, "Kept4").contains("the entry's labMany: has more than one value"));
    for text in [OLD, NEW, "MIDCHE0000000003"] {
        assert_eq!(pinned(&ldap, "Kept4", text), "unavailable: the entry's labMany has more than one value");
    }
    let Changed::Done(mut before) = changed(&ldap, "Kept4", None) else { panic!("not forgotten") };
    before.sort();
    assert_eq!(before, [OLD, NEW]);
    // What is no serial number is not taken for one, and not written over.
    add(&ldap, "Kept4", "none yet");
    let refused = "unavailable: the entry's labMany: a serial number has 1 to 64 printable characters";
    assert!(pinned(&ldap, "Kept4", OLD).starts_with(refused));
    assert_eq!(changed(&ldap, "Kept4", Some(OLD)), Changed::Done(vec!["none yet".to_owned()]));
    assert_eq!(stands(&ldap, "Kept4"), OLD);
}

/// A value more, past all that looks at what is there.
fn add(ldap: &Ldap, user: &str, value: &str) {
    use crate::directory::ldap::message::{Change, Modify};
    let added = at_any(ldap, &patient(), in_a_minute(), |link| {
        let dn = format!("uid={user},ou=kept,dc=acme,dc=example");
        let attribute = ldap.attributes.serial.as_deref().unwrap();
        let modify = Modify { dn: &dn, change: Change::Add, attribute, value: Some(value) };
        link.send(&Request::Modify(&modify))?;
        link.receive()
    });
    assert!(matches!(added, Ok(Body::Modified(done)) if done.code == Code::SUCCESS));
}

#[test]
fn what_stands_in_the_way_is_said() {
    let slapd = Slapd::shared();
    let reading = Ldap { bind: slapd.ldap().bind, ..keeping(&slapd, "labKept") };
    let cases = [
        (reading, "bind_dn may not write it: insufficientAccessRights (50)"),
        (keeping(&slapd, "labNote"), "bind_dn may not write it: insufficientAccessRights (50)"),
        (
            keeping(&slapd, "serialNumber"),
            "no object class of the entry has this attribute: objectClassViolation (65)",
        ),
        (keeping(&slapd, "noSuchThing"), "the server knows no such attribute: undefinedAttributeType (17)"),
    ];
    for (ldap, says) in cases {
        let attribute = ldap.attributes.serial.clone().unwrap();
        let told = pinned(&ldap, "Kept5", OLD);
        let begins = format!(
            "unavailable: {}: {attribute} of uid=Kept5,ou=kept,dc=acme,dc=example: {says}",
            ldap.servers[0].endpoint
        );
        assert!(told.starts_with(&begins), "{told}");
        assert!(matches!(changed(&ldap, "Kept5", Some(OLD)), Changed::Failed(why) if why.contains(says)));
    }
    assert_eq!(stands(&keeping(&slapd, "labKept"), "Kept5"), "none");
    // What nobody can read again is not kept: each login would be the first.
    let blind = pinned(&keeping(&slapd, "labBlind"), "Kept5", OLD);
    assert!(blind.ends_with("labBlind was written and is not there: may bind_dn read it?"), "{blind}");
    let blind = pinned(&keeping(&slapd, "labBlind"), "Kept5", OLD);
    assert!(
        blind.contains("there is a value, and bind_dn may not read it: attributeOrValueExists (20)"),
        "{blind}"
    );
}

#[test]
fn only_the_entry_that_was_found_before_is_written() {
    let slapd = Slapd::shared();
    let ldap = keeping(&slapd, "labKept");
    let moved = Pin { entry: first("Kept7", OLD).entry, ..first("Kept6", OLD) };
    for pin in [moved, Pin { user: "nobody".parse().unwrap(), ..first("Kept6", OLD) }] {
        let told = super::pin(&ldap, &pin, &patient(), in_a_minute()).unwrap();
        let says = "has another entry for the user than before the phone was asked, or none";
        assert!(matches!(told, Pinned::Unavailable(why) if why.ends_with(says)));
    }
    assert_eq!((stands(&ldap, "Kept6"), stands(&ldap, "Kept7")), ("none".to_owned(), "none".to_owned()));
}

#[test]
fn of_many_first_logins_at_once_at_most_one_serial_number_is_kept() {
    let slapd = Slapd::shared();
    for (attribute, from) in [("labKept", 10), ("labMany", 20)] {
        let ldap = Arc::new(keeping(&slapd, attribute));
        for at in 0..10 {
            let user = format!("Kept{}", from + at);
            let start = Arc::new(Barrier::new(4));
            let racers: Vec<_> = (0..4)
                .map(|racer| {
                    let (ldap, user, start) = (Arc::clone(&ldap), user.clone(), Arc::clone(&start));
                    thread::spawn(move || {
                        start.wait();
                        pinned(&ldap, &user, &format!("MIDCHE{racer}"))
                    })
                })
                .collect();
            let said: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
            let kept: Vec<_> = (0..4).filter(|racer| said[*racer] == "kept").collect();
            match kept.as_slice() {
                [one] => {
                    assert_eq!(stands(&ldap, &user), format!("MIDCHE{one}"), "{said:?}");
                }
                // Where there is room for two, each may have seen the other's, and taken back its own.
                [] if attribute == "labMany" => {
                    assert_eq!(stands(&ldap, &user), "none", "{said:?}");
                }
                _ => panic!("{attribute}: {said:?}"),
            }
            if attribute == "labKept" {
                let told = said.iter().filter(|said| said.starts_with("other: MIDCHE")).count();
                assert_eq!(told, 3, "{said:?}");
            }
        }
    }
}

const ENTRY: &str = "uid=Kept0,ou=kept,dc=acme,dc=example";

/// A server that finds the entry with this value, and answers a change so; and how often it was asked to change.
fn answering(value: Option<&'static str>, change: Option<Vec<u8>>) -> (Fake, Arc<AtomicUsize>) {
    let changes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&changes);
    let fake = Fake::start(move |stream| {
        let mut number = 0;
        loop {
            let mut octets = [0; 4096];
            if stream.read(&mut octets)? == 0 {
                return Ok(());
            }
            number += 1;
            // The tag of the request, behind length and number.
            let tag = octets[if octets[1] < 0x80 { 5 } else { 6 }];
            if tag != 0x66 {
                stream.write_all(
                    &[message(number, &entry(value)), message(number, &done(0x65, 0, ""))].concat(),
                )?;
                continue;
            }
            count.fetch_add(1, Ordering::SeqCst);
            match &change {
                Some(body) => stream.write_all(&message(number, body))?,
                None => return Ok(()),
            }
        }
    });
    (fake, changes)
}

fn entry(value: Option<&str>) -> Vec<u8> {
    let attribute = |name: &str, value: &str| {
        der::wrap(der::SEQUENCE, &[string(name), der::wrap(der::SET, &string(value))].concat())
    };
    let mut list = [attribute("uid", "Kept0"), attribute("mobile", "+41791234567")].concat();
    list.extend(value.into_iter().flat_map(|value| attribute("labKept", value)));
    der::wrap(0x64, &[string(ENTRY), der::wrap(der::SEQUENCE, &list)].concat())
}

fn asking(fakes: &[&Fake]) -> Ldap {
    let servers = fakes.iter().map(|fake| server(fake.address, Security::Loopback)).collect();
    let mut ldap = Ldap { timeout: Duration::from_secs(2), write_serial: true, ..ldap(servers) };
    ldap.attributes.serial = Some("labKept".to_owned());
    ldap
}

const MODIFIED: u8 = 0x67;

#[test]
fn a_server_that_takes_no_changes_is_passed_over_and_its_referral_not_followed() {
    for (code, says) in [
        (10, "takes no changes and refers to another server, which is not followed"),
        (51, "does not write labKept: busy (51)"),
        (52, "does not write labKept: unavailable (52)"),
        (53, "does not write labKept: unwillingToPerform (53)"),
    ] {
        let (copy, asked) = answering(None, Some(done(MODIFIED, code, "")));
        let told = pinned(&asking(&[&copy]), "Kept0", OLD);
        assert!(told.starts_with("unavailable: ") && told.contains(says), "{told}");
        // The one that does is asked next. It has the value of somebody else.
        let (main, unasked) = answering(Some(OLD), Some(done(MODIFIED, 0, "")));
        assert_eq!(pinned(&asking(&[&copy, &main]), "Kept0", NEW), format!("other: {OLD}"));
        assert_eq!((asked.load(Ordering::SeqCst), unasked.load(Ordering::SeqCst)), (2, 0));
    }
}

#[test]
fn what_was_sent_is_not_sent_to_another_server() {
    let unknown = "nobody can tell whether it is written";
    for (change, says) in [
        // It hangs up, answers something else, or refuses for good.
        (None, unknown),
        (Some(done(0x65, 0, "")), "answered a change with something else"),
        (Some(vec![MODIFIED, 1, 0]), unknown),
        (Some(done(MODIFIED, 50, "no\u{1b}")), "insufficientAccessRights (50), \"no\\u{1b}\""),
        (Some(done(MODIFIED, 80, "")), "not written: result code 80"),
        (Some(done(MODIFIED, 19, "")), "the server does not take this value: constraintViolation (19)"),
        // It says yes, and nothing stands there.
        (Some(done(MODIFIED, 0, "")), "labKept was written and is not there"),
    ] {
        let (bad, asked) = answering(None, change);
        let (next, _) = answering(None, Some(done(MODIFIED, 0, "")));
        let told = pinned(&asking(&[&bad, &next]), "Kept0", OLD);
        assert!(told.starts_with("unavailable: ") && told.contains(says), "{says}: {told}");
        assert_eq!((asked.load(Ordering::SeqCst), next.served.load(Ordering::SeqCst)), (1, 0), "{says}");
    }
}

#[test]
fn a_server_that_hangs_ends_with_the_tick_or_the_time() {
    let hangs = Fake::start(|stream| {
        while stream.read(&mut [0; 4096])? > 0 {}
        Ok(())
    });
    let ldap = asking(&[&hangs]);
    assert!(pinned(&ldap, "Kept0", OLD).contains("no answer in time"));
    let gone: Tick = Arc::new(|| TickVerdict::Cancel);
    assert_eq!(pin(&ldap, &first("Kept0", OLD), &gone, in_a_minute()), Err(GivenUp));
    assert_eq!(change(&ldap, &"Kept0".parse().unwrap(), None, &gone, in_a_minute()), Err(GivenUp));
}
