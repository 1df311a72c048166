//! The Smart Registration Service (guide v1.41) and the Registration Authority's verify call, on one listener.
//!
//! ```text
//! POST /oauth/token                       Basic simulator:simulator-secret, grant_type=client_credentials, scope=miss
//! GET  /api/providers?FILTER              issuer, jurisdiction, loa, method, offline, webflow, realtime
//! POST /api/providers/{issuer}/{method}   an order: refId and the task
//! GET  /api/identifications/{refId}       issuer, method, mobile, status
//! POST /api/evidences/verify              without a token: evidenceId, or 404
//! ```
//!
//! What a person, an issuer and time do to an identification is done over the phone page's server (`control`), as the
//! test environment of guide 4 lets its users do.
//!
//! A subscriber with a behaviour that acts by itself does so here too: `approve` goes from state to state, `cancel` is
//! not identified. One whose behaviour spoils answers spoils that to the question for the status.

mod answers;
mod catalogue;
pub(crate) mod control;
mod query;
mod registry;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::http::{self, NoRequest};
use crate::pki::ServerIdentity;
use crate::server::{self, DRIP};
use crate::service::Service;

pub(crate) use registry::Registry;
pub use registry::{Evidence, Identification, Jurisdiction, State};

/// The client that the service knows.
pub(crate) const CLIENT_ID: &str = "simulator";
pub(crate) const CLIENT_SECRET: &str = "simulator-secret";

const KEEP_ALIVE: Duration = Duration::from_secs(10);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// TLS as the Mobile ID service has it, but nobody is asked for a certificate.
pub(crate) fn tls(identity: &ServerIdentity) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from(identity.certificate.clone());
    let key = PrivatePkcs8KeyDer::from(identity.pkcs8.clone());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .context("the server certificate")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Tells the journal what became of an identification. False if nothing did.
pub(crate) fn changed(service: &Service, identification: Option<Identification>) -> bool {
    identification.inspect(|identification| answers::record(service, identification)).is_some()
}

/// Serves until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, service: Arc<Service>) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(DRIP).await;
            continue;
        };
        tokio::spawn(connected(stream, port, tls.clone(), service.clone()));
    }
}

async fn connected(stream: TcpStream, port: u16, tls: TlsAcceptor, service: Arc<Service>) {
    let Ok(Ok(mut stream)) = timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await else { return };
    let mut buffer = Vec::new();
    loop {
        let (reply, closes) = match http::read_request(&mut stream, &mut buffer, KEEP_ALIVE).await {
            Ok(request) => (answers::answer(&request, port, &service), request.closes()),
            Err(NoRequest::Gone) => return,
            Err(NoRequest::Refused(status)) => (answers::Reply::refusal(status, "not a request"), true),
        };
        if let Some(behaviour) = reply.spoiled {
            server::spoil_and_end(stream, reply.body, behaviour).await;
            return;
        }
        let date = http::date();
        let mut headers = vec![("Content-Type", reply.kind), ("Date", &date), ("Cache-Control", "no-store")];
        headers.extend(reply.challenge.map(|challenge| ("WWW-Authenticate", challenge)));
        headers.push(("Connection", if closes { "close" } else { "keep-alive" }));
        let body = reply.body.to_string();
        if http::write_plain(&mut stream, reply.status, &headers, body.as_bytes()).await.is_err() || closes {
            return;
        }
    }
}
