//! One `[[client]]`, as written.

use ipnet::IpNet;
use mobileid::{
    config::{
        Located,
        reader::{Section, Source},
    },
    text,
};

use super::{
    HostFrom, MessageAuthenticator, Mode, ProxyState,
    attributes::{self, ReplyAttribute},
    factor::FactorDraft,
    file::Known,
    values::{self, SecretFrom, bare, choice_or},
};
use crate::identity::{RealmRules, Realms, UserCase};

/// A client before its secret is read and its times are held against the core's.
#[derive(Debug)]
pub(super) struct ClientDraft {
    /// The line of its `[[client]]`.
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) networks: Vec<Located<IpNet>>,
    pub(super) secret: SecretFrom,
    pub(super) mode: Mode,
    pub(super) nas_timeout: Option<Located<u64>>,
    pub(super) deadline: Option<Located<u64>>,
    pub(super) message_authenticator: Located<MessageAuthenticator>,
    pub(super) proxy_state: Located<ProxyState>,
    pub(super) first_factor: Located<FactorDraft>,
    pub(super) service: String,
    pub(super) host_from: HostFrom,
    pub(super) realms: RealmRules,
    pub(super) accept: Vec<ReplyAttribute>,
    pub(super) groups: Vec<(String, Vec<ReplyAttribute>)>,
    pub(super) reject_delay: u64,
}

impl ClientDraft {
    pub(super) fn read(
        mut section: Section<'_>,
        upstreams: &Known<'_>,
        source: &mut Source<'_>,
    ) -> Option<Self> {
        let line = section.line();
        let name = section.required("name", source).and_then(|text| checked(text, values::name, source));
        let group = section.text("group", source).and_then(|text| checked(text, values::name, source));
        let networks = values::list(&mut section, "address", values::network, source);
        if networks.is_none() {
            source.mistake(
                line,
                &section.key("address"),
                "is missing: from which addresses its packets come",
            );
        }
        let secret = SecretFrom::read(&mut section, source);
        let mode = choice_or(&mut section, "mode", MODES, Mode::Wait, source);
        let nas_timeout = section.located_number("nas_timeout", 3..=300, source);
        let deadline = section.located_number("deadline", 1..=300, source);
        let required = MessageAuthenticator::Required;
        let message_authenticator =
            choice_or(&mut section, "message_authenticator", SIGNED, required, source);
        let proxy_state = choice_or(&mut section, "proxy_state", PROXY_STATES, ProxyState::Guarded, source);
        let first_factor = FactorDraft::read(&mut section, upstreams, source);
        let service = section.text("service", source).and_then(|text| checked(text, values::name, source));
        let host_from = choice_or(&mut section, "host_from", HOSTS, HostFrom::Name, source);
        let realms = read_realms(&mut section, source);
        let reject_delay = section.number("reject_delay", 0..=5, 1, source);
        let (accept, groups) = read_reply(&mut section, source);
        section.finish(source);
        let name = name?;
        Some(Self {
            line,
            group: group.unwrap_or_else(|| name.clone()),
            name,
            networks: networks?,
            secret: secret?,
            mode: mode.value,
            nas_timeout,
            deadline,
            message_authenticator,
            proxy_state,
            first_factor: first_factor?,
            service: service.unwrap_or_else(|| "VPN".to_owned()),
            host_from: host_from.value,
            realms,
            accept,
            groups,
            reject_delay: reject_delay?,
        })
    }

    /// Whether what it learns is to be remembered.
    pub(super) fn learns(&self) -> bool {
        self.message_authenticator.value == MessageAuthenticator::Learn
    }
}

const MODES: &[(&str, Mode)] =
    &[("wait", Mode::Wait), ("challenge", Mode::Challenge), ("wait-then-challenge", Mode::WaitThenChallenge)];

const SIGNED: &[(&str, MessageAuthenticator)] = &[
    ("required", MessageAuthenticator::Required),
    ("learn", MessageAuthenticator::Learn),
    ("optional", MessageAuthenticator::Optional),
];

const PROXY_STATES: &[(&str, ProxyState)] =
    &[("guarded", ProxyState::Guarded), ("unguarded", ProxyState::Unguarded)];

const HOSTS: &[(&str, HostFrom)] = &[
    ("name", HostFrom::Name),
    ("nas-identifier", HostFrom::NasIdentifier),
    ("nas-ip-address", HostFrom::NasIpAddress),
    ("called-station-id", HostFrom::CalledStationId),
];

/// A text made into a value, or the mistake named.
pub(super) fn checked<T, E: std::fmt::Display>(
    text: Located<String>,
    read: impl Fn(&str) -> Result<T, E>,
    source: &mut Source<'_>,
) -> Option<T> {
    read(&text.value).map_err(|what| source.mistake(text.line, &text.key, what)).ok()
}

fn read_realms(section: &mut Section<'_>, source: &mut Source<'_>) -> RealmRules {
    let case = choice_or(
        section,
        "user_case",
        &[("exact", UserCase::Exact), ("lower", UserCase::Lower)],
        UserCase::Exact,
        source,
    );
    let line = section.line_of("keep_realms", source);
    let mut read = |name, source: &mut Source<'_>| {
        let line = section.line_of(name, source);
        let realms = values::list(section, name, realm, source).map(bare).unwrap_or_default();
        let every = realms.iter().any(|realm| realm == "*");
        if every && realms.len() > 1 {
            source.mistake(line, &section.key(name), "\"*\" is every realm: no other stands beside it");
        }
        if every { Realms::Every } else { Realms::Listed(realms) }
    };
    let (strip, keep) = (read("strip_realms", source), read("keep_realms", source));
    let both = match (&strip, &keep) {
        (Realms::Every, Realms::Every) => true,
        (Realms::Listed(stripped), keep) => stripped.iter().any(|realm| keep.lists(realm)),
        (Realms::Every, Realms::Listed(_)) => false,
    };
    if both {
        source.mistake(line, &section.key("keep_realms"), "names a realm that strip_realms names too");
    }
    let numbers = section.flag("msisdn_from_user_name", source);
    RealmRules { strip, keep, case: case.value, numbers }
}

/// A realm's name, or `*` for every one.
pub(super) fn realm(text: &str) -> Result<String, &'static str> {
    let rule =
        "a realm is what stands behind the @ or before the \\, without it; or \"*\" alone for every realm";
    let name = values::value(text)?;
    let fits = name == "*" || !name.contains(['@', '\\', '*']);
    if fits { Ok(name) } else { Err(rule) }
}

type Reply = Vec<ReplyAttribute>;

/// `[client.accept]` and `[client.accept_group.NAME]`.
fn read_reply(section: &mut Section<'_>, source: &mut Source<'_>) -> (Reply, Vec<(String, Reply)>) {
    let accept = section.section("accept", source);
    let (line, key) = (accept.line(), section.key("accept"));
    let accept = attributes::read_reply(accept, source);
    fits_a_packet(&[&accept], line, &key, source);
    let mut groups = Vec::new();
    for Located { value: group, line, key: name } in
        section.section("accept_group", source).named_sections(source)
    {
        let key = format!("{}.{}", section.key("accept_group"), text::escaped(&name, 100));
        let attributes = attributes::read_reply(group, source);
        fits_a_packet(&[&accept, &attributes], line, &key, source);
        match values::group(&name) {
            Ok(name) => groups.push((name, attributes)),
            Err(what) => source.mistake(line, &key, what),
        }
    }
    (accept, groups)
}

/// What is left of a packet's 4096 octets for the configured attributes, so that the message, the client's Proxy-State
/// and what upstream grants have room beside them.
const ROOM: usize = 3000;

fn fits_a_packet(parts: &[&[ReplyAttribute]], line: usize, key: &str, source: &mut Source<'_>) {
    let length: usize =
        parts.iter().copied().flatten().map(|a| a.octets.len().saturating_add(WITH_HEAD)).sum();
    if length > ROOM {
        source.mistake(line, key, format_args!("the attributes come to {length} octets; at most {ROOM} fit"));
    }
}

/// The octets before a vendor's value; a standard attribute has fewer.
const WITH_HEAD: usize = 8;
