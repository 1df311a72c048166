//! A crowd of generated subscribers, for a load test: as many people as it takes, with phones that all take the
//! same time.
//!
//! ```text
//! +41791000000  user0    sim  ec  approve, after the crowd's delay
//! +41791000001  user1    ...
//! ```
//!
//! The crowd shares one key and one certificate, and so one serial number: twenty thousand of each would take
//! half a minute and forty thousand files, and a client does the same work for the thousandth signature as for
//! the first. It leaves less behind than a person does: its status queries are not written into the journal, and
//! its transactions are forgotten after a minute.

use std::time::Duration;

use crate::keys::KeyKind;
use crate::subscribers::Subscriber;

/// The first number; the others follow it.
const FIRST: u64 = 41_791_000_000;
/// The numbers that there are from the first on: what stays within +41 79 1.
const SIZE_MAX: u32 = 1_000_000;

/// A crowd, by what its people have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Population {
    /// How many they are, at most a million.
    pub size: u32,
    /// How long each takes to confirm.
    pub after: Duration,
    /// What they sign with.
    pub key: KeyKind,
}

impl Population {
    /// This many who confirm at once with a P-256 key; change what should be different.
    pub fn new(size: u32) -> Population {
        Population { size, after: Duration::ZERO, key: KeyKind::Ec }
    }

    /// The number of one of them, without a plus sign.
    pub fn msisdn(index: u32) -> String {
        (FIRST + u64::from(index)).to_string()
    }

    /// The user name of one of them.
    pub fn user(index: u32) -> String {
        format!("user{index}")
    }

    pub(crate) fn subscribers(self) -> impl Iterator<Item = Subscriber> {
        let one = Subscriber::plain("41791000000".to_owned());
        (0..self.size.min(SIZE_MAX)).map(move |index| Subscriber {
            msisdn: Self::msisdn(index),
            user: Some(Self::user(index)),
            key: self.key,
            after: self.after,
            // Everybody has the first one's serial number, and so his certificate.
            ..one.clone()
        })
    }

    /// Is this number one of the crowd's?
    pub(crate) fn has(self, msisdn: &str) -> bool {
        let index = msisdn.parse::<u64>().ok().and_then(|number| number.checked_sub(FIRST));
        index.is_some_and(|index| index < u64::from(self.size.min(SIZE_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crowd_is_numbered_from_the_first_and_ends_where_it_ends() {
        let crowd = Population { after: Duration::from_secs(5), ..Population::new(3) };
        let people = crowd.subscribers().collect::<Vec<_>>();
        let numbers = people.iter().map(|person| person.msisdn.as_str()).collect::<Vec<_>>();
        assert_eq!(numbers, ["41791000000", "41791000001", "41791000002"]);
        assert_eq!(people[2].user.as_deref(), Some("user2"));
        assert!(people.iter().all(|person| person.serial == people[0].serial));
        assert!(crowd.has("41791000002") && !crowd.has("41791000003") && !crowd.has("41790000001"));
        assert!(!crowd.has("alice"));
    }
}
