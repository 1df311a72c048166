//! The settings of TLS towards the service, the same for every driver: whom we believe, and how we prove who we are.
//! Nothing is read from the environment: no certificate file, no key log.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SignatureAlgorithm,
    client::WantsClientCert,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use crate::load::{Connection, Way};

/// Why the way to the service cannot be prepared; the text names what to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(String);

impl Unusable {
    /// The server's name is none.
    #[must_use]
    pub fn name() -> Self {
        Self("service.server_name: not a name or address".into())
    }

    #[cfg(feature = "blocking")]
    pub(super) fn host(host: &str) -> Self {
        Self(format!("srs: {host}: not a name or address"))
    }

    #[cfg(feature = "directories")]
    pub(super) fn of_directory(name: &str) -> Self {
        Self(format!("directory.server_name: {name}: not a name or address"))
    }

    #[cfg(feature = "blocking")]
    pub(super) fn no_randomness() -> Self {
        Self("the system has no randomness to give".into())
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// TLS 1.2 and 1.3 with the server's roots, our leaf certificate and its key. No early data, which could be played
/// again.
///
/// # Errors
/// A root, certificate or key that rustls does not take, or a key that does not fit the certificate.
pub fn client(connection: &Connection) -> Result<ClientConfig, Unusable> {
    let roots = roots(&connection.server_roots, "service.server_trust")?;
    let key = PrivateKeyDer::from_pem_slice(connection.client_key.expose().as_bytes())
        .map_err(|_| Unusable("service.client_key: not a private key".into()))?;
    let leaf = CertificateDer::from(connection.client_cert.clone());
    trusting(roots)?.with_client_auth_cert(vec![leaf], key).map_err(|e| match e {
        rustls::Error::InconsistentKeys(_) => {
            Unusable("service.client_key: is not the key of the certificate in service.client_cert".into())
        }
        e => Unusable(format!("service.client_cert and service.client_key: {e}")),
    })
}

/// Whether a certificate of this key could be ours. Who makes one learns it before it is registered.
#[must_use]
pub fn can_be_ours(key: &PrivateKeyDer<'_>) -> bool {
    let signs = rustls::crypto::ring::sign::any_supported_type(key);
    signs.is_ok_and(|key| matches!(key.algorithm(), SignatureAlgorithm::RSA | SignatureAlgorithm::ECDSA))
}

/// The same towards a server of the Smart Registration Service, which wants no certificate of ours.
///
/// # Errors
/// There is no root that rustls takes.
pub fn without_certificate(way: &Way) -> Result<ClientConfig, Unusable> {
    Ok(trusting(roots(&way.server_roots, "srs.server_trust")?)?.with_no_client_auth())
}

fn roots(server_roots: &[Vec<u8>], key: &str) -> Result<RootCertStore, Unusable> {
    let mut roots = RootCertStore::empty();
    for root in server_roots {
        // Of the system's many roots some may be odd; what counts is that there are usable ones.
        let _ = roots.add(CertificateDer::from(root.as_slice()));
    }
    if roots.is_empty() {
        return Err(Unusable(format!("{key}: no usable root certificate in it")));
    }
    Ok(roots)
}

fn trusting(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Unusable> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| Unusable(e.to_string()))?
        .with_root_certificates(roots))
}

/// The same towards a directory's server, which is shown no certificate of ours.
///
/// # Errors
/// None of the roots is one that rustls takes.
#[cfg(feature = "directories")]
pub(super) fn of_directory(server_roots: &[Vec<u8>]) -> Result<ClientConfig, Unusable> {
    Ok(trusting(roots(server_roots, "directory.trust")?)?.with_no_client_auth())
}

/// The name that the server's certificate must have.
///
/// # Errors
/// It is neither a name nor an address.
pub fn server_name(connection: &Connection) -> Result<ServerName<'static>, Unusable> {
    ServerName::try_from(connection.server_name.clone()).map_err(|_| Unusable::name())
}
