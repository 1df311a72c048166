//! Any bytes as a CMS message. Nothing but what Alice and Bob signed is accepted, on no day and under no root but
//! theirs; and a message means the same whether it is streamed or not.
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use libfuzzer_sys::fuzz_target;
use mobileid::verify::{Refusal, TrustAnchors, check_signature, decode_base64, decode_file};
use mobileid_fuzz::{ALICE_TEXT, ANCHORS, BOB_TEXT, GENUINE, assert_genuine, assert_one_plain_line, day};

/// Alice's text but for its last letter, which is of no code: nobody ever signed it.
static UNSIGNED: LazyLock<String> = LazyLock::new(|| format!("{}0", &ALICE_TEXT[..ALICE_TEXT.len() - 1]));

const YEAR: Duration = Duration::from_secs(31_557_600);

fuzz_target!(init: assert_eq!(GENUINE.len(), 3), |bytes: &[u8]| {
    let streamed = streamed(bytes);
    for text in [ALICE_TEXT, BOB_TEXT, &UNSIGNED] {
        let result = check_signature(bytes, text, &ANCHORS, day());
        match &result {
            Ok(signer) => {
                assert_genuine(text, signer);
                for (anchors, at) in [
                    (&TrustAnchors::default(), day()),
                    (&*ANCHORS, SystemTime::UNIX_EPOCH),
                    (&*ANCHORS, day() + 100 * YEAR),
                ] {
                    assert!(check_signature(bytes, text, anchors, at).is_err(), "accepted {at:?}, {anchors:?}");
                }
            }
            Err(refused) => assert_one_plain_line(&refused.to_string()),
        }
        // What is no message at all may be refused for another reason after it was rewritten.
        let readable = !matches!(&result, Err(refused) if refused.refusal == Refusal::Malformed);
        if let (true, Some(streamed)) = (readable, &streamed) {
            assert_eq!(result, check_signature(streamed, text, &ANCHORS, day()), "streamed: {streamed:02x?}");
        }
    }
    if let Ok(cms) = decode_file(bytes) {
        assert!(cms.len() <= bytes.len());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = decode_base64(text);
    }
});

/// The same message as a streaming signer would write it: every constructed element of indefinite length, and every
/// octet string in two chunks. None where that cannot be told from the bytes.
fn streamed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(2 * bytes.len());
    let rest = stream_element(bytes, 0, false, &mut out)?;
    (rest.is_empty() && out.len() < 1 << 20).then_some(out)
}

/// Deeper than any message that is accepted, less one level for the chunks.
const DEEPEST: usize = 15;

fn stream_element<'a>(bytes: &'a [u8], depth: usize, chunk: bool, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&tag, rest) = bytes.split_first()?;
    let (content, rest) = content(rest)?;
    let constructed = tag & 0x20 != 0;
    if tag == 0 || tag & 0x1f == 0x1f || depth >= DEEPEST {
        return None;
    }
    if constructed {
        out.extend([tag, 0x80]);
        let mut inner = content;
        while !inner.is_empty() {
            inner = stream_element(inner, depth + 1, tag == 0x24, out)?;
        }
        out.extend([0, 0]);
    } else if tag == 0x04 && !chunk {
        let (first, second) = content.split_at(content.len() / 2);
        out.extend([0x24, 0x80]);
        for part in [first, second] {
            push_primitive(0x04, part, out);
        }
        out.extend([0, 0]);
    } else {
        push_primitive(tag, content, out);
    }
    Some(rest)
}

/// Content and what follows it; only for lengths that are definite.
fn content(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A length in four octets is allowed in BER, and always long enough here.
fn push_primitive(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.extend([tag, 0x84]);
    out.extend(u32::try_from(content.len()).expect("inputs are short").to_be_bytes());
    out.extend(content);
}
