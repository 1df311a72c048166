//! MSS_ProfileQuery on the wire.
//!
//! Guide and recording agree: `Sscds.App` is a list and `Sscds.Sim` an object, and what is true or false is a JSON
//! boolean. Yet for one thing the same service writes an object here and a bare value there, and its receipts have
//! `"true"` in quotes. Neither form leaves a doubt, so both are read: [`Few`], [`Flag`].

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        Error as _, IntoDeserializer as _, MapAccess, SeqAccess, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
};

use super::{ApInfo, FaultBody, MobileUser, MsspInfo, Object, RespValue, Root};
use crate::mss::fault::Status;

#[derive(Serialize)]
pub(in crate::mss) struct ProfileRequest<'a> {
    #[serde(rename = "MSS_ProfileReq")]
    pub(in crate::mss) profile: ProfileReq<'a>,
}

#[derive(Serialize)]
pub(in crate::mss) struct ProfileReq<'a> {
    #[serde(rename = "AP_Info")]
    pub(in crate::mss) ap_info: ApInfo<'a>,
    #[serde(rename = "MSSP_Info")]
    pub(in crate::mss) mssp_info: MsspInfo,
    #[serde(rename = "MajorVersion")]
    pub(in crate::mss) major: &'a str,
    #[serde(rename = "MinorVersion")]
    pub(in crate::mss) minor: &'a str,
    #[serde(rename = "MobileUser")]
    pub(in crate::mss) mobile_user: MobileUser<'a>,
    #[serde(rename = "Params")]
    pub(in crate::mss) params: &'a str,
}

#[derive(Deserialize)]
pub(in crate::mss) struct ProfileRoot {
    #[serde(rename = "MSS_ProfileResp")]
    profile: Option<Object<ProfileResp>>,
    #[serde(rename = "Fault")]
    fault: Option<Object<FaultBody>>,
}

impl Root for ProfileRoot {
    type Answer = ProfileResp;

    fn parts(self) -> (Option<Object<ProfileResp>>, Option<Object<FaultBody>>) {
        (self.profile, self.fault)
    }
}

#[derive(Deserialize)]
pub(in crate::mss) struct ProfileResp {
    #[serde(rename = "SignatureProfile")]
    pub(in crate::mss) profiles: Option<Few<String>>,
    #[serde(rename = "Status")]
    pub(in crate::mss) status: Option<Object<ProfileStatus>>,
}

#[derive(Deserialize)]
pub(in crate::mss) struct ProfileStatus {
    #[serde(rename = "StatusCode")]
    code: Option<Object<RespValue>>,
    #[serde(rename = "StatusDetail")]
    pub(in crate::mss) detail: Option<Object<StatusDetail>>,
}

impl ProfileStatus {
    /// The code by number, where one stands there.
    pub(in crate::mss) fn status(&self) -> Option<Status> {
        super::status(self.code.as_ref())
    }
}

#[derive(Deserialize)]
pub(in crate::mss) struct StatusDetail {
    #[serde(rename = "ProfileQueryExtension")]
    pub(in crate::mss) extension: Option<Object<Extension>>,
}

#[derive(Deserialize, Default)]
pub(in crate::mss) struct Extension {
    #[serde(rename = "MobileUser")]
    pub(in crate::mss) user: Option<Object<UserStatus>>,
    #[serde(rename = "Sscds")]
    pub(in crate::mss) devices: Option<Object<Sscds>>,
}

#[derive(Deserialize, Default)]
pub(in crate::mss) struct UserStatus {
    #[serde(rename = "AutoActivation")]
    pub(in crate::mss) auto_activation: Option<Flag>,
    #[serde(rename = "RecoveryCodeCreated")]
    pub(in crate::mss) recovery_code: Option<Flag>,
}

#[derive(Deserialize, Default)]
pub(in crate::mss) struct Sscds {
    #[serde(rename = "App")]
    pub(in crate::mss) apps: Option<Few<Object<Sscd>>>,
    #[serde(rename = "Sim")]
    pub(in crate::mss) sims: Option<Few<Object<Sscd>>>,
}

/// A Secure Signature Creation Device: a SIM card, or a phone with the App.
#[derive(Deserialize)]
pub(in crate::mss) struct Sscd {
    #[serde(rename = "MobileUserCertificate")]
    pub(in crate::mss) certificates: Option<Few<Object<UserCertificate>>>,
    #[serde(rename = "PinStatus")]
    pub(in crate::mss) pin: Option<Object<PinStatus>>,
    #[serde(rename = "State")]
    pub(in crate::mss) state: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::mss) struct PinStatus {
    #[serde(rename = "Blocked")]
    pub(in crate::mss) blocked: Option<Flag>,
}

/// Without the certificates themselves: what counts of them is the subject's serial number.
#[derive(Deserialize)]
pub(in crate::mss) struct UserCertificate {
    #[serde(rename = "Algorithm")]
    pub(in crate::mss) algorithm: Option<String>,
    #[serde(rename = "State")]
    pub(in crate::mss) state: Option<String>,
    /// The user's, and then those of the authorities.
    #[serde(rename = "X509SubjectName")]
    pub(in crate::mss) subjects: Option<Few<String>>,
}

/// A list, or its only item without brackets. The service knows a handful of each thing; an answer that lists hundreds
/// is none of its own, and would be the larger the more of it were kept.
pub(in crate::mss) struct Few<T>(pub(in crate::mss) Vec<T>);

const FEW: usize = 32;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FewVisitor(PhantomData))
    }
}

struct FewVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FewVisitor<T> {
    type Value = Few<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one item, or a list of at most {FEW}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut few = Vec::new();
        while let Some(item) = items.next_element()? {
            if few.len() == FEW {
                return Err(A::Error::invalid_length(FEW.saturating_add(1), &self));
            }
            few.push(item);
        }
        Ok(Few(few))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(|item| Few(vec![item]))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(|item| Few(vec![item]))
    }
}

/// `true` or `"true"`.
#[derive(Clone, Copy)]
pub(in crate::mss) struct Flag(pub(in crate::mss) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(flag))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Flag, E> {
        text.parse().map(Flag).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
