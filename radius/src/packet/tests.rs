use super::*;
use crate::authenticator::{Signed, check_request, is_answer};

/// A packet of these attributes, with the length that `length` makes of the true one.
fn octets(attributes: &[u8], length: impl Fn(usize) -> usize) -> Vec<u8> {
    let length = u16::try_from(length(HEADER + attributes.len())).unwrap();
    let mut octets = vec![1, 7];
    octets.extend(length.to_be_bytes());
    octets.extend([0xaa; 16]);
    octets.extend(attributes);
    octets
}

#[test]
fn a_packet_that_is_not_whole_is_named_for_what_is_wrong() {
    let true_length = |length| length;
    let cases: &[(&str, Vec<u8>, Malformed)] = &[
        ("nothing", vec![], Malformed::Short),
        ("19 octets", octets(&[], true_length)[..19].to_vec(), Malformed::Short),
        ("length 0", octets(&[], |_| 0), Malformed::LengthBelowHeader),
        ("length 19", octets(&[], |_| 19), Malformed::LengthBelowHeader),
        ("length 4097", octets(&[0; 4077], true_length), Malformed::LengthAboveMaximum),
        ("length 65535", octets(&[], |_| 65_535), Malformed::LengthAboveMaximum),
        ("one octet missing", octets(&[1, 3, b'a'], |length| length + 1), Malformed::Truncated),
        ("a type alone", octets(&[1], true_length), Malformed::AttributeTruncated),
        ("a type alone after another", octets(&[1, 3, b'a', 2], true_length), Malformed::AttributeTruncated),
        ("attribute length 0", octets(&[1, 0, 1, 3, b'a'], true_length), Malformed::AttributeLength),
        ("attribute length 1", octets(&[1, 1], true_length), Malformed::AttributeLength),
        ("one octet too far", octets(&[1, 4, b'a'], true_length), Malformed::AttributeTruncated),
        ("into the padding", octets(&[1, 4, b'a', b'b'], |length| length - 1), Malformed::AttributeTruncated),
    ];
    for (what, datagram, malformed) in cases {
        assert_eq!(Packet::parse(datagram).map(|_| ()), Err(*malformed), "{what}");
    }
    for malformed in Malformed::ALL {
        assert!(!malformed.to_string().is_empty() && !malformed.name().contains(' '));
    }
}

#[test]
fn what_is_whole_is_read() {
    let padded = [octets(&[1, 3, b'a', 33, 2, 1, 3, b'b'], |length| length), vec![0xff; 9]].concat();
    let packet = Packet::parse(&padded).unwrap();
    assert_eq!((packet.code(), packet.identifier(), packet.authenticator()), (Code(1), 7, [0xaa; 16]));
    assert_eq!(packet.octets().len(), padded.len() - 9);
    assert_eq!(packet.all(1).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(packet.first(33), Some(&[][..]));
    assert!(!packet.has(2));
    assert!(Packet::parse(&octets(&[], |length| length)).is_ok());
}

#[test]
fn the_longest_packet_is_read_and_written() {
    let attribute = [&[25, 255][..], &[0x5a; 253]].concat();
    let attributes = [attribute.repeat(15), vec![25, 251], vec![0x5a; 249]].concat();
    let longest = octets(&attributes, |length| length);
    assert_eq!(longest.len(), LONGEST);
    let packet = Packet::parse(&longest).unwrap();
    assert_eq!(packet.all(25).count(), 16);

    let mut builder = Builder::new(Code(1), 7, [0xaa; 16]);
    for value in packet.all(25).take(15) {
        builder.add(25, value).unwrap();
    }
    // The Message-Authenticator has taken 18 octets of the room for the last one.
    assert_eq!(builder.add(25, &[0x5a; 232]), Err(Full));
    builder.add(25, &[0x5a; 231]).unwrap();
    assert_eq!(builder.add(25, &[]), Err(Full));
    let octets = builder.signed_request(&SharedSecret::new(b"secret"));
    assert_eq!(octets.len(), LONGEST);
    assert_eq!(check_request(&Packet::parse(&octets).unwrap(), &SharedSecret::new(b"secret")), Signed::Valid);
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let mut builder = Builder::new(Code(1), 7, [0; 16]);
    assert_eq!(builder.add(25, &[0; 254]), Err(Full));
    assert_eq!(builder.add(25, &[0; 70_000]), Err(Full));
    assert_eq!(builder.add_vendor(9, 1, &[0; 248]), Err(Full));
    assert_eq!(builder.add_vendor(9, 1, &[0; 70_000]), Err(Full));
    builder.add(25, &[1; 253]).unwrap();
    builder.add_vendor(9, 1, &[2; 247]).unwrap();
    let octets = builder.unsigned();
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.attributes().count(), 2);
    assert_eq!(packet.vendor(9, 1).collect::<Vec<_>>(), [[2; 247]]);
}

#[test]
fn a_vendors_values_are_found_in_every_form_that_is_whole() {
    let vendor = |inner: &[u8]| {
        let value = [&9u32.to_be_bytes()[..], inner].concat();
        [&[26, u8::try_from(value.len() + 2).unwrap()][..], &value].concat()
    };
    let attributes = [
        vendor(&[1, 3, b'a', 2, 3, b'b', 1, 3, b'c']),
        vendor(&[1, 3, b'd', 1, 9, b'e']),
        vendor(&[]),
        vec![26, 4, 0, 0],
        vec![26, 9, 0, 0, 0, 10, 1, 3, b'f'],
        vendor(&[1, 2]),
    ]
    .concat();
    let octets = octets(&attributes, |length| length);
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.vendor(9, 1).collect::<Vec<_>>(), [&b"a"[..], b"c", b"d", b""]);
    assert_eq!(packet.vendor(10, 1).collect::<Vec<_>>(), [b"f"]);
    assert_eq!(packet.vendor(11, 1).count(), 0);

    assert!(Attributes::whole(&[1, 3, b'a', 2, 2]).is_some_and(|whole| whole.count() == 2));
    assert!(Attributes::whole(&[1, 3, b'a', 2, 3]).is_none());
}

#[test]
fn an_answer_carries_its_signature_first_and_goes_with_its_request() {
    let secret = SharedSecret::new(b"secret");
    let request = Builder::new(Code::ACCESS_REQUEST, 7, [0xaa; 16]).signed_request(&secret);
    let request = Packet::parse(&request).unwrap();
    let mut answer = Builder::answer(Code::ACCESS_REJECT, &request);
    answer.add(attribute::REPLY_MESSAGE, b"no").unwrap();
    let octets = answer.signed_answer(&secret);
    let answer = Packet::parse(&octets).unwrap();
    assert_eq!(answer.attributes().map(|a| a.kind).collect::<Vec<_>>(), [80, 18]);
    assert_eq!(answer.identifier(), 7);
    assert!(is_answer(&answer, &[0xaa; 16], &secret));
    assert!(!is_answer(&answer, &[0xab; 16], &secret));

    let plain = Builder::answer(Code::ACCOUNTING_RESPONSE, &request).unsigned_answer(&secret);
    let plain = Packet::parse(&plain).unwrap();
    assert_eq!(plain.octets().len(), HEADER);
    assert!(is_answer(&plain, &[0xaa; 16], &secret));
}

#[test]
fn a_packet_shows_no_value() {
    let octets = octets(&[1, 7, b'a', b'l', b'i', b'c', b'e'], |length| length);
    assert_eq!(format!("{:?}", Packet::parse(&octets).unwrap()), "Access-Request 7 (27 octets)");
    assert_eq!(Code(99).to_string(), "code 99");
}

#[test]
fn what_is_copied_is_what_was_wanted_and_takes_no_more_room() {
    let mut builder = Builder::new(Code::ACCESS_REQUEST, 1, [0; 16]);
    builder.add(attribute::USER_NAME, b"alice").unwrap();
    while builder.add(attribute::PROXY_STATE, b"").is_ok() {}
    let octets = builder.unsigned();
    let packet = Packet::parse(&octets).unwrap();
    let states = Copied::of(&packet, |kind| kind == attribute::PROXY_STATE);
    assert!(states.attributes().count() > 2000);
    assert!(states.0.len() < LONGEST);
    let others = Copied::of(&packet, |kind| kind != attribute::PROXY_STATE);
    let kept: Vec<_> = others.attributes().map(|a| (a.kind, a.value)).collect();
    assert_eq!(kept, [(attribute::USER_NAME, &b"alice"[..])]);
    assert_eq!(format!("{others:?}"), "1 attributes");
}
