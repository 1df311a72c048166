//! The files and folders that the configuration names, read under the core's guards.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use mobileid::{config::Located, load};
use zeroize::Zeroizing;

use super::{
    AuditTo, StateKey,
    client::ClientDraft,
    file::File,
    loader::{Loader, Reader},
    values::{self, SecretFrom},
};
use crate::authenticator::SharedSecret;

/// What the file names, once it was found in order.
pub(super) struct Places {
    pub(super) state_dir: PathBuf,
    pub(super) state_key: Option<StateKey>,
    pub(super) audit: AuditTo,
}

impl Loader<'_> {
    /// A shared secret from where it is; `owner` stands in a warning.
    pub(super) fn secret(&mut self, from: &SecretFrom, owner: &str) -> Option<SharedSecret> {
        let (text, at) = match from {
            SecretFrom::Inline(secret) => {
                (secret.value.clone(), Located { value: (), line: secret.line, key: secret.key.clone() })
            }
            SecretFrom::File(file) => {
                let at = Located { value: (), line: file.line, key: file.key.clone() };
                match load::secret_file(&self.base.join(&file.value)) {
                    Ok(text) => (text, at),
                    Err(what) => {
                        self.mistake(&at, what);
                        return None;
                    }
                }
            }
        };
        // The end of the line is the editor's, not the secret's.
        let line = match from {
            SecretFrom::Inline(_) => text.expose(),
            SecretFrom::File(_) => without_line_end(text.expose()),
        };
        match values::shared_secret(line) {
            Ok(octets) => {
                if octets.len() < values::GOOD_SECRET {
                    let what = format_args!(
                        "of {owner} is shorter than 16 characters, which RFC 2865 asks for: who has recorded a packet \
                         can try them all"
                    );
                    self.noted.add(at.line, &at.key, what);
                }
                Some(SharedSecret::new(octets))
            }
            Err(what) => {
                self.mistake(&at, what);
                None
            }
        }
    }

    pub(super) fn places(&mut self, file: &File) -> Option<Places> {
        let learns = file.clients.iter().any(ClientDraft::learns);
        let state_dir = self.base.join(&file.state_dir.value);
        let checked = if learns { self.written_to(&state_dir) } else { Ok(state_dir) };
        let state_dir = checked.map_err(|what| {
            let what = format!("{what}; message_authenticator = \"learn\" needs it");
            self.mistake(&file.state_dir, what);
        });
        let state_key = match &file.state_key_file {
            None => Some(None),
            Some(at) => self.state_key(at).map(Some),
        };
        let audit = match &file.audit {
            None => Some(AuditTo::Stdout),
            Some(at) => self.audit(at).map(AuditTo::File),
        };
        Some(Places { state_dir: state_dir.ok()?, state_key: state_key?, audit: audit? })
    }

    /// The real path of a folder that the service writes to, which nobody but it could have changed. Another user's is
    /// that user's to judge.
    fn written_to(&self, folder: &Path) -> Result<PathBuf, String> {
        if self.reader == Reader::Visitor && is_of_another(folder) {
            return Ok(folder.to_owned());
        }
        load::guarded_folder(folder)
    }

    fn state_key(&mut self, at: &Located<PathBuf>) -> Option<StateKey> {
        let path = self.base.join(&at.value);
        let key = load::secret_file(&path).and_then(|text| {
            let rule = "must hold 64 hexadecimal digits, as `openssl rand -hex 32` writes them";
            hexadecimal(without_line_end(text.expose())).ok_or_else(|| format!("{}: {rule}", path.display()))
        });
        key.map_err(|what| self.mistake(at, what)).ok()
    }

    fn audit(&mut self, at: &Located<PathBuf>) -> Option<PathBuf> {
        let path = self.base.join(&at.value);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let Some(name) = path.file_name() else {
            self.mistake(at, "must be a file, or \"stdout\"");
            return None;
        };
        self.written_to(folder).map(|folder| folder.join(name)).map_err(|what| self.mistake(at, what)).ok()
    }
}

/// Whether root looks at the folder of a service that runs as somebody else: what the rules of its files say of it, only
/// that user can tell.
pub(crate) fn is_of_another(folder: &Path) -> bool {
    let owner = |path: &Path| fs::metadata(path).ok().map(|meta| meta.uid());
    owner(Path::new("/proc/self")) == Some(0) && owner(folder).is_some_and(|uid| uid != 0)
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn hexadecimal(digits: &str) -> Option<StateKey> {
    let mut key = Zeroizing::new([0; 32]);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (octet, [high, low]) in key.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(StateKey(key))
}
