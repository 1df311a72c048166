//! `mobileid-radiusd` as a process of the world, its audit lines, its log and its metrics.

use std::fs::DirBuilder;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::lab::{end, signal_inside};
use crate::radius::{Nas, SECRET};
use crate::simulator::text;
use crate::{DEADLINE, Lab, Lines};

/// A running responder, with two ports: a NAS may fail over from one to the other.
#[derive(Debug)]
pub struct Responder<'lab> {
    lab: &'lab Lab,
    name: String,
    process: Child,
    ports: [u16; 2],
    metrics: u16,
    audit: Lines,
    log: Lines,
}

impl Lab {
    /// Starts a responder whose clients and rules are these sections of `radiusd.toml`. One client must cover
    /// 127.0.0.1 with [`SECRET`]. The simulator comes first: its `mobileid.toml` is what the responder reads.
    ///
    /// # Errors
    /// When it is not built or does not come up; the message carries its log.
    pub fn responder(&self, sections: &str) -> Result<Responder<'_>> {
        self.responder_named("radiusd", "", sections)
    }

    /// As [`Lab::responder`], with a name of its own beside another, and keys before the first section.
    ///
    /// # Errors
    /// As [`Lab::responder`].
    pub fn responder_named(&self, name: &str, keys: &str, sections: &str) -> Result<Responder<'_>> {
        Responder::start(self, name, keys, sections)
    }
}

impl<'lab> Responder<'lab> {
    fn start(lab: &'lab Lab, name: &str, keys: &str, sections: &str) -> Result<Self> {
        let program = lab.bring(&lab.artefacts().radiusd()?)?;
        let state = lab.path(&format!("/run/lab/{name}-state"));
        DirBuilder::new().recursive(true).mode(0o700).create(&state)?;
        // Between finding free ports and taking them, another process may: then the next ones are tried.
        for _ in 0..5 {
            let ports = [free_port()?, free_port()?];
            let metrics = free_port()?;
            let file = format!("/etc/mobileid/{name}.toml");
            lab.write(&file, 0o600, &configuration(name, ports, metrics, keys, sections))?;
            let mut process = lab
                .command(&program)
                .args(["--config", &file])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .context("cannot run nsenter (util-linux)")?;
            let audit = Lines::of_pipe(process.stdout.take().context("the responder audits")?);
            let log = Lines::of_pipe(process.stderr.take().context("the responder has a log")?);
            let mut responder = Self { lab, name: name.to_owned(), process, ports, metrics, audit, log };
            match responder.wait_until_it_answers() {
                Ok(()) => return Ok(responder),
                Err(_) if !responder.log.containing("in use").is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        bail!("the responder found no free ports in five tries")
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            // Its own word that the ports are its own: another world's responder would answer as well.
            let has =
                |port: &u16| !self.log.containing(&format!("takes logins on 127.0.0.1:{port}")).is_empty();
            let answers = |port: &u16| Nas::new(*port).and_then(|nas| nas.finds_a_server()).unwrap_or(false);
            if self.ports.iter().all(|port| answers(port) && has(port)) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                self.log.wait_for_end()?;
                bail!("the responder ended with {status}:\n{}", self.log.all().join("\n"));
            }
        }
        bail!("the responder does not answer Status-Server:\n{}", self.log.all().join("\n"))
    }

    /// Its first port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// Its second port.
    #[must_use]
    pub fn second_port(&self) -> u16 {
        self.ports[1]
    }

    /// A NAS at 127.0.0.1 that asks the first port.
    ///
    /// # Errors
    /// As [`Nas::new`].
    pub fn nas(&self) -> Result<Nas> {
        Nas::new(self.port())
    }

    /// A NAS at another address of loopback, for a story with clients of several kinds.
    ///
    /// # Errors
    /// As [`Nas::new`].
    pub fn nas_at(&self, address: &str) -> Result<Nas> {
        Nas::at(address, self.port(), SECRET)
    }

    /// What it wrote to its standard error.
    #[must_use]
    pub fn log(&self) -> &Lines {
        &self.log
    }

    /// Every audit line until now, as it is.
    #[must_use]
    pub fn audit_log(&self) -> &Lines {
        &self.audit
    }

    /// The audit lines of a user until now, in order.
    ///
    /// # Errors
    /// When one is no JSON.
    pub fn audits(&self, user: &str) -> Result<Vec<Value>> {
        let lines = self.audit.all();
        let parse = |line: &String| serde_json::from_str(line).with_context(|| format!("no JSON: {line}"));
        let all = lines.iter().map(parse).collect::<Result<Vec<Value>>>()?;
        Ok(all.into_iter().filter(|audit| text(audit, "user") == user).collect())
    }

    /// Waits for the first audit line of a user.
    ///
    /// # Errors
    /// When none comes.
    pub fn audit(&self, user: &str) -> Result<Value> {
        self.audit
            .wait_for(&format!("\"user\":\"{user}\""))
            .with_context(|| format!("the log:\n{}", self.log.all().join("\n")))?;
        self.audits(user)?.into_iter().next().context("it was there")
    }

    /// How many audit lines there are, of anybody.
    #[must_use]
    pub fn audited(&self) -> usize {
        self.audit.all().len()
    }

    /// One of the pages that it serves on loopback: `/metrics`, `/health`.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn page(&self, path: &str) -> Result<String> {
        let mut page = TcpStream::connect(("127.0.0.1", self.metrics)).context("no page is served")?;
        page.set_read_timeout(Some(DEADLINE))?;
        write!(page, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        page.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The sum of a metric over all its lines that contain every one of these words.
    ///
    /// # Errors
    /// When the page is not served.
    pub fn metric(&self, name: &str, words: &[&str]) -> Result<f64> {
        let page = self.page("/metrics")?;
        let of_it = |line: &&str| {
            let rest = line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
            rest && words.iter().all(|word| line.contains(word))
        };
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        Ok(page.lines().filter(of_it).filter_map(value).sum())
    }

    /// Writes its configuration anew, with other sections, and tells it to read it.
    ///
    /// # Errors
    /// When the file cannot be written or the process has ended.
    pub fn reload(&self, keys: &str, sections: &str) -> Result<()> {
        let file = format!("/etc/mobileid/{}.toml", self.name);
        self.lab.write(&file, 0o600, &configuration(&self.name, self.ports, self.metrics, keys, sections))?;
        self.signal(Signal::SIGHUP)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        signal_inside(&self.process, signal)
    }

    /// Tells it to finish what is pending and end, and waits until it has: then every audit line is there that
    /// will ever be.
    ///
    /// # Errors
    /// When it does not end; the message carries its log.
    pub fn drain(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.ended()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// As [`Responder::drain`].
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let log = || self.log.all().join("\n");
        self.audit.wait_for_end().with_context(|| format!("the responder does not end:\n{}", log()))?;
        Ok(self.process.wait()?)
    }
}

impl Drop for Responder<'_> {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Whether this machine has the loopback address of IPv6: then every responder listens there as well, on its first
/// port.
#[must_use]
pub fn has_ipv6() -> bool {
    UdpSocket::bind("[::1]:0").is_ok()
}

/// A port of loopback that is free for UDP; a TCP port is as likely to be free under the same number.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn configuration(name: &str, ports: [u16; 2], metrics: u16, keys: &str, sections: &str) -> String {
    let [first, second] = ports;
    let sixth = if has_ipv6() { format!(", \"[::1]:{first}\"") } else { String::new() };
    format!(
        "mobileid = \"mobileid.toml\"\n\
         listen = [\"127.0.0.1:{first}\", \"127.0.0.1:{second}\"{sixth}]\n\
         metrics = \"127.0.0.1:{metrics}\"\n\
         state_dir = \"/run/lab/{name}-state\"\n\
         audit = \"stdout\"\n\
         {keys}\n\
         {sections}\n"
    )
}
