//! The identification methods: the two of the guide's appendix, and two that the filters need to have something to tell
//! apart.

use serde_json::{Value, json};

use super::registry::Jurisdiction;

/// One method of one issuer.
pub(super) struct Method {
    pub(super) issuer: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// Which level an identification reaches, under which law.
    pub(super) reaches: &'static [(Jurisdiction, u8)],
    pub(super) offline: bool,
    pub(super) webflow: bool,
    pub(super) real_time: bool,
    /// What the order must say of the person.
    pub(super) wants: &'static [&'static str],
    /// Whether the person gets a message and has to accept the terms before the evidence counts.
    pub(super) terms: bool,
    /// Whether the issuer takes an order at once; if not, it stays Created, and there is no target URL yet.
    pub(super) prompt: bool,
}

pub(super) const METHODS: &[Method] = &[
    Method {
        issuer: "IDENTITY.TM",
        name: "VIDEO IDENTITY.TM",
        kind: "Video",
        reaches: &[(Jurisdiction::Eidas, 4), (Jurisdiction::Zertes, 4)],
        offline: false,
        webflow: true,
        real_time: true,
        wants: &[],
        terms: false,
        prompt: true,
    },
    Method {
        issuer: "KLARNA",
        name: "Bank",
        kind: "Bankident",
        reaches: &[(Jurisdiction::Eidas, 4), (Jurisdiction::Zertes, 3)],
        offline: false,
        webflow: true,
        real_time: true,
        wants: &["firstName", "lastName", "dob", "mobile", "country"],
        terms: true,
        prompt: true,
    },
    Method {
        issuer: "EIDENTITY",
        name: "App",
        kind: "eID",
        reaches: &[(Jurisdiction::Zertes, 4)],
        offline: false,
        webflow: false,
        real_time: true,
        wants: &["mobile"],
        terms: true,
        prompt: true,
    },
    Method {
        issuer: "POST",
        name: "Counter",
        kind: "Counter",
        reaches: &[(Jurisdiction::Zertes, 4)],
        offline: true,
        webflow: false,
        real_time: false,
        wants: &["firstName", "lastName", "mobile"],
        terms: false,
        prompt: false,
    },
];

impl Method {
    pub(super) fn find(issuer: &str, name: &str) -> Option<&'static Method> {
        METHODS.iter().find(|method| method.issuer == issuer && method.name == name)
    }

    /// The entry in a list.
    pub(super) fn to_json(&self) -> Value {
        let jurisdictions =
            self.reaches.iter().map(|(jurisdiction, _)| jurisdiction.wire()).collect::<Vec<_>>();
        let mut levels = self.reaches.iter().map(|(_, level)| *level).collect::<Vec<_>>();
        levels.sort_unstable();
        levels.dedup();
        json!({
            "issuer": self.issuer,
            "method": self.name,
            "methodType": self.kind,
            "jurisdictions": jurisdictions,
            "loas": levels,
            "offline": self.offline,
            "webflow": self.webflow,
            "realTime": self.real_time,
        })
    }
}
