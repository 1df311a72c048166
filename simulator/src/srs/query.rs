//! The filters of guide 5.1, and the encoding that they come in.

use super::catalogue::Method;
use super::registry::Jurisdiction;

/// Names and values of a query or a form, decoded. None where it is not well encoded.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
        })
        .collect()
}

/// Percent-decoding; None where two hexadecimal digits are missing, or what comes out is no text.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// What a list is to be restricted to; each may be given several times, or several in one with commas between.
#[derive(Default)]
pub(super) struct Filter {
    issuers: Vec<String>,
    jurisdictions: Vec<Jurisdiction>,
    level: Option<u8>,
    kind: Option<String>,
    offline: Option<bool>,
    webflow: Option<bool>,
    real_time: Option<bool>,
}

impl Filter {
    pub(super) fn read(query: &str) -> Result<Filter, String> {
        let mut filter = Filter::default();
        for (name, value) in pairs(query).ok_or("the query is not well encoded")? {
            let wrong = || format!("{name}: {value:?} is no value of this filter");
            let flag = || value.parse::<bool>().map(Some).map_err(|_| wrong());
            match name.as_str() {
                "issuer" => filter.issuers.extend(value.split(',').map(str::to_ascii_uppercase)),
                "jurisdiction" => {
                    for place in value.split(',') {
                        filter.jurisdictions.push(Jurisdiction::read(place).ok_or_else(wrong)?);
                    }
                }
                "loa" => filter.level = Some(level(&value).ok_or_else(wrong)?),
                "method" => filter.kind = Some(value.clone()).filter(|kind| !kind.is_empty()),
                "offline" => filter.offline = flag()?,
                "webflow" => filter.webflow = flag()?,
                "realtime" => filter.real_time = flag()?,
                _ => return Err(format!("{name}: there is no such filter")),
            }
        }
        Ok(filter)
    }

    pub(super) fn admits(&self, method: &Method) -> bool {
        let wanted =
            |place: Jurisdiction| self.jurisdictions.is_empty() || self.jurisdictions.contains(&place);
        // The level must be reached under a law that is asked for, not under just any.
        let reaches = |(place, level): &(Jurisdiction, u8)| {
            wanted(*place) && self.level.is_none_or(|asked| *level >= asked)
        };
        method.reaches.iter().any(reaches)
            && (self.issuers.is_empty() || self.issuers.iter().any(|issuer| issuer == method.issuer))
            && self.kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(method.kind))
            && self.offline.is_none_or(|flag| flag == method.offline)
            && self.webflow.is_none_or(|flag| flag == method.webflow)
            && self.real_time.is_none_or(|flag| flag == method.real_time)
    }
}

/// A level of assurance as the guide writes it: `4` or `LOA4`.
pub(super) fn level(text: &str) -> Option<u8> {
    match text.trim_start_matches("LOA") {
        "3" => Some(3),
        "4" => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_or_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1&b=%C3%BC+x&c").unwrap(), [pair("a", "1"), pair("b", "ü x"), pair("c", "")]);
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert!(pairs(bad).is_none(), "{bad}");
        }
    }
}
