//! What a subscriber does with a request, and what may go wrong on the way back.
//!
//! The first five are people. The rest is the adversary's list: each is one way in which an answer can be
//! wrong, so that a client's refusal can be pinned to one cause. Where it is the content that is wrong,
//! everything else in the answer is right, signature included.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::subscribers::BUILT_IN;

macro_rules! behaviours {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What a subscriber's phone, or the way to it, does with a signature request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Behaviour { $($(#[doc = $doc])+ $variant,)+ }

        impl Behaviour {
            /// Every behaviour there is.
            pub const ALL: &'static [Behaviour] = &[$(Behaviour::$variant,)+];

            /// The name it has in a subscribers file.
            pub const fn name(self) -> &'static str {
                match self { $(Behaviour::$variant => $name,)+ }
            }
        }
    };
}

behaviours! {
    /// Confirms after the subscriber's delay.
    Approve = "approve",
    /// Declines after the subscriber's delay: fault 401.
    Cancel = "cancel",
    /// Leaves the phone alone until the request's TimeOut has passed: fault 208.
    Timeout = "timeout",
    /// Nothing comes back at all, not even after the TimeOut; the connection stays open.
    Never = "never",
    /// Waits for somebody to press a button on the phone page, or for a call that does.
    Interactive = "interactive",
    /// Signs another text than the one that was sent.
    WrongText = "wrong-text",
    /// Answers with another subscriber's MSISDN.
    WrongMsisdn = "wrong-msisdn",
    /// Answers with another AP_TransID.
    WrongTransId = "wrong-trans-id",
    /// A valid signature by a certificate with another serial number than the subscriber's.
    OtherSerial = "other-serial",
    /// A chain to a root with the right name and the wrong key.
    UntrustedChain = "untrusted-chain",
    /// A certificate whose time ended yesterday.
    ExpiredSigner = "expired-signer",
    /// One bit of the signature is flipped.
    BadSignature = "bad-signature",
    /// Status 500 without a signature.
    NoSignature = "no-signature",
    /// Two subscribers have signed, each correctly.
    TwoSigners = "two-signers",
    /// Bytes follow the end of the CMS.
    TrailingGarbage = "trailing-garbage",
    /// The JSON stops in the middle, the HTTP framing is intact.
    BrokenJson = "broken-json",
    /// A list nested 100 000 levels deep in an otherwise right answer.
    DeepJson = "deep-json",
    /// An otherwise right answer of 10 MiB.
    HugeBody = "huge-body",
    /// Half of the body, and then nothing while the connection stays open.
    HalfBody = "half-body",
    /// One byte at a time, for up to five minutes, and never the whole.
    SlowDrip = "slow-drip",
    /// The TCP connection is reset in the middle of the body.
    TlsReset = "tls-reset",
    /// A load balancer's HTTP 503 with a page of HTML.
    Http503 = "http-503",
    /// HTTP 200 with status 501 REVOKED_CERTIFICATE beside a valid signature.
    Status501 = "status-501",
    /// HTTP 200 with status 502 VALID_SIGNATURE, which is as good as 500.
    Status502 = "status-502",
    /// HTTP 200 with status 503 INVALID_SIGNATURE beside a valid signature.
    Status503 = "status-503",
    /// HTTP 200 with status 504 OUTSTANDING_TRANSACTION beside a valid signature.
    Status504 = "status-504",
}

impl Behaviour {
    /// The number of the built-in subscriber who behaves so; where there are several, the first in the table.
    pub fn msisdn(self) -> &'static str {
        // Every behaviour has a line: a test of the table sees to it.
        BUILT_IN.iter().find(|line| line.behaviour == self).map_or("", |line| line.msisdn)
    }

    /// What the phone does by itself, if anything.
    pub(crate) fn reflex(self) -> Option<Decision> {
        match self {
            Behaviour::Timeout | Behaviour::Never | Behaviour::Interactive => None,
            Behaviour::Cancel => Some(Decision::Cancel),
            _ => Some(Decision::Approve),
        }
    }
}

impl Behaviour {
    /// Whether it is the way back that is wrong, whatever the answer says.
    pub(crate) fn spoils_the_wire(self) -> bool {
        matches!(
            self,
            Behaviour::BrokenJson
                | Behaviour::DeepJson
                | Behaviour::HugeBody
                | Behaviour::HalfBody
                | Behaviour::SlowDrip
                | Behaviour::TlsReset
                | Behaviour::Http503
        )
    }
}

/// What a person can do with a pending request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Approve,
    Cancel,
    /// Another request took this one's place on the screen.
    Replaced,
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no behaviour.
#[derive(Debug)]
pub struct UnknownBehaviour(String);

impl fmt::Display for UnknownBehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Behaviour::ALL.iter().map(|behaviour| behaviour.name()).collect::<Vec<_>>();
        write!(f, "no behaviour is called {:?}; there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownBehaviour {}

impl FromStr for Behaviour {
    type Err = UnknownBehaviour;

    fn from_str(name: &str) -> Result<Behaviour, UnknownBehaviour> {
        let found = Behaviour::ALL.iter().find(|behaviour| behaviour.name() == name);
        found.copied().ok_or_else(|| UnknownBehaviour(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Behaviour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Behaviour, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
