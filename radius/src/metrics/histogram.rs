//! How long things took, in buckets.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::text::{Label, Page};

/// The upper ends of the buckets: a service's answer is at the low end, a person's at the high one.
const BOUNDS: [Duration; 14] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(45),
    Duration::from_secs(60),
    Duration::from_secs(90),
];

/// Durations, counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn observe(&mut self, took: Duration) {
        if let Some((_, count)) = BOUNDS.iter().zip(&mut self.buckets).find(|(bound, _)| took <= **bound) {
            *count += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(took);
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes its samples, with `label` beside the bucket's own.
    pub(super) fn write(&self, page: &mut Page, name: &str, label: Label<'_>) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(&self.buckets) {
            below += count;
            page.sample(&bucket, &[label, ("le", &bound.as_secs_f64().to_string())], below);
        }
        page.sample(&bucket, &[label, ("le", "+Inf")], self.count);
        page.sample(&format!("{name}_sum"), &[label], self.sum.as_secs_f64());
        page.sample(&format!("{name}_count"), &[label], self.count);
    }
}

/// Durations, counted by many threads at once. A look in between may see one that is not counted everywhere yet.
#[derive(Debug, Default)]
pub struct SharedHistogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl SharedHistogram {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        if let Some((_, count)) = BOUNDS.iter().zip(&self.buckets).find(|(bound, _)| took <= **bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn look(&self) -> Histogram {
        let mut buckets = self.buckets.iter().map(|count| count.load(Ordering::Relaxed));
        Histogram {
            buckets: array::from_fn(|_| buckets.next().unwrap_or_default()),
            count: self.count.load(Ordering::Relaxed),
            sum: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }
}
