//! Values that several files have: choices, lists, durations, networks.

use std::{fmt, net::IpAddr, time::Duration};

use ipnet::IpNet;

use super::reader::{Located, Section, Source};

/// One of several words.
pub fn choice<T: Copy>(
    section: &mut Section<'_>,
    name: &'static str,
    choices: &[(&'static str, T)],
    source: &mut Source<'_>,
) -> Option<Located<T>> {
    let Located { value: word, line, key } = section.text(name, source)?;
    let found = choices.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<_> = choices.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        source.mistake(line, &key, format_args!("must be {}", known.join(" or ")));
    }
    found.map(|value| Located { value, line, key })
}

/// Each text of a list made into a value; none where the key is absent.
pub fn each<T, E: fmt::Display>(
    section: &mut Section<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
    source: &mut Source<'_>,
) -> Vec<Located<T>> {
    let mut values = Vec::new();
    for Located { value: text, line, key } in section.list(name, source) {
        match read(&text) {
            Ok(value) => values.push(Located { value, line, key }),
            Err(what) => source.mistake(line, &key, what),
        }
    }
    values
}

/// A list of conditions, each of its texts made into a value; none where the key is absent. An empty list is a mistake,
/// which `empty` puts into words: whoever empties a list of conditions does not mean that there is no condition.
pub fn conditions<T, E: fmt::Display>(
    section: &mut Section<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
    empty: &str,
    source: &mut Source<'_>,
) -> Option<Vec<Located<T>>> {
    let (there, line) = (section.has(name), section.line_of(name, source));
    let before = source.mistakes.0.len();
    let values = each(section, name, read, source);
    if there && values.is_empty() && source.mistakes.0.len() == before {
        source.mistake(line, &section.key(name), empty);
    }
    there.then_some(values)
}

/// The values alone.
#[must_use]
pub fn bare<T>(located: Vec<Located<T>>) -> Vec<T> {
    located.into_iter().map(|l| l.value).collect()
}

/// A whole number of seconds, minutes or hours, like `90s`, `15m` or `12h`.
///
/// # Errors
/// The rule, where the text does not follow it.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    let rule = "must be a whole number of seconds, minutes or hours, like \"90s\", \"15m\" or \"12h\"";
    let digits = text.trim_end_matches(['s', 'm', 'h']);
    let unit = match text.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 60 * 60,
        _ => return Err(rule),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(rule);
    }
    let count: u64 = digits.parse().map_err(|_| rule)?;
    count.checked_mul(unit).map(Duration::from_secs).ok_or(rule)
}

/// An address, or a network without bits behind its prefix.
///
/// # Errors
/// What is wrong with it.
pub fn network(text: &str) -> Result<IpNet, String> {
    let rule = "must be an address or a network, like 192.0.2.1, 10.1.0.0/16 or 2001:db8::/32";
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| rule.to_owned())?,
    };
    if network.addr() != network.network() {
        return Err(format!(
            "has bits behind its prefix: is {} meant, or {}?",
            network.trunc(),
            network.addr()
        ));
    }
    Ok(canonical(network))
}

/// A network of IPv4 addresses as such, also where it was written as IPv6: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
#[must_use]
pub fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let shorter = network.prefix_len().checked_sub(MAPPED);
    match (network.addr().to_canonical(), shorter) {
        (address @ IpAddr::V4(_), Some(length)) if network.addr().is_ipv6() => {
            IpNet::new(address, length).unwrap_or(network)
        }
        _ => network,
    }
}
