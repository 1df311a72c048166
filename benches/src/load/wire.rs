//! What the generator knows of RADIUS: how to write an Access-Request, and how to tell a good answer.
//!
//! Written from RFC 2865 and RFC 3579, apart from the responder's codec, so that the two can disagree.

use anyhow::{Result, anyhow};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};

const HEADER: usize = 20;
const MARK: usize = 16;

const ACCESS_REQUEST: u8 = 1;

const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
const NAS_IP_ADDRESS: u8 = 4;
const NAS_PORT: u8 = 5;
const STATE: u8 = 24;
const CALLING_STATION_ID: u8 = 31;
const NAS_IDENTIFIER: u8 = 32;
const PROXY_STATE: u8 = 33;
const NAS_PORT_TYPE: u8 = 61;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// A shared secret, made ready for use.
#[derive(Clone)]
pub(crate) struct Key {
    secret: Vec<u8>,
    keyed: Hmac<Md5>,
}

impl Key {
    pub(crate) fn new(secret: &[u8]) -> Result<Key> {
        let keyed = Hmac::new_from_slice(secret).map_err(|_| anyhow!("not a key for an HMAC"))?;
        Ok(Key { secret: secret.to_vec(), keyed })
    }

    fn mark(&self, parts: &[&[u8]]) -> [u8; MARK] {
        let mut mac = self.keyed.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// RFC 2865, section 5.2, for a password of up to sixteen octets, which is one block.
    fn hide(&self, password: &[u8], authenticator: &[u8; 16]) -> [u8; 16] {
        let mut hidden: [u8; 16] =
            Md5::new().chain_update(&self.secret).chain_update(authenticator).finalize().into();
        hidden.iter_mut().zip(password).for_each(|(octet, plain)| *octet ^= plain);
        hidden
    }
}

/// One Access-Request.
pub(crate) struct Request<'r> {
    pub(crate) identifier: u8,
    pub(crate) authenticator: &'r [u8; 16],
    pub(crate) user: &'r [u8],
    /// Of at most sixteen octets; empty sends none.
    pub(crate) password: &'r [u8],
    pub(crate) login: u32,
    pub(crate) state: Option<&'r [u8]>,
    pub(crate) proxied: bool,
}

impl Request<'_> {
    /// Writes it, signed, in place of what was there.
    pub(crate) fn write(&self, key: &Key, packet: &mut Vec<u8>) {
        packet.clear();
        packet.extend_from_slice(&[ACCESS_REQUEST, self.identifier, 0, 0]);
        packet.extend_from_slice(self.authenticator);
        attribute(packet, MESSAGE_AUTHENTICATOR, &[0; MARK]);
        attribute(packet, USER_NAME, self.user);
        if !self.password.is_empty() {
            attribute(packet, USER_PASSWORD, &key.hide(self.password, self.authenticator));
        }
        attribute(packet, NAS_IP_ADDRESS, &[127, 0, 0, 1]);
        attribute(packet, NAS_PORT, &self.login.to_be_bytes());
        attribute(packet, NAS_PORT_TYPE, &5_u32.to_be_bytes());
        attribute(packet, CALLING_STATION_ID, b"192.0.2.7");
        attribute(packet, NAS_IDENTIFIER, b"bench");
        if let Some(state) = self.state {
            attribute(packet, STATE, state);
        }
        if self.proxied {
            proxy_states(self.login).iter().for_each(|state| attribute(packet, PROXY_STATE, state));
        }
        let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
        if let Some(field) = packet.get_mut(2..4) {
            field.copy_from_slice(&length.to_be_bytes());
        }
        let mark = key.mark(&[packet]);
        // The first attribute, so its value begins two octets after the header.
        if let Some(field) = packet.get_mut(HEADER + 2..HEADER + 2 + MARK) {
            field.copy_from_slice(&mark);
        }
    }
}

fn attribute(packet: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let value = value.get(..253).unwrap_or(value);
    packet.push(kind);
    packet.push(u8::try_from(value.len() + 2).unwrap_or(u8::MAX));
    packet.extend_from_slice(value);
}

/// What two proxies in a row would have added.
fn proxy_states(login: u32) -> [[u8; 5]; 2] {
    let [a, b, c, d] = login.to_be_bytes();
    [[1, a, b, c, d], [2, a, b, c, d]]
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Accept,
    Reject,
    Challenge,
}

/// Where an answer's Message-Authenticator stands. A wrong one makes the whole answer wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    Absent,
    First,
    Later,
}

/// An answer that the server's secret vouches for.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) mark: Mark,
    pub(crate) state: Option<&'a [u8]>,
    /// Whether the request's Proxy-States came back, in order.
    pub(crate) proxied: bool,
}

/// An answer is malformed, or its authenticators do not fit the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong;

/// Reads an answer to the request with this authenticator, sent for this login.
pub(crate) fn read<'a>(
    datagram: &'a [u8],
    authenticator: &[u8; 16],
    login: u32,
    key: &Key,
) -> Result<Answer<'a>, Wrong> {
    let (&[code, _, high, low], _) = datagram.split_first_chunk::<4>().ok_or(Wrong)?;
    let packet = datagram.get(..usize::from(u16::from_be_bytes([high, low]))).ok_or(Wrong)?;
    let (head, rest) = packet.split_first_chunk::<4>().ok_or(Wrong)?;
    let (response, attributes) = rest.split_first_chunk::<16>().ok_or(Wrong)?;
    let verdict = match code {
        2 => Verdict::Accept,
        3 => Verdict::Reject,
        11 => Verdict::Challenge,
        _ => return Err(Wrong),
    };
    let expected = Md5::new()
        .chain_update(head)
        .chain_update(authenticator)
        .chain_update(attributes)
        .chain_update(&key.secret)
        .finalize();
    if expected.as_slice() != response {
        return Err(Wrong);
    }

    let mut answer = Answer { verdict, mark: Mark::Absent, state: None, proxied: false };
    let wanted = proxy_states(login);
    let mut proxy = 0;
    let mut left = attributes;
    while let [kind, length, following @ ..] = left {
        let length = usize::from(*length).checked_sub(2).ok_or(Wrong)?;
        let (value, after) = following.split_at_checked(length).ok_or(Wrong)?;
        match *kind {
            MESSAGE_AUTHENTICATOR if answer.mark != Mark::Absent || value.len() != MARK => return Err(Wrong),
            MESSAGE_AUTHENTICATOR => {
                let before = attributes.get(..attributes.len() - left.len() + 2).ok_or(Wrong)?;
                if key.mark(&[head, authenticator, before, &[0; MARK], after]) != value {
                    return Err(Wrong);
                }
                answer.mark = if before.len() == 2 { Mark::First } else { Mark::Later };
            }
            STATE => answer.state = Some(value),
            PROXY_STATE => {
                let right = wanted.get(proxy).is_some_and(|wanted| wanted == value);
                proxy = if right { proxy + 1 } else { wanted.len() + 1 };
            }
            _ => {}
        }
        left = after;
    }
    answer.proxied = proxy == wanted.len();
    if left.is_empty() { Ok(answer) } else { Err(Wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5997, section 6.1: the request, its answer and their secret.
    #[test]
    fn the_answer_of_a_published_example_is_good() {
        let key = Key::new(b"xyzzy5461").unwrap();
        let asked = octets("8a54f4686fb394c52866e302185d0623");
        let answer = octets("02da0014ef0d552a4bf2d693ec2b6fe8b5411d66");
        let read = read(&answer, &asked.try_into().unwrap(), 0, &key).unwrap();
        assert_eq!((read.verdict, read.mark), (Verdict::Accept, Mark::Absent));
    }

    /// RFC 5997, section 6.1: the same HMAC stands in its Status-Server.
    #[test]
    fn a_mark_is_the_one_of_a_published_example() {
        let key = Key::new(b"xyzzy5461").unwrap();
        let request = octets("0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e243822097c84fa3");
        let (covered, mark) = request.split_at(22);
        assert_eq!(key.mark(&[covered, &[0; 16]]), mark);
    }

    /// RFC 2865, section 7.1.
    #[test]
    fn a_password_is_hidden_as_in_a_published_example() {
        let key = Key::new(b"xyzzy5461").unwrap();
        let authenticator = octets("0f403f9473978057bd83d5cb98f4227a").try_into().unwrap();
        assert_eq!(
            key.hide(b"arctangent", &authenticator).as_slice(),
            octets("0dbe708d93d413ce3196e43f782a0aee")
        );
    }

    #[test]
    fn an_answer_is_taken_only_whole_and_unchanged() {
        let key = Key::new(b"testing123").unwrap();
        let asked = [7; 16];
        let good = answer(&key, &asked, &[[80, 18].as_slice(), &[0; 16], &[18, 4], b"hi"].concat());
        assert_eq!(read(&good, &asked, 0, &key).unwrap().mark, Mark::First);
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert_eq!(read(&bad, &asked, 0, &key).err(), Some(Wrong), "{place}");
            assert_eq!(read(&good[..place], &asked, 0, &key).err(), Some(Wrong), "{place}");
        }
        assert_eq!(read(&good, &[8; 16], 0, &key).err(), Some(Wrong));
    }

    #[test]
    fn proxy_states_have_to_come_back_in_order() {
        let key = Key::new(b"testing123").unwrap();
        let asked = [7; 16];
        let (one, two) = ([33, 7, 1, 0, 0, 0, 9], [33, 7, 2, 0, 0, 0, 9]);
        for (attributes, proxied) in [
            ([one, two].concat(), true),
            ([two, one].concat(), false),
            ([one, two, one].concat(), false),
            (one.to_vec(), false),
            (vec![], false),
        ] {
            let answer = answer(&key, &asked, &attributes);
            assert_eq!(read(&answer, &asked, 9, &key).unwrap().proxied, proxied, "{attributes:?}");
        }
    }

    /// An answer as a server makes it: if the first attribute is a mark, it is filled in.
    fn answer(key: &Key, asked: &[u8; 16], attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(20 + attributes.len()).unwrap().to_be_bytes();
        let mut packet = [&[2, 5], length.as_slice(), asked, attributes].concat();
        if attributes.first() == Some(&80) {
            let mark = key.mark(&[&packet]);
            packet[22..38].copy_from_slice(&mark);
        }
        let response = Md5::new().chain_update(&packet).chain_update(&key.secret).finalize();
        packet[4..20].copy_from_slice(&response);
        packet
    }

    fn octets(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }
}
