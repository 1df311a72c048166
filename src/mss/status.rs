//! MSS_StatusQuery (guide 3.3): what became of an asynchronous signature request.
//!
//! ```text
//!   answer                    read as
//!   504 OUTSTANDING, 100       Outstanding   ask again later
//!   500 SIGNATURE, 502         Signed        for crate::verify
//!   any other status           NotSigned     the end, by its code
//!   Fault 401, 208, ...        Fault         the end, by its code
//! ```
//!
//! A status request is a request of its own, with its own AP_TransID, which the answer repeats; only MSSP_TransID
//! links it to the signature request, and the answer does not name that. So the signature is held against the
//! AP_TransID of this request, against the number, and by its text, whose code is this login's, against the login.
//! The number must be there as in the answer to a synchronous request: every recorded answer has it, as an object.
//! The guide prints it bare (`"MobileUser": MOBILE_NUMBER`), so a text or a number is read too.

use std::time::{Duration, SystemTime};

use super::{
    ApCredentials, ApTransId, Either, FaultReply, HttpRequest, HttpResponse, MsspTransId,
    fault::Status,
    instant, rest,
    signature::{Signed, Transaction},
};
use crate::{outcome::Unreadable, secret::Secret};

/// The longest that the service may take to answer a status request (guide 4.3).
pub const LIMIT: Duration = Duration::from_secs(10);

/// What one status request says.
#[derive(Debug)]
pub struct StatusRequest<'a> {
    /// Who asks.
    pub ap: &'a ApCredentials,
    /// This request's identifier, not that of the signature request.
    pub ap_trans_id: &'a ApTransId,
    /// When it is sent.
    pub at: SystemTime,
    /// The transaction that is asked about.
    pub mssp_trans_id: &'a MsspTransId,
    /// How long we wait for the service.
    pub limit: Duration,
}

/// The request as HTTP: POST to `/rest/service/status`. It rings no phone, so it may be repeated.
#[must_use]
pub fn request(ask: &StatusRequest<'_>) -> HttpRequest {
    let body = rest::StatusRequest {
        status: rest::StatusReq {
            ap_info: rest::ApInfo {
                ap_id: &ask.ap.ap_id,
                ap_pwd: ask.ap.ap_pwd.expose(),
                ap_trans_id: ask.ap_trans_id.as_str(),
                instant: &instant(ask.at),
            },
            mssp_info: rest::MsspInfo::SWISSCOM,
            mssp_trans_id: ask.mssp_trans_id.as_str(),
            major: "1",
            // "2" is the signature request's; here it is fault 108.
            minor: "1",
        },
    };
    // Structs of strings always serialise; an empty body would be refused by the service.
    let body = serde_json::to_string(&body).unwrap_or_default();
    HttpRequest { path: "/rest/service/status", body: Secret::new(body), limit: ask.limit, repeatable: true }
}

/// What the service answered to a status request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusReply {
    /// The person has not answered yet.
    Outstanding,
    /// Somebody signed something. Whether it counts is for [`crate::verify`]. The transaction is not named again.
    Signed(Signed),
    /// The transaction ended without a signature that the service vouches for.
    NotSigned(Status),
    /// The transaction ended otherwise, or the service did not do what was asked.
    Fault(FaultReply),
}

/// Reads the answer to [`request`].
///
/// # Errors
/// [`Unreadable`] for what is no answer of this service: no JSON, too large, a needed field absent.
pub fn read(response: &HttpResponse) -> Result<StatusReply, Unreadable> {
    match super::read::<rest::StatusRoot>(response)? {
        Either::Fault(fault) => Ok(StatusReply::Fault(fault)),
        Either::Answer(answer) => read_status(answer),
    }
}

fn read_status(answer: rest::StatusResp) -> Result<StatusReply, Unreadable> {
    let missing = Unreadable::MissingField;
    let status = answer.status.and_then(|s| s.0.status()).ok_or(missing("Status.StatusCode.Value"))?;
    match status {
        Status::OutstandingTransaction | Status::RequestOk => Ok(StatusReply::Outstanding),
        Status::Signature | Status::ValidSignature => Ok(StatusReply::Signed(Signed {
            transaction: Transaction::default(),
            ap_trans_id: answer.ap_info.and_then(|i| i.0.ap_trans_id).ok_or(missing("AP_Info.AP_TransID"))?,
            msisdn: answer
                .mobile_user
                .and_then(rest::StatusUser::msisdn)
                .ok_or(missing("MobileUser.MSISDN"))?,
            base64: answer
                .mss_signature
                .and_then(|s| s.0.base64)
                .ok_or(missing("MSS_Signature.Base64Signature"))?,
        })),
        other => Ok(StatusReply::NotSigned(other)),
    }
}

#[cfg(test)]
#[path = "status/tests.rs"]
mod tests;
