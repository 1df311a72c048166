//! Reads and judges requests in the service's order, which decides the fault of a request that is wrong
//! twice: who asks, in which version, is everything there, is it plausible, is it too long.
//!
//! What takes the service's memory to judge (a reused transaction, an unknown subscriber, a missing prefix)
//! comes after these, in `service`.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::faults::{Code, Fault};
use crate::profiles::Profile;
use crate::subscribers::parse_msisdn;
use crate::text;

/// How far an Instant may be from the service's clock.
pub(crate) const CLOCK_TOLERANCE: time::Duration = time::Duration::minutes(5);
/// TimeOut where a request has none: clients that spell it `Timeout` find it ignored.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(80);
/// The longest TimeOut that counts.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

const USER_LANG: &str = "http://mss.ficom.fi/TS102204/v1.0.0#userLang";
const GEOFENCING: &str = "http://mid.swisscom.ch/as#geofencing";
const APP2APP: &str = "http://mid.swisscom.ch/as#app2app";

/// The message below a request's root key.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a>(pub(crate) &'a Value);

/// AP_Info after its checks.
#[derive(Clone, Debug)]
pub(crate) struct ApInfo {
    pub(crate) id: String,
    pub(crate) trans_id: String,
    pub(crate) instant: OffsetDateTime,
}

/// A signature request that holds in itself.
#[derive(Clone, Debug)]
pub(crate) struct SignRequest {
    pub(crate) ap: ApInfo,
    pub(crate) msisdn: String,
    pub(crate) text: String,
    /// As received; the service takes both cases.
    pub(crate) language: String,
    pub(crate) profile_uri: String,
    pub(crate) profile: Option<Profile>,
    pub(crate) timeout: Duration,
    pub(crate) asynchronous: bool,
    pub(crate) wants_geofencing: bool,
}

impl Message<'_> {
    /// The value of a field that has to be a string.
    fn text(&self, path: &[&str]) -> Result<&str, Fault> {
        self.optional(path)?
            .ok_or_else(|| Fault::new(Code::MissingParam, format!("{} is missing", path.join("/"))))
    }

    fn optional(&self, path: &[&str]) -> Result<Option<&str>, Fault> {
        match path.iter().try_fold(self.0, |value, key| value.get(key)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::wrong(format!("{} is no string", path.join("/")))),
        }
    }

    /// Who asks, and whether the message has the version that its kind has. Nothing else is looked at before.
    pub(crate) fn admit(&self, ap_id: &str, version: (&str, &str)) -> Result<(), Fault> {
        if self.text(&["AP_Info", "AP_ID"])? != ap_id {
            return Err(Code::UnauthorizedAccess.into());
        }
        // AP_PWD has to be there and is not validated, as in the live service.
        self.text(&["AP_Info", "AP_PWD"])?;
        if (self.text(&["MajorVersion"])?, self.text(&["MinorVersion"])?) != version {
            return Err(Code::IncompatibleInterface.into());
        }
        Ok(())
    }

    pub(crate) fn ap_info(&self, now: OffsetDateTime) -> Result<ApInfo, Fault> {
        let id = self.text(&["AP_Info", "AP_ID"])?.to_owned();
        let trans_id = self.text(&["AP_Info", "AP_TransID"])?.to_owned();
        let instant = self.text(&["AP_Info", "Instant"])?;
        self.text(&["MSSP_Info", "MSSP_ID", "URI"])?;
        if !is_ncname(&trans_id) {
            return Err(Fault::wrong("AP_TransID is no NCName"));
        }
        let Ok(instant) = OffsetDateTime::parse(instant, &Rfc3339) else {
            return Err(Fault::wrong("Instant is no dateTime with a time zone"));
        };
        if (now - instant).abs() > CLOCK_TOLERANCE {
            return Err(Fault::wrong("Instant is too far from the current time"));
        }
        Ok(ApInfo { id, trans_id, instant })
    }

    pub(crate) fn msisdn(&self) -> Result<String, Fault> {
        let text = self.text(&["MobileUser", "MSISDN"])?;
        // The number of the health check is well formed and illegal all the same.
        match parse_msisdn(text) {
            Some(msisdn) if msisdn != "41000000000" => Ok(msisdn),
            _ => Err(Fault::wrong("Illegal msisdn")),
        }
    }

    pub(crate) fn mssp_trans_id(&self) -> Result<String, Fault> {
        Ok(self.text(&["MSSP_TransID"])?.to_owned())
    }

    /// The words a profile query asks for.
    pub(crate) fn params(&self) -> Result<Vec<String>, Fault> {
        Ok(self.optional(&["Params"])?.unwrap_or_default().split_whitespace().map(str::to_owned).collect())
    }

    /// The text of a receipt, after the checks that every displayed text has to pass.
    pub(crate) fn receipt_text(&self) -> Result<String, Fault> {
        self.displayed("Message")
    }

    /// Does a receipt ask for the person's reaction in the answer?
    pub(crate) fn wants_receipt_extension(&self) -> bool {
        let path = ["Status", "StatusDetail", "ReceiptRequestExtension"];
        path.iter().try_fold(self.0, |value, key| value.get(key)).is_some()
    }

    pub(crate) fn sign_request(&self, now: OffsetDateTime) -> Result<SignRequest, Fault> {
        let ap = self.ap_info(now)?;
        let mode = self.text(&["MessagingMode"])?;
        let profile_uri = self.text(&["SignatureProfile"])?.to_owned();
        // Looked for before it is judged: a request without a text lacks a parameter, whatever its number.
        self.text(&["DataToBeSigned", "Data"])?;
        let msisdn = self.msisdn()?;
        let asynchronous = match mode {
            "synch" => false,
            "asynch" => true,
            _ => return Err(Fault::wrong("MessagingMode is neither synch nor asynch")),
        };
        let timeout = match self.optional(&["TimeOut"])?.map(str::parse::<u64>) {
            None => DEFAULT_TIMEOUT,
            Some(Ok(seconds @ 1..)) => Duration::from_secs(seconds).min(MAX_TIMEOUT),
            Some(_) => return Err(Fault::wrong("TimeOut is no number of seconds")),
        };
        let (language, wants_geofencing) = self.services(asynchronous)?;
        let text = self.displayed("DataToBeSigned")?;
        Ok(SignRequest {
            ap,
            msisdn,
            text,
            language,
            profile: Profile::from_uri(&profile_uri),
            profile_uri,
            timeout,
            asynchronous,
            wants_geofencing,
        })
    }

    fn displayed(&self, key: &str) -> Result<String, Fault> {
        let data = self.text(&[key, "Data"])?;
        if self.text(&[key, "MimeType"])? != "text/plain" || self.text(&[key, "Encoding"])? != "UTF-8" {
            return Err(Fault::wrong(format!("{key} is not text/plain in UTF-8")));
        }
        if !text::fits(data) {
            return Err(Code::WrongDataLength.into());
        }
        Ok(data.to_owned())
    }

    /// The additional services: the user's language, which is mandatory, and whether geofencing is asked for.
    fn services(&self, asynchronous: bool) -> Result<(String, bool), Fault> {
        let list = match self.0.get("AdditionalServices") {
            Some(Value::Array(list)) => list.as_slice(),
            None => &[],
            Some(_) => return Err(Fault::wrong("AdditionalServices is no list")),
        };
        let (mut language, mut wants_geofencing) = (None, false);
        for service in list.iter().map(Message) {
            match service.text(&["Description"])? {
                USER_LANG => language = Some(service.text(&["UserLang", "Value"])?.to_owned()),
                GEOFENCING => wants_geofencing = true,
                APP2APP if !asynchronous => return Err(Fault::wrong("App2App needs MessagingMode asynch")),
                _ => return Err(Code::UnauthorizedAccess.into()),
            }
        }
        let language = language.ok_or_else(|| Fault::wrong("the service userLang is missing"))?;
        if !["EN", "DE", "FR", "IT"].contains(&language.to_ascii_uppercase().as_str()) {
            return Err(Fault::wrong("UserLang is none of EN, DE, FR, IT"));
        }
        Ok((language, wants_geofencing))
    }
}

/// xsd:NCName: what an XML name may be, without a colon. A digit cannot come first.
fn is_ncname(text: &str) -> bool {
    let is_start = |character: char| character == '_' || character.is_alphabetic();
    let is_part =
        |character: char| is_start(character) || character.is_numeric() || "-.·".contains(character);
    text.chars().next().is_some_and(is_start) && text.chars().all(is_part)
}

/// An Instant the way answers carry it: in UTC, to the millisecond.
pub(crate) fn instant_text(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!("{date}T{:02}:{:02}:{:02}.{:03}Z", time.hour(), time.minute(), time.second(), time.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_names() {
        for good in ["REF0101120000", "_x", "ID-7f1c", "POSTMAN.28299.852", "é1"] {
            assert!(is_ncname(good), "{good}");
        }
        for bad in ["", "0x", "a:b", "a b", "-a", ".a", "a\n"] {
            assert!(!is_ncname(bad), "{bad:?}");
        }
    }

    #[test]
    fn instants_come_back_in_utc() {
        let summer = OffsetDateTime::parse("2024-07-02T10:04:25.9987+02:00", &Rfc3339).unwrap();
        assert_eq!(instant_text(summer), "2024-07-02T08:04:25.998Z");
    }
}
