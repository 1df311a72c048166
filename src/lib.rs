//! The core of a Mobile ID second factor.
#![forbid(unsafe_code)]

pub mod secret;
pub mod subscriber;
pub mod text;
pub mod verify;
