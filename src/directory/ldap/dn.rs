//! One spelling for each name of an entry.
//!
//! ```text
//!   UID=a\2Cb, OU=People        ─┐
//!   uid=a\,b,ou=people          ─┴──> uid=a\,b,ou=people
//! ```
//!
//! A server sends the spelling that somebody has entered, or its own; two servers of one directory need not agree. What is
//! remembered of a person is remembered under this name: were each spelling a name of its own, whoever took a number over
//! would begin anew at another server. Two names that are told apart by nothing but case are one here, as they are to nearly
//! every server; where they are two people, the second one is denied and not let in.

use std::fmt::Write as _;

use crate::text;

/// The name in lower case, with one way to escape and no blanks beside its separators.
pub(crate) fn canonical(dn: &str) -> String {
    let mut name = String::with_capacity(dn.len());
    let mut part = Part::default();
    let mut is_value = false;
    let mut octets = dn.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b',' | b';' | b'+' => {
                part.end(&mut name);
                name.push(if octet == b'+' { '+' } else { ',' });
                is_value = false;
            }
            b'=' if !is_value => {
                part.end(&mut name);
                name.push('=');
                is_value = true;
            }
            b'\\' => part.literal(escaped(&mut octets)),
            b' ' => part.blank(),
            other => part.literal(other),
        }
    }
    part.end(&mut name);
    name
}

/// What stands behind a backslash: two hexadecimal digits, or the octet itself.
fn escaped(octets: &mut std::str::Bytes<'_>) -> u8 {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut ahead = octets.clone();
    if let (Some(high), Some(low)) = (ahead.next().and_then(digit), ahead.next().and_then(digit)) {
        *octets = ahead;
        return high << 4 | low;
    }
    octets.next().unwrap_or(b'\\')
}

/// An attribute's name or value, as the octets that it stands for.
#[derive(Default)]
struct Part {
    octets: Vec<u8>,
    /// Without the blanks that may be those before a separator.
    length: usize,
}

impl Part {
    fn literal(&mut self, octet: u8) {
        self.octets.push(octet);
        self.length = self.octets.len();
    }

    fn blank(&mut self) {
        if !self.octets.is_empty() {
            self.octets.push(b' ');
        }
    }

    fn end(&mut self, name: &mut String) {
        let mut octets = std::mem::take(self).octets_of_it();
        let last = octets.pop_if(|last| *last == b' ');
        match String::from_utf8(octets) {
            Ok(part) => {
                let part = part.to_lowercase();
                let blank = part.starts_with(' ').then_some('\\');
                name.extend(blank);
                part.chars().for_each(|c| put(c, name));
            }
            Err(no_text) => no_text.as_bytes().iter().for_each(|octet| hexadecimal(*octet, name)),
        }
        name.push_str(last.map_or("", |_| "\\ "));
    }

    fn octets_of_it(mut self) -> Vec<u8> {
        self.octets.truncate(self.length);
        self.octets
    }
}

fn put(c: char, name: &mut String) {
    if text::is_unprintable(c) {
        c.encode_utf8(&mut [0; 4]).bytes().for_each(|octet| hexadecimal(octet, name));
        return;
    }
    if matches!(c, ',' | ';' | '+' | '\\') {
        name.push('\\');
    }
    name.push(c);
}

fn hexadecimal(octet: u8, name: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(name, "\\{octet:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_spelling() {
        for (dn, expected) in [
            ("uid=alice,ou=people,dc=acme", "uid=alice,ou=people,dc=acme"),
            ("UID=Alice, OU = People ;dc=acme ", "uid=alice,ou=people,dc=acme"),
            (r"uid=a\2cb,ou=x", r"uid=a\,b,ou=x"),
            (r"uid=a\2Cb,ou=x", r"uid=a\,b,ou=x"),
            (r"uid=a\,b,ou=x", r"uid=a\,b,ou=x"),
            (r"uid=\61lice,ou=x", "uid=alice,ou=x"),
            (r"cn=\C3\89va,ou=x", "cn=éva,ou=x"),
            ("cn=Éva,ou=x", "cn=éva,ou=x"),
            (r"cn=Muster\, Erika+uid=e, ou=x", r"cn=muster\, erika+uid=e,ou=x"),
            ("cn=a=b,ou=x", "cn=a=b,ou=x"),
            (r"cn=a\3Db,ou=x", "cn=a=b,ou=x"),
            (r"cn=\20a\20,ou=x", r"cn=\ a\ ,ou=x"),
            (r"cn=\ a\ ,ou=x", r"cn=\ a\ ,ou=x"),
            (r"cn=a\0Ab,ou=x", r"cn=a\0ab,ou=x"),
            (r"cn=a\\2cb,ou=x", r"cn=a\\2cb,ou=x"),
            (r"cn=\ff\00,ou=x", r"cn=\ff\00,ou=x"),
            (r"cn=a\", r"cn=a\\"),
            ("", ""),
        ] {
            assert_eq!(canonical(dn), expected, "{dn}");
            assert_eq!(canonical(expected), expected, "of the one spelling");
        }
    }

    #[test]
    fn two_names_stay_two() {
        for (one, other) in [
            (r"uid=a\,b,ou=x", "uid=a,b=c,ou=x"),
            (r"uid=a\,ou=b,ou=x", "uid=a,ou=b,ou=x"),
            (r"uid=a\\,ou=x", r"uid=a\,ou=x"),
            (r"uid=a\2bcn=b,ou=x", "uid=a+cn=b,ou=x"),
            (r"uid=a\20,ou=x", "uid=a,ou=x"),
            ("uid=a b,ou=x", "uid=ab,ou=x"),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one} {other}");
        }
    }
}
