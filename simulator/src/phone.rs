//! The phone: a page on loopback that shows pending texts and lets a person confirm or decline them.
//!
//! Whoever can press these buttons is the second factor, so other web pages must not: a request has to name
//! a loopback host (or DNS rebinding would do it), and one that changes something has to carry the header
//! `X-Phone`, which a foreign page cannot send without asking first, and come from this origin if it says
//! where it comes from. Texts reach the page as JSON and the document as text nodes.
//!
//! ```text
//! GET  /                    the page
//! GET  /api/pending         what is on phones now
//! POST /api/confirm/{id}    {"pin":"123456"}: six digits for a SIM, which takes any
//! POST /api/cancel/{id}
//! POST /api/reactivate/{msisdn}   the same number on another phone: answers {"serial":"MIDCHE..."}, its new one
//! GET  /api/journal         what there has been
//! ```
//!
//! The buttons of the Smart Registration Service are beside these: `srs/control.rs`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::behaviour::Decision;
use crate::http::{self, NoRequest, Request};
use crate::service::Service;
use crate::srs::control;
use crate::subscribers::Method;
use crate::transactions::Transaction;

const KEEP_ALIVE: Duration = Duration::from_secs(10);

const PAGE: &str = include_str!("phone/page.html");
const STYLE: &str = include_str!("phone/style.css");
const SCRIPT: &str = include_str!("phone/script.js");

/// The page gets its own files and nothing from anywhere else, and is in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A text on a phone, waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pending {
    /// What the buttons act on; the MSSP_TransID.
    pub id: String,
    /// The number with its middle hidden, as a lock screen would.
    pub number: String,
    /// What shows it.
    pub method: Method,
    /// The text, exactly as received.
    pub text: String,
    /// en, de, fr or it.
    pub language: String,
    /// The number as it is, for callers in the same process only.
    #[serde(skip)]
    pub msisdn: String,
}

impl Pending {
    pub(crate) fn of(transaction: &Transaction) -> Pending {
        let msisdn = &transaction.request.msisdn;
        let (start, rest) = msisdn.split_at_checked(4).unwrap_or((msisdn, ""));
        let (_, end) = rest.split_at_checked(rest.len().saturating_sub(2)).unwrap_or(("", ""));
        Pending {
            id: transaction.id.clone(),
            number: format!("+{start} ••• •• {end}"),
            method: transaction.method,
            text: transaction.request.text.clone(),
            language: transaction.request.language.to_ascii_lowercase(),
            msisdn: msisdn.clone(),
        }
    }
}

/// Serves until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        tokio::spawn(connected(stream, port, service.clone()));
    }
}

async fn connected(mut stream: TcpStream, port: u16, service: Arc<Service>) {
    let mut buffer = Vec::new();
    loop {
        let (page, closes) = match http::read_request(&mut stream, &mut buffer, KEEP_ALIVE).await {
            Ok(request) => (answer(&request, port, &service), request.closes()),
            Err(NoRequest::Gone) => return,
            Err(NoRequest::Refused(status)) => (Page::refusal(status, "not a request"), true),
        };
        let headers = [
            ("Content-Type", page.kind),
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", if closes { "close" } else { "keep-alive" }),
        ];
        if http::write_plain(&mut stream, page.status, &headers, page.body.as_bytes()).await.is_err()
            || closes
        {
            return;
        }
    }
}

struct Page {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Page {
    fn file(kind: &'static str, body: &str) -> Page {
        Page { status: 200, kind, body: body.to_owned() }
    }

    fn json(status: u16, body: &Value) -> Page {
        Page { status, kind: "application/json", body: body.to_string() }
    }

    fn refusal(status: u16, why: &str) -> Page {
        Page::json(status, &json!({ "error": why }))
    }
}

fn answer(request: &Request, port: u16, service: &Service) -> Page {
    let host = request.header("host").unwrap_or_default();
    if !is_loopback(host, port) {
        return Page::refusal(403, "the Host header names no loopback address");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => Page::file("text/html;charset=utf-8", PAGE),
        ("GET", "/style.css") => Page::file("text/css;charset=utf-8", STYLE),
        ("GET", "/script.js") => Page::file("text/javascript;charset=utf-8", SCRIPT),
        ("GET", "/api/pending") => {
            let pending =
                service.pending().iter().map(|transaction| Pending::of(transaction)).collect::<Vec<_>>();
            Page::json(200, &json!(pending))
        }
        ("GET", "/api/journal") => Page::json(200, &json!(service.journal.entries())),
        ("POST", _) if !is_own_page(request, host) => {
            Page::refusal(403, "the header X-Phone is missing, or another origin asks")
        }
        ("POST", path) => pressed(service, path, &request.body),
        ("GET", path) => match control::shown(service, path) {
            Some(found) => Page::json(200, &found),
            None => Page::refusal(404, "nothing there"),
        },
        _ => Page::refusal(405, "GET and POST only"),
    }
}

fn pressed(service: &Service, path: &str, body: &[u8]) -> Page {
    let button = path.strip_prefix("/api/").and_then(|path| path.split_once('/'));
    match button {
        Some(("confirm", id)) => confirm(service, id, body),
        Some(("cancel", id)) => decide(service, id, Decision::Cancel),
        Some(("reactivate", msisdn)) => reactivate(service, msisdn),
        _ => match control::pressed(service, path, body) {
            Some(Ok(())) => Page::json(200, &json!({})),
            Some(Err((status, why))) => Page::refusal(status, why),
            None => Page::refusal(404, "nothing there"),
        },
    }
}

fn reactivate(service: &Service, msisdn: &str) -> Page {
    match service.reactivate(msisdn) {
        Some(serial) => Page::json(200, &json!({ "serial": serial })),
        None => Page::refusal(404, "nobody has this number"),
    }
}

fn confirm(service: &Service, id: &str, body: &[u8]) -> Page {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Confirmation {
        #[serde(default)]
        pin: String,
    }
    let Ok(Confirmation { pin }) = serde_json::from_slice(if body.is_empty() { b"{}" } else { body }) else {
        return Page::refusal(400, "not {\"pin\":\"123456\"}");
    };
    let has_pin = pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit());
    let is_sim = service.pending().iter().any(|shown| shown.id == id && shown.method == Method::Sim);
    if is_sim && !has_pin {
        return Page::refusal(400, "the PIN has six digits");
    }
    decide(service, id, Decision::Approve)
}

fn decide(service: &Service, id: &str, decision: Decision) -> Page {
    if service.decide(id, decision) {
        Page::json(200, &json!({}))
    } else {
        Page::refusal(409, "this request is no longer on the phone")
    }
}

/// Does the Host header name this machine by a loopback address, and our port?
fn is_loopback(host: &str, port: u16) -> bool {
    host == format!("localhost:{port}")
        || host.parse().is_ok_and(|address: SocketAddr| address.ip().is_loopback() && address.port() == port)
        || (port == 80
            && (host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())))
}

fn is_own_page(request: &Request, host: &str) -> bool {
    let is_own_origin = |origin: &str| origin == format!("http://{host}");
    request.header("x-phone").is_some() && request.header("origin").is_none_or(is_own_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts() {
        for good in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.9.9.9:8080"] {
            assert!(is_loopback(good, 8080), "{good}");
        }
        for bad in ["", "evil.example:8080", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:8080"] {
            assert!(!is_loopback(bad, 8080), "{bad}");
        }
    }
}
