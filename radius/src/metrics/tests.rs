use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::Ipv4Addr,
};

use tokio::time::timeout;

use super::*;
use crate::server::Counters;

/// What a page says: the type of each family, and each sample by its name and labels as they are written.
#[derive(Debug, Default)]
struct Contents {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

/// Reads a page as the format's description has it, and panics at whatever is not in it.
fn read(page: &str) -> Contents {
    assert!(page.ends_with('\n'));
    let mut read = Contents::default();
    let mut helped = BTreeSet::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()) && !text.is_empty(), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(helped.contains(name), "the help comes first: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(read.kinds.insert(name.into(), kind.into()).is_none(), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = &sample[..sample.find('{').unwrap_or(sample.len())];
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            labels(&sample[name.len()..]);
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|part| {
                name.strip_suffix(part).filter(|f| read.kinds.get(*f).is_some_and(|k| k == "histogram"))
            });
            assert!(read.kinds.contains_key(family.unwrap_or(name)), "a sample of no family: {line}");
            assert!(read.samples.insert(sample.into(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    read
}

/// `{name="value",...}` or nothing; in a value, a quote, a backslash and a line break are escaped.
fn labels(text: &str) {
    let Some(text) = text.strip_prefix('{') else {
        assert_eq!(text, "");
        return;
    };
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (_, '\\') => assert!(matches!(characters.next().unwrap().1, '\\' | '"' | 'n'), "{text}"),
                (at, '"') => break at,
                _ => {}
            }
        };
        match &after[end + 1..] {
            "}" => return,
            more => rest = more.strip_prefix(',').unwrap(),
        }
    }
}

fn record(verdict: &'static str, reason: &'static str, ms: u64) -> AuditRecord {
    AuditRecord {
        time: String::new(),
        verdict,
        reason,
        code: None,
        user: "alice".into(),
        service: "VPN".into(),
        host: "vpn1".into(),
        client: Some("vpn1".into()),
        target: None,
        program: None,
        rhost: None,
        msisdn: None,
        ap_trans_id: None,
        mssp_trans_id: None,
        profile: None,
        serial: None,
        first_use: false,
        ms,
        detail: None,
    }
}

#[test]
fn the_page_is_what_prometheus_reads() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut metrics = Metrics::default();
    metrics.login(&record("accepted", "verified", 5_000));
    metrics.login(&record("accepted", "verified", 200_000));
    metrics.login(&record("denied", "user-cancel", 12));
    metrics.upstream("accept", Duration::from_millis(3));
    metrics.reloaded(now, false);
    let certificates = [
        Certificate {
            role: "client",
            subject: "CN=\"a\\b\"\nc".into(),
            not_after: now + Duration::from_secs(129_600),
        },
        Certificate {
            role: "anchor",
            subject: "CN=old".into(),
            not_after: now - Duration::from_secs(86_400),
        },
    ];
    let exchanges = Exchanges::default();
    exchanges.signature.observe(Duration::from_millis(1_500));
    let packets = Counters { logins: 4, ..Counters::default() };
    let page = metrics.page(&Facts {
        packets: &packets,
        datagrams: listener::Counts { received: 7, ..Default::default() },
        losses: Losses::default(),
        exchanges: &exchanges,
        pending: 1,
        draining: false,
        certificates: &certificates,
        now,
    });
    let read = read(&page);
    let value = |sample: &str| *read.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in\n{page}"));
    for (sample, expected) in [
        ("mobileid_logins_total{verdict=\"accepted\",reason=\"verified\"}", 2.0),
        ("mobileid_logins_total{verdict=\"denied\",reason=\"user-cancel\"}", 1.0),
        ("mobileid_logins_pending", 1.0),
        ("mobileid_logins_begun_total", 4.0),
        ("mobileid_login_duration_seconds_bucket{verdict=\"accepted\",le=\"2.5\"}", 0.0),
        ("mobileid_login_duration_seconds_bucket{verdict=\"accepted\",le=\"5\"}", 1.0),
        ("mobileid_login_duration_seconds_bucket{verdict=\"accepted\",le=\"90\"}", 1.0),
        ("mobileid_login_duration_seconds_bucket{verdict=\"accepted\",le=\"+Inf\"}", 2.0),
        ("mobileid_login_duration_seconds_sum{verdict=\"accepted\"}", 205.0),
        ("mobileid_login_duration_seconds_bucket{verdict=\"denied\",le=\"0.05\"}", 1.0),
        ("mobileid_first_factor_duration_seconds_count{answer=\"accept\"}", 1.0),
        ("mobileid_service_exchange_duration_seconds_sum{kind=\"signature\"}", 1.5),
        ("mobileid_datagrams_total{what=\"received\"}", 7.0),
        ("mobileid_config_last_reload_successful", 0.0),
        ("mobileid_config_last_reload_timestamp_seconds", 1_800_000_000.0),
        ("mobileid_certificate_expires_in_days{role=\"client\",subject=\"CN=\\\"a\\\\b\\\"\\nc\"}", 1.5),
        ("mobileid_certificate_expires_in_days{role=\"anchor\",subject=\"CN=old\"}", -1.0),
    ] {
        assert_eq!(value(sample), expected, "{sample}");
    }
}

#[test]
fn what_the_service_did_is_told_from_what_people_did() {
    let of_the_service: BTreeSet<_> =
        Reason::all().into_iter().filter(|r| is_of_the_service(*r)).map(Reason::name).collect();
    for yes in ["unreachable-tls", "answer-lost", "http-status", "internal-error"] {
        assert!(of_the_service.contains(yes), "{yes}: {of_the_service:?}");
    }
    for no in ["user-cancel", "expired-transaction", "timed-out", "not-enrolled", "internal", "cancelled"] {
        assert!(!of_the_service.contains(no), "{no}");
    }
}

/// A loop that answers `reply` to whatever is asked, or nothing at all.
fn port(reply: Option<Reply>) -> (Port, tokio::task::JoinHandle<Vec<Topic>>) {
    let (questions, mut asked) = tokio::sync::mpsc::channel::<Question>(1);
    let port = Port::serve(Bound::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap(), questions).unwrap();
    let answering = tokio::spawn(async move {
        let (mut topics, mut unanswered) = (Vec::new(), Vec::new());
        while let Some(question) = asked.recv().await {
            topics.push(question.topic);
            match &reply {
                Some(reply) => drop(question.reply.send(reply.clone())),
                None => unanswered.push(question.reply),
            }
        }
        topics
    });
    (port, answering)
}

async fn get(port: &Port, request: &str) -> String {
    let (address, request) = (port.address(), request.to_owned());
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_answers_what_it_knows_and_nothing_else() {
    let (port, answering) = port(Some(Reply::Yes("all is well\n".into())));
    for (request, status) in [
        ("GET /metrics", "200 OK"),
        ("GET /health/live", "200 OK"),
        ("HEAD /health/ready", "200 OK"),
        ("GET /health", "200 OK"),
        ("GET /", "404 Not Found"),
        ("GET /metrics/..", "404 Not Found"),
        ("POST /metrics", "405 Method Not Allowed"),
    ] {
        let answer = get(&port, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
        assert_eq!(answer.ends_with("all is well\n"), status == "200 OK" && request.starts_with("GET"));
    }
    drop(port);
    assert_eq!(answering.await.unwrap(), [Topic::Metrics, Topic::Live, Topic::Ready, Topic::Ready]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_that_is_unready_or_dead_is_told_by_its_status() {
    let (unready, _) = port(Some(Reply::No("draining\n".into())));
    let answer = get(&unready, "GET /health/ready").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\ndraining\n"), "{answer}");
    let (dead, _) = port(None);
    let answer = get(&dead, "GET /health/live").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("does not answer\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_wait_their_turn() {
    let (port, _) = port(Some(Reply::Yes("mine\n".into())));
    let idle: Vec<_> = (0..64).map(|_| std::net::TcpStream::connect(port.address()).unwrap()).collect();
    let asked = get(&port, "GET /metrics");
    tokio::pin!(asked);
    // Those who hold the places ask nothing; as soon as they go, the next is served.
    assert!(timeout(Duration::from_millis(200), &mut asked).await.is_err());
    drop(idle);
    assert!(asked.await.ends_with("mine\n"));
}
