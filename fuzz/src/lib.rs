//! What the targets share: people whose signatures are at hand and whose keys are gone, and the properties that
//! hold for every text that leaves the core.
//!
//! The fixtures are made by seeds.sh. Alice and Bob each signed one text, `fixtures/*.txt`, and then their keys
//! were destroyed. So the signatures that may ever be accepted are known, and any other accept is a bug.
#![forbid(unsafe_code)]

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use mobileid::{
    config::Mistakes,
    text::is_unprintable,
    verify::{Signer, TrustAnchors, check_signature},
};

/// The prefix of both texts.
pub const PREFIX: &str = "ACME: ";
/// The template of both texts; the code comes last.
pub const TEMPLATE: &str = "Log in as {user} on {host} ({service})? Code {txn}";
/// What Alice signed: the text of one login, that of [`ALICE_ENTROPY`].
pub const ALICE_TEXT: &str = include_str!("../fixtures/alice.txt");
/// What Bob signed: the text of one login, that of [`BOB_ENTROPY`].
pub const BOB_TEXT: &str = include_str!("../fixtures/bob.txt");
/// Alice's login: AP_TransID and the code in her text follow from it.
pub const ALICE_ENTROPY: [u8; 24] = [7; 24];
/// Bob's login.
pub const BOB_ENTROPY: [u8; 24] = [9; 24];
/// Alice's number.
pub const ALICE_NUMBER: &str = "41790000001";
/// Bob's number.
pub const BOB_NUMBER: &str = "41790000002";
/// Alice's serial number.
pub const ALICE_SERIAL: &str = "MIDCHEFUZZALICE1";
/// Bob's serial number.
pub const BOB_SERIAL: &str = "MIDCHEFUZZBOB002";

/// Alice's signature, streamed as the real service does it.
pub const ALICE_SIGNATURE: &[u8] = include_bytes!("../fixtures/alice.der");
/// Alice's, with another key and certificate.
pub const ALICE_P384_SIGNATURE: &[u8] = include_bytes!("../fixtures/alice-p384.der");
/// Bob's signature, RSASSA-PSS.
pub const BOB_SIGNATURE: &[u8] = include_bytes!("../fixtures/bob.der");
/// Alice's text and Alice's name, by a root that has the true root's name and another key.
pub const STRANGERS_SIGNATURE: &[u8] = include_bytes!("../fixtures/refused-strangers-root.der");

/// A day on which the fixtures are valid: 1 January 2050.
#[must_use]
pub fn day() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_524_608_000)
}

/// The one root that is trusted.
pub static ANCHORS: LazyLock<TrustAnchors> =
    LazyLock::new(|| TrustAnchors::from_pem(include_str!("../fixtures/root.pem")).expect("it is a root"));

/// Whoever may be accepted, with the text that was signed.
pub static GENUINE: LazyLock<Vec<(&'static str, Signer)>> = LazyLock::new(|| {
    [(ALICE_TEXT, ALICE_SIGNATURE), (ALICE_TEXT, ALICE_P384_SIGNATURE), (BOB_TEXT, BOB_SIGNATURE)]
        .map(|(text, cms)| {
            let signer =
                check_signature(cms, text, &ANCHORS, day()).expect("the fixtures verify: see seeds.sh");
            (text, signer)
        })
        .into()
});

/// An accept is a forgery unless one of the genuine signers signed this very text.
pub fn assert_genuine(text: &str, signer: &Signer) {
    assert!(
        GENUINE.iter().any(|genuine| *genuine == (text, signer.clone())),
        "FORGED: {signer:?} is taken to have signed {text:?}"
    );
}

/// One line that a terminal shows as it is.
pub fn assert_one_plain_line(text: &str) {
    assert!(!text.chars().any(is_unprintable), "unprintable characters in {text:?}");
}

/// A secret that stands in the seeds, so that the fuzzer carries it about.
pub const SECRET: &str = "correct-horse-7261";

/// Each mistake is one plain line with the file's name, and none repeats the value of a secret.
pub fn assert_told_well(mistakes: &Mistakes, file: &str) {
    assert!(!mistakes.0.is_empty(), "refused without a reason");
    assert_eq!(mistakes.to_string().lines().count(), mistakes.0.len(), "{mistakes}");
    for mistake in &mistakes.0 {
        assert_one_plain_line(&mistake.to_string());
        assert!(mistake.to_string().starts_with(file) && !mistake.what.is_empty());
        assert!(mistake.line != Some(0));
        // A key may be anything that was written as a key; what is said of it is ours.
        assert!(!mistake.what.contains(SECRET), "a value is repeated: {mistake}");
    }
}

/// A second reading of guide 4.1.1, apart from the one in the core: the text fits the phone, and shows the prefix
/// first and the code after it.
pub fn assert_fits_the_phone(text: &str, prefix: &str, code: &str) {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";
    let gsm = text.chars().all(|c| BASIC.contains(c) || EXTENSION.contains(c));
    let units = if gsm {
        text.chars().count() + text.chars().filter(|c| EXTENSION.contains(*c)).count()
    } else {
        text.encode_utf16().count()
    };
    assert!(units <= if gsm { 239 } else { 119 }, "{units} units: {text:?}");
    let rest = text.strip_prefix(prefix).unwrap_or_else(|| panic!("{prefix:?} does not begin {text:?}"));
    assert!(rest.contains(code), "the code {code} is not in {text:?}");
    assert_one_plain_line(text);
}
