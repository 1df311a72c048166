//! Which rules of the configuration apply to one person: whether the phone is asked, language, method, patience.

use std::{net::IpAddr, time::Duration};

use crate::{
    config::{Config, MessagingMode, PamConfig},
    mss::status,
    outcome::Exemption,
    subscriber::{Language, Profile, Subscriber, UserName},
};

/// A login, as far as the rules of `[pam]` look at it.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// Whose phone would be asked.
    pub user: &'a UserName,
    /// The PAM service.
    pub service: &'a str,
    /// Where the connection comes from, as the kernel knows it; none for a local login.
    pub address: Option<IpAddr>,
}

/// Whether somebody is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// Yes.
    Yes,
    /// No.
    No,
    /// There is no such group, or nobody can tell: the phone is asked.
    Unknown,
}

/// Why the rules of `[pam]` let somebody in without the phone; none where it is asked.
///
/// What cannot be told counts against the applicant: a group that does not exist exempts nobody, and as one of those
/// that must be asked it means everybody.
pub fn exempt(
    rules: &PamConfig,
    who: &Applicant<'_>,
    mut member: impl FnMut(&str) -> Member,
) -> Option<Exemption> {
    let named = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
    let (require, exempt) = (&rules.require, &rules.exempt);
    let is_required = |services: &Vec<String>| services.iter().any(|listed| covers(listed, who.service));
    if require.services.as_ref().is_some_and(|services| !is_required(services)) {
        return Some(Exemption::NotRequired);
    }
    if require.users.is_some() || require.groups.is_some() {
        let by_name = require.users.as_ref().is_some_and(|users| named(users, who.user.as_str()));
        let by_group = |group: &String| member(group) != Member::No;
        if !by_name && !require.groups.iter().flatten().any(by_group) {
            return Some(Exemption::NotRequired);
        }
    }
    if named(&exempt.services, who.service) {
        return Some(Exemption::Service);
    }
    if named(&exempt.users, who.user.as_str()) {
        return Some(Exemption::User);
    }
    let address = who.address.map(|address| address.to_canonical());
    if address.is_some_and(|address| exempt.networks.iter().any(|network| network.contains(&address))) {
        return Some(Exemption::Network);
    }
    exempt.groups.iter().any(|group| member(group) == Member::Yes).then_some(Exemption::Group)
}

/// Whether a service that must ask is this one. `sudo -i` and `su -` have names of their own in PAM: whoever lists `sudo`
/// has not meant to leave that door open.
fn covers(listed: &str, service: &str) -> bool {
    listed == service || matches!((listed, service), ("sudo", "sudo-i") | ("su", "su-l"))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Exempt, Require};

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// alice is in `staff`, of `lost` nobody can tell, and in no other.
    fn judged(rules: &PamConfig, service: &str, address: Option<&str>) -> Option<Exemption> {
        let user = "alice".parse().unwrap();
        let who = Applicant { user: &user, service, address: address.map(|a| a.parse().unwrap()) };
        exempt(rules, &who, |group| match group {
            "staff" => Member::Yes,
            "lost" => Member::Unknown,
            _ => Member::No,
        })
    }

    #[test]
    fn without_rules_everybody_is_asked() {
        assert_eq!(judged(&PamConfig::default(), "sshd", Some("10.0.0.1")), None);
    }

    #[test]
    fn who_must_be_asked() {
        let some = |names: &[&str]| (!names.is_empty()).then(|| list(names));
        let asked = None;
        let spared = Some(Exemption::NotRequired);
        for (services, users, groups, expected) in [
            (&["sshd"][..], &[][..], &[][..], asked),
            (&["sudo"], &[], &[], spared),
            (&[], &["alice"], &[], asked),
            (&[], &["bob"], &[], spared),
            (&[], &[], &["staff"], asked),
            (&[], &[], &["others"], spared),
            (&[], &["bob"], &["staff"], asked),
            (&[], &["bob"], &["others"], spared),
            (&["sshd"], &["alice"], &[], asked),
            (&["sudo"], &["alice"], &[], spared),
            // Nobody can tell: everybody is asked.
            (&[], &["bob"], &["lost"], asked),
        ] {
            let require = Require { services: some(services), users: some(users), groups: some(groups) };
            let rules = PamConfig { require: require.clone(), ..PamConfig::default() };
            assert_eq!(judged(&rules, "sshd", None), expected, "{require:?}");
        }
    }

    #[test]
    fn who_requires_sudo_requires_its_second_name_too() {
        let asks = |listed: &str| {
            let services = Some(list(&["sshd", listed]));
            PamConfig { require: Require { services, ..Require::default() }, ..PamConfig::default() }
        };
        for (listed, service, spared) in [
            ("sudo", "sudo-i", None),
            ("su", "su-l", None),
            ("sudo-i", "sudo", Some(Exemption::NotRequired)),
            ("su", "sudo", Some(Exemption::NotRequired)),
            ("sudo", "su-l", Some(Exemption::NotRequired)),
        ] {
            assert_eq!(judged(&asks(listed), service, None), spared, "{listed} {service}");
        }
        // An exemption is what is written, and no more.
        let services = list(&["sudo", "su"]);
        let rules = PamConfig { exempt: Exempt { services, ..Exempt::default() }, ..PamConfig::default() };
        for service in ["sudo-i", "su-l"] {
            assert_eq!(judged(&rules, service, None), None, "{service}");
        }
    }

    #[test]
    fn who_is_let_in_without() {
        let network = || vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let nothing = Exempt::default;
        for (exempt, address, expected) in [
            (Exempt { services: list(&["sshd"]), ..nothing() }, None, Some(Exemption::Service)),
            (Exempt { services: list(&["sudo"]), ..nothing() }, None, None),
            (Exempt { users: list(&["alice"]), ..nothing() }, None, Some(Exemption::User)),
            (Exempt { users: list(&["ALICE"]), ..nothing() }, None, None),
            (Exempt { groups: list(&["staff"]), ..nothing() }, None, Some(Exemption::Group)),
            (Exempt { groups: list(&["lost", "others"]), ..nothing() }, None, None),
            (Exempt { networks: network(), ..nothing() }, Some("10.9.8.7"), Some(Exemption::Network)),
            (Exempt { networks: network(), ..nothing() }, Some("::ffff:10.9.8.7"), Some(Exemption::Network)),
            (Exempt { networks: network(), ..nothing() }, Some("2001:db8::7"), Some(Exemption::Network)),
            (Exempt { networks: network(), ..nothing() }, Some("11.0.0.1"), None),
            (Exempt { networks: network(), ..nothing() }, Some("::10.0.0.1"), None),
            // A local login comes from no network.
            (Exempt { networks: network(), ..nothing() }, None, None),
        ] {
            let rules = PamConfig { exempt: exempt.clone(), ..PamConfig::default() };
            assert_eq!(judged(&rules, "sshd", address), expected, "{exempt:?} {address:?}");
        }
    }
}
