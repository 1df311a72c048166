//! Who is not asked on the phone: the `[[rule]]` tables. The first one that fits decides.
//!
//! ```text
//!  facts of a request ──> rule 1 ─ no ─> rule 2 ─ yes ─> accept | reject | phone
//!                                 ─ no ─> ...    none ─────────────────> phone
//! ```
//!
//! A rule fits when each of its conditions holds, and a condition holds when one of its values does. A condition on
//! something that the request does not carry does not hold: leaving an attribute out opens no door that a rule closes
//! only by it, so close doors by what is always there (client, user) and open them by what is shown.
//!
//! `accept` spares the phone, never the first factor.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use mobileid::config::values::canonical;

/// The rules, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules(Vec<Rule>);

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its line in the file.
    pub line: usize,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// What happens then.
    pub then: Then,
}

/// What a rule decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Then {
    /// The phone is asked.
    #[default]
    Phone,
    /// The login is refused.
    Reject,
    /// The login is let in without a phone, and recorded as exempt.
    Accept,
}

/// One key of a rule: it holds when one of the values does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// The client's name, exactly.
    Client(Vec<String>),
    /// NAS-Identifier.
    NasIdentifier(Vec<Pattern>),
    /// NAS-IP-Address or NAS-IPv6-Address.
    NasIp(Vec<IpNet>),
    /// Calling-Station-Id.
    CallingStation(Vec<Station>),
    /// Called-Station-Id.
    CalledStation(Vec<Station>),
    /// The user, as looked up.
    User(Vec<Pattern>),
    /// The realm, without regard to case.
    Realm(Vec<String>),
}

/// What is known of a request when the rules are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts<'a> {
    /// The client's name.
    pub client: &'a str,
    /// NAS-Identifier.
    pub nas_identifier: Option<&'a str>,
    /// NAS-IP-Address or NAS-IPv6-Address.
    pub nas_ip: Option<IpAddr>,
    /// Calling-Station-Id.
    pub calling_station: Option<&'a str>,
    /// Called-Station-Id.
    pub called_station: Option<&'a str>,
    /// The user, as looked up.
    pub user: &'a str,
    /// The realm.
    pub realm: Option<&'a str>,
}

/// What the rules say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision<'a> {
    /// What happens.
    pub then: Then,
    /// By which rule; none where none fitted.
    pub by: Option<&'a Rule>,
}

impl Rules {
    /// The rules of a file, in its order.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// What becomes of a request.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision<'_> {
        let by = self.0.iter().find(|rule| rule.fits(facts));
        Decision { then: by.map_or_else(Then::default, |rule| rule.then), by }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }
}

impl Rule {
    fn fits(&self, facts: &Facts<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(facts))
    }
}

/// For the detail of an audit line: `rule "probes" (line 41)`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "rule \"{name}\" (line {})", self.line),
            None => write!(f, "rule of line {}", self.line),
        }
    }
}

impl Condition {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Client(names) => names.iter().any(|name| name == facts.client),
            Self::NasIdentifier(patterns) => any(facts.nas_identifier, patterns, Pattern::fits),
            Self::NasIp(networks) => facts.nas_ip.is_some_and(|ip| holds_address(networks, ip)),
            Self::CallingStation(stations) => any(facts.calling_station, stations, Station::fits),
            Self::CalledStation(stations) => any(facts.called_station, stations, Station::fits),
            Self::User(patterns) => patterns.iter().any(|pattern| pattern.fits(facts.user)),
            Self::Realm(realms) => any(facts.realm, realms, |known, realm| known.eq_ignore_ascii_case(realm)),
        }
    }
}

fn any<T>(fact: Option<&str>, values: &[T], fits: impl Fn(&T, &str) -> bool) -> bool {
    fact.is_some_and(|fact| values.iter().any(|value| fits(value, fact)))
}

fn holds_address(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| canonical(*network).contains(&address))
}

/// A text with `*` for any number of characters, also none. Everything else is itself, exactly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern from its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether a text fits. No value is tried twice: a pattern cannot be made slow.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut left) = text.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
            // The first place where a piece fits leaves the most for the others.
            let Some((_, after)) = left.split_once(piece) else { return false };
            left = after;
        }
        left.ends_with(last)
    }
}

/// What a Calling-Station-Id or Called-Station-Id is held against: an address or network where it is one, else a
/// pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Station {
    /// The station is an address in this network.
    Network(IpNet),
    /// The station is a text like this.
    Pattern(Pattern),
}

impl Station {
    fn fits(&self, station: &str) -> bool {
        match self {
            Self::Network(network) => {
                station.parse().is_ok_and(|address| holds_address(std::slice::from_ref(network), address))
            }
            Self::Pattern(pattern) => pattern.fits(station),
        }
    }
}

#[cfg(test)]
mod tests;
