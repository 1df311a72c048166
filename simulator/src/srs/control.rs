//! The buttons for identifications, below the phone page's `/api/`:
//!
//! ```text
//! GET  /api/identifications                    all of them
//! POST /api/identifications/{refId}/advance    the next state of guide 4, and in the end the terms accepted
//! POST /api/identifications/{refId}/refuse     the person was not identified, or the session has timed out
//! POST /api/identifications/{refId}/fail       {"reason":"..."}: the state Error
//! POST /api/tokens/expire                      no token that was given is good any more
//! ```

use serde::Deserialize;
use serde_json::{Value, json};

use super::registry::State;
use crate::service::Service;

/// What is shown at a path, if it is one of these.
pub(crate) fn shown(service: &Service, path: &str) -> Option<Value> {
    (path == "/api/identifications").then(|| json!(service.registry.identifications()))
}

/// What pressing a button came to, if it is one of these.
pub(crate) fn pressed(service: &Service, path: &str, body: &[u8]) -> Option<Result<(), (u16, &'static str)>> {
    if path == "/api/tokens/expire" {
        service.registry.expire_tokens();
        return Some(Ok(()));
    }
    let (ref_id, button) = path.strip_prefix("/api/identifications/")?.split_once('/')?;
    let registry = &service.registry;
    let changed = match button {
        "advance" => registry.advance(ref_id),
        "refuse" => registry.end(ref_id, State::NegativelyConducted, None),
        "fail" => match serde_json::from_slice(if body.is_empty() { b"{}" } else { body }) {
            Ok(Failure { reason }) => registry.end(ref_id, State::Error, reason),
            Err(_) => return Some(Err((400, "not {\"reason\":\"...\"}"))),
        },
        _ => return None,
    };
    let done = super::changed(service, changed);
    Some(if done { Ok(()) } else { Err((409, "there is no such identification, or it has ended")) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    reason: Option<String>,
}
