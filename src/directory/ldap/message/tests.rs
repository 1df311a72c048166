use super::{super::Names, *};

fn message(number: u8, body: &[u8]) -> Vec<u8> {
    der::wrap(der::SEQUENCE, &[&[der::INTEGER, 1, number], body].concat())
}

fn string(text: &[u8]) -> Vec<u8> {
    der::wrap(der::OCTET_STRING, text)
}

fn attribute(name: &str, values: &[&[u8]]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| string(value)).collect();
    der::wrap(der::SEQUENCE, &[string(name.as_bytes()), der::wrap(der::SET, &values)].concat())
}

fn entry(dn: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let list = der::wrap(der::SEQUENCE, &attributes.concat());
    message(2, &der::wrap(ENTRY, &[string(dn.as_bytes()), list].concat()))
}

fn done(tag: u8, code: u8, text: &str) -> Vec<u8> {
    der::wrap(tag, &[&[ENUMERATED, 1, code][..], &string(b""), &string(text.as_bytes())].concat())
}

#[test]
fn requests_are_written_as_the_standard_has_them() {
    let bind = Request::Bind { dn: "cn=r", password: "p" }.encode(1);
    assert_eq!(&bind[..], b"\x30\x11\x02\x01\x01\x60\x0c\x02\x01\x03\x04\x04cn=r\x80\x01p");
    assert_eq!(&Request::Unbind.encode(300)[..], b"\x30\x06\x02\x02\x01\x2c\x42\x00");
    let tls = Request::StartTls.encode(1);
    assert_eq!(&tls[..], [&b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"[..], START_TLS].concat());
    let filter = "(uid={user})".parse::<super::super::filter::Template>().unwrap();
    let filter = filter.fill(&Names { user: "a", domain: "", dn: "" });
    let search = Search {
        base: "dc=x",
        scope: Scope::Subtree,
        filter: &filter,
        limit: 2,
        seconds: 200,
        attributes: &["mobile"],
        domain_scope: false,
    };
    let plain = Request::Search(&search).encode(2);
    let expected =
        b"\x30\x2f\x02\x01\x02\x63\x2a\x04\x04dc=x\x0a\x01\x02\x0a\x01\x00\x02\x01\x02\x02\x02\x00\xc8\
        \x01\x01\x00\xa3\x08\x04\x03uid\x04\x01a\x30\x08\x04\x06mobile";
    assert_eq!(&plain[..], expected);
    let scoped = Request::Search(&Search { domain_scope: true, ..search }).encode(2);
    assert!(scoped.ends_with(&[&b"\xa0\x1b\x30\x19\x04\x17"[..], DOMAIN_SCOPE].concat()), "{scoped:02x?}");
    let add = Modify { dn: "cn=a", change: Change::Add, attribute: "sn", value: Some("X") };
    let expected = b"\x30\x1d\x02\x01\x03\x66\x18\x04\x04cn=a\x30\x10\x30\x0e\x0a\x01\x00\x30\x09\x04\x02sn\x31\x03\x04\x01X";
    assert_eq!(&Request::Modify(&add).encode(3)[..], expected);
    let delete = Modify { change: Change::Delete, value: None, ..add };
    let expected =
        b"\x30\x1a\x02\x01\x03\x66\x15\x04\x04cn=a\x30\x0d\x30\x0b\x0a\x01\x01\x30\x06\x04\x02sn\x31\x00";
    assert_eq!(&Request::Modify(&delete).encode(3)[..], expected);
}

#[test]
fn answers_are_read_also_with_the_long_lengths_of_active_directory() {
    let body = done(SEARCH_DONE, 0, "");
    let read = Message { number: 2, body: Body::Searched(Done { code: Code::SUCCESS, text: String::new() }) };
    assert_eq!(decode(&message(2, &body)), Ok(read.clone()));
    let long = b"\x30\x84\x00\x00\x00\x10\x02\x01\x02\x65\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00";
    assert_eq!(decode(long), Ok(read));
    assert_eq!(length(long), Ok(Some(long.len())));
    let found = entry("cn=A", &[attribute("mobile", &[b"+41", b"\xff"]), attribute("cn", &[])]);
    let Body::Entry(found) = decode(&found).unwrap().body else { panic!("no entry") };
    assert_eq!(found.dn, "cn=A");
    assert_eq!(found.attributes[0].values, [b"+41".to_vec(), b"\xff".to_vec()]);
    for (tag, code) in [(BIND_RESPONSE, 49), (MODIFIED, 65), (EXTENDED, 52)] {
        let shown = format!("{:?}", decode(&message(1, &done(tag, code, "because"))).unwrap());
        assert!(shown.contains("because") && shown.contains(&code.to_string()), "{shown}");
    }
    assert_eq!(decode(&message(2, &[REFERENCE, 0])).unwrap().body, Body::Reference);
    assert_eq!(decode(&message(2, &[0x79, 0])).unwrap().body, Body::Other);
    // A referral in the end of a search, and controls behind it.
    let referral = [&[ENUMERATED, 1, 10][..], &string(b""), &string(b""), &[0xa3, 2, 4, 0]].concat();
    let referral = [der::wrap(SEARCH_DONE, &referral), vec![0xa0, 0]].concat();
    assert!(matches!(
        decode(&message(2, &referral)).unwrap().body,
        Body::Searched(Done { code: Code::REFERRAL, .. })
    ));
}

#[test]
fn a_length_is_known_before_the_message_is_read() {
    for (head, expected) in [
        (&b""[..], Ok(None)),
        (b"\x30", Ok(None)),
        (b"\x30\x05", Ok(Some(7))),
        (b"\x30\x82\x01", Ok(None)),
        (b"\x30\x82\x01\x00", Ok(Some(260))),
        (b"\x30\x83\x10\x00\x00", Err("longer than 1 MiB")),
        (b"\x30\x84\xff\xff\xff\xff", Err("longer than 1 MiB")),
        (b"\x30\x80", Err("length")),
        (b"\x30\x85\x01", Err("length")),
        (b"HTTP/1.1 400", Err("begins so")),
        (b"\x16\x03\x01", Err("begins so")),
    ] {
        match (length(head), expected) {
            (Ok(length), Ok(expected)) => assert_eq!(length, expected, "{head:02x?}"),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error}"),
            (found, _) => panic!("{head:02x?}: {found:?}"),
        }
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let values = |count: usize| vec![&b"v"[..]; count];
    let attributes = |count: usize| vec![attribute("a", &[]); count];
    let large = vec![b'x'; VALUE_MAX + 1];
    for (message, why) in [
        (entry("x", &attributes(ATTRIBUTES_MAX + 1)), "64 attributes"),
        (entry("x", &[attribute("a", &values(VALUES_MAX + 1))]), "2048 values"),
        (entry("x", &[attribute("a", &[&large])]), "64 KiB"),
        (entry("x", &[attribute(&"n".repeat(VALUE_MAX + 1), &[])]), "64 KiB"),
        (message(2, &[0x64, 5, 4, 1, 0xff, 0x30, 0]), "UTF-8"),
        (message(2, &[0x65, 3, 0x0a, 1, 0xff]), "out of bounds"),
        (b"\x30\x00".to_vec(), "parts"),
        (b"".to_vec(), "BER"),
        ([[0x30, 0x80].repeat(1000), [0, 0].repeat(1000)].concat(), "BER"),
    ] {
        let error = decode(&message).expect_err(why).to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    assert!(decode(&entry("x", &attributes(ATTRIBUTES_MAX))).is_ok());
}
