//! Ctrl-C, for the verbs that wait.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::consts::{SIGINT, SIGTERM};

/// The first signal asks the wait to end, which it does at its next tick; the second one ends the process.
pub(crate) fn give_up() -> io::Result<Arc<AtomicBool>> {
    let given_up = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&given_up))?;
        signal_hook::flag::register(signal, Arc::clone(&given_up))?;
    }
    Ok(given_up)
}
