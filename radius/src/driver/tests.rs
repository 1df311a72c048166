//! The driver against the simulator: real sockets, real TLS, every behaviour of a phone and of the wire, in both
//! messaging modes and with both versions of HTTP.

mod load;
mod reach;
mod relay;
mod serials;
mod site;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mobileid::{
    login::Ticket,
    mss::fault::{Fault, Status},
    outcome::{Outcome, Reason, Unreadable, Verdict},
    verify::Refusal,
};
use mobileid_simulator::Behaviour;
use tokio::{sync::oneshot, task::JoinSet};

use super::*;
use site::{Http, Mode, Site, World};

/// Longer than anything here takes on a loaded machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a login of this built-in subscriber ends in; none where it is accepted.
fn reason_for(behaviour: Behaviour, mode: Mode) -> Option<Reason> {
    let refused = |r| Some(Reason::Refused(r));
    match behaviour {
        Behaviour::Approve | Behaviour::Status502 | Behaviour::OtherSerial => None,
        Behaviour::Cancel => Some(Reason::Fault(Fault::UserCancel)),
        Behaviour::Timeout | Behaviour::Interactive => Some(Reason::Fault(Fault::ExpiredTransaction)),
        Behaviour::Never | Behaviour::HalfBody | Behaviour::SlowDrip => Some(Reason::TimedOut),
        Behaviour::WrongText => refused(Refusal::WrongContent),
        Behaviour::WrongMsisdn => refused(Refusal::WrongMsisdn),
        Behaviour::WrongTransId => refused(Refusal::WrongTransaction),
        Behaviour::UntrustedChain => refused(Refusal::UntrustedChain),
        Behaviour::ExpiredSigner => refused(Refusal::NotValidNow),
        Behaviour::BadSignature => refused(Refusal::BadSignature),
        Behaviour::NoSignature => {
            Some(Reason::Unreadable(Unreadable::MissingField("MSS_Signature.Base64Signature")))
        }
        Behaviour::TwoSigners => refused(Refusal::SignerCount),
        Behaviour::TrailingGarbage => refused(Refusal::Malformed),
        Behaviour::BrokenJson | Behaviour::DeepJson => Some(Reason::Unreadable(Unreadable::NotJson)),
        Behaviour::HugeBody => Some(Reason::Unreadable(Unreadable::TooLarge)),
        // A status query is repeated until the time is over: the signature may be there for the next one.
        Behaviour::TlsReset | Behaviour::Http503 | Behaviour::Status504 if mode == Mode::Asynch => {
            Some(Reason::TimedOut)
        }
        Behaviour::TlsReset => Some(Reason::AnswerLost),
        Behaviour::Http503 => Some(Reason::Unreadable(Unreadable::HttpStatus(503))),
        Behaviour::Status504 => Some(Reason::Status(Status::OutstandingTransaction)),
        Behaviour::Status501 => Some(Reason::Status(Status::RevokedCertificate)),
        Behaviour::Status503 => Some(Reason::Status(Status::InvalidSignature)),
        other => panic!("a behaviour without an expectation: {other}"),
    }
}

/// One login of each behaviour, all at once on one engine's connections.
async fn every_behaviour(http: Http, mode: Mode) {
    let world = World::start(http);
    let engine = Site::interactive(&world, "engine", mode).engine();
    let mut running = JoinSet::new();
    for behaviour in Behaviour::ALL.iter().copied() {
        let expected = reason_for(behaviour, mode);
        // The phone's time is over when the service says so, and ours only where it says nothing.
        let limits = match expected {
            Some(Reason::TimedOut) => site::OUR_LIMIT,
            Some(Reason::Fault(Fault::ExpiredTransaction)) => site::PHONES_LIMIT,
            _ => site::NO_LIMIT,
        };
        let site = Site::new(&world, behaviour.name(), behaviour.msisdn(), mode, |config| {
            config.replace(site::NO_LIMIT, limits)
        });
        let (world, engine) = (Arc::clone(&world), Arc::clone(&engine));
        running.spawn(async move {
            let told = Mutex::new(Vec::new());
            let (_holds, cancel) = oneshot::channel();
            let tell = |progress| {
                if !matches!(progress, Progress::Exchanged { .. }) {
                    told.lock().unwrap().push(progress);
                }
            };
            let outcome = engine.run(site.start(), &site.setup, cancel, tell).await;
            match (expected, &outcome.verdict) {
                (None, Verdict::Accepted(signer)) => {
                    assert!(signer.signer().serial.as_str().starts_with("MIDCHE"));
                }
                (Some(reason), Verdict::Denied(found)) => assert_eq!(*found, reason, "{behaviour}"),
                (_, found) => panic!("{behaviour}: {found:?} {:?}", outcome.audit),
            }
            assert_eq!(world.pushes(behaviour.msisdn()), 1, "{behaviour}: one push");
            match (mode, told.into_inner().unwrap().as_slice()) {
                (Mode::Synch, [Progress::Shown(_)])
                | (Mode::Asynch, [Progress::Shown(_), Progress::Outstanding(_)]) => {}
                (_, told) => panic!("{behaviour}: {told:?}"),
            }
        });
    }
    running.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_synchronous_over_http1() {
    every_behaviour(Http::One, Mode::Synch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_asynchronous_over_http1() {
    every_behaviour(Http::One, Mode::Asynch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_synchronous_over_http2() {
    every_behaviour(Http::Two, Mode::Synch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_asynchronous_over_http2() {
    every_behaviour(Http::Two, Mode::Asynch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_table_knows_waits_for_no_directory() {
    let world = World::shared();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ad = format!(
        "[[directory]]\ntype = 'ldap'\nname = 'ad'\nservers = 'ldap://{}'\nbind = 'anonymous'\nbase = 'dc=x'\n\
         filter = '(uid={{user}})'\ntimeout = 30\n",
        silent.local_addr().unwrap()
    );
    let site = Site::of(&world, "silent", Behaviour::Approve, Mode::Synch, |config| config + "\n" + &ad);
    let wait = || {
        let (holds, cancel) = oneshot::channel();
        (holds, site.spawn(Job::Start(site::request("somebody")), cancel))
    };
    // One more than there are places.
    let waiting: Vec<_> = (0..65).map(|_| wait()).collect();
    let taken = move || (0..64).map(|_| silent.accept().unwrap()).collect::<Vec<_>>();
    let _taken = tokio::task::spawn_blocking(taken).await.unwrap();
    let outcome = tokio::time::timeout(PATIENCE / 2, site.login()).await.unwrap();
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
    for (holds, login) in waiting {
        drop(holds);
        // On a slow machine the directory's own limit may be over first.
        let ended = login.await.unwrap().verdict;
        let (given_up, too_late) = (Reason::Cancelled, Reason::DirectoryUnavailable);
        assert!(
            matches!(ended, Verdict::Denied(reason) if reason == given_up || reason == too_late),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_up_is_not_kept_waiting() {
    for mode in [Mode::Synch, Mode::Asynch] {
        let world = World::shared();
        let site = Site::interactive(&world, "given-up", mode);
        let (give_up, cancel) = oneshot::channel();
        let running = site.spawn(site.start(), cancel);
        world.pending(&site.msisdn).await;
        give_up.send(()).unwrap();
        let outcome = running.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::Cancelled));
        assert_eq!(world.pushes(&site.msisdn), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_given_up_before_it_begins_asks_nobody() {
    let world = World::shared();
    let site = Site::interactive(&world, "never-begun", Mode::Synch);
    let (nobody, cancel) = oneshot::channel();
    drop(nobody);
    let outcome = site.spawn(site.start(), cancel).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Denied(Reason::Cancelled));
    assert!(world.journal().iter().all(|entry| entry.msisdn.as_deref() != Some(&site.msisdn)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_limit_ends_the_login() {
    for mode in [Mode::Synch, Mode::Asynch] {
        let world = World::shared();
        let site = Site::interactive(&world, "limited", mode);
        let (_holds, cancel) = oneshot::channel();
        let begun = Instant::now();
        let mut request = site.request();
        request.limit = Some(Duration::from_secs(3));
        let outcome = site.spawn(Job::Start(request), cancel).await.unwrap();
        let Verdict::Denied(reason) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
        // The service is asked to give up before that, and may say so in time.
        assert!(matches!(reason, Reason::TimedOut | Reason::Fault(Fault::ExpiredTransaction)), "{reason:?}");
        assert!(begun.elapsed() < PATIENCE);
    }
}

/// Runs a login until it is outstanding, and leaves it so.
async fn left_outstanding(site: &Site) -> Ticket {
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (_holds, cancel) = oneshot::channel();
    let engine = site.engine();
    let running = engine.run(site.start(), &site.setup, cancel, |progress| {
        if let Progress::Outstanding(ticket) = progress {
            tell.lock().unwrap().take().unwrap().send(ticket).unwrap();
        }
    });
    tokio::select! {
        outcome = running => panic!("{outcome:?}"),
        ticket = told => ticket.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_engine_finishes_what_one_has_begun() {
    let world = World::shared();
    let site = Site::interactive(&world, "handed-on", Mode::Asynch);
    let ticket = left_outstanding(&site).await;
    let ticket = Ticket::decode(&ticket.encode()).unwrap();
    let (_holds, cancel) = oneshot::channel();
    let other = site.again();
    let resumed = other.spawn(Job::Resume(other.request(), ticket), cancel);
    let pending = world.pending(&site.msisdn).await;
    assert!(world.approve(&pending.id));
    let outcome = resumed.await.unwrap();
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
    assert_eq!(world.pushes(&site.msisdn), 1, "the phone rings for the first alone");
}

#[tokio::test]
async fn a_login_that_waits_is_small() {
    let world = World::shared();
    let site = Site::interactive(&world, "small", Mode::Asynch);
    let (_holds, cancel) = oneshot::channel();
    let (engine, start) = (site.engine(), site.start());
    let run = engine.run(start, &site.setup, cancel, |_: Progress| {});
    let size = size_of_val(&run);
    assert!(size <= 1024, "{size} octets");
}

fn accepted(outcome: &Outcome) {
    assert!(matches!(outcome.verdict, Verdict::Accepted(_)), "{:?}", outcome.audit);
}
