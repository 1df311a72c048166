//! Sees whether `make deps` could build the newer OpenSSH: where it could not, the tests that log in through it
//! are ignored, and counted as such.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(openssh)");
    // TARGET/PROFILE/build/PACKAGE/out
    let output = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let Some(target) = output.as_deref().and_then(|out| out.ancestors().nth(4)) else { return };
    let version: &Path = &target.join("openssh/version");
    println!("cargo::rerun-if-changed={}", version.display());
    if version.exists() {
        println!("cargo::rustc-cfg=openssh");
    }
}
