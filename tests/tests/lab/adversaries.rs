//! Every way in which an answer can be wrong ends in a denial, in time, with the result that keeps the
//! application from pushing again; and every way in which it can be right does not.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mobileid_tests::{Conversation, Lab, Round};

use crate::support::{SHORT, no_push, one_audit, one_push, pam};

/// Who is asked, and what PAM answers in a service other than sshd.
const STORIES: [(&str, i64); 29] = [
    ("alice", pam::SUCCESS),
    ("bob", pam::ABORT),
    ("dave", pam::SUCCESS),
    ("erin", pam::SUCCESS),
    ("frank", pam::ABORT),
    ("grace", pam::ABORT),
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
    ("half-body", pam::ABORT),
    ("slow-drip", pam::ABORT),
    ("tls-reset", pam::ABORT),
    ("http-503", pam::ABORT),
    ("status-501", pam::ABORT),
    ("status-502", pam::SUCCESS),
    ("status-503", pam::ABORT),
    ("status-504", pam::ABORT),
];

/// The connection's time limit of [`SHORT`], and what two busy cores may add to it.
const IN_TIME: Duration = Duration::from_secs(8 + 4);

#[test]
fn each_behaviour_has_its_result_in_time() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("door", &lab.module("")?)?;
    lab.host()?;
    let stories = Mutex::new(STORIES.iter());
    let teller = || -> Result<()> {
        while let Some((user, expected)) = next(&stories) {
            let start = Instant::now();
            let rounds = lab.ask("door", user, 1, Conversation::Talk)?;
            let took = start.elapsed();
            let audit = one_audit(&lab, user, if *expected == pam::SUCCESS { "accepted" } else { "denied" })?;
            ensure!(took < IN_TIME, "{user}: only after {took:?}: {audit:#}");
            let as_expected = |round: &Round| {
                round.result == *expected && (round.child, round.threads, round.disturbed) == (0, 1, 0)
            };
            ensure!(rounds.iter().all(as_expected), "{user}, not {expected}: {rounds:?} {audit:#}");
            if *user != "judy" {
                one_push(&mobile_id, user)?;
            }
        }
        Ok(())
    };
    // Several at a time, because many of them only wait; not all, because two cores check the signatures.
    thread::scope(|scope| {
        let tellers: Vec<_> = (0..4).map(|_| scope.spawn(teller)).collect();
        tellers.into_iter().try_for_each(|told| told.join().unwrap())
    })
}

fn next<T>(stories: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    stories.lock().unwrap_or_else(PoisonError::into_inner).next()
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
