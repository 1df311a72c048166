//! What is forwarded of a NAS's Access-Request.
//!
//! An attribute goes on as it is, unless it belongs to the hop between the NAS and us:
//!
//! | Attribute | Forwarded |
//! |---|---|
//! | User-Password | revealed with the NAS's secret, hidden with upstream's |
//! | CHAP-Password, CHAP-Challenge | as they are; without a CHAP-Challenge the Request Authenticator was it |
//! | MS-CHAP (vendor 311) | as it is: the password is in no form that a secret hides |
//! | State | upstream's own, taken out of ours, where this continues a challenge |
//! | Message-Authenticator | made anew |
//! | Proxy-State | no: the NAS gets its own back from us |

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use super::Upstream;
use crate::{
    authenticator::{Authenticator, SharedSecret, hide_password, reveal_password},
    packet::{Attribute, Builder, Code, Copied, Full, Packet, attribute},
};

/// A question to an upstream.
#[derive(Clone)]
pub struct Ask {
    /// Who is asked.
    pub upstream: Arc<Upstream>,
    pub(super) continuation: Option<Continuation>,
    credential: Credential,
    /// What goes on as it is, in the order of the NAS's request.
    copied: Copied,
}

/// What a person showed to prove who they are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A password, or the answer to a challenge.
    Pap(Zeroizing<Vec<u8>>),
    /// CHAP (RFC 2865, section 2.2).
    Chap {
        /// The CHAP identifier and the response.
        password: [u8; 17],
        /// What it responds to.
        challenge: Vec<u8>,
    },
    /// MS-CHAP or MS-CHAPv2 (RFC 2548). Challenge and response are among the copied attributes.
    MsChap,
}

/// That a request answers an upstream's challenge.
#[derive(Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Upstream's State; empty where it sent none.
    pub state: Vec<u8>,
    /// The server that asked, an index into [`Upstream::servers`].
    pub server: usize,
}

/// Why a request has nothing that an upstream could judge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoCredential {
    /// It has neither a password nor a response.
    Absent,
    /// It carries EAP, which is a conversation with whoever holds the certificate, not a credential to hand on.
    Eap,
    /// Its User-Password or CHAP-Password has a length that there is not.
    Unreadable,
    /// It has more than one, and the servers could judge another one than we mean.
    Several,
}

impl NoCredential {
    /// Every way, for counters.
    pub const ALL: [Self; 4] = [Self::Absent, Self::Eap, Self::Unreadable, Self::Several];

    /// The stable name in counters and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "no-credential",
            Self::Eap => "eap",
            Self::Unreadable => "unreadable-credential",
            Self::Several => "several-credentials",
        }
    }
}

impl fmt::Display for NoCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "the request carries no password, CHAP or MS-CHAP response",
            Self::Eap => "the request carries EAP, which is not forwarded",
            Self::Unreadable => "the request's password has a length that there is not",
            Self::Several => "the request carries more than one credential",
        })
    }
}

impl std::error::Error for NoCredential {}

/// Microsoft's vendor number, and those of its types that prove who somebody is (RFC 2548, section 2).
const MICROSOFT: u32 = 311;
const MS_CHAP_RESPONSES: [u8; 2] = [1, 25];

impl Ask {
    /// The question that a NAS's Access-Request becomes. `secret` is the one that the NAS and we know.
    ///
    /// # Errors
    /// [`NoCredential`]: there is nothing to ask.
    pub fn of(
        request: &Packet<'_>,
        secret: &SharedSecret,
        upstream: Arc<Upstream>,
        continuation: Option<Continuation>,
    ) -> Result<Self, NoCredential> {
        let credential = Credential::of(request, secret)?;
        Ok(Self { upstream, continuation, credential, copied: Copied::of(request, goes_on) })
    }

    /// What the person showed.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The Access-Request with this identifier and authenticator, signed.
    pub(super) fn request(&self, identifier: u8, authenticator: Authenticator) -> Result<Vec<u8>, Full> {
        let secret = &self.upstream.secret;
        let mut builder = Builder::new(Code::ACCESS_REQUEST, identifier, authenticator);
        for Attribute { kind, value } in self.copied.attributes() {
            builder.add(kind, value)?;
        }
        match &self.credential {
            Credential::Pap(password) => {
                let hidden = hide_password(password, secret, &authenticator).ok_or(Full)?;
                builder.add(attribute::USER_PASSWORD, &hidden)?;
            }
            Credential::Chap { password, challenge } => {
                builder.add(attribute::CHAP_PASSWORD, password)?;
                builder.add(attribute::CHAP_CHALLENGE, challenge)?;
            }
            Credential::MsChap => {}
        }
        if let Some(Continuation { state, .. }) = &self.continuation
            && !state.is_empty()
        {
            builder.add(attribute::STATE, state)?;
        }
        Ok(builder.signed_request(secret))
    }
}

/// Whether an attribute of this type is copied. What is hidden, made anew or meant for us is not.
fn goes_on(kind: u8) -> bool {
    !matches!(
        kind,
        attribute::USER_PASSWORD
            | attribute::CHAP_PASSWORD
            | attribute::CHAP_CHALLENGE
            | attribute::STATE
            | attribute::PROXY_STATE
            | attribute::EAP_MESSAGE
            | attribute::MESSAGE_AUTHENTICATOR
    )
}

impl Credential {
    pub(crate) fn of(request: &Packet<'_>, secret: &SharedSecret) -> Result<Self, NoCredential> {
        if request.has(attribute::EAP_MESSAGE) {
            return Err(NoCredential::Eap);
        }
        let ms_chap = || MS_CHAP_RESPONSES.iter().flat_map(|kind| request.vendor(MICROSOFT, *kind));
        let mut found = request
            .attributes()
            .filter(|a| matches!(a.kind, attribute::USER_PASSWORD | attribute::CHAP_PASSWORD));
        match (found.next(), found.next(), ms_chap().count()) {
            (None, _, 0) => Err(NoCredential::Absent),
            // Old clients send both of Microsoft's responses' forms in one attribute, never two attributes.
            (None, _, 1) => Ok(Self::MsChap),
            (Some(only), None, 0) => Self::read(only, request, secret).ok_or(NoCredential::Unreadable),
            _ => Err(NoCredential::Several),
        }
    }

    fn read(found: Attribute<'_>, request: &Packet<'_>, secret: &SharedSecret) -> Option<Self> {
        if found.kind == attribute::USER_PASSWORD {
            return reveal_password(found.value, secret, &request.authenticator()).map(Self::Pap);
        }
        let challenge = match request.first(attribute::CHAP_CHALLENGE) {
            Some(challenge) => challenge.to_vec(),
            None => request.authenticator().to_vec(),
        };
        Some(Self::Chap { password: found.value.try_into().ok()?, challenge })
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask(upstream {:?}, {:?}, {:?})", self.upstream.name, self.credential, self.copied)
    }
}

impl fmt::Debug for Credential {
    /// Its kind, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pap(_) => "PAP",
            Self::Chap { .. } => "CHAP",
            Self::MsChap => "MS-CHAP",
        })
    }
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Continuation(server {})", self.server)
    }
}

#[cfg(test)]
mod tests;
