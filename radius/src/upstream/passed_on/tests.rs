use super::*;
use crate::{
    authenticator::{hide_password, hide_salted, reveal_password, reveal_salted},
    packet::Code,
};

const THERE: Authenticator = [1; 16];
const HERE: Authenticator = [2; 16];

fn secrets() -> (SharedSecret, SharedSecret) {
    (SharedSecret::new(b"upstream's"), SharedSecret::new(b"the NAS's"))
}

/// What of an answer with these attributes may be passed on.
fn passed(attributes: &[(u8, &[u8])]) -> Vec<PassedOn> {
    let mut builder = Builder::new(Code::ACCESS_ACCEPT, 1, THERE);
    for (kind, value) in attributes {
        builder.add(*kind, value).unwrap();
    }
    let octets = builder.unsigned();
    PassedOn::of(&Packet::parse(&octets).unwrap(), &secrets().0, &THERE)
}

/// The octets of our own answer, each attribute with a salt of its own.
fn written(passed: &[PassedOn]) -> Vec<u8> {
    let mut builder = Builder::new(Code::ACCESS_ACCEPT, 1, HERE);
    for (salt, attribute) in (1..).zip(passed) {
        attribute.write(&mut builder, &secrets().1, &HERE, [0x80, salt]).unwrap();
    }
    builder.unsigned()
}

fn vendor(vendor: u32, inner: &[u8]) -> Vec<u8> {
    [&vendor.to_be_bytes()[..], inner].concat()
}

fn attribute_of(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, u8::try_from(value.len() + 2).unwrap()][..], value].concat()
}

#[test]
fn keys_are_revealed_there_and_hidden_anew_here() {
    let (there, here) = secrets();
    let salted = |clear: &[u8], salt| hide_salted(clear, &there, &THERE, [0x90, salt]).unwrap();
    let (send, receive) =
        (attribute_of(16, &salted(&[0x51; 16], 1)), attribute_of(17, &salted(&[0x52; 32], 2)));
    // The keys of MS-CHAP end with a zero of their own before the filling.
    let chap = [&[0x53; 23][..], &[0; 9]].concat();
    let chap_hidden = attribute_of(12, &hide_password(&chap, &there, &THERE).unwrap());
    let tunnel = [&[3][..], &salted(b"tunnel", 3)].concat();
    let found = passed(&[
        (26, &vendor(311, &send)),
        (26, &vendor(311, &receive)),
        (26, &vendor(311, &chap_hidden)),
        (69, &tunnel),
    ]);
    assert!(found.iter().take(3).all(PassedOn::completes_ms_chap));

    let octets = written(&found);
    let packet = Packet::parse(&octets).unwrap();
    let key = |kind| packet.vendor(311, kind).next().unwrap();
    assert_eq!(**reveal_salted(key(16), &here, &HERE).unwrap(), [0x51; 16]);
    assert_eq!(**reveal_salted(key(17), &here, &HERE).unwrap(), [0x52; 32]);
    assert_eq!(key(12).len(), 32);
    assert_eq!(**reveal_password(key(12), &here, &HERE).unwrap(), [0x53; 23]);
    let [tag, tunnel @ ..] = packet.first(69).unwrap() else { panic!("no tag") };
    assert_eq!((*tag, &**reveal_salted(tunnel, &here, &HERE).unwrap()), (3, &b"tunnel"[..]));
    assert_ne!(key(16)[..2], key(17)[..2], "each has its own salt");
}

#[test]
fn the_rest_goes_on_as_it_is_and_a_vendors_values_one_by_one() {
    let two = vendor(9, &[attribute_of(1, b"a=1"), attribute_of(2, b"b")].concat());
    let found = passed(&[
        (attribute::CLASS, b"staff"),
        (attribute::STATE, b"upstream's"),
        (26, &two),
        (attribute::PROXY_STATE, b"upstream's"),
        (attribute::EAP_MESSAGE, b"\x03\x01\x00\x04"),
        (attribute::MESSAGE_AUTHENTICATOR, &[0; 16]),
        (attribute::REPLY_MESSAGE, b"welcome"),
    ]);
    let expected = [
        PassedOn::plain(None, attribute::CLASS, b"staff"),
        PassedOn::plain(Some(9), 1, b"a=1"),
        PassedOn::plain(Some(9), 2, b"b"),
        PassedOn::plain(None, attribute::REPLY_MESSAGE, b"welcome"),
    ];
    assert_eq!(found, expected);
    assert!(!found.iter().any(PassedOn::completes_ms_chap));
    let octets = written(&found);
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.attributes().map(|a| a.kind).collect::<Vec<_>>(), [25, 26, 26, 18]);
    assert_eq!(packet.vendor(9, 2).collect::<Vec<_>>(), [b"b"]);
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let noise = [0x90, 1, 7];
    let cases: &[(u8, Vec<u8>)] = &[
        (26, vec![0, 0, 0]),
        (26, vendor(9, &[1, 3, b'a', 2, 9])),
        (26, vendor(9, &[1])),
        (26, vendor(9, &[])),
        (26, vendor(311, &attribute_of(16, &noise))),
        (26, vendor(311, &attribute_of(12, &noise))),
        (69, vec![]),
        (69, noise.to_vec()),
    ];
    for (kind, value) in cases {
        assert_eq!(passed(&[(*kind, value)]), [], "{kind} {value:?}");
    }
}

#[test]
fn a_full_answer_takes_nothing_more() {
    let mut builder = Builder::new(Code::ACCESS_ACCEPT, 1, HERE);
    for _ in 0..15 {
        builder.add(attribute::CLASS, &[0; 253]).unwrap();
    }
    let long = PassedOn::plain(Some(9), 1, &[0; 240]);
    assert_eq!(long.write(&mut builder, &secrets().1, &HERE, [0; 2]), Err(Full));
    assert_eq!(format!("{long:?}"), "PassedOn(Vendor-9-1)");
    assert_eq!(format!("{:?}", PassedOn::plain(None, 25, b"staff")), "PassedOn(Attr-25)");
}
