//! What is known of a login before anything is decided: who, by which service, from where.

#![forbid(unsafe_code)]

use std::{fmt, net::IpAddr};

use mobileid::{
    login::Request,
    subscriber::{InvalidUserName, UserName},
    text,
};

use crate::{
    codes::SSHD,
    host::{Host, Item},
    presence,
    system::System,
};

/// The facts of one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// PAM_USER as it was at the beginning.
    pub(crate) pam_user: Option<String>,
    /// The same as a name, or why it is none.
    pub(crate) user: Result<UserName, String>,
    /// The PAM service.
    pub(crate) service: String,
    /// This host.
    pub(crate) host: String,
    /// The terminal.
    pub(crate) tty: Option<String>,
    /// Where the login comes from.
    pub(crate) rhost: Option<String>,
    /// Who asks.
    pub(crate) ruser: Option<String>,
    /// sshd's SSH_CONNECTION.
    pub(crate) ssh_connection: Option<String>,
    /// The client's address in it.
    pub(crate) address: Option<IpAddr>,
    /// sshd's SSH_AUTH_INFO_0: what has been proved before PAM was asked.
    pub(crate) auth_info: Option<String>,
    /// Whether this process has more rights than who started it.
    pub(crate) is_set_user_id: bool,
}

impl Facts {
    pub(crate) fn read(host: &mut impl Host, system: &impl System) -> Self {
        let service = host.item(Item::Service).unwrap_or_default();
        let tty = host.item(Item::Tty);
        let of_sshd = |name| (service == SSHD).then(|| host.env(name)).flatten();
        let ssh_connection = of_sshd(c"SSH_CONNECTION");
        let auth_info = of_sshd(c"SSH_AUTH_INFO_0");
        let address = ssh_connection.as_ref().and_then(|text| presence::address(text.split(' ').next()?));
        // sshd's PAM_RHOST is a name from reverse DNS if `UseDNS` is on, and so whatever the client's network says.
        let rhost = address.map(|address| address.to_string()).or_else(|| host.item(Item::Rhost));
        let ruser = host.item(Item::Ruser);
        let pam_user = host.user();
        let user = match &pam_user {
            Some(name) => name.parse().map_err(|why: InvalidUserName| why.to_string()),
            None => Err("the application has no user name that is UTF-8 text".to_owned()),
        };
        let host = system.host_name();
        let is_set_user_id = system.is_set_user_id();
        Self {
            pam_user,
            user,
            service,
            host,
            tty,
            rhost,
            ruser,
            ssh_connection,
            address,
            auth_info,
            is_set_user_id,
        }
    }

    /// The request of this login; with a stand-in for a name that is none, for the record of its denial.
    pub(crate) fn request(&self) -> Request {
        let stand_in = || UserName::stand_in(self.pam_user.as_deref().unwrap_or_default());
        Request {
            user: self.user.clone().unwrap_or_else(|_| stand_in()),
            service: self.service.clone(),
            host: self.host.clone(),
            rhost: self.rhost.clone(),
            client: None,
            target: None,
            command: None,
            limit: None,
        }
    }

    /// Whether it is sshd.
    pub(crate) fn is_sshd(&self) -> bool {
        self.service == SSHD
    }

    /// Whether it is sudo, which has a second name for `sudo -i`.
    pub(crate) fn is_sudo(&self) -> bool {
        matches!(self.service.as_str(), "sudo" | "sudo-i")
    }

    /// Whether whoever logs in has started this process, with limits and signals of their choice: sudo, su, and any
    /// other set-user-ID program. sshd is none, but SELinux may start it as it would one.
    pub(crate) fn is_started_by_user(&self) -> bool {
        self.is_sudo() || self.is_su() || (self.is_set_user_id && !self.is_sshd())
    }

    /// What several runs of the stack have in common that belong to one login: the connection of sshd, the process
    /// of sudo and su. A server that is not known may serve many in one process: there it is none.
    pub(crate) fn connection(&self, system: &impl System) -> Option<String> {
        if self.is_sshd() {
            let connection = self.ssh_connection.as_deref()?;
            // The same addresses and ports may be another connection's a minute later.
            return Some(format!("{connection}\n{}", system.connection_identity(connection)?));
        }
        (self.is_sudo() || self.is_su()).then(|| system.process_identity()).flatten()
    }

    /// Whether it is su, which has a second name for `su -` in util-linux.
    pub(crate) fn is_su(&self) -> bool {
        matches!(self.service.as_str(), "su" | "su-l")
    }
}

/// For the log: each foreign text escaped, and quoted because it may hold blanks.
impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = [
            ("user", self.pam_user.as_deref()),
            ("service", Some(self.service.as_str())),
            ("host", Some(self.host.as_str())),
            ("tty", self.tty.as_deref()),
            ("rhost", self.rhost.as_deref()),
            ("ruser", self.ruser.as_deref()),
        ];
        for (at, (name, fact)) in facts.into_iter().enumerate() {
            let blank = if at > 0 { " " } else { "" };
            let fact = fact.map_or_else(|| "none".to_owned(), |f| format!("'{}'", text::escaped(f, 256)));
            write!(f, "{blank}{name}={fact}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str) -> Facts {
        Facts {
            pam_user: Some(name.into()),
            user: name.parse().map_err(|why: InvalidUserName| why.to_string()),
            service: "sudo".into(),
            host: "web1".into(),
            tty: None,
            rhost: None,
            ruser: Some("bob\n".into()),
            ssh_connection: None,
            address: None,
            auth_info: None,
            is_set_user_id: false,
        }
    }

    #[test]
    fn the_log_shows_them_quoted_and_escaped() {
        let expected = r"user='al ice' service='sudo' host='web1' tty=none rhost=none ruser='bob\u{a}'";
        assert_eq!(facts("al ice").to_string(), expected);
    }

    #[test]
    fn a_name_that_is_none_has_a_stand_in_for_the_record() {
        assert_eq!(facts("alice").request().user.as_str(), "alice");
        assert_eq!(facts("ali\u{1b}ce").request().user.as_str(), "ali?ce");
        assert_eq!(facts("").request().user.as_str(), "?");
        assert_eq!(facts(&"é".repeat(9999)).request().user.as_str(), format!("{}...", "é".repeat(61)));
    }
}
