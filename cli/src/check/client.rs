//! Our own certificate: what the service refuses about it with a bare 104 is named here (guide 2.3).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use mobileid::text::escaped;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer as _, public_key::PublicKey, time::ASN1Time,
};

use crate::{out, when};

/// How long before its end a certificate is worth a word: Swisscom must be given the next one.
const SOON: i64 = 30;

/// The certificate, for the report.
#[derive(Serialize)]
pub(crate) struct ClientFacts {
    pub(crate) subject: String,
    pub(crate) until: String,
    pub(crate) key: String,
    /// To compare with the certificate that Swisscom was given.
    pub(crate) sha256: String,
}

pub(crate) fn look(der: &[u8], count: usize, now: SystemTime) -> (Option<ClientFacts>, Vec<String>) {
    let mut findings = Vec::new();
    if count > 1 {
        findings.push(format!(
            "{count} certificates are in the file: only the first is sent, because the service refuses a chain"
        ));
    }
    let Ok(([], certificate)) = X509Certificate::from_der(der) else {
        findings.push("not readable as an X.509 certificate".to_owned());
        return (None, findings);
    };
    findings.extend(purpose(&certificate));
    findings.extend(validity(&certificate, now));
    let key = Key::of(&certificate);
    findings.extend(key.finding());
    let facts = ClientFacts {
        subject: escaped(&certificate.subject().to_string(), 300),
        until: when::day(at(certificate.validity().not_after)),
        key: key.to_string(),
        sha256: out::hex(digest(&SHA256, der).as_ref()),
    };
    (Some(facts), findings)
}

fn purpose(certificate: &X509Certificate<'_>) -> Option<String> {
    let usage = certificate.extended_key_usage().ok().flatten();
    let fits = usage.is_some_and(|usage| usage.value.client_auth);
    (!fits).then(|| {
        "its extended key usage lacks clientAuth (1.3.6.1.5.5.7.3.2): the service may refuse it with 104"
            .to_owned()
    })
}

fn validity(certificate: &X509Certificate<'_>, now: SystemTime) -> Option<String> {
    let (from, until) = (at(certificate.validity().not_before), at(certificate.validity().not_after));
    let left = when::days(now, until);
    if left < 0 {
        Some(format!("expired on {}", when::day(until)))
    } else if now < from {
        Some(format!("not valid before {}", when::day(from)))
    } else {
        (left < SOON).then(|| format!("expires in {left} days, on {}", when::day(until)))
    }
}

/// Kind and bits of a key, where they are known.
struct Key(Option<(&'static str, usize)>);

impl Key {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        Self(match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => Some(("RSA", key.key_size())),
            Ok(PublicKey::EC(key)) => Some(("EC", key.key_size())),
            _ => None,
        })
    }

    fn finding(&self) -> Option<String> {
        match self.0 {
            Some(("RSA", bits)) if bits < 2048 => {
                Some(format!("an RSA key of {bits} bits: take 2048 at least"))
            }
            Some(("RSA", bits)) if bits > 4096 => {
                Some(format!("an RSA key of {bits} bits: take 4096 at most"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // The curves that rustls takes; it refuses others before anybody reads this.
            Some(("EC", bits @ (256 | 384))) => write!(f, "EC P-{bits}"),
            Some((kind, bits)) => write!(f, "{kind} {bits}"),
            None => f.write_str("unknown key"),
        }
    }
}

fn at(time: ASN1Time) -> SystemTime {
    let since = u64::try_from(time.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since)).unwrap_or(SystemTime::UNIX_EPOCH)
}
