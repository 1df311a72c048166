//! A client of the service that owes nothing to the product's: rustls below, HTTP read by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use crate::support::PATIENCE;

pub(crate) type Connection = BufReader<StreamOwned<ClientConnection, TcpStream>>;

pub(crate) struct Client {
    config: Arc<ClientConfig>,
    host: String,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The fault's sub-code, reason and detail.
    pub(crate) fn fault(&self) -> (String, String, String) {
        let json = self.json();
        assert_eq!(self.status, 500, "{json}");
        let text = |pointer: &str| json.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        (text("/Fault/Code/SubCode/Value"), text("/Fault/Reason"), text("/Fault/Detail"))
    }

    pub(crate) fn code(&self) -> String {
        self.fault().0
    }
}

/// Certificates from a PEM file.
pub(crate) fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
}

impl Client {
    /// With the certificate of the state folder.
    pub(crate) fn of(state: &Path, url: &str) -> Client {
        Client::with(state, url, certificates(&state.join("client.crt")), &state.join("client.key"))
    }

    pub(crate) fn with(state: &Path, url: &str, chain: Vec<CertificateDer<'static>>, key: &Path) -> Client {
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        Client::build(state, url, Some((chain, key)))
    }

    /// Without a certificate.
    pub(crate) fn anonymous(state: &Path, url: &str) -> Client {
        Client::build(state, url, None)
    }

    fn build(
        state: &Path,
        url: &str,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(certificates(&state.join("server-root.pem")).remove(0)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        Client { config: Arc::new(config), host: url.strip_prefix("https://").unwrap().to_owned() }
    }

    pub(crate) fn connect(&self) -> Connection {
        let tcp = TcpStream::connect(&self.host).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        let tls = ClientConnection::new(self.config.clone(), name).unwrap();
        BufReader::new(StreamOwned::new(tls, tcp))
    }

    /// One request on a connection of its own.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        exchange(&mut self.connect(), path, body)
    }
}

/// One request on an open connection.
pub(crate) fn exchange(connection: &mut Connection, path: &str, body: &Value) -> Response {
    send(connection, path, &body.to_string());
    receive(connection)
}

pub(crate) fn send(connection: &mut Connection, path: &str, body: &str) {
    send_part(connection, path, body.len(), body);
}

/// Announces a body of `length` bytes and sends this much of it.
pub(crate) fn send_part(connection: &mut Connection, path: &str, length: usize, body: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json;charset=UTF-8\r\n\
         Accept: application/json\r\nContent-Length: {length}\r\n\r\n",
    );
    connection.get_mut().write_all((head + body).as_bytes()).unwrap();
}

pub(crate) fn receive(connection: &mut Connection) -> Response {
    let (status, headers) = receive_head(connection);
    let mut response = Response { status, headers, body: Vec::new() };
    if response.header("Transfer-Encoding") == Some("chunked") {
        loop {
            let size = usize::from_str_radix(&line(connection), 16).unwrap();
            let mut chunk = vec![0; size];
            connection.read_exact(&mut chunk).unwrap();
            assert_eq!(line(connection), "");
            if size == 0 {
                return response;
            }
            response.body.extend(chunk);
        }
    }
    let length = response.header("Content-Length").unwrap().parse().unwrap();
    response.body = vec![0; length];
    connection.read_exact(&mut response.body).unwrap();
    response
}

pub(crate) fn receive_head(connection: &mut Connection) -> (u16, Vec<(String, String)>) {
    let status = line(connection).split(' ').nth(1).unwrap().parse().unwrap();
    let lines = std::iter::from_fn(|| Some(line(connection)).filter(|line| !line.is_empty()));
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    (status, headers.collect())
}

pub(crate) fn line(connection: &mut Connection) -> String {
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    line.strip_suffix("\r\n").unwrap().to_owned()
}
