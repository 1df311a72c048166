//! Carries out what the machine asks, with blocking sockets: for the PAM module and the administrator's tool.
//!
//! [`blocking`] is the loop, [`https`] one exchange with the service, `socket` the one place that waits, and
//! [`evidence`] keeps what proves a login.

#![allow(clippy::disallowed_methods, reason = "a driver reads clocks and opens sockets and files")]

pub mod blocking;
pub mod evidence;
pub mod https;

mod socket;

pub use socket::{Tick, Verdict as TickVerdict};

#[cfg(test)]
mod tests;
