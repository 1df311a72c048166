//! The REST encoding: JSON as the live service sends and takes it (recorded 2024), not a field more.
//!
//! Answers are read leniently in what is not used and strictly in what is: an unknown field is skipped, a
//! field of the wrong type or one that stands twice makes the whole answer unreadable. Nesting is bounded at
//! serde_json's 128 levels, in skipped fields too ([`Shallow`]).

pub(super) mod profile;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

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
pub(super) struct StatusRequest<'a> {
    #[serde(rename = "MSS_StatusReq")]
    pub(super) status: StatusReq<'a>,
}

#[derive(Serialize)]
pub(super) struct StatusReq<'a> {
    #[serde(rename = "AP_Info")]
    pub(super) ap_info: ApInfo<'a>,
    #[serde(rename = "MSSP_Info")]
    pub(super) mssp_info: MsspInfo,
    #[serde(rename = "MSSP_TransID")]
    pub(super) mssp_trans_id: &'a str,
    #[serde(rename = "MajorVersion")]
    pub(super) major: &'a str,
    #[serde(rename = "MinorVersion")]
    pub(super) minor: &'a str,
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
    mssp_id: MsspId,
}

impl MsspInfo {
    /// The one service there is.
    pub(super) const SWISSCOM: Self = Self { mssp_id: MsspId { uri: "http://mid.swisscom.ch/" } };
}

#[derive(Serialize)]
struct MsspId {
    #[serde(rename = "URI")]
    uri: &'static str,
}

#[derive(Serialize)]
pub(super) struct MobileUser<'a> {
    #[serde(rename = "MSISDN")]
    pub(super) msisdn: &'a str,
}

/// Any JSON that is not nested beyond reason. serde_json counts levels where it builds something, but skips
/// an unknown field without counting; so every value is visited once, and nothing is built.
pub(super) struct Shallow;

impl<'de> Deserialize<'de> for Shallow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Shallow {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// A JSON object. Without this serde would also read an array, field by field in the order of the struct.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
    }
}

/// The root of an answer: what was asked for or a Fault, and nothing decides between them but the key.
pub(super) trait Root: DeserializeOwned {
    /// The answer that was asked for.
    type Answer;

    fn parts(self) -> (Option<Object<Self::Answer>>, Option<Object<FaultBody>>);
}

#[derive(Deserialize)]
pub(super) struct SignatureRoot {
    #[serde(rename = "MSS_SignatureResp")]
    signature: Option<Object<SignatureResp>>,
    #[serde(rename = "Fault")]
    fault: Option<Object<FaultBody>>,
}

impl Root for SignatureRoot {
    type Answer = SignatureResp;

    fn parts(self) -> (Option<Object<SignatureResp>>, Option<Object<FaultBody>>) {
        (self.signature, self.fault)
    }
}

#[derive(Deserialize)]
pub(super) struct StatusRoot {
    #[serde(rename = "MSS_StatusResp")]
    status: Option<Object<StatusResp>>,
    #[serde(rename = "Fault")]
    fault: Option<Object<FaultBody>>,
}

impl Root for StatusRoot {
    type Answer = StatusResp;

    fn parts(self) -> (Option<Object<StatusResp>>, Option<Object<FaultBody>>) {
        (self.status, self.fault)
    }
}

/// Without MSSP_TransID and SignatureProfile, which the answer to the signature request had.
#[derive(Deserialize)]
pub(super) struct StatusResp {
    #[serde(rename = "AP_Info")]
    pub(super) ap_info: Option<Object<RespApInfo>>,
    #[serde(rename = "MSS_Signature")]
    pub(super) mss_signature: Option<Object<MssSignature>>,
    #[serde(rename = "MobileUser")]
    pub(super) mobile_user: Option<StatusUser>,
    #[serde(rename = "Status")]
    pub(super) status: Option<Object<RespStatus>>,
}

/// MobileUser as it was recorded and as the guide prints it: an object, or the number alone.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum StatusUser {
    Object(Object<RespMobileUser>),
    Text(String),
    Number(u64),
}

impl StatusUser {
    pub(super) fn msisdn(self) -> Option<String> {
        match self {
            Self::Object(user) => user.0.msisdn,
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(number.to_string()),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SignatureResp {
    #[serde(rename = "AP_Info")]
    pub(super) ap_info: Option<Object<RespApInfo>>,
    #[serde(rename = "MSSP_TransID")]
    pub(super) mssp_trans_id: Option<String>,
    #[serde(rename = "MSS_Signature")]
    pub(super) mss_signature: Option<Object<MssSignature>>,
    #[serde(rename = "MobileUser")]
    pub(super) mobile_user: Option<Object<RespMobileUser>>,
    #[serde(rename = "SignatureProfile")]
    pub(super) profile: Option<String>,
    #[serde(rename = "Status")]
    pub(super) status: Option<Object<RespStatus>>,
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
    code: Option<Object<RespValue>>,
}

impl RespStatus {
    /// The code by number, where one stands there.
    pub(super) fn status(&self) -> Option<fault::Status> {
        status(self.code.as_ref())
    }
}

fn status(code: Option<&Object<RespValue>>) -> Option<fault::Status> {
    fault::parse_code(code?.0.value.as_deref()?).map(fault::Status::from_code)
}

#[derive(Deserialize)]
pub(super) struct RespValue {
    #[serde(rename = "Value")]
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FaultBody {
    #[serde(rename = "Code")]
    code: Option<Object<FaultCode>>,
    #[serde(rename = "Detail")]
    detail: Option<serde_json::Value>,
    #[serde(rename = "Reason")]
    reason: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct FaultCode {
    #[serde(rename = "SubCode")]
    sub_code: Option<Object<RespValue>>,
}

/// A remote text may be this long in a log line.
const DETAIL_MAX: usize = 200;

impl FaultBody {
    /// The fault, or what is missing in it. Detail and Reason are shown where they are plain texts.
    pub(super) fn reply(&self) -> Result<FaultReply, Unreadable> {
        let value = self.code.as_ref().and_then(|c| c.0.sub_code.as_ref()).and_then(|s| s.0.value.as_deref());
        let code =
            value.and_then(fault::parse_code).ok_or(Unreadable::MissingField("Fault.Code.SubCode.Value"))?;
        let shown = |text: &Option<serde_json::Value>| {
            text.as_ref().and_then(|v| v.as_str()).map(|t| text::foreign(t, DETAIL_MAX)).unwrap_or_default()
        };
        let (reason, detail) = (shown(&self.reason), shown(&self.detail));
        let separator = if reason.is_empty() || detail.is_empty() { "" } else { ": " };
        Ok(FaultReply {
            fault: fault::Fault::from_code(code),
            detail: format!("{reason}{separator}{detail}"),
        })
    }
}
