//! What an Access-Request asks: who, from where, with which credential, and what the phone is to say of it.

use std::net::{IpAddr, Ipv6Addr};

use mobileid::{login::Request, outcome::Reason, subscriber::UserName};

use super::Keys;
use crate::{
    config::{Client, FirstFactor, HostFrom, Settings},
    identity,
    joining::JoinKey,
    packet::{Packet, attribute},
    rules::{Facts, Then},
    state::Holder,
    upstream::{Credential, NoCredential},
};

/// An Access-Request that can be served.
#[derive(Debug)]
pub(super) struct Question {
    /// For the core: who, where, and what the record says.
    pub(super) request: Request,
    /// Calling-Station-Id; empty where there is none.
    pub(super) station: Vec<u8>,
    /// By which it joins a login.
    pub(super) key: JoinKey,
    /// What the rules say of it.
    pub(super) then: Then,
    /// By which rule, for the record; empty where none fitted.
    pub(super) rule: String,
}

/// An Access-Request that is refused as it stands.
#[derive(Debug)]
pub(super) struct Unserved {
    pub(super) request: Request,
    pub(super) reason: Reason,
    pub(super) detail: String,
}

const MICROSOFT: u32 = 311;
/// MS-CHAP-Challenge, MS-CHAP-Response, MS-CHAP2-Response (RFC 2548, section 2).
const MS_CHAP: [u8; 3] = [11, 1, 25];

impl Question {
    /// Reads a request by the rules of its client.
    pub(super) fn read(
        packet: &Packet<'_>,
        client: &Client,
        settings: &Settings,
        keys: &Keys,
    ) -> Result<Self, Box<Unserved>> {
        let seen = Seen { packet, client };
        if packet.has(attribute::EAP_MESSAGE) {
            let detail = "the client sends EAP: let it send PAP, or end EAP before us";
            return Err(seen.unserved(Reason::EapRefused, detail.into()));
        }
        for (kind, name) in [(attribute::USER_NAME, "User-Name"), (attribute::STATE, "State")] {
            if packet.all(kind).nth(1).is_some() {
                let detail = format!("the request has more than one {name}");
                return Err(seen.unserved(Reason::RequestInvalid, detail));
            }
        }
        let Some(name) = packet.first(attribute::USER_NAME) else {
            return Err(seen.unserved(Reason::RequestInvalid, "the request has no User-Name".into()));
        };
        let identity = identity::identify(name, &client.realms)
            .map_err(|nobody| seen.unserved(Reason::NoSuchUser, nobody.why.to_string()))?;
        let decision = settings.rules.decide(&Facts {
            client: &client.name,
            nas_identifier: seen.text(attribute::NAS_IDENTIFIER),
            nas_ip: seen.nas_ip(),
            calling_station: seen.text(attribute::CALLING_STATION_ID),
            called_station: seen.text(attribute::CALLED_STATION_ID),
            user: identity.user.as_str(),
            realm: identity.realm.as_deref(),
        });
        let key = seen
            .join_key(identity.user.as_str(), decision.then, keys)
            .map_err(|why| seen.unserved(Reason::RequestInvalid, why.to_string()))?;
        Ok(Self {
            key,
            then: decision.then,
            rule: decision.by.map_or_else(String::new, ToString::to_string),
            station: seen.station().to_vec(),
            request: seen.request(identity.user),
        })
    }

    /// Whom a State is sealed for, or must have been sealed for.
    pub(super) fn holder<'a>(&'a self, client: &'a Client) -> Holder<'a> {
        Holder { group: &client.group, user: self.request.user.as_str(), station: &self.station }
    }
}

/// A request and the client that it came from.
struct Seen<'a> {
    packet: &'a Packet<'a>,
    client: &'a Client,
}

impl<'a> Seen<'a> {
    /// The first value of a text attribute; one that is no UTF-8 counts as absent.
    fn text(&self, kind: u8) -> Option<&'a str> {
        self.packet.first(kind).and_then(|value| std::str::from_utf8(value).ok())
    }

    fn station(&self) -> &'a [u8] {
        self.packet.first(attribute::CALLING_STATION_ID).unwrap_or_default()
    }

    /// What tells two people apart where the client does not say from where they call. A client that asks again asks
    /// for the same session on the same port.
    fn session(&self) -> [&'a [u8]; 3] {
        if !self.station().is_empty() {
            return [&[]; 3];
        }
        [attribute::ACCT_SESSION_ID, attribute::NAS_PORT, attribute::NAS_PORT_ID]
            .map(|kind| self.packet.first(kind).unwrap_or_default())
    }

    fn nas_ip(&self) -> Option<IpAddr> {
        let v4 = self.packet.first(attribute::NAS_IP_ADDRESS).and_then(|v| <[u8; 4]>::try_from(v).ok());
        let v6 = || self.packet.first(attribute::NAS_IPV6_ADDRESS).and_then(|v| <[u8; 16]>::try_from(v).ok());
        v4.map(IpAddr::from).or_else(|| v6().map(|octets| Ipv6Addr::from(octets).into()))
    }

    /// The key by which packets of one login find each other. The State belongs to it, so that what answers an
    /// upstream's question is never joined by what only began the conversation; and so does what the rules say, so
    /// that whoever needs a phone never joins a login that was spared it.
    fn join_key(&self, user: &str, then: Then, keys: &Keys) -> Result<JoinKey, NoCredential> {
        let (kind, parts) = match Credential::of(self.packet, &self.client.secret) {
            Ok(credential) => (1, Some(credential)),
            // A State may stand in its place (RFC 2865, section 4.1): the login that it leads to may want more.
            Err(NoCredential::Absent)
                if matches!(self.client.first_factor, FirstFactor::Ignored)
                    || self.packet.has(attribute::STATE) =>
            {
                (0, None)
            }
            Err(why) => return Err(why),
        };
        let state = self.packet.first(attribute::STATE).unwrap_or_default();
        let then = u8::from(then == Then::Accept);
        let person = [self.client.group.as_bytes(), user.as_bytes(), self.station(), state, &[kind, then]];
        let session = self.session();
        let of = |credential: &[&[u8]]| {
            let mut all = Vec::with_capacity(12);
            all.extend_from_slice(&person);
            all.extend_from_slice(&session);
            all.extend_from_slice(credential);
            keys.joining.of(&all)
        };
        Ok(match &parts {
            None => of(&[]),
            Some(Credential::Pap(password)) => of(&[b"pap", password]),
            Some(Credential::Chap { password, challenge }) => of(&[b"chap", password, challenge]),
            Some(Credential::MsChap) => {
                let values = MS_CHAP.iter().flat_map(|kind| self.packet.vendor(MICROSOFT, *kind));
                of(&[&b"ms-chap"[..]].into_iter().chain(values).collect::<Vec<_>>())
            }
        })
    }

    fn request(&self, user: UserName) -> Request {
        let client = self.client;
        let host = match client.host_from {
            HostFrom::Name => None,
            HostFrom::NasIdentifier => self.text(attribute::NAS_IDENTIFIER).map(str::to_owned),
            HostFrom::NasIpAddress => self.nas_ip().map(|ip| ip.to_string()),
            HostFrom::CalledStationId => self.text(attribute::CALLED_STATION_ID).map(str::to_owned),
        };
        Request {
            user,
            service: client.service.clone(),
            host: host.filter(|host| !host.is_empty()).unwrap_or_else(|| client.name.to_string()),
            rhost: self.text(attribute::CALLING_STATION_ID).filter(|s| !s.is_empty()).map(str::to_owned),
            target: None,
            command: None,
            client: Some(client.name.to_string()),
            limit: Some(client.deadline),
        }
    }

    fn unserved(&self, reason: Reason, detail: String) -> Box<Unserved> {
        let name = self.packet.first(attribute::USER_NAME).unwrap_or_default();
        let user = identity::stand_in(name, &self.client.realms);
        Box::new(Unserved { request: self.request(user), reason, detail })
    }
}
