//! The service cannot be reached: who is let in then, and that it is tried once and not three times.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Methods, Simulator};

use crate::support::{SHORT, audited, kept_out, let_in, log_in, no_push, one_audit, sudo};

const ALLOW: &str = "[pam]\non_unreachable = \"allow\"";

#[test]
fn allow_lets_in_and_says_so() -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    mobile_id.configure(ALLOW)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    mobile_id.stop();
    let ended = log_in(&sshd, "alice", Methods::Interactive)?;
    let_in(&ended)?;
    ensure!(ended.shown.contains("you are let in without your phone"), "{}", ended.shown);
    let_in(&sudo(&lab, "alice")?)?;
    audited(&lab, "alice", &["exempt unreachable-allowed", "exempt unreachable-allowed"])?;

    // Who has no phone is not let in for that.
    kept_out(&sudo(&lab, "judy")?)?;
    one_audit(&lab, "judy", "denied")?;
    no_push(&mobile_id)
}

#[test]
fn allow_covers_no_refusal_and_no_answer_that_is_wrong() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(&format!("{ALLOW}\n{SHORT}"))?;
    lab.pam_service("sudo", &lab.module("")?)?;
    for user in
        ["bob", "bad-signature", "untrusted-chain", "broken-json", "half-body", "tls-reset", "http-503"]
    {
        kept_out(&sudo(&lab, user)?)?;
        one_audit(&lab, user, "denied")?;
    }
    // A configuration that cannot be used is not a service that cannot be reached.
    mobile_id.configure("[surprise]")?;
    kept_out(&sudo(&lab, "alice")?)?;
    let audit = one_audit(&lab, "alice", "denied")?;
    ensure!(audit.get("reason").is_some_and(|reason| reason == "misconfigured"), "{audit:#}");
    Ok(())
}

/// In place of the service: takes connections, counts them, and says nothing that is TLS.
struct Broken {
    taken: Arc<AtomicUsize>,
}

impl Broken {
    fn replace(lab: &Lab, mobile_id: &Simulator<'_>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        // Ends with the tests.
        thread::spawn(move || {
            for _connection in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let text = fs::read_to_string(lab.path("/etc/mobileid/mobileid.toml"))?;
        let text = text.replace(mobile_id.service(), &format!("https://{address}"));
        lab.write("/etc/mobileid/mobileid.toml", 0o600, &text)?;
        Ok(Self { taken })
    }

    fn connections(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

#[test]
fn three_tries_of_sudo_are_one_of_the_service() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sudo", &lab.module("")?)?;
    let broken = Broken::replace(&lab, &mobile_id)?;
    let ended = sudo(&lab, "alice")?;
    kept_out(&ended)?;
    ensure!(ended.shown.contains("cannot be reached"), "{}", ended.shown);
    audited(&lab, "alice", &["denied unreachable-tls"; 3])?;
    ensure!(broken.connections() == 1, "{} connections", broken.connections());
    Ok(())
}

#[test]
fn three_tries_of_ssh_are_one_of_the_service() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &lab.module("")?)?;
    let sshd = lab.sshd(&[])?;
    let broken = Broken::replace(&lab, &mobile_id)?;
    kept_out(&log_in(&sshd, "alice", Methods::Interactive)?)?;
    ensure!(broken.connections() == 1, "{} connections", broken.connections());
    Ok(())
}
