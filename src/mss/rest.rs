//! The REST encoding: JSON as the live service sends and takes it (recorded 2024), not a field more.
//!
//! Answers are read leniently in what is not used and strictly in what is: an unknown field is skipped, a
//! field of the wrong type or one that stands twice makes the whole answer unreadable. Nesting is bounded by
//! serde_json at 128 levels.

use serde::{Deserialize, Serialize};

use super::{FaultReply, fault};
use crate::{outcome::Unreadable, text};

#[derive(Serialize)]
pub(super) struct Request<'a> {
    #[serde(rename = "MSS_SignatureReq")]
    pub(super) signature: SignatureReq<'a>,
}

#[derive(Serialize)]
pub(super) struct SignatureReq<'a> {
    #[serde(rename = "AP_Info")]
    pub(super) ap_info: ApInfo<'a>,
    #[serde(rename = "AdditionalServices")]
    pub(super) additional_services: [UserLangService<'a>; 1],
    #[serde(rename = "DataToBeSigned")]
    pub(super) data: Data<'a>,
    #[serde(rename = "MSSP_Info")]
    pub(super) mssp_info: MsspInfo,
    #[serde(rename = "MajorVersion")]
    pub(super) major: &'a str,
    #[serde(rename = "MessagingMode")]
    pub(super) mode: &'a str,
    #[serde(rename = "MinorVersion")]
    pub(super) minor: &'a str,
    #[serde(rename = "MobileUser")]
    pub(super) mobile_user: MobileUser<'a>,
    #[serde(rename = "SignatureProfile")]
    pub(super) profile: &'a str,
    // Two recorded samples write `Timeout`, which the service ignores without a word.
    #[serde(rename = "TimeOut")]
    pub(super) timeout: &'a str,
}

#[derive(Serialize)]
pub(super) struct ApInfo<'a> {
    #[serde(rename = "AP_ID")]
    pub(super) ap_id: &'a str,
    #[serde(rename = "AP_PWD")]
    pub(super) ap_pwd: &'a str,
    #[serde(rename = "AP_TransID")]
    pub(super) ap_trans_id: &'a str,
    #[serde(rename = "Instant")]
    pub(super) instant: &'a str,
}

#[derive(Serialize)]
pub(super) struct UserLangService<'a> {
    #[serde(rename = "Description")]
    pub(super) description: &'a str,
    #[serde(rename = "UserLang")]
    pub(super) user_lang: Value<'a>,
}

#[derive(Serialize)]
pub(super) struct Value<'a> {
    #[serde(rename = "Value")]
    pub(super) value: &'a str,
}

#[derive(Serialize)]
pub(super) struct Data<'a> {
    #[serde(rename = "Data")]
    pub(super) data: &'a str,
    #[serde(rename = "Encoding")]
    pub(super) encoding: &'a str,
    #[serde(rename = "MimeType")]
    pub(super) mime_type: &'a str,
}

#[derive(Serialize)]
pub(super) struct MsspInfo {
    #[serde(rename = "MSSP_ID")]
    pub(super) mssp_id: MsspId,
}

#[derive(Serialize)]
pub(super) struct MsspId {
    #[serde(rename = "URI")]
    pub(super) uri: &'static str,
}

#[derive(Serialize)]
pub(super) struct MobileUser<'a> {
    #[serde(rename = "MSISDN")]
    pub(super) msisdn: &'a str,
}

/// The root of an answer: one of the two, and nothing decides between them but the key.
#[derive(Deserialize)]
pub(super) struct Root {
    #[serde(rename = "MSS_SignatureResp")]
    pub(super) signature: Option<SignatureResp>,
    #[serde(rename = "Fault")]
    pub(super) fault: Option<FaultBody>,
}

#[derive(Deserialize)]
pub(super) struct SignatureResp {
    #[serde(rename = "AP_Info")]
    pub(super) ap_info: Option<RespApInfo>,
    #[serde(rename = "MSSP_TransID")]
    pub(super) mssp_trans_id: Option<String>,
    #[serde(rename = "MSS_Signature")]
    pub(super) mss_signature: Option<MssSignature>,
    #[serde(rename = "MobileUser")]
    pub(super) mobile_user: Option<RespMobileUser>,
    #[serde(rename = "SignatureProfile")]
    pub(super) profile: Option<String>,
    #[serde(rename = "Status")]
    pub(super) status: Option<RespStatus>,
}

#[derive(Deserialize)]
pub(super) struct RespApInfo {
    #[serde(rename = "AP_TransID")]
    pub(super) ap_trans_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct MssSignature {
    #[serde(rename = "Base64Signature")]
    pub(super) base64: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RespMobileUser {
    #[serde(rename = "MSISDN")]
    pub(super) msisdn: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RespStatus {
    #[serde(rename = "StatusCode")]
    pub(super) code: Option<RespValue>,
}

#[derive(Deserialize)]
pub(super) struct RespValue {
    #[serde(rename = "Value")]
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FaultBody {
    #[serde(rename = "Code")]
    code: Option<FaultCode>,
    #[serde(rename = "Detail")]
    detail: Option<serde_json::Value>,
    #[serde(rename = "Reason")]
    reason: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct FaultCode {
    #[serde(rename = "SubCode")]
    sub_code: Option<RespValue>,
}

/// A remote text may be this long in a log line.
const DETAIL_MAX: usize = 200;

impl FaultBody {
    /// The fault, or what is missing in it. Detail and Reason are shown where they are plain texts.
    pub(super) fn reply(&self) -> Result<FaultReply, Unreadable> {
        let value = self.code.as_ref().and_then(|c| c.sub_code.as_ref()).and_then(|s| s.value.as_deref());
        let code =
            value.and_then(fault::parse_code).ok_or(Unreadable::MissingField("Fault.Code.SubCode.Value"))?;
        let shown = |text: &Option<serde_json::Value>| {
            text.as_ref().and_then(|v| v.as_str()).map(|t| text::escaped(t, DETAIL_MAX)).unwrap_or_default()
        };
        let (reason, detail) = (shown(&self.reason), shown(&self.detail));
        let separator = if reason.is_empty() || detail.is_empty() { "" } else { ": " };
        Ok(FaultReply {
            fault: fault::Fault::from_code(code),
            detail: format!("{reason}{separator}{detail}"),
        })
    }
}
