//! Foreign text on its way to a human: to a log line, a terminal or a phone.

use std::fmt::Write as _;

/// Characters that are not seen as themselves: controls, blanks other than the space, the invisible formatting
/// characters that reorder or hide text (bidirectional marks, zero-width characters, tags), and private use.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    // Nearly everything that comes; its blanks but the space are controls.
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control() || c.is_whitespace() || HIDDEN.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// Unicode's format characters (category Cf), default ignorables and blank letters; from U+E0000 on there are only
/// tags, variation selectors and private use.
const HIDDEN: [(char, char); 25] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{13455}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{10ffff}'),
];

/// `text` with every unprintable character and backslash written as an escape, cut after `max` characters.
#[must_use]
pub fn escaped(text: &str, max: usize) -> String {
    // Nearly everything that comes is short and plain.
    if text.len() <= max && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(max));
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push_str("...");
            break;
        }
        if c == '\\' {
            out.push_str("\\\\");
        } else if is_unprintable(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A text from the service for a log: escaped, cut, and without phone numbers.
#[must_use]
pub fn foreign(text: &str, max: usize) -> String {
    escaped(&without_numbers(text), max)
}

/// A name that the service gave to a transaction, for a log: whole, because it is what one asks the service about.
/// Escaped and cut; one with so many digits in a row that it may hold somebody's number is treated as [`foreign`].
#[must_use]
pub fn identifier(text: &str, max: usize) -> String {
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    if longest.is_some_and(|digits| digits >= NUMBER_MIN) { foreign(text, max) } else { escaped(text, max) }
}

/// With the country's code, and without anything between: no Swiss number is shorter than 11.
const NUMBER_MIN: usize = 10;

/// `text` with the middle of every run of seven and more digits hidden, blanks and dashes between them
/// allowed: it may be somebody's phone number.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || (!run.is_empty() && matches!(c, ' ' | '-')) {
            run.push(c);
        } else {
            hide_middle(&run, &mut out);
            run.clear();
            out.push(c);
        }
    }
    hide_middle(&run, &mut out);
    out
}

fn hide_middle(run: &str, out: &mut String) {
    const SHOWN: usize = 2;
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let hidden = if digits < 7 { 0..0 } else { SHOWN..digits.saturating_sub(SHOWN) };
    let mut at = 0usize;
    for c in run.chars() {
        out.push(if c.is_ascii_digit() && hidden.contains(&at) { '*' } else { c });
        at = at.saturating_add(usize::from(c.is_ascii_digit()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_foreign_text_are_hidden() {
        assert_eq!(without_numbers("No user with +41791234567 here"), "No user with +41*******67 here");
        assert_eq!(without_numbers("41791234567"), "41*******67");
        assert_eq!(without_numbers("fault 101, 123456"), "fault 101, 123456");
        assert_eq!(without_numbers("é1234567é7654321"), "é12***67é76***21");
        assert_eq!(without_numbers("0041-79-123 45 67, 12"), "00**-**-*** ** 67, 12");
    }

    #[test]
    fn the_name_of_a_transaction_is_whole_unless_it_is_a_number() {
        for name in ["H474f3712378", "h3742rs5", "H251234567a89", "", "12345678"] {
            assert_eq!(identifier(name, 100), name);
        }
        assert_eq!(identifier("H41791234567", 100), "H41*******67");
        assert_eq!(identifier("a\n\u{1b}", 100), "a\\u{a}\\u{1b}");
    }

    #[test]
    fn nothing_foreign_reaches_a_terminal_raw() {
        assert_eq!(escaped("plain ä text", 99), "plain ä text");
        assert_eq!(escaped("a\n\u{1b}[31mb", 99), "a\\u{a}\\u{1b}[31mb");
        assert_eq!(escaped("a\u{202e}b\\", 99), "a\\u{202e}b\\\\");
        assert_eq!(escaped("abcdef", 3), "abc...");
        assert_eq!(escaped("a~\\", 3), "a~\\\\");
        assert_eq!(escaped("a~ ", 3), "a~ ");
        assert_eq!(escaped("a\u{7f}", 3), "a\\u{7f}");
        for hidden in
            "\u{34f}\u{2800}\u{a0}\u{3000}\u{600}\u{1bca0}\u{e000}\u{f0000}\u{e0041}\u{2028}".chars()
        {
            assert!(is_unprintable(hidden), "{}", hidden.escape_unicode());
        }
    }
}
