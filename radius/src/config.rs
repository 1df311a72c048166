//! What the administrator has decided: `radiusd.toml`, read, checked and made into types.
//!
//! ```text
//!  radiusd.toml ── file.rs ──> as written, each value with its line ──┐
//!  mobileid.toml ─ mobileid::load ─> Setup ───────────────────────────┼── loader.rs ──> Settings, warnings
//!  secret files, state key ───────────────────────────────────────────┘
//! ```
//!
//! [`load`] gives everything or nothing: a reload with one mistake in it changes nothing. What is refused, and with
//! which words, is in `config/`; every key is in `docs/radius.md`, and a test holds the two together.
//!
//! The settings are one snapshot behind an `Arc`. A login keeps the one that it began with.

#![allow(clippy::module_name_repetitions, reason = "the names are read outside of this module")]

mod attributes;
mod client;
mod factor;
mod file;
mod loader;
mod places;
mod rule;
mod times;
mod upstream;
mod values;
mod warnings;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use mobileid::config::{Mistake, Mistakes};
use mobileid::load::Setup;
use zeroize::Zeroizing;

pub use self::{
    attributes::{PassList, ReplyAttribute},
    loader::{load, load_to_check, read},
};
use crate::{
    authenticator::SharedSecret, clients::Clients, identity::RealmRules, rules::Rules, upstream::Upstream,
};
pub(crate) use places::is_of_another;

/// Everything that the responder decides by.
#[derive(Debug)]
pub struct Settings {
    /// The core's configuration, with the user table and the way to the service.
    pub setup: Arc<Setup>,
    /// Where Access-Requests are taken.
    pub listen: Vec<SocketAddr>,
    /// Where Accounting-Requests are taken; none where accounting is off.
    pub accounting: Vec<SocketAddr>,
    /// Where learnt Message-Authenticators are remembered across restarts.
    pub state_dir: PathBuf,
    /// What seals State, the same on every node; none for a random one per start.
    pub state_key: Option<StateKey>,
    /// Where audit lines go.
    pub audit: AuditTo,
    /// The loopback address that serves metrics and health.
    pub metrics: Option<SocketAddr>,
    /// How much is taken on.
    pub limits: Limits,
    /// Who may ask.
    pub clients: Clients,
    /// Who judges a first factor.
    pub upstreams: Vec<Arc<Upstream>>,
    /// Who is not asked on the phone, and who is not let in at all.
    pub rules: Rules,
    /// What the administrator should know, though it is no mistake.
    pub(crate) warnings: Vec<Mistake>,
}

impl Settings {
    /// What the administrator should know, though nothing is to mend: one line each, with its place in the file.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.iter().map(ToString::to_string).collect()
    }
}

/// One `[[client]]`: a NAS, or a network of them.
#[derive(Debug)]
pub struct Client {
    /// Its name, in logs and rules and where the phone shows a host.
    pub name: Arc<str>,
    /// Clients of one group share pending logins: a NAS and its standby.
    pub group: String,
    /// What it and we know.
    pub secret: SharedSecret,
    /// How its person waits.
    pub mode: Mode,
    /// How long after the first packet of a request it stops listening for the answer.
    pub nas_timeout: Duration,
    /// How long a whole login may take.
    pub deadline: Duration,
    /// Whether its requests must be signed.
    pub message_authenticator: MessageAuthenticator,
    /// What becomes of a request with Proxy-State and no Message-Authenticator.
    pub proxy_state: ProxyState,
    /// Who has checked, or checks, the password.
    pub first_factor: FirstFactor,
    /// What stands for the service in the text on the phone.
    pub service: String,
    /// What stands for the host there.
    pub host_from: HostFrom,
    /// How its User-Names are read.
    pub realms: RealmRules,
    /// What every Access-Accept carries.
    pub accept: Vec<ReplyAttribute>,
    /// What an Access-Accept carries as well for the members of a group, in the order of the file.
    pub groups: Vec<(String, Vec<ReplyAttribute>)>,
    /// How long a denial that rang no phone is held back, where a password is judged.
    pub reject_delay: Duration,
}

impl Client {
    /// What an Access-Accept carries for a person in these groups: what everybody gets, then what each group gets, in
    /// the order of the file.
    pub fn granted<'a>(&'a self, groups: &'a [String]) -> impl Iterator<Item = &'a ReplyAttribute> {
        let of_groups = self.groups.iter().filter(|(name, _)| groups.contains(name));
        self.accept.iter().chain(of_groups.flat_map(|(_, attributes)| attributes))
    }
}

/// How a person at a client waits for the phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// One answer at the end.
    Wait,
    /// An Access-Challenge at once; the next request waits, or is challenged again.
    Challenge,
    /// One answer, if it comes before the client gives up; else an Access-Challenge just before that.
    WaitThenChallenge,
}

/// Whether a client's requests must carry a Message-Authenticator. One that is there must be right in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageAuthenticator {
    /// Always.
    Required,
    /// From an exact address, as soon as that address has shown a valid one.
    Learn,
    /// Never.
    Optional,
}

/// What becomes of a request with Proxy-State and no Message-Authenticator: the shape of CVE-2024-3596.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyState {
    /// It is dropped.
    Guarded,
    /// It is taken like any other.
    Unguarded,
}

/// Who vouches for the first factor. No phone rings before it is right.
#[derive(Debug)]
pub enum FirstFactor {
    /// The client has checked it; a password in the request is not looked at.
    Ignored,
    /// A directory of the core's configuration judges it: it is asked to let the user in with the password.
    Ldap {
        /// Which one.
        directory: String,
    },
    /// An upstream RADIUS server judges it.
    Upstream {
        /// Which one.
        upstream: Arc<Upstream>,
        /// Which of its attributes are handed to the client.
        pass: PassList,
    },
}

/// What stands for the host in the text on the phone. Where the attribute is absent, the client's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostFrom {
    /// The client's name in the configuration.
    Name,
    /// NAS-Identifier.
    NasIdentifier,
    /// NAS-IP-Address or NAS-IPv6-Address.
    NasIpAddress,
    /// Called-Station-Id.
    CalledStationId,
}

/// How much is taken on, and how long answers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Logins that wait at the same time.
    pub pending: usize,
    /// The same, of one client.
    pub pending_per_client: usize,
    /// The same, of one user.
    pub pending_per_user: usize,
    /// What becomes of a login beyond a limit.
    pub overload: Overload,
    /// How long an answer is kept for a retransmission of its request.
    pub answer_kept: Duration,
    /// How long an accept is kept for a new request that would have joined its login.
    pub accept_kept: Duration,
    /// So many refused or unanswered pushes of one user ...
    pub pushes_per_user: u32,
    /// ... within this time, and no further push is sent.
    pub push_window: Duration,
    /// How long pending logins may go on after SIGTERM.
    pub drain: Duration,
}

/// What becomes of a login beyond a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overload {
    /// An Access-Reject that says so.
    Reject,
    /// No answer: the client may try another server.
    Silence,
}

/// Where audit lines go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuditTo {
    /// Standard output, which is the journal's under systemd.
    Stdout,
    /// A file, opened again on SIGHUP.
    File(PathBuf),
}

impl AuditTo {
    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> Option<&Path> {
        if let Self::File(path) = self { path.parent() } else { None }
    }
}

/// The key that seals State. Wiped on drop, and never shown.
#[derive(Clone)]
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKey(...)")
    }
}

#[cfg(test)]
mod tests;
