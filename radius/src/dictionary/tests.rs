use super::*;

/// What an attribute of that name writes for a value, or the sentence that refuses it.
fn written(name: &str, given: Given<'_>) -> Result<Vec<u8>, String> {
    attribute(name).map_err(|unknown| unknown.to_string())?.encode(given).map_err(|bad| bad.to_string())
}

#[test]
fn values_are_written_as_their_rfc_says() {
    use Given::{Integer, Text};
    let long = "x".repeat(247);
    let cases: &[(&str, Given<'_>, &[u8])] = &[
        ("Class", Text("staff"), b"staff"),
        ("class", Text("0x00Ff"), &[0, 0xff]),
        ("Filter-Id", Text("0x00"), b"0x00"),
        ("Session-Timeout", Integer(28_800), &[0, 0, 0x70, 0x80]),
        ("Session-Timeout", Text("28800"), &[0, 0, 0x70, 0x80]),
        ("Service-Type", Text("administrative-user"), &[0, 0, 0, 6]),
        ("Framed-IP-Address", Text("192.0.2.7"), &[192, 0, 2, 7]),
        ("Framed-IPv6-Prefix", Text("2001:db8::/48"), &[0, 48, 0x20, 1, 0xd, 0xb8, 0, 0]),
        ("Framed-IPv6-Prefix", Text("::/0"), &[0, 0]),
        ("Tunnel-Type", Text("VLAN"), &[0, 0, 0, 13]),
        ("Tunnel-Type:1", Integer(13), &[1, 0, 0, 13]),
        ("Tunnel-Private-Group-Id", Text("42"), b"42"),
        ("Tunnel-Private-Group-Id:31", Text("42"), b"\x1f42"),
        ("Cisco-AVPair", Text(&long), long.as_bytes()),
        ("Attr-17", Text("0x01"), &[1]),
        ("Vendor-3845-16", Text("vpn"), b"vpn"),
        // By its numbers a known attribute takes octets, as an unknown one does.
        ("Attr-27", Text("0x00000001"), &[0, 0, 0, 1]),
    ];
    for (name, given, octets) in cases {
        assert_eq!(written(name, *given).as_deref(), Ok(*octets), "{name} = {given:?}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_in_a_sentence() {
    use Given::{Integer, Text};
    let (long, longer) = ("x".repeat(254), "x".repeat(248));
    let cases: &[(&str, Given<'_>, &str)] = &[
        ("Class", Text(""), "must not be empty"),
        ("Class", Text("0x"), "must not be empty"),
        ("Class", Text(&long), "longer than 253 octets"),
        ("Cisco-AVPair", Text(&longer), "longer than 247 octets"),
        ("Class", Integer(1), "must be a text"),
        ("Class", Text("0x123"), "pairs of hexadecimal"),
        ("Class", Text("0xgg"), "pairs of hexadecimal"),
        ("Class", Text("0x+1"), "pairs of hexadecimal"),
        ("Session-Timeout", Text("8h"), "must be a number"),
        ("Session-Timeout", Text("+8"), "must be a number"),
        ("Session-Timeout", Integer(-1), "below zero"),
        ("Session-Timeout", Integer(1 << 32), "below zero, or larger"),
        ("Tunnel-Preference", Integer(1 << 24), "below zero, or larger"),
        ("Framed-IP-Address", Text("192.0.2"), "IPv4"),
        ("Framed-IPv6-Address", Text("192.0.2.1"), "IPv6"),
        ("Framed-IPv6-Prefix", Text("2001:db8::1/48"), "prefix"),
        ("Framed-IPv6-Prefix", Text("2001:db8::/129"), "prefix"),
        ("Framed-IPv6-Prefix", Text("2001:db8::"), "prefix"),
        ("MS-MPPE-Send-Key", Text("key"), "passed on, not set"),
        ("Vendor-311-16", Text("key"), "passed on, not set"),
        ("Message-Authenticator", Text("0x00"), "responder's own"),
        ("Reply-Message", Text("Welcome"), "responder's own"),
        ("Attr-18", Text("Welcome"), "responder's own"),
        ("Attr-80", Text("0x00"), "responder's own"),
        ("attr-33", Text("0x00"), "responder's own"),
        ("Attr-26", Text("0x00"), "responder's own"),
        ("Attr-245", Text("0x00"), "responder's own"),
        ("Attr-0", Text("0x00"), "no attribute has this name"),
        ("Attr-256", Text("0x00"), "no attribute has this name"),
        ("Vendor-0-1", Text("0x00"), "no attribute has this name"),
        ("Vendor-4294967296-1", Text("0x00"), "no attribute has this name"),
        ("Vendor-9-256", Text("0x00"), "no attribute has this name"),
        ("Vendor--1", Text("0x00"), "no attribute has this name"),
        ("Class:1", Text("x"), "no attribute has this name"),
        ("Tunnel-Type:0", Integer(1), "no attribute has this name"),
        ("Tunnel-Type:32", Integer(1), "no attribute has this name"),
        ("Fortinet-Groupname", Text("x"), "is Fortinet-Group-Name meant?"),
        ("Clas", Text("x"), "is Class meant?"),
        ("", Text("x"), "Attr-<type>"),
    ];
    for (name, given, sentence) in cases {
        let refused = written(name, *given).unwrap_err();
        assert!(refused.contains(sentence), "{name} = {given:?}: {refused}");
    }
}

#[test]
fn every_name_finds_its_own_attribute_and_is_shown_again() {
    for entry in names::ALL {
        let definition = attribute(entry.name).unwrap();
        assert_eq!((definition.vendor, definition.kind), (entry.vendor, entry.kind));
        assert_eq!(definition.to_string(), entry.name);
        assert_eq!(nearest(entry.name), Some(entry.name));
        assert!(entry.vendor.is_some() || !is_reserved(entry.kind) || entry.syntax == Syntax::Reserved);
    }
    for name in ["Attr-17", "Vendor-3845-16", "Tunnel-Type:3"] {
        assert_eq!(attribute(name).unwrap().to_string(), name);
    }
}

#[test]
fn names_and_numbers_are_entered_once() {
    for (at, entry) in names::ALL.iter().enumerate() {
        for other in &names::ALL[..at] {
            assert!(!entry.name.eq_ignore_ascii_case(other.name), "{} twice", entry.name);
            assert_ne!((entry.vendor, entry.kind), (other.vendor, other.kind), "{}", entry.name);
        }
    }
    for (vendor, kind, name, _) in names::VALUES {
        let syntax = Definition::of(*vendor, *kind).syntax;
        assert!(matches!(syntax, Syntax::Integer | Syntax::TaggedInteger), "{name} of {vendor:?} {kind}");
    }
}

#[test]
fn a_long_name_costs_no_comparisons() {
    assert_eq!(nearest(&"Class".repeat(1000)), None);
    assert_eq!(distance("kitten", "sitting"), 3);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("abc", ""), 3);
}
