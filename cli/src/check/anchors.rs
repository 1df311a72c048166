//! The roots of the signers' certificates: until when they serve, and whether they are the published ones.

use std::time::SystemTime;

use mobileid::verify::Anchor;
use serde::Serialize;

use crate::{out::hex, when};

/// How long before its end an anchor is worth a word: Swisscom announces a new root months ahead.
const SOON: i64 = 90;

/// One anchor, for the report.
#[derive(Serialize)]
pub(super) struct AnchorFacts {
    pub(super) subject: String,
    pub(super) until: String,
    pub(super) sha256: String,
    /// Which of Swisscom's published roots it is.
    pub(super) published: Option<&'static str>,
}

/// A root as Swisscom publishes it (guide 7.2; Swisscom CA 4 Technical Guide). Of the older one the guide has the SHA-1
/// alone: it is that of the certificate which Mozilla's list of roots had, with the SHA-256 that stands here.
#[derive(Debug)]
pub(crate) struct Published {
    name: &'static str,
    slug: &'static str,
    common_name: &'static str,
    sha256: &'static str,
    /// Whether it is the one that signs for whoever was activated since 2022.
    pub(crate) is_current: bool,
}

const PUBLISHED: [Published; 2] = [
    Published {
        name: "the published Swisscom Root CA 2",
        slug: "swisscom-root-ca-2",
        common_name: "CN=Swisscom Root CA 2",
        sha256: "f09b122c7114f4a09bd4ea4f4a99d558b46e4c25cd81140d29c05613914c3841",
        is_current: false,
    },
    Published {
        name: "the published Swisscom Root CA 4",
        slug: "swisscom-root-ca-4",
        common_name: "CN=Swisscom Root CA 4",
        sha256: "e4e92b4b7330e434c84dd1d5120e68b842b4729f29e72dfe664238612c1835b2",
        is_current: true,
    },
];

/// Whether it is Swisscom's service that is asked, by the name that its certificate must have.
pub(crate) fn is_swisscoms(server_name: &str) -> bool {
    server_name.to_ascii_lowercase().ends_with(".swisscom.com")
}

pub(super) fn look(anchor: &Anchor, now: SystemTime) -> (AnchorFacts, Vec<String>) {
    let published = Published::of(anchor);
    let facts = AnchorFacts {
        subject: anchor.subject().to_owned(),
        until: when::day(anchor.not_after()),
        sha256: hex(&anchor.fingerprint()),
        published: published.map(|root| root.name),
    };
    let mut findings = Vec::new();
    let mut find = |what: &str| findings.push(format!("{}: {what}", facts.subject));
    let left = when::days(now, anchor.not_after());
    if now < anchor.not_before() {
        find(&format!(
            "not valid before {}: users below it cannot log in yet",
            when::day(anchor.not_before())
        ));
    } else if !anchor.is_valid_at(now) {
        find(&format!("expired on {}: users below it cannot log in", facts.until));
    } else if left < SOON {
        find(&format!("expires in {left} days, on {}: users below it cannot log in then", facts.until));
    }
    if let (Some(_), None) = (Published::claimed_by(anchor), published) {
        find("it has the name of a Swisscom root, but not its fingerprint: take it out unless you made it");
    }
    (facts, findings)
}

impl Published {
    /// Which of them this is.
    pub(crate) fn of(anchor: &Anchor) -> Option<&'static Self> {
        let sha256 = hex(&anchor.fingerprint());
        PUBLISHED.iter().find(|root| root.sha256 == sha256)
    }

    /// Which of them this has the name of.
    pub(crate) fn claimed_by(anchor: &Anchor) -> Option<&'static Self> {
        PUBLISHED.iter().find(|root| anchor.subject().split(", ").any(|part| part == root.common_name))
    }

    /// The name of a file with it.
    pub(crate) fn slug(&self) -> &'static str {
        self.slug
    }
}
