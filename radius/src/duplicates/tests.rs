use super::*;
use crate::{
    packet::{Builder, Code, attribute},
    server::Purpose,
};

const KEPT: Duration = Duration::from_secs(120);

fn origin(port: u16, identifier: u8) -> Origin {
    let remote = ([192, 0, 2, 1], port).into();
    Origin { peer: Peer { listener: 0, purpose: Purpose::Authentication, remote }, identifier }
}

fn packet(authenticator: u8, user: &str) -> Fingerprint {
    let mut builder = Builder::new(Code::ACCESS_REQUEST, 0, [authenticator; 16]);
    builder.add(attribute::USER_NAME, user.as_bytes()).unwrap();
    Fingerprint::of(&Packet::parse(&builder.unsigned()).unwrap())
}

fn answer(octet: u8) -> Arc<[u8]> {
    Arc::from([octet])
}

#[test]
fn a_packet_is_new_then_pending_then_answered_then_new_again() {
    let now = Instant::now();
    let (at, alice) = (origin(1, 7), packet(1, "alice"));
    let mut table = Duplicates::new(10);
    assert_eq!(table.look(&at, &alice, now), Seen::New);
    assert_eq!(table.begin(at, alice, now), Ok(false));
    assert_eq!(table.look(&at, &alice, now), Seen::Pending);
    assert!(table.answer(&at, &[1; 16], &answer(3), now + KEPT));
    assert_eq!(table.look(&at, &alice, now), Seen::Answered(answer(3)));
    assert_eq!(table.look(&at, &alice, now + KEPT), Seen::New);
}

#[test]
fn another_listener_port_or_identifier_is_another_packet() {
    let now = Instant::now();
    let alice = packet(1, "alice");
    let mut table = Duplicates::new(10);
    table.begin(origin(1, 7), alice, now).unwrap();
    let mut elsewhere = origin(1, 7);
    elsewhere.peer.listener = 1;
    for other in [origin(2, 7), origin(1, 8), elsewhere] {
        assert_eq!(table.look(&other, &alice, now), Seen::New, "{other:?}");
    }
}

#[test]
fn a_forged_authenticator_gets_no_kept_answer() {
    let now = Instant::now();
    let at = origin(1, 7);
    let mut table = Duplicates::new(10);
    table.begin(at, packet(1, "alice"), now).unwrap();
    assert_eq!(table.look(&at, &packet(1, "mallory"), now), Seen::Altered);
    table.answer(&at, &[1; 16], &answer(3), now + KEPT);
    assert_eq!(table.look(&at, &packet(1, "mallory"), now), Seen::Altered);
    assert_eq!(table.look(&at, &packet(2, "alice"), now), Seen::New);
}

#[test]
fn an_identifier_that_is_used_again_ends_the_wait_of_the_older_packet() {
    let now = Instant::now();
    let at = origin(1, 7);
    let mut table = Duplicates::new(10);
    assert_eq!(table.begin(at, packet(1, "alice"), now), Ok(false));
    assert_eq!(table.begin(at, packet(2, "bob"), now), Ok(true));
    assert!(!table.answer(&at, &[1; 16], &answer(3), now + KEPT), "the older one waits no more");
    assert!(table.answer(&at, &[2; 16], &answer(4), now + KEPT));
    assert!(!table.answer(&at, &[2; 16], &answer(5), now + KEPT), "an answer is given once");
    assert_eq!(table.len(), 1);
}

#[test]
fn what_is_forgotten_is_new() {
    let now = Instant::now();
    let (at, alice) = (origin(1, 7), packet(1, "alice"));
    let mut table = Duplicates::new(10);
    for _ in 0..100 {
        table.begin(at, alice, now).unwrap();
        table.forget(&at, &[1; 16]);
        assert_eq!(table.look(&at, &alice, now), Seen::New);
    }
    assert_eq!((table.len(), table.order.len()), (1, 1));
}

#[test]
fn a_full_table_makes_room_among_the_answered_and_never_among_the_waiting() {
    let now = Instant::now();
    let mut table = Duplicates::new(3);
    for identifier in 0..3 {
        table.begin(origin(1, identifier), packet(identifier, "alice"), now).unwrap();
    }
    assert_eq!(table.begin(origin(1, 3), packet(3, "alice"), now), Err(Crowded));
    // The same identifier again needs no room.
    assert_eq!(table.begin(origin(1, 2), packet(9, "alice"), now), Ok(true));
    table.answer(&origin(1, 1), &[1; 16], &answer(1), now + KEPT);
    assert_eq!(table.begin(origin(1, 3), packet(3, "alice"), now), Ok(false));
    assert_eq!(table.look(&origin(1, 0), &packet(0, "alice"), now), Seen::Pending);
    assert_eq!(table.look(&origin(1, 1), &packet(1, "alice"), now), Seen::New);
    assert_eq!((table.len(), table.order.len()), (3, 3));
}

#[test]
fn the_table_empties_itself_as_it_goes() {
    let start = Instant::now();
    let mut table = Duplicates::new(100_000);
    for step in 0..50_000u32 {
        let now = start + Duration::from_millis(10) * step;
        let at = origin(u16::try_from(step % 60_000).unwrap(), 0);
        table.begin(at, packet(1, "alice"), now).unwrap();
        table.answer(&at, &[1; 16], &answer(1), now + KEPT);
        assert_eq!(table.len(), table.order.len());
    }
    // 120 seconds are 12,000 steps; an entry that is looked at too early waits once more.
    assert!(table.len() <= 24_000, "{}", table.len());
}
