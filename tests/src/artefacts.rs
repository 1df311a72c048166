//! What was built, found beside the test itself, and refused when it is older than its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The folder of this build's output, `target/debug` as a rule.
#[derive(Clone, Debug)]
pub struct Artefacts {
    folder: PathBuf,
}

impl Artefacts {
    /// Finds the folder from the place of the running test.
    ///
    /// # Errors
    /// When the running program's path cannot be told.
    pub fn find() -> Result<Self> {
        let program = std::env::current_exe()?;
        let folder = program.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
        Ok(Self { folder: folder.context("a program is in a folder")?.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The PAM module.
    ///
    /// # Errors
    /// When it is not built, or older than a source it was built from.
    pub fn module(&self) -> Result<PathBuf> {
        fresh(self.folder.join("libpam_mobileid.so"), "make build")
    }

    /// The PAM module that panics on the argument `panic`.
    ///
    /// # Errors
    /// As [`Artefacts::module`].
    pub fn panicking_module(&self) -> Result<PathBuf> {
        fresh(self.folder.join("test-panic/debug/libpam_mobileid.so"), "make build")
    }

    /// The Mobile ID simulator.
    ///
    /// # Errors
    /// As [`Artefacts::module`].
    pub fn simulator(&self) -> Result<PathBuf> {
        fresh(self.folder.join("mobileid-simulator"), "make build")
    }

    /// The administrator's tool.
    ///
    /// # Errors
    /// As [`Artefacts::module`].
    pub fn mobileidctl(&self) -> Result<PathBuf> {
        fresh(self.folder.join("mobileidctl"), "make build")
    }

    /// The RADIUS responder.
    ///
    /// # Errors
    /// As [`Artefacts::module`].
    pub fn radiusd(&self) -> Result<PathBuf> {
        fresh(self.folder.join("mobileid-radiusd"), "make build")
    }

    /// The folder of the newer OpenSSH.
    ///
    /// # Errors
    /// When it could not be built.
    pub fn openssh(&self) -> Result<PathBuf> {
        let built = self.folder.parent().context("a build has a folder")?.join("openssh");
        ensure!(built.join("version").exists(), "{} is not there: `make deps` builds it", built.display());
        Ok(built)
    }

    /// The folder of the Python library that stories log in with.
    ///
    /// # Errors
    /// When it was not installed.
    pub fn pyrad(&self) -> Result<PathBuf> {
        let library = self.folder.parent().context("a build has a folder")?.join("pyrad");
        ensure!(library.exists(), "{} is not there: `make deps` installs it", library.display());
        Ok(library)
    }
}

/// Compiles a C program of the laboratory, linked with libpam; a name that ends in `.so` makes a module.
/// It stays loaded, so that a thread it leaves is found and does not crash.
pub(crate) fn compile(source: &str, name: &str, into: &Path) -> Result<()> {
    let text = into.join(format!("{name}.c"));
    fs::write(&text, source)?;
    let shared: &[&str] = if name.ends_with(".so") { &["-shared", "-fPIC", "-Wl,-z,nodelete"] } else { &[] };
    let said = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-pthread"])
        .args(shared)
        .arg("-o")
        .args([&into.join(name), &text])
        .args(["-lpam", "-ldl"])
        .output()
        .context("cannot run cc (build-essential)")?;
    ensure!(said.status.success(), "cc refused {name}:\n{}", String::from_utf8_lossy(&said.stderr));
    Ok(())
}

/// The artefact, if Cargo's own list of its sources (the `.d` file) names none that is newer.
fn fresh(artefact: PathBuf, remedy: &str) -> Result<PathBuf> {
    let Ok(built) = artefact.metadata().and_then(|about| about.modified()) else {
        bail!("{} is not built: `{remedy}` builds it", artefact.display());
    };
    let list = artefact.with_extension("d");
    let list = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    // `artefact: source source ...`, with blanks in a path written `\ `.
    let (_, sources) = list.split_once(": ").context("a .d file has the form `artefact: sources`")?;
    for source in sources.trim().replace("\\ ", "\0").split(' ') {
        let source = PathBuf::from(source.replace('\0', " "));
        let newer = source.metadata().and_then(|about| about.modified()).is_ok_and(|at| at > built);
        ensure!(!newer, "{} is older than {}: `{remedy}`", artefact.display(), source.display());
    }
    Ok(artefact)
}
