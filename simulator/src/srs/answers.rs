//! Judges requests, in the order of who asks, what is asked for, and whether it is all there.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::catalogue::{METHODS, Method};
use super::query::{self, Filter};
use super::registry::{Evidence, Identification, Jurisdiction, State};
use super::{CLIENT_ID, CLIENT_SECRET};
use crate::behaviour::Behaviour;
use crate::http::Request;
use crate::journal::{Entry, Event};
use crate::service::Service;
use crate::subscribers::parse_msisdn;

const FORM: &str = "application/x-www-form-urlencoded";
const PROVIDER: &str = "application/vnd.sc.miss.provider.v1+json";
const EVIDENCE: &str = "application/vnd.sc.ras.evidence.v1+json";
/// The customer at the All-in Signing Service, who may ask about either law.
const CLAIMED_IDENTITY: &str = "simulator";
/// Seconds for which a token is said to be good.
const LIFETIME: u32 = 1800;

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Value,
    pub(super) challenge: Option<&'static str>,
    /// How it is spoiled on the wire.
    pub(super) spoiled: Option<Behaviour>,
}

impl Reply {
    fn right(status: u16, kind: &'static str, body: Value) -> Reply {
        Reply { status, kind, body, challenge: None, spoiled: None }
    }

    pub(super) fn refusal(status: u16, why: &str) -> Reply {
        Reply::right(status, "application/json", json!({ "status": status, "message": why }))
    }

    /// As RFC 6749, section 5.2, has it.
    fn oauth(status: u16, error: &str, why: &str) -> Reply {
        let challenge = (status == 401).then_some("Basic realm=\"miss\"");
        let body = json!({ "error": error, "error_description": why });
        Reply { challenge, ..Reply::right(status, "application/json", body) }
    }
}

pub(super) fn answer(request: &Request, port: u16, service: &Arc<Service>) -> Reply {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let segments = path.split('/').skip(1).map(query::decoded).collect::<Option<Vec<_>>>();
    let segments = segments.unwrap_or_default();
    let segments = segments.iter().map(String::as_str).collect::<Vec<_>>();
    let answered = match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["oauth", "token"]) => token(request, service),
        ("POST", ["api", "evidences", "verify"]) => verify(request, service),
        ("GET", ["identify", _]) => Ok(Reply::right(200, "text/plain", Value::from("The issuer's page."))),
        (_, ["oauth", "token"] | ["api", "evidences", "verify"] | ["identify", _]) => Err(not_allowed()),
        (_, ["api", "providers" | "identifications", ..]) => with_token(request, service).and_then(|()| {
            accepts(request, PROVIDER)?;
            match (request.method.as_str(), segments.as_slice()) {
                ("GET", ["api", "providers"]) => list(query),
                ("POST", ["api", "providers", issuer, method]) => {
                    order(request, issuer, method, port, service)
                }
                ("GET", ["api", "identifications", ref_id]) => status(ref_id, service),
                (_, ["api", "providers"] | ["api", "providers", _, _] | ["api", "identifications", _]) => {
                    Err(not_allowed())
                }
                _ => Err(Reply::refusal(404, "nothing there")),
            }
        }),
        _ => Err(Reply::refusal(404, "nothing there")),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

fn not_allowed() -> Reply {
    Reply::refusal(405, "not with this method")
}

fn token(request: &Request, service: &Service) -> Result<Reply, Reply> {
    let wrong = || Reply::oauth(401, "invalid_client", "Bad client credentials");
    let basic = request.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    let decoded = basic.and_then(|basic| STANDARD.decode(basic).ok()).and_then(|b| String::from_utf8(b).ok());
    let pair = decoded.as_deref().and_then(|pair| pair.split_once(':')).ok_or_else(wrong)?;
    let (id, secret) = (query::decoded(pair.0), query::decoded(pair.1));
    if id.as_deref() != Some(CLIENT_ID) || secret.as_deref() != Some(CLIENT_SECRET) {
        return Err(wrong());
    }
    if request.header("content-type").is_none_or(|kind| !kind.starts_with(FORM)) {
        return Err(Reply::refusal(415, "the token request is a form"));
    }
    let form = std::str::from_utf8(&request.body).ok().and_then(query::pairs).unwrap_or_default();
    let has = |name: &str, value: &str| form.iter().any(|(n, v)| n == name && v == value);
    if !has("grant_type", "client_credentials") {
        return Err(Reply::oauth(400, "unsupported_grant_type", "grant_type is not client_credentials"));
    }
    if !has("scope", "miss") {
        return Err(Reply::oauth(400, "invalid_scope", "scope is not miss"));
    }
    let token = random("")?;
    service.registry.add_token(token.clone());
    let body =
        json!({ "access_token": token, "token_type": "bearer", "expires_in": LIFETIME, "scope": "miss" });
    Ok(Reply::right(200, "application/json", body))
}

fn with_token(request: &Request, service: &Service) -> Result<(), Reply> {
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if bearer.is_some_and(|token| service.registry.has_token(token)) {
        return Ok(());
    }
    let body =
        json!({ "error": "invalid_token", "error_description": "The token is unknown or has expired" });
    let challenge = Some("Bearer error=\"invalid_token\"");
    Err(Reply { challenge, ..Reply::right(401, "application/json", body) })
}

fn accepts(request: &Request, kind: &str) -> Result<(), Reply> {
    match request.header("accept") {
        Some(accepted) if !accepted.contains(kind) && !accepted.contains("*/*") => {
            Err(Reply::refusal(406, "Accept does not name the version of this interface"))
        }
        _ => Ok(()),
    }
}

/// The JSON object of a body.
fn object(request: &Request, kind: &str) -> Result<Map<String, Value>, Reply> {
    let given = request.header("content-type").unwrap_or_default();
    if !given.starts_with(kind) && !given.starts_with("application/json") {
        return Err(Reply::refusal(415, "Content-Type does not name the version of this interface"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Reply::refusal(400, "the body is no JSON object")),
    }
}

fn list(query: &str) -> Result<Reply, Reply> {
    let filter = Filter::read(query).map_err(|why| Reply::refusal(400, &why))?;
    let found = METHODS.iter().filter(|method| filter.admits(method)).map(Method::to_json).collect();
    Ok(Reply::right(200, PROVIDER, Value::Array(found)))
}

const FIELDS: [&str; 8] =
    ["country", "dob", "email", "externalId", "firstName", "language", "lastName", "mobile"];

fn order(
    request: &Request,
    issuer: &str,
    method: &str,
    port: u16,
    service: &Arc<Service>,
) -> Result<Reply, Reply> {
    let method = Method::find(issuer, method)
        .ok_or_else(|| Reply::refusal(404, "there is no such issuer, or it has no such method"))?;
    let fields = object(request, PROVIDER)?;
    let mut person = std::collections::HashMap::new();
    for (name, value) in &fields {
        let known = FIELDS.iter().find(|field| *field == name);
        let known = known.ok_or_else(|| Reply::refusal(400, &format!("{name} is no field of an order")))?;
        let text = value.as_str().filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| Reply::refusal(400, &format!("{name} is empty or no text")))?;
        person.insert(*known, text.to_owned());
    }
    if let Some(missing) = method.wants.iter().find(|wanted| !person.contains_key(**wanted)) {
        return Err(Reply::refusal(400, &format!("{missing} is missing: this method wants it")));
    }
    let mobile = match person.get("mobile") {
        Some(text) => Some(parse_msisdn(text).ok_or_else(|| Reply::refusal(400, "mobile is no number"))?),
        None => None,
    };
    let mut take = |name: &str| person.remove(name);
    let name = (
        take("firstName").unwrap_or_else(|| "Max".to_owned()),
        take("lastName").unwrap_or_else(|| "Muster".to_owned()),
    );
    let (ref_id, order_id) = (random("ref-")?, random("order-")?);
    let identification = service.registry.order(ref_id.clone(), method, mobile, name, take("externalId"));
    record(service, &identification);
    let mut task = Map::from_iter([("orderId".to_owned(), Value::from(order_id))]);
    if method.prompt {
        let url = format!("https://127.0.0.1:{port}/identify/{ref_id}");
        task.insert("targetUrl".to_owned(), Value::from(url));
    }
    act(service, &identification);
    Ok(Reply::right(201, PROVIDER, json!({ "refId": ref_id, "task": task })))
}

/// What the person does by herself, if anything.
fn act(service: &Arc<Service>, identification: &Identification) {
    let known = identification.mobile.as_deref().and_then(|mobile| service.habit(mobile));
    let Some((behaviour @ (Behaviour::Approve | Behaviour::Cancel), after)) = known else { return };
    let (service, ref_id) = (service.clone(), identification.ref_id.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(after).await;
            let changed = match behaviour {
                Behaviour::Approve => service.registry.advance(&ref_id),
                _ => service.registry.end(&ref_id, State::NegativelyConducted, None),
            };
            match changed {
                Some(identification) => record(&service, &identification),
                None => return,
            }
        }
    });
}

/// Tells the journal in which state an identification is now.
pub(super) fn record(service: &Service, identification: &Identification) {
    let mut entry = Entry::new(Event::Identification, 0);
    entry.msisdn.clone_from(&identification.mobile);
    let state = serde_json::to_value(identification.state).unwrap_or_default();
    entry.outcome = Some(format!("{} {}", identification.ref_id, state.as_str().unwrap_or_default()));
    service.journal.record(entry);
}

fn status(ref_id: &str, service: &Service) -> Result<Reply, Reply> {
    let found = service.registry.identification(ref_id);
    let found = found.ok_or_else(|| Reply::refusal(404, "there is no such identification"))?;
    let spoiled = found.mobile.as_deref().and_then(|mobile| service.habit(mobile));
    let spoiled = spoiled.map(|(behaviour, _)| behaviour).filter(|behaviour| behaviour.spoils_the_wire());
    let mobile = found.mobile.as_ref().map(|mobile| format!("+{mobile}"));
    let mut body = json!({
        "refId": found.ref_id,
        "issuer": found.issuer,
        "method": found.method,
        "mobile": mobile,
        "status": found.state,
    });
    if let (Some(reason), Value::Object(fields)) = (found.reason, &mut body) {
        fields.insert("reason".to_owned(), Value::from(reason));
    }
    Ok(Reply { spoiled, ..Reply::right(200, PROVIDER, body) })
}

fn verify(request: &Request, service: &Service) -> Result<Reply, Reply> {
    accepts(request, EVIDENCE)?;
    let fields = object(request, EVIDENCE)?;
    let text = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| Reply::refusal(400, &format!("{name} is missing")))
    };
    let jurisdiction = match (text("claimedIdentity"), text("jurisdiction")) {
        (Ok(CLAIMED_IDENTITY), Err(_)) => None,
        (Ok(_), Err(_)) => return Err(Reply::refusal(403, "claimedIdentity is not known")),
        (Err(_), Ok(place)) => {
            let known = Jurisdiction::read(place);
            Some(known.ok_or_else(|| Reply::refusal(400, "jurisdiction is neither eidas nor zertes"))?)
        }
        _ => return Err(Reply::refusal(400, "one of claimedIdentity and jurisdiction is wanted")),
    };
    let name = text("distinguishedName")?;
    let msisdn = parse_msisdn(text("msisdn")?).ok_or_else(|| Reply::refusal(400, "msisdn is no number"))?;
    let level = query::level(text("assuranceLevel")?);
    let level = level.ok_or_else(|| Reply::refusal(400, "assuranceLevel is neither 3 nor 4"))?;
    let found = enough(&service.registry.evidence(&msisdn), name, jurisdiction, level);
    let mut entry = Entry::new(Event::EvidenceAsked, 0);
    entry.msisdn = Some(msisdn);
    entry.outcome = Some(found.as_ref().map_or_else(|why| (*why).to_owned(), |evidence| evidence.id.clone()));
    service.journal.record(entry);
    match found {
        Ok(evidence) => Ok(Reply::right(200, EVIDENCE, json!({ "evidenceId": evidence.id }))),
        Err(why) => Err(Reply::refusal(404, why)),
    }
}

/// The evidence that is enough, or why there is none.
fn enough(
    known: &[Evidence],
    name: &str,
    jurisdiction: Option<Jurisdiction>,
    level: u8,
) -> Result<Evidence, &'static str> {
    let mut left = known.iter().collect::<Vec<_>>();
    let mut keep = |why, fits: &dyn Fn(&Evidence) -> bool| {
        left.retain(|evidence| fits(evidence));
        if left.is_empty() { Err(why) } else { Ok(()) }
    };
    keep("no evidence for this number", &|_| true)?;
    keep("the name is another one than in the evidence", &|known| is_named(name, &known.name))?;
    keep("no evidence under this law", &|known| jurisdiction.is_none_or(|law| law == known.jurisdiction))?;
    keep("the evidence is of a lower level", &|known| known.level >= level)?;
    keep("the person has not accepted the terms of use", &|known| known.terms_accepted)?;
    left.first().map(|evidence| (*evidence).clone()).ok_or("no evidence for this number")
}

/// Whether a distinguished name has these first names and this last name, under any of their attributes' names.
fn is_named(distinguished: &str, (first, last): &(String, String)) -> bool {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in distinguished.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            ',' => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    let has = |names: &[&str], wanted: &str| {
        parts.iter().filter_map(|part| part.split_once('=')).any(|(name, value)| {
            names.iter().any(|known| known.eq_ignore_ascii_case(name.trim())) && value.trim() == wanted
        })
    };
    has(&["givenname", "gn"], first) && has(&["surname", "sn"], last)
}

fn random(prefix: &str) -> Result<String, Reply> {
    let mut bytes = [0; 12];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Reply::refusal(500, "no randomness"))?;
    Ok(bytes.iter().fold(prefix.to_owned(), |id, byte| id + &format!("{byte:02x}")))
}
