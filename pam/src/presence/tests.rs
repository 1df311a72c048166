//! On real connections of this host.

#![allow(clippy::disallowed_methods, reason = "sockets, and a second process, are what is tested")]

use std::{
    collections::BTreeSet,
    env, fs,
    io::Read,
    net::{Shutdown, SocketAddrV4, TcpListener, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    process::Command,
    thread,
};

use nix::{
    libc,
    sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket,
        sockopt::{Linger, ReuseAddr},
    },
};

use super::*;

/// A connection, and the text in which sshd would hand it on.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    text: String,
}

impl Pair {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self::with(&listener, client)
    }

    fn with(listener: &TcpListener, client: TcpStream) -> Self {
        let (server, remote) = listener.accept().unwrap();
        let local = server.local_addr().unwrap();
        // As sshd does it: an IPv4 address that an IPv6 socket serves is written as the IPv4 address.
        let [remote_ip, local_ip] = [remote, local].map(|end| end.ip().to_canonical());
        let text = format!("{remote_ip} {} {local_ip} {}", remote.port(), local.port());
        Self { client, server, text }
    }

    fn connection(&self) -> Connection {
        Connection::parse(&self.text).unwrap()
    }

    /// Both ways of seeing it.
    fn views(&self) -> [View; 2] {
        let connection = self.connection();
        let Look::Found(socket) = table::look(&connection) else { panic!("not in the table") };
        let reading = View { connection, socket, way: Way::Reading { ticks: AtomicU32::new(0) } };
        let asking = View::of(self.connection()).unwrap();
        assert!(matches!(asking.way, Way::Asking(_)), "this kernel answers");
        [asking, reading]
    }
}

/// A client from that port whose end by `drop` resets the connection, so that nothing of it stays.
fn client_from(port: u16, to: SocketAddrV4) -> TcpStream {
    let fd: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    setsockopt(&fd, ReuseAddr, &true).unwrap();
    setsockopt(&fd, Linger, &libc::linger { l_onoff: 1, l_linger: 0 }).unwrap();
    bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port)).unwrap();
    connect(fd.as_raw_fd(), &SockaddrIn::from(to)).unwrap();
    TcpStream::from(fd)
}

fn listener_at_home() -> (TcpListener, SocketAddrV4) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, SocketAddrV4::new([127, 0, 0, 1].into(), port))
}

fn is_ending(connection: &Connection) -> bool {
    matches!(table::look(connection), Look::Found(Socket { is_established: false, .. }))
}

fn wait_for(what: impl Fn() -> bool) {
    while !what() {
        thread::yield_now();
    }
}

#[test]
fn a_connection_is_read_as_sshd_writes_it() {
    let connection = Connection::parse("192.0.2.7 4711 192.0.2.1 22").unwrap();
    assert_eq!(connection.remote, "192.0.2.7:4711".parse().unwrap());
    assert_eq!(connection.local, "192.0.2.1:22".parse().unwrap());
    assert!(Connection::parse("2001:db8::7 1 ::1 22").is_some());
    let scoped = Connection::parse("fe80::7%eth0 1 fe80::1%eth0 22").unwrap();
    assert_eq!(scoped.remote, "[fe80::7]:1".parse().unwrap());
    for odd in [
        "",
        "UNKNOWN 65535 UNKNOWN 65535",
        "192.0.2.7 4711 192.0.2.1",
        "a 1 b 2",
        "192.0.2.7 4711 192.0.2.1 22 x",
        "1.1.1.1 99999 1.1.1.1 1",
    ] {
        assert_eq!(Connection::parse(odd), None, "{odd}");
    }
}

#[test]
fn the_end_of_a_connection_is_seen() {
    // The last one is a server for both families, as sshd is, with an IPv4 client.
    for address in ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
        let pair = Pair::at(address);
        let tick = watch(Some(&pair.text));
        assert!((0..9).all(|_| tick() == TickVerdict::Continue), "{address}");
        let views = pair.views();
        for view in &views {
            assert!((0..9).all(|_| !view.is_gone()), "{address}");
        }
        // The server still holds its end, as sshd does. The kernel hears of the close in its own time.
        let Pair { client, server, .. } = pair;
        drop(client);
        wait_for(|| tick() == TickVerdict::Cancel);
        views.iter().for_each(|view| wait_for(|| view.is_gone()));
        drop(server);
    }
}

#[test]
fn a_reset_is_seen_at_the_next_tick_though_the_listener_is_still_there() {
    let (listener, address) = listener_at_home();
    let pair = Pair::with(&listener, client_from(0, address));
    let tick = watch(Some(&pair.text));
    assert_eq!(tick(), TickVerdict::Continue);
    let connection = pair.connection();
    drop(pair.client);
    wait_for(|| table::look(&connection) == Look::Absent);
    assert_eq!(SockDiag::open().unwrap().look(&connection, None), Look::Absent);
    assert_eq!(tick(), TickVerdict::Cancel);
    assert_eq!(identity(&pair.text), None);
    drop(listener);
}

#[test]
fn who_left_before_the_watch_began_is_gone() {
    let pair = Pair::at("127.0.0.1:0");
    drop(pair.client);
    let connection = Connection::parse(&pair.text).unwrap();
    wait_for(|| is_ending(&connection));
    assert_eq!(watch(Some(&pair.text))(), TickVerdict::Cancel);
}

#[test]
fn what_was_never_seen_ends_nothing() {
    for text in [None, Some("nonsense"), Some("192.0.2.7 4711 192.0.2.1 22")] {
        let tick = watch(text);
        assert!((0..9).all(|_| tick() == TickVerdict::Continue), "{text:?}");
        assert_eq!(text.and_then(identity), None);
    }
}

#[test]
fn the_next_connection_between_the_same_ends_is_another() {
    let (listener, address) = listener_at_home();
    let first = Pair::with(&listener, client_from(0, address));
    let port = first.client.local_addr().unwrap().port();
    let mut seen = BTreeSet::from([identity(&first.text).unwrap()]);
    let mut old = first;
    for _ in 0..20 {
        let [asking, reading] = old.views();
        let Pair { client, mut server, text } = old;
        drop(client);
        assert!(server.read(&mut [0]).is_err(), "it was reset");
        drop(server);
        let next = Pair::with(&listener, client_from(port, address));
        assert_eq!(next.text, text);
        assert!(seen.insert(identity(&next.text).unwrap()), "an identity came twice");
        assert!(
            asking.is_gone() && reading.is_gone(),
            "the watch of the first is not deceived by the second"
        );
        old = next;
    }
}

#[test]
fn the_identity_stays_while_one_end_closes() {
    for end in [Shutdown::Read, Shutdown::Write] {
        let pair = Pair::at("[::1]:0");
        let is_over = || is_ending(&pair.connection());
        let before = identity(&pair.text).unwrap();
        assert!(before.starts_with("cookie:"), "{before}");
        match end {
            Shutdown::Read => pair.client.shutdown(Shutdown::Write).unwrap(),
            _ => pair.server.shutdown(Shutdown::Write).unwrap(),
        }
        wait_for(is_over);
        assert_eq!(identity(&pair.text), Some(before));
    }
}

#[test]
fn the_table_tells_the_inode() {
    let pair = Pair::at("127.0.0.1:0");
    let Look::Found(Socket { identity: Some(identity), .. }) = table::look(&pair.connection()) else {
        panic!("not in the table")
    };
    let link = fs::read_link(format!("/proc/self/fd/{}", pair.server.as_raw_fd())).unwrap();
    assert_eq!(
        format!("socket:[{}]", identity.to_string().strip_prefix("inode:").unwrap()),
        link.to_str().unwrap()
    );
}

#[test]
fn another_process_sees_the_same_identity() {
    for address in ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
        let pair = Pair::at(address);
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--ignored", "presence::tests::in_another_process"])
            .env("CONNECTION", &pair.text)
            .env("IDENTITY", identity(&pair.text).unwrap())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && output.contains("1 passed"), "{output}");
    }
}

#[test]
#[ignore = "the other process of another_process_sees_the_same_identity"]
fn in_another_process() {
    assert_eq!(identity(&env::var("CONNECTION").unwrap()), Some(env::var("IDENTITY").unwrap()));
}
