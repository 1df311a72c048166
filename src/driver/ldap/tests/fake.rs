use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use super::*;
use crate::{
    asn1::der,
    directory::{Directories, Directory, Kind, Lookup, WhenUnavailable, file::UserTable},
    driver::directories::{lookup_told, passed_over},
};

/// A server that does with each connection what it is told to, for as long as somebody connects.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    pub(super) served: Arc<AtomicUsize>,
}

impl Fake {
    pub(super) fn start(act: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(AtomicUsize::new(0));
        let (act, count) = (Arc::new(act), Arc::clone(&served));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), act) = (stream, Arc::clone(&act)) else { return };
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    let _ = act(&mut stream);
                });
            }
        });
        Self { address, served }
    }

    /// One that reads a request and writes these octets.
    fn saying(octets: Vec<u8>) -> Self {
        Self::start(move |stream| {
            request(stream)?;
            stream.write_all(&octets)?;
            request(stream)
        })
    }

    /// One that answers each request with the next of these, and hangs up where there is none.
    fn answering(answers: Vec<Vec<u8>>) -> Self {
        Self::start(move |stream| {
            for answer in &answers {
                request(stream)?;
                stream.write_all(answer)?;
            }
            request(stream)
        })
    }

    fn ldap(&self) -> Ldap {
        Ldap { timeout: Duration::from_secs(1), ..ldap(vec![server(self.address, Security::Loopback)]) }
    }
}

/// Takes what comes in one piece.
fn request(stream: &mut TcpStream) -> std::io::Result<()> {
    if stream.read(&mut [0; 4096])? == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

pub(super) fn message(number: u8, body: &[u8]) -> Vec<u8> {
    der::wrap(der::SEQUENCE, &[&[2, 1, number], body].concat())
}

pub(super) fn string(text: &str) -> Vec<u8> {
    der::wrap(der::OCTET_STRING, text.as_bytes())
}

pub(super) fn done(tag: u8, code: u8, text: &str) -> Vec<u8> {
    der::wrap(tag, &[&[10, 1, code][..], &string(""), &string(text)].concat())
}

fn entry(number: u8, dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &str)| {
        der::wrap(der::SEQUENCE, &[string(name), der::wrap(der::SET, &string(value))].concat())
    };
    let list: Vec<_> = attributes.iter().flat_map(attribute).collect();
    let entry = [string(dn), der::wrap(der::SEQUENCE, &list)].concat();
    message(number, &der::wrap(0x64, &entry))
}

fn alice() -> Vec<u8> {
    entry(1, "uid=alice,ou=people", &[("uid", "alice"), ("mobile", "+41791234567")])
}

fn found() -> Vec<u8> {
    [alice(), message(1, &done(SEARCHED, 0, ""))].concat()
}

const BOUND: u8 = 0x61;
const SEARCHED: u8 = 0x65;
const EXTENDED: u8 = 0x78;

#[test]
fn a_server_that_answers_as_it_should_is_understood() {
    let fake = Fake::saying(found());
    assert_eq!(asked(&fake.ldap(), "alice"), "41791234567");
    let fake = Fake::saying(message(1, &done(SEARCHED, 0, "")));
    assert_eq!(asked(&fake.ldap(), "alice"), "not enrolled");
}

#[test]
fn whatever_else_comes_is_no_answer() {
    let end = |code, text| message(1, &done(SEARCHED, code, text));
    let announced = [0x30, 0x83, 0x0f, 0xff, 0xf0, 2, 1, 1].to_vec();
    let reference = message(1, &der::wrap(0x73, &string("ldap://elsewhere/")));
    for (octets, why) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "no LDAP message"),
        (vec![0xff; 4096], "no LDAP message"),
        (announced, "no answer in time"),
        (alice(), "no answer in time"),
        (message(7, &done(SEARCHED, 0, "")), "answered what was not asked"),
        (message(1, &done(BOUND, 0, "")), "answered a search with something else"),
        (message(1, &[0x79, 0]), "answered a search with something else"),
        (
            message(0, &done(EXTENDED, 52, "going down")),
            "ends the connection: unavailable (52), \"going down\"",
        ),
        (end(51, ""), "busy (51)"),
        (end(1, "a\u{1b}[2Jb"), "operationsError (1), \"a\\u{1b}[2Jb\""),
        (end(4, ""), "sizeLimitExceeded"),
        (end(10, ""), "refers to another server, which is not followed"),
        (end(32, ""), "has no entry ou=people"),
        ([alice(), reference, end(0, "")].concat(), "refers to another server"),
        ([alice(), alice(), alice(), alice(), end(0, "")].concat(), "more entries than it was asked for"),
        (message(1, &der::wrap(0x64, &[0xff; 20])), "no LDAP message"),
    ] {
        let said = asked(&Fake::saying(octets).ldap(), "alice");
        assert!(said.starts_with("away: ") && said.contains(why), "{why}: {said}");
    }
    let two = Fake::saying([alice(), alice(), end(4, "")].concat());
    assert!(asked(&two.ldap(), "alice").starts_with("unusable: more than one entry"));
}

/// Whose entry is too large is not looked for elsewhere: who may write to it could choose so who knows them.
#[test]
fn what_is_too_large_is_to_be_mended_and_the_next_server_not_asked() {
    let end = |number| message(number, &done(SEARCHED, 0, ""));
    let huge = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff].to_vec();
    let many = [entry(1, "uid=alice", &[("mobile", "+41791234567"); 65]), end(1)].concat();
    let long = [entry(1, "uid=alice", &[("mobile", &"1".repeat((64 << 10) + 1))]), end(1)].concat();
    let name = "g".repeat(60 << 10);
    let group = |at: usize| entry(2, &format!("cn={at}"), &[("cn", "g"), ("x", &name)]);
    let groups = [(0..80).flat_map(group).collect(), end(2)].concat();
    let cut = [group(0), group(1), message(2, &done(SEARCHED, 4, ""))].concat();
    for (answers, why) in [
        (vec![huge], "longer than 1 MiB"),
        (vec![many], "more than 64 attributes"),
        (vec![long], "a value is longer than 64 KiB"),
        (vec![found(), groups], "longer than 4 MiB in all"),
        (vec![found(), cut], "more groups of one member than are listed at once"),
    ] {
        let (fake, other) = (Fake::answering(answers), Fake::answering(vec![found()]));
        let mut both = fake.ldap();
        both.servers.push(server(other.address, Security::Loopback));
        let base = "ou=groups".to_owned();
        let filter = "(member={dn})".parse().unwrap();
        both.groups = Some(GroupSearch { base, filter, name: "cn".to_owned(), nested: false });
        let said = asked(&both, "alice");
        assert!(said.starts_with("unusable: ") && said.contains(why), "{why}: {said}");
        assert_eq!(other.served.load(Ordering::SeqCst), 0, "{why}");
    }
    // Before anybody was looked for, the server is what is wrong.
    let huge = Fake::answering(vec![[0x30, 0x84, 0xff, 0xff, 0xff, 0xff].to_vec()]);
    let bind = Bind::Simple { dn: "cn=r".into(), password: Secret::new("p".into()) };
    let said = asked(&Ldap { bind, ..huge.ldap() }, "alice");
    assert!(said.starts_with("away: ") && said.contains("longer than 1 MiB"), "{said}");
}

#[test]
fn the_next_server_is_asked_where_one_cannot_answer() {
    let good = || Fake::saying(found());
    let silent = Fake::start(|stream| request(stream).and_then(|()| request(stream)));
    let slow = Fake::start(|stream| {
        for octet in alice() {
            stream.write_all(&[octet])?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    let closing = Fake::start(request);
    let halfway = Fake::start(|stream| {
        request(stream)?;
        stream.write_all(&alice()[..20])
    });
    let busy = Fake::saying(message(1, &done(SEARCHED, 51, "")));
    for (bad, why) in [
        (refusing(), "refused"),
        (silent.address, "no answer in time"),
        (slow.address, "no answer in time"),
        (closing.address, "ended the connection"),
        (halfway.address, "ended the connection"),
        (busy.address, "busy"),
    ] {
        let good = good();
        let begun = Instant::now();
        let mut both = good.ldap();
        both.servers.insert(0, server(bad, Security::Loopback));
        assert_eq!(asked(&both, "alice"), "41791234567", "{why}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{why}");
        both.servers.pop();
        let said = asked(&both, "alice");
        assert!(said.starts_with(&format!("away: {bad}: ")) && said.contains(why), "{why}: {said}");
    }
}

#[test]
fn a_server_that_failed_a_moment_ago_is_not_waited_for_again() {
    let silent = Fake::start(|stream| request(stream).and_then(|()| request(stream)));
    let good = Fake::saying(found());
    let mut both = good.ldap();
    both.servers.insert(0, server(silent.address, Security::Loopback));
    for _ in 0..3 {
        assert_eq!(asked(&both, "alice"), "41791234567");
    }
    assert_eq!((silent.served.load(Ordering::SeqCst), good.served.load(Ordering::SeqCst)), (1, 3));
    // One that had less than its time has not failed.
    let patient = Ldap { timeout: Duration::from_secs(10), resting: Resting::default(), ..both };
    let soon = Instant::now() + Duration::from_millis(300);
    let late = lookup(&patient, &"alice".parse().unwrap(), &self::patient(), soon, SystemTime::now());
    assert!(matches!(&late, Ok(Answer::Away(why)) if why.contains("no time was left")), "{late:?}");
    assert_eq!(patient.resting.order(2, Instant::now()), [0, 1]);
}

#[test]
fn what_is_passed_over_is_told() {
    let users = UserTable::parse("u.toml", "[bob]\nmsisdn = '+41790000002'").unwrap();
    let (name, unavailable) = ("ad".to_owned(), WhenUnavailable::Next);
    let away = ldap(vec![server(refusing(), Security::Loopback)]);
    let ad = Directory { name, unavailable, kind: Kind::Ldap(Box::new(away)) };
    let (name, unavailable) = ("guests".to_owned(), WhenUnavailable::Deny);
    let guests = Directory { name, unavailable, kind: Kind::File(users) };
    let bob = "bob".parse().unwrap();
    let told = |directories: Vec<Directory>| {
        let (directories, mut lines) = (Directories::new(directories), Vec::new());
        let found = lookup_told(&directories, &bob, &patient(), in_a_minute(), |directory, answer| {
            lines.extend(passed_over(directory, answer, &bob));
        });
        (matches!(found, Ok(Lookup::Found(_))), lines)
    };
    let (found, lines) = told(vec![ad.clone(), guests.clone()]);
    assert!(found && lines.len() == 1, "{lines:?}");
    assert!(lines[0].starts_with("directory ad is away and passed over, for bob: 127.0.0.1:"), "{lines:?}");
    let strict = Directory { unavailable: WhenUnavailable::Deny, ..ad };
    assert_eq!(told(vec![strict, guests]), (false, Vec::new()));
}

#[test]
fn what_one_server_refuses_the_others_are_not_asked() {
    let other = Fake::saying(Vec::new());
    let simple = |fake: &Fake| {
        let mut both = fake.ldap();
        both.servers.push(server(other.address, Security::Loopback));
        Ldap { bind: Bind::Simple { dn: "cn=r".into(), password: Secret::new("p".into()) }, ..both }
    };
    let refusing = Fake::saying(message(1, &done(BOUND, 49, "data 52e")));
    let said = asked(&simple(&refusing), "alice");
    assert!(said.contains("does not let bind_dn in: invalidCredentials (49), \"data 52e\""), "{said}");
    assert_eq!(other.served.load(Ordering::SeqCst), 0);
    let busy = Fake::saying(message(1, &done(BOUND, 51, "")));
    assert!(asked(&simple(&busy), "alice").contains("busy"));
    assert_eq!(other.served.load(Ordering::SeqCst), 1);
}

#[test]
fn nothing_is_said_in_the_clear_where_tls_was_meant() {
    let root = any_root();
    let with_tls = |fake: &Fake, security| Ldap {
        servers: vec![server(fake.address, security)],
        roots: vec![root.clone()],
        bind: Bind::Simple { dn: "cn=r".into(), password: Secret::new("opensesame".into()) },
        ..fake.ldap()
    };
    for (octets, why) in [
        (
            message(1, &done(EXTENDED, 2, "no TLS here")),
            "does not start TLS: protocolError (2), \"no TLS here\"",
        ),
        (message(1, &done(BOUND, 0, "")), "answered StartTLS with something else"),
        // Somebody in between puts an answer behind the server's yes.
        ([message(1, &done(EXTENDED, 0, "")), message(2, &done(BOUND, 0, ""))].concat(), "away: "),
    ] {
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (hear, octets) = (Arc::clone(&heard), octets.clone());
        let fake = Fake::start(move |stream| {
            let mut buffer = [0; 4096];
            let mut said = false;
            loop {
                let read = stream.read(&mut buffer)?;
                hear.lock().unwrap().extend_from_slice(&buffer[..read]);
                if read == 0 {
                    return Ok(());
                }
                if !std::mem::replace(&mut said, true) {
                    stream.write_all(&octets)?;
                }
            }
        });
        let said = asked(&with_tls(&fake, Security::StartTls), "alice");
        assert!(said.starts_with("away: ") && said.contains(why), "{said}");
        let heard = heard.lock().unwrap();
        assert!(!heard.windows(10).any(|w| w == b"opensesame"), "{why}");
    }
    let plain = Fake::saying(message(1, &done(BOUND, 0, "")));
    assert!(asked(&with_tls(&plain, Security::Tls), "alice").starts_with("away: "));
}

/// Any certificate will do: nobody gets as far as to show theirs.
fn any_root() -> Vec<u8> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let pem = include_str!("../../../../fuzz/fixtures/root.pem");
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn the_host_and_the_deadline_end_the_wait() {
    let silent = Fake::start(|stream| request(stream).and_then(|()| request(stream)));
    let slow = Ldap { timeout: Duration::from_secs(30), ..silent.ldap() };
    let user = "alice".parse().unwrap();
    let begun = Instant::now();
    let cancel: Tick = Arc::new(move || match begun.elapsed() > Duration::from_millis(300) {
        true => TickVerdict::Cancel,
        false => TickVerdict::Continue,
    });
    assert_eq!(lookup(&slow, &user, &cancel, in_a_minute(), SystemTime::now()), Err(GivenUp));
    let soon = Instant::now() + Duration::from_millis(300);
    let late = lookup(&slow, &user, &patient(), soon, SystemTime::now());
    assert!(matches!(&late, Ok(Answer::Away(why)) if why.contains("no answer in time")), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn no_password_is_tried_twice_and_an_empty_one_not_at_all() {
    let other = Fake::saying(Vec::new());
    let judged_by = |fake: &Fake, user: &str, password: &str| {
        let mut both = fake.ldap();
        both.servers.push(server(other.address, Security::Loopback));
        let user = user.parse().unwrap();
        let judged =
            judge(&both, &user, &Secret::new(password.to_owned()), &patient(), in_a_minute()).unwrap();
        (judged, fake.served.load(Ordering::SeqCst))
    };
    let judged = |code, user: &str, password: &str| {
        let fake = Fake::answering(vec![found(), message(2, &done(BOUND, code, ""))]);
        judged_by(&fake, user, password)
    };
    assert_eq!(judged(0, "alice", "right"), (Judged::Right, 1));
    assert_eq!(judged(49, "alice", "wrong"), (Judged::Wrong, 1));
    assert_eq!(judged(0, "alice", ""), (Judged::Wrong, 0));
    assert_eq!(judged(0, "alice", "\0right"), (Judged::Wrong, 0));
    // Found by the server, but not this name letter for letter.
    assert_eq!(judged(0, "ALICE", "right"), (Judged::Wrong, 1));
    assert!(matches!(judged(51, "alice", "right"), (Judged::Away(why), 1) if why.contains("busy")));
    assert!(matches!(judged(53, "alice", "right"), (Judged::Away(_), 1)));
    // Whoever hangs up on a password, or says nothing that can be read, may have tried it all the same.
    for after in [Vec::new(), b"HTTP/1.1 400".to_vec(), message(1, &done(BOUND, 0, "")), found()] {
        let fake = Fake::start(move |stream| {
            request(stream)?;
            stream.write_all(&found())?;
            request(stream)?;
            stream.write_all(&after)
        });
        assert!(matches!(judged_by(&fake, "alice", "right"), (Judged::Away(_), 1)));
    }
    // These names are nobody's, whom servers let in with any password.
    for dn in ["", " "] {
        let nameless = entry(1, dn, &[("uid", "alice")]);
        let found = [nameless, message(1, &done(SEARCHED, 0, ""))].concat();
        let fake = Fake::answering(vec![found, message(2, &done(BOUND, 0, ""))]);
        assert!(matches!(judged_by(&fake, "alice", "right"), (Judged::Away(_), 1)), "{dn:?}");
    }
    assert_eq!(other.served.load(Ordering::SeqCst), 0);
}
