//! RADIUS in the laboratory: the responder, and the peers that it meets in the field.
//!
//! Every peer is a program that nobody here wrote, on loopback ports of its own, with its files in the world:
//!
//! ```text
//!   Nas        hand-made packets ──────────────────────────┐
//!   radclient, radtest, pyrad ─────────────────────────────┤
//!   sshd ── PAM ── pam_radius_auth ────────────────────────┼──> Responder ──> Simulator ──> phones
//!   radclient ──> FreeRadius::proxy ──> FreeRadius::proxy ─┤        │
//!   eapol_test ──> FreeRadius::tunnel (EAP ends here) ─────┘        └──> FreeRadius::passwords
//!                                                                        (the first factor)
//! ```
//!
//! [`packet`] makes packets by its own reading of the RFCs and shares no code with the responder: two
//! readings that agree are worth more than one that agrees with itself.

mod freeradius;
mod nas;
pub mod packet;
mod peers;
mod responder;

pub use freeradius::FreeRadius;
pub use nas::Nas;
pub use peers::{Answer, Peer, Verdict};
pub use responder::{Responder, free_port, has_ipv6};

/// What the responder shares with the server of its first factor, so that no secret can be taken for another.
pub const UPSTREAM_SECRET: &str = "shared-with-the-first-factor";

/// What every client of the laboratory shares with the server it asks.
pub const SECRET: &str = "shared-in-the-laboratory";
