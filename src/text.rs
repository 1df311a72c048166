//! Foreign text on its way to a human: to a log line, a terminal or a phone.

use std::fmt::Write as _;

/// Characters that are not seen as themselves: controls, line and paragraph separators, and the invisible
/// formatting characters that reorder or hide text (bidirectional marks, zero-width characters, tags).
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` with every unprintable character and backslash written as an escape, cut after `max` characters.
#[must_use]
pub fn escaped(text: &str, max: usize) -> String {
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

/// `text` with the middle of every run of seven and more digits hidden: it may be somebody's phone number.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    const SHOWN: usize = 2;
    let mut out = String::with_capacity(text.len());
    for run in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = run.bytes().take_while(u8::is_ascii_digit).count();
        for (at, c) in run.chars().enumerate() {
            let hidden = digits >= 7 && (SHOWN..digits.saturating_sub(SHOWN)).contains(&at);
            out.push(if hidden { '*' } else { c });
        }
    }
    out
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
    }

    #[test]
    fn nothing_foreign_reaches_a_terminal_raw() {
        assert_eq!(escaped("plain ä text", 99), "plain ä text");
        assert_eq!(escaped("a\n\u{1b}[31mb", 99), "a\\u{a}\\u{1b}[31mb");
        assert_eq!(escaped("a\u{202e}b\\", 99), "a\\u{202e}b\\\\");
        assert_eq!(escaped("abcdef", 3), "abc...");
    }
}
