//! `[pam]`: what the PAM module does beyond asking the phone. Where nothing is written, everybody is asked, nothing is
//! remembered for longer than a connection, and no trouble lets anybody in.

use std::time::Duration;

use ipnet::IpNet;

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
