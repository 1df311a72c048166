//! The phone's HTTP interface: what it tells, whom it obeys, and whom it does not.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Response, receive, send};
use crate::support::{PATIENCE, Running, changed, sign_request};

/// A request on a connection of its own, with these header lines.
pub(crate) fn request(simulator: &Running, line: &str, headers: &str, body: &str) -> Response {
    let mut stream = TcpStream::connect(simulator.phone_url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    Response { status, headers: headers.collect(), body: body.as_bytes().to_vec() }
}

pub(crate) fn host(simulator: &Running) -> String {
    format!("Host: {}\r\n", simulator.phone_url().strip_prefix("http://").unwrap())
}

pub(crate) fn post(simulator: &Running, path: &str, body: &str) -> Response {
    request(simulator, &format!("POST {path}"), &(host(simulator) + "X-Phone: test\r\n"), body)
}

#[test]
fn a_person_confirms_with_a_pin() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let text = "SIM: <b>Log in</b> & \"stay\"?\nyes";
    let mut connection = simulator.client().connect();
    let sign = changed(sign_request(&msisdn), "/DataToBeSigned/Data", json!(text));
    send(&mut connection, "/rest/service/sign", &sign.to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;

    let pending = request(&simulator, "GET /api/pending", &host(&simulator), "").json();
    let shown = pending.as_array().unwrap().iter().find(|shown| shown["id"] == id.as_str()).unwrap();
    assert_eq!(shown["text"], text, "exactly as received");
    assert_eq!((&shown["method"], &shown["language"]), (&json!("sim"), &json!("en")));
    assert_eq!(shown["number"], format!("+4179 ••• •• {}", &msisdn[9..]));

    for wrong in ["", "{}", "{\"pin\":\"12345\"}", "{\"pin\":\"12345a\"}", "{\"pin\":\"1234567\"}"] {
        assert_eq!(post(&simulator, &format!("/api/confirm/{id}"), wrong).status, 400, "{wrong}");
    }
    assert_eq!(post(&simulator, &format!("/api/confirm/{id}"), "{\"pin\":\"123456\"}").status, 200);
    assert_eq!(receive(&mut connection).status, 200);
    assert_eq!(post(&simulator, &format!("/api/cancel/{id}"), "").status, 409, "it is done");

    let journal = request(&simulator, "GET /api/journal", &host(&simulator), "").json();
    let is_ours = |entry: &&Value| entry["mssp_trans_id"] == id.as_str();
    assert_eq!(journal.as_array().unwrap().iter().filter(is_ours).count(), 2);
}

#[test]
fn a_person_declines() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;
    assert_eq!(post(&simulator, &format!("/api/cancel/{id}"), "").status, 200);
    assert_eq!(receive(&mut connection).code(), "_401");
}

#[test]
fn foreign_pages_can_neither_read_nor_press() {
    let simulator = Running::shared();
    let own = host(&simulator);
    let msisdn = simulator.interactive();
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;

    let rebound = "Host: phone.evil.example\r\nX-Phone: 1\r\n";
    assert_eq!(request(&simulator, "GET /api/pending", rebound, "").status, 403);
    assert_eq!(request(&simulator, "GET /", "", "").status, 403, "no Host at all");
    let cancel = format!("POST /api/cancel/{id}");
    for headers in [
        rebound.to_owned(),
        own.clone(),
        format!("{own}X-Phone: 1\r\nOrigin: http://evil.example\r\n"),
        format!("{own}X-Phone: 1\r\nOrigin: null\r\n"),
    ] {
        assert_eq!(request(&simulator, &cancel, &headers, "").status, 403, "{headers}");
    }
    // A preflight is not answered with any permission.
    let preflight = request(&simulator, "OPTIONS /api/pending", &own, "");
    assert_eq!(preflight.status, 405);
    assert!(preflight.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("access-control")));
    assert!(simulator.cancel(&id), "it is still pending");
}

#[test]
fn the_page_may_load_its_own_files_only() {
    let simulator = Running::shared();
    let page = request(&simulator, "GET /", &host(&simulator), "");
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    for path in ["/style.css", "/script.js"] {
        assert_eq!(request(&simulator, &format!("GET {path}"), &host(&simulator), "").status, 200);
    }
    assert_eq!(request(&simulator, "GET /other", &host(&simulator), "").status, 404);
}
