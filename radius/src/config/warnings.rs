//! What is allowed and yet worth a second look: told at every start and by `--check`, with its line.

use std::fmt;

use mobileid::{
    config::{Located, MessagingMode, Mistake, Unenrolled},
    load::Setup,
    policy,
};

use super::{
    MessageAuthenticator, Mode, ProxyState, client::ClientDraft, factor::FactorDraft, file::File,
    times::shortest,
};
use crate::{
    identity::Realms,
    rules::{Condition, Rule, Then},
    upstream::AnswerSignature,
};

/// Warnings as they are found.
pub(super) struct Noted {
    file: String,
    found: Vec<Mistake>,
}

impl Noted {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    pub(super) fn add(&mut self, line: usize, key: &str, what: impl fmt::Display) {
        let (file, key) = (self.file.clone(), key.to_owned());
        self.found.push(Mistake { file, line: Some(line), key, what: what.to_string() });
    }

    /// In the order of the file.
    pub(super) fn into_warnings(mut self) -> Vec<Mistake> {
        self.found.sort_by_key(|warning| warning.line);
        self.found
    }
}

pub(super) fn of_file(file: &File, setup: &Setup, noted: &mut Noted) {
    for client in &file.clients {
        of_signatures(client, noted);
        of_people(client, noted);
        of_times(client, file, setup, noted);
    }
    for upstream in &file.upstreams {
        let at = &upstream.message_authenticator;
        if at.value == AnswerSignature::Optional {
            let what = format_args!(
                "of {} is \"optional\": who sits between us and it can make a refusal an accept (CVE-2024-3596)",
                upstream.name
            );
            noted.add(at.line, &at.key, what);
        }
        let asked = |c: &ClientDraft| matches!(&c.first_factor.value, FactorDraft::Upstream { name, .. } if name.value == upstream.name);
        if !file.clients.iter().any(asked) {
            noted.add(
                upstream.line,
                "upstream.name",
                format_args!("{} is asked by no client", upstream.name),
            );
        }
    }
    of_rules(file, noted);
    for (name, _) in setup.directories.ldap().filter(|(_, ldap)| ldap.attributes.user.is_none()) {
        let what = format_args!(
            "has the directory {name} without attributes.user: where its server takes ALICE for alice, each spelling gets \
             limits.pushes_per_user of its own"
        );
        noted.add(file.mobileid.line, &file.mobileid.key, what);
    }
    if setup.config.unenrolled == Unenrolled::Allow {
        let what = "has users.unenrolled = \"allow\", and so has this file: who writes a user's name in another way, which the server of the \
                    password takes for the same (ALICE), is let in without a phone";
        noted.add(file.mobileid.line, &file.mobileid.key, what);
    }
    let challenges = file.clients.iter().any(|client| client.mode != Mode::Wait);
    if challenges && setup.config.mode == MessagingMode::Asynch && file.state_key_file.is_none() {
        let what = "is absent: a login that is challenged can be finished neither by another node nor by this one after \
                    a restart";
        noted.add(1, "state_key_file", what);
    }
}

fn of_signatures(client: &ClientDraft, noted: &mut Noted) {
    let at = &client.message_authenticator;
    let what = match at.value {
        MessageAuthenticator::Required => {
            if client.proxy_state.value == ProxyState::Unguarded {
                let at = &client.proxy_state;
                let what =
                    format_args!("of {} has no effect: every request must be signed anyway", client.name);
                noted.add(at.line, &at.key, what);
            }
            return;
        }
        MessageAuthenticator::Learn => {
            "is \"learn\": until an address has once sent a signed request, its requests can be made up or changed on \
             the way (CVE-2024-3596)"
        }
        MessageAuthenticator::Optional => {
            "is \"optional\": its requests can be made up or changed on the way (CVE-2024-3596)"
        }
    };
    noted.add(at.line, &at.key, format_args!("of {} {what}", client.name));
    let network =
        client.networks.iter().find(|network| network.value.prefix_len() < network.value.max_prefix_len());
    if let Some(network) = network.filter(|_| client.learns()) {
        let what =
            format_args!("{} of {} is a network: its hosts are never learnt", network.value, client.name);
        noted.add(network.line, &network.key, what);
    }
    if client.proxy_state.value == ProxyState::Unguarded {
        let at = &client.proxy_state;
        let what =
            format_args!("of {} is \"unguarded\": the very shape of the attack is let through", client.name);
        noted.add(at.line, &at.key, what);
    }
}

fn of_people(client: &ClientDraft, noted: &mut Noted) {
    let name = &client.name;
    if client.first_factor.value == FactorDraft::Ignored {
        let Located { line, key, .. } = &client.first_factor;
        let what =
            format_args!("of {name} is \"none\": the phone is the only factor unless the NAS checks another");
        noted.add(*line, key, what);
    }
    if client.realms.numbers && client.first_factor.value == FactorDraft::Ignored {
        let what = format_args!(
            "of {name} makes a phone number a name, and no password is asked for here: whoever has a Mobile ID is let in, \
             and whoever knows a number makes that phone ring, unless the NAS has checked who may"
        );
        noted.add(client.line, "client.msisdn_from_user_name", what);
    }
    if client.realms.strip == Realms::Every {
        let what = format_args!("of {name} is \"*\": people of the same name in two realms are one person");
        noted.add(client.line, "client.strip_realms", what);
    }
    if let Some(network) = client.networks.iter().find(|network| network.value.prefix_len() == 0) {
        let what =
            format_args!("of {name} is every address: whoever learns the secret may ask from anywhere");
        noted.add(network.line, &network.key, what);
    }
}

fn of_times(client: &ClientDraft, file: &File, setup: &Setup, noted: &mut Noted) {
    let (nas_timeout, deadline) = client.times(policy::longest(&setup.config).as_secs());
    let (name, line) = (&client.name, client.line);
    let comfortable = shortest(&setup.config.timeouts).saturating_add(15);
    if deadline < comfortable {
        let what = format_args!(
            "of {name} leaves less than 20 s to find the phone and confirm; better {comfortable}"
        );
        noted.add(line, "client.deadline", what);
    }
    if client.mode == Mode::Wait && nas_timeout < deadline {
        let what = format_args!(
            "of {name} is shorter than the deadline, {deadline}: who confirms after {nas_timeout} s is let in only if \
             the NAS asks again"
        );
        noted.add(line, "client.nas_timeout", what);
    }
    if client.mode == Mode::WaitThenChallenge && nas_timeout >= deadline {
        let what =
            format_args!("of {name} is not shorter than the deadline, {deadline}: nobody is ever challenged");
        noted.add(line, "client.nas_timeout", what);
    }
    if let FactorDraft::Upstream { name: upstream, .. } = &client.first_factor.value
        && let Some(upstream) = file.upstreams.iter().find(|u| u.name == upstream.value)
    {
        let servers = u64::try_from(upstream.servers.len()).unwrap_or(u64::MAX);
        let all = upstream.timeout.saturating_mul(upstream.tries.into()).saturating_mul(servers);
        if all >= deadline {
            let what = format_args!(
                "of {name} is over before all servers of {} were asked, which takes {all} s",
                upstream.name
            );
            noted.add(line, "client.deadline", what);
        }
    }
}

fn of_rules(file: &File, noted: &mut Noted) {
    let mut everything: Option<&Rule> = None;
    for rule in file.rules.iter() {
        if let Some(before) = everything {
            let what = format_args!("is never reached: the {before} fits everything");
            noted.add(rule.line, "rule", what);
        }
        if rule.conditions.is_empty() {
            everything = everything.or(Some(rule));
        }
        if rule.then != Then::Accept {
            continue;
        }
        let clients = rule.conditions.iter().find_map(|condition| match condition {
            Condition::Client(names) => Some(names),
            _ => None,
        });
        if clients.is_none() {
            let what = "is \"accept\" at every client: name the client that it is meant for";
            noted.add(rule.line, "rule.then", what);
        }
        let unguarded = |c: &&ClientDraft| {
            c.first_factor.value == FactorDraft::Ignored
                && clients.is_none_or(|names| names.contains(&c.name))
        };
        if let Some(client) = file.clients.iter().find(unguarded) {
            let what = format_args!(
                "is \"accept\", and {} has first_factor = \"none\": nothing is asked here at all",
                client.name
            );
            noted.add(rule.line, "rule.then", what);
        }
    }
}
