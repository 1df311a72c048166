//! Long random lives of a responder, from a seed: whatever comes in whatever order, what must never be is not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{super::login::Phase, *};

/// What the world knows, apart from the responder.
#[derive(Default)]
struct World {
    /// Users by login.
    users: BTreeMap<u64, String>,
    /// By what packets may join it; nothing once a question was answered.
    keys: BTreeMap<u64, Key>,
    running: BTreeSet<u64>,
    asked: BTreeSet<u64>,
    /// The latest time at which an accept may come of a yes: to a packet of the same key, and to one with a State.
    confirmed: BTreeMap<Key, Instant>,
    confirmed_users: BTreeMap<String, Instant>,
    sent: Vec<Ask>,
    states: Vec<Vec<u8>>,
}

/// Client, user, station and password.
type Key = (u8, String, &'static str, &'static str);

const USERS: [&str; 4] = ["alice", "bob", "carol", "robot"];
const PASSWORDS: [&str; 2] = ["right", "wrong"];
const STATIONS: [&str; 2] = ["home", "office"];
const HOSTS: [u8; 5] = [1, 2, 3, 4, 5];

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        let mut octets = [0; 8];
        draw(&mut self.0, &mut octets);
        usize::try_from(u64::from_le_bytes(octets) % sides as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn live(seed: u64, steps: usize) -> usize {
    let config = CONFIG.replace(
        "[limits]\npushes_per_user = 1000",
        "[limits]\npending = 12\npending_per_client = 6\npending_per_user = 2",
    );
    let setup = if seed.is_multiple_of(2) { &SYNCH } else { &ASYNCH };
    let mut bench = Bench::of(&config, setup);
    let mut world = World::default();
    let mut dice = Dice(seed);
    let mut accepts = 0;
    for _ in 0..steps {
        let trace = step(&mut bench, &mut world, &mut dice);
        accepts += check(&mut bench, &mut world, &trace);
    }
    bench.pass(10_000.0);
    assert!(bench.server.timers.len() <= bench.server.pending());
    accepts
}

fn step(bench: &mut Bench, world: &mut World, dice: &mut Dice) -> Vec<String> {
    match dice.below(12) {
        0..=2 => {
            let mut ask = bench.ask(dice.of(&USERS)).from(dice.of(&HOSTS));
            ask = ask.password(dice.of(&PASSWORDS)).station(dice.of(&STATIONS));
            // Few identifiers, so that they come again.
            ask.identifier %= 16;
            if !world.states.is_empty() && dice.below(2) == 0 {
                let state = world.states[dice.below(world.states.len())].clone();
                ask = ask.state(&state);
            }
            if dice.below(8) == 0 {
                ask = ask.unsigned();
            }
            world.sent.push(ask.clone());
            sent(bench, world, &ask)
        }
        3 | 4 if !world.sent.is_empty() => {
            let ask = world.sent[dice.below(world.sent.len())].clone();
            sent(bench, world, &ask)
        }
        5 => match any(&world.running, dice) {
            Some(id) => bench.shown(id),
            None => nothing(),
        },
        6 => match any(&world.running, dice) {
            Some(id) => {
                world.running.remove(&id);
                let user = world.users[&id].clone();
                // Ten seconds for a packet of the same key; for the State, until it expires.
                let after = |seconds| bench.now.instant + Duration::from_secs(seconds);
                world.confirmed_users.insert(user, after(110));
                if let Some(key) = world.keys.get(&id) {
                    world.confirmed.insert(key.clone(), after(10));
                }
                bench.confirmed(id)
            }
            None => nothing(),
        },
        7 => match any(&world.running, dice) {
            Some(id) => {
                world.running.remove(&id);
                bench.refused(id)
            }
            None => nothing(),
        },
        8 => match any(&world.asked, dice) {
            Some(id) => {
                world.asked.remove(&id);
                let answer = match dice.below(4) {
                    0 | 1 => Answer::Accept { attributes: vec![plain(attribute::CLASS, b"c")] },
                    2 => Answer::Reject { reply_message: Some("no".into()) },
                    _ => Answer::Challenge {
                        state: vec![1],
                        server: 0,
                        reply_message: None,
                        attributes: vec![],
                    },
                };
                bench.upstream(id, answer)
            }
            None => nothing(),
        },
        9 => {
            let id = LoginId(dice.below(60) as u64);
            let answers = world.asked.remove(&id.0);
            let runs = world.running.remove(&id.0);
            if answers || runs {
                bench.event(Event::Broken { id, detail: "broken".into() })
            } else {
                nothing()
            }
        }
        10 => bench.pass(dice.of(&[0.1, 1.0, 5.0, 30.0])),
        _ => {
            let mut octets = vec![0; dice.below(200)];
            draw(&mut dice.0, &mut octets);
            bench.raw(peer(dice.of(&HOSTS)), &octets)
        }
    }
}

fn any(ids: &BTreeSet<u64>, dice: &mut Dice) -> Option<u64> {
    (!ids.is_empty()).then(|| *ids.iter().nth(dice.below(ids.len())).unwrap())
}

fn sent(bench: &mut Bench, world: &mut World, ask: &Ask) -> Vec<String> {
    let trace = bench.send(ask);
    for said in &trace {
        let words: Vec<&str> = said.split(' ').collect();
        if matches!(words[0], "start" | "upstream") && ask.state.is_none() {
            let id: u64 = words[1].parse().unwrap();
            let key = key(ask);
            let pending = |other: &u64| {
                let login = bench.server.logins.get(&LoginId(*other));
                login.is_some_and(|login| !matches!(login.phase, Phase::Abandoned))
            };
            let twin = world.keys.iter().find(|(other, k)| **other != id && **k == key && pending(other));
            assert_eq!(twin, None, "{said}: a second login for the same key");
            world.keys.insert(id, key);
            world.users.insert(id, ask.user.clone().unwrap());
        }
        if ask.state.is_some() && words[0] == "upstream" {
            // What answers a question is joined by that answer alone.
            world.keys.remove(&words[1].parse().unwrap());
        }
    }
    trace
}

fn key(ask: &Ask) -> Key {
    (host(ask), ask.user.clone().unwrap(), ask.station.unwrap(), ask.password.unwrap())
}

fn answers(reply: &Reply, ask: &Ask) -> bool {
    let packet = Packet::parse(&reply.octets).unwrap();
    ask.identifier == reply.identifier && authenticator::is_answer(&packet, &ask.authenticator, &ask.secret())
}

fn host(ask: &Ask) -> u8 {
    match ask.peer.remote.ip() {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(_) => 0,
    }
}

/// What must hold after every step. Returns how many were let in.
fn check(bench: &mut Bench, world: &mut World, trace: &[String]) -> usize {
    let mut started = HashSet::new();
    for said in trace {
        let words: Vec<&str> = said.split(' ').collect();
        match words[0] {
            "start" => {
                assert!(started.insert(words[1].to_owned()), "{trace:?}");
                let id = words[1].parse().unwrap();
                world.users.insert(id, words[2].to_owned());
                assert!(world.running.insert(id), "{id} started twice");
            }
            "upstream" => assert!(world.asked.insert(words[1].parse().unwrap())),
            _ => {}
        }
    }
    let mut accepts = 0;
    while let Some(reply) = bench.answers.pop_front() {
        match reply.code {
            Code::ACCESS_ACCEPT => {
                accepts += 1;
                let ask = world.sent.iter().rev().find(|ask| answers(&reply, ask)).expect("its packet");
                let until = match &ask.state {
                    None => world.confirmed.get(&key(ask)),
                    Some(_) => world.confirmed_users.get(&key(ask).1),
                };
                // The same octets again are kept for two minutes after they were first given.
                let until = until.map(|until| *until + Duration::from_secs(120));
                let by_rule = key(ask).1 == "robot";
                assert!(
                    by_rule || until.is_some_and(|until| bench.now.instant <= until),
                    "{:?} was let in, and nobody confirmed",
                    key(ask)
                );
            }
            Code::ACCESS_CHALLENGE => world.states.push(reply.state()),
            _ => {}
        }
    }
    let server = &bench.server;
    assert!(server.logins.len() <= 12, "logins");
    assert_eq!(server.timers.len(), server.logins.len(), "timers");
    assert!(server.ended.len() <= 12, "ended");
    assert!(server.joining.len() <= 12 + accepts + 200, "joining");
    assert!(server.desks.values().all(|desk| desk.duplicates.len() <= 16 && desk.pending <= 6));
    assert_eq!(server.desks.values().map(|desk| desk.pending).sum::<usize>(), server.logins.len());
    assert!(server.logins.values().all(|login| login.waiters.len() <= 16));
    accepts
}

#[test]
fn nobody_is_let_in_unconfirmed_nothing_is_asked_twice_and_nothing_grows() {
    let accepts: usize = (1..=12).map(|seed| live(seed, 1_200)).sum();
    assert!(accepts > 100, "the lives are not lively enough: {accepts} accepts");
}
