//! A real sshd on a loopback port, and the real ssh client on a pseudo-terminal.

use std::net::TcpListener;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::lab::end;
use crate::{Lab, Lines, Terminal};

/// The methods that the client is willing to use, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Keyboard-interactive alone: everything that PAM asks.
    Interactive,
    /// The user's key, then keyboard-interactive.
    KeyThenInteractive,
    /// The `password` method alone.
    Password,
}

impl Methods {
    fn preferred(self) -> &'static str {
        match self {
            Self::Interactive => "keyboard-interactive",
            Self::KeyThenInteractive => "publickey,keyboard-interactive",
            Self::Password => "password",
        }
    }
}

/// A running sshd. Its PAM service is `sshd`, as on any server.
#[derive(Debug)]
pub struct Sshd<'lab> {
    lab: &'lab Lab,
    daemon: Child,
    port: u16,
    log: Lines,
}

impl<'lab> Sshd<'lab> {
    pub(crate) fn start(lab: &'lab Lab, lines: &[&str]) -> Result<Self> {
        // Between finding a free port and sshd taking it, another process may: then the next one is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            lab.write("/etc/ssh/sshd_config", 0o600, &configuration(port, lines))?;
            let mut daemon = lab
                .command("/usr/sbin/sshd")
                .args(["-D", "-e", "-f", "/etc/ssh/sshd_config"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .context("cannot run nsenter (util-linux)")?;
            let log = Lines::of_pipe(daemon.stderr.take().context("sshd has a log")?);
            let sshd = Self { lab, daemon, port, log };
            match sshd.log.wait_for("Server listening on") {
                Ok(_) => return Ok(sshd),
                Err(_) if !sshd.log.containing("Address already in use").is_empty() => {}
                Err(error) => return Err(error.context("sshd (openssh-server) did not come up")),
            }
        }
        bail!("sshd found no free port in five tries")
    }

    /// Runs the ssh client on a terminal; once let in, it says `granted to USER` and leaves.
    ///
    /// # Errors
    /// As [`Lab::terminal`].
    pub fn login(&self, user: &str, methods: Methods) -> Result<Terminal> {
        self.login_to(user, methods, "echo granted to $(id -un)")
    }

    /// As [`Sshd::login`], with a command of the caller's in place of the greeting.
    ///
    /// # Errors
    /// As [`Lab::terminal`].
    pub fn login_to(&self, user: &str, methods: Methods, command: &str) -> Result<Terminal> {
        let key = methods == Methods::KeyThenInteractive;
        let mut client = self.lab.command("ssh");
        client.args(["-F", "none", "-p", &self.port.to_string(), "-l", user]);
        for option in [
            "HostKeyAlias=lab",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "IdentityFile=/root/.ssh/id_ed25519",
            "EscapeChar=none",
            &format!("PubkeyAuthentication={}", if key { "yes" } else { "no" }),
            &format!("PreferredAuthentications={}", methods.preferred()),
        ] {
            client.args(["-o", option]);
        }
        client.args(["127.0.0.1", command]);
        self.lab.terminal(&client)
    }

    /// What sshd writes to its log, which is its standard error.
    #[must_use]
    pub fn log(&self) -> &Lines {
        &self.log
    }

    /// The loopback port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

/// sshd takes the first value it reads for a keyword, so the test's lines come first.
fn configuration(port: u16, lines: &[&str]) -> String {
    format!(
        "{}\n\
         Port {port}\n\
         ListenAddress 127.0.0.1\n\
         HostKey /etc/ssh/ssh_host_ed25519_key\n\
         PidFile none\n\
         UsePAM yes\n\
         KbdInteractiveAuthentication yes\n\
         PasswordAuthentication no\n\
         PermitRootLogin no\n\
         UseDNS no\n\
         PrintMotd no\n\
         PrintLastLog no\n\
         LogLevel VERBOSE\n",
        lines.join("\n")
    )
}
