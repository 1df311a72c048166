//! Work that blocks, beside the runtime's threads: a directory is asked with blocking sockets, as in the PAM module.
//!
//! So many threads may wait at once and no more; who comes then waits for a place, without a thread. Work that nobody
//! waits for any more is told so, and ends within a tick.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mobileid::driver::{Tick, TickVerdict};
use tokio::{sync::Semaphore, task};

/// The most threads that wait for directories.
const PLACES: usize = 64;

/// The places.
#[derive(Debug, Clone)]
pub struct Aside(Arc<Semaphore>);

impl Default for Aside {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Aside {
    /// Does it on a thread of its own. None where that thread came to no end of its own making: it panicked, or the
    /// process ends.
    pub async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tick) -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let abandoned = Abandoned::default();
        let flag = Arc::clone(&abandoned.0);
        let tick: Tick = Arc::new(move || match flag.load(Ordering::Relaxed) {
            true => TickVerdict::Cancel,
            false => TickVerdict::Continue,
        });
        let done = task::spawn_blocking(move || {
            let _place = place;
            work(&tick)
        });
        done.await.ok()
    }
}

/// Raised when whoever waits is dropped.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        time::{Duration, Instant},
    };

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_told_so() {
        let (tell, told) = mpsc::channel();
        let aside = Aside::default();
        let work = aside.carry_out(move |tick: &Tick| {
            tell.send(()).unwrap();
            let begun = Instant::now();
            while tick() == TickVerdict::Continue && begun.elapsed() < Duration::from_secs(20) {
                std::thread::yield_now();
            }
            tell.send(()).unwrap();
            begun.elapsed()
        });
        let given_up = tokio::time::timeout(Duration::from_millis(100), work).await;
        assert!(given_up.is_err());
        for _ in 0..2 {
            told.recv_timeout(Duration::from_secs(10)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_leaves_its_place() {
        let aside = Aside(Arc::new(Semaphore::new(1)));
        assert_eq!(aside.carry_out(|_| panic!("as a defect would")).await, None::<()>);
        assert_eq!(aside.carry_out(|_| 7).await, Some(7));
    }
}
