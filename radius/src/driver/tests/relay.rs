//! What the pool is for, and what it must not do: connections go through a relay that counts them, and that can
//! cut them, let them stall, or swallow what is written next.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mobileid::outcome::{Reason, Verdict};
use mobileid_simulator::Behaviour;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, oneshot},
};

use super::{
    accepted,
    site::{Http, Mode, NO_LIMIT, OUR_LIMIT, Site, World},
};

/// A TCP relay in front of the simulator.
struct Relay {
    address: String,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    swallows: Arc<AtomicBool>,
    stalls: Arc<AtomicBool>,
    cut: broadcast::Sender<()>,
}

impl Relay {
    async fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap().to_string(),
            accepted: Arc::default(),
            open: Arc::default(),
            swallows: Arc::default(),
            stalls: Arc::default(),
            cut: broadcast::Sender::new(1),
        };
        let target = world.url().trim_start_matches("https://").to_owned();
        let (accepted, open) = (Arc::clone(&relay.accepted), Arc::clone(&relay.open));
        let (swallows, stalls) = (Arc::clone(&relay.swallows), Arc::clone(&relay.stalls));
        let cut = relay.cut.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(&target).await.unwrap();
                let (swallows, stalls) = (Arc::clone(&swallows), Arc::clone(&stalls));
                let (open, mut cut) = (Arc::clone(&open), cut.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = cut.recv() => {}
                        () = carry(client, server, &swallows, &stalls) => {}
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        relay
    }

    fn bend(&self, world: &World) -> impl FnOnce(String) -> String {
        let (from, to) = (world.url().to_owned(), format!("https://{}", self.address));
        move |config| config.replace(&from, &to)
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Closes all connections, and waits until they are closed.
    async fn cut_all(&self) {
        let _ = self.cut.send(());
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The next bytes that a client writes go nowhere, and its connection is closed.
    fn swallow_next(&self) {
        self.swallows.store(true, Ordering::SeqCst);
    }

    /// The connection that is written to next carries nothing from then on, and stays open.
    fn stall_next(&self) {
        self.stalls.store(true, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, swallows: &AtomicBool, stalls: &AtomicBool) {
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                if stalls.swap(false, Ordering::SeqCst) {
                    return std::future::pending().await;
                }
                if swallows.swap(false, Ordering::SeqCst) || server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn behind_a_relay(
    name: &str,
    behaviour: Behaviour,
    mode: Mode,
    http: Http,
) -> (Arc<World>, Relay, Site) {
    let world = match http {
        Http::One => World::shared(),
        Http::Two => World::start(http),
    };
    let relay = Relay::start(&world).await;
    let site = Site::of(&world, name, behaviour, mode, relay.bend(&world));
    (world, relay, site)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_serves_one_login_after_the_other_until_there_is_a_fault() {
    let (world, relay, site) = behind_a_relay("reuse", Behaviour::Approve, Mode::Synch, Http::One).await;
    for _ in 0..3 {
        accepted(&site.login().await);
    }
    assert_eq!(relay.accepted(), 1);
    world.set_behaviour(&site.msisdn, Behaviour::Cancel).unwrap();
    assert!(matches!(site.login().await.verdict, Verdict::Denied(Reason::Fault(_))));
    world.set_behaviour(&site.msisdn, Behaviour::Approve).unwrap();
    accepted(&site.login().await);
    assert_eq!(relay.accepted(), 2, "the service closes after a fault");
    assert_eq!(world.pushes(&site.msisdn), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_meanwhile_costs_nobody_a_login() {
    for http in [Http::One, Http::Two] {
        let (world, relay, site) = behind_a_relay("closed", Behaviour::Approve, Mode::Synch, http).await;
        accepted(&site.login().await);
        relay.cut_all().await;
        // "Meanwhile" is before the next login comes: what is closed under a request's hands may have carried it.
        let engine = site.engine();
        while engine.https.open() > 0 {
            tokio::task::yield_now().await;
        }
        accepted(&site.login().await);
        assert_eq!(relay.accepted(), 2);
        assert_eq!(world.pushes(&site.msisdn), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_signature_is_written_once() {
    for http in [Http::One, Http::Two] {
        let (world, relay, site) = behind_a_relay("swallowed", Behaviour::Approve, Mode::Synch, http).await;
        accepted(&site.login().await);
        relay.swallow_next();
        assert_eq!(site.login().await.verdict, Verdict::Denied(Reason::AnswerLost));
        assert_eq!(relay.accepted(), 1, "it may have arrived, so nothing else is tried");
        assert_eq!(world.pushes(&site.msisdn), 1);
        accepted(&site.login().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_put_on_a_connection_that_did_not_answer_in_time() {
    for http in [Http::One, Http::Two] {
        let world = World::start(http);
        let relay = Relay::start(&world).await;
        let bend = relay.bend(&world);
        let short = |config: String| bend(config.replace(NO_LIMIT, OUR_LIMIT));
        let site = Site::of(&world, "stalled", Behaviour::Approve, Mode::Synch, short);
        accepted(&site.login().await);
        relay.stall_next();
        let outcome = site.login().await;
        assert_eq!(outcome.verdict, Verdict::Denied(Reason::TimedOut));
        accepted(&site.login().await);
        assert_eq!(relay.accepted(), 2);
        assert_eq!(world.pushes(&site.msisdn), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_query_that_was_lost_is_asked_again() {
    let (world, relay, site) =
        behind_a_relay("asked-again", Behaviour::Interactive, Mode::Asynch, Http::One).await;
    let (_holds, cancel) = oneshot::channel();
    let running = site.spawn(site.start(), cancel);
    let pending = world.pending(&site.msisdn).await;
    let answered = |entry: &mobileid_simulator::Entry| {
        entry.event == mobileid_simulator::Event::StatusAnswered
            && entry.mssp_trans_id.as_ref() == Some(&pending.id)
    };
    let wait = || tokio::task::block_in_place(|| world.wait_for_entry(answered, super::PATIENCE)).unwrap();
    wait();
    relay.swallow_next();
    while relay.swallows.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    assert!(world.approve(&pending.id));
    accepted(&running.await.unwrap());
    assert_eq!(relay.accepted(), 2, "once more, on another connection");
    assert_eq!(world.pushes(&site.msisdn), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_share_one_connection_where_the_service_offers_it() {
    let (world, relay, site) = behind_a_relay("shared", Behaviour::Interactive, Mode::Synch, Http::Two).await;
    let mut running = Vec::new();
    let mut holds = Vec::new();
    let mut sites = Vec::new();
    for _ in 0..20 {
        // Other numbers, one engine.
        let other = Site::of(&world, "shared", Behaviour::Interactive, Mode::Synch, relay.bend(&world));
        let (hold, cancel) = oneshot::channel();
        holds.push(hold);
        let (engine, setup, start) = (site.engine(), Arc::clone(&other.setup), other.start());
        running.push(tokio::spawn(async move { engine.run(start, &setup, cancel, |_| {}).await }));
        sites.push(other);
    }
    for (other, running) in sites.iter().zip(running) {
        let pending = world.pending(&other.msisdn).await;
        assert!(world.approve(&pending.id));
        accepted(&running.await.unwrap());
    }
    assert_eq!(relay.accepted(), 1);
}
