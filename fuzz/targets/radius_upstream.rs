//! The fuzzer plays an upstream server whose secret it does not know: whatever it answers, to whichever question, is
//! dropped. Now and then the true server answers too, with attributes of the fuzzer's, and that one is believed.
#![no_main]

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use libfuzzer_sys::fuzz_target;
use mobileid_fuzz::assert_one_plain_line;
use mobileid_radius::{
    authenticator::{SharedSecret, hide_password},
    packet::{Attributes, Builder, Code, Packet, attribute},
    upstream::{
        Answer, AnswerSignature, Ask, Upstream,
        exchanges::{Exchanges, Key, Lane, Step},
    },
};

static SECRET: LazyLock<SharedSecret> = LazyLock::new(|| SharedSecret::new(b"of nobody's"));
static NAS: LazyLock<SharedSecret> = LazyLock::new(|| SharedSecret::new(b"of the NAS"));
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fuzz_target!(|bytes: &[u8]| {
    let mut story = Story { rest: bytes };
    let mut world = World::new(story.octet());
    while !story.rest.is_empty() {
        match story.octet() % 6 {
            0 => world.begin(),
            1 => world.overdue(),
            2 => {
                let octets = story.piece();
                world.forge(octets.to_vec());
            }
            3 => world.reflect(&mut story),
            4 => world.answer_unknowing(&mut story),
            _ => world.answer(&mut story),
        }
    }
    world.end();
});

/// What happens, octet by octet.
struct Story<'a> {
    rest: &'a [u8],
}

impl<'a> Story<'a> {
    fn octet(&mut self) -> u8 {
        let Some((octet, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *octet
    }

    /// As many octets as the first one says.
    fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.octet()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        piece
    }
}

struct World {
    exchanges: Exchanges,
    upstream: Arc<Upstream>,
    now: Instant,
    begun: u8,
    /// The question that is looked at, and its packet.
    current: Option<(Key, Lane, Arc<[u8]>)>,
}

impl World {
    fn new(config: u8) -> Self {
        let message_authenticator = match config & 1 {
            0 => AnswerSignature::Required,
            _ => AnswerSignature::Optional,
        };
        let upstream = Upstream {
            name: "fuzzer".into(),
            servers: vec![([192, 0, 2, 1], 1812).into(), ([192, 0, 2, 2], 1812).into()],
            secret: SECRET.clone(),
            timeout: Duration::from_secs(1),
            tries: 2,
            message_authenticator,
        };
        let mut world = Self {
            exchanges: Exchanges::default(),
            upstream: Arc::new(upstream),
            now: *START,
            begun: 0,
            current: None,
        };
        world.begin();
        world
    }

    fn random(&mut self) -> [u8; 16] {
        self.begun = self.begun.wrapping_add(1);
        [self.begun; 16]
    }

    fn begin(&mut self) {
        let authenticator = self.random();
        let mut request = Builder::new(Code::ACCESS_REQUEST, 1, authenticator);
        let hidden = hide_password(b"wonderland", &NAS, &authenticator).expect("a password");
        request.add(attribute::USER_PASSWORD, &hidden).expect("room");
        let request = request.signed_request(&NAS);
        let request = Packet::parse(&request).expect("a packet");
        let ask = Ask::of(&request, &NAS, Arc::clone(&self.upstream), None).expect("a credential");
        let (key, step) = self.exchanges.begin(ask, self.now, authenticator);
        self.take(key, step);
    }

    fn take(&mut self, key: Key, step: Step) {
        self.current = match step {
            Step::Send { lane, octets, until } => {
                assert!(until > self.now);
                Some((key, lane, octets))
            }
            Step::Done(Answer::Silent(why)) => {
                assert_one_plain_line(&why);
                None
            }
            Step::Done(answer) => panic!("{answer:?} out of nothing"),
        };
    }

    fn overdue(&mut self) {
        let Some((key, ..)) = self.current else { return };
        self.now += Duration::from_secs(1);
        let authenticator = self.random();
        let step = self.exchanges.overdue(key, self.now, authenticator).expect("it is pending");
        self.take(key, step);
    }

    /// Octets that were made without the secret.
    fn forge(&mut self, octets: Vec<u8>) {
        let Some((_, lane, _)) = self.current else { return };
        let pending = self.exchanges.pending();
        let heard = self.exchanges.datagram(lane, &octets, self.now);
        assert!(heard.is_err(), "forged: {octets:02x?}");
        assert_eq!(self.exchanges.pending(), pending);
    }

    /// Our own packet, which is signed with the secret, with some octets of it changed.
    fn reflect(&mut self, story: &mut Story<'_>) {
        let Some((.., sent)) = &self.current else { return };
        let mut octets = sent.to_vec();
        for change in story.piece().chunks_exact(2) {
            let at = usize::from(change[0]) % octets.len();
            octets[at] = change[1];
        }
        octets.extend(story.piece());
        self.forge(octets);
    }

    /// A whole answer to the very question, under another secret.
    fn answer_unknowing(&mut self, story: &mut Story<'_>) {
        let Some((.., sent)) = &self.current else { return };
        let secret = SharedSecret::new(story.piece());
        let (octets, _) = built(sent, story);
        let octets = octets.signed_answer(&secret);
        self.forge(octets);
    }

    /// The true server.
    fn answer(&mut self, story: &mut Story<'_>) {
        let Some((key, lane, sent)) = self.current.take() else { return };
        let (answer, code) = built(&sent, story);
        let octets = answer.signed_answer(&SECRET);
        let packet = Packet::parse(&octets).expect("a packet");
        let doubled = packet.all(attribute::MESSAGE_AUTHENTICATOR).count() > 1;
        match self.exchanges.datagram(lane, &octets, self.now) {
            Ok((of, answer)) => {
                assert!(of == key && !doubled);
                assert_written(&answer);
                let kind = match answer {
                    Answer::Accept { .. } => Code::ACCESS_ACCEPT,
                    Answer::Reject { .. } => Code::ACCESS_REJECT,
                    Answer::Challenge { .. } => Code::ACCESS_CHALLENGE,
                    Answer::Silent(_) => panic!("an answer that is none"),
                };
                assert_eq!(kind, code);
                self.begin();
            }
            Err(why) => {
                assert_one_plain_line(&why.to_string());
                let answers = [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE];
                assert!(doubled || !answers.contains(&code), "{why}");
                self.current = Some((key, lane, sent));
            }
        }
    }

    /// Every question ends, and leaves nothing.
    fn end(mut self) {
        let mut steps = 0;
        while self.current.is_some() {
            self.overdue();
            steps += 1;
            assert!(steps <= 4);
        }
    }
}

/// An answer to this packet: a code and attributes of the story's.
fn built(sent: &[u8], story: &mut Story<'_>) -> (Builder, Code) {
    let request = Packet::parse(sent).expect("our own packet");
    let code = Code(story.octet());
    let mut answer = Builder::answer(code, &request);
    for attribute in Attributes::whole(story.piece()).into_iter().flatten() {
        answer.add(attribute.kind, attribute.value).expect("a piece fits");
    }
    (answer, code)
}

/// What is passed on can be written into our own answer, and none of it belongs to the other hop.
fn assert_written(answer: &Answer) {
    let (Answer::Accept { attributes } | Answer::Challenge { attributes, .. }) = answer else { return };
    let mut ours = Builder::new(Code::ACCESS_ACCEPT, 1, [9; 16]);
    for (salt, attribute) in (0..).zip(attributes) {
        attribute.write(&mut ours, &NAS, &[9; 16], [0x80, salt]).expect("a piece fits");
    }
    let octets = ours.unsigned();
    let packet = Packet::parse(&octets).expect("a packet");
    assert_eq!(packet.attributes().count(), attributes.len());
    for kind in
        [attribute::STATE, attribute::PROXY_STATE, attribute::MESSAGE_AUTHENTICATOR, attribute::EAP_MESSAGE]
    {
        assert!(!packet.has(kind));
    }
}
