//! What Prometheus reads of us: counted in the loop, written when somebody asks.
//!
//! A scrape goes through the loop itself: the page is what the loop knows at that moment, and a loop that hangs is
//! seen by whoever asks. `text` is the format, `http` the port.

mod histogram;
mod http;
mod text;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mobileid::{
    audit::AuditRecord,
    mss::fault::Fault,
    outcome::{Outcome, Reason, Verdict},
};

use self::text::{Kind, Page};
pub use self::{
    histogram::{Histogram, SharedHistogram},
    http::{Bound, Port, Question, Reply, Topic},
};
use crate::{listener, scribe::Losses, server::Counters};

/// What is counted here because nobody else counts it.
#[derive(Debug, Default)]
pub struct Metrics {
    logins: BTreeMap<(&'static str, &'static str), u64>,
    durations: BTreeMap<&'static str, Histogram>,
    service_errors: BTreeMap<&'static str, u64>,
    upstream: BTreeMap<&'static str, Histogram>,
    reloads: u64,
    reload_failures: u64,
    last_reload: Option<Reloaded>,
}

#[derive(Debug, Clone, Copy)]
struct Reloaded {
    at: SystemTime,
    succeeded: bool,
}

/// What others count and know, at the moment of the page.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Of packets.
    pub packets: &'a Counters,
    /// Of datagrams.
    pub datagrams: listener::Counts,
    /// Of what was to be written down.
    pub losses: Losses,
    /// Of exchanges with the service.
    pub exchanges: &'a Exchanges,
    /// Logins under way.
    pub pending: usize,
    /// The service ends.
    pub draining: bool,
    /// Certificates and when each expires.
    pub certificates: &'a [Certificate],
    /// The time.
    pub now: SystemTime,
}

/// How long exchanges with the service took: counted where they take place.
#[derive(Debug, Default)]
pub struct Exchanges {
    /// Those that ask for a signature.
    pub signature: SharedHistogram,
    /// Those that ask what has become of one.
    pub status: SharedHistogram,
}

/// A certificate that logins depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it is for: `client` or `anchor`.
    pub role: &'static str,
    /// Whose it is.
    pub subject: String,
    /// When it expires.
    pub not_after: SystemTime,
}

impl Metrics {
    /// A login has ended, with this line.
    pub fn login(&mut self, record: &AuditRecord) {
        *self.logins.entry((record.verdict, record.reason)).or_default() += 1;
        self.durations.entry(record.verdict).or_default().observe(Duration::from_millis(record.ms));
    }

    /// A login's task has ended: what went wrong with the service is counted.
    pub fn ended(&mut self, outcome: &Outcome) {
        if let Verdict::Denied(reason) = outcome.verdict
            && is_of_the_service(reason)
        {
            *self.service_errors.entry(reason.name()).or_default() += 1;
        }
    }

    /// A first factor's server has answered so, after so long.
    pub fn upstream(&mut self, answer: &'static str, took: Duration) {
        self.upstream.entry(answer).or_default().observe(took);
    }

    /// The configuration was read again.
    pub fn reloaded(&mut self, at: SystemTime, succeeded: bool) {
        self.reloads += 1;
        self.reload_failures += u64::from(!succeeded);
        self.last_reload = Some(Reloaded { at, succeeded });
    }

    /// The page.
    #[must_use]
    pub fn page(&self, facts: &Facts<'_>) -> String {
        let mut page = Page::default();
        self.build(&mut page);
        self.of_logins(&mut page, facts);
        of_packets(&mut page, facts.packets);
        of_datagrams(&mut page, facts.datagrams);
        of_losses(&mut page, facts.losses);
        of_certificates(&mut page, facts);
        page.finish()
    }

    fn build(&self, page: &mut Page) {
        page.family("mobileid_build_info", Kind::Gauge, "The version of the program; always 1.");
        page.sample("mobileid_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        let help = "How often the configuration was read again.";
        page.only("mobileid_reloads_total", Kind::Counter, help, self.reloads);
        let help = "How often a new configuration was refused, and the old one kept.";
        page.only("mobileid_reload_failures_total", Kind::Counter, help, self.reload_failures);
        let help = "Whether the configuration on disk was taken when it was last read: 0 means that an older one runs.";
        let taken = self.last_reload.is_none_or(|last| last.succeeded);
        page.only("mobileid_config_last_reload_successful", Kind::Gauge, help, u8::from(taken));
        if let Some(last) = self.last_reload {
            let help = "When the configuration was last read again.";
            let name = "mobileid_config_last_reload_timestamp_seconds";
            page.only(name, Kind::Gauge, help, seconds(last.at));
        }
    }

    fn of_logins(&self, page: &mut Page, facts: &Facts<'_>) {
        let name = "mobileid_logins_total";
        page.family(name, Kind::Counter, "Logins that have ended.");
        for ((verdict, reason), count) in &self.logins {
            page.sample(name, &[("verdict", verdict), ("reason", reason)], count);
        }
        let help = "Logins under way.";
        page.only("mobileid_logins_pending", Kind::Gauge, help, facts.pending);
        let help = "Logins that asked a phone here.";
        page.only("mobileid_logins_begun_total", Kind::Counter, help, facts.packets.logins);
        let help = "Logins of another node that were finished here.";
        page.only("mobileid_logins_resumed_total", Kind::Counter, help, facts.packets.resumed);
        let name = "mobileid_login_duration_seconds";
        page.family(name, Kind::Histogram, "From the first packet of a login to its verdict.");
        for (verdict, histogram) in &self.durations {
            histogram.write(page, name, ("verdict", verdict));
        }
        let name = "mobileid_service_errors_total";
        page.family(
            name,
            Kind::Counter,
            "Logins that failed because of the Mobile ID service or the way to it.",
        );
        for (reason, count) in &self.service_errors {
            page.sample(name, &[("reason", reason)], count);
        }
        let name = "mobileid_service_exchange_duration_seconds";
        page.family(
            name,
            Kind::Histogram,
            "How long an exchange with the service took; a synchronous signature waits for the person.",
        );
        for (kind, histogram) in
            [("signature", &facts.exchanges.signature), ("status", &facts.exchanges.status)]
        {
            let histogram = histogram.look();
            if !histogram.is_empty() {
                histogram.write(page, name, ("kind", kind));
            }
        }
        let name = "mobileid_first_factor_duration_seconds";
        page.family(name, Kind::Histogram, "How long the first factor's server took, by its answer.");
        for (answer, histogram) in &self.upstream {
            histogram.write(page, name, ("answer", answer));
        }
        let help = "Whether no new logins are taken because the service ends.";
        page.only("mobileid_draining", Kind::Gauge, help, u8::from(facts.draining));
    }
}

/// Did it end because of the service or the way to it, and not because of a person or the configuration?
fn is_of_the_service(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Unreachable(_)
            | Reason::Unreadable(_)
            | Reason::AnswerLost
            | Reason::Fault(Fault::InternalError | Fault::UnauthorizedAccess | Fault::Unknown(_))
    )
}

fn of_packets(page: &mut Page, counters: &Counters) {
    let name = "mobileid_packets_total";
    page.family(
        name,
        Kind::Counter,
        "Packets by client and by what became of them; the client is empty if unknown.",
    );
    let unknown = std::iter::once(("", &counters.unknown));
    for (client, fates) in counters.clients.iter().map(|(name, fates)| (&**name, fates)).chain(unknown) {
        for (fate, count) in fates.iter().filter(|(_, count)| *count > 0) {
            page.sample(name, &[("client", client), ("fate", fate.name())], count);
        }
    }
}

fn of_datagrams(page: &mut Page, counts: listener::Counts) {
    let name = "mobileid_datagrams_total";
    page.family(name, Kind::Counter, "Datagrams at the sockets.");
    for (what, count) in [
        ("received", counts.received),
        ("sent", counts.sent),
        ("receive-error", counts.receive_errors),
        ("send-error", counts.send_errors),
        ("listener-gone", counts.orphaned),
        ("queue-full", counts.overflowed),
    ] {
        page.sample(name, &[("what", what)], count);
    }
}

fn of_losses(page: &mut Page, losses: Losses) {
    let name = "mobileid_write_errors_total";
    page.family(name, Kind::Counter, "What could not be written down.");
    for (what, count) in [
        ("audit", losses.audit),
        ("evidence", losses.evidence),
        ("learnt", losses.learnt),
        ("overflow", losses.entries),
    ] {
        page.sample(name, &[("what", what)], count);
    }
}

fn of_certificates(page: &mut Page, facts: &Facts<'_>) {
    let name = "mobileid_certificate_expires_in_days";
    page.family(
        name,
        Kind::Gauge,
        "Days until a certificate expires that logins depend on; negative afterwards.",
    );
    for certificate in facts.certificates {
        let left = (seconds(certificate.not_after) - seconds(facts.now)) / 86_400.0;
        let labels = [("role", certificate.role), ("subject", certificate.subject.as_str())];
        page.sample(name, &labels, format_args!("{left:.2}"));
    }
}

/// Since 1970, as Prometheus counts.
fn seconds(at: SystemTime) -> f64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
