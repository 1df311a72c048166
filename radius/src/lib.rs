//! The RADIUS responder: a VPN concentrator asks, the phone confirms, the answer goes back.

#![forbid(unsafe_code)]

pub mod authenticator;
pub mod dictionary;
pub mod driver;
pub mod https;
pub mod packet;
pub mod upstream;
