//! Any octets as a RADIUS packet. What is read is all that is there and nothing behind it; what is written again is
//! the same; and what the input itself signed, without the secret, counts as unsigned. A text is an attribute of the
//! configuration as well: `name=value`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mobileid_radius::{
    authenticator::{
        SharedSecret, Signed, check_answer, check_request, hide_password, hide_salted, is_accounting,
        is_answer, reveal_password, reveal_salted,
    },
    dictionary::{self, Definition, Given},
    packet::{Attributes, Builder, Code, HEADER, LONGEST, Packet, VALUE_MAX, attribute},
};

static SECRET: LazyLock<SharedSecret> = LazyLock::new(|| SharedSecret::new(b"of nobody's"));

/// The octets that a Message-Authenticator takes.
const SIGNATURE: usize = 18;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_configured(text);
    }
    let Ok(packet) = Packet::parse(bytes) else { return };
    let read: usize = packet.attributes().map(|a| a.value.len() + 2).sum();
    assert_eq!(HEADER + read, packet.octets().len());
    assert!(packet.octets().len() <= LONGEST && bytes.starts_with(packet.octets()));
    assert_unsigned(&packet);
    let padded = [packet.octets(), &[attribute::MESSAGE_AUTHENTICATOR; 40]].concat();
    assert_eq!(Packet::parse(&padded).expect("padding").octets(), packet.octets());
    assert_written(&packet);
    for attribute in packet.attributes() {
        assert!(attribute.value.len() <= VALUE_MAX);
        assert_hidden(attribute.value, &packet);
        assert_named(None, attribute.kind);
        if attribute.kind == attribute::VENDOR_SPECIFIC {
            assert_vendor(attribute.value, &packet);
        }
    }
});

/// Whoever wrote the input does not know the secret.
fn assert_unsigned(packet: &Packet<'_>) {
    let valid = check_request(packet, &SECRET) == Signed::Valid
        || check_answer(packet, &[7; 16], &SECRET) == Signed::Valid
        || is_answer(packet, &[7; 16], &SECRET)
        || is_accounting(packet, &SECRET);
    assert!(!valid, "forged: {:02x?}", packet.octets());
}

/// Built from what was read, the packet is the same; signed, it counts, until a bit of it is turned.
fn assert_written(packet: &Packet<'_>) {
    let rebuild = |keep: fn(u8) -> bool| {
        let mut builder = Builder::new(packet.code(), packet.identifier(), packet.authenticator());
        let mut fits = packet.attributes().filter(|a| keep(a.kind)).map(|a| builder.add(a.kind, a.value));
        fits.all(|added| added.is_ok()).then_some(builder)
    };
    match rebuild(|_| true) {
        Some(builder) => assert_eq!(builder.unsigned(), packet.octets()),
        None => assert!(packet.octets().len() + SIGNATURE > LONGEST),
    }
    let Some(builder) = rebuild(|kind| kind != attribute::MESSAGE_AUTHENTICATOR) else { return };
    let mut octets = builder.signed_answer(&SECRET);
    let valid = |octets: &[u8]| {
        Packet::parse(octets).is_ok_and(|answer| {
            let request = packet.authenticator();
            is_answer(&answer, &request, &SECRET) && check_answer(&answer, &request, &SECRET) == Signed::Valid
        })
    };
    assert!(valid(&octets));
    let [turned, ..] = packet.authenticator();
    let at = usize::from(turned) * 8 % octets.len();
    octets[at] ^= 1 << (turned % 8);
    assert!(!valid(&octets), "octet {at} is not covered");
}

/// What is hidden is found again, whatever it is.
fn assert_hidden(value: &[u8], packet: &Packet<'_>) {
    let authenticator = packet.authenticator();
    let _ = reveal_password(value, &SECRET, &authenticator);
    let _ = reveal_salted(value, &SECRET, &authenticator);
    if let Some(hidden) = hide_password(value, &SECRET, &authenticator) {
        let revealed = reveal_password(&hidden, &SECRET, &authenticator).expect("a password");
        assert!(value.starts_with(&revealed) && value[revealed.len()..].iter().all(|filling| *filling == 0));
    }
    if let Some(salted) = hide_salted(value, &SECRET, &authenticator, [value.len() as u8, 1]) {
        assert_eq!(*reveal_salted(&salted, &SECRET, &authenticator).expect("a salted value"), value);
    }
}

fn assert_vendor(value: &[u8], packet: &Packet<'_>) {
    let Some((vendor, inner)) = value.split_first_chunk::<4>() else { return };
    let vendor = u32::from_be_bytes(*vendor);
    for attribute in Attributes::whole(inner).into_iter().flatten() {
        assert!(packet.vendor(vendor, attribute.kind).any(|value| value == attribute.value));
        assert_named(Some(vendor), attribute.kind);
    }
}

/// What a log calls an attribute is what the configuration takes for it.
fn assert_named(vendor: Option<u32>, kind: u8) {
    let definition = Definition::of(vendor, kind);
    match dictionary::attribute(&definition.to_string()) {
        Ok(found) => assert_eq!((found.vendor, found.kind), (vendor, kind)),
        Err(_) => assert!(kind == 0 && vendor.is_none() || vendor == Some(0)),
    }
}

/// `name=value`, as in a configuration: what is taken can be written.
fn assert_configured(text: &str) {
    let Some((name, value)) = text.split_once('=') else { return };
    let Ok(definition) = dictionary::attribute(name) else { return };
    if let Ok(value) = definition.encode(Given::Text(value)) {
        let mut builder = Builder::new(Code::ACCESS_ACCEPT, 1, [0; 16]);
        definition.write(&value, &mut builder).expect("a value that was taken");
    }
}
