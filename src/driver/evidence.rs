//! Keeps what proves a login: the signed text and its signature, one pair of files per login.
//!
//! `mobileidctl signature verify --cms AP_TransID.p7s --text "$(cat AP_TransID.txt)" ...` checks them later.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::outcome::Proof;

/// Writes `AP_TransID.p7s` (base64) and `AP_TransID.txt` into the folder, readable by their owner only.
///
/// # Errors
/// What the file system says; files that exist are never overwritten.
pub fn keep(folder: &Path, proof: &Proof) -> io::Result<()> {
    // AP_TransID is ours: `mid-` and hexadecimal digits, so it is a file name.
    let write = |extension: &str, content: &str| {
        let path = folder.join(format!("{}.{extension}", proof.ap_trans_id));
        let flags = nix::libc::O_NOFOLLOW;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(path)?;
        file.write_all(content.as_bytes())
    };
    write("txt", &proof.text)?;
    write("p7s", &proof.signature)
}
