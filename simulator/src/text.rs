//! How long a text may be: it travels to the SIM as short messages, so the alphabet decides.

/// Characters a text may have when all of them are in the GSM alphabet.
const GSM_LIMIT: usize = 239;
/// Characters a text may have otherwise, since each then takes two bytes.
const UCS2_LIMIT: usize = 119;

/// GSM 03.38's basic alphabet without the digits and letters of ASCII.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Its extension table: each of these is sent as an escape and a character.
const GSM_EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// Does the text fit on a phone?
pub(crate) fn fits(text: &str) -> bool {
    match gsm_length(text) {
        Some(length) => length <= GSM_LIMIT,
        None => text.encode_utf16().count() <= UCS2_LIMIT,
    }
}

/// The length in the GSM alphabet, if every character is in it.
fn gsm_length(text: &str) -> Option<usize> {
    text.chars()
        .map(|character| match character {
            _ if character.is_ascii_alphanumeric() || GSM_BASIC.contains(character) => Some(1),
            _ if GSM_EXTENSION.contains(character) => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_decides_the_limit() {
        assert!(fits(&"a".repeat(239)) && !fits(&"a".repeat(240)));
        assert!(fits(&"€".repeat(119)) && !fits(&"€".repeat(120)));
        assert!(fits(&format!("{}€", "a".repeat(237))) && !fits(&format!("{}€", "a".repeat(238))));
        assert!(fits(&"ç".repeat(119)) && !fits(&format!("{}ç", "a".repeat(119))));
        assert!(fits(&"Ç".repeat(239)), "the capital cedilla is in the alphabet");
        assert!(!fits(&"😀".repeat(60)), "outside the basic plane a character takes two");
    }
}
