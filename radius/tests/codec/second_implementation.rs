//! The crate `radius`, which shares no line with ours: what we write it reads, and what it writes we read.
//!
//! It knows no Message-Authenticator, so that is held against FreeRADIUS elsewhere. Its Tunnel-Password has no length
//! octet (RFC 2868, section 3.5), so that one is not compared.

use mobileid_radius::{
    authenticator::{SharedSecret, hide_password, is_accounting, is_answer, of_accounting, reveal_password},
    packet::{Builder, Code, Packet, attribute},
};
use radius::core::{avp::AVP, code::Code as TheirCode, packet::Packet as TheirPacket, rfc2865};

use crate::random::Random;

const ROUNDS: usize = 500;

/// Types and values of no particular meaning.
fn attributes(random: &mut Random) -> Vec<(u8, Vec<u8>)> {
    (0..random.below(12)).map(|_| (random.octet(), random.octets(0..=253))).collect()
}

fn same(ours: &Packet<'_>, theirs: &TheirPacket) {
    assert_eq!(ours.code().0, theirs.get_code() as u8);
    assert_eq!(ours.identifier(), theirs.get_identifier());
    assert_eq!(ours.authenticator().as_slice(), theirs.get_authenticator());
    for kind in 0..=255 {
        let theirs: Vec<Vec<u8>> = theirs.lookup_all(kind).iter().map(|avp| avp.encode_bytes()).collect();
        assert_eq!(ours.all(kind).collect::<Vec<_>>(), theirs, "type {kind}");
    }
}

#[test]
fn they_read_what_we_write() {
    let mut random = Random::new(3);
    for _ in 0..ROUNDS {
        let secret_octets = random.octets(1..=40);
        let secret = SharedSecret::new(&secret_octets);
        let authenticator: [u8; 16] = random.array();
        let password = random.text(0..=128);

        let mut builder = Builder::new(Code::ACCESS_REQUEST, random.octet(), authenticator);
        let hidden = hide_password(&password, &secret, &authenticator).unwrap();
        builder.add(attribute::USER_PASSWORD, &hidden).unwrap();
        for (kind, value) in attributes(&mut random).iter().filter(|(kind, _)| *kind != 2) {
            builder.add(*kind, value).unwrap();
        }
        let octets = if random.below(2) == 0 { builder.unsigned() } else { builder.signed_request(&secret) };
        let theirs = TheirPacket::decode(&octets, &secret_octets).unwrap();
        let ours = Packet::parse(&octets).unwrap();
        same(&ours, &theirs);
        assert_eq!(rfc2865::lookup_user_password(&theirs).unwrap().unwrap(), password);

        let mut answer = Builder::answer(Code::ACCESS_ACCEPT, &ours);
        for (kind, value) in attributes(&mut random) {
            answer.add(kind, &value).unwrap();
        }
        let answer = if random.below(2) == 0 {
            answer.signed_answer(&secret)
        } else {
            answer.unsigned_answer(&secret)
        };
        assert!(TheirPacket::is_authentic_response(&answer, &octets, &secret_octets));
        same(&Packet::parse(&answer).unwrap(), &TheirPacket::decode(&answer, &secret_octets).unwrap());
    }
}

#[test]
fn we_read_what_they_write() {
    let mut random = Random::new(4);
    for _ in 0..ROUNDS {
        let secret_octets = random.octets(1..=40);
        let secret = SharedSecret::new(&secret_octets);
        let password = random.text(0..=128);

        let mut theirs =
            TheirPacket::new_with_identifier(TheirCode::AccessRequest, &secret_octets, random.octet());
        rfc2865::add_user_password(&mut theirs, &password).unwrap();
        for (kind, value) in attributes(&mut random).iter().filter(|(kind, _)| *kind != 2) {
            theirs.add(AVP::from_bytes(*kind, value));
        }
        let octets = theirs.encode().unwrap();
        let ours = Packet::parse(&octets).unwrap();
        same(&ours, &theirs);
        let hidden = ours.first(attribute::USER_PASSWORD).unwrap();
        assert_eq!(*reveal_password(hidden, &secret, &ours.authenticator()).unwrap(), password);

        let mut answer = theirs.make_response_packet(TheirCode::AccessReject);
        answer.extend(
            attributes(&mut random).iter().map(|(kind, value)| AVP::from_bytes(*kind, value)).collect(),
        );
        let answer = answer.encode().unwrap();
        let answer = Packet::parse(&answer).unwrap();
        assert!(is_answer(&answer, &ours.authenticator(), &secret));
        assert!(!is_answer(&answer, &random.array(), &secret));
    }
}

#[test]
fn accounting_is_signed_alike() {
    let mut random = Random::new(5);
    for _ in 0..ROUNDS {
        let secret_octets = random.octets(16..=16);
        let secret = SharedSecret::new(&secret_octets);
        let attributes = attributes(&mut random);

        let mut theirs = TheirPacket::new_with_identifier(TheirCode::AccountingRequest, &secret_octets, 1);
        let mut ours = Builder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16]);
        for (kind, value) in &attributes {
            theirs.add(AVP::from_bytes(*kind, value));
            ours.add(*kind, value).unwrap();
        }
        let theirs = theirs.encode().unwrap();
        assert!(is_accounting(&Packet::parse(&theirs).unwrap(), &secret));
        let mut ours = ours.unsigned();
        let authenticator = of_accounting(&ours, &secret);
        ours[4..20].copy_from_slice(&authenticator);
        assert_eq!(ours, theirs);
    }
}

#[test]
fn both_refuse_what_is_not_whole() {
    let mut random = Random::new(6);
    for _ in 0..50 * ROUNDS {
        let mut octets = random.octets(0..=60);
        let length = octets.len();
        if length > 4 {
            octets[2..4].copy_from_slice(&[0, u8::try_from(random.below(length + 4)).unwrap()]);
        }
        for octet in octets.iter_mut().skip(21).step_by(2).filter(|_| length.is_multiple_of(3)) {
            *octet = 2;
        }
        let (ours, theirs) = (Packet::parse(&octets), TheirPacket::decode(&octets, b"secret"));
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{octets:02x?}");
    }
}
