//! `make demo`: see a login confirmed, one cancelled and a sudo, with nothing installed and nothing changed.
//!
//! All of it happens in a laboratory's world: the machine's own sshd, ssh and sudo, the module in their PAM
//! stacks, and the simulator in place of Swisscom's service. What is printed is what the terminal showed,
//! what the phone showed, and what an auditor finds in the system log.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};

use anyhow::{Result, ensure};
use mobileid_tests::{Ended, Lab, Methods, PASSWORD, Simulator};

const STACK_BEFORE: &str = "auth requisite pam_unix.so nodelay";

fn main() -> Result<()> {
    let mut page = Page(io::stdout().lock());
    let before = pam_files()?;
    {
        let lab = Lab::new()?;
        let mobile_id = lab.simulator()?;
        let module = lab.module("")?;
        page.head(
            "A world of its own: this machine's sshd, ssh and sudo, with this PAM stack",
            &[STACK_BEFORE.to_owned(), module.clone()],
        )?;
        lab.pam_service("sshd", &format!("{STACK_BEFORE}\n{module}"))?;
        lab.pam_service("sudo", &module)?;

        let alice = ssh(&lab, "alice")?;
        page.login(&lab, &mobile_id, "ssh alice@lab, who confirms on the phone", "alice", &alice)?;
        ensure!(alice.status.success(), "alice confirmed and was kept out:\n{}", alice.shown);

        let bob = ssh(&lab, "bob")?;
        page.login(&lab, &mobile_id, "ssh bob@lab, who presses Cancel", "bob", &bob)?;
        ensure!(!bob.status.success(), "bob cancelled and was let in:\n{}", bob.shown);

        let mut command = lab.command_as("dave", "sudo")?;
        command.args(["sh", "-c", "echo granted to $(id -un)"]);
        let dave = lab.terminal(&command)?.finish()?;
        page.login(&lab, &mobile_id, "dave$ sudo sh, confirmed on the phone", "dave", &dave)?;
        ensure!(dave.status.success(), "dave confirmed and was kept out:\n{}", dave.shown);
    }
    ensure!(pam_files()? == before, "the machine's own PAM files have changed");
    page.head("The world is gone; this machine's /etc/pam.d is as it was.", &[])
}

/// Logs in with the password and, if it comes to that, the phone.
fn ssh(lab: &Lab, user: &str) -> Result<Ended> {
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login(user, Methods::Interactive)?;
    session.expect("Password:")?;
    session.send_line(PASSWORD)?;
    session.finish()
}

/// Every file of the machine's `/etc/pam.d`, by name.
fn pam_files() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir("/etc/pam.d")? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}

/// What the demonstration prints on.
struct Page<W>(W);

impl<W: Write> Page<W> {
    fn head(&mut self, title: &str, lines: &[String]) -> Result<()> {
        writeln!(self.0, "\n== {title}")?;
        self.block("", lines.iter().map(String::as_str))
    }

    fn login(
        &mut self,
        lab: &Lab,
        mobile_id: &Simulator<'_>,
        title: &str,
        user: &str,
        ended: &Ended,
    ) -> Result<()> {
        self.head(title, &[])?;
        self.block("the terminal showed", ended.shown.lines().filter(|line| !line.trim().is_empty()))?;
        let pushes = mobile_id.pushes(user)?;
        self.block("the phone showed", pushes.iter().map(String::as_str))?;
        lab.syslog().wait_for(&format!("\"user\":\"{user}\""))?;
        let audits = lab.audit_lines(user);
        self.block("the system log says", audits.iter().map(String::as_str))
    }

    fn block<'line>(&mut self, title: &str, lines: impl Iterator<Item = &'line str>) -> Result<()> {
        if !title.is_empty() {
            writeln!(self.0, "   {title}")?;
        }
        for line in lines {
            writeln!(self.0, "     | {line}")?;
        }
        Ok(())
    }
}
