//! How a verb waits that has nothing to clear up: nobody gives it up but by Ctrl-C, which ends the process, and what is
//! asked has time limits of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mobileid::{
    directory::{Directories, Kind},
    driver::{Tick, TickVerdict},
};

use crate::progress::{Bound, Progress, Waiting};

/// How long all directories together may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Until when they may answer that are asked now.
pub(crate) fn until() -> Instant {
    Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now)
}

/// Says that directories are waited for, each of which may take its own time.
pub(crate) fn shown(progress: Progress, directories: &Directories) -> Waiting {
    progress.wait("the directories", of_directories(directories, PATIENCE))
}

/// How long directories may take that may not take longer than this.
pub(crate) fn of_directories(directories: &Directories, limit: Duration) -> Bound {
    let each = directories.iter().map(|directory| match &directory.kind {
        Kind::File(_) => Duration::ZERO,
        Kind::Ldap(ldap) => {
            ldap.timeout.saturating_mul(u32::try_from(ldap.servers.len()).unwrap_or(u32::MAX))
        }
        Kind::Command(program) => program.timeout,
    });
    Bound::AtMost(each.fold(Duration::ZERO, Duration::saturating_add).min(limit))
}

/// Gives nothing up.
pub(crate) fn tick() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}
