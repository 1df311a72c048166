//! Stories in virtual time: what goes out, what comes back, and what is believed.

use super::*;
use crate::{
    authenticator::SharedSecret,
    packet::Builder,
    upstream::{Continuation, Credential},
};

const SECRET: &[u8] = b"upstream's";
const TIMEOUT: Duration = Duration::from_secs(3);

/// The servers, a NAS that asks through us, and a clock.
struct World {
    exchanges: Exchanges,
    upstream: Arc<Upstream>,
    now: Instant,
    randomness: u8,
}

fn server(number: u8) -> SocketAddr {
    ([192, 0, 2, number], 1812).into()
}

fn world(servers: u8) -> World {
    world_that_wants(servers, AnswerSignature::Required)
}

fn world_that_wants(servers: u8, message_authenticator: AnswerSignature) -> World {
    let upstream = Upstream {
        name: "directory".into(),
        servers: (1..=servers).map(server).collect(),
        secret: SharedSecret::new(SECRET),
        timeout: TIMEOUT,
        tries: 2,
        message_authenticator,
    };
    World {
        exchanges: Exchanges::default(),
        upstream: Arc::new(upstream),
        now: Instant::now(),
        randomness: 0,
    }
}

/// A NAS's request with alice's password.
fn ask(upstream: &Arc<Upstream>, continuation: Option<Continuation>) -> Ask {
    let (secret, authenticator) = (SharedSecret::new(b"the NAS's"), [9; 16]);
    let mut builder = Builder::new(Code::ACCESS_REQUEST, 77, authenticator);
    builder.add(attribute::USER_NAME, b"alice").unwrap();
    let hidden = crate::authenticator::hide_password(b"wonderland", &secret, &authenticator).unwrap();
    builder.add(attribute::USER_PASSWORD, &hidden).unwrap();
    let request = builder.signed_request(&secret);
    Ask::of(&Packet::parse(&request).unwrap(), &secret, Arc::clone(upstream), continuation).unwrap()
}

/// A packet on its way to a server.
#[derive(Clone, Debug)]
struct Flight {
    lane: Lane,
    octets: Arc<[u8]>,
}

impl Flight {
    fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.octets).unwrap()
    }

    /// The server's answer, signed.
    fn answer(&self, code: Code, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::answer(code, &self.packet());
        for (kind, value) in attributes {
            builder.add(*kind, value).unwrap();
        }
        builder.signed_answer(&SharedSecret::new(SECRET))
    }
}

impl World {
    fn random(&mut self) -> Authenticator {
        self.randomness = self.randomness.wrapping_add(1);
        [self.randomness; 16]
    }

    fn begin(&mut self) -> (Key, Flight) {
        let ask = ask(&self.upstream, None);
        let (key, step) = self.begin_with(ask);
        (key, self.flight(step))
    }

    fn begin_with(&mut self, ask: Ask) -> (Key, Step) {
        let random = self.random();
        self.exchanges.begin(ask, self.now, random)
    }

    fn flight(&self, step: Step) -> Flight {
        match step {
            Step::Send { lane, octets, until } => {
                assert_eq!(until, self.now + TIMEOUT);
                Flight { lane, octets }
            }
            Step::Done(answer) => panic!("over: {answer:?}"),
        }
    }

    /// The time of a question passes without an answer.
    fn wait(&mut self, key: Key) -> Step {
        self.now += TIMEOUT;
        let random = self.random();
        self.exchanges.overdue(key, self.now, random).unwrap()
    }

    fn hear(&mut self, flight: &Flight, octets: &[u8]) -> Result<(Key, Answer), Dropped> {
        self.exchanges.datagram(flight.lane, octets, self.now)
    }

    /// Both tries of a question run out at one server.
    fn silence(&mut self, key: Key) -> Step {
        assert!(matches!(self.wait(key), Step::Send { .. }));
        self.wait(key)
    }

    fn news(&mut self) -> Vec<String> {
        self.exchanges.news().iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_question_carries_the_credential_under_upstreams_secret() {
    let mut world = world(1);
    let (key, flight) = world.begin();
    let packet = flight.packet();
    assert_eq!(packet.code(), Code::ACCESS_REQUEST);
    assert_eq!(packet.attributes().map(|a| a.kind).collect::<Vec<_>>(), [80, 1, 2]);
    let secret = SharedSecret::new(SECRET);
    assert_eq!(crate::authenticator::check_request(&packet, &secret), Signed::Valid);
    let hidden = packet.first(attribute::USER_PASSWORD).unwrap();
    let password = crate::authenticator::reveal_password(hidden, &secret, &packet.authenticator()).unwrap();
    assert_eq!(**password, *b"wonderland");

    let answer = flight.answer(Code::ACCESS_ACCEPT, &[(attribute::CLASS, b"staff")]);
    let attributes = vec![PassedOn::plain(None, attribute::CLASS, b"staff")];
    assert_eq!(world.hear(&flight, &answer), Ok((key, Answer::Accept { attributes })));
    assert_eq!(world.exchanges.pending(), 0);
    // The same again, as a network may deliver it.
    assert_eq!(world.hear(&flight, &answer), Err(Dropped::Stray));
}

#[test]
fn every_kind_of_answer_is_told_as_what_it_is() {
    let text = [(attribute::REPLY_MESSAGE, &b"Enter "[..]), (attribute::REPLY_MESSAGE, b"the code\xff")];
    let state = (attribute::STATE, &b"s1"[..]);
    let prompt = (76, &[0, 0, 0, 1][..]);
    let said = Some("Enter the code\u{fffd}".to_owned());
    let cases = [
        (Code::ACCESS_REJECT, vec![], Answer::Reject { reply_message: None }),
        (Code::ACCESS_REJECT, text.to_vec(), Answer::Reject { reply_message: said.clone() }),
        (
            Code::ACCESS_CHALLENGE,
            [&text[..], &[state, prompt]].concat(),
            Answer::Challenge {
                state: b"s1".to_vec(),
                server: 0,
                reply_message: said,
                attributes: vec![PassedOn::plain(None, 76, &[0, 0, 0, 1])],
            },
        ),
        (
            Code::ACCESS_CHALLENGE,
            vec![],
            Answer::Challenge { state: vec![], server: 0, reply_message: None, attributes: vec![] },
        ),
    ];
    for (code, attributes, told) in cases {
        let mut world = world(1);
        let (key, flight) = world.begin();
        let answer = flight.answer(code, &attributes);
        assert_eq!(world.hear(&flight, &answer), Ok((key, told)));
    }
}

#[test]
fn silence_sends_the_same_octets_again_and_then_asks_the_next_server() {
    let mut world = world(2);
    let (key, first) = world.begin();
    let step = world.wait(key);
    let again = world.flight(step);
    assert_eq!((again.lane, &again.octets), (first.lane, &first.octets));
    let step = world.wait(key);
    let second = world.flight(step);
    assert_eq!((first.lane.server, second.lane.server), (server(1), server(2)));
    assert_ne!(first.packet().authenticator(), second.packet().authenticator());
    assert_eq!(
        world.news(),
        ["upstream directory: 192.0.2.1:1812 does not answer; it is asked last for 30 s"]
    );

    // The first server's answer comes too late: nobody waits for it.
    let late = first.answer(Code::ACCESS_ACCEPT, &[]);
    assert_eq!(world.hear(&first, &late), Err(Dropped::Stray));
    let answer = second.answer(Code::ACCESS_REJECT, &[]);
    assert_eq!(world.hear(&second, &answer), Ok((key, Answer::Reject { reply_message: None })));
    let counters = world.exchanges.counters();
    assert_eq!((counters.sent, counters.resent, counters.answered, counters.silent), (2, 1, 1, 0));
}

#[test]
fn where_nobody_answers_it_ends_in_time_and_says_so() {
    let mut world = world(2);
    let start = world.now;
    let (key, _) = world.begin();
    let step = world.silence(key);
    world.flight(step);
    let over = world.silence(key);
    assert_eq!(over, Step::Done(Answer::Silent("upstream directory: no answer".into())));
    assert_eq!(world.now - start, 4 * TIMEOUT);
    assert_eq!(world.exchanges.pending(), 0);
    assert_eq!(world.exchanges.overdue(key, world.now, [0; 16]), None);
}

#[test]
fn what_does_not_verify_is_dropped_and_waiting_goes_on() {
    let other = SharedSecret::new(b"another's");
    let secret = SharedSecret::new(SECRET);
    type Forge = Box<dyn Fn(&Flight) -> Vec<u8>>;
    let accept = |flight: &Flight| Builder::answer(Code::ACCESS_ACCEPT, &flight.packet());
    let cases: Vec<(&str, Forge, Dropped)> = vec![
        ("no packet", Box::new(|_| vec![2, 0, 0]), Dropped::Malformed(Malformed::Short)),
        (
            "another secret",
            Box::new(move |flight| accept(flight).signed_answer(&other)),
            Dropped::ResponseAuthenticator,
        ),
        ("our own request", Box::new(|flight| flight.octets.to_vec()), Dropped::ResponseAuthenticator),
        (
            "to another request",
            Box::new({
                let secret = secret.clone();
                move |flight| {
                    let id = flight.packet().identifier();
                    Builder::new(Code::ACCESS_ACCEPT, id, [0xee; 16]).signed_answer(&secret)
                }
            }),
            Dropped::ResponseAuthenticator,
        ),
        (
            "another identifier",
            Box::new({
                let secret = secret.clone();
                move |flight| {
                    let packet = flight.packet();
                    let id = packet.identifier().wrapping_add(1);
                    Builder::new(Code::ACCESS_ACCEPT, id, packet.authenticator()).signed_answer(&secret)
                }
            }),
            Dropped::Stray,
        ),
        (
            "no Message-Authenticator",
            Box::new({
                let secret = secret.clone();
                move |flight| accept(flight).unsigned_answer(&secret)
            }),
            Dropped::Unsigned,
        ),
        (
            "a wrong Message-Authenticator under a right Response Authenticator",
            Box::new({
                let secret = secret.clone();
                move |flight| {
                    let mut answer = accept(flight);
                    answer.add(attribute::MESSAGE_AUTHENTICATOR, &[0; 16]).unwrap();
                    answer.unsigned_answer(&secret)
                }
            }),
            Dropped::MessageAuthenticator,
        ),
        (
            "an Accounting-Response",
            Box::new(|flight| flight.answer(Code::ACCOUNTING_RESPONSE, &[])),
            Dropped::Code(Code::ACCOUNTING_RESPONSE),
        ),
    ];
    for (what, forge, dropped) in cases {
        let mut world = world(1);
        let (key, flight) = world.begin();
        let forged = forge(&flight);
        assert_eq!(world.hear(&flight, &forged), Err(dropped), "{what}");
        let name = Dropped::NAMES[dropped.index()];
        assert_eq!(world.exchanges.counters().dropped.iter().find(|(_, count)| *count > 0), Some((name, 1)));
        let answer = flight.answer(Code::ACCESS_REJECT, &[]);
        assert!(world.hear(&flight, &answer).is_ok_and(|(of, _)| of == key), "{what}: the true answer");
    }
}

#[test]
fn an_unsigned_answer_is_taken_only_where_that_was_said() {
    let mut world = world_that_wants(1, AnswerSignature::Optional);
    let secret = SharedSecret::new(SECRET);
    let (key, flight) = world.begin();
    let mut wrong = Builder::answer(Code::ACCESS_ACCEPT, &flight.packet());
    wrong.add(attribute::MESSAGE_AUTHENTICATOR, &[0; 16]).unwrap();
    assert_eq!(world.hear(&flight, &wrong.unsigned_answer(&secret)), Err(Dropped::MessageAuthenticator));
    let unsigned = Builder::answer(Code::ACCESS_ACCEPT, &flight.packet()).unsigned_answer(&secret);
    assert_eq!(world.hear(&flight, &unsigned), Ok((key, Answer::Accept { attributes: vec![] })));
}

#[test]
fn the_end_says_why_what_came_did_not_count() {
    let mut world = world(1);
    let (key, flight) = world.begin();
    let unsigned =
        Builder::answer(Code::ACCESS_ACCEPT, &flight.packet()).unsigned_answer(&SharedSecret::new(SECRET));
    assert_eq!(world.hear(&flight, &unsigned), Err(Dropped::Unsigned));
    let Step::Done(Answer::Silent(why)) = world.silence(key) else { panic!("not over") };
    assert!(
        why.starts_with("upstream directory: no answer that counts: it carries no Message-Authenticator"),
        "{why}"
    );
}

#[test]
fn an_answer_on_another_port_or_from_another_server_is_nobodys() {
    let mut world = world(2);
    let (_, flight) = world.begin();
    let answer = flight.answer(Code::ACCESS_ACCEPT, &[]);
    for lane in [Lane { number: 1, ..flight.lane }, Lane { server: server(2), ..flight.lane }] {
        assert_eq!(world.exchanges.datagram(lane, &answer, world.now), Err(Dropped::Stray));
    }
}

#[test]
fn a_dead_server_is_asked_last_and_tried_by_one_when_its_time_is_over() {
    let mut world = world(2);
    let (key, _) = world.begin();
    let step = world.silence(key);
    let second = world.flight(step);
    let answer = second.answer(Code::ACCESS_REJECT, &[]);
    world.hear(&second, &answer).unwrap();
    assert_eq!(world.news().len(), 1);

    // From now on the second one is asked first, and the first one only after it.
    let (key, flight) = world.begin();
    assert_eq!(flight.lane.server, server(2));
    let step = world.silence(key);
    assert_eq!(world.flight(step).lane.server, server(1));
    world.exchanges.forget(key);
    assert_eq!(
        world.news(),
        ["upstream directory: 192.0.2.2:1812 does not answer; it is asked last for 30 s"]
    );

    // The first one's time is over: one question tries it, and only once.
    world.now += DEAD;
    let (prober, probe) = world.begin();
    assert_eq!(probe.lane.server, server(1));
    let (_, next) = world.begin();
    assert_eq!(next.lane.server, server(2), "one is enough to find out");
    let (_, after) = world.begin();
    assert_eq!(after.lane.server, server(1), "both are being tried: in their order");
    let step = world.wait(prober);
    assert_eq!(world.flight(step).lane.server, server(2), "tried once");

    // It lives: it is the first one again.
    let answer = after.answer(Code::ACCESS_ACCEPT, &[]);
    assert!(world.hear(&after, &answer).is_ok());
    assert_eq!(world.news(), ["upstream directory: 192.0.2.1:1812 answers again"]);
    assert_eq!(world.begin().1.lane.server, server(1));
}

#[test]
fn a_server_that_answers_others_is_not_dead() {
    let mut world = world(2);
    let (unlucky, _) = world.begin();
    let (_, lucky) = world.begin();
    assert!(matches!(world.wait(unlucky), Step::Send { .. }));
    let answer = lucky.answer(Code::ACCESS_ACCEPT, &[]);
    world.hear(&lucky, &answer).unwrap();
    let step = world.wait(unlucky);
    assert_eq!(world.flight(step).lane.server, server(2));
    assert_eq!(world.begin().1.lane.server, server(1));
    assert_eq!(world.news(), Vec::<String>::new());
}

#[test]
fn identifiers_are_told_apart_and_reused_last() {
    let mut world = world(1);
    let flights: Vec<(Key, Flight)> = (0..IDENTIFIERS * 2).map(|_| world.begin()).collect();
    let mut places: Vec<(usize, u8)> =
        flights.iter().map(|(_, flight)| (flight.lane.number, flight.packet().identifier())).collect();
    places.sort_unstable();
    let expected: Vec<(usize, u8)> = (0..2).flat_map(|lane| (0..=255).map(move |id| (lane, id))).collect();
    assert_eq!(places, expected);

    // Every one gets its own answer, in any order.
    for (key, flight) in flights.iter().rev() {
        let id = [flight.packet().identifier()];
        let answer = flight.answer(Code::ACCESS_ACCEPT, &[(attribute::CLASS, &id)]);
        let attributes = vec![PassedOn::plain(None, attribute::CLASS, &id)];
        assert_eq!(world.hear(flight, &answer), Ok((*key, Answer::Accept { attributes })));
    }
    // One that was just free rests while others have rested longer.
    let (key, flight) = world.begin();
    world.exchanges.forget(key);
    assert_ne!(world.begin().1.packet().identifier(), flight.packet().identifier());
}

#[test]
fn more_questions_than_identifiers_are_refused_and_nothing_is_lost() {
    let mut world = world(1);
    let ask = ask(&world.upstream, None);
    let mut first = None;
    for _ in 0..LANES * IDENTIFIERS {
        let (key, step) = world.exchanges.begin(ask.clone(), world.now, [1; 16]);
        first.get_or_insert(key);
        assert!(matches!(step, Step::Send { .. }));
    }
    let (_, step) = world.begin_with(ask.clone());
    assert_eq!(step, Step::Done(Answer::Silent("upstream directory: too many questions under way".into())));
    world.exchanges.forget(first.unwrap());
    assert!(matches!(world.begin_with(ask).1, Step::Send { .. }));
}

#[test]
fn an_answer_to_a_challenge_goes_to_the_server_that_asked() {
    let mut world = world(3);
    let second = Some(Continuation { state: b"s1".to_vec(), server: 1 });
    let question = ask(&world.upstream, second);
    assert!(matches!(question.credential(), Credential::Pap(_)));
    let (key, step) = world.begin_with(question);
    let flight = world.flight(step);
    assert_eq!(flight.lane.server, server(2));
    assert_eq!(flight.packet().all(attribute::STATE).collect::<Vec<_>>(), [b"s1"]);
    // And to no other, which would not know what it is about.
    assert!(matches!(world.silence(key), Step::Done(Answer::Silent(_))));

    let gone = ask(&world.upstream, Some(Continuation { state: b"s1".to_vec(), server: 3 }));
    assert!(matches!(world.begin_with(gone).1, Step::Done(Answer::Silent(_))));
    let stateless = ask(&world.upstream, Some(Continuation { state: vec![], server: 0 }));
    let (_, step) = world.begin_with(stateless);
    assert!(!world.flight(step).packet().has(attribute::STATE));
}

#[test]
fn a_server_that_cannot_be_sent_to_is_passed_by_at_once() {
    let mut world = world(2);
    let (key, _) = world.begin();
    let step = world.exchanges.unreachable(key, world.now, [5; 16]).unwrap();
    assert_eq!(world.flight(step).lane.server, server(2));
}

#[test]
fn nothing_that_was_asked_shows_itself() {
    let world = world(1);
    let shown =
        format!("{:?}", ask(&world.upstream, Some(Continuation { state: b"state".to_vec(), server: 0 })));
    assert_eq!(shown, "Ask(upstream \"directory\", PAP, 1 attributes)");
}
