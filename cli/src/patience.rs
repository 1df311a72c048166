//! How a verb waits that has nothing to clear up: nobody gives it up but by Ctrl-C, which ends the process, and what is
//! asked has time limits of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mobileid::driver::{Tick, TickVerdict};

/// How long all directories together may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Until when they may answer that are asked now.
pub(crate) fn until() -> Instant {
    Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now)
}

/// Gives nothing up.
pub(crate) fn tick() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}
