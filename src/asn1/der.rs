//! Strict reading of DER: a length yields a reader of exactly that many bytes, and bytes left over are an error.
//! Writing is one header and one sorted SET OF, for the signed attributes.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The parts of an identifier octet.
pub(crate) const CLASS: u8 = 0xc0;
pub(crate) const UNIVERSAL: u8 = 0x00;
pub(crate) const CONSTRUCTED: u8 = 0x20;
pub(crate) const NUMBER: u8 = 0x1f;

/// `[number]`, constructed: an explicit tag, or an implicit one over SEQUENCE or SET.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// `[number]`, primitive: an implicit tag over a string.
pub(crate) const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

/// The bytes are not the DER that stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadDer(&'static str);

impl std::fmt::Display for BadDer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// One element: what its tag is, what is in it, and all of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// A run of elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// Lets `read` take all of `bytes`; what it leaves is an error.
pub(crate) fn read_all<'a, T, E: From<BadDer>>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, E>,
) -> Result<T, E> {
    let mut reader = Reader { rest: bytes };
    let value = read(&mut reader)?;
    if reader.is_empty() { Ok(value) } else { Err(BadDer("an element is left over").into()) }
}

impl<'a> Reader<'a> {
    /// Reads from the front; what is behind the part that is of use stays unread.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(crate) fn element(&mut self) -> Result<Element<'a>, BadDer> {
        let (tag, after_tag) = self.rest.split_first().ok_or(MISSING)?;
        let (length, after_length) = length(after_tag)?;
        if tag & NUMBER == NUMBER {
            return Err(BadDer("a tag number over 30"));
        }
        let (content, after) = after_length.split_at_checked(length).ok_or(TRUNCATED)?;
        let header = self.rest.len().saturating_sub(after_length.len());
        let whole = self.rest.get(..header.saturating_add(length)).ok_or(TRUNCATED)?;
        self.rest = after;
        Ok(Element { tag: *tag, content, whole })
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8], BadDer> {
        match self.element()? {
            element if element.tag == tag => Ok(element.content),
            _ => Err(BadDer("an element of another type stands where one is needed")),
        }
    }

    /// The content of the next element if it has this tag; otherwise nothing is taken.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, BadDer> {
        if self.rest.first() == Some(&tag) { self.expect(tag).map(Some) } else { Ok(None) }
    }

    /// Lets `read` take all of the next element's content.
    pub(crate) fn nested<T, E: From<BadDer>>(
        &mut self,
        tag: u8,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, E>,
    ) -> Result<T, E> {
        read_all(self.expect(tag)?, read)
    }

    /// An INTEGER from 0 to 127: versions and their like.
    pub(crate) fn small(&mut self) -> Result<u8, BadDer> {
        match self.expect(INTEGER)? {
            [number @ 0..=0x7f] => Ok(*number),
            _ => Err(BadDer("a number is too large")),
        }
    }

    /// The content of a BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], BadDer> {
        match self.expect(BIT_STRING)?.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(BadDer("a bit string is not of whole bytes")),
        }
    }
}

const MISSING: BadDer = BadDer("an element is missing");
const TRUNCATED: BadDer = BadDer("an element ends early");

/// A minimal definite length, and what follows it.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), BadDer> {
    const NOT_MINIMAL: BadDer = BadDer("a length is not DER");
    let (first, rest) = bytes.split_first().ok_or(TRUNCATED)?;
    let count = match *first {
        short @ 0..=0x7f => return Ok((usize::from(short), rest)),
        long @ 0x81..=0x84 => usize::from(long & 0x7f),
        _ => return Err(NOT_MINIMAL),
    };
    let (octets, rest) = rest.split_at_checked(count).ok_or(TRUNCATED)?;
    if octets.first() == Some(&0) {
        return Err(NOT_MINIMAL);
    }
    let value = octets
        .iter()
        .try_fold(0_usize, |value, octet| Some(value.checked_mul(256)? | usize::from(*octet)))
        .ok_or(NOT_MINIMAL)?;
    if value < 0x80 { Err(NOT_MINIMAL) } else { Ok((value, rest)) }
}

/// Appends tag and minimal length.
pub(crate) fn push_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            let used = octets.get(zeros..).unwrap_or_default();
            // At most 8 octets: the sum stays under 0x89.
            out.push(u8::try_from(used.len()).unwrap_or_default() | 0x80);
            out.extend_from_slice(used);
        }
    }
}

/// SET OF in DER: the encodings ascend (X.690, 11.6). No two encodings are one the other's beginning, because each
/// carries its length, so plain order is the order that X.690 means.
pub(crate) fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort_unstable();
    wrap(SET, &elements.concat())
}

/// One element around `content`.
pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    push_header(&mut out, tag, content.len());
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Element<'_>, BadDer> {
        read_all(bytes, Reader::element)
    }

    #[test]
    fn an_element_is_read_whole() {
        let bytes = [&[0x30, 0x81, 0x80][..], &[9; 128]].concat();
        let element = all(&bytes).unwrap();
        assert_eq!((element.tag, element.content, element.whole), (SEQUENCE, &[9; 128][..], &bytes[..]));
        assert_eq!(wrap(SEQUENCE, element.content), bytes);
    }

    #[test]
    fn only_der_is_read() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x00, 0x00],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x81, 0x00],
            &[0x30, 0x81],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x85, 1, 0, 0, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x01, 0x00],
        ] {
            assert!(all(bytes).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn lengths_are_written_minimal() {
        for (length, header) in [
            (0, &[4, 0][..]),
            (0x7f, &[4, 0x7f]),
            (0x80, &[4, 0x81, 0x80]),
            (0xff, &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0x10000, &[4, 0x83, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            push_header(&mut out, OCTET_STRING, length);
            assert_eq!(out, header);
        }
    }

    #[test]
    fn a_set_is_sorted() {
        assert_eq!(
            set_of(vec![vec![4, 1, 9], vec![2, 1, 0], vec![4, 1, 1]]),
            [0x31, 9, 2, 1, 0, 4, 1, 1, 4, 1, 9]
        );
    }
}
