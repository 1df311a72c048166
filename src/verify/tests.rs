//! Messages that must be taken and messages that must not, and why not.
//!
//! [`forge`] makes messages by hand, so that a story can bend one thing and leave the rest good; [`openssl`] has
//! OpenSSL make them, so that good does not mean what we take it to mean. The signature in [`real`] is the service's.

#![allow(clippy::disallowed_methods, reason = "the tests run openssl and read files")]

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use self::forge::{Forge, TEXT};
use super::*;

mod anchors;
mod flips;
mod forge;
mod known;
mod openssl;
mod real;
mod stories;

/// `seconds` after 1970.
fn unix(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The name of the refusal, or `accepted`, and a sentence for the message of a failed test.
fn told<T>(result: &Result<T, Refused>) -> (&'static str, String) {
    match result {
        Ok(_) => ("accepted", String::new()),
        Err(refused) => (refused.refusal.name(), refused.to_string()),
    }
}

/// A good signature over `text` by `MIDCHE0123456789` in base64, and with which roots and when it verifies: for the
/// tests of those who need a [`VerifiedSigner`], which they get by calling [`verify`] as everybody does.
pub(crate) fn good_signature(text: &str) -> (String, TrustAnchors, SystemTime) {
    let forge = Forge::over(text);
    (base64(&forge.message()), forge.anchors(), forge.at)
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

static NUMBER: LazyLock<Msisdn> = LazyLock::new(|| "+41765554433".parse().unwrap());

/// What the whole door says to a good message, after `bend` had its way with evidence and expectation.
fn at_the_door<'a>(
    signature: &'a str,
    bend: impl FnOnce(&mut Evidence<'a>, &mut Expected<'a>),
) -> Result<VerifiedSigner, Refused> {
    let forge = Forge::good();
    let mut evidence = Evidence { ap_trans_id: "T1", msisdn: "41765554433", signature };
    let mut expected = Expected { ap_trans_id: "T1", msisdn: &NUMBER, text: TEXT, serial: None };
    bend(&mut evidence, &mut expected);
    verify(&evidence, &expected, &forge.anchors(), forge.at)
}

#[test]
fn the_expected_person_is_let_in() {
    let (signature, ..) = good_signature(TEXT);
    let verified = at_the_door(&signature, |_, _| {}).unwrap();
    let signer = verified.signer();
    assert_eq!(signer.serial.as_str(), "MIDCHE0123456789");
    assert_eq!(signer.subject, "serialNumber=MIDCHE0123456789, CN=MIDCHE0123456789:PN");
    assert_eq!(signer.key, "EC P-256");
    assert_eq!(signer.not_after, unix(1_798_761_599)); // 2026-12-31 23:59:59
}

#[test]
fn the_serial_number_is_compared_without_regard_to_case() {
    let signature = base64(&Forge::good().message());
    for (pinned, outcome) in [
        ("MIDCHE0123456789", "accepted"),
        ("midche0123456789", "accepted"),
        ("MIDCHE9876543210", "serial-mismatch"),
        ("MIDCHE012345678", "serial-mismatch"),
    ] {
        let pinned = pinned.parse().unwrap();
        let result = at_the_door(&signature, |_, expected| expected.serial = Some(&pinned));
        assert_eq!(told(&result).0, outcome, "{pinned}");
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let signature = base64(&Forge::good().message());
    let transactions = [("T2", "wrong-transaction"), ("t1", "wrong-transaction"), ("", "wrong-transaction")];
    for (transaction, outcome) in transactions {
        let result = at_the_door(&signature, |evidence, _| evidence.ap_trans_id = transaction);
        assert_eq!(told(&result).0, outcome, "{transaction}");
    }
    for (number, outcome) in [
        ("+41765554433", "accepted"),
        ("0041765554433", "accepted"),
        ("41765554434", "wrong-msisdn"),
        ("4176555443", "wrong-msisdn"),
        ("", "wrong-msisdn"),
        ("41765554433;", "wrong-msisdn"),
    ] {
        let result = at_the_door(&signature, |evidence, _| evidence.msisdn = number);
        assert_eq!(told(&result).0, outcome, "{number}");
        assert!(!told(&result).1.contains("5544"), "a phone number is shown masked");
    }
    let result = at_the_door(&signature, |_, expected| expected.text = "ACME: pay 1000 CHF? (K7)");
    assert_eq!(told(&result).0, "wrong-content");
}

#[test]
fn base64_may_have_line_breaks_and_nothing_else() {
    let dense = base64(&Forge::good().message());
    let lines = dense.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let wrapped = lines.collect::<Vec<_>>().join("\r\n");
    let mut stray = dense.clone();
    stray.insert(100, '-');
    for (signature, outcome) in [
        (format!(" {wrapped}\n\t"), "accepted"),
        (stray, "malformed-signature"),
        (dense.trim_end_matches('=')[..dense.len() - 3].to_owned(), "malformed-signature"),
        (format!("{dense}{dense}"), "malformed-signature"),
        (dense.replace('M', "\u{a0}M"), "malformed-signature"),
        ("not base64 at all!".to_owned(), "malformed-signature"),
        (String::new(), "malformed-signature"),
        ("A".repeat(ber::MAX_SIZE + 1), "malformed-signature"),
        ("AAAA".repeat(1000), "malformed-signature"),
    ] {
        let result = at_the_door(&signature, |_, _| {});
        assert_eq!(told(&result).0, outcome, "{}", &signature.chars().take(60).collect::<String>());
    }
}

#[test]
fn a_file_holds_the_message_or_its_base64() {
    let message = Forge::good().message();
    assert_eq!(decode_file(&message).unwrap(), message);
    assert_eq!(decode_file(base64(&message).as_bytes()).unwrap(), message);
    assert_eq!(told(&decode_file(b"\xff\xfe")).0, "malformed-signature");
    assert_eq!(told(&decode_file(b"%PDF-1.7")).0, "malformed-signature");
}

#[test]
fn what_a_refusal_quotes_is_escaped() {
    let mut forge = Forge::good();
    forge.content = Some(b"\x1b[2J accepted\n".to_vec());
    let refused = forge.check().unwrap_err();
    assert!(refused.detail.contains("\\u{1b}[2J accepted\\u{a}"), "{refused}");
    assert!(!refused.detail.contains('\u{1b}'));
}
