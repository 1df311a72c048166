//! From the first day of a new employee to her new phone: `mobileidctl enrol`, logins, and what an administrator does
//! when her serial number is another one.

use anyhow::{Context, Result, ensure};
use mobileid_tests::radius::{Responder, Verdict};
use mobileid_tests::{Lab, Methods, Simulator, Slapd, Sshd};

use crate::radius::support::waiting;
use crate::serial::in_words;
use crate::support::{kept_out, let_in, log_in, no_push};

/// What whoever comes with another serial number is told.
const NEW_SERIAL: &str = "was set up anew and is not the one known here. Ask your administrator";
const GATEWAYS_STATE: &str = "/run/lab/radiusd-state";

/// A host with sshd and a VPN gateway that ask the same directory, in which judy stands with alice's phone.
struct Company<'lab> {
    lab: &'lab Lab,
    mobile_id: Simulator<'lab>,
    directory: Slapd,
    sshd: Sshd<'lab>,
    gateway: Responder<'lab>,
}

impl<'lab> Company<'lab> {
    fn new(
        lab: &'lab Lab,
        configure: impl FnOnce(&Slapd, &Lab, &Simulator<'_>) -> Result<()>,
    ) -> Result<Self> {
        let mobile_id = lab.simulator()?;
        let directory = lab.slapd()?;
        configure(&directory, lab, &mobile_id)?;
        directory.hire("judy", "judy's password", &format!("+{}", mobile_id.number("alice")?))?;
        lab.pam_service("sshd", &lab.module("")?)?;
        let sshd = lab.sshd(&[])?;
        let gateway = lab.responder(&waiting("vpn", "127.0.0.1"))?;
        Ok(Self { lab, mobile_id, directory, sshd, gateway })
    }

    /// Runs the tool, which has to end like this.
    fn tool(&self, arguments: &[&str], status: i32) -> Result<()> {
        let done = self.lab.mobileidctl(arguments)?;
        ensure!(done.status.code() == Some(status), "mobileidctl {arguments:?}: {done:#?}");
        Ok(())
    }

    /// Logs judy in by ssh; returns what she is told.
    fn ssh(&self, is_let_in: bool) -> Result<String> {
        let ended = log_in(&self.sshd, "judy", Methods::Interactive)?;
        if is_let_in {
            let_in(&ended)?
        } else {
            kept_out(&ended)?
        }
        Ok(ended.shown)
    }

    /// Logs her in by the gateway, from another desk each time, so that it is another login.
    fn vpn(&self, desk: &str, is_let_in: bool) -> Result<String> {
        let request =
            format!("User-Name=judy,User-Password=any,Calling-Station-Id={desk},Message-Authenticator=0x00");
        let answer = self.lab.radclient(self.gateway.port(), &request, &[])?.finish()?;
        let expected = if is_let_in { Verdict::Accept } else { Verdict::Reject };
        ensure!(answer.verdict == expected, "{answer:#?}\n{:#?}", self.gateway.log().all());
        Ok(answer.value("Reply-Message").unwrap_or_default().to_owned())
    }

    /// What the audit lines of both say, in order.
    fn audits(&self, of_gateway: usize) -> Result<[Vec<String>; 2]> {
        self.gateway.audit_log().wait_for_many("\"user\":\"judy\"", of_gateway)?;
        self.lab.settle_syslog()?;
        let [host, gateway] = [self.lab.audits("judy")?, self.gateway.audits("judy")?];
        Ok([host.iter().map(in_words).collect(), gateway.iter().map(in_words).collect()])
    }

    /// Her serial number, where the directory keeps it.
    fn known(&self) -> Result<Option<String>> {
        let mut values = self.directory.values("judy", Slapd::WRITABLE)?;
        ensure!(values.len() < 2, "{values:?}");
        Ok(values.pop())
    }

    /// How often her phone has rung.
    fn rang(&self, times: usize) -> Result<()> {
        let pushes = self.mobile_id.pushes("alice")?;
        ensure!(pushes.len() == times, "not {times} pushes: {pushes:#?}");
        Ok(())
    }
}

/// The directory keeps serial numbers: one command enrols her for every host, and one lets her begin anew.
#[test]
fn a_new_employee_her_first_logins_and_her_new_phone() -> Result<()> {
    let lab = Lab::new()?;
    let company = Company::new(&lab, |directory, lab, mobile_id| {
        directory.configure_as_keeper(lab, mobile_id, Slapd::WRITABLE)
    })?;
    company.tool(&["enrol", "judy"], 0)?;
    company.rang(1)?;
    let text = company.mobile_id.pushes("alice")?.pop().context("one")?;
    ensure!(text.contains("judy"), "{text}");
    let serial = company.known()?.context("her serial number is known")?;

    company.ssh(true)?;
    company.vpn("desk", true)?;
    company.rang(3)?;

    let new = company.mobile_id.reactivate("alice")?;
    ensure!(new != serial);
    ensure!(company.ssh(false)?.contains(NEW_SERIAL));
    ensure!(company.vpn("new-phone", false)?.contains(NEW_SERIAL));
    company.rang(5)?;

    // The administrator has seen her, with her phone.
    company.tool(&["serial", "forget", "judy"], 0)?;
    ensure!(company.known()?.is_none());
    company.ssh(true)?;
    company.vpn("home", true)?;
    company.rang(7)?;
    ensure!(company.known()? == Some(new));

    let [host, gateway] = company.audits(3)?;
    ensure!(host == ["accepted verified", "denied serial-mismatch", "accepted verified, first"], "{host:#?}");
    ensure!(gateway == ["accepted verified", "denied serial-mismatch", "accepted verified"], "{gateway:#?}");
    Ok(())
}

/// The strictest site: nobody gets in who was not enrolled, and forgetting is not enrolling.
#[test]
fn where_it_is_required_only_an_enrolment_lets_her_in() -> Result<()> {
    let lab = Lab::new()?;
    let company = Company::new(&lab, |directory, lab, mobile_id| {
        directory.configure_as_keeper(lab, mobile_id, Slapd::WRITABLE)?;
        mobile_id.set("signature", "serial = \"required\"")
    })?;
    for pushes in [0, 3] {
        ensure!(company.ssh(false)?.contains("has not been registered here yet"));
        let told = company.vpn(&format!("day-{pushes}"), false)?;
        ensure!(told.contains("has not been registered here yet"), "{told}");
        company.rang(pushes)?;
        company.tool(&["enrol", "judy"], 0)?;
        company.ssh(true)?;
        company.vpn(&format!("desk-{pushes}"), true)?;
        company.tool(&["serial", "forget", "judy"], 0)?;
    }
    Ok(())
}

/// Each host keeps them: the usual case, in which the first use at the gateway is one of its own.
#[test]
fn the_same_where_each_host_keeps_what_it_has_seen() -> Result<()> {
    let lab = Lab::new()?;
    let company = Company::new(&lab, Slapd::configure)?;
    company.tool(&["enrol", "judy"], 0)?;
    let kept = lab.pins("/var/lib/mobileid")?;
    ensure!(kept.len() == 1 && kept.iter().all(|pin| pin.get("by").is_some_and(|by| by == "enrolment")));

    company.ssh(true)?;
    company.vpn("desk", true)?;
    company.mobile_id.reactivate("alice")?;
    ensure!(company.ssh(false)?.contains(NEW_SERIAL));
    ensure!(company.vpn("new-phone", false)?.contains(NEW_SERIAL));

    company.tool(&["serial", "forget", "judy"], 0)?;
    company.ssh(true)?;
    // The gateway's memory is its own.
    ensure!(company.vpn("still-new", false)?.contains(NEW_SERIAL));
    company.tool(&["serial", "forget", "judy", "--state", GATEWAYS_STATE], 0)?;
    company.vpn("home", true)?;
    company.rang(8)?;

    let [host, gateway] = company.audits(4)?;
    ensure!(host == ["accepted verified", "denied serial-mismatch", "accepted verified, first"], "{host:#?}");
    let seen = [
        "accepted verified, first",
        "denied serial-mismatch",
        "denied serial-mismatch",
        "accepted verified, first",
    ];
    ensure!(gateway == seen, "{gateway:#?}");
    Ok(())
}

/// An enrolment that cannot come to its end rings nobody's phone, or keeps nothing.
#[test]
fn who_cannot_sign_is_not_enrolled() -> Result<()> {
    let lab = Lab::new()?;
    let company = Company::new(&lab, Slapd::configure)?;
    company.tool(&["enrol", "nobody-here"], 1)?;
    no_push(&company.mobile_id)?;
    company.tool(&["enrol", "bob"], 1)?;
    ensure!(company.mobile_id.pushes("bob")?.len() == 1);
    ensure!(lab.pins("/var/lib/mobileid")?.is_empty(), "{:#?}", lab.pins("/var/lib/mobileid")?);

    // Who is known by another serial number is not enrolled over it.
    company.tool(&["enrol", "judy"], 0)?;
    let kept = lab.pins("/var/lib/mobileid")?;
    company.mobile_id.reactivate("alice")?;
    company.tool(&["enrol", "judy"], 1)?;
    ensure!(lab.pins("/var/lib/mobileid")? == kept);
    Ok(())
}

/// A small site without a directory: the same command writes the table.
#[test]
fn without_adirectory_the_table_gets_her_entry() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let number = format!("+{}", mobile_id.number("alice")?);
    let done = lab.mobileidctl(&["enrol", "judy", "--msisdn", &number, "--language", "en"])?;
    ensure!(done.status.success(), "{done:#?}");
    let table = std::fs::read_to_string(lab.path("/etc/mobileid/users.toml"))?;
    ensure!(table.contains("[judy]") && table.contains("[alice]"), "{table}");
    let_in(&log_in(&sshd, "judy", Methods::Interactive)?)?;
    lab.settle_syslog()?;
    let audits = lab.audits("judy")?;
    ensure!(audits.len() == 1 && audits.iter().all(|audit| audit.get("first_use").is_none()), "{audits:#?}");
    mobile_id.reactivate("judy")?;
    kept_out(&log_in(&sshd, "judy", Methods::Interactive)?)
}
