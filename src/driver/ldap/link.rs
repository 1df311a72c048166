//! One connection to a server: opened, protected, and messages there and back.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::Instant,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use crate::{
    config::Endpoint,
    directory::ldap::{
        Security, Server,
        message::{self, BadMessage, Body, Code, Done, Request},
    },
    driver::socket::{Ended, Socket, Tick, resolve},
    secret::Secret,
    text,
};

/// How asking ended without an answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The host gave the login up.
    GivenUp,
    /// This server cannot answer; another one may.
    Here(String),
    /// What this server says, the others would say as well.
    Final(String),
    /// What is found is not to be used before somebody has mended it.
    Unusable(String),
}

impl Failed {
    /// With the server that it happened at.
    pub(super) fn at(self, server: &Endpoint) -> Self {
        match self {
            Self::Final(why) => Self::Final(format!("{server}: {why}")),
            other => other,
        }
    }

    /// What may be somebody's entry in the answer to a search is this server's fault in any other.
    fn of_server(self) -> Self {
        if let Self::Unusable(why) = self { Self::Here(why) } else { self }
    }
}

impl From<BadMessage> for Failed {
    fn from(bad: BadMessage) -> Self {
        match bad {
            BadMessage::Foreign(_) => Self::Here(bad.to_string()),
            BadMessage::Excess(_) => Self::Unusable(bad.to_string()),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        match Ended::of(&error) {
            Some(Ended::ByHost) => Self::GivenUp,
            Some(Ended::ByDeadline) => Self::Here("no answer in time".to_owned()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Here("ended the connection".to_owned())
            }
            None => Self::Here(text::escaped(&error.to_string(), 150)),
        }
    }
}

/// The most octets that all answers on one connection may have: each entry is bounded, but not their number.
const ANSWERS_MAX: usize = 4 << 20;

/// A connection, with the number of its last request, and how many octets came.
pub(super) struct Link {
    stream: Stream,
    number: u16,
    come: usize,
}

enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Link {
    /// Connects, and sends nothing that matters before the server has proved who it is.
    pub(super) fn open(
        server: &Server,
        tls: Option<&Arc<ClientConfig>>,
        tick: &Tick,
        by: Instant,
    ) -> Result<Self, Failed> {
        let addresses = resolve(&server.endpoint)?;
        let socket = Socket::connect(&addresses, tick, by)?;
        let mut plain = Self { stream: Stream::Plain(socket), number: 0, come: 0 };
        match server.security {
            Security::Loopback => return Ok(plain),
            Security::StartTls => plain.start_tls()?,
            Security::Tls => {}
        }
        let Self { stream, number, come } = plain;
        let Stream::Plain(socket) = stream else { return Err(Failed::Final("TLS twice".to_owned())) };
        let no_roots = || Failed::Final("trust: no usable root certificate in it".to_owned());
        let config = tls.ok_or_else(no_roots)?;
        let name = ServerName::try_from(server.name.clone())
            .map_err(|_| Failed::Final("server_name: not a name or address".to_owned()))?;
        let connection =
            ClientConnection::new(Arc::clone(config), name).map_err(|e| Failed::Final(e.to_string()))?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream: Stream::Tls(Box::new(stream)), number, come })
    }

    /// Only the answer is read, to its last octet: what somebody put behind it is for the handshake, which it spoils.
    fn start_tls(&mut self) -> Result<(), Failed> {
        self.send(&Request::StartTls)?;
        match self.receive().map_err(Failed::of_server)? {
            Body::Extended(done) if done.code == Code::SUCCESS => Ok(()),
            Body::Extended(done) => Err(Failed::Here(format!("does not start TLS: {}", super::said(&done)))),
            _ => Err(Failed::Here("answered StartTLS with something else".to_owned())),
        }
    }

    pub(super) fn send(&mut self, request: &Request<'_>) -> Result<(), Failed> {
        // A look-up has bounds of its own, far below.
        self.number = self.number.saturating_add(1);
        let octets = request.encode(self.number);
        let stream = self.stream();
        stream.write_all(&octets)?;
        Ok(stream.flush()?)
    }

    /// Asks the server to let somebody in.
    pub(super) fn bind(&mut self, dn: &str, password: &Secret) -> Result<Done, Failed> {
        self.send(&Request::Bind { dn, password: password.expose() })?;
        match self.receive().map_err(Failed::of_server)? {
            Body::Bound(done) => Ok(done),
            _ => Err(Failed::Here("answered a bind with something else".to_owned())),
        }
    }

    /// The next part of the answer to the last request.
    pub(super) fn receive(&mut self) -> Result<Body, Failed> {
        let octets = self.message()?;
        let message = message::decode(&octets)?;
        match message.body {
            Body::Extended(done) if message.number == 0 => {
                Err(Failed::Here(format!("ends the connection: {}", super::said(&done))))
            }
            body if message.number == u32::from(self.number) => Ok(body),
            _ => Err(Failed::Here("answered what was not asked".to_owned())),
        }
    }

    /// The octets of one message, and not one more.
    fn message(&mut self) -> Result<Vec<u8>, Failed> {
        let mut octets = Vec::new();
        let whole = loop {
            match message::length(&octets)? {
                Some(whole) => break whole,
                None => {
                    let mut octet = [0];
                    self.stream().read_exact(&mut octet)?;
                    octets.extend_from_slice(&octet);
                }
            }
        };
        self.come = self.come.saturating_add(whole);
        if self.come > ANSWERS_MAX {
            return Err(Failed::Unusable("what is found is longer than 4 MiB in all".to_owned()));
        }
        // Room is made for what has come, not for what was announced.
        let left = whole.saturating_sub(octets.len());
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        self.stream().take(left).read_to_end(&mut octets)?;
        if octets.len() < whole {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(octets)
    }

    /// Says that nothing more comes. Whoever does not hear it finds the connection closed.
    pub(super) fn farewell(mut self) {
        let _ = self.send(&Request::Unbind);
    }

    fn stream(&mut self) -> &mut dyn ReadWrite {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.as_mut(),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}
