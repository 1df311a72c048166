//! Accounting-Request (RFC 2866): acknowledged, and written down in one line of JSON.

use std::sync::Arc;

use mobileid::{mss, text};
use serde_json::json;

use super::{Action, Fate, Peer, Server, Turn};
use crate::{
    config::Client,
    identity,
    packet::{Packet, attribute},
};

impl Server {
    pub(super) fn account(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        packet: &Packet<'_>,
        client: &Arc<Client>,
    ) {
        let Some(waiter) = self.unless_duplicate(turn, peer, packet, client) else { return };
        match waiter.acknowledge() {
            Ok(answer) => {
                turn.out.push(Action::Account(record(packet, client, turn)));
                self.send(turn, &waiter, answer, Fate::Accounted);
            }
            Err(crate::packet::Full) => self.leave(turn, &waiter, Fate::Crowded),
        }
    }
}

/// What the auditor reads of a session.
fn record(packet: &Packet<'_>, client: &Client, turn: &Turn<'_>) -> String {
    let text = |kind| packet.first(kind).map(|value| text::escaped(&String::from_utf8_lossy(value), 253));
    let user = match client.realms.numbers {
        // Numbers are masked here as well.
        true => packet
            .first(attribute::USER_NAME)
            .map(|name| identity::stand_in(name, &client.realms).to_string()),
        false => text(attribute::USER_NAME),
    };
    let status = packet.first(attribute::ACCT_STATUS_TYPE).and_then(|value| <[u8; 4]>::try_from(value).ok());
    json!({
        "time": mss::instant(turn.now.wall),
        "event": "accounting",
        "client": text::escaped(&client.name, 64),
        "status": status.map(|status| status_name(u32::from_be_bytes(status))),
        "user": user,
        "session": text(attribute::ACCT_SESSION_ID),
        "station": text(attribute::CALLING_STATION_ID),
    })
    .to_string()
}

/// The values of Acct-Status-Type (RFC 2866, section 5.1).
fn status_name(status: u32) -> String {
    match status {
        1 => "start".into(),
        2 => "stop".into(),
        3 => "interim-update".into(),
        7 => "accounting-on".into(),
        8 => "accounting-off".into(),
        other => other.to_string(),
    }
}
