//! Every way in which an answer can be wrong ends in a denial, in time, with the result that keeps the
//! application from pushing again; and every way in which it can be right does not.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Conversation, Lab};

use crate::support::{SHORT, no_push, one_push, pam};

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

/// The connection's time limit of [`SHORT`], and what two cores may add to it.
const IN_TIME: Duration = Duration::from_secs(6 + 5);

#[test]
fn each_behaviour_has_its_result_in_time() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.configure(SHORT)?;
    lab.pam_service("door", &lab.module("")?)?;
    lab.host()?;
    let results = thread::scope(|scope| {
        let ask = |user: &'static str| {
            let lab = &lab;
            scope.spawn(move || {
                let start = Instant::now();
                let rounds = lab.ask("door", user, 1, Conversation::Talk)?;
                let round = rounds.first().copied().context("one round")?;
                ensure!(start.elapsed() < IN_TIME, "{user}: only after {:?}", start.elapsed());
                Ok((user, round))
            })
        };
        let asked: Vec<_> = STORIES.iter().map(|(user, _)| ask(user)).collect();
        asked.into_iter().map(|story| story.join().unwrap()).collect::<Result<BTreeMap<_, _>>>()
    })?;
    for (user, expected) in STORIES {
        let round = results.get(user).context("every story was told")?;
        ensure!(round.result == expected, "{user}: PAM answered {}, not {expected}", round.result);
        ensure!((round.child, round.threads, round.disturbed) == (0, 1, 0), "{user}: {round:?}");
        if user != "judy" {
            one_push(&mobile_id, user)?;
        }
        let audits = lab.audits(user)?;
        ensure!(audits.len() == 1, "{user}: {audits:#?}");
    }
    Ok(())
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
