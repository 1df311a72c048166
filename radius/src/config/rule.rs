//! The `[[rule]]` tables, as written.

use mobileid::config::{
    Located,
    reader::{Section, Source},
};

use super::{
    client::{checked, realm},
    file::Known,
    values::{self, bare, choice},
};
use crate::rules::{Condition, Pattern, Rule, Rules, Station, Then};

/// All rules.
pub(super) fn read_all(tables: Vec<Section<'_>>, clients: &Known<'_>, source: &mut Source<'_>) -> Rules {
    let rules = tables.into_iter().filter_map(|section| read(section, clients, source));
    Rules::new(rules.collect())
}

fn read(mut section: Section<'_>, clients: &Known<'_>, source: &mut Source<'_>) -> Option<Rule> {
    let line = section.line();
    let name = section.text("name", source).and_then(|text| checked(text, values::name, source));
    let known = |text: &str| clients.check(text, "client").map(|()| text.to_owned());
    let conditions = [
        condition(&mut section, "client", known, Condition::Client, source),
        condition(&mut section, "nas_identifier", pattern, Condition::NasIdentifier, source),
        condition(&mut section, "nas_ip", values::network, Condition::NasIp, source),
        condition(&mut section, "calling_station", station, Condition::CallingStation, source),
        condition(&mut section, "called_station", station, Condition::CalledStation, source),
        condition(&mut section, "user", pattern, Condition::User, source),
        condition(&mut section, "realm", one_realm, Condition::Realm, source),
    ];
    let conditions: Vec<_> = conditions.into_iter().flatten().collect();
    let absent = !section.has("then");
    let thens = &[("phone", Then::Phone), ("reject", Then::Reject), ("accept", Then::Accept)];
    let then = choice(&mut section, "then", thens, source);
    if absent {
        let what = "is missing: \"phone\", \"reject\" or \"accept\"";
        source.mistake(line, &section.key("then"), what);
    }
    if conditions.is_empty() && matches!(then, Some(Located { value: Then::Accept, .. })) {
        let what = "is \"accept\" without any condition: everybody would be let in without a phone";
        source.mistake(line, &section.key("then"), what);
    }
    section.finish(source);
    Some(Rule { name, line, conditions, then: then?.value })
}

fn condition<T, E: std::fmt::Display>(
    section: &mut Section<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
    condition: impl Fn(Vec<T>) -> Condition,
    source: &mut Source<'_>,
) -> Option<Condition> {
    values::list(section, name, read, source).map(bare).map(condition)
}

fn pattern(text: &str) -> Result<Pattern, &'static str> {
    values::value(text).map(|text| Pattern::new(&text))
}

fn one_realm(text: &str) -> Result<String, &'static str> {
    realm(text).and_then(|realm| if realm == "*" { Err("must name the realms") } else { Ok(realm) })
}

/// An address or a network where it can be one; what only looks like one is a mistake.
fn station(text: &str) -> Result<Station, String> {
    let of_v4 = |c: char| c.is_ascii_digit() || matches!(c, '.' | '/');
    let of_v6 = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '/');
    let means_address = text.parse::<ipnet::IpNet>().is_ok()
        || text.parse::<std::net::IpAddr>().is_ok()
        || (text.contains('.') && text.chars().all(of_v4))
        // Without the prefix it may be a hardware address.
        || (text.contains(':') && text.contains('/') && text.chars().all(of_v6));
    if means_address {
        return values::network(text).map(Station::Network);
    }
    Ok(Station::Pattern(pattern(text)?))
}
