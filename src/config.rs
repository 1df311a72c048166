//! `mobileid.toml`: from text to types, purely. Every mistake is named with file, line and key; nothing is
//! defaulted over. The files that it names are read in [`crate::load`], which also makes the [`Config`].
//!
//! ```
//! use mobileid::config::FileConfig;
//!
//! let text = r#"
//! [service]
//! ap_id = "mid://acme.example"
//! dtbd_prefix = "ACME: "
//! client_cert = "client.crt"
//! client_key = "client.key"
//! [signature]
//! trust = ["trust.d"]
//! [users]
//! table = "users.toml"
//! passwords = "no"
//! "#;
//! let mistakes = FileConfig::parse("mobileid.toml", text).unwrap_err();
//! assert!(mistakes.to_string().starts_with("mobileid.toml:11: users.passwords: unknown key"));
//! ```

mod command;
mod directory;
mod endpoint;
mod ldap;
mod pam;
mod prompt;
pub mod reader;
mod srs;
pub mod values;

use std::{path::PathBuf, time::Duration};

pub use command::CommandFile;
pub use directory::{DirectoryFile, KindFile, LdapFile};
pub use endpoint::{Endpoint, InvalidUrl, LdapUrl, Proxy};
pub use pam::{Exempt, OnUnreachable, PamConfig, Require, SshdMessage, SuIdentity};
pub use prompt::Templates;
pub use reader::{Located, Mistake, Mistakes};
use reader::{Section, Source};
pub use srs::SrsConfig;

pub use crate::mss::MessagingMode;

use crate::{
    mss::ApCredentials,
    prompt::Prefix,
    secret::Secret,
    subscriber::{Language, Profile},
    verify::TrustAnchors,
};

/// Where the configuration is looked for unless the host says otherwise.
pub const DEFAULT_PATH: &str = "/etc/mobileid/mobileid.toml";

/// The configuration as used by a login: everything that it may depend on.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who asks.
    pub ap: ApCredentials,
    /// The keyword that every text starts with.
    pub prefix: Prefix,
    /// The text on the phone for a login, per language.
    pub templates: Templates,
    /// The text for a command that is to be run as another user.
    pub sudo: Templates,
    /// The text for becoming another user.
    pub su: Templates,
    /// The language of a person whose entry names none.
    pub language: Language,
    /// The method of a person whose entry names none.
    pub profile: Profile,
    /// Whether the answer is waited for or asked for.
    pub mode: MessagingMode,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// What becomes of a user without an entry.
    pub unenrolled: Unenrolled,
    /// What the signer's serial number is held against.
    pub serial: SerialPolicy,
    /// Roots of the signers' certificates.
    pub anchors: TrustAnchors,
}

/// The configuration as written: values checked, files named but not yet read.
#[derive(Debug)]
pub struct FileConfig {
    /// Who asks.
    pub ap: ApCredentials,
    /// Whether a password stands in the file (AP_PWD or the proxy's), which makes the file a secret.
    pub holds_secret: bool,
    /// The keyword that every text starts with.
    pub prefix: Prefix,
    /// Where the service is.
    pub url: Endpoint,
    /// Whether the answer is waited for or asked for.
    pub mode: MessagingMode,
    /// The name to verify where the URL has only an address.
    pub server_name: Option<String>,
    /// Roots of the server's certificate.
    pub server_trust: ServerTrust,
    /// Our certificate, PEM.
    pub client_cert: Located<PathBuf>,
    /// Its key, PEM.
    pub client_key: Located<PathBuf>,
    /// HTTP CONNECT proxy.
    pub proxy: Option<Proxy>,
    /// The default method.
    pub profile: Profile,
    /// Files or folders with the roots of the signers' certificates.
    pub trust: Vec<Located<PathBuf>>,
    /// What the signer's serial number is held against.
    pub serial: SerialPolicy,
    /// A folder for accepted signatures.
    pub evidence: Option<Located<PathBuf>>,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// The default language.
    pub language: Language,
    /// The text on the phone for a login, per language.
    pub templates: Templates,
    /// The text for a command that is to be run as another user.
    pub sudo: Templates,
    /// The text for becoming another user.
    pub su: Templates,
    /// The text for an enrolment.
    pub enrol: Templates,
    /// Where users are looked up, in order.
    pub directories: Vec<DirectoryFile>,
    /// What becomes of a user without an entry.
    pub unenrolled: Unenrolled,
    /// What the PAM module does beyond asking the phone.
    pub pam: PamConfig,
    /// The Smart Registration Service, where there is one.
    pub srs: Option<SrsConfig>,
}

/// Which roots the server's certificate may chain to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerTrust {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(Located<PathBuf>),
}

/// What becomes of a user whom no directory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unenrolled {
    /// Denied, like everybody without a phone.
    #[default]
    Deny,
    /// Let in, and logged each time.
    Allow,
}

/// What the serial number of a signer is held against (guide 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SerialPolicy {
    /// Nothing, whatever is known.
    Ignore,
    /// The one that the directory says, or that is kept; where neither is, nothing.
    IfKnown,
    /// The same, and where none is known the first one is kept.
    #[default]
    FirstUse,
    /// The same, and where none is known nobody is asked.
    Required,
}

impl SerialPolicy {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::IfKnown => "if-known",
            Self::FirstUse => "first-use",
            Self::Required => "required",
        }
    }
}

/// How long is waited, as guide 4.3 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long the service waits for a SIM: 80 s.
    pub sim: Duration,
    /// How long we wait for the service then, the deadline of the whole login: 90 s.
    pub sim_connection: Duration,
    /// How long the service waits for an App: 40 s.
    pub app: Duration,
    /// How long we wait for the service then: 50 s.
    pub app_connection: Duration,
    /// How long reaching the service may take: 10 s, and never more than we wait beyond the service's own limit.
    pub connect: Duration,
    /// How long after one answer the service is asked again, in asynchronous mode: 2 s.
    pub poll: Duration,
}

impl Timeouts {
    /// The service's and our own time limit for a method; where it is not known beforehand, the longer.
    #[must_use]
    pub fn of(&self, profile: Profile) -> (Duration, Duration) {
        match profile {
            Profile::App => (self.app, self.app_connection),
            Profile::Sim | Profile::Any | Profile::AuthProfile1 => (self.sim, self.sim_connection),
        }
    }
}

impl FileConfig {
    /// Reads the text of a configuration file; `file` is its name for messages. Relative paths stay relative.
    ///
    /// # Errors
    /// All mistakes of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let (mut source, mut root) = Source::parse(file, text)?;
        let config = Self::read(&mut root, &mut source);
        root.finish(&mut source);
        source.mistakes.or(config)
    }

    /// What a login depends on, once the trust anchors have been read.
    #[must_use]
    pub fn config(&self, anchors: TrustAnchors) -> Config {
        Config {
            ap: self.ap.clone(),
            prefix: self.prefix.clone(),
            templates: self.templates.clone(),
            sudo: self.sudo.clone(),
            su: self.su.clone(),
            language: self.language,
            profile: self.profile,
            mode: self.mode,
            timeouts: self.timeouts,
            unenrolled: self.unenrolled,
            serial: self.serial,
            anchors,
        }
    }

    fn read(root: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let mut service = root.section("service", source);
        let ap_id = service.required("ap_id", source);
        let ap_id = ap_id.filter(|id| !refused(is_wire_text(&id.value), id, AP_ID_RULE, source));
        let ap_pwd = service.text("ap_pwd", source);
        let prefix = service.required_parsed("dtbd_prefix", source);
        let url = service.parsed("url", source).or_else(|| "https://mobileid.swisscom.com".parse().ok());
        let mode = service.parsed("messaging_mode", source).unwrap_or_default();
        let server_name = service.text("server_name", source);
        let server_name = server_name.filter(|n| !refused(is_host_name(&n.value), n, HOST_RULE, source));
        let server_trust = server_trust(&mut service, source);
        let client_cert = service.required("client_cert", source).and_then(|t| path(t, source));
        let client_key = service.required("client_key", source).and_then(|t| path(t, source));
        let proxy = service.parsed("proxy", source);
        service.finish(source);

        let mut signature = root.section("signature", source);
        let profile = signature.parsed("profile", source).unwrap_or(Profile::AuthProfile1);
        let before = source.mistakes.0.len();
        let trust = signature.list("trust", source);
        if trust.is_empty() && source.mistakes.0.len() == before {
            let what = "is missing or empty: name the file or folder with the Swisscom root certificates";
            source.mistake(signature.line(), "signature.trust", what);
        }
        let trust = trust.into_iter().filter_map(|t| path(t, source)).collect();
        let serial = signature.parsed("serial", source).unwrap_or_default();
        let evidence = signature.text("evidence", source).and_then(|t| path(t, source));
        signature.finish(source);

        let timeouts = read_timeouts(root, source);
        let (language, [templates, sudo, su, enrol]) = prompt::read(root, source);

        let mut users = root.section("users", source);
        let directories = directory::read_all(&mut users, root, source);
        let unenrolled = users.parsed("unenrolled", source).unwrap_or_default();
        users.finish(source);
        let pam = PamConfig::read(root, source);
        let srs = SrsConfig::read(root, source);

        let holds_secret =
            ap_pwd.is_some() || proxy.as_ref().is_some_and(|p: &Proxy| p.authorization.is_some());
        let ap_pwd = Secret::new(ap_pwd.map_or_else(|| "not-needed".to_owned(), |p| p.value));
        Some(Self {
            ap: ApCredentials { ap_id: ap_id?.value, ap_pwd },
            holds_secret,
            prefix: prefix?,
            url: url?,
            mode,
            server_name: server_name.map(|n| n.value),
            server_trust: server_trust?,
            client_cert: client_cert?,
            client_key: client_key?,
            proxy,
            profile,
            trust,
            serial,
            evidence,
            timeouts: timeouts?,
            language,
            templates: templates?,
            sudo: sudo?,
            su: su?,
            enrol: enrol?,
            directories: directories?,
            unenrolled,
            pam,
            srs,
        })
    }
}

/// The roots that a server's certificate may chain to: those of the operating system, unless a file is named.
fn server_trust(section: &mut Section<'_>, source: &mut Source<'_>) -> Option<ServerTrust> {
    match section.text("server_trust", source) {
        Some(text) if text.value != "system" => path(text, source).map(ServerTrust::File),
        _ => Some(ServerTrust::System),
    }
}

fn read_timeouts(root: &mut Section<'_>, source: &mut Source<'_>) -> Option<Timeouts> {
    let mut section = root.section("timeouts", source);
    let line = section.line();
    let mut pair = |transaction, default, connection, source: &mut Source<'_>| {
        let ours = format!("{transaction}_connection");
        let transaction = section.number(transaction, 1..=300, default, source);
        let connection = section.number(connection, 1..=300, default.saturating_add(GAP), source);
        let (transaction, connection) = (transaction?, connection?);
        let gap = connection.checked_sub(transaction).filter(|gap| *gap > 0);
        if gap.is_none() {
            let what = format_args!(
                "must be longer than the {transaction} s that the service waits for the phone, or its answer comes too late"
            );
            source.mistake(line, &format!("timeouts.{ours}"), what);
        }
        Some((transaction, connection, gap?))
    };
    let sim = pair("sim", 80, "sim_connection", source);
    let app = pair("app", 40, "app_connection", source);
    let gap = sim.zip(app).map_or(GAP, |(sim, app)| sim.2.min(app.2));
    // What connecting takes, the service's own limit begins later: beyond the gap a phone would ring when nobody
    // waits any more.
    let connect = section.number("connect", 1..=gap, gap.min(GAP), source);
    let poll = section.number("poll", 1..=30, 2, source);
    section.finish(source);
    let ((sim, sim_connection, _), (app, app_connection, _), connect) = (sim?, app?, connect?);
    let s = Duration::from_secs;
    Some(Timeouts {
        sim: s(sim),
        sim_connection: s(sim_connection),
        app: s(app),
        app_connection: s(app_connection),
        connect: s(connect),
        poll: s(poll?),
    })
}

/// How much longer than the service we wait, in seconds (guide 4.3).
const GAP: u64 = 10;

const AP_ID_RULE: &str = "must be 1 to 200 printable characters, as Swisscom gave it";
const HOST_RULE: &str = "must be a host name of letters, digits, dots and dashes";

/// Names the mistake if `fits` is false, and says whether it did.
fn refused(fits: bool, text: &Located<String>, rule: &str, source: &mut Source<'_>) -> bool {
    if !fits {
        source.mistake(text.line, &text.key, rule);
    }
    !fits
}

fn is_wire_text(text: &str) -> bool {
    (1..=200).contains(&text.len()) && !text.chars().any(crate::text::is_unprintable)
}

pub(crate) fn is_host_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !text.starts_with(['.', '-'])
}

fn path(text: Located<String>, source: &mut Source<'_>) -> Option<Located<PathBuf>> {
    if text.value.is_empty() || text.value.contains('\0') {
        source.mistake(text.line, &text.key, "must be a path");
        return None;
    }
    Some(Located { value: PathBuf::from(text.value), line: text.line, key: text.key })
}

impl std::str::FromStr for SerialPolicy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Ignore, Self::IfKnown, Self::FirstUse, Self::Required];
        let rule = "must be \"ignore\", \"if-known\", \"first-use\" or \"required\"";
        all.into_iter().find(|policy| policy.name() == text).ok_or(rule)
    }
}

impl std::str::FromStr for Unenrolled {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "deny" => Ok(Self::Deny),
            "allow" => Ok(Self::Allow),
            _ => Err("must be \"deny\" or \"allow\""),
        }
    }
}

#[cfg(test)]
mod tests;
