//! The parts of the comparison, and what they have in common.

pub mod instant;
pub mod loading;
pub mod login;
pub mod rate;
pub mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::service::{Crowd, Service, Signing};

/// Where the programs are, where files may go, and how thorough it is to be.
#[derive(Clone, Debug)]
pub struct Bench {
    /// `mobileid-radiusd`, if it is there.
    pub responder: Option<PathBuf>,
    /// `mobileid-simulator`.
    pub simulator: PathBuf,
    /// A folder for everything that is written.
    pub folder: PathBuf,
    /// To see that it works, in a minute or two: the numbers mean little.
    pub quick: bool,
    /// Whether FreeRADIUS takes part.
    pub peer: bool,
    /// Most people who can wait with a connection each: two programs have a descriptor for every one.
    pub connections: u32,
}

impl Bench {
    /// A service for this crowd.
    ///
    /// # Errors
    /// It does not come up.
    pub fn service(&self, size: u32, delay: Duration, signing: Signing) -> Result<Service> {
        Service::start(&self.simulator, &self.folder.join("service"), Crowd { size, delay, signing })
    }

    /// One number for a thorough run, another for a quick one.
    #[must_use]
    pub fn or<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }
}
