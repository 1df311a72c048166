//! A real sshd on a loopback port, and the real ssh client on a pseudo-terminal.

use std::net::TcpListener;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::lab::end;
use crate::{Lab, Lines, Terminal};

/// The line of a configuration with which sshd tells what it waits for.
pub const TALKATIVE: &str = "LogLevel DEBUG3";

/// Whose sshd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenSsh {
    /// The machine's own.
    Machine,
    /// The first that shows information while it waits, as `make deps` built it. A test that wants it is marked
    /// `#[cfg_attr(not(openssh), ignore = "...")]`.
    Newer,
}

/// The methods that the client is willing to use, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Keyboard-interactive alone: everything that PAM asks.
    Interactive,
    /// The user's key, then keyboard-interactive.
    KeyThenInteractive,
    /// The `password` method alone.
    Password,
    /// The `password` method, then keyboard-interactive.
    PasswordThenInteractive,
}

impl Methods {
    fn preferred(self) -> &'static str {
        match self {
            Self::Interactive => "keyboard-interactive",
            Self::KeyThenInteractive => "publickey,keyboard-interactive",
            Self::Password => "password",
            Self::PasswordThenInteractive => "password,keyboard-interactive",
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
    pub(crate) fn start(lab: &'lab Lab, whose: OpenSsh, lines: &[&str]) -> Result<Self> {
        let (program, lines) = whose.program(lab, lines)?;
        // Between finding a free port and sshd taking it, another process may: then the next one is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            lab.write("/etc/ssh/sshd_config", 0o600, &configuration(port, &lines))?;
            let mut daemon = lab
                .command(&program)
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
        self.login_with(&[], user, methods, command)
    }

    /// As [`Sshd::login_to`], with options of the caller's for the client.
    ///
    /// # Errors
    /// As [`Lab::terminal`].
    pub fn login_with(
        &self,
        options: &[&str],
        user: &str,
        methods: Methods,
        command: &str,
    ) -> Result<Terminal> {
        let key = methods == Methods::KeyThenInteractive;
        let mut client = self.lab.command("ssh");
        client.args(["-F", "none", "-p", &self.port.to_string(), "-l", user]).args(options);
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

    /// Waits until sshd itself waits for nothing but PAM. Until then it notices by itself that a client has gone, and
    /// ends the module with a signal; from then on it leaves that to the module. The one connection that there is tells
    /// so with [`TALKATIVE`].
    ///
    /// # Errors
    /// When that does not happen.
    pub fn wait_until_pam_waits(&self) -> Result<()> {
        self.log.wait_until("wait of sshd for PAM", |lines| {
            // The process without privileges talks on, and the one that PAM runs in.
            let of_others = |line: &String| line.ends_with("[preauth]") || line.contains(" ssh_msg_");
            let of_monitor = lines.iter().rfind(|line| !of_others(line));
            of_monitor.is_some_and(|line| line.contains("sshpam_query")).then_some(())
        })
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

impl OpenSsh {
    /// The program's path in the world, and the lines of its configuration.
    fn program(self, lab: &Lab, lines: &[&str]) -> Result<(String, Vec<String>)> {
        let mut lines: Vec<_> = lines.iter().map(|&line| line.to_owned()).collect();
        match self {
            Self::Machine => Ok(("/usr/sbin/sshd".to_owned(), lines)),
            Self::Newer => {
                let built = lab.artefacts().openssh()?;
                // Newer ones are three programs, of which the first is told where the others are.
                for (keyword, name) in [("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth")] {
                    lines.push(format!("{keyword} {}", lab.bring(&built.join(name))?));
                }
                Ok((lab.bring(&built.join("sshd"))?, lines))
            }
        }
    }
}

/// sshd takes the first value it reads for a keyword, so the test's lines come first.
fn configuration(port: u16, lines: &[String]) -> String {
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
