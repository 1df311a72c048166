//! The private world itself: how it comes up, what is put into it, and how programs are started in it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::accounts::{self, id_of};
use crate::{Artefacts, Lines, OpenSsh, Simulator, Sshd, Terminal};

const ENTER: &str = include_str!("../world/enter.sh");

/// A world of its own for one test. See the crate's documentation.
#[derive(Debug)]
pub struct Lab {
    folder: PathBuf,
    /// unshare; when it dies, so does the world's first process, and with that the world.
    holder: Child,
    /// The world's first process, by the id that the machine knows.
    first: u32,
    syslog: Lines,
    collector: Option<JoinHandle<()>>,
    artefacts: Artefacts,
}

impl Lab {
    /// Brings up a world with the accounts [`crate::USERS`] and no PAM service but `other`, which denies.
    ///
    /// # Errors
    /// When not run by root, when the machine gives no namespaces, or when the product is not built.
    pub fn new() -> Result<Self> {
        ensure!(
            nix::unistd::geteuid().is_root(),
            "the laboratory makes mount namespaces and runs sshd and sudo: it needs root. `make test` sees to it"
        );
        let artefacts = Artefacts::find()?;
        let folder = new_folder(artefacts.folder())?;
        for place in ["etc", "run", "run/sshd", "run/lab", "home", "root", "var", "var/lib", "dev"] {
            let place = folder.join(place);
            fs::create_dir(&place)?;
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
        }
        accounts::furnish(&folder)?;
        let socket = UnixDatagram::bind(folder.join("syslog"))?;
        fs::set_permissions(folder.join("syslog"), fs::Permissions::from_mode(0o666))?;
        let (holder, first) = hold(&folder)?;
        let syslog = Lines::default();
        let collector = collect(socket, syslog.clone());
        Ok(Self { folder, holder, first, syslog, collector: Some(collector), artefacts })
    }

    /// Writes `/etc/pam.d/SERVICE` with these lines for `auth`. Account and session are permitted: what is
    /// tested here is whether somebody is let in, not what they find.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn pam_service(&self, service: &str, lines: &str) -> Result<()> {
        let text = format!("{lines}\naccount required pam_permit.so\nsession required pam_permit.so\n");
        self.write(&format!("/etc/pam.d/{service}"), 0o644, &text)
    }

    /// Writes a file of the world: below `/etc`, `/run`, `/home`, `/root` or `/var/lib`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &str, mode: u32, text: &str) -> Result<()> {
        accounts::write(&self.folder, path.trim_start_matches('/'), mode, text)
    }

    /// Where a file of the world is for the test: below `/etc`, `/run`, `/home`, `/root` or `/var/lib`.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside.trim_start_matches('/'))
    }

    /// Puts something built into the world, at the path that is returned, without Cargo's `lib`: the system
    /// log calls a module by its file's name.
    ///
    /// A checkout below /home or /root cannot be seen in the world, so built files are linked, or copied
    /// where links do not reach, to a folder that can.
    ///
    /// # Errors
    /// When it was not built, or cannot be copied.
    pub fn bring(&self, built: &Path) -> Result<String> {
        let name = built.file_name().and_then(|name| name.to_str()).context("a built file has a name")?;
        let inside = format!("/run/lab/{}", name.strip_prefix("lib").unwrap_or(name));
        let place = self.path(&inside);
        if !place.exists() && fs::hard_link(built, &place).is_err() {
            fs::copy(built, &place).with_context(|| format!("cannot bring {}", built.display()))?;
        }
        Ok(inside)
    }

    /// The product as it was built, before it is brought into the world.
    #[must_use]
    pub fn artefacts(&self) -> &Artefacts {
        &self.artefacts
    }

    /// A command that root runs in the world, with an environment of a path, a terminal and a locale.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.first)).args(["--mount", "--pid", "--", program]);
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("HOME", "/root");
        command
    }

    /// A command that one of the world's people runs.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn command_as(&self, user: &str, program: &str) -> Result<Command> {
        let id = id_of(user)?;
        let mut command = self.command("setpriv");
        command.args([format!("--reuid={id}"), format!("--regid={id}"), "--init-groups".to_owned()]);
        command.args(["--", program]).env("HOME", format!("/home/{user}")).env("USER", user);
        Ok(command)
    }

    /// Starts a command of this world on a pseudo-terminal.
    ///
    /// # Errors
    /// When there is no terminal to be had or no `setsid`.
    pub fn terminal(&self, command: &Command) -> Result<Terminal> {
        Terminal::start(command)
    }

    /// Runs a command of this world without a terminal, to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, command: &mut Command) -> Result<Output> {
        let program = format!("{command:?}");
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))
    }

    /// Starts pamtester for `user` in PAM service `service`, on a terminal, with this operation.
    ///
    /// # Errors
    /// As [`Lab::terminal`].
    pub fn pamtester(&self, service: &str, user: &str, operation: &str) -> Result<Terminal> {
        let mut command = self.command("pamtester");
        command.args([service, user, operation]);
        self.terminal(&command)
    }

    /// Starts an sshd whose first configuration lines are these.
    ///
    /// # Errors
    /// When sshd does not come up; the message carries its log.
    pub fn sshd(&self, lines: &[&str]) -> Result<Sshd<'_>> {
        self.sshd_of(OpenSsh::Machine, lines)
    }

    /// As [`Lab::sshd`], of this OpenSSH.
    ///
    /// # Errors
    /// As [`Lab::sshd`], and when `make deps` could not build it.
    pub fn sshd_of(&self, whose: OpenSsh, lines: &[&str]) -> Result<Sshd<'_>> {
        Sshd::start(self, whose, lines)
    }

    /// Starts the Mobile ID simulator, with its files in `/etc/mobileid`.
    ///
    /// # Errors
    /// When it is not built or does not come up.
    pub fn simulator(&self) -> Result<Simulator<'_>> {
        Simulator::start(self, &[])
    }

    /// Starts the simulator with a crowd beside its usual subscribers: user0 and so on, who all confirm after this
    /// many milliseconds. It offers HTTP/2, so that a crowd needs no crowd of connections.
    ///
    /// # Errors
    /// As [`Lab::simulator`].
    pub fn simulator_with_crowd(&self, people: usize, after_ms: u32) -> Result<Simulator<'_>> {
        let (people, after) = (people.to_string(), after_ms.to_string());
        Simulator::start(self, &["--http2", "--population", &people, "--population-delay", &after])
    }

    /// What was written to `/dev/log` in this world.
    #[must_use]
    pub fn syslog(&self) -> &Lines {
        &self.syslog
    }

    /// Waits until everything that was written to `/dev/log` before has been read: datagrams keep their order, so a
    /// mark of ours comes after them.
    ///
    /// # Errors
    /// When the mark does not come through.
    pub fn settle_syslog(&self) -> Result<()> {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = format!("the laboratory's mark {};", MARKS.fetch_add(1, Ordering::Relaxed));
        UnixDatagram::unbound()?.send_to(mark.as_bytes(), self.folder.join("syslog"))?;
        self.syslog.wait_for(&mark).map(drop)
    }

    /// The machine's ids of all processes in the world, but for the first.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn processes(&self) -> Result<Vec<u32>> {
        let world = fs::read_link(format!("/proc/{}/ns/pid", self.first))?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            // A process may end while we look: then it is not in the world any more.
            let there = fs::read_link(format!("/proc/{pid}/ns/pid"));
            if pid != self.first && there.is_ok_and(|there| there == world) {
                found.push(pid);
            }
        }
        Ok(found)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // unshare --kill-child ends the first process, and with it the kernel ends all others; waiting for
        // the pipe's other end to close would not tell that, waiting for the collector's socket does.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        if let Some(collector) = self.collector.take()
            && UnixDatagram::unbound().is_ok_and(|wake| wake.send_to(&[], self.folder.join("syslog")).is_ok())
        {
            let _ = collector.join();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends a program of the world: what is waited for outside is nsenter, its child is the program.
pub(crate) fn end(outside: &mut Child) {
    let id = outside.id();
    let inside = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    for pid in inside.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    // Each fails only when the process has already ended, which is what is wanted.
    let _ = outside.kill();
    let _ = outside.wait();
}

/// Sends a signal to a program of the world, which is the child of what is waited for outside.
pub(crate) fn signal_inside(outside: &Child, signal: Signal) -> Result<()> {
    let id = outside.id();
    let inside = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    let pid = inside.split_whitespace().next().context("the program has ended")?;
    Ok(kill(Pid::from_raw(pid.parse()?), signal)?)
}

/// A folder that no other world has, beside the build's output.
fn new_folder(built: &Path) -> Result<PathBuf> {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let worlds = built.join("lab");
    fs::create_dir_all(&worlds)?;
    let folder = worlds.join(format!("{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed)));
    for entry in fs::read_dir(&worlds)? {
        let path = entry?.path();
        let owner = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('-').next());
        // A test that was killed leaves its folder, though nothing in it; another may be removing it too.
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) || path == folder {
            let _ = fs::remove_dir_all(path);
        }
    }
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Makes the namespaces and waits until they are furnished.
fn hold(folder: &Path) -> Result<(Child, u32)> {
    let script = folder.join("enter.sh");
    fs::write(&script, ENTER)?;
    let mut holder = Command::new("unshare")
        .args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--", "sh"])
        .args([&script, folder])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run unshare (util-linux)")?;
    let mut line = String::new();
    if let Some(said) = holder.stdout.take() {
        BufReader::new(said).read_line(&mut line)?;
    }
    if let Some(pid) = line.trim().strip_prefix("world ") {
        return Ok((holder, pid.parse()?));
    }
    let status = holder.wait()?;
    bail!("the world did not come up ({status}): this needs root that may mount and make namespaces")
}

/// Reads `/dev/log` in a thread, because syslog(3) blocks its caller while nobody does.
fn collect(socket: UnixDatagram, lines: Lines) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        loop {
            match socket.recv(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => {
                    let line = String::from_utf8_lossy(buffer.get(..read).unwrap_or_default());
                    lines.push(line.trim_end_matches(['\0', '\n']).to_owned());
                }
            }
        }
        lines.end();
    })
}
