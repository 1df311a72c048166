//! Which rules of the configuration apply to one person: language, method, patience.

use std::time::Duration;

use crate::{
    config::{Config, MessagingMode},
    mss::status,
    subscriber::{Language, Profile, Subscriber},
};

/// What was decided for one login before anybody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// UserLang, and the language of the notices.
    pub language: Language,
    /// The signature profile to ask for.
    pub profile: Profile,
    /// How long the service may wait for the person.
    pub patience: Duration,
    /// How long we wait for the signature.
    pub limit: Duration,
    /// How long we wait for the answer to the request, which in asynchronous mode is not the signature yet.
    pub answer: Duration,
}

/// The shortest time that the service may be given: a person needs it, and the service wants whole seconds.
const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// The terms for a subscriber with `left` until the login's deadline; none if no useful time is left.
///
/// The service gives up before we do, so that its answer still reaches us: what is kept back is the gap
/// between the two configured limits (10 s in guide 4.3).
#[must_use]
pub fn terms(config: &Config, subscriber: &Subscriber, left: Duration) -> Option<Terms> {
    let profile = profile(config, subscriber);
    let (patience, limit) = config.timeouts.of(profile);
    let gap = limit.saturating_sub(patience);
    let limit = limit.min(left);
    let patience = patience.min(whole_seconds(limit.saturating_sub(gap)));
    let answer = match config.mode {
        MessagingMode::Synch => limit,
        // That the request was taken is said at once (guide 4.3).
        MessagingMode::Asynch => limit.min(status::LIMIT),
    };
    (patience >= PATIENCE_MIN).then(|| Terms {
        language: language(config, subscriber),
        profile,
        patience,
        limit,
        answer,
    })
}

/// The person's language, or the configured one.
#[must_use]
pub fn language(config: &Config, subscriber: &Subscriber) -> Language {
    subscriber.language.unwrap_or(config.language)
}

/// The person's method, or the configured one.
#[must_use]
pub fn profile(config: &Config, subscriber: &Subscriber) -> Profile {
    subscriber.profile.unwrap_or(config.profile)
}

/// Rounded up: the wire has whole seconds, and the milliseconds that a login has already taken shall not cost one.
/// What the gap loses by it is less than a second.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)))
}

/// How long a login may take in all, before its method is known.
#[must_use]
pub fn longest(config: &Config) -> Duration {
    config.timeouts.sim_connection.max(config.timeouts.app_connection)
}
