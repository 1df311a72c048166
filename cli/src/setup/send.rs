//! What Swisscom has to be given, so that they know us: all of it public.

use std::path::Path;

use mobileid::{config::FileConfig, load::ConfigFile, text::escaped};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::{client::Certificate, roots::as_pem};
use crate::out::hex;

/// The certificate, and to what contract it belongs.
#[derive(Debug, Serialize)]
pub(super) struct ForSwisscom {
    certificate: String,
    sha256: String,
    pem: String,
    ap_id: String,
    dtbd_prefix: String,
}

impl ForSwisscom {
    /// Of the certificate in this file.
    ///
    /// # Errors
    /// Names the file.
    pub(super) fn of(cert: &Path, config: &FileConfig) -> anyhow::Result<Self> {
        let certificate = Certificate::parse(ConfigFile::read(cert)?.text.expose(), cert)?;
        Ok(Self {
            certificate: cert.display().to_string(),
            sha256: hex(digest(&SHA256, certificate.der()).as_ref()),
            pem: as_pem(certificate.der()),
            ap_id: config.ap.ap_id.clone(),
            dtbd_prefix: config.prefix.to_string(),
        })
    }

    pub(super) fn in_words(&self) -> String {
        let Self { certificate, sha256, ap_id, dtbd_prefix, .. } = self;
        format!(
            "\nFor Swisscom; the key stays here:\n  \
             certificate  {}\n  SHA-256      {sha256}\n  AP_ID        {}\n  prefix       \"{}\"\n  \
             address      your public one, from which this host's requests come:\n               \
             their firewall lets no other in\n",
            escaped(certificate, 400),
            escaped(ap_id, 200),
            escaped(dtbd_prefix, 100),
        )
    }
}
