//! From the file system to a [`Setup`]: the configuration, the user table, the trust anchors, our key.
//!
//! Files that decide about logins are opened as sudo opens sudoers. The way to a file is walked step by step:
//! each folder, each link, and each folder and link behind a link must belong to root (or to the user that runs
//! this, which for a PAM module is root) and must not be writable by others; a folder that anybody may write to is
//! tolerated only where its sticky bit keeps others from exchanging what is in it. The file itself must be a
//! regular one with the same owner, not writable by others, and if it holds a secret not readable by others either.

#![allow(clippy::disallowed_methods, reason = "this is the module that reads files")]

mod registration;

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use registration::{Registration, Way, registration};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{
    config::{
        CommandFile, Config, DirectoryFile, Endpoint, FileConfig, KindFile, LdapFile, Located, Mistakes,
        PamConfig, Proxy, ServerTrust, Timeouts, Unenrolled,
    },
    directory::{
        Directories, Directory, Kind,
        command::{Program, STARTERS},
        file::UserTable,
        ldap::{Bind, Ldap},
    },
    secret::Secret,
    text,
    verify::TrustAnchors,
};

/// Everything that a login needs, read and checked.
#[derive(Debug)]
pub struct Setup {
    /// What the machine decides by.
    pub config: Arc<Config>,
    /// Who is who.
    pub directories: Arc<Directories>,
    /// How the service is reached.
    pub connection: Connection,
    /// Where accepted signatures are kept.
    pub evidence: Option<PathBuf>,
    /// What the PAM module does beyond asking the phone.
    pub pam: PamConfig,
}

/// How the service is reached, for a driver.
#[derive(Debug)]
pub struct Connection {
    /// Where the service is.
    pub service: Endpoint,
    /// The name that the server's certificate must have, and that SNI and Host carry.
    pub server_name: String,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// Roots of the server's certificate, DER.
    pub server_roots: Vec<Vec<u8>>,
    /// Our certificate, DER: the leaf alone, because the service refuses a chain (guide 2.3).
    pub client_cert: Vec<u8>,
    /// How many certificates stood in the file.
    pub client_cert_count: usize,
    /// Our key, PEM.
    pub client_key: Secret,
    /// Time limits.
    pub timeouts: Timeouts,
}

/// The largest file that is read; the table of a hundred thousand users is smaller.
const FILE_MAX: u64 = 16 << 20;
/// The most files that are read from a folder of trust anchors.
const FOLDER_MAX: usize = 256;
/// Where distributions keep the roots of the operating system: Debian, Red Hat, openSUSE.
const SYSTEM_ROOTS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// Loads a configuration and all that it names.
///
/// # Errors
/// Every mistake of the configuration file; or, where that is sound, every mistake of the files it names.
pub fn load(path: &Path) -> Result<Setup, Mistakes> {
    Written::read(path)?.setup()
}

/// A configuration as it is written: read once, whatever is made of it.
#[derive(Debug)]
pub struct Written {
    /// The file's name for messages, as it was given.
    pub shown: String,
    /// The folder that it is in, by its real path: what it names is looked for there.
    pub folder: PathBuf,
    /// What it says.
    pub file: FileConfig,
}

impl Written {
    /// Reads it.
    ///
    /// # Errors
    /// Every mistake of the file; the files that it names are not looked at.
    pub fn read(path: &Path) -> Result<Self, Mistakes> {
        let read = ConfigFile::read(path)?;
        let file = FileConfig::parse(&read.shown, read.text.expose())?;
        if file.holds_secret {
            read.must_be_closed("it holds a password")?;
        }
        Ok(Self { shown: read.shown, folder: read.folder, file })
    }

    /// All that a login needs, with the files that it names.
    ///
    /// # Errors
    /// Every mistake of those.
    pub fn setup(&self) -> Result<Setup, Mistakes> {
        Loader::of(self).setup(&self.file)
    }
}

/// The text of a configuration file that nobody but its owner could have changed.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its name for messages, as it was given.
    pub shown: String,
    /// What it says, which may be secret.
    pub text: Secret,
    /// The folder that it is in, by its real path: what it names is looked for there.
    pub folder: PathBuf,
    closed: Result<(), String>,
}

impl ConfigFile {
    /// Reads it.
    ///
    /// # Errors
    /// One mistake: it cannot be read, others could have changed it, or it is no text.
    pub fn read(path: &Path) -> Result<Self, Mistakes> {
        let shown = path.display().to_string();
        let raw = read(path, Keep::Unchanged).map_err(|e| Mistakes::of_file(&shown, e.beside(path)))?;
        let text = raw.text().map_err(|NotText { line }| {
            let mut mistakes = Mistakes::default();
            mistakes.add(&shown, Some(line), "", NOT_TEXT);
            mistakes
        })?;
        let text = Secret::new(text.to_owned());
        let closed = raw.must_be_closed().map_err(|e| e.to_string());
        // The real path of a file that was read has a parent.
        let folder = raw.path.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { shown, text, folder, closed })
    }

    /// Refuses the file if others may read it, `because` of what it holds.
    ///
    /// # Errors
    /// One mistake.
    pub fn must_be_closed(&self, because: &str) -> Result<(), Mistakes> {
        let refused = |e: &String| Mistakes::of_file(&self.shown, format_args!("{because}, and {e}"));
        self.closed.as_ref().map_err(refused).copied()
    }
}

/// Reads a file that holds a secret, and that nobody else may read or could have changed.
///
/// # Errors
/// A sentence that names the file.
pub fn secret_file(path: &Path) -> Result<Secret, String> {
    text_of(path, Keep::Secret).map_err(|e| format!("{}: {e}", path.display()))
}

/// The real path of a folder that only its owner could have changed.
///
/// # Errors
/// A sentence that names the folder.
pub fn guarded_folder(path: &Path) -> Result<PathBuf, String> {
    folder(path).map(|(path, _)| path).map_err(|e| e.to_string())
}

/// The real path of a program that only its owner could have changed, and that can be run.
///
/// # Errors
/// A sentence that names what is wrong, the program or a folder on the way to it.
pub(crate) fn program(path: &Path) -> Result<PathBuf, String> {
    runnable(path).map_err(|e| e.to_string())
}

/// Whether what starts programs can be run.
///
/// # Errors
/// As [`program`], with the package that is missing.
pub(crate) fn starters(all: &[(&str, &str)]) -> Result<(), String> {
    let can_run = |(path, package): &(&str, &str)| match program(Path::new(path)) {
        Ok(_) => Ok(()),
        Err(why) => Err(format!("{why}; programs are started by it, of the package {package}")),
    };
    all.iter().try_for_each(can_run)
}

/// Whether a file or folder is root's, or of the user that runs this, and closed to everybody else.
#[cfg(feature = "store")]
pub(crate) fn private(path: &Path, meta: &fs::Metadata) -> Result<(), String> {
    owned(path, meta).and_then(|()| closed(path, meta)).map_err(|e| e.to_string())
}

struct Loader {
    config: String,
    base: PathBuf,
    mistakes: Mistakes,
}

impl Loader {
    fn of(written: &Written) -> Self {
        let (config, base) = (written.shown.clone(), written.folder.clone());
        Self { config, base, mistakes: Mistakes::default() }
    }

    fn setup(mut self, file: &FileConfig) -> Result<Setup, Mistakes> {
        let anchors = self.anchors(&file.trust);
        let directories = self.directories(&file.directories, file.unenrolled);
        let server_roots = self.server_roots(&file.server_trust, "service.server_trust");
        let client_certs = self.certificates(&file.client_cert);
        let client_key = self.client_key(&file.client_key);
        let evidence = file.evidence.as_ref().and_then(|folder| self.evidence(folder));
        let client_cert_count = client_certs.len();
        let server_name = file.server_name.clone().unwrap_or_else(|| file.url.host.clone());
        let setup = directories.zip(client_key).zip(client_certs.into_iter().next());
        let setup = setup.map(|((directories, client_key), client_cert)| Setup {
            config: Arc::new(file.config(anchors)),
            directories: Arc::new(directories),
            connection: Connection {
                service: file.url.clone(),
                server_name,
                proxy: file.proxy.clone(),
                server_roots,
                client_cert,
                client_cert_count,
                client_key,
                timeouts: file.timeouts,
            },
            evidence,
            pam: file.pam.clone(),
        });
        self.mistakes.or(setup)
    }

    fn mistake<T>(&mut self, at: &Located<T>, what: impl std::fmt::Display) {
        self.mistakes.add(&self.config, Some(at.line), &at.key, what);
    }

    /// Reads a file that the configuration names; a mistake is one of the line that names it.
    fn named(&mut self, at: &Located<PathBuf>, keep: Keep) -> Option<(String, Secret)> {
        let path = self.base.join(&at.value);
        let shown = path.display().to_string();
        match text_of(&path, keep) {
            Ok(text) => Some((shown, text)),
            Err(error) => {
                self.mistake(at, format_args!("{shown}: {error}"));
                None
            }
        }
    }

    fn directories(&mut self, files: &[DirectoryFile], unenrolled: Unenrolled) -> Option<Directories> {
        let read: Vec<_> = files.iter().filter_map(|file| self.directory(file, unenrolled)).collect();
        (read.len() == files.len()).then(|| Directories::new(read))
    }

    fn directory(&mut self, file: &DirectoryFile, unenrolled: Unenrolled) -> Option<Directory> {
        let kind = match &file.kind {
            KindFile::File(at) => Kind::File(self.users(at, unenrolled)?),
            KindFile::Ldap(file) => Kind::Ldap(Box::new(self.ldap(file)?)),
            KindFile::Command(file) => Kind::Command(self.command(file)?),
        };
        Some(Directory { name: file.name.value.clone(), unavailable: file.unavailable, kind })
    }

    fn ldap(&mut self, file: &LdapFile) -> Option<Ldap> {
        let roots =
            file.trust.as_ref().map(|trust| self.server_roots(trust, "directory.trust")).unwrap_or_default();
        let mut ldap = Ldap { roots, ..file.ldap.clone() };
        if let (Bind::Simple { password, .. }, Some(at)) = (&mut ldap.bind, &file.password) {
            *password = self.password(at)?;
        }
        Some(ldap)
    }

    fn command(&mut self, file: &CommandFile) -> Option<Program> {
        let path = program(&file.program.value).and_then(|path| {
            // Better missed now than at a login.
            starters(&STARTERS)?;
            Ok(path)
        });
        let path = path.map_err(|why| self.mistake(&file.program, why)).ok()?;
        Some(Program { path, arguments: file.arguments.clone(), timeout: file.timeout })
    }

    /// The first and only line of a file. An empty password would be taken for asking as nobody.
    fn password(&mut self, at: &Located<PathBuf>) -> Option<Secret> {
        let (shown, text) = self.named(at, Keep::Secret)?;
        let line = text.expose().strip_suffix('\n').unwrap_or(text.expose());
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || line.contains(['\n', '\r', '\0']) {
            self.mistake(at, format_args!("{shown}: must hold the password, in one line"));
            return None;
        }
        Some(Secret::new(line.to_owned()))
    }

    fn users(&mut self, at: &Located<PathBuf>, unenrolled: Unenrolled) -> Option<UserTable> {
        let (shown, text) = self.named(at, Keep::Unchanged)?;
        match UserTable::parse(&shown, text.expose()) {
            // A table that an editor has just emptied would let everybody in without a phone.
            Ok(users) if unenrolled == Unenrolled::Allow && users.is_empty() => {
                let what = "the table has nobody in it, and users.unenrolled = \"allow\" would let everybody in \
                            without a phone: enter somebody, or set \"deny\"";
                self.mistake(at, what);
                None
            }
            Ok(users) => Some(users),
            Err(mistakes) => {
                self.mistakes.0.extend(mistakes.0);
                None
            }
        }
    }

    fn anchors(&mut self, trust: &[Located<PathBuf>]) -> TrustAnchors {
        let mut anchors = TrustAnchors::default();
        for at in trust {
            let path = self.base.join(&at.value);
            let files = if path.is_dir() { self.folder(at, &path) } else { vec![path] };
            for file in files {
                let at = Located { value: file, line: at.line, key: at.key.clone() };
                let Some((shown, pem)) = self.named(&at, Keep::Unchanged) else { continue };
                match TrustAnchors::from_pem(pem.expose()) {
                    Ok(more) => anchors.extend(more),
                    Err(error) => self.mistake(&at, format_args!("{shown}: {error}")),
                }
            }
        }
        anchors
    }

    /// The certificate files of a folder of trust anchors: `.pem`, `.crt` and `.cer`, by name.
    fn folder(&mut self, at: &Located<PathBuf>, folder: &Path) -> Vec<PathBuf> {
        let listed = guarded(folder).map_err(|e| e.to_string()).and_then(|real| {
            let entries = fs::read_dir(&real).map_err(|e| format!("{}: {e}", real.display()))?;
            let paths = entries.map(|entry| entry.map(|e| folder.join(e.file_name())));
            paths.collect::<Result<Vec<_>, _>>().map_err(|e| format!("{}: {e}", real.display()))
        });
        let mut files = match listed {
            Ok(files) => files,
            Err(error) => {
                self.mistake(at, error);
                return Vec::new();
            }
        };
        files.retain(|path| is_certificate_file(path));
        if files.is_empty() {
            self.mistake(at, format_args!("{}: no .pem, .crt or .cer file in it", folder.display()));
        }
        if files.len() > FOLDER_MAX {
            self.mistake(at, format_args!("{}: more than {FOLDER_MAX} files in it", folder.display()));
            files.clear();
        }
        files.sort();
        files
    }

    fn server_roots(&mut self, trust: &ServerTrust, key: &str) -> Vec<Vec<u8>> {
        let at = match trust {
            ServerTrust::File(at) => at.clone(),
            ServerTrust::System => {
                let found = SYSTEM_ROOTS.iter().map(PathBuf::from).find(|p| p.exists());
                let value = found.unwrap_or_else(|| PathBuf::from(SYSTEM_ROOTS[0]));
                Located { value, line: 1, key: key.to_owned() }
            }
        };
        self.certificates(&at)
    }

    fn certificates(&mut self, at: &Located<PathBuf>) -> Vec<Vec<u8>> {
        let Some((shown, pem)) = self.named(at, Keep::Unchanged) else { return Vec::new() };
        let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose().as_bytes())
            .map(|cert| cert.map(|c| c.as_ref().to_vec()))
            .collect();
        match certs {
            Ok(certs) if certs.is_empty() => {
                self.mistake(at, format_args!("{shown}: no CERTIFICATE block in it; it must be PEM"));
                Vec::new()
            }
            Ok(certs) => certs,
            Err(error) => {
                self.mistake(at, format_args!("{shown}: not PEM: {error}"));
                Vec::new()
            }
        }
    }

    fn client_key(&mut self, at: &Located<PathBuf>) -> Option<Secret> {
        let (shown, pem) = self.named(at, Keep::Secret)?;
        match PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()) {
            Ok(_) => Some(pem),
            Err(_) => {
                let what = "no unencrypted PRIVATE KEY block in it; it must be PEM";
                self.mistake(at, format_args!("{shown}: {what}"));
                None
            }
        }
    }

    fn evidence(&mut self, at: &Located<PathBuf>) -> Option<PathBuf> {
        let checked = folder(&self.base.join(&at.value)).and_then(|(path, meta)| {
            closed(&path, &meta)?;
            Ok(path)
        });
        checked.map_err(|e| self.mistake(at, e)).ok()
    }
}

/// Whether a file in a folder of trust anchors counts, by its name: `.pem`, `.crt` or `.cer`.
#[must_use]
pub fn is_certificate_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ["pem", "crt", "cer"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// What a file holds decides who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Others may read it, but not change it.
    Unchanged,
    /// Others may not even read it.
    Secret,
}

/// A file that was read, with what the file system said of it.
struct Raw {
    path: PathBuf,
    meta: fs::Metadata,
    bytes: zeroize::Zeroizing<Vec<u8>>,
}

impl Raw {
    fn text(&self) -> Result<&str, NotText> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let before = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
            NotText { line: before.iter().filter(|b| **b == b'\n').count().saturating_add(1) }
        })
    }

    fn must_be_closed(&self) -> Result<(), Unsafe> {
        closed(&self.path, &self.meta)
    }
}

/// The first line that is no UTF-8.
struct NotText {
    line: usize,
}

const NOT_TEXT: &str = "not UTF-8 text";

/// Why a file is not used: what is wrong with it, or with a folder on the way to it.
#[derive(Debug)]
struct Unsafe {
    path: PathBuf,
    what: String,
}

impl Unsafe {
    fn new(path: &Path, what: &str) -> Self {
        Self { path: path.to_owned(), what: what.to_owned() }
    }

    fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::new(path, &format!("cannot be read: {error}"))
    }

    /// The sentence to stand after the name of `path`.
    fn beside(&self, path: &Path) -> String {
        if self.path == path { self.what.clone() } else { self.to_string() }
    }
}

impl std::fmt::Display for Unsafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", text::escaped(&self.path.display().to_string(), 400), self.what)
    }
}

fn read(path: &Path, keep: Keep) -> Result<Raw, Unsafe> {
    let path = guarded(path)?;
    // The way there is guarded, so nobody else can exchange the file; the flags are for what is left: a link
    // or a device put there by the administrator himself. O_NONBLOCK keeps a FIFO from blocking the open.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK;
    let mut file: File =
        OpenOptions::new().read(true).custom_flags(flags).open(&path).map_err(|e| Unsafe::io(&path, &e))?;
    let meta = file.metadata().map_err(|e| Unsafe::io(&path, &e))?;
    if !meta.is_file() {
        return Err(Unsafe::new(&path, "is no regular file"));
    }
    unchanged(&path, &meta)?;
    if keep == Keep::Secret {
        closed(&path, &meta)?;
    }
    if meta.len() > FILE_MAX {
        return Err(Unsafe::new(&path, "is larger than 16 MiB"));
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0)));
    let limit = FILE_MAX.saturating_add(1);
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(|e| Unsafe::io(&path, &e))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_MAX {
        return Err(Unsafe::new(&path, "is larger than 16 MiB"));
    }
    Ok(Raw { path, meta, bytes })
}

fn text_of(path: &Path, keep: Keep) -> Result<Secret, String> {
    let raw = read(path, keep).map_err(|e| e.beside(path))?;
    let text = raw.text().map_err(|NotText { line }| format!("{line}: {NOT_TEXT}"))?;
    Ok(Secret::new(text.to_owned()))
}

fn folder(path: &Path) -> Result<(PathBuf, fs::Metadata), Unsafe> {
    let path = guarded(path)?;
    let meta = fs::symlink_metadata(&path).map_err(|e| Unsafe::io(&path, &e))?;
    if !meta.is_dir() {
        return Err(Unsafe::new(&path, "is no folder"));
    }
    Ok((path, meta))
}

fn runnable(path: &Path) -> Result<PathBuf, Unsafe> {
    let path = guarded(path)?;
    let meta = fs::symlink_metadata(&path).map_err(|e| Unsafe::io(&path, &e))?;
    if !meta.is_file() {
        return Err(Unsafe::new(&path, "is no regular file"));
    }
    if meta.mode() & ANY_RUN == 0 {
        return Err(Unsafe::new(&path, "cannot be run: chmod +x it"));
    }
    // What starts it takes a word with this for a variable.
    if path.as_os_str().as_encoded_bytes().contains(&b'=') {
        return Err(Unsafe::new(&path, "has a = in its path: give it another name"));
    }
    Ok(path)
}

/// More links than this on one way are a loop; the kernel's own bound.
const LINKS_MAX: usize = 40;

/// The real path, once everything on the way is in trusted hands. What was found so stays so: only those who
/// were found to be trusted can change it.
fn guarded(path: &Path) -> Result<PathBuf, Unsafe> {
    let absolute = std::path::absolute(path).map_err(|e| Unsafe::io(path, &e))?;
    let steps = |path: &Path| path.components().rev().map(|c| c.as_os_str().to_owned()).collect::<Vec<_>>();
    let mut ahead = steps(&absolute);
    let mut here = PathBuf::from("/");
    let mut links = 0usize;
    while let Some(step) = ahead.pop() {
        // `here` holds no links, so its parent is the one that `..` means. A root step begins anew.
        if step == ".." {
            here.pop();
        } else {
            here.push(step);
        }
        let meta = fs::symlink_metadata(&here).map_err(|e| Unsafe::io(&here, &e))?;
        if !meta.is_symlink() {
            unchanged(&here, &meta)?;
            continue;
        }
        owned(&here, &meta)?;
        links = links.saturating_add(1);
        if links > LINKS_MAX {
            return Err(Unsafe::new(path, "has too many links in it"));
        }
        let target = fs::read_link(&here).map_err(|e| Unsafe::io(&here, &e))?;
        here.pop();
        ahead.extend(steps(&target));
    }
    Ok(here)
}

/// Root, or the user that runs this: a PAM module runs as root, a test or a trial as somebody else.
fn owned(path: &Path, meta: &fs::Metadata) -> Result<(), Unsafe> {
    if meta.uid() == 0 || meta.uid() == nix::unistd::geteuid().as_raw() {
        return Ok(());
    }
    Err(Unsafe::new(path, "belongs to another user: chown root it"))
}

// No group is excepted, not even root's own: where a file has an access control list, the group's bits are the
// list's mask, and say what anybody named in it may do.
const GROUP_WRITE: u32 = 0o020;
const OTHER_WRITE: u32 = 0o002;
const GROUP_ANY: u32 = 0o070;
const OTHER_ANY: u32 = 0o007;
const STICKY: u32 = 0o1000;
const ANY_RUN: u32 = 0o111;

fn unchanged(path: &Path, meta: &fs::Metadata) -> Result<(), Unsafe> {
    owned(path, meta)?;
    let sticky_folder = meta.is_dir() && meta.mode() & STICKY != 0;
    if meta.mode() & (GROUP_WRITE | OTHER_WRITE) != 0 && !sticky_folder {
        return Err(Unsafe::new(path, "may be changed by others: chmod go-w it"));
    }
    Ok(())
}

fn closed(path: &Path, meta: &fs::Metadata) -> Result<(), Unsafe> {
    if meta.mode() & (GROUP_ANY | OTHER_ANY) != 0 {
        return Err(Unsafe::new(path, "may be read by others: chmod go-rwx it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
