//! MSS_Signature, synchronous (guide 3.2.2): one held request, one answer.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{
    ApCredentials, ApTransId, FaultReply, HttpRequest, HttpResponse,
    fault::{self, Status},
    instant, read_root, rest,
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
            mssp_info: rest::MsspInfo { mssp_id: rest::MsspId { uri: "http://mid.swisscom.ch/" } },
            major: "1",
            mode: "synch",
            // The REST interface wants "2" here where SOAP has "1" (guide 3.2.2.1).
            minor: "2",
            mobile_user: rest::MobileUser { msisdn: &format!("+{}", ask.msisdn.digits()) },
            profile: ask.profile.uri(),
            timeout: &ask.timeout.as_secs().to_string(),
        },
    };
    // Structs of strings always serialise; an empty body would be refused by the service.
    let body = serde_json::to_string(&body).unwrap_or_default();
    HttpRequest { path: "/rest/service/sign", body: Secret::new(body), limit: ask.limit }
}

/// What the service answered to a signature request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureReply {
    /// Somebody signed something. Whether it counts is for [`crate::verify`].
    Signed(Signed),
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
    let root = read_root(response)?;
    match (root.signature, root.fault) {
        (None, Some(fault)) => fault.0.reply().map(SignatureReply::Fault),
        (Some(signature), None) if response.status == 200 => read_signature(signature.0),
        (Some(_), None) => Err(Unreadable::HttpStatus(response.status)),
        (Some(_), Some(_)) | (None, None) => Err(Unreadable::NotOneRoot),
    }
}

fn read_signature(answer: rest::SignatureResp) -> Result<SignatureReply, Unreadable> {
    let shown = |text: Option<String>| text.map(|t| text::foreign(&t, 100));
    let transaction =
        Transaction { mssp_trans_id: shown(answer.mssp_trans_id), profile: shown(answer.profile) };
    let status = answer.status.and_then(|s| s.0.code).and_then(|c| c.0.value);
    let status = status.as_deref().and_then(fault::parse_code).map(Status::from_code);
    match status.ok_or(Unreadable::MissingField("Status.StatusCode.Value"))? {
        Status::Signature | Status::ValidSignature => {}
        other => return Ok(SignatureReply::NotSigned(other, transaction)),
    }
    let missing = Unreadable::MissingField;
    Ok(SignatureReply::Signed(Signed {
        transaction,
        ap_trans_id: answer.ap_info.and_then(|i| i.0.ap_trans_id).ok_or(missing("AP_Info.AP_TransID"))?,
        msisdn: answer.mobile_user.and_then(|u| u.0.msisdn).ok_or(missing("MobileUser.MSISDN"))?,
        base64: answer
            .mss_signature
            .and_then(|s| s.0.base64)
            .ok_or(missing("MSS_Signature.Base64Signature"))?,
    }))
}

#[cfg(test)]
#[path = "signature/tests.rs"]
mod tests;
