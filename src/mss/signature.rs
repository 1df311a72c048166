//! MSS_Signature: the request that makes a phone ring (guide 3.2.2). Synchronous, its answer is the signature;
//! asynchronous, its answer is that it was taken, and [`super::status`] asks for the rest.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{
    ApCredentials, ApTransId, Either, FaultReply, HttpRequest, HttpResponse, MessagingMode, MsspTransId,
    fault::Status, instant, rest,
};
use crate::{
    outcome::Unreadable,
    secret::Secret,
    subscriber::{Language, Msisdn, Profile},
    text,
};

/// What one signature request says.
#[derive(Debug)]
pub struct SignatureRequest<'a> {
    /// Who asks.
    pub ap: &'a ApCredentials,
    /// This request's identifier.
    pub ap_trans_id: &'a ApTransId,
    /// When it is sent.
    pub at: SystemTime,
    /// Who shall sign.
    pub msisdn: &'a Msisdn,
    /// DTBD: what the phone shows and signs.
    pub text: &'a str,
    /// UserLang, obligatory (guide 3.2.4.1).
    pub language: Language,
    /// Which method.
    pub profile: Profile,
    /// Whether the answer is the signature, or that the request was taken.
    pub mode: MessagingMode,
    /// How long the service waits for the person, in whole seconds.
    pub timeout: Duration,
    /// How long we wait for the service.
    pub limit: Duration,
}

/// The request as HTTP: POST to `/rest/service/sign`.
#[must_use]
pub fn request(ask: &SignatureRequest<'_>) -> HttpRequest {
    let body = rest::Request {
        signature: rest::SignatureReq {
            ap_info: rest::ApInfo {
                ap_id: &ask.ap.ap_id,
                ap_pwd: ask.ap.ap_pwd.expose(),
                ap_trans_id: ask.ap_trans_id.as_str(),
                instant: &instant(ask.at),
            },
            additional_services: [rest::UserLangService {
                description: "http://mss.ficom.fi/TS102204/v1.0.0#userLang",
                user_lang: rest::Value { value: ask.language.wire() },
            }],
            data: rest::Data { data: ask.text, encoding: "UTF-8", mime_type: "text/plain" },
            mssp_info: rest::MsspInfo::SWISSCOM,
            major: "1",
            mode: ask.mode.wire(),
            // The REST interface wants "2" here where SOAP has "1" (guide 3.2.2.1).
            minor: "2",
            mobile_user: rest::MobileUser { msisdn: &format!("+{}", ask.msisdn.digits()) },
            profile: ask.profile.uri(),
            timeout: &ask.timeout.as_secs().to_string(),
        },
    };
    // Structs of strings always serialise; an empty body would be refused by the service.
    let body = serde_json::to_string(&body).unwrap_or_default();
    HttpRequest { path: "/rest/service/sign", body: Secret::new(body), limit: ask.limit, repeatable: false }
}

/// What the service answered to a signature request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureReply {
    /// Somebody signed something. Whether it counts is for [`crate::verify`].
    Signed(Signed),
    /// The request was taken on; the signature is to be asked for.
    Taken(Taken),
    /// The transaction ended without a signature that the service vouches for.
    NotSigned(Status, Transaction),
    /// The service did not do what was asked.
    Fault(FaultReply),
}

/// How the service names the transaction; foreign text, escaped for a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// MSSP_TransID.
    pub mssp_trans_id: Option<String>,
    /// The signature profile that was used, as a URI.
    pub profile: Option<String>,
}

/// What the service says of a request that it has taken on, all unchecked.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// How the service names the transaction.
    pub transaction: Transaction,
    /// The same name as it came, to ask with.
    pub mssp_trans_id: MsspTransId,
    /// AP_TransID of the answer.
    pub ap_trans_id: String,
    /// MSISDN of the answer.
    pub msisdn: String,
}

/// Without the number, as in [`Signed`].
impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

/// A signature with what it must be held against, all unchecked.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// How the service names the transaction.
    pub transaction: Transaction,
    /// AP_TransID of the answer.
    pub ap_trans_id: String,
    /// MSISDN of the answer.
    pub msisdn: String,
    /// Base64Signature.
    pub base64: String,
}

/// Without the number, which is foreign text and may be a whole one.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

/// Reads the answer to [`request`].
///
/// # Errors
/// [`Unreadable`] for what is no answer of this service: no JSON, too large, a needed field absent.
pub fn read(response: &HttpResponse) -> Result<SignatureReply, Unreadable> {
    match super::read::<rest::SignatureRoot>(response)? {
        Either::Fault(fault) => Ok(SignatureReply::Fault(fault)),
        Either::Answer(answer) => read_signature(answer),
    }
}

fn read_signature(answer: rest::SignatureResp) -> Result<SignatureReply, Unreadable> {
    let missing = Unreadable::MissingField;
    let transaction = Transaction {
        mssp_trans_id: answer.mssp_trans_id.as_deref().map(|id| text::identifier(id, 100)),
        profile: answer.profile.as_deref().map(|profile| text::foreign(profile, 100)),
    };
    let status = answer.status.and_then(|s| s.0.status()).ok_or(missing("Status.StatusCode.Value"))?;
    let ap_trans_id = answer.ap_info.and_then(|i| i.0.ap_trans_id).ok_or(missing("AP_Info.AP_TransID"));
    let msisdn = answer.mobile_user.and_then(|u| u.0.msisdn).ok_or(missing("MobileUser.MSISDN"));
    match status {
        Status::Signature | Status::ValidSignature => Ok(SignatureReply::Signed(Signed {
            transaction,
            ap_trans_id: ap_trans_id?,
            msisdn: msisdn?,
            base64: answer
                .mss_signature
                .and_then(|s| s.0.base64)
                .ok_or(missing("MSS_Signature.Base64Signature"))?,
        })),
        Status::RequestOk => Ok(SignatureReply::Taken(Taken {
            transaction,
            mssp_trans_id: answer.mssp_trans_id.unwrap_or_default().parse()?,
            ap_trans_id: ap_trans_id?,
            msisdn: msisdn?,
        })),
        other => Ok(SignatureReply::NotSigned(other, transaction)),
    }
}

#[cfg(test)]
#[path = "signature/tests.rs"]
mod tests;
