//! Signature profiles: what an Application Provider asks for, and which of a subscriber's methods it means.

use crate::keys::KeyKind;
use crate::subscribers::{Method, Subscriber};

macro_rules! profiles {
    ($($(#[doc = $doc:literal])+ $variant:ident = $uri:literal,)+) => {
        /// A signature profile the service knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Profile { $($(#[doc = $doc])+ $variant,)+ }

        impl Profile {
            /// Every profile, in the order of a profile query's answer.
            pub const ALL: &'static [Profile] = &[$(Profile::$variant,)+];

            /// The profile's URI on the wire.
            pub const fn uri(self) -> &'static str {
                match self { $(Profile::$variant => $uri,)+ }
            }
        }
    };
}

profiles! {
    /// Whatever the subscriber has; the SIM is preferred.
    AnyLoa4 = "http://mid.swisscom.ch/Any-LoA4",
    /// The app.
    DeviceLoa4 = "http://mid.swisscom.ch/Device-LoA4",
    /// Deprecated, and mapped to Any-LoA4 for this Application Provider.
    AuthProfile1 = "http://mid.swisscom.ch/MID/v1/AuthProfile1",
    /// The SIM with a P-256 key.
    AuthProfile1Ecc = "http://mid.swisscom.ch/MID/v1/AuthProfile1.ECC",
    /// The SIM with an RSA key.
    AuthProfile1Rsa = "http://mid.swisscom.ch/MID/v1/AuthProfile1.RSA",
    /// The SIM.
    StkLoa4 = "http://mid.swisscom.ch/STK-LoA4",
}

impl Profile {
    pub(crate) fn from_uri(uri: &str) -> Option<Profile> {
        Profile::ALL.iter().copied().find(|profile| profile.uri() == uri)
    }

    /// The method this profile means for the subscriber, if there is one.
    pub(crate) fn method_for(self, subscriber: &Subscriber) -> Option<Method> {
        let has = |method| subscriber.methods.has(method).then_some(method);
        match self {
            Profile::AnyLoa4 | Profile::AuthProfile1 => has(Method::Sim).or(has(Method::App)),
            Profile::DeviceLoa4 => has(Method::App),
            Profile::StkLoa4 => has(Method::Sim),
            Profile::AuthProfile1Ecc => has(Method::Sim).filter(|_| subscriber.key == KeyKind::Ec),
            Profile::AuthProfile1Rsa => has(Method::Sim).filter(|_| subscriber.key == KeyKind::Rsa),
        }
    }

    /// The profile an answer names: it tells which method was used.
    pub(crate) fn resolved(method: Method) -> Profile {
        match method {
            Method::Sim => Profile::StkLoa4,
            Method::App => Profile::DeviceLoa4,
        }
    }
}
