//! The manual's pages and the shells' completions, held against what they describe.
//!
//! ```text
//!   packaging/man/mobileidctl.1      the verbs:   from the definitions that read the command line
//!   packaging/man/mobileid.toml.5    the keys:    from docs/configuration.md and docs/directories.md
//!   packaging/man/radiusd.toml.5     the keys:    from docs/radius.md
//!   packaging/man/mobileid-log.5     the reasons: from docs/troubleshooting.md
//!   packaging/completions/           all of it:   from those definitions, and from the pages of the other programs
//! ```
//!
//! Those parts of a page stand between two comments, `.\" BEGIN` and `.\" END`; the rest is written by hand. The crates
//! that own the facts hold the documents to their code, to the last key and reason. Here what is committed must be what
//! would be written today; `make man` writes it.

mod completions;
mod defaults;
mod guide;
mod pages;
mod reasons;
mod reference;
mod roff;
mod screens;
mod verbs;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Holds a committed file against what it should be, or writes it where `make man` asks for that.
fn hold(path: &str, should_be: &str) {
    let committed = fs::read_to_string(file(path)).unwrap_or_default();
    if env::var_os("UPDATE").is_some() {
        fs::write(file(path), should_be).unwrap_or_else(|error| panic!("{path}: {error}"));
        return;
    }
    let differs = committed.lines().zip(should_be.lines()).position(|(is, should)| is != should);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(should_be.lines().count())) + 1;
    assert!(committed == should_be, "{path}:{line}: out of date; `make man` writes it anew");
}

/// Holds the written part of a page.
fn hold_part(path: &str, part: &str) {
    const BEGIN: &str = ".\\\" BEGIN: written by `make man`\n";
    const END: &str = ".\\\" END\n";
    let page = read(path);
    let (before, rest) = page.split_once(BEGIN).unwrap_or_else(|| panic!("{path}: no BEGIN"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{path}: no END"));
    hold(path, &format!("{before}{BEGIN}{part}{END}{after}"));
}
