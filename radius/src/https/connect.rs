//! One new connection: name, TCP, CONNECT through a proxy where there is one, TLS, and which HTTP is spoken.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mobileid::{
    config::{Endpoint, Proxy},
    driver::tls::{self, Unusable},
    load::Connection,
    outcome::Unreachable,
    text,
};
use nix::sys::socket::{setsockopt, sockopt};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use zeroize::Zeroizing;

use super::{Body, Failed};

/// What makes connections to the service.
pub(super) struct Connector {
    service: Endpoint,
    name: ServerName<'static>,
    proxy: Option<Proxy>,
    limit: Duration,
    tls: TlsConnector,
    names: Names,
}

/// A connection that is up, as the side of it that takes requests. A task of its own carries the bytes; it ends
/// when this is dropped and nothing is under way any more.
pub(super) enum Opened {
    Http1(http1::SendRequest<Body>),
    /// With how many requests at once the service takes on it.
    Http2(http2::SendRequest<Body>, usize),
}

impl Connector {
    pub(super) fn new(connection: &Connection) -> Result<Self, Unusable> {
        Ok(Self {
            service: connection.service.clone(),
            name: tls::server_name(connection)?,
            proxy: connection.proxy.clone(),
            limit: connection.timeouts.connect,
            tls: TlsConnector::from(Arc::new(tls(connection)?)),
            names: Names::default(),
        })
    }

    pub(super) fn service(&self) -> &Endpoint {
        &self.service
    }

    /// Until when a connection must be up that is begun now.
    pub(super) fn by(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.limit).unwrap_or(now)
    }

    /// Up to a finished handshake of TLS. Nothing of a request is written.
    pub(super) async fn open(&self, by: Instant) -> Result<Opened, Failed> {
        let target = self.proxy.as_ref().map_or(&self.service, |p| &p.endpoint);
        let failed = |why, at: &Endpoint, e: &io::Error| Failed::Before(why, format!("{at}: {e}"));
        let addresses = self.names.look_up(target).await;
        let addresses =
            addresses.map_err(|what| Failed::Before(Unreachable::Name, format!("{target}: {what}")))?;
        let tcp = connect(&addresses, by).await;
        let mut tcp = tcp.map_err(|e| failed(Unreachable::Connect, target, &e))?;
        if let Some(proxy) = &self.proxy {
            let tunnel = tunnel(&mut tcp, proxy, &self.service).await;
            tunnel.map_err(|e| failed(Unreachable::Proxy, target, &e))?;
        }
        let tls = self.tls.connect(self.name.clone(), tcp).await;
        let tls = tls.map_err(|e| failed(Unreachable::Tls, &self.service, &e))?;
        speak(tls).await.map_err(|e| Failed::Before(Unreachable::Connect, super::words(&e)))
    }
}

/// What the system's resolver said last. A question takes a thread for as long as the resolver thinks, also when
/// nobody waits for it any more; so there is one at a time, and who comes meanwhile, or later, waits for the same answer.
#[derive(Default)]
struct Names {
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    last: Option<(Instant, Addresses)>,
    /// The question that has no answer yet. It is left here by who gives up waiting.
    asked: Option<JoinHandle<Addresses>>,
}

type Addresses = Result<Arc<[SocketAddr]>, String>;

/// For how long what was said holds, and for how long that there was nothing to say.
const NAME_HOLDS: Duration = Duration::from_secs(10);
const NO_NAME_HOLDS: Duration = Duration::from_secs(1);

impl Names {
    /// Asks, unless it was asked just now.
    async fn look_up(&self, target: &Endpoint) -> Addresses {
        let (host, port) = (target.host.clone(), target.port);
        self.said(async move {
            let found = lookup_host((host, port)).await;
            found.map(Iterator::collect).map_err(|e| e.to_string())
        })
        .await
    }

    /// The last answer while it holds, or that to this question, or to the one that was asked before it.
    async fn said(&self, question: impl Future<Output = Addresses> + Send + 'static) -> Addresses {
        let mut said = self.said.lock().await;
        if let Some((at, addresses)) = said.last.as_ref() {
            let holds = if addresses.is_ok() { NAME_HOLDS } else { NO_NAME_HOLDS };
            if at.elapsed() < holds {
                return addresses.clone();
            }
        }
        let asked = said.asked.get_or_insert_with(|| tokio::spawn(question));
        let addresses = asked.await.unwrap_or_else(|e| Err(e.to_string()));
        *said = Said { last: Some((Instant::now(), addresses.clone())), asked: None };
        addresses
    }
}

/// A session is resumed where the service allows it, which saves both sides the signatures of a handshake; and we take
/// either HTTP.
fn tls(connection: &Connection) -> Result<ClientConfig, Unusable> {
    let mut tls = tls::client(connection)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Connects to the first address that accepts, giving each an even share of the time that is left.
async fn connect(addresses: &[SocketAddr], by: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address to connect to");
    for (at, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len().saturating_sub(at)).unwrap_or(u32::MAX).max(1);
        let share = by.saturating_duration_since(Instant::now()).checked_div(others).unwrap_or_default();
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return prepared(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    // A wait of 80 s without a byte: keep state tables on the way from forgetting the connection.
    setsockopt(&stream, sockopt::KeepAlive, &true)?;
    setsockopt(&stream, sockopt::TcpKeepIdle, &20)?;
    setsockopt(&stream, sockopt::TcpKeepInterval, &10)?;
    Ok(stream)
}

/// CONNECT (RFC 9110, section 9.3.6).
async fn tunnel(tcp: &mut TcpStream, proxy: &Proxy, target: &Endpoint) -> io::Result<()> {
    let mut head = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
    if let Some(authorization) = &proxy.authorization {
        head.push_str("Proxy-Authorization: ");
        head.push_str(authorization.expose());
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    tcp.write_all(head.as_bytes()).await?;
    let status = read_head(tcp).await?;
    let code = status.split(' ').nth(1).unwrap_or_default();
    if status.starts_with("HTTP/1.") && code.len() == 3 && code.starts_with('2') {
        return Ok(());
    }
    Err(io::Error::other(format!("the proxy said: {}", text::escaped(&status, 80))))
}

/// The first line of an HTTP head, after reading all of it: byte by byte, so that nothing behind it is taken.
async fn read_head(tcp: &mut TcpStream) -> io::Result<String> {
    const HEAD_MAX: usize = 8 << 10;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if head.len() == HEAD_MAX || tcp.read(&mut byte).await? == 0 {
            return Err(io::Error::other("the proxy gave no HTTP answer"));
        }
        head.extend_from_slice(&byte);
    }
    let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// The largest head of an answer, and with HTTP/1.1 the largest piece that is read at once.
const HEAD_MAX: usize = 16 << 10;
/// What of an answer may be on its way before it is read, with HTTP/2: one answer has about 11,000 bytes.
const WINDOW: u32 = 64 << 10;
/// A connection that does not answer a ping is dead: those who wait on it hear so, and nobody else is put on it.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_LIMIT: Duration = Duration::from_secs(10);
const SETTINGS_TICK: Duration = Duration::from_millis(1);

async fn speak(tls: TlsStream<TcpStream>) -> hyper::Result<Opened> {
    let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(tls);
    if is_http2 {
        let (send, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_max_send_streams(0)
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW.saturating_mul(8))
            .max_header_list_size(u32::try_from(HEAD_MAX).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_LIMIT)
            .handshake(io)
            .await?;
        // Until its settings are here, the service has allowed nothing. hyper does not say when they come.
        while connection.current_max_send_streams() == 0 {
            sleep(SETTINGS_TICK).await;
        }
        let room = connection.current_max_send_streams();
        // Its error reaches the requests that it concerns.
        drop(tokio::spawn(connection));
        Ok(Opened::Http2(send, room))
    } else {
        let (send, connection) = http1::Builder::new().max_buf_size(HEAD_MAX).handshake(io).await?;
        drop(tokio::spawn(connection));
        Ok(Opened::Http1(send))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_resolver_that_hangs_is_asked_once_however_many_give_up() {
        let (names, asked) = (Names::default(), Arc::<AtomicUsize>::default());
        let (answer, answered) = oneshot::channel();
        let mut answered = Some(answered);
        let mut question = || {
            let (asked, answered) = (Arc::clone(&asked), answered.take());
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                match answered {
                    Some(answered) => answered.await.unwrap(),
                    None => Err("asked again".into()),
                }
            }
        };
        for _ in 0..10 {
            tokio::select! {
                biased;
                _ = names.said(question()) => panic!("nobody has answered"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let addresses: Addresses = Ok(Arc::from([SocketAddr::from(([192, 0, 2, 1], 443))]));
        answer.send(addresses.clone()).unwrap();
        assert_eq!(names.said(question()).await, addresses);
        assert_eq!(names.said(question()).await, addresses);
        names.said.lock().await.last = None;
        assert_eq!(names.said(question()).await, Err("asked again".into()));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
