//! What a shared secret is used for: signing packets, telling whether they are signed, and hiding passwords.
//!
//! All of it is MD5, because that is what the protocol has. What protects a packet is the Message-Authenticator, an
//! HMAC over the whole of it (RFC 3579, section 3.2); the Response Authenticator alone was forged in minutes
//! (CVE-2024-3596). Comparisons take the same time wherever the difference is.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::packet::{Code, HEADER, Packet, attribute};

/// Request or Response Authenticator.
pub type Authenticator = [u8; 16];

/// What a client and we both know. Wiped on drop, and never shown.
#[derive(Clone)]
pub struct SharedSecret {
    octets: Zeroizing<Vec<u8>>,
    /// With the key already taken in: two of four MD5 blocks of every packet.
    keyed: Hmac<Md5>,
}

impl SharedSecret {
    /// A secret from its octets.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        // HMAC takes a key of any length; the error is one of its trait only.
        let keyed = Hmac::new_from_slice(octets)
            .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Md5>>::default()));
        Self { octets: Zeroizing::new(octets.to_vec()), keyed }
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(...)")
    }
}

/// What a packet's Message-Authenticator says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// There is none.
    No,
    /// It is right: who sent the packet knows the secret, and nobody changed the packet.
    Valid,
    /// It is wrong, of a wrong size, or there are two: silence.
    Invalid,
}

/// Checks a request. For Access-Request and Status-Server the HMAC covers the packet as it came; for
/// Accounting-Request, whose authenticator is a digest made after it, the packet with sixteen zeros there. That digest
/// must be right too, or nothing would cover those sixteen octets.
#[must_use]
pub fn check_request(packet: &Packet<'_>, secret: &SharedSecret) -> Signed {
    match packet.code() {
        Code::ACCOUNTING_REQUEST if !is_accounting(packet, secret) => Signed::Invalid,
        Code::ACCOUNTING_REQUEST => check(packet, &[0; 16], secret),
        _ => check(packet, &packet.authenticator(), secret),
    }
}

/// Checks the Message-Authenticator of an answer to the request that had this authenticator.
#[must_use]
pub fn check_answer(packet: &Packet<'_>, request: &Authenticator, secret: &SharedSecret) -> Signed {
    check(packet, request, secret)
}

/// Whether an answer's Response Authenticator is right for the request that had this authenticator.
#[must_use]
pub fn is_answer(packet: &Packet<'_>, request: &Authenticator, secret: &SharedSecret) -> bool {
    let digest = digest_of(packet.octets(), request, secret);
    digest.ct_eq(&packet.authenticator()).into()
}

/// Whether an Accounting-Request's authenticator is right (RFC 2866, section 3).
#[must_use]
pub fn is_accounting(packet: &Packet<'_>, secret: &SharedSecret) -> bool {
    let digest = digest_of(packet.octets(), &[0; 16], secret);
    digest.ct_eq(&packet.authenticator()).into()
}

/// The authenticator of an Accounting-Request, whose octets have anything in its place.
#[must_use]
pub fn of_accounting(octets: &[u8], secret: &SharedSecret) -> Authenticator {
    digest_of(octets, &[0; 16], secret)
}

/// The Response Authenticator of an answer that still has the request's authenticator in its place.
pub(crate) fn of_answer(octets: &[u8], secret: &SharedSecret) -> Authenticator {
    let digest = Md5::new().chain_update(octets).chain_update(&*secret.octets);
    digest.finalize().into()
}

/// The Message-Authenticator of a packet that has zeros in its place.
pub(crate) fn sign(octets: &[u8], secret: &SharedSecret) -> [u8; 16] {
    secret.keyed.clone().chain_update(octets).finalize().into_bytes().into()
}

fn digest_of(octets: &[u8], authenticator: &Authenticator, secret: &SharedSecret) -> Authenticator {
    let (head, rest) = (octets.get(..4).unwrap_or_default(), octets.get(HEADER..).unwrap_or_default());
    let digest = Md5::new().chain_update(head).chain_update(authenticator).chain_update(rest);
    digest.chain_update(&*secret.octets).finalize().into()
}

fn check(packet: &Packet<'_>, authenticator: &Authenticator, secret: &SharedSecret) -> Signed {
    let mut at = HEADER;
    let mut found = None;
    for attribute in packet.attributes() {
        if attribute.kind == attribute::MESSAGE_AUTHENTICATOR {
            match <&[u8; 16]>::try_from(attribute.value) {
                Ok(value) if found.is_none() => found = Some((at.saturating_add(2), value)),
                _ => return Signed::Invalid,
            }
        }
        at = at.saturating_add(attribute.value.len()).saturating_add(2);
    }
    let Some((at, value)) = found else { return Signed::No };
    let octets = packet.octets();
    let mac = secret
        .keyed
        .clone()
        .chain_update(octets.get(..4).unwrap_or_default())
        .chain_update(authenticator)
        .chain_update(octets.get(HEADER..at).unwrap_or_default())
        .chain_update([0; 16])
        .chain_update(octets.get(at.saturating_add(16)..).unwrap_or_default());
    if mac.verify_slice(value).is_ok() { Signed::Valid } else { Signed::Invalid }
}

/// The longest password that User-Password carries (RFC 2865, section 5.2), in octets.
pub const PASSWORD_MAX: usize = 128;

/// The password of a User-Password, without the NULs that fill it up. With another secret it is noise.
///
/// None where the value is not 16 to 128 octets in blocks of 16.
#[must_use]
pub fn reveal_password(
    hidden: &[u8],
    secret: &SharedSecret,
    authenticator: &Authenticator,
) -> Option<Zeroizing<Vec<u8>>> {
    if hidden.is_empty() || hidden.len() > PASSWORD_MAX || !hidden.len().is_multiple_of(16) {
        return None;
    }
    let mut plain = Zeroizing::new(vec![0; hidden.len()]);
    reveal(hidden, secret, &[authenticator], &mut plain);
    let length = plain.iter().rposition(|octet| *octet != 0).map_or(0, |last| last.saturating_add(1));
    plain.truncate(length);
    Some(plain)
}

/// The value of a User-Password; none where the password is longer than 128 octets.
#[must_use]
pub fn hide_password(plain: &[u8], secret: &SharedSecret, authenticator: &Authenticator) -> Option<Vec<u8>> {
    if plain.len() > PASSWORD_MAX {
        return None;
    }
    let mut padded = Zeroizing::new(plain.to_vec());
    padded.resize(plain.len().max(1).next_multiple_of(16), 0);
    Some(hide(&padded, secret, &[authenticator]))
}

/// What an attribute with a salt hides: MS-MPPE keys (RFC 2548, section 2.4.2), and Tunnel-Password behind its tag
/// (RFC 2868, section 3.5). `value` begins with the salt; the authenticator is the request's, in an answer too.
#[must_use]
pub fn reveal_salted(
    value: &[u8],
    secret: &SharedSecret,
    request: &Authenticator,
) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, hidden) = value.split_first_chunk::<2>()?;
    if hidden.is_empty() || !hidden.len().is_multiple_of(16) {
        return None;
    }
    let mut plain = Zeroizing::new(vec![0; hidden.len()]);
    reveal(hidden, secret, &[request, salt], &mut plain);
    let (length, rest) = plain.split_first()?;
    rest.get(..usize::from(*length)).map(|value| Zeroizing::new(value.to_vec()))
}

/// The opposite of [`reveal_salted`]. The salt must be fresh in each packet; its first bit is set here, as wanted.
/// None where the value is longer than an attribute carries.
#[must_use]
pub fn hide_salted(
    plain: &[u8],
    secret: &SharedSecret,
    request: &Authenticator,
    salt: [u8; 2],
) -> Option<Vec<u8>> {
    let length = u8::try_from(plain.len()).ok().filter(|length| *length <= 239)?;
    let [high, low] = salt;
    let salt = [high | 0x80, low];
    let mut padded = Zeroizing::new(Vec::with_capacity(256));
    padded.push(length);
    padded.extend_from_slice(plain);
    let whole = padded.len().next_multiple_of(16);
    padded.resize(whole, 0);
    let mut value = salt.to_vec();
    value.extend_from_slice(&hide(&padded, secret, &[request, &salt]));
    Some(value)
}

/// Each block is hidden by the digest of the secret and the hidden block before it; the first by `first`.
fn reveal(hidden: &[u8], secret: &SharedSecret, first: &[&[u8]], plain: &mut [u8]) {
    let mut pad = pad_of(secret, first);
    for (from, to) in hidden.chunks_exact(16).zip(plain.chunks_exact_mut(16)) {
        for ((to, from), pad) in to.iter_mut().zip(from).zip(pad) {
            *to = from ^ pad;
        }
        pad = pad_of(secret, &[from]);
    }
}

fn hide(plain: &[u8], secret: &SharedSecret, first: &[&[u8]]) -> Vec<u8> {
    let mut hidden = Vec::with_capacity(plain.len());
    let mut pad = pad_of(secret, first);
    for block in plain.chunks_exact(16) {
        let start = hidden.len();
        hidden.extend(block.iter().zip(pad).map(|(plain, pad)| plain ^ pad));
        pad = pad_of(secret, &[hidden.get(start..).unwrap_or_default()]);
    }
    hidden
}

fn pad_of(secret: &SharedSecret, parts: &[&[u8]]) -> [u8; 16] {
    let digest =
        parts.iter().fold(Md5::new().chain_update(&*secret.octets), |digest, part| digest.chain_update(part));
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
