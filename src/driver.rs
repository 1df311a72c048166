//! Carries out what the machine asks, with blocking sockets: for the PAM module and the administrator's tool.
//!
//! `blocking` is the loop, `https` one exchange with the service, and `srs` the Smart Registration Service over it; they
//! come with the feature of the same name. `directories` asks who is who, over `ldap` and of a `command`, and `socket` is the one place that
//! waits; they come with the feature `directories`. [`evidence`] keeps what proves a login, and `tls` has the settings of TLS: that
//! much a driver elsewhere needs too. With the feature `store` come the places of [`crate::memory`]: `store` keeps its
//! records, `pins` the serial numbers among them, and `moment` tells the time that they go by.

#![allow(clippy::disallowed_methods, reason = "a driver reads clocks and opens sockets and files")]

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "store")]
pub mod breakglass;
#[cfg(feature = "directories")]
mod command;
#[cfg(feature = "directories")]
pub mod directories;
pub mod evidence;
#[cfg(feature = "blocking")]
pub mod https;
#[cfg(feature = "directories")]
pub mod ldap;
#[cfg(feature = "store")]
pub mod moment;
#[cfg(feature = "store")]
pub mod pins;
#[cfg(test)]
#[cfg(feature = "store")]
mod processes;
#[cfg(feature = "blocking")]
pub mod srs;
#[cfg(feature = "store")]
pub mod store;

#[cfg(feature = "tls")]
pub mod tls;

#[cfg(feature = "directories")]
mod socket;

#[cfg(feature = "directories")]
pub use socket::{TICK, Tick, Verdict as TickVerdict};

// Two attributes: clippy knows a test only by its own.
#[cfg(test)]
#[cfg(feature = "blocking")]
mod tests;
