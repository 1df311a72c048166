//! `radiusd.toml` as written: every key, its bounds, and what must fit together within the file.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    path::PathBuf,
};

use mobileid::config::{
    Located, Mistakes, Unenrolled,
    reader::{Section, Source},
};

use super::{
    Limits, Overload,
    client::{ClientDraft, checked},
    factor::FactorDraft,
    rule,
    upstream::{self, UpstreamDraft},
    values::{self, SecretFrom, bare, choice_or, seconds, socket},
};
use crate::rules::Rules;

/// The file before anything that it names is read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) mobileid: Located<PathBuf>,
    /// What the core's configuration says of people without a phone, said once more for gateways.
    pub(super) unenrolled: Option<Located<Unenrolled>>,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) accounting: Vec<SocketAddr>,
    pub(super) state_dir: Located<PathBuf>,
    pub(super) state_key_file: Option<Located<PathBuf>>,
    /// None for standard output.
    pub(super) audit: Option<Located<PathBuf>>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) limits: Limits,
    pub(super) clients: Vec<ClientDraft>,
    pub(super) upstreams: Vec<UpstreamDraft>,
    pub(super) rules: Rules,
}

impl File {
    /// Reads the text; `file` is its name for messages.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let (mut source, mut root) = Source::parse(file, text)?;
        let read = Self::read(&mut root, &mut source);
        root.finish(&mut source);
        source.mistakes.0.sort_by_key(|mistake| mistake.line);
        source.mistakes.or(read)
    }

    /// Whether the file itself holds a secret.
    pub(super) fn holds_secret(&self) -> bool {
        let clients = self.clients.iter().map(|c| &c.secret);
        let upstreams = self.upstreams.iter().map(|u| &u.secret);
        clients.chain(upstreams).any(|secret| matches!(secret, SecretFrom::Inline(_)))
    }

    fn read(root: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let mobileid = path_or(root, "mobileid", "mobileid.toml", source);
        let unenrolled = root.text("unenrolled", source).and_then(|text| {
            let Located { line, key, .. } = text.clone();
            checked(text, |t| t.parse(), source).map(|value| Located { value, line, key })
        });
        let line = root.line_of("listen", source);
        let listen = values::list(root, "listen", socket, source).map(bare);
        let listen = listen.unwrap_or_else(|| LISTEN.iter().filter_map(|a| a.parse().ok()).collect());
        let accounting = match root.has("accounting") {
            true => read_accounting(root, source),
            false => Vec::new(),
        };
        let mut seen = HashSet::new();
        for address in listen.iter().chain(&accounting).filter(|a| a.port() != 0) {
            if !seen.insert(*address) {
                source.mistake(line, "listen", format_args!("{address} is listed twice"));
            }
        }
        let state_dir = path_or(root, "state_dir", "/var/lib/mobileid-radiusd", source);
        let state_key_file = root.text("state_key_file", source).and_then(|text| values::path(text, source));
        let audit = root.text("audit", source).filter(|text| text.value != "stdout");
        let audit = audit.and_then(|text| values::path(text, source));
        let metrics = root.text("metrics", source).and_then(|text| checked(text, loopback, source));
        let limits = read_limits(root.section("limits", source), source);
        let (upstreams, all) = upstream::read_all(root, &listen, source);
        let upstream_names = Known { names: upstreams.iter().map(|u| u.name.as_str()).collect(), all };
        let (clients, all) = read_clients(root, &upstream_names, source);
        let client_names = Known { names: clients.iter().map(|c| c.name.as_str()).collect(), all };
        let rules = rule::read_all(root.tables("rule", source), &client_names, source);
        Some(Self {
            mobileid: mobileid?,
            unenrolled,
            listen,
            accounting,
            state_dir: state_dir?,
            state_key_file,
            audit,
            metrics,
            limits: limits?,
            clients,
            upstreams,
            rules,
        })
    }
}

/// The port of RFC 2865, on every address.
const LISTEN: [&str; 2] = ["0.0.0.0:1812", "[::]:1812"];

fn path_or(
    root: &mut Section<'_>,
    name: &'static str,
    default: &str,
    source: &mut Source<'_>,
) -> Option<Located<PathBuf>> {
    let absent = !root.has(name);
    let default = Located { value: PathBuf::from(default), line: root.line(), key: root.key(name) };
    let given = root.text(name, source).and_then(|text| values::path(text, source));
    given.or(absent.then_some(default))
}

/// Here an empty list says something: no accounting.
fn read_accounting(root: &mut Section<'_>, source: &mut Source<'_>) -> Vec<SocketAddr> {
    let texts = root.list("accounting", source);
    texts.into_iter().filter_map(|text| checked(text, socket, source)).collect()
}

/// What is told there, who logs in where and how often, is nobody's business on the network.
fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address = socket(text)?;
    let loopback = address.ip().to_canonical().is_loopback();
    if loopback { Ok(address) } else { Err("must be a loopback address, like 127.0.0.1:9812") }
}

fn read_limits(mut section: Section<'_>, source: &mut Source<'_>) -> Option<Limits> {
    let mut number =
        |name, bounds, default, source: &mut Source<'_>| section.number(name, bounds, default, source);
    let pending = number("pending", 1..=1_000_000, 20_000, source);
    let most = pending.unwrap_or(1_000_000);
    // Half, so that one client alone keeps nobody else out.
    let per_client = number("pending_per_client", 1..=most, most.div_ceil(2), source);
    let per_user = number("pending_per_user", 1..=100, 1, source);
    let answer_kept = number("answer_kept", 5..=600, 120, source);
    let accept_kept = number("accept_kept", 0..=30, 10, source);
    let pushes_per_user = number("pushes_per_user", 1..=1000, 3, source);
    let push_window = number("push_window", 10..=86_400, 300, source);
    let drain = number("drain", 0..=300, 90, source);
    let overloads = &[("reject", Overload::Reject), ("silence", Overload::Silence)];
    let overload = choice_or(&mut section, "overload", overloads, Overload::Reject, source);
    section.finish(source);
    let count = |number: u64| usize::try_from(number).ok();
    Some(Limits {
        pending: count(pending?)?,
        pending_per_client: count(per_client?)?,
        pending_per_user: count(per_user?)?,
        overload: overload.value,
        answer_kept: seconds(answer_kept?),
        accept_kept: seconds(accept_kept?),
        pushes_per_user: u32::try_from(pushes_per_user?).ok()?,
        push_window: seconds(push_window?),
        drain: seconds(drain?),
    })
}

/// The names that other tables may refer to.
pub(super) struct Known<'a> {
    names: Vec<&'a str>,
    /// False where one could not be read: a name that is missing then is no mistake of its own.
    all: bool,
}

impl Known<'_> {
    /// Whether a reference is right.
    pub(super) fn check(&self, name: &str, table: &str) -> Result<(), String> {
        if !self.all || self.names.contains(&name) {
            return Ok(());
        }
        let there = match self.names.len() {
            0 => "; there is none at all".to_owned(),
            1..=20 => format!("; there are: {}", self.names.join(", ")),
            _ => String::new(),
        };
        Err(format!("there is no [[{table}]] of this name{there}"))
    }
}

fn read_clients(
    root: &mut Section<'_>,
    upstreams: &Known<'_>,
    source: &mut Source<'_>,
) -> (Vec<ClientDraft>, bool) {
    let absent = !root.has("client");
    let tables = root.tables("client", source);
    if absent {
        source.mistake(root.line(), "client", "is missing: at least one [[client]], or nobody may ask");
    }
    let count = tables.len();
    let clients: Vec<_> =
        tables.into_iter().filter_map(|section| ClientDraft::read(section, upstreams, source)).collect();
    let (mut names, mut networks) = (HashMap::new(), HashMap::new());
    for client in &clients {
        if let Some(first) = names.insert(&client.name, client.line) {
            let what = format_args!("\"{}\" is the name of the client of line {first} already", client.name);
            source.mistake(client.line, "client.name", what);
        }
        for network in &client.networks {
            if let Some((other, line)) = networks.insert(network.value, (&client.name, network.line)) {
                let what = format_args!("{} is the client {other}'s already, in line {line}", network.value);
                source.mistake(network.line, &network.key, what);
            }
        }
    }
    same_in_a_group(&clients, source);
    let all = clients.len() == count;
    (clients, all)
}

/// A login that began at one client of a group may be finished at another: they must ask the same of a person, and hand
/// on the same that the first factor's server grants.
fn same_in_a_group(clients: &[ClientDraft], source: &mut Source<'_>) {
    let mut groups: HashMap<&str, &ClientDraft> = HashMap::new();
    for client in clients {
        let first = *groups.entry(&client.group).or_insert(client);
        let factors = (&client.first_factor.value, &first.first_factor.value);
        let (same_factor, same_pass) = match factors {
            (
                FactorDraft::Upstream { name, pass },
                FactorDraft::Upstream { name: of_first, pass: pass_of_first },
            ) => (name.value == of_first.value, pass == pass_of_first),
            (FactorDraft::Ldap { directory }, FactorDraft::Ldap { directory: of_first }) => {
                let name = |directory: &Option<Located<String>>| directory.as_ref().map(|d| d.value.clone());
                (name(directory) == name(of_first), true)
            }
            (one, other) => (one == other, true),
        };
        let what = "differs from that of the client";
        if !same_factor {
            let Located { line, key, .. } = &client.first_factor;
            source.mistake(*line, key, format_args!("{what} {} in the same group", first.name));
        }
        if !same_pass {
            let what = format_args!("what it passes on {what} {} in the same group", first.name);
            source.mistake(client.line, "client.group", what);
        }
        if client.realms != first.realms {
            let what = format_args!("how it reads User-Names {what} {} in the same group", first.name);
            source.mistake(client.line, "client.group", what);
        }
    }
}
