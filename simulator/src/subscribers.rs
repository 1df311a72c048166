//! Who has a Mobile ID: what a subscriber is, and the built-in ones.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;
use crate::certificates::subscriber_serial;
use crate::keys::KeyKind;

/// What shows the text and signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The SIM card's own application, with a PIN.
    Sim,
    /// The Mobile ID app.
    App,
}

/// Which methods a subscriber has activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Methods {
    /// The SIM only.
    Sim,
    /// The app only.
    App,
    /// Both; the service prefers the SIM.
    Both,
}

impl Methods {
    pub(crate) fn has(self, method: Method) -> bool {
        match self {
            Methods::Both => true,
            Methods::Sim => method == Method::Sim,
            Methods::App => method == Method::App,
        }
    }
}

/// One subscriber of the simulated service.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// The number in international form without the plus sign.
    pub msisdn: String,
    /// The user name for users.toml, if the subscriber is to appear there.
    pub user: Option<String>,
    /// What is activated.
    pub methods: Methods,
    /// The kind of signing key.
    pub key: KeyKind,
    /// What happens to requests.
    pub behaviour: Behaviour,
    /// How long the person takes where the behaviour acts by itself.
    pub after: Duration,
    /// The serial number in the certificate, `MIDCHE` and ten characters.
    pub serial: String,
}

impl Subscriber {
    /// A SIM subscriber with a P-256 key who confirms at once; change what should be different.
    ///
    /// # Errors
    /// The number is not one in international form.
    pub fn new(msisdn: &str) -> Result<Subscriber> {
        let Some(msisdn) = parse_msisdn(msisdn) else {
            bail!("{msisdn:?} is no number in international form")
        };
        Ok(Subscriber::plain(msisdn))
    }

    /// What [`Subscriber::new`] says, of a number that is one.
    pub(crate) fn plain(msisdn: String) -> Subscriber {
        Subscriber {
            serial: subscriber_serial(&msisdn),
            msisdn,
            user: None,
            methods: Methods::Sim,
            key: KeyKind::Ec,
            behaviour: Behaviour::Approve,
            after: Duration::ZERO,
        }
    }

    /// The serial number that [`Behaviour::OtherSerial`] signs with instead of the subscriber's own.
    pub fn other_serial(&self) -> String {
        subscriber_serial(&format!("{} re-activated", self.msisdn))
    }

    /// The serial number after the next activation without a recovery code: no earlier one, and the same in every run.
    pub(crate) fn next_serial(&self) -> String {
        subscriber_serial(&format!("{} after {}", self.msisdn, self.serial))
    }
}

/// A number as the service reads it: digits in international form, a leading plus sign allowed.
pub(crate) fn parse_msisdn(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plausible = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    plausible.then(|| digits.to_owned())
}

/// A line of the table of built-in subscribers.
pub(crate) struct BuiltIn {
    pub(crate) msisdn: &'static str,
    pub(crate) user: &'static str,
    pub(crate) methods: Methods,
    pub(crate) key: KeyKind,
    pub(crate) behaviour: Behaviour,
}

const fn line(
    msisdn: &'static str,
    user: &'static str,
    methods: Methods,
    key: KeyKind,
    behaviour: Behaviour,
) -> BuiltIn {
    BuiltIn { msisdn, user, methods, key, behaviour }
}

/// An adversary's line: a SIM subscriber with a P-256 key, whose user is called like the behaviour.
const fn adversary(msisdn: &'static str, behaviour: Behaviour) -> BuiltIn {
    line(msisdn, behaviour.name(), Methods::Sim, KeyKind::Ec, behaviour)
}

/// 00xx are people, 01xx sign what they should not, 02xx break the way back, 05xx answer with that status.
pub(crate) const BUILT_IN: &[BuiltIn] = &[
    line("+41790000001", "alice", Methods::Sim, KeyKind::Ec, Behaviour::Approve),
    line("+41790000002", "bob", Methods::Sim, KeyKind::Ec, Behaviour::Cancel),
    line("+41790000003", "carol", Methods::Sim, KeyKind::Ec, Behaviour::Interactive),
    line("+41790000004", "dave", Methods::Sim, KeyKind::Rsa, Behaviour::Approve),
    line("+41790000005", "erin", Methods::App, KeyKind::Ec, Behaviour::Approve),
    line("+41790000006", "frank", Methods::Sim, KeyKind::Ec, Behaviour::Timeout),
    line("+41790000007", "grace", Methods::Sim, KeyKind::Ec, Behaviour::Never),
    line("+41790000008", "heidi", Methods::App, KeyKind::Ec, Behaviour::Interactive),
    line("+41790000009", "ivan", Methods::Both, KeyKind::Ec, Behaviour::Approve),
    adversary("+41790000101", Behaviour::WrongText),
    adversary("+41790000102", Behaviour::WrongMsisdn),
    adversary("+41790000103", Behaviour::WrongTransId),
    adversary("+41790000104", Behaviour::OtherSerial),
    adversary("+41790000105", Behaviour::UntrustedChain),
    adversary("+41790000106", Behaviour::ExpiredSigner),
    adversary("+41790000107", Behaviour::BadSignature),
    adversary("+41790000108", Behaviour::NoSignature),
    adversary("+41790000109", Behaviour::TwoSigners),
    adversary("+41790000110", Behaviour::TrailingGarbage),
    adversary("+41790000201", Behaviour::BrokenJson),
    adversary("+41790000202", Behaviour::DeepJson),
    adversary("+41790000203", Behaviour::HugeBody),
    adversary("+41790000204", Behaviour::HalfBody),
    adversary("+41790000205", Behaviour::SlowDrip),
    adversary("+41790000206", Behaviour::TlsReset),
    adversary("+41790000207", Behaviour::Http503),
    adversary("+41790000501", Behaviour::Status501),
    adversary("+41790000502", Behaviour::Status502),
    adversary("+41790000503", Behaviour::Status503),
    adversary("+41790000504", Behaviour::Status504),
];

/// How long a built-in subscriber who acts by himself takes.
pub(crate) const BUILT_IN_DELAY: Duration = Duration::from_millis(100);

/// The built-in subscribers.
pub fn built_in() -> Vec<Subscriber> {
    let subscriber = |line: &BuiltIn| Subscriber {
        msisdn: line.msisdn.trim_start_matches('+').to_owned(),
        user: Some(line.user.to_owned()),
        methods: line.methods,
        key: line.key,
        behaviour: line.behaviour,
        after: BUILT_IN_DELAY,
        serial: subscriber_serial(line.msisdn.trim_start_matches('+')),
    };
    BUILT_IN.iter().map(subscriber).collect()
}

/// The built-in subscribers as a table for people: number, user, methods, key, behaviour.
pub fn list_built_in() -> String {
    let row = |line: &BuiltIn| {
        let methods = format!("{:?}", line.methods).to_lowercase();
        let key = format!("{:?}", line.key).to_lowercase();
        format!("{}  {:<16} {methods:<5} {key:<4} {}\n", line.msisdn, line.user, line.behaviour)
    };
    BUILT_IN.iter().map(row).collect()
}

/// The two numbers which the live service keeps for successful tests.
pub(crate) fn test_numbers() -> Vec<Subscriber> {
    let subscriber =
        |(msisdn, key): (&str, KeyKind)| Subscriber { key, ..Subscriber::plain(msisdn.to_owned()) };
    [("41700092501", KeyKind::Ec), ("41700092502", KeyKind::Rsa)].map(subscriber).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_has_a_number_of_its_own() {
        for behaviour in Behaviour::ALL {
            assert!(behaviour.msisdn().starts_with("+4179000"), "{behaviour} has no built-in subscriber");
        }
        let numbers = BUILT_IN.iter().map(|line| line.msisdn).collect::<std::collections::HashSet<_>>();
        assert_eq!(numbers.len(), BUILT_IN.len());
    }

    #[test]
    fn the_table_in_the_crate_documentation_is_the_table() {
        let documentation = include_str!("lib.rs");
        for row in list_built_in().lines() {
            assert!(documentation.contains(&format!("//! {row}\n")), "lib.rs lacks {row:?}");
        }
    }
}
