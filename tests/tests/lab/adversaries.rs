//! Every way in which an answer can be wrong ends in a denial, in time, with the result that keeps the
//! application from pushing again; and every way in which it can be right does not.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use mobileid_tests::{Conversation, Lab, Round, Simulator};

use crate::support::{SHORT, no_push, one_audit, one_push, pam};

/// Whose answer comes at once, and what PAM answers to it in a service other than sshd.
const ANSWERS: [(&str, i64); 25] = [
    ("alice", pam::SUCCESS),
    ("bob", pam::ABORT),
    ("dave", pam::SUCCESS),
    ("erin", pam::SUCCESS),
    ("ivan", pam::SUCCESS),
    ("judy", pam::USER_UNKNOWN),
    ("wrong-text", pam::ABORT),
    ("wrong-msisdn", pam::ABORT),
    ("wrong-trans-id", pam::ABORT),
    ("other-serial", pam::ABORT),
    ("untrusted-chain", pam::ABORT),
    ("expired-signer", pam::ABORT),
    ("bad-signature", pam::ABORT),
    ("no-signature", pam::ABORT),
    ("two-signers", pam::ABORT),
    ("trailing-garbage", pam::ABORT),
    ("broken-json", pam::ABORT),
    ("deep-json", pam::ABORT),
    ("huge-body", pam::ABORT),
    ("tls-reset", pam::ABORT),
    ("http-503", pam::ABORT),
    ("status-501", pam::ABORT),
    ("status-502", pam::SUCCESS),
    ("status-503", pam::ABORT),
    ("status-504", pam::ABORT),
];

/// Whose answer never comes, or comes late, or never ends.
const SILENCES: [(&str, i64); 4] =
    [("frank", pam::ABORT), ("grace", pam::ABORT), ("half-body", pam::ABORT), ("slow-drip", pam::ABORT)];

/// The connection's time limit of [`SHORT`], and what two busy cores may add to it.
const IN_TIME: Duration = Duration::from_secs(6 + 6);

#[test]
fn each_answer_has_its_result() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module("")?)?;
    tell(&lab, &mobile_id, &ANSWERS)
}

#[test]
fn silence_ends_in_time() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("door", &lab.module("")?)?;
    let start = Instant::now();
    tell(&lab, &mobile_id, &SILENCES)?;
    ensure!(start.elapsed() < IN_TIME, "only after {:?}: {:#?}", start.elapsed(), lab.syslog().all());
    Ok(())
}

/// Tells stories, several at a time, because many of them only wait; not all, because two cores check the
/// signatures.
fn tell(lab: &Lab, mobile_id: &Simulator<'_>, stories: &[(&str, i64)]) -> Result<()> {
    lab.host()?;
    let stories = Mutex::new(stories.iter());
    let next = || stories.lock().unwrap_or_else(PoisonError::into_inner).next();
    let teller = || -> Result<()> {
        while let Some((user, expected)) = next() {
            let rounds = lab.ask("door", user, 1, Conversation::Talk)?;
            let audit = one_audit(lab, user, if *expected == pam::SUCCESS { "accepted" } else { "denied" })?;
            let as_expected = |round: &Round| {
                round.result == *expected && (round.child, round.threads, round.disturbed) == (0, 1, 0)
            };
            ensure!(rounds.iter().all(as_expected), "{user}, not {expected}: {rounds:?} {audit:#}");
            if *user != "judy" {
                one_push(mobile_id, user)?;
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let tellers: Vec<_> = (0..4).map(|_| scope.spawn(teller)).collect();
        tellers.into_iter().try_for_each(|told| told.join().map_err(|_| anyhow!("a story panicked"))?)
    })
}

#[test]
fn in_sshd_a_refusal_says_max_tries() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("sshd", &lab.module("")?)?;
    for user in ["bob", "wrong-text", "frank"] {
        let rounds = lab.ask("sshd", user, 1, Conversation::Talk)?;
        ensure!(rounds.iter().all(|round| round.result == pam::MAXTRIES), "{user}: {rounds:?}");
        one_push(&mobile_id, user)?;
    }
    Ok(())
}

#[test]
fn without_a_service_it_is_unavailable_not_refused() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("door", &lab.module("")?)?;
    no_push(&mobile_id)?;
    drop(mobile_id);
    let rounds = lab.ask("door", "alice", 1, Conversation::Talk)?;
    ensure!(rounds.iter().all(|round| round.result == pam::AUTHINFO_UNAVAIL), "{rounds:?}");
    Ok(())
}
