//! `[pam]`: what it comes to, and what in it does not fit this host.

use ipnet::IpNet;
use mobileid::config::{Exempt, OnUnreachable, PamConfig, Require, SshdMessage, SuIdentity};
use nix::{
    errno::Errno,
    unistd::{Group, User},
};
use serde::Serialize;

const EVERYBODY: &str = "everybody";
const NOBODY: &str = "nobody";

/// The rules, for the report.
#[derive(Serialize)]
pub(super) struct PamFacts {
    asks: String,
    lets_in: String,
    sshd_message: &'static str,
    su_identity: &'static str,
    on_unreachable: &'static str,
    grace_seconds: Option<u64>,
    push_limit: u32,
    push_window_seconds: u64,
}

/// A key of `[pam]`, and what is to be said about it.
pub(super) struct Finding {
    pub(super) key: &'static str,
    pub(super) what: String,
}

pub(super) fn look(pam: &PamConfig) -> (PamFacts, Vec<Finding>) {
    let facts = PamFacts {
        asks: asked(&pam.require),
        lets_in: let_in(&pam.exempt),
        sshd_message: match pam.sshd_message {
            SshdMessage::Auto => "auto",
            SshdMessage::Prompt => "prompt",
            SshdMessage::Info => "info",
            SshdMessage::None => "none",
        },
        su_identity: match pam.su_identity {
            SuIdentity::Auto => "auto",
            SuIdentity::Caller => "caller",
            SuIdentity::Target => "target",
        },
        on_unreachable: match pam.on_unreachable {
            OnUnreachable::Deny => "deny",
            OnUnreachable::Allow => "allow",
        },
        grace_seconds: pam.grace.map(|grace| grace.as_secs()),
        push_limit: pam.push_limit,
        push_window_seconds: pam.push_window.as_secs(),
    };
    (facts, findings(pam))
}

impl PamFacts {
    /// Five lines.
    pub(super) fn in_words(&self) -> [String; 5] {
        let grace = self.grace_seconds.map_or_else(|| "none".to_owned(), shown);
        let (limit, window) = (self.push_limit, shown(self.push_window_seconds));
        let [asks, lets_in] = self.whom_in_words();
        [
            asks,
            lets_in,
            format!(
                "service unreachable: {}, grace: {grace}, pushes in vain: {limit} in {window}",
                self.on_unreachable
            ),
            format!("sshd_message {}: {}", self.sshd_message, under_sshd(self.sshd_message)),
            format!("su_identity {}: {}", self.su_identity, under_su(self.su_identity)),
        ]
    }

    /// One sentence, that nobody reads the first half for the whole.
    fn whom_in_words(&self) -> [String; 2] {
        match (self.asks.as_str(), self.lets_in.as_str()) {
            (asks, NOBODY) => [format!("asks {asks}"), "lets in without the phone: nobody".to_owned()],
            (EVERYBODY, spared) => ["asks everybody but:".to_owned(), without_phone(spared)],
            (asks, spared) => [format!("asks {asks}, but not:"), without_phone(spared)],
        }
    }
}

fn without_phone(spared: &str) -> String {
    format!("{spared}: let in without the phone")
}

fn under_sshd(message: &str) -> &'static str {
    match message {
        "prompt" => "sshd shows the code as a prompt, for Enter",
        "info" => "sshd shows the code as information, which before OpenSSH 10.3 comes after the login",
        "none" => "sshd shows no code",
        _ => "sshd shows the code at once: as information, or before OpenSSH 10.3 as a prompt",
    }
}

fn under_su(identity: &str) -> &'static str {
    match identity {
        "caller" => "su asks the caller's phone",
        "target" => "su asks the target's phone",
        _ => "su asks the caller's phone where the target is root, else the target's",
    }
}

/// A duration as it is written in the configuration.
fn shown(seconds: u64) -> String {
    match seconds {
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

fn asked(require: &Require) -> String {
    let whom: Vec<_> = [("user", &require.users), ("group", &require.groups)]
        .into_iter()
        .filter_map(|(kind, names)| names.as_deref().and_then(|names| listed(kind, names)))
        .collect();
    let whom = if whom.is_empty() { EVERYBODY.to_owned() } else { whom.join(" or ") };
    let services = require.services.as_deref().and_then(|names| listed("service", names));
    services.map_or_else(|| whom.clone(), |services| format!("{whom}, only in {services}"))
}

fn let_in(exempt: &Exempt) -> String {
    let all = [("service", &exempt.services), ("user", &exempt.users), ("group", &exempt.groups)];
    let mut all: Vec<_> = all.into_iter().filter_map(|(kind, names)| listed(kind, names)).collect();
    let (here, elsewhere): (Vec<_>, Vec<_>) = exempt.networks.iter().partition(|it| it.addr().is_loopback());
    if !elsewhere.is_empty() {
        all.push(format!("ssh from {}", networks(&elsewhere)));
    }
    if !here.is_empty() {
        all.push(format!("ssh from this host itself ({})", networks(&here)));
    }
    if all.is_empty() { NOBODY.to_owned() } else { all.join(" or ") }
}

/// As they are written: a single address without the length of its prefix.
fn networks(networks: &[&IpNet]) -> String {
    let shown = |network: &&IpNet| match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    };
    networks.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// `users alice, bob`; none where there are none.
fn listed(kind: &str, names: &[String]) -> Option<String> {
    let plural = if names.len() == 1 { "" } else { "s" };
    (!names.is_empty()).then(|| format!("{kind}{plural} {}", names.join(", ")))
}

fn findings(pam: &PamConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |key, what| findings.push(Finding { key, what });
    if pam.on_unreachable == OnUnreachable::Allow {
        let what =
            "is \"allow\": whoever can keep this host from the Mobile ID service is let in without a phone";
        find("pam.on_unreachable", what.to_owned());
    }
    for (key, names) in [
        ("pam.require.users", pam.require.users.as_deref().unwrap_or_default()),
        ("pam.exempt.users", &pam.exempt.users),
    ] {
        names.iter().filter_map(|name| misnamed(name)).for_each(|what| find(key, what));
    }
    for (key, names, then) in [
        ("pam.require.groups", pam.require.groups.as_deref().unwrap_or_default(), "everybody is asked"),
        ("pam.exempt.groups", &pam.exempt.groups, "nobody is let in by it"),
    ] {
        names.iter().filter_map(|name| no_group(name, then)).for_each(|what| find(key, what));
    }
    for network in pam.exempt.networks.iter().filter(|network| is_wide(network)) {
        let what =
            format!("{network} is wide: whoever connects from anywhere in it is let in without a phone");
        find("pam.exempt.networks", what);
    }
    findings
}

/// The module knows an account by the name that the user database has for it, and by no other.
fn misnamed(name: &str) -> Option<String> {
    match User::from_name(name) {
        Ok(Some(user)) if user.name == name => None,
        Ok(Some(user)) => Some(format!("{name} fits nobody: this host writes it {}", user.name)),
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => Some(format!("{name} is no account of this host")),
        Err(errno) => Some(format!("{name} cannot be looked up: {errno}")),
    }
}

fn no_group(name: &str, then: &str) -> Option<String> {
    match Group::from_name(name) {
        Ok(Some(_)) => None,
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
            Some(format!("{name} is no group of this host: {then}"))
        }
        Err(errno) => Some(format!("{name} cannot be looked up: {errno}; {then}")),
    }
}

/// More than a /8 of IPv4; of IPv6, more than one provider has.
fn is_wide(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 32,
    }
}
