//! From BER to definite lengths: the live service streams its messages (`30 80 ... 00 00`).
//!
//! ```text
//! 30 80                        30 0c
//!    24 80                        04 0a 'h' 'e' 'l' ...
//!       04 05 'h' 'e' ...   ->
//!       04 05 ...
//!    00 00
//! 00 00
//! ```
//!
//! Only lengths and chunked octet strings are rewritten; what had DER's lengths comes out byte for byte, so a
//! certificate keeps the bytes that its issuer signed. One pass over the input with a stack of at most
//! [`MAX_DEPTH`] open elements: no recursion, and no allocation by a length that the message claims.

use std::fmt;

use super::der;

/// Longest message, encoded. A real one has 7 KiB; its certificates are most of that.
pub(crate) const MAX_SIZE: usize = 1 << 20;

/// Most elements open at once. A CMS message with PSS-signed certificates needs 10.
const MAX_DEPTH: usize = 16;

const OCTET_STRING_IN_CHUNKS: u8 = der::OCTET_STRING | der::CONSTRUCTED;

/// The one element in `ber`, with definite and minimal lengths. Nothing may follow it.
pub(crate) fn to_definite(ber: &[u8]) -> Result<Vec<u8>, BadBer> {
    if ber.len() > MAX_SIZE {
        return Err(BadBer::TooLong);
    }
    let mut rewrite = Rewrite {
        input: ber,
        at: 0,
        out: Vec::with_capacity(ber.len()),
        open: Vec::with_capacity(MAX_DEPTH),
    };
    loop {
        rewrite.step()?;
        rewrite.close_full();
        if rewrite.open.is_empty() {
            break;
        }
    }
    if rewrite.at == ber.len() { Ok(rewrite.out) } else { Err(BadBer::Trailing) }
}

struct Rewrite<'a> {
    input: &'a [u8],
    /// First byte not yet read.
    at: usize,
    out: Vec<u8>,
    open: Vec<Open>,
}

/// A constructed element whose end was not reached yet.
struct Open {
    tag: u8,
    /// Where its content starts in the output.
    content: usize,
    /// Where its content ends in the input at the latest.
    limit: usize,
    /// Ends with an end-of-contents, not at `limit`.
    indefinite: bool,
}

enum Length {
    Definite(usize),
    Indefinite,
}

impl Rewrite<'_> {
    /// Reads one header, with its content where that is primitive.
    fn step(&mut self) -> Result<(), BadBer> {
        let limit = self.open.last().map_or(self.input.len(), |open| open.limit);
        let tag = self.byte(limit)?;
        if tag == 0 {
            return self.end_of_contents(limit);
        }
        if tag & der::NUMBER == der::NUMBER {
            return Err(BadBer::HighTag);
        }
        let length = self.length(limit)?;
        let in_chunks = self.open.last().is_some_and(|open| open.tag == OCTET_STRING_IN_CHUNKS);
        match (tag & der::CONSTRUCTED != 0, length) {
            (true, _) if in_chunks => Err(BadBer::Chunk),
            (true, length) => self.descend(tag, length, limit),
            (false, Length::Indefinite) => Err(BadBer::Length),
            (false, Length::Definite(length)) => self.copy(tag, length, limit, in_chunks),
        }
    }

    fn descend(&mut self, tag: u8, length: Length, limit: usize) -> Result<(), BadBer> {
        // Chunked strings of other types and the remaining constructed types have no place in a CMS message.
        let known = matches!(tag, der::SEQUENCE | der::SET | OCTET_STRING_IN_CHUNKS);
        if tag & der::CLASS == der::UNIVERSAL && !known {
            return Err(BadBer::Type);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(BadBer::TooDeep);
        }
        let (limit, indefinite) = match length {
            Length::Indefinite => (limit, true),
            Length::Definite(length) => (self.end(length, limit)?, false),
        };
        self.open.push(Open { tag, content: self.out.len(), limit, indefinite });
        Ok(())
    }

    fn copy(&mut self, tag: u8, length: usize, limit: usize, in_chunks: bool) -> Result<(), BadBer> {
        if in_chunks && tag != der::OCTET_STRING {
            return Err(BadBer::Chunk);
        }
        if matches!(tag | der::CONSTRUCTED, der::SEQUENCE | der::SET) {
            return Err(BadBer::Type);
        }
        let end = self.end(length, limit)?;
        let content = self.input.get(self.at..end).ok_or(BadBer::Truncated)?;
        if !in_chunks {
            der::push_header(&mut self.out, tag, length);
        }
        self.out.extend_from_slice(content);
        self.at = end;
        Ok(())
    }

    fn end_of_contents(&mut self, limit: usize) -> Result<(), BadBer> {
        if self.byte(limit)? != 0 {
            return Err(BadBer::EndOfContents);
        }
        match self.open.pop() {
            Some(open) if open.indefinite => {
                self.close(&open);
                Ok(())
            }
            _ => Err(BadBer::EndOfContents),
        }
    }

    /// Closes the elements of definite length whose content was read to the end.
    fn close_full(&mut self) {
        let at = self.at;
        while let Some(open) = self.open.pop_if(|open| !open.indefinite && open.limit == at) {
            self.close(&open);
        }
    }

    /// Puts the header before the content, whose length is known by now. An element moves only its own
    /// content, so all closings together move each byte at most `MAX_DEPTH` times.
    fn close(&mut self, open: &Open) {
        let tag = if open.tag == OCTET_STRING_IN_CHUNKS { der::OCTET_STRING } else { open.tag };
        let mut header = Vec::with_capacity(8);
        der::push_header(&mut header, tag, self.out.len().saturating_sub(open.content));
        self.out.splice(open.content..open.content, header);
    }

    fn byte(&mut self, limit: usize) -> Result<u8, BadBer> {
        if self.at >= limit {
            return Err(BadBer::Truncated);
        }
        let byte = *self.input.get(self.at).ok_or(BadBer::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn length(&mut self, limit: usize) -> Result<Length, BadBer> {
        match self.byte(limit)? {
            short @ 0..=0x7f => Ok(Length::Definite(usize::from(short))),
            0x80 => Ok(Length::Indefinite),
            long @ 0x81..=0x84 => {
                let mut length: usize = 0;
                for _ in 0x80..long {
                    length = length.checked_mul(256).ok_or(BadBer::Length)? | usize::from(self.byte(limit)?);
                }
                Ok(Length::Definite(length))
            }
            _ => Err(BadBer::Length),
        }
    }

    /// Where a content of `length` ends.
    fn end(&self, length: usize, limit: usize) -> Result<usize, BadBer> {
        self.at.checked_add(length).filter(|end| *end <= limit).ok_or(BadBer::Truncated)
    }
}

/// Why bytes are no BER that a CMS message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadBer {
    TooLong,
    TooDeep,
    Truncated,
    Trailing,
    HighTag,
    Type,
    Length,
    Chunk,
    EndOfContents,
}

impl fmt::Display for BadBer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the message is longer than 1 MiB",
            Self::TooDeep => "the message nests deeper than a CMS message does",
            Self::Truncated => "an element of the message ends before its length says",
            Self::Trailing => "bytes follow the end of the message",
            Self::HighTag => "the message has a tag number over 30",
            Self::Type => "the message has an element of a type that no CMS message has",
            Self::Length => "an element of the message has an impossible length",
            Self::Chunk => "an octet string of the message has a part that is no octet string",
            Self::EndOfContents => "the message has an end-of-contents where nothing ends",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definite(ber: &[u8]) -> Result<Vec<u8>, BadBer> {
        to_definite(ber)
    }

    #[test]
    fn der_comes_out_as_it_went_in() {
        let long = [&[0x30, 0x82, 0x01, 0x04, 0x04, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        for der in [&[0x30, 0x00][..], &[0x04, 0x01, 0xff], &[0x30, 0x04, 0x31, 0x02, 0x05, 0x00], &long] {
            assert_eq!(definite(der).as_deref(), Ok(der));
        }
    }

    #[test]
    fn indefinite_and_chunked_becomes_definite() {
        let stories: [(&[u8], &[u8]); 6] = [
            (&[0x30, 0x80, 0x00, 0x00], &[0x30, 0x00]),
            (
                &[0x30, 0x80, 0x31, 0x80, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00],
                &[0x30, 0x04, 0x31, 0x02, 0x05, 0x00],
            ),
            (
                &[0x24, 0x80, 0x04, 0x01, b'a', 0x04, 0x02, b'b', b'c', 0x00, 0x00],
                &[0x04, 0x03, b'a', b'b', b'c'],
            ),
            (&[0x24, 0x03, 0x04, 0x01, b'a'], &[0x04, 0x01, b'a']),
            (&[0xa0, 0x80, 0x24, 0x00, 0x00, 0x00], &[0xa0, 0x02, 0x04, 0x00]),
            (&[0x30, 0x84, 0, 0, 0, 0x03, 0x04, 0x81, 0x00], &[0x30, 0x02, 0x04, 0x00]),
        ];
        for (ber, der) in stories {
            assert_eq!(definite(ber).as_deref(), Ok(der), "{ber:02x?}");
        }
    }

    #[test]
    fn what_is_refused() {
        let deep = [[0x30, 0x80].repeat(1000), [0, 0].repeat(1000)].concat();
        let wide = [[0x30, 0x80].repeat(17), [0, 0].repeat(17)].concat();
        let big = vec![0; MAX_SIZE + 1];
        let stories: [(&[u8], BadBer); 22] = [
            (&[], BadBer::Truncated),
            (&[0x30], BadBer::Truncated),
            (&[0x30, 0x02, 0x05], BadBer::Truncated),
            (&[0x30, 0x80], BadBer::Truncated),
            (&[0x30, 0x80, 0x00], BadBer::Truncated),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], BadBer::Truncated),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], BadBer::Truncated),
            (&[0x30, 0x03, 0x04, 0x02, 0x00, 0x00], BadBer::Truncated), // a child longer than its parent
            (&[0x30, 0x02, 0x30, 0x80, 0x00, 0x00], BadBer::Truncated), // an end outside the parent
            (&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 0], BadBer::Length),
            (&[0x04, 0xff], BadBer::Length),
            (&[0x04, 0x80, 0x00, 0x00], BadBer::Length),
            (&[0x30, 0x00, 0x00], BadBer::Trailing),
            (&[0x30, 0x80, 0x00, 0x00, 0x00], BadBer::Trailing),
            (&[0x1f, 0x81, 0x00, 0x00], BadBer::HighTag),
            (&[0x23, 0x03, 0x03, 0x01, 0x00], BadBer::Type), // a bit string in parts
            (&[0x10, 0x00], BadBer::Type),
            (&[0x24, 0x80, 0x0c, 0x00, 0x00, 0x00], BadBer::Chunk),
            (&[0x24, 0x80, 0x24, 0x80, 0x00, 0x00, 0x00, 0x00], BadBer::Chunk),
            (&[0x30, 0x02, 0x00, 0x00], BadBer::EndOfContents),
            (&[0x30, 0x80, 0x00, 0x01], BadBer::EndOfContents),
            (&deep, BadBer::TooDeep),
        ];
        for (ber, why) in stories {
            assert_eq!(definite(ber), Err(why), "{ber:02x?}");
        }
        assert_eq!(definite(&wide), Err(BadBer::TooDeep));
        assert_eq!(definite(&big), Err(BadBer::TooLong));
        assert_eq!(definite(&[0x00, 0x00]), Err(BadBer::EndOfContents));
    }
}
