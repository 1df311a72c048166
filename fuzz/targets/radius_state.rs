//! What a client sends as State: opens only for whom it was made, unchanged. A story is the State itself, or a ticket to
//! be sealed and a change to what came of it.
//!
//! ```text
//! story   0 octets: a State from nowhere | 1 where xor ticket: sealed, then changed at one place
//! ```
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use libfuzzer_sys::fuzz_target;
use mobileid_radius::{
    packet::VALUE_MAX,
    server::LoginId,
    state::{Holder, KEY, NodeId, Stage, StateKey, TICKET_MAX, Token, Unsealed},
};

static KEYS: LazyLock<StateKey> = LazyLock::new(|| StateKey::new(&[7; KEY]));
const ALICE: Holder<'_> = Holder { group: "vpn", user: "alice", station: b"192.0.2.7" };
const BOB: Holder<'_> = Holder { user: "bob", ..ALICE };

fuzz_target!(|bytes: &[u8]| {
    match bytes {
        [0, state @ ..] => assert_eq!(KEYS.open(state, ALICE, UNIX_EPOCH), Err(Unsealed::Foreign)),
        [1, place, xor, ticket @ ..] => sealed(ticket, usize::from(*place), *xor),
        _ => {}
    }
});

fn sealed(ticket: &[u8], place: usize, xor: u8) {
    let expires = UNIX_EPOCH + Duration::from_secs(1_000);
    let carried = (!ticket.is_empty() && ticket.len() <= TICKET_MAX).then(|| ticket.to_vec());
    let token = Token {
        stage: Stage::Phone,
        node: NodeId(1),
        login: LoginId(2),
        expires,
        ticket: Some(ticket.to_vec()),
    };
    let mut state = KEYS.seal(&token, ALICE, [3; 12]).expect("there is a key");
    assert!(state.len() <= VALUE_MAX);
    assert_eq!(KEYS.open(&state, BOB, UNIX_EPOCH), Err(Unsealed::Foreign));
    assert_eq!(KEYS.open(&state, ALICE, expires), Err(Unsealed::Expired));
    assert_eq!(KEYS.open(&state, ALICE, UNIX_EPOCH), Ok(Token { ticket: carried, ..token }));
    let place = place % state.len();
    state[place] ^= xor;
    assert_eq!(KEYS.open(&state, ALICE, UNIX_EPOCH).is_ok(), xor == 0);
}
