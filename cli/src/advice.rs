//! What an administrator does where the service refuses us, and not a person: nobody's phone has rung, and nobody's will
//! until it is mended.

use std::time::SystemTime;

use mobileid::{
    load::{Connection, Setup},
    mss::fault::Fault,
    outcome::{Reason, Verdict},
    text::escaped,
};

use crate::check::client;

/// What we are to the service.
pub(crate) struct Us<'a> {
    pub(crate) ap_id: &'a str,
    /// `service.dtbd_prefix`, with its blank.
    pub(crate) prefix: String,
    pub(crate) connection: &'a Connection,
}

impl<'a> Us<'a> {
    pub(crate) fn of(setup: &'a Setup) -> Self {
        let config = &setup.config;
        Self { ap_id: &config.ap.ap_id, prefix: config.prefix.to_string(), connection: &setup.connection }
    }

    /// What to look at, the likeliest first; nothing where the fault is not about us.
    pub(crate) fn after(&self, fault: Fault) -> Vec<String> {
        let ap_id = escaped(self.ap_id, 200);
        match fault {
            Fault::UnauthorizedAccess | Fault::ConnectionRefused => {
                let mut advice = vec![
                    format!("service.ap_id is \"{ap_id}\": is that the AP_ID that Swisscom gave us, to the letter?"),
                    "has Swisscom registered our certificate for it? A new one counts once they say so".to_owned(),
                ];
                advice.extend(certificate(self.connection));
                advice.push(
                    "the certificate goes alone, because the service refuses a chain, and must be for clientAuth"
                        .to_owned(),
                );
                advice.push(
                    "does Swisscom know the public address that requests of this host come from?".to_owned(),
                );
                advice
            }
            Fault::InappropriateData => vec![
                format!(
                    "each text on a phone begins with service.dtbd_prefix, which is \"{}\"",
                    escaped(&self.prefix, 200)
                ),
                format!(
                    "have Swisscom confirm the DTBD prefix that they have noted for {ap_id}, and make it the same, blanks \
                     and capitals too"
                ),
            ],
            Fault::UnsupportedProfile => vec![
                "signature.profile, or the profile in the person's entry, is one that our contract does not allow"
                    .to_owned(),
            ],
            _ => Vec::new(),
        }
    }

    /// The same for the end of a login.
    pub(crate) fn after_login(&self, verdict: &Verdict) -> Vec<String> {
        match verdict {
            Verdict::Denied(Reason::Fault(fault)) => self.after(*fault),
            _ => Vec::new(),
        }
    }
}

/// Which certificate is ours, and what is wrong with it as far as it can be seen from here.
pub(crate) fn certificate(connection: &Connection) -> Vec<String> {
    let (facts, findings) =
        client::look(&connection.client_cert, connection.client_cert_count, SystemTime::now());
    let sent = facts.map(|facts| format!("we sent {}, SHA-256 {}", facts.subject, facts.sha256));
    let findings = findings.into_iter().map(|what| format!("service.client_cert: {what}"));
    sent.into_iter().chain(findings).collect()
}
