//! Programs that ask: radclient, radtest, pyrad and eapol_test, each with the machine's own binary.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::Lab;
use crate::radius::SECRET;

/// What came back, in the peer's own judgement: each of them checks what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let in.
    Accept,
    /// Kept out.
    Reject,
    /// Asked back.
    Challenge,
    /// Nothing that the peer took for an answer.
    Silence,
}

/// The last verdict, and everything that the peer printed.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The last verdict.
    pub verdict: Verdict,
    /// What it printed.
    pub said: String,
}

impl Answer {
    /// The value of an attribute as radclient and pyrad print it, of the last reply that had it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let name = format!("\t{name} = ");
        let line = self.said.rsplit('\n').find_map(|line| line.strip_prefix(&name))?;
        Some(line.trim_matches('"'))
    }
}

/// A peer that is asking.
#[derive(Debug)]
pub struct Peer {
    process: Child,
}

impl Peer {
    fn start(command: &mut Command, input: &str) -> Result<Self> {
        let program = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("cannot run {program}"))?;
        if let Some(mut stdin) = process.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        Ok(Self { process })
    }

    /// Waits until it has its answer or has given up.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn finish(self) -> Result<Answer> {
        let ended = self.process.wait_with_output()?;
        let said =
            [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        Ok(Answer { verdict: verdict(&said), said })
    }
}

/// radclient says `Received Access-Accept Id ...`, pyrad's script the name alone, eapol_test whether EAP came
/// to its end.
fn verdict(said: &str) -> Verdict {
    let of_line = |line: &str| {
        let words = line.strip_prefix("Received ").unwrap_or(line);
        match words.split(' ').next()? {
            "Access-Accept" => Some(Verdict::Accept),
            "Access-Reject" => Some(Verdict::Reject),
            "Access-Challenge" => Some(Verdict::Challenge),
            "SUCCESS" => Some(Verdict::Accept),
            "FAILURE" => Some(Verdict::Reject),
            _ => None,
        }
    };
    said.lines().rev().find_map(of_line).unwrap_or(Verdict::Silence)
}

impl Lab {
    /// radclient asks a loopback port, with these attributes separated by commas. It waits for half a minute
    /// and sends once; options of the caller's come after, and win.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn radclient(&self, port: u16, attributes: &str, options: &[&str]) -> Result<Peer> {
        self.radclient_with(SECRET, port, attributes, options)
    }

    /// As [`Lab::radclient`], with another secret.
    ///
    /// # Errors
    /// As [`Lab::radclient`].
    pub fn radclient_with(
        &self,
        secret: &str,
        port: u16,
        attributes: &str,
        options: &[&str],
    ) -> Result<Peer> {
        self.radclient_for("auth", secret, port, attributes, options)
    }

    /// radclient reports a session, with these attributes.
    ///
    /// # Errors
    /// As [`Lab::radclient`].
    pub fn radclient_account(&self, port: u16, attributes: &str) -> Result<Peer> {
        self.radclient_for("acct", SECRET, port, attributes, &[])
    }

    fn radclient_for(
        &self,
        what: &str,
        secret: &str,
        port: u16,
        attributes: &str,
        options: &[&str],
    ) -> Result<Peer> {
        self.empty_dictionary()?;
        let mut command = self.command("radclient");
        command.args(["-x", "-d", "/run/lab/raddb", "-t", "30", "-r", "1"]).args(options);
        command.args([&format!("127.0.0.1:{port}"), what, secret]);
        Peer::start(&mut command, &format!("{attributes}\n"))
    }

    /// radtest logs somebody in, as most administrators try a server for the first time.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn radtest(&self, port: u16, user: &str, password: &str) -> Result<Peer> {
        self.empty_dictionary()?;
        let mut command = self.command("radtest");
        command.args([
            "-x",
            "-d",
            "/run/lab/raddb",
            user,
            password,
            &format!("127.0.0.1:{port}"),
            "7",
            SECRET,
        ]);
        Peer::start(&mut command, "")
    }

    /// pyrad logs somebody in and answers so many challenges. It demands a Message-Authenticator.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn pyrad(&self, port: u16, user: &str, password: &str, rounds: u32) -> Result<Peer> {
        // A checkout below /home cannot be seen in the world: script and library are brought along.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        for name in ["login.py", "dictionary"] {
            let text = std::fs::read_to_string(script.join(name))?;
            self.write(&format!("/run/lab/{name}"), 0o644, &text)?;
        }
        let library = self.path("/run/lab/pyrad");
        if !library.exists() {
            let built = self.artefacts().pyrad()?;
            let copied = Command::new("cp").arg("-r").arg(&built).arg(&library).status()?;
            anyhow::ensure!(copied.success(), "cannot copy {}", built.display());
        }
        let mut command = self.command("/usr/bin/python3");
        command.env("PYTHONPATH", "/run/lab/pyrad").env("PYTHONDONTWRITEBYTECODE", "1");
        command.args(["/run/lab/login.py", &port.to_string(), SECRET, user, password, &rounds.to_string()]);
        Peer::start(&mut command, "")
    }

    /// eapol_test plays a supplicant and its access point, with these lines of its network's configuration.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn eapol_test(&self, port: u16, network: &str) -> Result<Peer> {
        self.write("/run/lab/eapol.conf", 0o600, &format!("network={{\nkey_mgmt=WPA-EAP\n{network}\n}}\n"))?;
        let mut command = self.command("eapol_test");
        command.args(["-c", "/run/lab/eapol.conf", "-a", "127.0.0.1", "-p", &port.to_string(), "-s", SECRET]);
        command.args(["-t", "15", "-n"]);
        Peer::start(&mut command, "")
    }

    /// radclient wants a folder with a dictionary of its own, which may be empty.
    fn empty_dictionary(&self) -> Result<()> {
        std::fs::create_dir_all(self.path("/run/lab/raddb"))?;
        self.write("/run/lab/raddb/dictionary", 0o644, "")
    }
}
