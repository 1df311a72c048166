//! Has the linker put side by side what every login runs: see `layout.ld`, and docs/decisions/0014-load-cost.md.

#![allow(clippy::disallowed_methods, reason = "Cargo speaks to a build script by its environment")]

use std::{env, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=layout.ld");
    // What is not optimised has other functions, and is not shipped.
    if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("layout.ld");
        println!("cargo::rustc-link-arg-cdylib=-T");
        println!("cargo::rustc-link-arg-cdylib={}", layout.display());
    }
}
