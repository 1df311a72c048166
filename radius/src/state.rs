//! State: the token that says, when it comes back, which login a person is in.
//!
//! ```text
//!  ├ version ┼── nonce ──┼──────────────── sealed ────────────────┼── tag ──┤      at most 253 octets
//!       1         12      stage │ node │ login │ expiry │ ticket       16
//!                           1      8       8        8      ...
//! ```
//!
//! A challenge sends it out, and the follow-up brings it back. It is sealed by a key that the nodes of one service
//! share, and bound to whom it was made for: the client's group, the user and the calling station are authenticated
//! with it but not in it, so that a token in other hands does not open. In the asynchronous mode it carries the
//! ticket of the transaction, with which another node can finish the login.
//!
//! Opening a token proves who made it and for whom, not that it comes for the first time: the node that made it knows
//! that, from the login that it names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{packet::VALUE_MAX, server::LoginId};

/// Octets of the key.
pub const KEY: usize = 32;

/// The key of one service, the same on all of its nodes.
pub struct StateKey(Option<LessSafeKey>);

/// One run of one node: a token of another one names logins that are unknown here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NodeId(pub u64);

/// Whom a token is made for. Somebody else's does not open.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The joining group of the client.
    pub group: &'a str,
    /// The user, in the form that the realm rules give.
    pub user: &'a str,
    /// Calling-Station-Id; empty where the client sends none.
    pub station: &'a [u8],
}

/// What the person is asked for when the token goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// More of the first factor, which the upstream server wants; it may ask more than once, so the question has
    /// a number. Such a token proves nothing yet.
    FirstFactor(u8),
    /// A look at the phone: the first factor has accepted.
    Phone,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it was made for.
    pub stage: Stage,
    /// Who made it.
    pub node: NodeId,
    /// Which login of that node.
    pub login: LoginId,
    /// Until when it is of use; on the wire in whole seconds.
    pub expires: SystemTime,
    /// The encoded ticket of the transaction, if another node may finish it.
    pub ticket: Option<Vec<u8>>,
}

/// Why a State is no token for this holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsealed {
    /// Not made by this service, or for another user, client group or station, or changed on the way.
    Foreign,
    /// Once right, and too old.
    Expired,
}

const VERSION: u8 = 1;
/// The stage of a token for the phone; below it stand the numbers of questions.
const PHONE: u8 = 255;
/// The last question that can be told from those before it.
pub const QUESTIONS_MAX: u8 = PHONE - 1;
/// Version, nonce and tag.
const AROUND: usize = 1 + NONCE_LEN + 16;
/// Stage, node, login and expiry.
const FIXED: usize = 1 + 8 + 8 + 8;
/// The longest ticket that fits into one attribute.
pub const TICKET_MAX: usize = VALUE_MAX - AROUND - FIXED;

impl StateKey {
    /// A key from its octets.
    #[must_use]
    pub fn new(octets: &[u8; KEY]) -> Self {
        // The length is right by its type. Without a key nothing would be sealed, and nothing opened.
        Self(UnboundKey::new(&AES_256_GCM, octets).ok().map(LessSafeKey::new))
    }

    /// The token as the value of a State attribute. A ticket that does not fit is left out. The nonce must be random:
    /// the nodes share the key, and could not count together.
    #[must_use]
    pub fn seal(&self, token: &Token, holder: Holder<'_>, nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let key = self.0.as_ref()?;
        let mut sealed = Vec::with_capacity(VALUE_MAX);
        sealed.push(match token.stage {
            Stage::Phone => PHONE,
            Stage::FirstFactor(question) => question.min(QUESTIONS_MAX),
        });
        sealed.extend_from_slice(&token.node.0.to_be_bytes());
        sealed.extend_from_slice(&token.login.0.to_be_bytes());
        sealed.extend_from_slice(&seconds(token.expires).to_be_bytes());
        if let Some(ticket) = token.ticket.as_deref().filter(|ticket| fits(ticket)) {
            sealed.extend_from_slice(ticket);
        }
        let aad = Aad::from(bound_to(holder));
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        let mut state = Vec::with_capacity(VALUE_MAX);
        state.push(VERSION);
        state.extend_from_slice(&nonce);
        state.extend_from_slice(&sealed);
        Some(state)
    }

    /// What a State says, if it was made for this holder and is still of use.
    ///
    /// # Errors
    /// [`Unsealed`], which tells an old token from a foreign one and nothing more: a token that was changed cannot be
    /// told from one that is somebody else's.
    pub fn open(&self, state: &[u8], holder: Holder<'_>, now: SystemTime) -> Result<Token, Unsealed> {
        let (head, sealed) = state.split_first_chunk::<{ 1 + NONCE_LEN }>().ok_or(Unsealed::Foreign)?;
        let [version, nonce @ ..] = *head;
        if version != VERSION || state.len() > VALUE_MAX {
            return Err(Unsealed::Foreign);
        }
        let mut sealed = sealed.to_vec();
        let plain = self
            .0
            .as_ref()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(bound_to(holder)), &mut sealed).ok()
            })
            .ok_or(Unsealed::Foreign)?;
        let token = read(plain).ok_or(Unsealed::Foreign)?;
        if now < token.expires { Ok(token) } else { Err(Unsealed::Expired) }
    }
}

/// Whether a ticket has room in a token.
#[must_use]
pub fn fits(ticket: &[u8]) -> bool {
    ticket.len() <= TICKET_MAX
}

fn read(plain: &[u8]) -> Option<Token> {
    let (stage, rest) = plain.split_first()?;
    let (node, rest) = rest.split_first_chunk::<8>()?;
    let (login, rest) = rest.split_first_chunk::<8>()?;
    let (expires, ticket) = rest.split_first_chunk::<8>()?;
    Some(Token {
        stage: match *stage {
            PHONE => Stage::Phone,
            question => Stage::FirstFactor(question),
        },
        node: NodeId(u64::from_be_bytes(*node)),
        login: LoginId(u64::from_be_bytes(*login)),
        expires: UNIX_EPOCH.checked_add(Duration::from_secs(u64::from_be_bytes(*expires)))?,
        ticket: (!ticket.is_empty()).then(|| ticket.to_vec()),
    })
}

/// Each part with its length, so that no two holders look the same.
fn bound_to(holder: Holder<'_>) -> Vec<u8> {
    let parts = [holder.group.as_bytes(), holder.user.as_bytes(), holder.station];
    let mut aad = Vec::with_capacity(128);
    for part in parts {
        aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
        aad.extend_from_slice(part);
    }
    aad
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
