//! Foreign bytes by the hundred thousand: nothing panics, and nothing that was changed counts as signed.

use mobileid_radius::{
    authenticator::{
        SharedSecret, Signed, check_answer, check_request, hide_password, is_answer, of_accounting,
        reveal_password, reveal_salted,
    },
    packet::{Builder, Code, Packet, attribute},
};

use crate::random::Random;

/// A million, or without optimisation as many as take a second or two.
const ROUNDS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

const AUTHENTICATOR: [u8; 16] = [0x5a; 16];

fn secret() -> SharedSecret {
    SharedSecret::new(b"testing123")
}

/// Signed packets of the kinds that come in: a login, a probe, a challenge's continuation, accounting.
fn genuine() -> Vec<Vec<u8>> {
    let secret = secret();
    let hidden = hide_password(b"wonderland and more than one block", &secret, &AUTHENTICATOR).unwrap();
    let mut login = Builder::new(Code::ACCESS_REQUEST, 1, AUTHENTICATOR);
    let mut continued = Builder::new(Code::ACCESS_REQUEST, 2, AUTHENTICATOR);
    for builder in [&mut login, &mut continued] {
        builder.add(attribute::USER_NAME, b"alice").unwrap();
        builder.add(attribute::USER_PASSWORD, &hidden).unwrap();
        builder.add_vendor(311, 25, &[7; 50]).unwrap();
        builder.add(attribute::PROXY_STATE, b"p1").unwrap();
    }
    continued.add(attribute::STATE, &[9; 100]).unwrap();
    let status = Builder::new(Code::STATUS_SERVER, 3, AUTHENTICATOR);
    let mut accounting = Builder::new(Code::ACCOUNTING_REQUEST, 4, [0; 16]);
    accounting.add(attribute::ACCT_STATUS_TYPE, &[0, 0, 0, 1]).unwrap();
    let mut accounting = accounting.signed_request(&secret);
    let authenticator = of_accounting(&accounting, &secret);
    accounting[4..20].copy_from_slice(&authenticator);
    let requests = [login, continued, status].map(|builder| builder.signed_request(&secret));
    requests.into_iter().chain([accounting]).collect()
}

/// Everything that is done with a packet whose sender is not known yet.
fn use_all(octets: &[u8], secret: &SharedSecret) -> Signed {
    let Ok(packet) = Packet::parse(octets) else { return Signed::No };
    assert!(packet.octets().len() <= octets.len());
    let authenticator = packet.authenticator();
    for hidden in packet.all(attribute::USER_PASSWORD) {
        let _ = reveal_password(hidden, secret, &authenticator);
    }
    for value in packet.vendor(311, 25) {
        let _ = reveal_salted(value, secret, &authenticator);
    }
    let _ = format!("{packet:?}");
    assert!(!is_answer(&packet, &AUTHENTICATOR, secret));
    assert_ne!(check_answer(&packet, &[0xee; 16], secret), Signed::Valid);
    check_request(&packet, secret)
}

/// One small change, of those that a network or an attacker makes.
fn change(octets: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(octets.len().max(1)).min(octets.len());
    match random.below(7) {
        0 if at < octets.len() => octets[at] ^= 1 << random.below(8),
        1 if at < octets.len() => octets[at] = random.octet(),
        2 => octets.truncate(at),
        3 => octets.insert(at, random.octet()),
        4 if at < octets.len() => drop(octets.remove(at)),
        5 => octets.extend(random.octets(0..=40)),
        _ => {
            let end = octets.len().min(at + 18);
            let piece = octets[at..end].to_vec();
            octets.extend(piece);
        }
    }
    // Half of the time the header agrees, so that what is inside gets looked at.
    if octets.len() >= 4 && random.below(2) == 0 {
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
        octets[2..4].copy_from_slice(&length);
    }
}

#[test]
fn a_changed_packet_is_not_signed() {
    let (secret, mut random, genuine) = (secret(), Random::new(1), genuine());
    for octets in &genuine {
        assert_eq!(use_all(octets, &secret), Signed::Valid, "or else the rest would prove nothing");
    }
    let (mut refused, mut padded) = (0, 0);
    for round in 0..ROUNDS {
        let original = &genuine[round % genuine.len()];
        let mut octets = original.clone();
        for _ in 0..=random.below(3) {
            change(&mut octets, &mut random);
        }
        match use_all(&octets, &secret) {
            // Only what the header's length does not cover may have changed.
            Signed::Valid => {
                assert!(octets.starts_with(original), "round {round}: {octets:02x?}");
                padded += 1;
            }
            Signed::Invalid => refused += 1,
            Signed::No => {}
        }
    }
    // The changes did reach the signature, and the padding.
    assert!(refused > ROUNDS / 20 && padded > ROUNDS / 100, "{refused} refused, {padded} padded");
}

#[test]
fn random_octets_are_nothing() {
    let (secret, mut random) = (secret(), Random::new(2));
    let mut whole = 0;
    for _ in 0..ROUNDS {
        let mut octets = random.octets(0..=120);
        let length = octets.len();
        if length >= 20 {
            octets[..4].copy_from_slice(&[1, 1, 0, u8::try_from(length).unwrap()]);
            // Short attributes, so that some packets are whole.
            for octet in octets.iter_mut().skip(21).step_by(2) {
                *octet = 2;
            }
        }
        whole += usize::from(Packet::parse(&octets).is_ok());
        assert_ne!(use_all(&octets, &secret), Signed::Valid);
    }
    assert!(whole > ROUNDS / 4, "{whole} were packets");
}
