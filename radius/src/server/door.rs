//! The door: whether a packet is served at all.
//!
//! ```text
//!  client? ─> whole? ─> asked here? ─> signed right? ─> signed where it must be? ─> Proxy-State? ─> access.rs
//!     │         │           │              │                  │                        │
//!     └─────────┴───────────┴──────── silence, a counter, a line once a minute ────────┘
//! ```
//!
//! Silence, because an answer to somebody who does not know the secret would tell him something, and would be sent to
//! whoever he claims to be. What was answered before is repeated only behind this door.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use mobileid::text;

use super::{Action, Fate, Level, Peer, Purpose, Server, Turn, answer::Waiter, line};
use crate::{
    authenticator::{self, Signed},
    config::{Client, MessageAuthenticator, ProxyState, Settings},
    duplicates::Origin,
    packet::{Code, Packet, attribute},
};

/// The addresses that have shown a valid Message-Authenticator. What was learnt is never unlearnt here: an attacker
/// could otherwise bring it about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Learnt(HashSet<IpAddr>);

impl Learnt {
    /// Adds an address. True where it is new.
    pub fn insert(&mut self, address: IpAddr) -> bool {
        self.0.insert(address.to_canonical())
    }

    /// Whether an address has shown one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromIterator<IpAddr> for Learnt {
    fn from_iter<T: IntoIterator<Item = IpAddr>>(addresses: T) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }
}

impl Server {
    /// Serves a datagram, if it may be.
    pub(super) fn admit(&mut self, turn: &mut Turn<'_>, peer: Peer, octets: &[u8]) {
        let settings = Arc::clone(&self.settings);
        let Some(client) = settings.clients.find(peer.remote.ip()) else {
            return self.stranger(turn, peer);
        };
        let packet = match Packet::parse(octets) {
            Ok(packet) => packet,
            Err(malformed) => return self.drop(turn, client, peer, Fate::Malformed(malformed)),
        };
        match self.check(turn, &settings, client, peer, &packet) {
            Ok(Service::Login) => self.access(turn, peer, &packet, client),
            Ok(Service::Account) => self.account(turn, peer, &packet, client),
            Ok(Service::Status) => self.status(turn, peer, &packet, client),
            Err(fate) => self.drop(turn, client, peer, fate),
        }
    }

    fn check(
        &mut self,
        turn: &mut Turn<'_>,
        settings: &Settings,
        client: &Client,
        peer: Peer,
        packet: &Packet<'_>,
    ) -> Result<Service, Fate> {
        let service = Service::of(packet.code(), peer.purpose).ok_or(Fate::UnexpectedCode)?;
        let signed = authenticator::check_request(packet, &client.secret);
        match (signed, service) {
            (Signed::Invalid, _) => Err(Fate::Forged),
            (_, Service::Account) if !authenticator::is_accounting(packet, &client.secret) => {
                Err(Fate::Forged)
            }
            // Its authenticator is its signature (RFC 2866, section 3).
            (_, Service::Account) => Ok(service),
            (Signed::Valid, _) => {
                self.learn(turn, settings, client, peer.remote.ip());
                Ok(service)
            }
            (Signed::No, _) if self.must_be_signed(client, peer, packet) => Err(Fate::Unsigned),
            (Signed::No, _)
                if client.proxy_state == ProxyState::Guarded && packet.has(attribute::PROXY_STATE) =>
            {
                Err(Fate::UnsignedProxyState)
            }
            (Signed::No, _) => Ok(service),
        }
    }

    /// Whatever the client's policy says, Status-Server (RFC 5997, section 3) and EAP (RFC 3579, section 3.2) must.
    fn must_be_signed(&self, client: &Client, peer: Peer, packet: &Packet<'_>) -> bool {
        let by_policy = match client.message_authenticator {
            MessageAuthenticator::Required => true,
            MessageAuthenticator::Learn => self.learnt.contains(peer.remote.ip()),
            MessageAuthenticator::Optional => false,
        };
        by_policy || packet.code() == Code::STATUS_SERVER || packet.has(attribute::EAP_MESSAGE)
    }

    /// Remembers an address that has shown a valid one. A network learns nothing: one of its hosts does not speak for
    /// the others.
    fn learn(&mut self, turn: &mut Turn<'_>, settings: &Settings, client: &Client, address: IpAddr) {
        if client.message_authenticator == MessageAuthenticator::Learn
            && !self.learnt.contains(address)
            && settings.clients.is_exact(address)
        {
            self.learnt.insert(address);
            turn.out.push(Action::Learnt(client.name.to_string(), address.to_canonical()));
        }
    }

    /// Answers a Status-Server, whatever is pending; not while the service ends, so that its clients turn elsewhere.
    fn status(&mut self, turn: &mut Turn<'_>, peer: Peer, packet: &Packet<'_>, client: &Arc<Client>) {
        if self.draining {
            return self.count(&client.name, Fate::Draining);
        }
        let origin = Origin { peer, identifier: packet.identifier() };
        let waiter = Waiter::of(packet, origin, Arc::clone(client));
        let answer = match peer.purpose {
            Purpose::Authentication => waiter.alive(),
            Purpose::Accounting => waiter.acknowledge(),
        };
        if let Ok(answer) = answer {
            self.count(&client.name, Fate::Status);
            turn.out.push(Action::Send { to: peer, packet: answer.into() });
        }
    }

    pub(super) fn drop(&mut self, turn: &mut Turn<'_>, client: &Client, peer: Peer, fate: Fate) {
        self.count(&client.name, fate);
        self.say(turn, &client.name, fate.name(), Level::Warning, || {
            format!("a packet from {} was dropped: {}", peer.remote, why(fate))
        });
    }

    fn stranger(&mut self, turn: &mut Turn<'_>, peer: Peer) {
        self.counters.add(None, Fate::UnknownClient);
        if let Some(unsaid) = self.unknown.may_say(Fate::UnknownClient.name(), turn.now.instant) {
            let text = format!("a packet from {} was dropped: {}", peer.remote, why(Fate::UnknownClient));
            turn.out.push(Action::Log(Level::Warning, line(text, unsaid)));
        }
    }
}

/// What a packet asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Service {
    Login,
    Account,
    Status,
}

impl Service {
    fn of(code: Code, purpose: Purpose) -> Option<Self> {
        match (code, purpose) {
            (Code::ACCESS_REQUEST, Purpose::Authentication) => Some(Self::Login),
            (Code::ACCOUNTING_REQUEST, Purpose::Accounting) => Some(Self::Account),
            (Code::STATUS_SERVER, _) => Some(Self::Status),
            _ => None,
        }
    }
}

/// For the administrator, who may have to mend it.
fn why(fate: Fate) -> String {
    let text = match fate {
        Fate::Malformed(malformed) => return text::escaped(&malformed.to_string(), 100),
        Fate::UnknownClient => "no [[client]] has this address",
        Fate::UnexpectedCode => "its code is not served on this port",
        Fate::Unsigned => {
            "it has no Message-Authenticator; let the client send one, or see message_authenticator"
        }
        Fate::Forged => "its Message-Authenticator or authenticator is wrong; is the shared secret the same?",
        Fate::UnsignedProxyState => {
            "it has Proxy-State and no Message-Authenticator, as an attack would (CVE-2024-3596); see proxy_state"
        }
        Fate::Altered => "it has the authenticator of an earlier packet and other contents",
        Fate::Crowded => "too many of the client's packets wait",
        Fate::Overload => "too many logins wait",
        Fate::Unjudged => "the server of the first factor is silent",
        Fate::Draining => "the service ends",
        _ => fate.name(),
    };
    text.to_owned()
}
