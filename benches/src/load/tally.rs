//! What became of the logins.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) challenged: u64,
    pub(super) lost: u64,
    pub(super) bad: u64,
    pub(super) unmarked: u64,
    pub(super) marked_late: u64,
    pub(super) proxy_lost: u64,
    pub(super) stray: u64,
    pub(super) repeated: u64,
    pub(super) twins: u64,
    pub(super) twins_answered: u64,
    pub(super) not_sent: u64,
    pub(super) refused_by_host: u64,
    took: Vec<Duration>,
    last: Option<Instant>,
}

impl Tally {
    pub(super) fn new(count: u32) -> Tally {
        Tally { took: Vec::with_capacity(usize::try_from(count).unwrap_or_default()), ..Tally::default() }
    }

    /// A login that began then has ended now.
    pub(super) fn took(&mut self, since: Instant) {
        let now = Instant::now();
        self.took.push(now.saturating_duration_since(since));
        self.last = Some(now);
    }

    pub(super) fn report(mut self, epoch: Instant, cpu: Duration) -> Report {
        self.took.sort_unstable();
        Report {
            accepted: self.accepted,
            rejected: self.rejected,
            challenged: self.challenged,
            lost: self.lost,
            bad: self.bad,
            unmarked: self.unmarked,
            marked_late: self.marked_late,
            proxy_lost: self.proxy_lost,
            stray: self.stray,
            repeated: self.repeated,
            twins: self.twins,
            twins_answered: self.twins_answered,
            not_sent: self.not_sent,
            refused_by_host: self.refused_by_host,
            wall: self.last.map_or(Duration::ZERO, |last| last.saturating_duration_since(epoch)),
            cpu,
            took: self.took,
        }
    }
}

/// What a load came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Access-Accepts.
    pub accepted: u64,
    /// Access-Rejects.
    pub rejected: u64,
    /// Access-Challenges, whether followed up or not.
    pub challenged: u64,
    /// Logins that got no answer at all.
    pub lost: u64,
    /// Answers that are malformed or that the secret does not vouch for; a login still waits after one.
    pub bad: u64,
    /// Good answers without a Message-Authenticator.
    pub unmarked: u64,
    /// Good answers with a Message-Authenticator that is not the first attribute.
    pub marked_late: u64,
    /// Answers in which the Proxy-States are not as they were sent.
    pub proxy_lost: u64,
    /// Answers that nobody waits for.
    pub stray: u64,
    /// Packets sent again.
    pub repeated: u64,
    /// Second requests for a login that waits.
    pub twins: u64,
    /// Answers to those.
    pub twins_answered: u64,
    /// Packets that the kernel did not take.
    pub not_sent: u64,
    /// Times that nobody listened there.
    pub refused_by_host: u64,
    /// From the beginning to the last answer.
    pub wall: Duration,
    /// What the generator itself has used.
    pub cpu: Duration,
    /// How long each answered login took, shortest first.
    pub took: Vec<Duration>,
}

impl Report {
    /// Logins that got their answer.
    #[must_use]
    pub fn answered(&self) -> u64 {
        u64::try_from(self.took.len()).unwrap_or(u64::MAX)
    }

    /// Answered logins per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        per(self.answered(), self.wall)
    }

    /// Logins per second that one core's worth of the generator makes: far above the rate, or it is the limit.
    #[must_use]
    pub fn generator_rate(&self) -> f64 {
        per(self.answered(), self.cpu)
    }

    /// How long it took for so many out of a hundred; zero if there were none.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.took.len() * percent).div_ceil(100).saturating_sub(1);
        self.took.get(place).copied().unwrap_or_default()
    }

    /// Every count and the usual percentiles.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let milliseconds = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        json!({
            "accepted": self.accepted, "rejected": self.rejected, "challenged": self.challenged,
            "lost": self.lost, "bad": self.bad, "unmarked": self.unmarked, "marked_late": self.marked_late,
            "proxy_lost": self.proxy_lost, "stray": self.stray, "repeated": self.repeated,
            "twins": self.twins, "twins_answered": self.twins_answered, "not_sent": self.not_sent,
            "refused_by_host": self.refused_by_host, "wall_s": self.wall.as_secs_f64(),
            "generator_cpu_s": self.cpu.as_secs_f64(), "rate": self.rate(),
            "generator_rate": self.generator_rate(), "p50_ms": milliseconds(50), "p90_ms": milliseconds(90),
            "p99_ms": milliseconds(99), "max_ms": milliseconds(100),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        writeln!(
            f,
            "accepted {}  rejected {}  challenged {}  lost {}  bad {}  stray {}",
            self.accepted, self.rejected, self.challenged, self.lost, self.bad, self.stray
        )?;
        writeln!(
            f,
            "without Message-Authenticator {}  with a late one {}  Proxy-State wrong {}",
            self.unmarked, self.marked_late, self.proxy_lost
        )?;
        writeln!(
            f,
            "sent again {}  twins {}, answered {}  not sent {}  nobody there {}",
            self.repeated, self.twins, self.twins_answered, self.not_sent, self.refused_by_host
        )?;
        writeln!(
            f,
            "{:.3} s  {:.0}/s (the generator could do {:.0}/s)",
            self.wall.as_secs_f64(),
            self.rate(),
            self.generator_rate()
        )?;
        writeln!(
            f,
            "ms: p50 {:.3}  p90 {:.3}  p99 {:.3}  max {:.3}",
            milliseconds(50),
            milliseconds(90),
            milliseconds(99),
            milliseconds(100)
        )
    }
}

/// So many in that time, per second.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn per(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}
