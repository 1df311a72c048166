//! What fails on the way to the service is told apart, and nobody was asked then.

use std::sync::Arc;

use mobileid::outcome::{Reason, Unreachable, Verdict};
use mobileid_simulator::Behaviour;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    accepted,
    site::{Mode, Site, World},
};

/// Why a login is denied where the configuration says this instead of that.
async fn unreachable(name: &str, changes: &[(&str, &str)]) -> Unreachable {
    let world = World::shared();
    let site = bent(&world, name, changes);
    let verdict = site.login().await.verdict;
    assert_eq!(world.pushes(&site.msisdn), 0);
    match verdict {
        Verdict::Denied(Reason::Unreachable(why)) => why,
        other => panic!("{name}: {other:?}"),
    }
}

fn bent(world: &Arc<World>, name: &str, changes: &[(&str, &str)]) -> Site {
    Site::of(world, name, Behaviour::Approve, Mode::Synch, |config| {
        changes.iter().fold(config, |config, (from, to)| {
            assert!(config.contains(from), "{from}");
            config.replace(from, to)
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_before_the_request_is_told_apart() {
    let world = World::shared();
    let url = |host: &str| format!("https://{host}");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let closed = url(&closed.to_string());
    assert_eq!(unreachable("closed", &[(world.url(), &closed)]).await, Unreachable::Connect);
    let nowhere = url("no-such-host.invalid");
    assert_eq!(unreachable("name", &[(world.url(), &nowhere)]).await, Unreachable::Name);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to_silent = url(&silent.local_addr().unwrap().to_string());
    let changes = [(world.url(), to_silent.as_str()), ("connect = 30", "connect = 1")];
    assert_eq!(unreachable("silent", &changes).await, Unreachable::TooSlow);

    let root = [("server-root.pem", "signer-anchors.pem")];
    assert_eq!(unreachable("root", &root).await, Unreachable::Tls);
    let name = [("[service]", "[service]\nserver_name = \"mobileid.swisscom.com\"")];
    assert_eq!(unreachable("other-name", &name).await, Unreachable::Tls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_reached_by_address_is_held_to_the_configured_name() {
    let changes = [("[service]", "[service]\nserver_name = \"localhost\"")];
    accepted(&bent(&World::shared(), "by-name", &changes).login().await);
}

/// A CONNECT proxy that says `answer`, and carries bytes on if that has a 200 in it. Gives its address and the head
/// of the request that it saw.
async fn proxy(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(answer.as_bytes()).await.unwrap();
        let head = String::from_utf8(head).unwrap();
        if answer.contains(" 200 ") {
            let mut server = TcpStream::connect(head.split(' ').nth(1).unwrap()).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
        head
    });
    (address, seen)
}

fn through(address: &str) -> String {
    format!("[service]\nproxy = \"http://user:pass@{address}\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_carries_the_connection_and_is_told_no_more_than_the_target() {
    let world = World::shared();
    let (address, seen) = proxy("HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n").await;
    accepted(&bent(&world, "proxy", &[("[service]", &through(&address))]).login().await);
    let target = world.url().trim_start_matches("https://");
    let expected = format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n"
    );
    assert_eq!(seen.await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_or_babbles_is_named() {
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "220 smtp ready\r\n\r\n",
        "HTTP/1.1 2000 \r\n\r\n",
    ] {
        let (address, _) = proxy(answer).await;
        let changes = [("[service]", through(&address))];
        let changes = changes.each_ref().map(|(from, to)| (*from, to.as_str()));
        assert_eq!(unreachable("refusing-proxy", &changes).await, Unreachable::Proxy, "{answer}");
    }
}
