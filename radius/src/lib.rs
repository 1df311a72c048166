//! The RADIUS responder: a VPN concentrator asks, the phone confirms, the answer goes back.

#![forbid(unsafe_code)]

pub mod authenticator;
pub mod clients;
pub mod config;
pub mod dictionary;
pub mod driver;
pub mod https;
pub mod identity;
pub mod packet;
pub mod rules;
pub mod upstream;
