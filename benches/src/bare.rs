//! What a login costs at the very least: the signatures that have to be checked, and TLS around the bytes that
//! have to be exchanged. Measured with the same libraries as the responder's, and nothing around them.
//!
//! ```text
//!  per login       the signature of the person       P-256 or RSA 2048
//!                  the signature in the certificate   RSA 2048, PSS (the intermediate is known already)
//!                  TLS records of one exchange        request and answer as the service has them
//!  per connection  TLS handshake with our certificate
//!  per poll        TLS records of one more exchange
//! ```
//!
//! The exchange goes over a real connection to the simulator. Only the time inside of rustls is counted: what
//! the kernel does with the bytes is not cryptography.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::thread_cpu;
use crate::service::{FIRST_NUMBER, Service, Signing, signature_request};

/// Length of what is signed: signed attributes, or a certificate's content.
const SIGNED: [u8; 700] = [7; 700];

/// CPU time of each thing, on average.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    /// One person's signature.
    pub person: Duration,
    /// One certificate's.
    pub certificate: Duration,
    /// One exchange on a connection that is there.
    pub records: Duration,
    /// One new connection.
    pub handshake: Duration,
}

impl Bare {
    /// A login with so many exchanges, on connections that are there.
    #[must_use]
    pub fn login(&self, exchanges: u32) -> Duration {
        self.person + self.certificate + self.records * exchanges
    }
}

/// Measures each, against a service whose phones answer at once.
///
/// # Errors
/// The service does not answer, or openssl does not make keys.
pub fn measure(service: &Service, signing: Signing, folder: &Path, rounds: u32) -> Result<Bare> {
    let rsa = Rsa::make(folder)?;
    let person = match signing {
        Signing::Rsa => verify(&RSA_PKCS1_2048_8192_SHA256, &rsa.public, &rsa.plain, rounds)?,
        Signing::Ec => verify_p256(rounds)?,
    };
    let certificate = verify(&RSA_PSS_2048_8192_SHA256, &rsa.public, &rsa.pss, rounds)?;
    let config = Arc::new(client(service)?);
    let mut handshake = Duration::ZERO;
    let connections = rounds.div_ceil(20);
    for _ in 0..connections {
        handshake += Connection::open(service, &config)?.cpu;
    }
    let mut connection = Connection::open(service, &config)?;
    connection.cpu = Duration::ZERO;
    for round in 0..rounds {
        let number = FIRST_NUMBER + u64::from(round % 100);
        let instant = OffsetDateTime::now_utc().format(&Rfc3339)?;
        let body = signature_request(&number.to_string(), &format!("bare{round}"), &instant).to_string();
        let answer = connection.exchange(service, &body)?;
        ensure!(answer.contains("Base64Signature"), "the service does not sign: {answer}");
    }
    Ok(Bare { person, certificate, records: connection.cpu / rounds, handshake: handshake / connections })
}

fn verify(
    how: &'static dyn VerificationAlgorithm,
    public: &[u8],
    signature: &[u8],
    rounds: u32,
) -> Result<Duration> {
    let key = UnparsedPublicKey::new(how, public);
    let before = thread_cpu();
    for _ in 0..rounds {
        key.verify(&SIGNED, signature).ok().context("a good signature is good")?;
    }
    Ok((thread_cpu() - before) / rounds)
}

fn verify_p256(rounds: u32) -> Result<Duration> {
    let random = SystemRandom::new();
    let how = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let made = EcdsaKeyPair::generate_pkcs8(how, &random).ok().context("a key")?;
    let key = EcdsaKeyPair::from_pkcs8(how, made.as_ref(), &random).ok().context("the same key")?;
    let signature = key.sign(&random, &SIGNED).ok().context("a signature")?;
    verify(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref(), signature.as_ref(), rounds)
}

/// ring makes no RSA keys; openssl does.
struct Rsa {
    public: Vec<u8>,
    plain: Vec<u8>,
    pss: Vec<u8>,
}

impl Rsa {
    fn make(folder: &Path) -> Result<Rsa> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("signed"), SIGNED)?;
        let openssl = |line: &str| -> Result<Vec<u8>> {
            let output =
                Command::new("openssl").args(line.split_whitespace()).current_dir(folder).output()?;
            ensure!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
            Ok(output.stdout)
        };
        openssl("genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem")
            .or_else(|_| openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem"))?;
        Ok(Rsa {
            public: openssl("rsa -in rsa.pem -RSAPublicKey_out -outform DER")?,
            plain: openssl("dgst -sha256 -sign rsa.pem signed")?,
            pss: openssl(
                "dgst -sha256 -sign rsa.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 signed",
            )?,
        })
    }
}

fn client(service: &Service) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(service.file("server-root.pem"))?)?;
    let chain = vec![CertificateDer::from_pem_file(service.file("client.crt"))?];
    let key = PrivateKeyDer::from_pem_file(service.file("client.key"))?;
    let mut config =
        ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(chain, key)?;
    // A full handshake each time: the responder's first connections are.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// A connection that counts what rustls uses.
struct Connection {
    tls: ClientConnection,
    socket: TcpStream,
    cpu: Duration,
}

impl Connection {
    fn open(service: &Service, config: &Arc<ClientConfig>) -> Result<Connection> {
        let socket = TcpStream::connect(service.address())?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let before = thread_cpu();
        let tls = ClientConnection::new(config.clone(), ServerName::try_from("127.0.0.1")?)?;
        let mut connection = Connection { tls, socket, cpu: thread_cpu() - before };
        while connection.tls.is_handshaking() {
            connection.write()?;
            if connection.tls.is_handshaking() {
                connection.read()?;
            }
        }
        connection.write()?;
        Ok(connection)
    }

    /// One request and its answer.
    fn exchange(&mut self, service: &Service, body: &str) -> Result<String> {
        let request = format!(
            "POST /rest/service/sign HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            service.address(),
            body.len()
        );
        self.counted(|tls| Ok(tls.writer().write_all(request.as_bytes())?))?;
        self.write()?;
        let mut answer = Vec::new();
        while !whole(&answer) {
            self.read()?;
            self.counted(|tls| match tls.reader().read_to_end(&mut answer) {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(error.into()),
                _ => Ok(()),
            })?;
        }
        Ok(String::from_utf8(answer)?)
    }

    fn write(&mut self) -> Result<()> {
        let mut octets = Vec::new();
        self.counted(|tls| {
            while tls.wants_write() {
                tls.write_tls(&mut octets)?;
            }
            Ok(())
        })?;
        Ok(self.socket.write_all(&octets)?)
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 16 << 10];
        let length = self.socket.read(&mut buffer)?;
        ensure!(length > 0, "the service closed the connection");
        let mut octets = buffer.get(..length).unwrap_or_default();
        self.counted(|tls| {
            while !octets.is_empty() {
                tls.read_tls(&mut octets)?;
                tls.process_new_packets()?;
            }
            Ok(())
        })
    }

    fn counted(&mut self, what: impl FnOnce(&mut ClientConnection) -> Result<()>) -> Result<()> {
        let before = thread_cpu();
        let done = what(&mut self.tls);
        self.cpu += thread_cpu() - before;
        done
    }
}

/// Whether an HTTP answer in chunks, which is how the service answers, is there in full.
fn whole(answer: &[u8]) -> bool {
    answer.ends_with(b"\r\n0\r\n\r\n")
}
