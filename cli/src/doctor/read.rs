//! The thin readers: files below a root folder, and sshd's own word. Nothing is changed, and nothing is followed
//! without bound.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mobileid::text::escaped;

use super::{pam, sudo};

/// Larger than any of these files.
const FILE_MAX: u64 = 1 << 20;
/// More files than a folder of these has.
const NAMES_MAX: usize = 1_000;
/// Where sshd is, in the order of likelihood.
const SSHD: [&str; 4] = ["/usr/sbin/sshd", "/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
/// An address that is nobody's (RFC 5737).
const ADDRESS: &str = "192.0.2.1";

/// Puts an absolute path below a folder that stands for the whole system.
pub(crate) fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// A file's text; bytes that are no UTF-8 are replaced.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    // Before it is opened: a pipe would make us wait.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    if File::open(path)?.take(FILE_MAX.saturating_add(1)).read_to_end(&mut bytes)? as u64 > FILE_MAX {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The names of the files in a folder, sorted.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(NAMES_MAX) {
        let entry = entry?;
        if entry.path().is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

/// The PAM files: the administrator's, and those of the distribution where he has none.
pub(crate) struct PamFiles {
    pub(crate) root: PathBuf,
    pub(crate) folders: Vec<PathBuf>,
}

impl pam::Files for PamFiles {
    fn file(&self, name: &str) -> Result<Option<(String, String)>, String> {
        let candidates = if name.starts_with('/') {
            vec![below(&self.root, name)]
        } else {
            self.folders.iter().map(|folder| folder.join(name)).collect()
        };
        for path in candidates {
            match text(&path) {
                Ok(text) => return Ok(Some((path.display().to_string(), text))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(None)
    }
}

/// sudoers and what it includes.
pub(crate) struct SudoFiles {
    pub(crate) root: PathBuf,
}

impl sudo::Files for SudoFiles {
    fn text(&self, path: &str) -> Result<String, String> {
        text(&below(&self.root, path)).map_err(|error| error.to_string())
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        names(&below(&self.root, folder)).map_err(|error| error.to_string())
    }
}

/// The folder that PAM takes its modules from: it has PAM's own.
pub(crate) fn module_folder(root: &Path) -> Option<PathBuf> {
    let native = format!("{}-linux-gnu", std::env::consts::ARCH);
    let folders = [
        format!("/usr/lib/{native}/security"),
        format!("/lib/{native}/security"),
        "/usr/lib64/security".to_owned(),
        "/lib64/security".to_owned(),
        "/usr/lib/security".to_owned(),
        "/lib/security".to_owned(),
    ];
    let real = |folder: &String| below(root, folder).join("pam_deny.so").exists();
    folders.iter().find(|folder| real(folder)).map(PathBuf::from)
}

/// sshd's program, where there is one.
pub(crate) fn sshd() -> Option<PathBuf> {
    SSHD.iter().map(PathBuf::from).find(|path| path.exists())
}

/// What `sshd -T` prints; for a user, the blocks that match a login of theirs from nowhere in particular.
pub(crate) fn effective(program: &Path, config: Option<&Path>, user: Option<&str>) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("-T").stdin(Stdio::null()).env_clear();
    if let Some(config) = config {
        command.arg("-f").arg(config);
    }
    if let Some(user) = user {
        let who = format!("user={user},host=client.invalid,addr={ADDRESS},laddr=127.0.0.1,lport=22");
        command.arg("-C").arg(who);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("sshd -T: {}", escaped(said.trim(), 300)))
}
