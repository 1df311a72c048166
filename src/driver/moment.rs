//! Which moment it is, for what is remembered between logins ([`crate::memory`]).

use std::{fs, time::Duration};

use nix::time::{ClockId, clock_gettime};

use crate::memory::Moment;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The present, by the kernel: which boot this is, and how long ago it was.
///
/// # Errors
/// A sentence: without /proc, or without the clock, no time can be remembered.
pub fn moment() -> Result<Moment, String> {
    let boot = fs::read_to_string(BOOT_ID).map_err(|e| format!("{BOOT_ID}: cannot be read: {e}"))?;
    let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map_err(|e| format!("the clock CLOCK_BOOTTIME: {e}"))?;
    Ok(Moment { boot: boot.trim().to_owned(), up: Duration::from(up) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_within_one_boot() {
        let earlier = moment().unwrap();
        let later = moment().unwrap();
        assert!(later.since(&earlier).is_some(), "{earlier:?} {later:?}");
        // A UUID, without the line's end.
        assert_eq!(earlier.boot.len(), 36, "{earlier:?}");
        // The kernel says the same there, in seconds and hundredths.
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!((uptime - later.up.as_secs_f64()).abs() < 60.0, "{uptime} {later:?}");
    }
}
