use std::time::Duration;

use super::*;

const ONE: LoginId = LoginId(1);
const TWO: LoginId = LoginId(2);

fn key(parts: &[&str]) -> JoinKey {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    JoiningKey::new(&[7; 32]).of(&parts)
}

#[test]
fn every_part_counts_and_so_does_where_it_ends() {
    let alice = key(&["vpn", "alice", "station", "secret"]);
    assert_eq!(alice, key(&["vpn", "alice", "station", "secret"]));
    for other in [
        ["lan", "alice", "station", "secret"],
        ["vpn", "bob", "station", "secret"],
        ["vpn", "alice", "", "secret"],
        ["vpn", "alice", "station", ""],
        ["vpna", "lice", "station", "secret"],
        ["vpn", "alice", "stations", "ecret"],
    ] {
        assert_ne!(alice, key(&other), "{other:?}");
    }
    assert_ne!(alice, JoiningKey::new(&[8; 32]).of(&[b"vpn", b"alice", b"station", b"secret"]));
}

#[test]
fn an_accept_is_kept_for_its_time_and_anything_else_not_at_all() {
    let now = Instant::now();
    let until = now + Duration::from_secs(10);
    let (alice, bob) = (key(&["alice"]), key(&["bob"]));
    let mut joining = Joining::default();
    joining.begin(alice, ONE);
    joining.begin(bob, TWO);
    assert_eq!(joining.find(&alice, now), Some(Joined::Pending(ONE)));

    joining.accepted(alice, ONE, until, now);
    joining.ended(&bob, TWO);
    assert_eq!(joining.find(&alice, until - Duration::from_millis(1)), Some(Joined::Accepted(ONE)));
    assert_eq!(joining.find(&alice, until), None);
    assert_eq!(joining.find(&bob, now), None);

    joining.expire(until);
    assert!(joining.is_empty(), "{joining:?}");
}

#[test]
fn a_login_ends_only_what_is_its_own() {
    let now = Instant::now();
    let alice = key(&["alice"]);
    let mut joining = Joining::default();
    joining.begin(alice, TWO);
    joining.ended(&alice, ONE);
    joining.accepted(alice, ONE, now + Duration::from_secs(10), now);
    assert_eq!(joining.find(&alice, now), Some(Joined::Pending(TWO)));
}

#[test]
fn an_old_accept_does_not_take_a_new_login_with_it() {
    let now = Instant::now();
    let until = now + Duration::from_secs(10);
    let alice = key(&["alice"]);
    let mut joining = Joining::default();
    joining.begin(alice, ONE);
    joining.accepted(alice, ONE, until, now);
    joining.begin(alice, TWO);
    joining.expire(until);
    assert_eq!(joining.find(&alice, until), Some(Joined::Pending(TWO)));
}
