//! The sockets: TLS with a client certificate that anybody may have, HTTP headers as recorded, and the ways
//! in which an answer can be spoiled on the wire.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::socket::{Backlog, listen};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::answers::Answer;
use crate::behaviour::Behaviour;
use crate::http::{self, LAST_CHUNK, NoRequest, chunk};
use crate::http2;
use crate::pki::ServerIdentity;
use crate::service::{Caller, Service};

/// How long a connection may be idle, as the Keep-Alive header says.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// The end of everything that would otherwise go on for ever.
const FOR_EVER: Duration = Duration::from_secs(300);
/// The pace of a slow drip: fast enough that a limit on silence never strikes.
pub(crate) const DRIP: Duration = Duration::from_millis(100);

/// TLS 1.2 and 1.3, with the certificate of the state folder.
pub(crate) fn tls(identity: &ServerIdentity, http2: bool) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from(identity.certificate.clone());
    let key = PrivatePkcs8KeyDer::from(identity.pkcs8.clone());
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)?
        .with_client_cert_verifier(Arc::new(AnyClient(provider)))
        .with_single_cert(vec![certificate], key.into())
        .context("the server certificate")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, http2::ALPN.to_vec());
    }
    // A crowd comes back: sessions to resume for as many as may be waiting.
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How many connections may wait to be accepted; the system takes its own limit where that is lower.
const BACKLOG: i32 = 4096;

/// How many TLS sessions can be resumed.
const SESSIONS: usize = 20_000;

/// Serves until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, service: Arc<Service>) {
    let connections = AtomicU64::new(0);
    loop {
        // Accepting fails for want of file descriptors: those that are busy will be free again.
        let Ok((stream, _)) = listener.accept().await else {
            sleep(DRIP).await;
            continue;
        };
        let connection = connections.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(connected(stream, tls.clone(), service.clone(), connection));
    }
}

async fn connected(stream: TcpStream, tls: TlsAcceptor, service: Arc<Service>, connection: u64) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(mut stream)) = timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let caller = Caller { connection, certificates: certificates.iter().map(|der| der.to_vec()).collect() };
    if stream.get_ref().1.alpn_protocol() == Some(http2::ALPN) {
        return http2::serve(stream, service, caller).await;
    }
    let mut buffer = Vec::new();
    loop {
        match exchange(&mut stream, &mut buffer, &service, &caller).await {
            Ok(Next::Another) => {}
            Ok(next) => return end(stream, next).await,
            Err(_) => return,
        }
    }
}

async fn end(mut stream: TlsStream<TcpStream>, next: Next) {
    if matches!(next, Next::Reset) {
        let _ = stream.get_ref().0.set_zero_linger();
    } else {
        let _ = timeout(HANDSHAKE_LIMIT, stream.shutdown()).await;
    }
}

/// What becomes of the connection.
enum Next {
    Another,
    Close,
    Reset,
}

async fn exchange(
    stream: &mut TlsStream<TcpStream>,
    buffer: &mut Vec<u8>,
    service: &Arc<Service>,
    caller: &Caller,
) -> io::Result<Next> {
    let request = match http::read_request(stream, buffer, KEEP_ALIVE).await {
        Ok(request) => request,
        Err(NoRequest::Gone) => return Ok(Next::Close),
        Err(NoRequest::Refused(status)) => return refuse(stream, status).await,
    };
    if !Service::has_path(&request.path) {
        return refuse(stream, 404).await;
    }
    if request.method != "POST" {
        return refuse(stream, 405).await;
    }
    match service.answer(caller, &request.path, &request.body).await {
        Answer::Right(body) => write_json(stream, 200, &body, !request.closes()).await,
        Answer::Fault(fault) => write_json(stream, 500, &fault.to_json(), false).await,
        Answer::Spoiled(body, behaviour) => spoil(stream, body, behaviour).await,
        Answer::Silence => hold(stream).await,
    }
}

async fn refuse(stream: &mut TlsStream<TcpStream>, status: u16) -> io::Result<Next> {
    http::write_plain(stream, status, &[("Connection", "close")], b"").await?;
    Ok(Next::Close)
}

/// An answer as recorded: chunked, and after a fault the connection is closed.
async fn write_json(
    stream: &mut TlsStream<TcpStream>,
    status: u16,
    body: &Value,
    keep_alive: bool,
) -> io::Result<Next> {
    write_body(stream, status, body.to_string().as_bytes(), keep_alive).await?;
    Ok(if keep_alive { Next::Another } else { Next::Close })
}

async fn write_body(
    stream: &mut TlsStream<TcpStream>,
    status: u16,
    body: &[u8],
    keep_alive: bool,
) -> io::Result<()> {
    let mut out = json_head(status, keep_alive);
    out.extend(chunk(body));
    out.extend_from_slice(LAST_CHUNK);
    stream.write_all(&out).await?;
    stream.flush().await
}

fn json_head(status: u16, keep_alive: bool) -> Vec<u8> {
    let date = http::date();
    let mut headers = vec![
        ("Content-Type", "application/json;charset=UTF-8"),
        ("Transfer-Encoding", "chunked"),
        ("Date", date.as_str()),
    ];
    match (status, keep_alive) {
        (200, true) => headers.extend([("Keep-Alive", "timeout=10"), ("Connection", "keep-alive")]),
        (200, false) => headers.push(("Connection", "close")),
        // As recorded, spelling included: something before the live service rewrites the real header.
        _ => headers.push(("X-Cnection", "close")),
    }
    headers.push(("Server", "Kiuru REST API Server 9040"));
    http::head(status, &headers)
}

/// Sends an answer in a wrong way, as the last one of its connection.
pub(crate) async fn spoil_and_end(mut stream: TlsStream<TcpStream>, body: Value, behaviour: Behaviour) {
    if let Ok(next) = spoil(&mut stream, body, behaviour).await {
        end(stream, next).await;
    }
}

/// Sends an answer that is right in itself in a wrong way.
async fn spoil(stream: &mut TlsStream<TcpStream>, body: Value, behaviour: Behaviour) -> io::Result<Next> {
    match behaviour {
        Behaviour::DeepJson | Behaviour::HugeBody => {
            write_body(stream, 200, distorted(body, behaviour).as_bytes(), false).await?;
            return Ok(Next::Close);
        }
        Behaviour::Http503 => {
            let headers = [("Content-Type", "text/html"), ("Connection", "close")];
            http::write_plain(stream, 503, &headers, UNAVAILABLE).await?;
            return Ok(Next::Close);
        }
        _ => {}
    }
    let text = body.to_string();
    let half = text.as_bytes().get(..text.len() / 2).unwrap_or_default();
    match behaviour {
        Behaviour::BrokenJson => {
            write_body(stream, 200, half, false).await?;
            Ok(Next::Close)
        }
        Behaviour::SlowDrip => drip(stream, half).await,
        _ => {
            // The chunk announces the whole and the half is sent.
            let mut out = json_head(200, true);
            out.extend_from_slice(format!("{:x}\r\n", text.len()).as_bytes());
            out.extend_from_slice(half);
            stream.write_all(&out).await?;
            stream.flush().await?;
            if behaviour == Behaviour::TlsReset { Ok(Next::Reset) } else { hold(stream).await }
        }
    }
}

/// A load balancer's words.
pub(crate) const UNAVAILABLE: &[u8] = b"<html><body><h1>503 Service Unavailable</h1></body></html>\n";

/// An answer that is right but for what was put into it: a deep nest, or ten megabytes.
pub(crate) fn distorted(mut body: Value, behaviour: Behaviour) -> String {
    if behaviour == Behaviour::DeepJson {
        let nested = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        return body.to_string().replacen('{', &format!("{{\"Nested\":{nested},"), 1);
    }
    if let Value::Object(fields) = &mut body {
        fields.insert("Padding".to_owned(), Value::String("x".repeat(10 * 1024 * 1024)));
    }
    body.to_string()
}

/// A byte at a time, and the last one never comes.
async fn drip(stream: &mut TlsStream<TcpStream>, text: &[u8]) -> io::Result<Next> {
    let end = Instant::now() + FOR_EVER;
    stream.write_all(&json_head(200, true)).await?;
    for byte in text.iter().copied().chain(std::iter::repeat(b' ')) {
        stream.write_all(&chunk(&[byte])).await?;
        stream.flush().await?;
        if Instant::now() > end {
            break;
        }
        sleep(DRIP).await;
    }
    Ok(Next::Close)
}

/// Keeps a connection open and says nothing more, until the client leaves.
async fn hold(stream: &mut TlsStream<TcpStream>) -> io::Result<Next> {
    let end = Instant::now() + FOR_EVER;
    let mut scrap = [0; 1024];
    while let Ok(Ok(1..)) = timeout_at(end, stream.read(&mut scrap)).await {}
    Ok(Next::Close)
}

/// Binds a listener, on loopback only: nothing here may face a network.
pub(crate) fn bind(address: SocketAddr) -> Result<std::net::TcpListener> {
    if !address.ip().is_loopback() {
        anyhow::bail!("{address} is not a loopback address; the simulator serves this machine only");
    }
    let listener = std::net::TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
    // The standard library's queue of 128 overflows when a crowd arrives at once, and then each retry costs a second.
    listen(&listener, Backlog::new(BACKLOG)?)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Asks for a client certificate and takes any: who the client is gets judged above HTTP, with fault 104.
/// That the client holds the certificate's key is verified as always.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
