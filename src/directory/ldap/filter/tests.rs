use super::*;
use crate::asn1::ber;

const ALICE: Names<'static> = Names { user: "alice", domain: "ACME", dn: "cn=Alice,dc=x" };

fn filled(text: &str, names: &Names<'_>) -> Vec<u8> {
    let template: Template = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    let filled = template.fill(names);
    // Whatever was filled in, it is one element and no more.
    assert_eq!(ber::to_definite(filled.octets()).as_deref(), Ok(filled.octets()), "{text}");
    filled.octets().to_vec()
}

#[test]
fn filters_are_encoded_as_the_standard_has_it() {
    let stories: [(&str, &[u8]); 12] = [
        ("(uid={user})", b"\xa3\x0c\x04\x03uid\x04\x05alice"),
        ("(uid=x{user}y)", b"\xa3\x0e\x04\x03uid\x04\x07xalicey"),
        ("(!(uid=a))", b"\xa2\x0a\xa3\x08\x04\x03uid\x04\x01a"),
        (
            "(&(a=1)(|(b=2)(c=3)))",
            b"\xa0\x1a\xa3\x06\x04\x01a\x04\x011\xa1\x10\xa3\x06\x04\x01b\x04\x012\xa3\x06\x04\x01c\x04\x013",
        ),
        ("(mobile=*)", b"\x87\x06mobile"),
        ("(cn=a*b*c)", b"\xa4\x0f\x04\x02cn\x30\x09\x80\x01a\x81\x01b\x82\x01c"),
        ("(cn=*{user})", b"\xa4\x0d\x04\x02cn\x30\x07\x82\x05alice"),
        ("(n>=5)", b"\xa5\x06\x04\x01n\x04\x015"),
        ("(n<=5)", b"\xa6\x06\x04\x01n\x04\x015"),
        ("(n~=5)", b"\xa8\x06\x04\x01n\x04\x015"),
        ("(cn=\\2a\\00\\C3\\a9)", b"\xa3\x0a\x04\x02cn\x04\x04*\x00\xc3\xa9"),
        ("(m:1.2.3:={domain})", b"\xa9\x10\x81\x051.2.3\x82\x01m\x83\x04ACME"),
    ];
    for (text, octets) in stories {
        assert_eq!(filled(text, &ALICE), octets, "{text}");
    }
    assert_eq!(filled("(:dn:2.5.13.5:=x)", &ALICE), b"\xa9\x10\x81\x082.5.13.5\x83\x01x\x84\x01\xff");
    assert_eq!(filled("(cn:=x)", &ALICE), b"\xa9\x07\x82\x02cn\x83\x01x");
    assert_eq!(filled("(cn:dn:=x)", &ALICE), b"\xa9\x0a\x82\x02cn\x83\x01x\x84\x01\xff");
}

#[test]
fn nothing_in_a_name_is_more_than_a_character() {
    for user in ["*", "a)(uid=*", "\\2a", "a\0b", "(", "x*y", "é\u{202e}", &"n".repeat(256)] {
        let names = Names { user, ..ALICE };
        let octets = filled("(&(objectClass=person)(uid={user}))", &names);
        assert!(octets.ends_with(&der::wrap(der::OCTET_STRING, user.as_bytes())), "{user:?}");
    }
}

#[test]
fn what_is_no_filter_is_named() {
    let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
    let long = format!("(a={})", "x".repeat(5000));
    for (text, why) in [
        ("", "parentheses"),
        ("uid={user}", "parentheses"),
        ("(uid={user}", "parentheses"),
        ("(uid={user}))", "behind"),
        ("(&)", "nothing behind"),
        ("(uid)", "without ="),
        ("(=x)", "no attribute"),
        ("(u id=x)", "no attribute"),
        ("(uid={users})", "begins none of"),
        ("(uid=\\2)", "hexadecimal"),
        ("(uid=\\zz)", "hexadecimal"),
        ("(uid=a**b)", "two *"),
        ("(uid>=a*)", "\\2a"),
        ("(:=x)", "neither"),
        (&deep, "16 parentheses"),
        (&long, "4096"),
    ] {
        let error = text.parse::<Template>().expect_err(text).to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
