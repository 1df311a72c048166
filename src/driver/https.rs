//! One exchange with a service: connect, CONNECT through a proxy where there is one, TLS, and one request.
//!
//! ureq speaks the HTTP; it is given a connection that is already up and may use it once, so that it has no
//! way to resolve, to reconnect, to follow a redirect or to retry. What fails before the connection is up is
//! [`Answer::Unreachable`], and nobody was asked; what fails later is [`Answer::Lost`], because the request
//! may have arrived. That includes a server that does not want our certificate: in TLS 1.3 it says so only after
//! the handshake, when the request is on its way. Nothing is read from the environment: no proxy, no certificate
//! file, no key log.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use ureq::{
    Agent,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport},
    },
};

use super::{
    socket::{Ended, Socket, Tick, is_local, resolve},
    tls::{self, Unusable},
};
use crate::{
    config::{Endpoint, Proxy},
    load::{Connection, Way},
    login::Answer,
    mss::{ACCEPT, BODY_MAX, CONTENT_TYPE, HttpRequest, HttpResponse},
    outcome::Unreachable,
    secret::Secret,
};

/// The way to the service, with its TLS settings made once.
pub struct Https {
    service: Endpoint,
    name: ServerName<'static>,
    authority: String,
    proxy: Option<Proxy>,
    connect_limit: Duration,
    tls: Arc<ClientConfig>,
}

/// One request of HTTP, whoever makes it.
pub(super) struct Exchange<'a> {
    /// Path and query, encoded.
    pub(super) target: &'a str,
    /// The media type of the answer.
    pub(super) accept: &'static str,
    /// The value of Authorization.
    pub(super) authorization: Option<&'a Secret>,
    /// What is posted, and its media type; without it, it is a GET.
    pub(super) body: Option<(&'static str, &'a Secret)>,
    /// How long all of it may take.
    pub(super) limit: Duration,
}

/// How far an exchange came before it failed.
enum Failed {
    Before(Unreachable, String),
    After(String),
    ByHost,
    /// The limit passed; `true` once the request may have been sent.
    ByDeadline(bool),
}

impl Https {
    /// Prepares the way: server roots, our leaf certificate and its key.
    ///
    /// # Errors
    /// A root, certificate, key or name that rustls does not take, or a key that does not fit the certificate.
    pub fn new(connection: &Connection) -> Result<Self, Unusable> {
        let tls = tls::client(connection)?;
        let name = tls::server_name(connection)?;
        let authority = Endpoint { host: connection.server_name.clone(), port: connection.service.port };
        Ok(Self {
            service: connection.service.clone(),
            name,
            authority: authority.to_string(),
            proxy: connection.proxy.clone(),
            connect_limit: connection.timeouts.connect,
            tls: Arc::new(tls),
        })
    }

    /// Prepares the way to a server that wants no certificate of ours.
    ///
    /// # Errors
    /// Roots or a name that rustls does not take.
    pub fn without_certificate(way: &Way) -> Result<Self, Unusable> {
        Ok(Self {
            service: way.endpoint.clone(),
            name: server_name(&way.endpoint.host)?,
            authority: way.endpoint.to_string(),
            proxy: way.proxy.clone(),
            connect_limit: way.connect_limit,
            tls: Arc::new(tls::without_certificate(way)?),
        })
    }

    /// Sends one request and waits for its answer, at most for the request's own limit.
    #[must_use]
    pub fn exchange(&self, request: &HttpRequest, tick: &Tick) -> Answer {
        let (body, limit) = (Some((CONTENT_TYPE, &request.body)), request.limit);
        let exchange = Exchange { target: request.path, accept: ACCEPT, authorization: None, body, limit };
        self.carry_out(&exchange, tick)
    }

    /// The same for any request.
    pub(super) fn carry_out(&self, exchange: &Exchange<'_>, tick: &Tick) -> Answer {
        let deadline = Instant::now().checked_add(exchange.limit).unwrap_or_else(Instant::now);
        match self.open(tick, deadline).and_then(|link| self.send(link, exchange)) {
            Ok(response) => Answer::Reply(response),
            Err(Failed::Before(why, detail)) => Answer::Unreachable(why, detail),
            Err(Failed::After(detail)) => Answer::Lost(detail),
            Err(Failed::ByHost) => Answer::Cancelled,
            Err(Failed::ByDeadline(false)) => Answer::Unreachable(
                Unreachable::TooSlow,
                format!("{} did not let us in in time", self.service),
            ),
            Err(Failed::ByDeadline(true)) => Answer::TimedOut,
        }
    }

    /// Up to a finished TLS handshake.
    fn open(&self, tick: &Tick, deadline: Instant) -> Result<Link, Failed> {
        let connect_by = Instant::now().checked_add(self.connect_limit).unwrap_or(deadline).min(deadline);
        let target = self.proxy.as_ref().map_or(&self.service, |p| &p.endpoint);
        let unreachable = |why| move |e: io::Error| Failed::before(why, target, &e);
        let addresses = resolve(target).map_err(unreachable(Unreachable::Name))?;
        let mut socket =
            Socket::connect(&addresses, tick, connect_by).map_err(unreachable(Unreachable::Connect))?;
        if let Some(proxy) = &self.proxy {
            self.tunnel(&mut socket, proxy).map_err(unreachable(Unreachable::Proxy))?;
        }
        let connection = ClientConnection::new(Arc::clone(&self.tls), self.name.clone())
            .map_err(|e| Failed::Before(Unreachable::Tls, e.to_string()))?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream
                .conn
                .complete_io(&mut stream.sock)
                .map_err(|e| Failed::before(Unreachable::Tls, &self.service, &e))?;
        }
        stream.sock.set_deadline(deadline);
        Ok(Link { stream, buffers: LazyBuffers::new(16 << 10, 16 << 10), broken: false })
    }

    /// CONNECT (RFC 9110, section 9.3.6).
    fn tunnel(&self, socket: &mut Socket, proxy: &Proxy) -> io::Result<()> {
        let target = &self.service;
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &proxy.authorization {
            head.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.expose()));
        }
        head.push_str("\r\n");
        let head = zeroize::Zeroizing::new(head);
        socket.write_all(head.as_bytes())?;
        let status = read_head(socket)?;
        let code = status.split(' ').nth(1).unwrap_or_default();
        if status.starts_with("HTTP/1.") && code.len() == 3 && code.starts_with('2') {
            return Ok(());
        }
        Err(io::Error::other(format!("the proxy said: {}", crate::text::escaped(&status, 80))))
    }

    fn send(&self, link: Link, exchange: &Exchange<'_>) -> Result<HttpResponse, Failed> {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("mobileid/", env!("CARGO_PKG_VERSION")))
            .accept(exchange.accept)
            .build();
        let agent = Agent::with_parts(config, Ready(Mutex::new(Some(link))), NoResolver);
        let url = format!("https://{}{}", self.authority, exchange.target);
        let authorization = exchange.authorization.map(|value| ("Authorization", value.expose()));
        let sent = match exchange.body {
            Some((media_type, body)) => {
                let request = agent.post(url).header("Content-Type", media_type);
                authorization
                    .into_iter()
                    .fold(request, |r, (name, value)| r.header(name, value))
                    .send(body.expose())
            }
            None => authorization
                .into_iter()
                .fold(agent.get(url), |r, (name, value)| r.header(name, value))
                .call(),
        };
        let mut response = sent.map_err(|e| Failed::after(&e))?;
        let status = response.status().as_u16();
        let date = response.headers().get("date").and_then(|d| d.to_str().ok()).map(str::to_owned);
        // One byte more than is allowed, so that the reader sees that it was too much.
        let mut body = Vec::new();
        let limit = u64::try_from(BODY_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut reader = response.body_mut().as_reader().take(limit);
        reader.read_to_end(&mut body).map_err(|e| Failed::after(&ureq::Error::from(e)))?;
        Ok(HttpResponse { status, date, body })
    }
}

impl std::fmt::Debug for Https {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Https").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Failed {
    fn before(why: Unreachable, target: &Endpoint, error: &io::Error) -> Self {
        match Ended::of(error) {
            Some(Ended::ByHost) => Self::ByHost,
            Some(Ended::ByDeadline) => Self::ByDeadline(false),
            None if is_local(error) => Self::Before(Unreachable::Local, format!("{target}: {error}")),
            None => Self::Before(why, format!("{target}: {error}")),
        }
    }

    fn after(error: &ureq::Error) -> Self {
        let io = match error {
            ureq::Error::Io(io) => Some(io),
            _ => None,
        };
        match io.and_then(Ended::of) {
            Some(Ended::ByHost) => Self::ByHost,
            Some(Ended::ByDeadline) => Self::ByDeadline(true),
            None => Self::After(error.to_string()),
        }
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Unusable> {
    ServerName::try_from(host.to_owned()).map_err(|_| Unusable::host(host))
}

/// The first line of an HTTP head, after reading all of it: byte by byte, so that nothing behind it is taken.
fn read_head(socket: &mut Socket) -> io::Result<String> {
    const HEAD_MAX: usize = 8 << 10;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() == HEAD_MAX || socket.read(&mut byte)? == 0 {
            return Err(io::Error::other("the proxy gave no HTTP answer"));
        }
        head.extend_from_slice(&byte);
    }
    let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// The connection that is up, as ureq's transport.
struct Link {
    stream: StreamOwned<ClientConnection, Socket>,
    buffers: LazyBuffers,
    broken: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// The alert that the server sent before it closed: more telling than the broken pipe that came of it.
    fn last_words(&mut self) -> Option<io::Error> {
        let said = self.stream.read(&mut [0]).err()?;
        said.get_ref().is_some_and(|e| e.is::<rustls::Error>()).then_some(said)
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    // ureq's own time limits are off: the socket knows the one deadline.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let written = self.stream.write_all(output).and_then(|()| self.stream.flush());
        self.broken |= written.is_err();
        Ok(written.map_err(|error| self.last_words().unwrap_or(error))?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let read = self.stream.read(self.buffers.input_append_buf());
        self.broken |= !matches!(read, Ok(1..));
        let amount = read?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        !self.broken
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Hands out the connection that is up, once.
#[derive(Debug)]
struct Ready(Mutex<Option<Link>>);

impl Connector for Ready {
    type Out = Link;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Link>, ureq::Error> {
        let link = self.0.lock().ok().and_then(|mut slot| slot.take());
        // A second call would be a second request.
        link.map(Some).ok_or(ureq::Error::ConnectionFailed)
    }
}

/// ureq wants an address; the connection that is up has no use for it.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(addresses)
    }
}
