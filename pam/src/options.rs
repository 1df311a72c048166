//! The module's arguments in a line of `/etc/pam.d`: `config=/PATH` and `debug`.
//!
//! Whatever is not understood is refused, and nobody is let in: the administrator meant something by it.

#![forbid(unsafe_code)]

use std::{
    ffi::{CStr, OsStr},
    fmt,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

use mobileid::{config::DEFAULT_PATH, text};

/// The arguments, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Whether the log is told what is decided on.
    pub(crate) debug: bool,
    /// Whether to panic, for a test.
    #[cfg(feature = "test-panic")]
    pub(crate) panic: bool,
}

impl Options {
    /// Reads the arguments as PAM hands them over.
    pub(crate) fn parse(arguments: &[&CStr]) -> Result<Self, BadArgument> {
        let mut config = None;
        let mut debug = false;
        #[cfg(feature = "test-panic")]
        let mut panic = false;
        for argument in arguments {
            let once = |first: bool| first.then_some(()).ok_or(BadArgument::of(argument, "is there twice"));
            match argument.to_bytes() {
                b"debug" => {
                    once(!debug)?;
                    debug = true;
                }
                #[cfg(feature = "test-panic")]
                b"panic" => panic = true,
                bytes => {
                    let path = bytes.strip_prefix(b"config=").ok_or(BadArgument::of(
                        argument,
                        "is unknown; the arguments are config=/PATH and debug",
                    ))?;
                    if !path.starts_with(b"/") {
                        return Err(BadArgument::of(argument, "needs an absolute path"));
                    }
                    once(config.is_none())?;
                    config = Some(PathBuf::from(OsStr::from_bytes(path)));
                }
            }
        }
        Ok(Self {
            config: config.unwrap_or_else(|| DEFAULT_PATH.into()),
            debug,
            #[cfg(feature = "test-panic")]
            panic,
        })
    }
}

/// An argument that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadArgument {
    argument: String,
    why: &'static str,
}

impl BadArgument {
    fn of(argument: &CStr, why: &'static str) -> Self {
        Self { argument: text::escaped(&argument.to_string_lossy(), 200), why }
    }
}

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PAM configuration: the argument '{}' {}", self.argument, self.why)
    }
}

#[cfg(test)]
mod tests;
