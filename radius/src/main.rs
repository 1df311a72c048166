//! `mobileid-radiusd`.
#![forbid(unsafe_code)]

fn main() {}
