//! The core of a second factor with Swisscom Mobile ID: it maps a user to a phone, asks the phone to sign a
//! text, verifies what comes back, and says yes or no.
//!
//! It decides, and nothing else: it never waits, reads a clock, draws randomness, or opens a file or a socket,
//! except in [`load`] and in `driver`. One login is a machine ([`login::Login`]) that asks for what it needs
//! and is stepped with the answers:
//!
//! ```text
//!   PAM module, mobileidctl                              the service
//!     │ request                                              ▲ │
//!     ▼                                                      │ ▼
//!   driver ───── the only loop; carries out each ask ─────────┘
//!     │  ▲
//!     ▼  │ Ask: Lookup, Show, Send
//!   login ──> directory   user -> subscriber: msisdn, language, serial, profile
//!         ──> policy      which method, which language, how long
//!         ──> prompt      the text on the phone, with its code
//!         ──> mss         request -> HTTP, HTTP -> answer; fault 422 means ...
//!         ──> verify      the one door: signature, text, number, transaction, serial
//!         ──> audit, notice   what the auditor and the person read
//!
//!   memory                    what one login leaves for the next, as records; `driver::store` keeps them
//! ```
//!
//! The modules on the right never see `login`, and meet each other only through [`subscriber`] and
//! [`outcome`]. `verify` knows no JSON, `mss` no certificates. Nothing in the core knows a driver; without the
//! feature `blocking` there is none but the few lines that write down proof, and no socket library in the tree.
//!
//! Every path that does not end in a [`verify::VerifiedSigner`] ends in a denial with a [`outcome::Reason`], or in
//! an [`outcome::Exemption`] that the configuration spells out.
#![forbid(unsafe_code)]

mod asn1;
pub mod audit;
pub mod config;
pub mod directory;
#[cfg(any(feature = "directories", feature = "evidence", feature = "store"))]
pub mod driver;
pub mod load;
pub mod login;
pub mod memory;
pub mod mss;
pub mod notice;
pub mod outcome;
pub mod policy;
pub mod prompt;
pub mod secret;
pub mod srs;
pub mod subscriber;
pub mod text;
pub mod verify;
