//! `[pam]`: what the PAM module does beyond asking the phone. Where nothing is written, everybody is asked, nothing is
//! remembered for longer than a connection, and no trouble lets anybody in.

use std::{ops::RangeInclusive, time::Duration};

use ipnet::IpNet;

use super::{
    reader::{Section, Source},
    values::{bare, choice, conditions, duration, each, network},
};
use crate::subscriber::UserName;

/// The section `[pam]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PamConfig {
    /// How the code is shown under sshd.
    pub sshd_message: SshdMessage,
    /// Whose phone is asked under su and its like.
    pub su_identity: SuIdentity,
    /// What becomes of a login where the service cannot be reached.
    pub on_unreachable: OnUnreachable,
    /// How long a confirmed login counts for the next one of the same user, from the same address with the same key.
    pub grace: Option<Duration>,
    /// How many pushes in vain a user may get within [`PamConfig::push_window`].
    pub push_limit: u32,
    /// The time that they are counted in.
    pub push_window: Duration,
    /// Which logins need the phone.
    pub require: Require,
    /// Which of them are let in without it.
    pub exempt: Exempt,
}

impl Default for PamConfig {
    fn default() -> Self {
        Self {
            sshd_message: SshdMessage::default(),
            su_identity: SuIdentity::default(),
            on_unreachable: OnUnreachable::default(),
            grace: None,
            push_limit: 3,
            push_window: Duration::from_secs(10 * 60),
            require: Require::default(),
            exempt: Exempt::default(),
        }
    }
}

/// How the code is shown under sshd, which before OpenSSH 10.3 keeps information back until the login has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SshdMessage {
    /// As information where this sshd shows it at once, else as a prompt.
    #[default]
    Auto,
    /// As a prompt: the person presses Enter, then confirms.
    Prompt,
    /// As information.
    Info,
    /// Not at all.
    None,
}

/// Whose phone is asked where one user becomes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SuIdentity {
    /// The caller's where the target is root, who has no phone; else the target's.
    #[default]
    Auto,
    /// The caller's.
    Caller,
    /// The target's.
    Target,
}

/// What becomes of a login where the service cannot be reached. Neither covers a refusal, a signature that does not
/// hold, or a configuration that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnreachable {
    /// Denied.
    #[default]
    Deny,
    /// Let in without a phone, and logged each time.
    Allow,
}

/// Which logins need the phone: the service is listed, and the user is listed or in a listed group. A list that is
/// absent restricts nothing; none is ever empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Require {
    /// PAM services.
    pub services: Option<Vec<String>>,
    /// Users.
    pub users: Option<Vec<String>>,
    /// Groups of this host.
    pub groups: Option<Vec<String>>,
}

/// Which logins are let in without the phone: those that are in any of the lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exempt {
    /// PAM services.
    pub services: Vec<String>,
    /// Users.
    pub users: Vec<String>,
    /// Groups of this host.
    pub groups: Vec<String>,
    /// Where the login comes from.
    pub networks: Vec<IpNet>,
}

impl PamConfig {
    /// What is not written, and what is written wrongly and therefore never used, is as in [`PamConfig::default`].
    pub(super) fn read(root: &mut Section<'_>, source: &mut Source<'_>) -> Self {
        let default = Self::default();
        let mut pam = root.section("pam", source);
        let sshd_message = choice(&mut pam, "sshd_message", &SSHD_MESSAGES, source);
        let su_identity = choice(&mut pam, "su_identity", &SU_IDENTITIES, source);
        let on_unreachable = choice(&mut pam, "on_unreachable", &ON_UNREACHABLE, source);
        let push_limit = pam.number("push_limit", 1..=20, default.push_limit.into(), source);
        let read = Self {
            sshd_message: sshd_message.map_or(default.sshd_message, |l| l.value),
            su_identity: su_identity.map_or(default.su_identity, |l| l.value),
            on_unreachable: on_unreachable.map_or(default.on_unreachable, |l| l.value),
            grace: time(&mut pam, "grace", SECOND..=HOUR * 12, "from \"1s\" to \"12h\"", source),
            push_limit: push_limit.and_then(|n| n.try_into().ok()).unwrap_or(default.push_limit),
            push_window: time(&mut pam, "push_window", MINUTE..=HOUR * 24, "from \"1m\" to \"24h\"", source)
                .unwrap_or(default.push_window),
            require: Require::read(&mut pam, source),
            exempt: Exempt::read(&mut pam, source),
        };
        pam.finish(source);
        read
    }
}

const SSHD_MESSAGES: [(&str, SshdMessage); 4] = [
    ("auto", SshdMessage::Auto),
    ("prompt", SshdMessage::Prompt),
    ("info", SshdMessage::Info),
    ("none", SshdMessage::None),
];
const SU_IDENTITIES: [(&str, SuIdentity); 3] =
    [("auto", SuIdentity::Auto), ("caller", SuIdentity::Caller), ("target", SuIdentity::Target)];
const ON_UNREACHABLE: [(&str, OnUnreachable); 2] =
    [("deny", OnUnreachable::Deny), ("allow", OnUnreachable::Allow)];

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A duration within bounds, in seconds, which `shown` puts into words.
fn time(
    section: &mut Section<'_>,
    name: &'static str,
    bounds: RangeInclusive<u64>,
    shown: &str,
    source: &mut Source<'_>,
) -> Option<Duration> {
    let text = section.text(name, source)?;
    let read = duration(&text.value).map_err(str::to_owned);
    let read = read.and_then(|time| match bounds.contains(&time.as_secs()) {
        true => Ok(time),
        false => Err(format!("must be {shown}")),
    });
    read.map_err(|what| source.mistake(text.line, &text.key, what)).ok()
}

impl Require {
    fn read(pam: &mut Section<'_>, source: &mut Source<'_>) -> Self {
        let empty = "is an empty list, which would ask nobody: leave the key out, or name something";
        let mut require = pam.section("require", source);
        let read = Self {
            services: conditions(&mut require, "services", service, empty, source).map(bare),
            users: conditions(&mut require, "users", user, empty, source).map(bare),
            groups: conditions(&mut require, "groups", group, empty, source).map(bare),
        };
        require.finish(source);
        read
    }
}

impl Exempt {
    fn read(pam: &mut Section<'_>, source: &mut Source<'_>) -> Self {
        let mut exempt = pam.section("exempt", source);
        let read = Self {
            services: bare(each(&mut exempt, "services", service, source)),
            users: bare(each(&mut exempt, "users", user, source)),
            groups: bare(each(&mut exempt, "groups", group, source)),
            networks: bare(each(&mut exempt, "networks", narrow, source)),
        };
        exempt.finish(source);
        read
    }
}

/// A PAM service as it is called: the name of a file in `/etc/pam.d`.
fn service(text: &str) -> Result<String, &'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'@');
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('.');
    fits.then(|| text.to_owned()).ok_or("must be the name of a PAM service, like sshd or sudo")
}

/// An account's name, also one of a directory: `alice@corp.example`, `CORP\alice`.
fn user(text: &str) -> Result<String, &'static str> {
    let fits = is_account(text) && !text.contains(' ');
    fits.then(|| text.to_owned()).ok_or("must be the name of one user")
}

/// A group's name. Those of directories have blanks in them: `domain users`.
fn group(text: &str) -> Result<String, &'static str> {
    let fits = is_account(text) && text.trim() == text;
    fits.then(|| text.to_owned()).ok_or("must be the name of one group, without a mark before it")
}

/// What no name has in it, and what other files put before one to mean something else: a group, a netgroup, all but.
fn is_account(text: &str) -> bool {
    text.parse::<UserName>().is_ok()
        && !text.contains([':', '/', ',', '*'])
        && !text.starts_with(['@', '%', '+', '-', '!', '~'])
}

/// A network that does not have everybody in it.
fn narrow(text: &str) -> Result<IpNet, String> {
    let network = network(text)?;
    match network.prefix_len() {
        0 => Err("is every address there is: it would let everybody in without a phone".to_owned()),
        _ => Ok(network),
    }
}
