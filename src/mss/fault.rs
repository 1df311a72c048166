//! What code 422 means: the fault and status codes of guide 6.1, and those seen since.
//!
//! Codes are matched by number, with or without the leading underscore or a namespace (`_401`, `401`,
//! `mss:_401`); the text beside them differs between operations and is for humans only.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $unknown:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A code that is not in the guide.
            Unknown(u16),
        }

        impl $name {
            /// Every code of the list.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The meaning of a number.
            #[must_use]
            pub fn from_code(code: u16) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }

            /// The number of guide 6.1.
            #[must_use]
            pub fn code(self) -> u16 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Unknown(code) => code,
                }
            }

            /// The stable name in logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                    Self::Unknown(_) => $unknown,
                }
            }
        }
    };
}

codes! {
    /// Fault codes: the service did not do what was asked.
    Fault, "unknown-fault" {
        /// 101 WRONG_PARAM
        WrongParam = 101, "wrong-param";
        /// 102 MISSING_PARAM
        MissingParam = 102, "missing-param";
        /// 103 WRONG_DATA_LENGTH
        WrongDataLength = 103, "wrong-data-length";
        /// 104 UNAUTHORIZED_ACCESS
        UnauthorizedAccess = 104, "unauthorized-access";
        /// 105 UNKNOWN_CLIENT
        UnknownClient = 105, "unknown-client";
        /// 107 INAPPROPRIATE_DATA
        InappropriateData = 107, "inappropriate-data";
        /// 108 INCOMPATIBLE_INTERFACE
        IncompatibleInterface = 108, "incompatible-interface";
        /// 109 UNSUPPORTED_PROFILE
        UnsupportedProfile = 109, "unsupported-profile";
        /// 208 EXPIRED_TRANSACTION
        ExpiredTransaction = 208, "expired-transaction";
        /// 209 OTA_ERROR
        OtaError = 209, "ota-error";
        /// 401 USER_CANCEL
        UserCancel = 401, "user-cancel";
        /// 402 PIN_NR_BLOCKED
        PinBlocked = 402, "pin-nr-blocked";
        /// 403 CARD_BLOCKED
        CardBlocked = 403, "card-blocked";
        /// 404 NO_KEY_FOUND
        NoKeyFound = 404, "no-key-found";
        /// 406 PB_SIGNATURE_PROCESS
        SignatureInProcess = 406, "pb-signature-process";
        /// 422 NO_CERT_FOUND
        NoCertFound = 422, "no-cert-found";
        /// 450, not in the guide: the service enforced a geofencing policy
        GeofencingViolation = 450, "geofencing-policy-violation";
        /// 780, not in the guide: no valid TLS client certificate
        ConnectionRefused = 780, "connection-refused";
        /// 900 INTERNAL_ERROR
        InternalError = 900, "internal-error";
    }
}

codes! {
    /// Status codes: what became of the transaction.
    Status, "unknown-status" {
        /// 100 REQUEST_OK: taken on, not signed
        RequestOk = 100, "request-ok";
        /// 500 SIGNATURE: signed
        Signature = 500, "signature";
        /// 501 REVOKED_CERTIFICATE
        RevokedCertificate = 501, "revoked-certificate";
        /// 502 VALID_SIGNATURE: signed, and checked by the service
        ValidSignature = 502, "valid-signature";
        /// 503 INVALID_SIGNATURE
        InvalidSignature = 503, "invalid-signature";
        /// 504 OUTSTANDING_TRANSACTION
        OutstandingTransaction = 504, "outstanding-transaction";
    }
}

/// Reads `_401`, `401` or `mss:_401`.
#[must_use]
pub fn parse_code(text: &str) -> Option<u16> {
    let local = text.rsplit_once(':').map_or(text, |(_, local)| local);
    let digits = local.strip_prefix('_').unwrap_or(local);
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_with_and_without_underscore() {
        for (text, code) in [
            ("_401", Some(401)),
            ("401", Some(401)),
            ("mss:_401", Some(401)),
            ("_1234", Some(1234)),
            ("__401", None),
            ("_", None),
            ("", None),
            ("+401", None),
            ("40 1", None),
            ("12345", None),
            ("USER_CANCEL", None),
        ] {
            assert_eq!(parse_code(text), code, "{text:?}");
        }
    }

    #[test]
    fn every_code_of_the_guide_has_its_own_meaning() {
        let guide = [101, 102, 103, 104, 105, 107, 108, 109, 208, 209, 401, 402, 403, 404, 406, 422, 900];
        for code in guide {
            assert!(!matches!(Fault::from_code(code), Fault::Unknown(_)), "{code}");
            assert_eq!(Fault::from_code(code).code(), code);
        }
        for code in [100, 500, 501, 502, 503, 504] {
            assert!(!matches!(Status::from_code(code), Status::Unknown(_)), "{code}");
            assert_eq!(Status::from_code(code).code(), code);
        }
        assert_eq!(Fault::from_code(777), Fault::Unknown(777));
        assert_eq!(Status::from_code(401), Status::Unknown(401));
    }
}
