use super::*;
use crate::packet::{Builder, VALUE_MAX};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks_exact(2).map(octet).collect()
}

/// The secret of all the RFCs' examples.
fn example() -> SharedSecret {
    SharedSecret::new(b"xyzzy5461")
}

/// RFC 2865, section 7: a login with a password, one with CHAP, and one with a challenge: request, password, answer.
const EXAMPLES: [(&str, Option<&[u8]>, &str); 4] = [
    (
        "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee
         0406c0a80110 050600000003",
        Some(b"arctangent"),
        "02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103",
    ),
    (
        "01010047 2aee86f08d0d55969ca5978e0d3367a2 0108666c6f707379 031316e97557c316185895f293ff634407 7275
         0406c0a80110 050600000014 060600000002 070600000001",
        None,
        "02010038 15efbc7dab26cfa3dc34d9c03c8601a4 060600000002 070600000001 0806fffffffe 0a0600000002
         0d0600000001 0c06000005dc",
    ),
    (
        "01020039 f3a47a1f6a6d76710b947ab93041a039 01076d6f707379 02123365757377828 9b570885e15084825c5
         0406c0a80110 050600000007",
        Some(b"challenge"),
        "0b02004e 36f3c8764ae8c7115740 3c0c71ff9c45
         12304368616c6c656e67652033323736393433302e2020456e74657220726573706f6e73652061742070726f6d70742e
         180a3332373639343330",
    ),
    (
        "01030043 b12255 6d428a13d0d6253807c457ecf0 01076d6f707379 0212692c1f205fc081b919b95195f561a581
         0406c0a80110 050600000007 180a3332373639343330",
        Some(b"99101462"),
        "03030014 a42f4fca45916c4e09c8340f9e746aa0",
    ),
];

#[test]
fn the_examples_of_rfc_2865() {
    for (request, password, answer) in EXAMPLES {
        let (request, answer) = (hex(request), hex(answer));
        let (request, answer) = (Packet::parse(&request).unwrap(), Packet::parse(&answer).unwrap());
        let authenticator = request.authenticator();
        if let Some(password) = password {
            let hidden = request.first(attribute::USER_PASSWORD).unwrap();
            assert_eq!(*reveal_password(hidden, &example(), &authenticator).unwrap(), password);
            assert_eq!(hide_password(password, &example(), &authenticator).unwrap(), hidden);
        }
        assert!(is_answer(&answer, &authenticator, &example()), "{answer:?}");
        assert!(!is_answer(&answer, &authenticator, &SharedSecret::new(b"xyzzy5462")));
        assert_eq!(check_request(&request, &example()), Signed::No);
    }
}

#[test]
fn the_example_of_rfc_5997() {
    let request = hex("0cda0026 8a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3");
    let request = Packet::parse(&request).unwrap();
    assert_eq!(check_request(&request, &example()), Signed::Valid);
    assert_eq!(
        Builder::new(Code::STATUS_SERVER, 0xda, request.authenticator()).signed_request(&example()),
        request.octets()
    );
    let answer = hex("02da0014 ef0d552a4bf2d693ec2b6fe8b5411d66");
    assert!(is_answer(&Packet::parse(&answer).unwrap(), &request.authenticator(), &example()));
}

/// A login at FreeRADIUS 3.2.1 with radclient as its client, recorded: another implementation's Message-Authenticator
/// on both ways, and all three ways to hide a value.
const RECORDED: [&str; 2] = [
    "013800488a7c4a63e99c56460be19bf7c4d131f10107616c69636502125d6d6e92ed4bdf9063c02c6755533a86200576706e5012
     fe14eff65820bb4a4d3d37a05924c4f121040102",
    "023801099c878d91a9e85c66d0c974e0924b240245350382bfdc73111f7494d7d2b6a2b4fdb33b32c0740f575f321d8e078ef677
     4ef944efe69ffe6ca6072ee69c8dbd7b65aca595af1a2a000001371024886fa537041c35d9c7acd25e8b4dab616417494c345fd6
     d114792c3c1de803703bd21a2a00000137112494840feeda0d1ce135a027662fce3f3f334817cd1672fde5ac4513f3129589e694
     111a28000001370c223b1013e29d2fa4e9ac068fc3f0f59d2ed0dcaea9fe0f65f1ad5f91b87dc4492d190773746166661a190000
     000901137368656c6c3a707269762d6c766c3d31351a0e0000000901087365636f6e6450122744a56dca9a40b519ea05e7e978eb
     a221040102",
];

#[test]
fn a_recorded_login_at_freeradius() {
    let [request, answer] = RECORDED.map(hex);
    let (request, answer) = (Packet::parse(&request).unwrap(), Packet::parse(&answer).unwrap());
    let (secret, authenticator) = (example(), request.authenticator());
    assert_eq!(check_request(&request, &secret), Signed::Valid);
    assert!(is_answer(&answer, &authenticator, &secret));
    assert_eq!(check_answer(&answer, &authenticator, &secret), Signed::Valid);
    assert_eq!(check_answer(&answer, &[0; 16], &secret), Signed::Invalid);

    let password = request.first(attribute::USER_PASSWORD).unwrap();
    assert_eq!(**reveal_password(password, &secret, &authenticator).unwrap(), *b"wonderland");

    let [tag, salted @ ..] = answer.first(attribute::TUNNEL_PASSWORD).unwrap() else { panic!("no tag") };
    let clear: &[u8] = b"tunnel secret of more than sixteen";
    assert_eq!((*tag, &**reveal_salted(salted, &secret, &authenticator).unwrap()), (3, clear));
    // With the same salt we hide it in the same octets.
    assert_eq!(hide_salted(clear, &secret, &authenticator, [salted[0], salted[1]]).unwrap(), salted);

    let key =
        |kind| reveal_salted(answer.vendor(311, kind).next().unwrap(), &secret, &authenticator).unwrap();
    assert_eq!(*key(16), hex("000102030405060708090a0b0c0d0e0f"));
    assert_eq!(*key(17), hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
    let keys = reveal_password(answer.vendor(311, 12).next().unwrap(), &secret, &authenticator).unwrap();
    assert_eq!(*keys, hex("1112131415161718a1a2a3a4a5a6a7a8a9aaabacadaeafb0"));
}

/// What a request says of its Message-Authenticator after its octets were changed.
fn after(change: impl Fn(&mut Vec<u8>)) -> Signed {
    let mut octets = hex(RECORDED[0]);
    change(&mut octets);
    check_request(&Packet::parse(&octets).unwrap(), &example())
}

/// Puts the true length into the header.
fn measure(octets: &mut [u8]) {
    let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
    octets[2..4].copy_from_slice(&length);
}

#[test]
fn a_signature_is_of_the_packet_and_of_nothing_else() {
    assert_eq!(after(|_| {}), Signed::Valid);
    // What is behind Length is not part of the packet, whatever it is.
    assert_eq!(after(|octets| octets.extend([0; 4])), Signed::Valid);
    assert_eq!(after(|octets| octets.extend([33, 4, 1, 2])), Signed::Valid);
    // The same octets inside it are.
    assert_eq!(
        after(|octets| {
            octets.extend([33, 4, 1, 2]);
            measure(octets);
        }),
        Signed::Invalid
    );
    let other = SharedSecret::new(b"xyzzy5462");
    assert_eq!(check_request(&Packet::parse(&hex(RECORDED[0])).unwrap(), &other), Signed::Invalid);
}

#[test]
fn every_turned_bit_shows() {
    let octets = hex(RECORDED[0]);
    for bit in 0..octets.len() * 8 {
        let mut turned = octets.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        let Ok(packet) = Packet::parse(&turned) else { continue };
        assert_ne!(check_request(&packet, &example()), Signed::Valid, "bit {bit}");
    }
}

#[test]
fn a_signature_that_is_doubled_or_of_another_size_is_none_that_counts() {
    let signature_at = 50;
    assert_eq!(hex(RECORDED[0])[signature_at..][..2], [80, 18]);
    let doubled = after(|octets| {
        let signature = octets[signature_at..signature_at + 18].to_vec();
        octets.extend(signature);
        measure(octets);
    });
    let shorter = after(|octets| {
        octets[signature_at + 1] = 17;
        octets.remove(signature_at + 2);
        measure(octets);
    });
    let longer = after(|octets| {
        octets[signature_at + 1] = 19;
        octets.insert(signature_at + 2, 0);
        measure(octets);
    });
    let empty_beside_it = after(|octets| {
        octets.extend([80, 2]);
        measure(octets);
    });
    let without = after(|octets| {
        octets.drain(signature_at..signature_at + 18);
        measure(octets);
    });
    let found = [doubled, shorter, longer, empty_beside_it, without];
    assert_eq!(found, [Signed::Invalid, Signed::Invalid, Signed::Invalid, Signed::Invalid, Signed::No]);
}

#[test]
fn a_signature_counts_wherever_it_stands() {
    let mut octets = Builder::new(Code::ACCESS_REQUEST, 1, [7; 16]).unsigned();
    for attribute in [&[1, 3, b'a'][..], &[80, 18], &[0; 16], &[33, 3, 9]] {
        octets.extend(attribute);
    }
    measure(&mut octets);
    let mac = sign(&octets, &example());
    octets[25..41].copy_from_slice(&mac);
    assert_eq!(check_request(&Packet::parse(&octets).unwrap(), &example()), Signed::Valid);
}

#[test]
fn accounting_is_signed_with_zeros_in_place_of_its_authenticator() {
    let mut octets = Builder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16]).signed_request(&example());
    let authenticator = of_accounting(&octets, &example());
    octets[4..20].copy_from_slice(&authenticator);
    let packet = Packet::parse(&octets).unwrap();
    assert!(is_accounting(&packet, &example()));
    assert_eq!(check_request(&packet, &example()), Signed::Valid);
    assert!(!is_accounting(&packet, &SharedSecret::new(b"other")));
    octets[1] = 2;
    let changed = Packet::parse(&octets).unwrap();
    assert!(!is_accounting(&changed, &example()));
    assert_eq!(check_request(&changed, &example()), Signed::Invalid);
}

#[test]
fn passwords_of_every_length_come_back() {
    let authenticator = [0x5a; 16];
    for length in 0..=PASSWORD_MAX {
        let plain: Vec<u8> = (1..=u8::try_from(length).unwrap()).collect();
        let hidden = hide_password(&plain, &example(), &authenticator).unwrap();
        assert_eq!(hidden.len(), length.max(1).next_multiple_of(16));
        assert_eq!(*reveal_password(&hidden, &example(), &authenticator).unwrap(), plain);
        let other = reveal_password(&hidden, &SharedSecret::new(b"other"), &authenticator).unwrap();
        assert_ne!(*other, plain);
    }
    assert_eq!(hide_password(&[1; 129], &example(), &authenticator), None);
    // A NUL inside is a part of the password; those at the end are its filling.
    let hidden = hide_password(b"a\0b\0", &example(), &authenticator).unwrap();
    assert_eq!(**reveal_password(&hidden, &example(), &authenticator).unwrap(), *b"a\0b");
    for length in [0, 1, 15, 17, 127, 144, VALUE_MAX] {
        assert_eq!(reveal_password(&vec![0; length], &example(), &authenticator), None, "{length}");
    }
}

#[test]
fn salted_values_of_every_length_come_back() {
    let authenticator = [0x5a; 16];
    for length in 0..=239 {
        let plain: Vec<u8> = (0..length).collect();
        let value = hide_salted(&plain, &example(), &authenticator, [length, 9]).unwrap();
        assert_eq!(value[..2], [length | 0x80, 9]);
        assert_eq!(value.len(), 2 + (1 + plain.len()).next_multiple_of(16));
        // A tag and a vendor's head still fit beside it.
        assert!(value.len() + 6 <= VALUE_MAX);
        assert_eq!(*reveal_salted(&value, &example(), &authenticator).unwrap(), plain);
        assert_ne!(value, hide_salted(&plain, &example(), &authenticator, [length, 10]).unwrap());
    }
    assert_eq!(hide_salted(&[0; 240], &example(), &authenticator, [0; 2]), None);
    for length in [0, 1, 2, 3, 17, 19] {
        assert_eq!(reveal_salted(&vec![0; length], &example(), &authenticator), None, "{length}");
    }
    // A length inside that is more than there is: another secret, or a lie.
    let block = [255; 16];
    let pad = pad_of(&example(), &[&authenticator, &[0x80, 1]]);
    let lie: Vec<u8> = [0x80, 1].into_iter().chain(block.iter().zip(pad).map(|(a, b)| a ^ b)).collect();
    assert_eq!(reveal_salted(&lie, &example(), &authenticator), None);
}

#[test]
fn a_secret_does_not_show_itself() {
    assert_eq!(format!("{:?}", SharedSecret::new(b"hunter2")), "SharedSecret(...)");
    // No secret at all is refused by the configuration; here it must not panic.
    let empty = SharedSecret::new(b"");
    let octets = Builder::new(Code::ACCESS_REQUEST, 1, [7; 16]).signed_request(&empty);
    assert_eq!(check_request(&Packet::parse(&octets).unwrap(), &empty), Signed::Valid);
    assert_eq!(check_request(&Packet::parse(&octets).unwrap(), &example()), Signed::Invalid);
}
