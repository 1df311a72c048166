//! Every bit of a good message, turned: no turned message may speak for anybody else.

use super::{
    super::{Refused, Signer, check_signature},
    forge::{Forge, TEXT},
};

/// Turns each `stride`th bit. Where the message is still taken, it must say the same: some bits, such as those of
/// the list of digests, are nobody's word.
pub(super) fn turn_bits(
    message: &[u8],
    stride: usize,
    check: impl Fn(&[u8]) -> Result<Signer, Refused>,
) -> usize {
    let good = check(message).unwrap();
    let mut message = message.to_vec();
    let mut taken = 0;
    for bit in (0..message.len() * 8).step_by(stride) {
        message[bit / 8] ^= 1 << (bit % 8);
        if let Ok(signer) = check(&message) {
            assert_eq!(signer, good, "bit {bit}");
            taken += 1;
        }
        message[bit / 8] ^= 1 << (bit % 8);
    }
    taken
}

#[test]
fn no_bit_makes_another_signer() {
    let forge = Forge::good();
    let (message, anchors) = (forge.message(), forge.anchors());
    let taken = turn_bits(&message, 1, |bytes| check_signature(bytes, TEXT, &anchors, forge.at));
    // Versions, the list of digests, NULLs: few. Many would mean that something is not looked at.
    assert!(taken < 100, "{taken} of {} turned messages are taken", message.len() * 8);
}

/// Two neighbouring bytes are the smallest change that can move an end.
#[test]
fn no_pair_of_bytes_makes_another_signer() {
    let forge = Forge::good();
    let (message, anchors) = (forge.message(), forge.anchors());
    let good = forge.check().unwrap();
    for at in 0..message.len() - 1 {
        let mut bent = message.clone();
        (bent[at], bent[at + 1]) = (message[at].wrapping_add(1), message[at + 1].wrapping_sub(1));
        if let Ok(signer) = check_signature(&bent, TEXT, &anchors, forge.at) {
            assert_eq!(signer, good, "byte {at}");
        }
    }
}

/// Pieces of the message over other pieces of it: what a fuzzer finds first, the same on every run.
#[test]
fn no_scramble_makes_another_signer() {
    let forge = Forge::good();
    let (message, anchors) = (forge.message(), forge.anchors());
    let good = forge.check().unwrap();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..20_000 {
        let mut bent = message.clone();
        let (from, to, length) = (random(bent.len()), random(bent.len()), random(64));
        let piece = bent[from..(from + length).min(bent.len())].to_vec();
        let end = if round % 2 == 0 { (to + piece.len()).min(bent.len()) } else { to };
        bent.splice(to..end, piece);
        if let Ok(signer) = check_signature(&bent, TEXT, &anchors, forge.at) {
            assert_eq!(signer, good, "round {round}");
        }
    }
}
