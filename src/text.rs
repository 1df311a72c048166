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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_reaches_a_terminal_raw() {
        assert_eq!(escaped("plain ä text", 99), "plain ä text");
        assert_eq!(escaped("a\n\u{1b}[31mb", 99), "a\\u{a}\\u{1b}[31mb");
        assert_eq!(escaped("a\u{202e}b\\", 99), "a\\u{202e}b\\\\");
        assert_eq!(escaped("abcdef", 3), "abc...");
    }
}
