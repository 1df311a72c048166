//! Against servers of a few lines, on real sockets.

use tokio::task::JoinHandle;

use super::*;
use crate::{
    authenticator::{SharedSecret, hide_password},
    packet::{Builder, Code, Packet, attribute},
    upstream::{AnswerSignature, Upstream},
};

const SECRET: &[u8] = b"upstream's";

/// What a server does with a packet: the answers that it sends, from its own address.
type Behaviour = fn(count: usize, packet: &Packet<'_>) -> Vec<Vec<u8>>;

/// A server, until it is dropped.
struct TestServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(behaviour: Behaviour) -> TestServer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = [0; LONGEST];
        for count in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            for answer in behaviour(count, &Packet::parse(&buffer[..length]).unwrap()) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    TestServer { address, task }
}

fn accept(packet: &Packet<'_>) -> Vec<u8> {
    Builder::answer(Code::ACCESS_ACCEPT, packet).signed_answer(&SharedSecret::new(SECRET))
}

fn forged(packet: &Packet<'_>) -> Vec<u8> {
    Builder::answer(Code::ACCESS_ACCEPT, packet).signed_answer(&SharedSecret::new(b"guessed"))
}

fn upstreams() -> Upstreams {
    Upstreams::new(|_| {})
}

fn ask(servers: &[SocketAddr], timeout: Duration) -> Ask {
    let upstream = Upstream {
        name: "directory".into(),
        servers: servers.to_vec(),
        secret: SharedSecret::new(SECRET),
        timeout,
        tries: 2,
        message_authenticator: AnswerSignature::Required,
    };
    let secret = SharedSecret::new(b"the NAS's");
    let mut builder = Builder::new(Code::ACCESS_REQUEST, 77, [9; 16]);
    builder.add(attribute::USER_PASSWORD, &hide_password(b"wonderland", &secret, &[9; 16]).unwrap()).unwrap();
    let request = builder.signed_request(&secret);
    Ask::of(&Packet::parse(&request).unwrap(), &secret, Arc::new(upstream), None).unwrap()
}

const ACCEPTED: Answer = Answer::Accept { attributes: vec![] };
/// Longer than any test takes where the answer comes; where none comes, short enough to be waited for.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(250);

#[tokio::test]
async fn hundreds_of_questions_get_their_answers() {
    let server = server(|_, packet| vec![accept(packet)]).await;
    let upstreams = Arc::new(upstreams());
    // A hundred at a time: the test's server has the kernel's default buffer, which holds twice as many.
    for _ in 0..4 {
        let questions: Vec<_> = (0..100)
            .map(|_| {
                let (upstreams, ask) = (Arc::clone(&upstreams), ask(&[server.address], LONG));
                tokio::spawn(async move { upstreams.ask(ask).await })
            })
            .collect();
        for question in questions {
            assert_eq!(question.await.unwrap(), ACCEPTED);
        }
    }
    assert_eq!(upstreams.pending(), 0);
    assert!(upstreams.shared.state().waiting.is_empty());
}

#[tokio::test]
async fn a_forgery_that_comes_first_gains_nothing() {
    let server = server(|_, packet| vec![forged(packet), vec![2; 5], accept(packet)]).await;
    let upstreams = upstreams();
    assert_eq!(upstreams.ask(ask(&[server.address], LONG)).await, ACCEPTED);
    let dropped: Vec<_> = upstreams.counters().dropped.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(dropped, [("malformed", 1), ("response-authenticator", 1)]);
}

#[tokio::test]
async fn an_answer_from_another_address_is_not_even_heard() {
    let [socket, stranger] = [
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
    ];
    let address = socket.local_addr().unwrap();
    let serve = async {
        let mut buffer = [0; LONGEST];
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let packet = Packet::parse(&buffer[..length]).unwrap();
        // Right in every octet, and from the wrong port.
        stranger.send_to(&accept(&packet), from).await.unwrap();
        let reject = Builder::answer(Code::ACCESS_REJECT, &packet).signed_answer(&SharedSecret::new(SECRET));
        socket.send_to(&reject, from).await.unwrap();
    };
    let upstreams = upstreams();
    let (answer, ()) = tokio::join!(upstreams.ask(ask(&[address], LONG)), serve);
    assert_eq!(answer, Answer::Reject { reply_message: None });
    assert!(upstreams.counters().dropped.iter().all(|(_, count)| count == 0));
}

#[tokio::test]
async fn a_lost_packet_is_sent_again() {
    let server = server(|count, packet| if count == 0 { vec![] } else { vec![accept(packet)] }).await;
    let upstreams = upstreams();
    assert_eq!(upstreams.ask(ask(&[server.address], SHORT)).await, ACCEPTED);
    assert_eq!(upstreams.counters().resent, 1);
}

#[tokio::test]
async fn a_silent_server_and_a_closed_port_are_passed_by() {
    let silent = server(|_, _| vec![]).await;
    let closed = {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.local_addr().unwrap()
    };
    let good = server(|_, packet| vec![accept(packet)]).await;
    let lines = Arc::new(Mutex::new(Vec::new()));
    let upstreams = Upstreams::new({
        let lines = Arc::clone(&lines);
        move |line| lines.lock().unwrap().push(line)
    });
    assert_eq!(upstreams.ask(ask(&[silent.address, closed, good.address], SHORT)).await, ACCEPTED);
    let told = std::mem::take(&mut *lines.lock().unwrap());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains(&silent.address.to_string()) && told[1].contains(&closed.to_string()));
    // The next one does not wait for them.
    assert_eq!(upstreams.ask(ask(&[silent.address, closed, good.address], LONG)).await, ACCEPTED);
}

#[tokio::test]
async fn nobody_answers_and_that_is_an_answer() {
    let silent = server(|_, packet| vec![forged(packet)]).await;
    let answer = upstreams().ask(ask(&[silent.address], SHORT)).await;
    assert!(matches!(&answer, Answer::Silent(why) if why.contains("is the secret the same?")), "{answer:?}");
    assert!(matches!(upstreams().ask(ask(&[], SHORT)).await, Answer::Silent(_)));
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_frees_its_place() {
    let silent = server(|_, _| vec![]).await;
    let upstreams = upstreams();
    let waited = tokio::time::timeout(SHORT, upstreams.ask(ask(&[silent.address], LONG))).await;
    assert!(waited.is_err());
    assert_eq!(upstreams.pending(), 0);
    assert!(upstreams.shared.state().waiting.is_empty());
}

#[tokio::test]
async fn an_upstream_over_ipv6_is_asked_too() {
    let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let serve = async {
        let mut buffer = [0; LONGEST];
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        socket.send_to(&accept(&Packet::parse(&buffer[..length]).unwrap()), from).await.unwrap();
    };
    let upstreams = upstreams();
    let (answer, ()) = tokio::join!(upstreams.ask(ask(&[address], LONG)), serve);
    assert_eq!(answer, ACCEPTED);
}
