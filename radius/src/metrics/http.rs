//! The loopback port: `/metrics`, `/health/live`, `/health/ready`, and nothing else.
//!
//! ```text
//!  GET ──> a connection's task ── Question ──> the loop
//!          <── 200, 503, or 503 because the loop did not answer ── Reply ──┘
//! ```
//!
//! *Live* means that the loop answers; who finds it dead may restart us. *Ready* means that new logins are welcome;
//! who finds us unready sends them elsewhere and restarts nobody.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// Connections at a time: a scraper or two, a probe or two, and somebody with curl.
const CONNECTIONS: usize = 64;
/// How long a client may take to ask.
const ASKING: Duration = Duration::from_secs(2);
/// How long a connection lasts at most, whatever goes on in it.
const LASTING: Duration = Duration::from_secs(10);
/// How long the loop may take to answer before it counts as dead.
const ANSWERING: Duration = Duration::from_secs(2);

/// What is asked of the loop.
#[derive(Debug)]
pub struct Question {
    /// What about.
    pub topic: Topic,
    /// Where the answer is waited for.
    pub reply: oneshot::Sender<Reply>,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// The page for Prometheus.
    Metrics,
    /// Does the loop run?
    Live,
    /// Are new logins welcome?
    Ready,
}

/// The loop's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Yes, or the page.
    Yes(String),
    /// No, and why.
    No(String),
}

/// A bound port that nobody serves yet.
#[derive(Debug)]
pub struct Bound(std::net::TcpListener);

impl Bound {
    /// Binds the port.
    ///
    /// # Errors
    /// What the system says, with the address.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }
}

/// The port being served, until this is dropped.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Port {
    /// Serves a bound port on the runtime that this is called in.
    ///
    /// # Errors
    /// What the system says.
    pub fn serve(bound: Bound, questions: mpsc::Sender<Question>) -> io::Result<Self> {
        let listener = TcpListener::from_std(bound.0)?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, questions)) })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, questions: mpsc::Sender<Question>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, perhaps: that passes, and asking again at once would not help it to.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let questions = questions.clone();
        tokio::spawn(async move {
            let _ = timeout(LASTING, converse(stream, questions)).await;
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, questions: mpsc::Sender<Question>) {
    let service = service_fn(move |request| answer(request, questions.clone()));
    let mut http = http1::Builder::new();
    // One question for each: who is idle takes nobody's place for long.
    http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(ASKING).max_buf_size(16 << 10);
    // What a client does to its own connection is its own business.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer<B>(
    request: Request<B>,
    questions: mpsc::Sender<Question>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    let topic = match request.uri().path() {
        "/metrics" => Topic::Metrics,
        "/health/live" => Topic::Live,
        "/health" | "/health/ready" => Topic::Ready,
        _ => return Ok(plain(StatusCode::NOT_FOUND, "/metrics, /health/live, /health/ready\n")),
    };
    Ok(match ask(topic, &questions).await {
        Some(Reply::Yes(text)) => plain(StatusCode::OK, text),
        Some(Reply::No(text)) => plain(StatusCode::SERVICE_UNAVAILABLE, text),
        None => plain(StatusCode::SERVICE_UNAVAILABLE, "the packet loop does not answer\n"),
    })
}

async fn ask(topic: Topic, questions: &mpsc::Sender<Question>) -> Option<Reply> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        questions.send(Question { topic, reply }).await.ok()?;
        answer.await.ok()
    };
    timeout(ANSWERING, asked).await.ok().flatten()
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
