use std::{
    future::poll_fn,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    time::Duration,
};

use super::*;

fn address(ip: impl Into<IpAddr>) -> Address {
    (SocketAddr::new(ip.into(), 0), Purpose::Authentication)
}

fn listening(addresses: &[Address]) -> Listeners {
    let mut listeners = Listeners::default();
    listeners.change_to(listeners.open(addresses.to_vec()).unwrap());
    listeners
}

/// A client that does not wait for ever.
fn client(ip: impl Into<IpAddr>) -> UdpSocket {
    let socket = UdpSocket::bind((ip.into(), 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

/// Waits until `count` datagrams have come.
async fn take(listeners: &mut Listeners, count: usize) -> Vec<(Peer, Vec<u8>)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        poll_fn(|context| listeners.poll_readable(context)).await;
        listeners.receive(4, |peer, octets| taken.push((peer, octets.to_vec())));
    }
    taken
}

#[tokio::test]
async fn an_answer_leaves_from_the_address_that_was_asked() {
    let unspecified = [Ipv4Addr::UNSPECIFIED.into(), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
    let mut listeners = listening(&unspecified.map(address));
    let ports: Vec<u16> = listeners.bound().map(|(at, _)| at.port()).collect();
    let mut doors = Vec::new();
    for (asked, port) in
        [("127.0.0.1", ports[0]), ("127.0.0.2", ports[0]), ("127.9.9.9", ports[0]), ("::1", ports[1])]
    {
        let asked = SocketAddr::new(asked.parse().unwrap(), port);
        let from: IpAddr =
            if asked.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        let client = client(from);
        client.send_to(b"question", asked).unwrap();
        let taken = take(&mut listeners, 1).await;
        assert_eq!((taken[0].0.remote, &taken[0].1[..]), (client.local_addr().unwrap(), &b"question"[..]));
        listeners.send(taken[0].0, b"answer");
        let mut buffer = [0; 16];
        let (length, answered_from) = client.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], answered_from), (&b"answer"[..], asked));
        doors.push(taken[0].0.listener);
    }
    assert_eq!(doors, [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_flood_on_one_listener_leaves_the_other_its_turn() {
    let mut listeners = listening(&[address(Ipv4Addr::LOCALHOST), address(Ipv4Addr::new(127, 0, 0, 2))]);
    let at: Vec<SocketAddr> = listeners.bound().map(|(at, _)| at).collect();
    let client = client(Ipv4Addr::LOCALHOST);
    for _ in 0..100 {
        client.send_to(b"flood", at[0]).unwrap();
    }
    client.send_to(b"login", at[1]).unwrap();
    poll_fn(|context| listeners.poll_readable(context)).await;
    let mut taken = Vec::new();
    listeners.receive(4, |_, octets| taken.push(octets.to_vec()));
    assert_eq!(taken, [b"flood", b"flood", b"flood", b"flood", b"login"]);
    assert_eq!(take(&mut listeners, 96).await.len(), 96);
    assert_eq!(listeners.counts(), Counts { received: 101, ..Counts::default() });
}

#[tokio::test]
async fn a_client_that_is_gone_stops_nothing() {
    let mut listeners = listening(&[address(Ipv4Addr::LOCALHOST)]);
    let (at, _) = listeners.bound().next().unwrap();
    let gone = client(Ipv4Addr::LOCALHOST);
    gone.send_to(b"and away", at).unwrap();
    let peer = take(&mut listeners, 1).await[0].0;
    drop(gone);
    // The answers come back as ICMP errors.
    for _ in 0..3 {
        listeners.send(peer, b"answer");
    }
    // Longer than UDP can carry.
    listeners.send(peer, &[0; 70_000]);
    let other = client(Ipv4Addr::LOCALHOST);
    other.send_to(b"still there?", at).unwrap();
    assert_eq!(take(&mut listeners, 1).await[0].1, b"still there?");
    assert_eq!(listeners.counts().send_errors, 1);
}

#[tokio::test]
async fn a_change_keeps_what_stays_and_its_datagrams_and_closes_what_goes() {
    let [stays, goes, comes] = [1, 2, 3].map(|last| address(Ipv4Addr::new(127, 0, 0, last)));
    let mut listeners = listening(&[stays, goes]);
    let before: Vec<SocketAddr> = listeners.bound().map(|(at, _)| at).collect();
    let client = client(Ipv4Addr::LOCALHOST);
    client.send_to(b"to what goes", before[1]).unwrap();
    let old = take(&mut listeners, 1).await[0].0;
    client.send_to(b"waiting", before[0]).unwrap();

    let opened = listeners.open(vec![stays, comes]).unwrap();
    listeners.change_to(opened);

    let after: Vec<SocketAddr> = listeners.bound().map(|(at, _)| at).collect();
    assert_eq!((after.len(), after[0]), (2, before[0]));
    let waiting = take(&mut listeners, 1).await.remove(0);
    assert_eq!(waiting.1, b"waiting");
    assert_ne!(waiting.0.listener, old.listener);
    listeners.send(old, b"nobody");
    assert_eq!(listeners.counts().orphaned, 1);
    client.send_to(b"new", after[1]).unwrap();
    let new = take(&mut listeners, 1).await.remove(0);
    assert!(new.0.listener > waiting.0.listener.max(old.listener), "{new:?}");
}

#[tokio::test]
async fn an_address_that_cannot_be_had_changes_nothing() {
    let mut listeners = listening(&[address(Ipv4Addr::LOCALHOST)]);
    let before: Vec<Address> = listeners.bound().collect();
    let foreign = "192.0.2.1:0".parse().unwrap();
    let error =
        listeners.open(vec![address(Ipv4Addr::LOCALHOST), (foreign, Purpose::Accounting)]).unwrap_err();
    assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:0: "), "{error}");
    assert_eq!(listeners.bound().collect::<Vec<_>>(), before);
    let client = client(Ipv4Addr::LOCALHOST);
    client.send_to(b"as ever", before[0].0).unwrap();
    assert_eq!(take(&mut listeners, 1).await[0].1, b"as ever");
}

#[tokio::test]
async fn the_queue_holds_a_burst() {
    let mut listeners = listening(&[address(Ipv4Addr::LOCALHOST)]);
    let (at, _) = listeners.bound().next().unwrap();
    let small = listeners.warnings().count() > 0;
    let client = client(Ipv4Addr::LOCALHOST);
    // Where this process may not have a long queue, at least the warning says so.
    let burst = if small { 100 } else { 2_000 };
    for _ in 0..burst {
        client.send_to(&[7; 120], at).unwrap();
    }
    assert_eq!(take(&mut listeners, burst).await.len(), burst);
    assert_eq!(listeners.counts().overflowed, 0);
}

#[tokio::test]
async fn a_port_that_is_ours_already_is_told_so() {
    let listeners = listening(&[address(Ipv4Addr::LOCALHOST)]);
    let (ours, _) = listeners.bound().next().unwrap();
    let everywhere = (SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), ours.port()), Purpose::Authentication);
    let refused = listeners.open(vec![everywhere]).unwrap_err().to_string();
    assert!(refused.contains(&format!("listens on {ours}, and lets go")), "{refused}");

    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let everywhere = (SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), free.port()), Purpose::Accounting);
    let both = vec![(free, Purpose::Authentication), everywhere];
    let refused = Listeners::default().open(both).unwrap_err().to_string();
    assert!(refused.contains(&format!("has {free} as well")), "{refused}");
}
