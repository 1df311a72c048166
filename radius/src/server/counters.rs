//! What became of each packet: a closed list, counted by client.

use std::{collections::BTreeMap, sync::Arc};

use crate::packet::Malformed;

/// What became of a packet that came, or why one was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// Answered with an Access-Accept.
    Accepted,
    /// Answered with an Access-Reject.
    Rejected,
    /// Answered with an Access-Challenge.
    Challenged,
    /// A Status-Server, answered.
    Status,
    /// An Accounting-Request, acknowledged.
    Accounted,
    /// The same octets as a request that waits: silence.
    Duplicate,
    /// The same octets as a request that was answered: the same answer.
    Repeated,
    /// Another packet of a login that waits.
    Joined,
    /// A request that waited, until its identifier was used again.
    Superseded,
    /// Not a whole packet.
    Malformed(Malformed),
    /// From nobody who is configured.
    UnknownClient,
    /// Of a kind that is not asked here.
    UnexpectedCode,
    /// Without a Message-Authenticator, which it needed.
    Unsigned,
    /// With a Message-Authenticator or an accounting authenticator that is wrong.
    Forged,
    /// With Proxy-State and without a Message-Authenticator: the shape of an attack (CVE-2024-3596).
    UnsignedProxyState,
    /// With the authenticator of another packet that waits or was answered.
    Altered,
    /// From a client that has filled its table of packets.
    Crowded,
    /// Beyond a limit, where the configuration wants silence for that.
    Overload,
    /// A new login while the service ends.
    Draining,
    /// Unjudged, because the first factor's servers are silent, where the configuration wants silence for that.
    Unjudged,
}

impl Fate {
    /// Every fate.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Accepted,
        Self::Rejected,
        Self::Challenged,
        Self::Status,
        Self::Accounted,
        Self::Duplicate,
        Self::Repeated,
        Self::Joined,
        Self::Superseded,
        Self::UnknownClient,
        Self::UnexpectedCode,
        Self::Unsigned,
        Self::Forged,
        Self::UnsignedProxyState,
        Self::Altered,
        Self::Crowded,
        Self::Overload,
        Self::Draining,
        Self::Unjudged,
        Self::Malformed(Malformed::Short),
        Self::Malformed(Malformed::LengthBelowHeader),
        Self::Malformed(Malformed::LengthAboveMaximum),
        Self::Malformed(Malformed::Truncated),
        Self::Malformed(Malformed::AttributeLength),
        Self::Malformed(Malformed::AttributeTruncated),
    ];
    /// How many there are.
    pub const COUNT: usize = 25;

    /// The stable name in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Challenged => "challenged",
            Self::Status => "status-server",
            Self::Accounted => "accounted",
            Self::Duplicate => "duplicate",
            Self::Repeated => "repeated",
            Self::Joined => "joined",
            Self::Superseded => "superseded",
            Self::Malformed(malformed) => malformed.name(),
            Self::UnknownClient => "unknown-client",
            Self::UnexpectedCode => "unexpected-code",
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::UnsignedProxyState => "unsigned-proxy-state",
            Self::Altered => "altered",
            Self::Crowded => "crowded",
            Self::Overload => "overload",
            Self::Draining => "draining",
            Self::Unjudged => "unjudged",
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Accepted => 0,
            Self::Rejected => 1,
            Self::Challenged => 2,
            Self::Status => 3,
            Self::Accounted => 4,
            Self::Duplicate => 5,
            Self::Repeated => 6,
            Self::Joined => 7,
            Self::Superseded => 8,
            Self::UnknownClient => 9,
            Self::UnexpectedCode => 10,
            Self::Unsigned => 11,
            Self::Forged => 12,
            Self::UnsignedProxyState => 13,
            Self::Altered => 14,
            Self::Crowded => 15,
            Self::Overload => 16,
            Self::Draining => 17,
            Self::Unjudged => 18,
            Self::Malformed(malformed) => match malformed {
                Malformed::Short => 19,
                Malformed::LengthBelowHeader => 20,
                Malformed::LengthAboveMaximum => 21,
                Malformed::Truncated => 22,
                Malformed::AttributeLength => 23,
                Malformed::AttributeTruncated => 24,
            },
        }
    }
}

/// Packets by fate.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fates([u64; Fate::COUNT]);

impl Fates {
    /// How many had this fate.
    #[must_use]
    pub fn of(&self, fate: Fate) -> u64 {
        self.0.get(fate.index()).copied().unwrap_or_default()
    }

    /// Each fate with its number.
    pub fn iter(&self) -> impl Iterator<Item = (Fate, u64)> + '_ {
        Fate::ALL.into_iter().map(|fate| (fate, self.of(fate)))
    }

    fn add(&mut self, fate: Fate) {
        if let Some(count) = self.0.get_mut(fate.index()) {
            *count = count.wrapping_add(1);
        }
    }
}

/// What the metrics show of the responder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets by the client's name and fate. A client stays when a reload takes it away.
    pub clients: BTreeMap<Arc<str>, Fates>,
    /// Packets from nobody who is configured.
    pub unknown: Fates,
    /// Logins that began here: each is one push at most.
    pub logins: u64,
    /// Logins that another node began.
    pub resumed: u64,
}

impl Counters {
    /// What was counted since an earlier look, in words: whose packets, and their fates. For who looks for a mistake.
    #[must_use]
    pub fn since(&self, before: &Self) -> Option<String> {
        let new = |now: &Fates, then: Option<&Fates>| {
            let grown = now.iter().filter(|(fate, count)| then.map_or(0, |t| t.of(*fate)) < *count);
            grown.map(|(fate, _)| fate.name()).collect::<Vec<_>>().join(", ")
        };
        let known = self.clients.iter().map(|(name, fates)| (&**name, new(fates, before.clients.get(name))));
        let unknown = ("nobody", new(&self.unknown, Some(&before.unknown)));
        let told: Vec<String> = known
            .chain([unknown])
            .filter(|(_, fates)| !fates.is_empty())
            .map(|(client, fates)| format!("{fates} (client {client})"))
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    pub(super) fn add(&mut self, client: Option<&Arc<str>>, fate: Fate) {
        match client {
            None => self.unknown.add(fate),
            Some(name) => match self.clients.get_mut(name) {
                Some(fates) => fates.add(fate),
                None => self.clients.entry(Arc::clone(name)).or_default().add(fate),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_has_its_own_place_and_name() {
        for (place, fate) in Fate::ALL.into_iter().enumerate() {
            assert_eq!(fate.index(), place, "{fate:?}");
        }
        let names: std::collections::BTreeSet<_> = Fate::ALL.iter().map(|fate| fate.name()).collect();
        assert_eq!(names.len(), Fate::COUNT);
    }

    #[test]
    fn the_guide_says_what_becomes_of_a_packet() {
        let guide = include_str!("../../../docs/troubleshooting.md");
        let (_, section) = guide.split_once("\n## What becomes of a packet").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let told: Vec<&str> = rows.map(|(name, _)| name).collect();
        assert_eq!(told, Fate::ALL.map(Fate::name));
    }
}
