use std::time::Duration;

use super::*;
use crate::upstream::AnswerSignature;

const NAS: &[u8] = b"the NAS's";
const UPSTREAM: &[u8] = b"upstream's";
const AUTHENTICATOR: Authenticator = [9; 16];

/// An attribute of a request: type and value.
type Given<'a> = (u8, &'a [u8]);

fn upstream() -> Arc<Upstream> {
    Arc::new(Upstream {
        name: "directory".into(),
        servers: vec![([127, 0, 0, 1], 1812).into()],
        secret: SharedSecret::new(UPSTREAM),
        timeout: Duration::from_secs(3),
        tries: 3,
        message_authenticator: AnswerSignature::Required,
    })
}

/// What a NAS's request with these attributes becomes.
fn ask(attributes: &[Given<'_>]) -> Result<Ask, NoCredential> {
    let mut builder = Builder::new(Code::ACCESS_REQUEST, 77, AUTHENTICATOR);
    for (kind, value) in attributes {
        builder.add(*kind, value).unwrap();
    }
    let secret = SharedSecret::new(NAS);
    let octets = builder.signed_request(&secret);
    Ask::of(&Packet::parse(&octets).unwrap(), &secret, upstream(), None)
}

fn password(plain: &[u8]) -> Vec<u8> {
    hide_password(plain, &SharedSecret::new(NAS), &AUTHENTICATOR).unwrap()
}

fn microsoft(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut whole = MICROSOFT.to_be_bytes().to_vec();
    whole.extend([kind, u8::try_from(value.len() + 2).unwrap()]);
    whole.extend(value);
    whole
}

/// The attributes of the question, as upstream sees them; its password in clear.
fn seen(ask: &Ask) -> Vec<(u8, Vec<u8>)> {
    let authenticator = [3; 16];
    let octets = ask.request(1, authenticator).unwrap();
    let packet = Packet::parse(&octets).unwrap();
    let clear = |a: Attribute<'_>| match a.kind {
        attribute::USER_PASSWORD => {
            let plain = reveal_password(a.value, &SharedSecret::new(UPSTREAM), &authenticator);
            (a.kind, plain.unwrap().to_vec())
        }
        kind => (kind, a.value.to_vec()),
    };
    packet.attributes().filter(|a| a.kind != attribute::MESSAGE_AUTHENTICATOR).map(clear).collect()
}

#[test]
fn what_belongs_to_the_other_hop_stays_behind_and_the_rest_goes_on_in_order() {
    let hidden = password(b"wonderland");
    let vendor = microsoft(34, b"client");
    let found = ask(&[
        (attribute::PROXY_STATE, b"p1"),
        (attribute::USER_NAME, b"alice@acme"),
        (attribute::USER_PASSWORD, &hidden),
        (attribute::STATE, b"ours"),
        (attribute::NAS_IDENTIFIER, b"vpn"),
        (attribute::VENDOR_SPECIFIC, &vendor),
        (attribute::CALLING_STATION_ID, b"198.51.100.7"),
        (attribute::PROXY_STATE, b"p2"),
        (200, b""),
    ]);
    let expected: [(u8, &[u8]); 6] = [
        (attribute::USER_NAME, b"alice@acme"),
        (attribute::NAS_IDENTIFIER, b"vpn"),
        (attribute::VENDOR_SPECIFIC, &vendor),
        (attribute::CALLING_STATION_ID, b"198.51.100.7"),
        (200, b""),
        (attribute::USER_PASSWORD, b"wonderland"),
    ];
    assert_eq!(seen(&found.unwrap()), expected.map(|(kind, value)| (kind, value.to_vec())));
}

#[test]
fn chap_takes_its_challenge_along() {
    let response = [7; 17];
    let implied = ask(&[(attribute::CHAP_PASSWORD, &response)]).unwrap();
    let expected =
        [(attribute::CHAP_PASSWORD, response.to_vec()), (attribute::CHAP_CHALLENGE, AUTHENTICATOR.to_vec())];
    assert_eq!(seen(&implied), expected);
    let challenge = b"twelve octets".as_slice();
    let told = ask(&[(attribute::CHAP_CHALLENGE, challenge), (attribute::CHAP_PASSWORD, &response)]).unwrap();
    assert_eq!(seen(&told)[1], (attribute::CHAP_CHALLENGE, challenge.to_vec()));
}

#[test]
fn ms_chap_goes_on_as_it_is() {
    let challenge = microsoft(11, &[1; 16]);
    for kind in MS_CHAP_RESPONSES {
        let response = microsoft(kind, &[2; 50]);
        let attributes =
            [(attribute::VENDOR_SPECIFIC, &*challenge), (attribute::VENDOR_SPECIFIC, &*response)];
        let found = ask(&attributes).unwrap();
        assert_eq!(*found.credential(), Credential::MsChap);
        assert_eq!(seen(&found), attributes.map(|(kind, value)| (kind, value.to_vec())));
    }
}

#[test]
fn what_nobody_could_judge_is_not_asked() {
    let (one, two) = (password(b"one"), password(b"two"));
    let (v1, v2) = (microsoft(1, &[0; 50]), microsoft(25, &[0; 50]));
    let (pap, vendor) = (attribute::USER_PASSWORD, attribute::VENDOR_SPECIFIC);
    let chap: (u8, &[u8]) = (attribute::CHAP_PASSWORD, &[7; 17]);
    let cases: &[(&[Given<'_>], NoCredential)] = &[
        (&[(attribute::USER_NAME, b"alice")], NoCredential::Absent),
        (&[(attribute::CHAP_CHALLENGE, b"alone")], NoCredential::Absent),
        (&[(attribute::EAP_MESSAGE, b"\x02\x01\x00\x05\x01")], NoCredential::Eap),
        (&[(attribute::EAP_MESSAGE, b""), (pap, &one)], NoCredential::Eap),
        (&[(pap, b"")], NoCredential::Unreadable),
        (&[(pap, &[0; 15])], NoCredential::Unreadable),
        (&[(pap, &[0; 144])], NoCredential::Unreadable),
        (&[(attribute::CHAP_PASSWORD, &[7; 16])], NoCredential::Unreadable),
        (&[(pap, &one), (pap, &two)], NoCredential::Several),
        (&[(pap, &one), chap], NoCredential::Several),
        (&[chap, (vendor, &v2)], NoCredential::Several),
        (&[(vendor, &v1), (vendor, &v2)], NoCredential::Several),
    ];
    for (attributes, why) in cases {
        assert_eq!(ask(attributes).map(|_| ()).unwrap_err(), *why, "{attributes:?}");
    }
    for why in NoCredential::ALL {
        assert!(!why.name().contains(' ') && why.to_string().starts_with("the request"));
    }
}

#[test]
fn a_question_that_fits_no_packet_is_no_packet() {
    let full = [0x5a; 253];
    let mut attributes: Vec<(u8, &[u8])> = vec![(attribute::CLASS, &full); 15];
    let response = [7; 17];
    attributes.push((attribute::CHAP_PASSWORD, &response));
    // As much as a NAS can send; the challenge that we add is 18 octets more.
    let rest = [0x5a; 209];
    attributes.push((attribute::CLASS, &rest));
    assert_eq!(ask(&attributes).unwrap().request(1, [3; 16]), Err(Full));
}
