//! The RADIUS responder: a VPN concentrator asks, the phone confirms, the answer goes back.

#![forbid(unsafe_code)]

pub mod authenticator;
pub mod clients;
pub mod config;
pub mod dictionary;
pub mod driver;
pub mod duplicates;
pub mod https;
pub mod identity;
pub mod joining;
pub mod packet;
pub mod rules;
pub mod server;
pub mod state;
pub mod upstream;
