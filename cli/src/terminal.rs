//! The person at the terminal, as the host of a login: each step is a line on standard error, and the wait is counted
//! where somebody watches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
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

use crate::{out, signals};

/// Who watches a login from here.
pub(crate) struct Terminal {
    started: Instant,
    pins: Pins,
    given_up: Arc<AtomicBool>,
    /// Whether the wait is being counted on the screen.
    counting: Arc<AtomicBool>,
}

impl Terminal {
    /// Begins to count the time, and listens for Ctrl-C.
    ///
    /// # Errors
    /// What the kernel says of the signal.
    pub(crate) fn new(pins: Pins) -> anyhow::Result<Self> {
        let given_up = signals::give_up()?;
        Ok(Self { started: Instant::now(), pins, given_up, counting: Arc::default() })
    }

    /// Tells a step.
    pub(crate) fn step(&self, what: &str) {
        out::say(&format!("{:>8}  {what}", seconds(self.started.elapsed())));
    }

    /// Ends the counting.
    pub(crate) fn waited(&self) {
        if self.counting.swap(false, Ordering::Relaxed) {
            out::overwrite("");
        }
    }
}

impl World for Terminal {
    fn passed_over(&mut self, line: &str) {
        self.step(line);
    }

    fn looked_up(&mut self, found: &Lookup) {
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
        let limit = login.deadline().saturating_duration_since(Instant::now());
        if out::is_watched() {
            self.counting.store(true, Ordering::Relaxed);
        } else {
            self.step(&format!("waiting for the phone, {:.0} s at most", limit.as_secs_f64()));
        }
        Ok(())
    }

    fn pins(&self) -> Pins {
        self.pins.clone()
    }

    fn tick(&self) -> Tick {
        let (given_up, counting) = (Arc::clone(&self.given_up), Arc::clone(&self.counting));
        let since = Instant::now();
        let told = AtomicU64::new(u64::MAX);
        Arc::new(move || {
            let passed = since.elapsed().as_secs();
            if counting.load(Ordering::Relaxed) && told.swap(passed, Ordering::Relaxed) != passed {
                out::overwrite(&format!("          waiting for the phone: {passed} s (Ctrl-C gives up)"));
            }
            if given_up.load(Ordering::Relaxed) { TickVerdict::Cancel } else { TickVerdict::Continue }
        })
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
