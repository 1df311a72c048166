//! The `[[upstream]]` tables, as written.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
};

use mobileid::config::{
    Located,
    reader::{Section, Source},
};

use super::{
    client::checked,
    values::{self, SecretFrom, bare, choice_or, socket},
};
use crate::upstream::AnswerSignature;

/// One `[[upstream]]`, before its secret is read.
#[derive(Debug)]
pub(super) struct UpstreamDraft {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) servers: Vec<SocketAddr>,
    pub(super) secret: SecretFrom,
    pub(super) timeout: u64,
    pub(super) tries: u32,
    pub(super) message_authenticator: Located<AnswerSignature>,
}

/// All upstreams, and whether none had a mistake. `listen` is where we are asked ourselves.
pub(super) fn read_all(
    root: &mut Section<'_>,
    listen: &[SocketAddr],
    source: &mut Source<'_>,
) -> (Vec<UpstreamDraft>, bool) {
    let tables = root.tables("upstream", source);
    let count = tables.len();
    let upstreams: Vec<_> =
        tables.into_iter().filter_map(|section| UpstreamDraft::read(section, listen, source)).collect();
    let mut names = HashMap::new();
    for upstream in &upstreams {
        if let Some(first) = names.insert(&upstream.name, upstream.line) {
            let what =
                format_args!("\"{}\" is the name of the upstream of line {first} already", upstream.name);
            source.mistake(upstream.line, "upstream.name", what);
        }
    }
    let all = upstreams.len() == count;
    (upstreams, all)
}

impl UpstreamDraft {
    fn read(mut section: Section<'_>, listen: &[SocketAddr], source: &mut Source<'_>) -> Option<Self> {
        let line = section.line();
        let name = section.required("name", source).and_then(|text| checked(text, values::name, source));
        let servers = values::list(&mut section, "address", socket, source);
        if servers.is_none() {
            source.mistake(
                line,
                &section.key("address"),
                "is missing: the servers, in the order they are asked",
            );
        }
        let mut seen = HashSet::new();
        for Located { value: server, line, key } in servers.iter().flatten() {
            if !seen.insert(server) {
                source.mistake(*line, key, format_args!("{server} is listed twice"));
            }
            if listen.iter().any(|ours| is_ours(ours, server)) {
                source.mistake(
                    *line,
                    key,
                    format_args!("{server} is where we listen: we would ask ourselves"),
                );
            }
        }
        let secret = SecretFrom::read(&mut section, source);
        let timeout = section.number("timeout", 1..=30, 3, source);
        let tries = section.number("tries", 1..=10, 2, source);
        let choices = &[("required", AnswerSignature::Required), ("optional", AnswerSignature::Optional)];
        let message_authenticator =
            choice_or(&mut section, "message_authenticator", choices, AnswerSignature::Required, source);
        section.finish(source);
        Some(Self {
            line,
            name: name?,
            servers: bare(servers?),
            secret: secret?,
            timeout: timeout?,
            tries: u32::try_from(tries?).ok()?,
            message_authenticator,
        })
    }
}

fn is_ours(ours: &SocketAddr, server: &SocketAddr) -> bool {
    let same = ours.ip() == server.ip() || (ours.ip().is_unspecified() && server.ip().is_loopback());
    same && ours.port() == server.port()
}
