//! Is the service well? (guide 4.5): a signature request to a number that cannot be, which a healthy
//! service refuses with 101 `Illegal msisdn` before anybody's phone is involved.

use std::time::{Duration, SystemTime};

use super::{
    ApCredentials, ApTransId, FaultReply, HttpRequest, HttpResponse, MessagingMode, fault::Fault, signature,
};
use crate::{
    outcome::Unreadable,
    subscriber::{InvalidMsisdn, Language, Profile},
};

/// The request: MSISDN +41000000000, DTBD `Heartbeat`.
///
/// # Errors
/// None in practice: the number is a constant that parses.
pub fn request(
    ap: &ApCredentials,
    ap_trans_id: &ApTransId,
    profile: Profile,
    at: SystemTime,
    limit: Duration,
) -> Result<HttpRequest, InvalidMsisdn> {
    Ok(signature::request(&signature::SignatureRequest {
        ap,
        ap_trans_id,
        at,
        msisdn: &"+41000000000".parse()?,
        text: "Heartbeat",
        language: Language::En,
        profile,
        mode: MessagingMode::Synch,
        timeout: Duration::from_secs(10),
        limit,
    }))
}

/// What the answer says of the service and of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// 101 `Illegal msisdn`: we are known, the service works.
    Healthy,
    /// Another fault.
    Fault(FaultReply),
    /// Anything else, which the service should not say to this number.
    Unexpected,
}

/// Reads the answer to [`request`].
///
/// # Errors
/// [`Unreadable`] for what is no answer of this service.
pub fn read(response: &HttpResponse) -> Result<Health, Unreadable> {
    Ok(match signature::read(response)? {
        // The one place where the Detail text counts: 101 is also what a wrong clock gets.
        signature::SignatureReply::Fault(reply)
            if reply.fault == Fault::WrongParam && reply.detail.to_lowercase().contains("illegal msisdn") =>
        {
            Health::Healthy
        }
        signature::SignatureReply::Fault(reply) => Health::Fault(reply),
        signature::SignatureReply::Signed(_)
        | signature::SignatureReply::Taken(_)
        | signature::SignatureReply::NotSigned(..) => Health::Unexpected,
    })
}
