//! Records as short stories: written at one moment, read at another.

use std::net::IpAddr;

use super::{
    connection::{CONFIRMED_FOR, Record, Standing, standing},
    grace::{Grace, Key},
    outage::Outage,
    pin::{By, Pin},
    pushes::{Pushes, REMEMBERED},
    *,
};
use crate::{outcome::Unreachable, subscriber::Subscriber};

const LONGEST: Duration = Duration::from_secs(90);

fn at(secs: u64) -> Moment {
    Moment { boot: "b1".to_owned(), up: Duration::from_secs(secs) }
}

fn other_boot(secs: u64) -> Moment {
    Moment { boot: "b2".to_owned(), ..at(secs) }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_moment_is_after_earlier_ones_of_its_boot() {
    for (earlier, now, expected) in [
        (at(100), at(100), Some(0)),
        (at(100), at(130), Some(30)),
        (at(130), at(100), None),
        (other_boot(100), at(130), None),
        (at(0), at(u64::MAX), Some(u64::MAX)),
    ] {
        assert_eq!(now.since(&earlier), expected.map(secs), "{earlier:?} {now:?}");
    }
}

#[test]
fn a_moment_is_written_in_milliseconds_and_never_later_than_it_was() {
    let exact = Moment { boot: "b1".to_owned(), up: Duration::new(7, 999_999_999) };
    let octets = encode(&exact);
    assert_eq!(octets, br#"{"boot":"b1","up_ms":7999}"#);
    let read: Moment = decode(&octets).unwrap();
    assert_eq!(exact.since(&read), Some(Duration::from_nanos(999_999)));
}

/// What must not be read as a record of any kind.
fn garbage() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> =
        ["", "null", "0", "[]", "{}", "{", "\0", "\u{ff}", r#"{"begun":{}}"#, r#""begun""#]
            .map(|text| text.as_bytes().to_vec())
            .into();
    all.push(vec![0xff; 64]);
    all.push(b"[".repeat(RECORD_MAX));
    // A record before too many blanks.
    let mut large = at_fresh().encode();
    large.resize(RECORD_MAX + 1, b' ');
    all.push(large);
    // A record, cut off at every octet, and one with more behind it.
    let record = at_fresh().encode();
    all.extend((0..record.len()).map(|cut| record[..cut].to_vec()));
    all.push([record.as_slice(), b"{}"].concat());
    all
}

fn at_fresh() -> Record {
    Record::Begun { first: at(100), sent: false }
}

#[test]
fn a_connection_has_one_push_and_one_deadline() {
    let begun = |sent| Record::Begun { first: at(100), sent };
    let accepted = |when| Record::Accepted { first: at(100), at: when, ap_trans_id: "mid-1".to_owned() };
    let denied = || Record::Denied { first: at(100), reason: "user-cancel".to_owned() };
    let fresh = |left| Standing::Fresh { left: secs(left) };
    let confirmed = || Standing::Confirmed { ap_trans_id: "mid-1".to_owned() };
    let no = || Standing::Denied { reason: "user-cancel".to_owned() };
    let stories = [
        ("nobody was here", None, at(100), fresh(90)),
        ("at the same moment", Some(begun(false)), at(100), fresh(90)),
        ("the deadline is the first one's", Some(begun(false)), at(130), fresh(60)),
        ("one second is left", Some(begun(false)), at(189), fresh(1)),
        ("nothing is left", Some(begun(false)), at(190), Standing::Late),
        ("long over", Some(begun(false)), at(100_000), Standing::Late),
        ("killed while the phone rang", Some(begun(true)), at(101), Standing::Interrupted),
        ("and long ago", Some(begun(true)), at(100_000), Standing::Interrupted),
        ("confirmed", Some(accepted(at(120))), at(121), confirmed()),
        ("confirmed, and the deadline is over", Some(accepted(at(120))), at(300), confirmed()),
        ("confirmed ten minutes ago", Some(accepted(at(120))), at(720), confirmed()),
        ("and a second more", Some(accepted(at(120))), at(721), Standing::Late),
        ("confirmed in the future", Some(accepted(at(500))), at(130), fresh(60)),
        ("confirmed in another boot", Some(accepted(other_boot(120))), at(130), fresh(60)),
        ("denied", Some(denied()), at(130), no()),
        ("denied, and the deadline is over", Some(denied()), at(100_000), no()),
        ("begun in the future", Some(begun(false)), at(99), fresh(90)),
        ("sent in the future", Some(begun(true)), at(99), Standing::Interrupted),
        ("denied in the future", Some(denied()), at(99), no()),
        ("begun in another boot", Some(begun(true)), other_boot(130), fresh(90)),
        ("begun and confirmed in the future", Some(accepted(at(120))), at(99), fresh(90)),
        ("confirmed before this boot", Some(accepted(at(120))), other_boot(121), fresh(90)),
        ("denied before this boot", Some(denied()), other_boot(130), fresh(90)),
    ];
    for (story, record, now, expected) in stories {
        let octets = record.as_ref().map(Record::encode);
        assert_eq!(standing(octets.as_deref(), &now, LONGEST), expected, "{story}");
        if let (Some(record), Some(octets)) = (record, octets) {
            assert_eq!(Record::decode(&octets), Ok(record), "{story}");
        }
    }
    assert_eq!(CONFIRMED_FOR, secs(600));
}

#[test]
fn what_is_no_record_of_a_connection_rings_no_phone() {
    for octets in garbage() {
        assert_eq!(standing(Some(&octets), &at(100), LONGEST), Standing::Interrupted, "{octets:?}");
    }
    // A field too many is another program's record.
    let more = br#"{"begun":{"first":{"boot":"b1","up_ms":1},"sent":false,"more":1}}"#;
    assert_eq!(standing(Some(more), &at(100), LONGEST), Standing::Interrupted);
}

#[test]
fn no_other_record_is_read_from_garbage() {
    for octets in garbage() {
        assert_eq!(Pushes::decode(&octets), Err(NoRecord), "{octets:?}");
        assert_eq!(Grace::decode(&octets), Err(NoRecord), "{octets:?}");
        assert_eq!(Outage::decode(&octets), Err(NoRecord), "{octets:?}");
        assert_eq!(Pin::decode(&octets), Err(NoRecord), "{octets:?}");
    }
    // One is not another's, either.
    let pushes = Pushes::none("alice").encode();
    assert_eq!(Grace::decode(&pushes), Err(NoRecord));
    assert_eq!(Record::decode(&pushes), Err(NoRecord));
}

#[test]
fn pushes_in_vain_count_until_the_window_is_over() {
    enum Event {
        Sent(u64),
        Confirmed(u64),
    }
    use Event::{Confirmed, Sent};
    let window = secs(600);
    let stories: [(&str, &[Event], Moment, usize); 9] = [
        ("never asked", &[], at(100), 0),
        ("asked a moment ago", &[Sent(100)], at(100), 1),
        ("three times", &[Sent(100), Sent(200), Sent(300)], at(301), 3),
        ("confirmed", &[Sent(100), Confirmed(100)], at(101), 0),
        ("the last confirmed", &[Sent(100), Sent(200), Confirmed(200)], at(201), 1),
        ("the window's end", &[Sent(100)], at(700), 1),
        ("over", &[Sent(100)], at(701), 0),
        ("by another process, a moment after now", &[Sent(900)], at(100), 1),
        ("in another boot", &[Sent(100)], other_boot(101), 0),
    ];
    for (story, events, now, expected) in stories {
        let mut pushes = Pushes::none("alice");
        for event in events {
            match event {
                Sent(when) => pushes.sent(&at(*when)),
                Confirmed(when) => pushes.confirmed(&at(*when)),
            }
        }
        let pushes = Pushes::decode(&pushes.encode()).unwrap();
        assert_eq!(pushes.within(window, &now), expected, "{story}");
        let limit = u32::try_from(expected).unwrap();
        assert!(!pushes.may(limit, window, &now), "{story}");
        assert!(pushes.may(limit + 1, window, &now), "{story}");
        assert_eq!(pushes.user(), "alice");
    }
}

#[test]
fn pushes_are_bounded_and_the_newest_remain() {
    // The longest name that fits, and the longest numbers: it is a record still.
    let mut pushes = Pushes::none(&"\u{1}".repeat(256));
    for n in 0..1000u64 {
        pushes.sent(&Moment { boot: "f".repeat(36), up: Duration::from_millis(u64::MAX - 2000 + n) });
    }
    let now = Moment { boot: "f".repeat(36), up: Duration::from_millis(u64::MAX) };
    let pushes = Pushes::decode(&pushes.encode()).unwrap();
    assert_eq!(pushes.within(secs(3600), &now), REMEMBERED);
    // The oldest that remains is number 968, 1.032 s ago.
    assert_eq!(pushes.within(Duration::from_millis(1031), &now), REMEMBERED - 1);
    assert!(!pushes.may(20, secs(3600), &now));
}

#[test]
fn a_push_in_this_boot_forgets_those_of_another() {
    let mut pushes = Pushes::none("alice");
    pushes.sent(&at(100));
    pushes.confirmed(&other_boot(100));
    assert_eq!(pushes.within(secs(600), &at(100)), 1, "a confirmation of another boot is of another push");
    pushes.sent(&other_boot(50));
    assert_eq!(pushes.within(secs(600), &at(100)), 0);
    assert_eq!(pushes.within(secs(600), &other_boot(50)), 1);
    // A confirmation of what is not there takes nothing away.
    pushes.confirmed(&other_boot(51));
    assert_eq!(pushes.within(secs(600), &other_boot(52)), 1);
}

const HERS: &str = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHer\n";

/// With the phone of these tests.
fn key_of(ssh_auth_info: &str) -> Option<Key> {
    Key::of(ssh_auth_info, &phone("+41791234567", None))
}

fn phone(msisdn: &str, serial: Option<&str>) -> Subscriber {
    Subscriber {
        msisdn: msisdn.parse().unwrap(),
        language: None,
        serial: serial.map(|serial| serial.parse().unwrap()),
        profile: None,
        groups: Vec::new(),
        entry: crate::subscriber::Entry::default(),
    }
}

#[test]
fn grace_ends_with_the_phone() {
    let keys: std::collections::BTreeSet<_> =
        [("+41791234567", None), ("+41791234568", None), ("+41791234567", Some("MIDCHE0123456789"))]
            .map(|(msisdn, serial)| Key::of(HERS, &phone(msisdn, serial)).unwrap().to_string())
            .into();
    assert_eq!(keys.len(), 3);
}

#[test]
fn grace_is_for_the_same_user_from_the_same_address_with_the_same_key() {
    let (hers, other) = (key_of(HERS).unwrap(), key_of("publickey ssh-ed25519 AAAAother\n").unwrap());
    let [home, mapped, away]: [IpAddr; 3] =
        ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
    let quarter = secs(900);
    let grace = Grace { user: "alice".to_owned(), address: home, key: hers, confirmed: at(100) };
    let grace = Grace::decode(&grace.encode()).unwrap();
    for (story, user, address, key, within, now, expected) in [
        ("at once", "alice", home, hers, quarter, at(100), true),
        ("the last moment", "alice", home, hers, quarter, at(999), true),
        ("over", "alice", home, hers, quarter, at(1000), false),
        ("the configuration was cut since", "alice", home, hers, secs(60), at(160), false),
        ("the same address in IPv6", "alice", mapped, hers, quarter, at(200), true),
        ("somebody else", "bob", home, hers, quarter, at(200), false),
        ("another spelling", "Alice", home, hers, quarter, at(200), false),
        ("elsewhere", "alice", away, hers, quarter, at(200), false),
        ("another key", "alice", home, other, quarter, at(200), false),
        ("before it was given", "alice", home, hers, quarter, at(99), false),
        ("another boot", "alice", home, hers, quarter, other_boot(200), false),
        ("twelve hours at most", "alice", home, hers, secs(90_000), at(43_299), true),
        ("whatever is asked for", "alice", home, hers, secs(90_000), at(43_300), false),
        ("no grace at all", "alice", home, hers, Duration::ZERO, at(100), false),
    ] {
        assert_eq!(grace.holds(user, address, &key, within, &now), expected, "{story}");
    }
    let places = [("alice", home, hers), ("alice", away, hers), ("bob", home, hers), ("alice", home, other)]
        .map(|(user, address, key)| grace::place(user, address, &key));
    let distinct: std::collections::BTreeSet<_> = places.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(grace::place("alice", mapped, &hers), places[0]);
}

#[test]
fn only_a_public_key_makes_a_grace() {
    for none in [
        "",
        "\n",
        "password\n",
        "keyboard-interactive/pam\n",
        "publickey",
        "publickey \n",
        "publickey  \n",
        " publickey ssh-ed25519 AAAA\n",
        "hostbased ssh-ed25519 AAAA\n",
        "password\nkeyboard-interactive\n",
    ] {
        assert_eq!(key_of(none), None, "{none:?}");
    }
    // What else was proven does not make it another key; more or other keys do.
    let hers = key_of(HERS);
    assert!(hers.is_some());
    assert_eq!(key_of(&format!("password\n{HERS}")), hers);
    assert_eq!(key_of(HERS.trim_end()), hers);
    let two = key_of(&format!("{HERS}publickey ssh-rsa BBBB\n"));
    assert!(two.is_some() && two != hers);
    assert_ne!(key_of("publickey a\npublickey b\n"), key_of("publickey ab\n"));
}

#[test]
fn a_key_is_read_as_it_was_written_and_not_otherwise() {
    let key = key_of(HERS).unwrap();
    let text = key.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(Key::try_from(text.clone()), Ok(key));
    for wrong in [&text[1..], &format!("{text}0"), &text.replace(&text[..1], "g"), &"é".repeat(32), ""] {
        assert!(Key::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn an_outage_is_remembered_for_ten_seconds() {
    use Unreachable::{Connect, Local, Name, Proxy, Tls, TooSlow};
    for failure in [Name, Connect, Proxy, Tls, TooSlow] {
        let outage = Outage::of(failure, at(100)).unwrap();
        let outage = Outage::decode(&outage.encode()).unwrap();
        for (now, expected) in [
            (at(100), Some(failure)),
            (at(109), Some(failure)),
            (at(110), None),
            (at(99), None),
            (other_boot(101), None),
        ] {
            assert_eq!(outage.remembered(&now), expected, "{now:?}");
        }
    }
    assert_eq!(Outage::of(Local, at(100)), None);
}

#[test]
fn a_serial_number_is_kept_as_it_was_and_read_only_whole() {
    let pin = Pin {
        entry: "uid=alice,ou=people".to_owned(),
        user: "alice".to_owned(),
        serial: "MIDCHEO16P1O6E92".parse().unwrap(),
        at: 1_790_000_000,
        by: By::Login,
    };
    let text = r#"{"entry":"uid=alice,ou=people","user":"alice","serial":"MIDCHEO16P1O6E92","at":1790000000,"by":"login"}"#;
    assert_eq!(String::from_utf8(pin.encode()).unwrap(), text);
    assert_eq!(Pin::decode(text.as_bytes()), Ok(pin.clone()));
    assert_eq!(pin.written(), std::time::UNIX_EPOCH + secs(1_790_000_000));
    for by in [By::Login, By::Enrolment, By::Administrator] {
        let octets = Pin { by, ..pin.clone() }.encode();
        assert_eq!(Pin::decode(&octets).unwrap().by, by);
        assert!(String::from_utf8(octets).unwrap().contains(by.name()));
    }
    for (from, to) in [
        ("\"login\"", "\"guess\""),
        ("O16", " 16"),
        ("MIDCHEO16P1O6E92", ""),
        ("1790000000", "-1"),
        (",\"by\":\"login\"", ""),
        ("}", ",\"more\":1}"),
    ] {
        let spoilt = text.replacen(from, to, 1);
        assert_ne!(spoilt, text);
        assert_eq!(Pin::decode(spoilt.as_bytes()), Err(NoRecord), "{spoilt}");
    }
    // The longest names there are fit into a record.
    let longest = Pin { entry: "ä".repeat(512), user: "u".repeat(256), at: u64::MAX, ..pin };
    assert!(longest.encode().len() <= RECORD_MAX);
}
