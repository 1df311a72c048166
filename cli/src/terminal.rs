//! The person at the terminal, as the host of a login: each step is a line on standard error, and waits are counted where
//! somebody watches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mobileid::{
    directory::Lookup,
    driver::{Tick, TickVerdict, blocking::World, pins::Pins},
    login::{Login, Withheld},
    notice::Notice,
    text,
};

use crate::{
    out,
    progress::{self, Bound, Progress, Waiting},
    signals,
};

/// Who watches a login from here.
pub(crate) struct Terminal {
    started: Instant,
    pins: Pins,
    given_up: Arc<AtomicBool>,
    progress: Progress,
    /// What is waited for now.
    waiting: Option<Waiting>,
}

impl Terminal {
    /// Begins to count the time, and listens for Ctrl-C.
    ///
    /// # Errors
    /// What the kernel says of the signal.
    pub(crate) fn new(pins: Pins, progress: Progress) -> anyhow::Result<Self> {
        let given_up = signals::give_up()?;
        Ok(Self { started: Instant::now(), pins, given_up, progress, waiting: None })
    }

    /// Tells a step.
    pub(crate) fn step(&self, what: &str) {
        out::say(&format!("{:>8}  {what}", seconds(self.started.elapsed())));
    }

    /// Something is waited for from now on, until the next thing is or [`Self::waited`] ends it.
    pub(crate) fn wait(&mut self, what: &str, bound: Bound) {
        // The old line goes before the new one comes.
        self.waited();
        self.waiting = Some(self.progress.wait(what, bound));
    }

    /// Nothing is waited for any more.
    pub(crate) fn waited(&mut self) {
        self.waiting = None;
    }
}

impl World for Terminal {
    fn passed_over(&mut self, line: &str) {
        self.step(line);
    }

    fn looked_up(&mut self, found: &Lookup) {
        self.waited();
        match found {
            Lookup::Found(subscriber) => {
                let serial = subscriber.serial.as_ref();
                let serial = serial.map_or_else(String::new, |serial| format!(", pinned to {serial}"));
                self.step(&format!("looked up: {}{serial}", subscriber.msisdn));
            }
            Lookup::NotEnrolled => self.step("looked up: in no directory"),
            Lookup::Barred(detail) | Lookup::Unavailable(detail) => {
                self.step(&format!("looked up: {}", text::escaped(detail, 300)));
            }
        }
    }

    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        self.step(&format!("the user reads: {notice}"));
        Ok(())
    }

    fn sending(&mut self, login: &Login) -> Result<(), Withheld> {
        self.step(&format!("AP_TransID: {}", login.ap_trans_id()));
        if let Some(text) = login.text() {
            self.step(&format!("text on the phone: {}", text::escaped(text, 300)));
        }
        let bound = Bound::AtMost(login.deadline().saturating_duration_since(Instant::now()));
        match self.progress {
            Progress::Counted => self.wait("the phone", bound),
            // It surely takes long: who reads a log learns of it, too.
            Progress::Silent | Progress::Once => self.step(&progress::told("the phone", bound)),
        }
        Ok(())
    }

    fn pins(&self) -> Pins {
        self.pins.clone()
    }

    fn tick(&self) -> Tick {
        let given_up = Arc::clone(&self.given_up);
        Arc::new(
            move || {
                if given_up.load(Ordering::Relaxed) { TickVerdict::Cancel } else { TickVerdict::Continue }
            },
        )
    }
}

/// This host, as it is named on the phone.
pub(crate) fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}

/// `1.234 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
