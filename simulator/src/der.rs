//! Writes ASN.1: just the tags that certificates and signatures need, in DER, and the indefinite lengths of
//! BER that the live service puts round its signatures.
//!
//! Values are byte vectors that already carry tag and length, so that a structure reads in code as it reads
//! in its standard: `sequence(&[oid(&[...]), null()])`.

use time::OffsetDateTime;

/// Tag, definite length, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        out.push(0x80 | bytes.len() as u8);
        out.extend(bytes);
    }
    out.extend_from_slice(content);
    out
}

/// Tag, indefinite length, content, end-of-contents: BER only, which strict DER readers refuse.
pub(crate) fn indefinite(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![tag, 0x80];
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(&[0, 0]);
    out
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The constructed context tag `[n]`.
pub(crate) const fn context(n: u8) -> u8 {
    0xa0 | n
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// A SET OF: DER wants its members in the order of their encodings.
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    tlv(SET, &parts.concat())
}

pub(crate) fn explicit(n: u8, inner: &[u8]) -> Vec<u8> {
    tlv(context(n), inner)
}

pub(crate) fn null() -> Vec<u8> {
    vec![0x05, 0x00]
}

pub(crate) fn boolean_true() -> Vec<u8> {
    tlv(0x01, &[0xff])
}

pub(crate) fn small_integer(value: u8) -> Vec<u8> {
    tlv(0x02, &[value])
}

/// A positive INTEGER from big-endian bytes, with the zero that keeps a set top bit from meaning minus.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content.first().is_none_or(|byte| *byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, bytes)
}

pub(crate) fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes].concat())
}

pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

pub(crate) fn printable(text: &str) -> Vec<u8> {
    tlv(0x13, text.as_bytes())
}

/// OBJECT IDENTIFIER. The first arc is 0, 1 or 2 and, where it is not 2, the second below 40.
pub(crate) fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    let (first, second, rest) = match arcs {
        [first, second, rest @ ..] => (*first, *second, rest),
        _ => (0, 0, [].as_slice()),
    };
    for arc in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
        let groups = (1..5).rev().filter(|group| arc >> (7 * group) != 0);
        content.extend(groups.map(|group| 0x80 | (arc >> (7 * group)) as u8 & 0x7f));
        content.push(arc as u8 & 0x7f);
    }
    tlv(0x06, &content)
}

/// A certificate's Time: UTCTime through 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5).
pub(crate) fn moment(at: OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(time::UtcOffset::UTC);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    if (1950..2050).contains(&at.year()) {
        tlv(0x17, format!("{:02}{rest}", at.year().rem_euclid(100)).as_bytes())
    } else {
        tlv(0x18, format!("{:04}{rest}", at.year()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(tlv(0x04, &[0; 0x7f])[..2], [0x04, 0x7f]);
        assert_eq!(tlv(0x04, &[0; 0x80])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(tlv(0x04, &[0; 0x1234])[..4], [0x04, 0x82, 0x12, 0x34]);
    }

    #[test]
    fn object_identifiers_as_the_standards_print_them() {
        assert_eq!(oid(&[1, 2, 840, 113549, 1, 7, 2]), b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
        assert_eq!(oid(&[0, 4, 0, 2042, 1, 3]), b"\x06\x06\x04\x00\x8f\x7a\x01\x03");
        assert_eq!(oid(&[2, 5, 4, 97]), b"\x06\x03\x55\x04\x61");
    }

    #[test]
    fn integers_stay_positive() {
        assert_eq!(unsigned(&[0, 0x80]), [0x02, 0x02, 0x00, 0x80]);
        assert_eq!(unsigned(&[0, 0x7f]), [0x02, 0x01, 0x7f]);
        assert_eq!(unsigned(&[]), [0x02, 0x01, 0x00]);
    }

    #[test]
    fn the_time_form_changes_with_the_half_century() {
        let before = OffsetDateTime::from_unix_timestamp(2_524_607_999).unwrap();
        assert_eq!(moment(before), b"\x17\x0d491231235959Z");
        assert_eq!(moment(before + time::Duration::SECOND), b"\x18\x0f20500101000000Z");
    }
}
