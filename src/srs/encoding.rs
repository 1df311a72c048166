//! Percent-encoding (RFC 3986, section 2), for paths, queries and forms alike: everything but the unreserved
//! characters, so that no text can mean anything to a path or a query.

use std::fmt::Write as _;

/// One segment of a path, or one name or value of a query.
pub(super) fn component(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Names and values, joined as a query or a form has them.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&component(name));
        out.push('=');
        out.push_str(&component(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_unreserved_characters_stays_as_it_is() {
        for (text, encoded) in [
            ("", ""),
            ("AZaz09-._~", "AZaz09-._~"),
            ("VIDEO IDENTITY.TM", "VIDEO%20IDENTITY.TM"),
            ("a/b?c#d&e=f+g%", "a%2Fb%3Fc%23d%26e%3Df%2Bg%25"),
            ("Zoë\r\n", "Zo%C3%AB%0D%0A"),
        ] {
            assert_eq!(component(text), encoded);
        }
        assert_eq!(pairs([("loa", "4"), ("issuer", "A&B")]), "loa=4&issuer=A%26B");
        assert_eq!(pairs([]), "");
    }
}
