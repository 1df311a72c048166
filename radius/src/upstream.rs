//! The first factor at an upstream RADIUS server: what the NAS asked is asked there, before any phone is.
//!
//! ```text
//!  NAS ── Access-Request ──> server.rs ── Ask ──> Upstreams ── Access-Request, our secret ──> upstream 1
//!                                                    │  no answer: the same octets again         │
//!                                                    │  still none: ──────────────────────> upstream 2
//!  NAS <── Access-Accept ─── server.rs <─ Answer ────┴─ verified <── Access-Accept ───────────────┘
//!             │                  └── the phone says yes
//!             └── what upstream granted, hidden anew with the NAS's secret (PassedOn)
//! ```
//!
//! - `ask.rs`: what is forwarded of a NAS's request, and what is not.
//! - `passed_on.rs`: what an answer may hand to the NAS, and how it is hidden again.
//! - `exchanges.rs`: the deciding part. Identifiers, retransmission, failover, dead servers, and which octets are an
//!   answer; time and randomness are arguments.
//! - `sockets.rs`: the loop that touches the world, over it.
//!
//! Only an answer that verifies counts: Response Authenticator and Message-Authenticator, both made with the secret
//! over the authenticator that was sent. Anything else is dropped, counted, and waiting goes on. So a forger gains
//! nothing by being first, and a server that is silent ends in [`Answer::Silent`], which is a denial.

use std::{net::SocketAddr, time::Duration};

use crate::authenticator::SharedSecret;

mod ask;
pub mod exchanges;
mod passed_on;
mod sockets;

pub use ask::{Ask, Continuation, Credential, NoCredential};
pub use passed_on::PassedOn;
pub use sockets::Upstreams;

/// An upstream: servers that know the same users, in the order in which they are asked.
#[derive(Debug)]
pub struct Upstream {
    /// Its name in the configuration and in logs.
    pub name: String,
    /// Its servers. The next one is asked when one is silent.
    pub servers: Vec<SocketAddr>,
    /// What its servers and we know.
    pub secret: SharedSecret,
    /// How long an answer is waited for, before the same packet is sent again.
    pub timeout: Duration,
    /// How often a packet is sent to one server; none counts as one.
    pub tries: u32,
    /// Whether an answer must carry a Message-Authenticator.
    pub message_authenticator: AnswerSignature,
}

/// Whether an answer must carry a Message-Authenticator. One that is there must be right in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerSignature {
    /// An answer without one is dropped.
    Required,
    /// An answer without one is taken: its Response Authenticator alone can be forged by who sits in between
    /// (CVE-2024-3596).
    Optional,
}

/// What came of an [`Ask`].
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The first factor is right.
    Accept {
        /// What upstream grants.
        attributes: Vec<PassedOn>,
    },
    /// It is not, and that is final.
    Reject {
        /// What upstream says about it: foreign text.
        reply_message: Option<String>,
    },
    /// Upstream wants to know more: a one-time code, a new password.
    Challenge {
        /// What upstream wants back with the next request; empty where it sent none.
        state: Vec<u8>,
        /// The server that asks, an index into [`Upstream::servers`]: only it knows the State.
        server: usize,
        /// The question: foreign text.
        reply_message: Option<String>,
        /// What else the NAS should see: Session-Timeout, Prompt and the like.
        attributes: Vec<PassedOn>,
    },
    /// Nobody answered, or not so that it can be believed. The text is for the log, one plain line.
    Silent(String),
}

impl Answer {
    /// For a log: what came, and nothing of what was in it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept { .. } => "accept",
            Self::Reject { .. } => "reject",
            Self::Challenge { .. } => "challenge",
            Self::Silent(_) => "silent",
        }
    }
}
