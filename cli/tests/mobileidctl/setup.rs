//! `mobileidctl setup`, from an empty folder to a login, stopped and resumed at every step, and with whatever may be in
//! its way.

mod roots;
mod stopped;
mod whole;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::support::{Folder, Run, ctl};

/// What the contract says, for a setup that asks nobody.
const CONTRACT: [&str; 10] = [
    "--ap-id",
    "mid://acme.example",
    "--prefix",
    "ACME: ",
    "--organisation",
    "ACME AG",
    "--country",
    "ch",
    "--key",
    "rsa-2048",
];
/// Where nothing answers.
const NOWHERE: [&str; 2] = ["--url", "https://127.0.0.1:1"];

const FILES: [&str; 4] = ["client.crt", "client.key", "mobileid.toml", "users.toml"];

impl Folder {
    fn setup(&self, arguments: &[&str]) -> Run {
        ctl(&[&["setup", "--folder", &self.text("etc")], arguments].concat())
    }

    /// With everything but roots in it.
    fn begun() -> Self {
        let folder = Self::new();
        let run = folder.setup(&[&CONTRACT[..], &NOWHERE].concat());
        assert_eq!(run.code, 1, "{run:?}");
        folder
    }

    fn etc(&self, name: &str) -> PathBuf {
        self.path("etc").join(name)
    }

    /// What is below `etc`, by name.
    fn there(&self) -> Vec<String> {
        below(&self.path("etc"), "")
    }

    /// Owner's and others' rights, and the bytes, of all files.
    fn snapshot(&self) -> Vec<(String, u32, u64, Vec<u8>)> {
        let look = |name: String| {
            let meta = fs::metadata(self.etc(&name)).unwrap();
            let bytes = fs::read(self.etc(&name)).unwrap();
            (name, meta.permissions().mode() & 0o7777, meta.ino(), bytes)
        };
        self.there().into_iter().map(look).collect()
    }
}

fn below(folder: &Path, before: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let name = format!("{before}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => names.extend(below(&entry.path(), &format!("{name}/"))),
            false => names.push(name),
        }
    }
    names.sort();
    names
}

/// The SHA-256 fingerprint of a certificate, as OpenSSL prints it.
fn fingerprint(file: &Path) -> String {
    let file = file.to_str().unwrap();
    openssl(&["x509", "-in", file, "-noout", "-fingerprint", "-sha256"])
        .split_once('=')
        .unwrap()
        .1
        .trim()
        .to_owned()
}

fn openssl(arguments: &[&str]) -> String {
    let output = std::process::Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
