//! The RADIUS responder: a VPN concentrator asks, the phone confirms, the answer goes back.

#![forbid(unsafe_code)]

pub mod aside;
pub mod audit;
pub mod authenticator;
pub mod clients;
pub mod config;
pub mod daemon;
pub mod dictionary;
pub mod directory;
pub mod driver;
pub mod duplicates;
pub mod https;
pub mod identity;
pub mod joining;
pub mod learnt;
pub mod listener;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod packet;
pub mod rules;
pub mod scribe;
pub mod server;
pub mod state;
pub mod upstream;

#[cfg(test)]
mod testing;
