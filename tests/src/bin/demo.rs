//! `make demo`: see a login confirmed, one cancelled and a sudo, with nothing installed and nothing changed.
//!
//! All of it happens in a laboratory's world: the machine's own sshd, ssh and sudo, the module in their PAM
//! stacks, and the simulator in place of Swisscom's service; then FreeRADIUS's radclient as a VPN gateway that asks
//! `mobileid-radiusd`. What is printed is what the terminal or the gateway showed, what the phone showed, and what
//! an auditor finds.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};

use anyhow::{Result, ensure};
use mobileid_tests::radius::{Peer, Responder, SECRET, Verdict};
use mobileid_tests::{Ended, Lab, Methods, PASSWORD, Simulator};

const STACK_BEFORE: &str = "auth requisite pam_unix.so nodelay";
/// The gateway of the demonstration has checked the password, and waits for the phone.
const GATEWAY: &str = "\
[[client]]
name = \"vpn\"
address = \"127.0.0.1\"
secret = \"SECRET\"
mode = \"wait\"
nas_timeout = 60
first_factor = \"none\"
password = \"ignored\"
service = \"VPN\"
";

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

        let radiusd = lab.responder(&GATEWAY.replace("SECRET", SECRET))?;
        vpn(&mut page, &lab, &mobile_id, &radiusd, "alice", Verdict::Accept)?;
        vpn(&mut page, &lab, &mobile_id, &radiusd, "bob", Verdict::Reject)?;
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
    session.press_enter_at_code()?;
    session.finish()
}

/// A VPN gateway asks for this user. The phone has shown other texts before; the last one is this login's.
fn vpn(
    page: &mut Page<impl Write>,
    lab: &Lab,
    mobile_id: &Simulator<'_>,
    radiusd: &Responder<'_>,
    user: &str,
    expected: Verdict,
) -> Result<()> {
    let request = format!(
        "User-Name={user},User-Password=checked,Calling-Station-Id=203.0.113.9,Message-Authenticator=0x00"
    );
    let answer = lab.radclient(radiusd.port(), &request, &[]).and_then(Peer::finish)?;
    ensure!(answer.verdict == expected, "{user} got another answer:\n{}", answer.said);
    radiusd.audit(user)?;
    page.head(&format!("{user} at a VPN gateway, which asks mobileid-radiusd (radclient)"), &[])?;
    page.block("the gateway sent and received", answer.said.lines().filter(|line| is_of_a_packet(line)))?;
    page.block("the phone showed", mobile_id.pushes(user)?.last().map(String::as_str).into_iter())?;
    let audits = radiusd.audit_log().containing(&format!("\"user\":\"{user}\""));
    page.block("mobileid-radiusd says", audits.iter().map(String::as_str))
}

/// Without radclient's own bookkeeping.
fn is_of_a_packet(line: &str) -> bool {
    [
        "Sent ",
        "Received ",
        "\tUser-Name",
        "\tCalling-Station-Id",
        "\tReply-Message",
        "\tMessage-Authenticator",
    ]
    .iter()
    .any(|begin| line.starts_with(begin))
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
