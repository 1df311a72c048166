use super::*;

const ALICE: Holder<'_> = Holder { group: "vpn", user: "alice", station: b"192.0.2.7" };

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn token(ticket: Option<Vec<u8>>) -> Token {
    Token { stage: Stage::Phone, node: NodeId(7), login: LoginId(42), expires: at(1_000), ticket }
}

fn key() -> StateKey {
    StateKey::new(&[9; KEY])
}

#[test]
fn a_token_comes_back_as_it_went() {
    for ticket in [None, Some(vec![1; 60]), Some(vec![2; TICKET_MAX])] {
        let token = token(ticket);
        let state = key().seal(&token, ALICE, [3; 12]).unwrap();
        assert!(state.len() <= VALUE_MAX, "{}", state.len());
        assert_eq!(key().open(&state, ALICE, at(999)), Ok(token));
    }
}

#[test]
fn no_question_is_taken_for_the_phone() {
    for (stage, opened) in [
        (Stage::FirstFactor(0), Stage::FirstFactor(0)),
        (Stage::FirstFactor(QUESTIONS_MAX), Stage::FirstFactor(QUESTIONS_MAX)),
        (Stage::FirstFactor(u8::MAX), Stage::FirstFactor(QUESTIONS_MAX)),
        (Stage::Phone, Stage::Phone),
    ] {
        let state = key().seal(&Token { stage, ..token(None) }, ALICE, [3; 12]).unwrap();
        assert_eq!(key().open(&state, ALICE, at(0)), Ok(Token { stage: opened, ..token(None) }));
    }
}

#[test]
fn a_ticket_that_does_not_fit_is_left_out() {
    let state = key().seal(&token(Some(vec![1; TICKET_MAX + 1])), ALICE, [3; 12]).unwrap();
    assert_eq!(key().open(&state, ALICE, at(0)), Ok(token(None)));
}

#[test]
fn nobody_else_opens_it() {
    let state = key().seal(&token(None), ALICE, [3; 12]).unwrap();
    let others = [
        Holder { group: "lan", ..ALICE },
        Holder { user: "bob", ..ALICE },
        Holder { station: b"192.0.2.8", ..ALICE },
        Holder { station: b"", ..ALICE },
        // The same letters, cut elsewhere.
        Holder { group: "vpna", user: "lice", ..ALICE },
        Holder { user: "alice192.0.2.7", station: b"", ..ALICE },
    ];
    for other in others {
        assert_eq!(key().open(&state, other, at(0)), Err(Unsealed::Foreign), "{other:?}");
    }
    assert_eq!(StateKey::new(&[8; KEY]).open(&state, ALICE, at(0)), Err(Unsealed::Foreign));
}

#[test]
fn an_old_token_is_called_so() {
    let state = key().seal(&token(None), ALICE, [3; 12]).unwrap();
    assert!(key().open(&state, ALICE, at(999)).is_ok());
    assert_eq!(key().open(&state, ALICE, at(1_000)), Err(Unsealed::Expired));
}

#[test]
fn every_changed_bit_every_cut_and_every_addition_is_foreign() {
    let state = key().seal(&token(Some(vec![5; 9])), ALICE, [3; 12]).unwrap();
    for bit in 0..state.len() * 8 {
        let mut changed = state.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key().open(&changed, ALICE, at(0)), Err(Unsealed::Foreign), "bit {bit}");
    }
    for length in 0..state.len() {
        assert_eq!(key().open(&state[..length], ALICE, at(0)), Err(Unsealed::Foreign), "{length}");
    }
    let longer = [&state[..], &[0]].concat();
    assert_eq!(key().open(&longer, ALICE, at(0)), Err(Unsealed::Foreign));
}

#[test]
fn the_same_token_looks_different_each_time() {
    let once = key().seal(&token(None), ALICE, [3; 12]).unwrap();
    let again = key().seal(&token(None), ALICE, [4; 12]).unwrap();
    assert_ne!(once[13..], again[13..]);
}
