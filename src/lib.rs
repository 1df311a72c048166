//! The core of a Mobile ID second factor.
#![forbid(unsafe_code)]

pub mod audit;
pub mod config;
pub mod directory;
#[cfg(feature = "blocking")]
pub mod driver;
pub mod load;
pub mod login;
pub mod mss;
pub mod notice;
pub mod outcome;
pub mod policy;
pub mod prompt;
pub mod secret;
pub mod subscriber;
pub mod text;
pub mod verify;
