//! The service's faults: a closed list with the texts of the reference guide, and their JSON.

use serde_json::{Value, json};

macro_rules! codes {
    ($($variant:ident = $code:literal $reason:literal $detail:literal,)+) => {
        /// The fault sub-codes of the guide's section 6.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($variant,)+ }

        impl Code {
            const ALL: &'static [Code] = &[$(Code::$variant,)+];

            pub(crate) const fn number(self) -> u16 {
                match self { $(Code::$variant => $code,)+ }
            }

            const fn reason(self) -> &'static str {
                match self { $(Code::$variant => $reason,)+ }
            }

            const fn detail(self) -> &'static str {
                match self { $(Code::$variant => $detail,)+ }
            }
        }
    };
}

codes! {
    WrongParam = 101 "WRONG_PARAM" "Error among the arguments of the request",
    MissingParam = 102 "MISSING_PARAM" "An argument in the request is missing",
    WrongDataLength = 103 "WRONG_DATA_LENGTH" "The DataToBeSigned are too large. Limitations are due to the Mobile Signature technology implemented by the MSSP.",
    UnauthorizedAccess = 104 "UNAUTHORIZED_ACCESS" "The AP is unknown, or the password is wrong, or the AP asks for an additional service for which it has not subscribed.",
    UnknownClient = 105 "UNKNOWN_CLIENT" "MSISDN is unknown",
    InappropriateData = 107 "INAPPROPRIATE_DATA" "DTBD matching failed",
    IncompatibleInterface = 108 "INCOMPATIBLE_INTERFACE" "The minor version and/or major version parameters are inappropriate for the receiver of the message.",
    UnsupportedProfile = 109 "UNSUPPORTED_PROFILE" "The user does not support this Mobile Signature Profile",
    ExpiredTransaction = 208 "EXPIRED_TRANSACTION" "Transaction Expiry date has been reached or Time out has lapsed.",
    OtaError = 209 "OTA_ERROR" "The MSSP has not succeeded to contact the end-user's mobile equipment Bad connection...)",
    UserCancel = 401 "USER_CANCEL" "User cancelled the request",
    PinNrBlocked = 402 "PIN_NR_BLOCKED" "PIN of the mobile user is blocked",
    CardBlocked = 403 "CARD_BLOCKED" "Mobile user account has state INACTIVE or no SIM assigned",
    NoKeyFound = 404 "NO_KEY_FOUND" "Mobile user account needs to be activated",
    PbSignatureProcess = 406 "PB_SIGNATURE_PROCESS" "Signature request already in progress.",
    NoCertFound = 422 "NO_CERT_FOUND" "Certificate is expired",
    InternalError = 900 "INTERNAL_ERROR" "Unknown Error",
}

impl Code {
    /// What a request to the test number `41000092<code>` earns.
    pub(crate) fn of_test_number(msisdn: &str) -> Option<Code> {
        let number = msisdn.strip_prefix("41000092")?;
        Code::ALL.iter().copied().find(|code| code.number().to_string() == number)
    }
}

/// A refusal: goes out as HTTP 500, after which the service closes the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) detail: String,
}

impl From<Code> for Fault {
    fn from(code: Code) -> Fault {
        Fault { code, detail: code.detail().to_owned() }
    }
}

impl Fault {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Fault {
        Fault { code, detail: detail.into() }
    }

    /// A parameter that is there and wrong. The live texts of most cases are not known: these help whoever
    /// writes a client, and no client may depend on them.
    pub(crate) fn wrong(detail: impl Into<String>) -> Fault {
        Fault::new(Code::WrongParam, detail)
    }

    /// A signature request on which time ran out.
    pub(crate) fn no_answer_from_user() -> Fault {
        Fault::new(Code::ExpiredTransaction, "Timed out waiting for an answer from user.")
    }

    pub(crate) fn to_json(&self) -> Value {
        // SOAP's two parties: what the caller can mend is the sender's fault.
        let party = if self.code.number() < 200 { "Sender" } else { "Receiver" };
        json!({ "Fault": {
            "Code": {
                "SubCode": {
                    "Value": format!("_{}", self.code.number()),
                    "ValueNs": "http://uri.etsi.org/TS102204/v1.1.2#",
                },
                "Value": party,
                "ValueNs": "http://www.w3.org/2003/05/soap-envelope",
            },
            "Detail": self.detail,
            "Reason": self.code.reason(),
        }})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_numbers_name_their_fault() {
        assert_eq!(Code::of_test_number("41000092401"), Some(Code::UserCancel));
        assert_eq!(Code::of_test_number("41000092501"), None);
        assert_eq!(Code::of_test_number("41000000000"), None);
    }

    #[test]
    fn a_fault_as_recorded() {
        let recorded = json!({ "Fault": {
            "Code": {
                "SubCode": { "Value": "_208", "ValueNs": "http://uri.etsi.org/TS102204/v1.1.2#" },
                "Value": "Receiver",
                "ValueNs": "http://www.w3.org/2003/05/soap-envelope",
            },
            "Detail": "Timed out waiting for an answer from user.",
            "Reason": "EXPIRED_TRANSACTION",
        }});
        assert_eq!(Fault::no_answer_from_user().to_json(), recorded);
    }
}
