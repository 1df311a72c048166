//! The way to the service for many logins at once: connections are shared and used again, and a request that
//! must not be repeated is written at most once.
//!
//! ```text
//!           ┌─ an HTTP/2 connection with a stream to spare ──┐
//!  place ───┼─ an HTTP/1.1 connection, idle for under 6 s ───┼──> Place ──> exchange ──> Reply
//!           └─ a turn to connect ──> DNS, TCP, proxy, TLS ───┘     ^          ├─ surely not written: another one
//!                              └─ Unreachable: nobody was asked ───┘          ├─ Lost, TimedOut: perhaps somebody was
//!  dropping a place or an exchange closes the connection, or the stream       └─ Lost, but may be repeated: another
//! ```
//!
//! What fails before a request is handed to a connection is [`Answer::Unreachable`], and so is one that hyper hands
//! back because its connection closed before a byte of it was taken. What fails later is [`Answer::Lost`]: the
//! request may have arrived. That includes a server that does not want our certificate, if it says so too late:
//! in TLS 1.3 it does so only after the handshake.
//!
//! HTTP/2 is spoken where the service offers it, HTTP/1.1 elsewhere; which of the two is learnt from the first
//! connection. Nothing is read from the environment: no proxy, no certificate file, no key log.

mod connect;
mod pool;

use std::{error::Error, fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, Uri,
    body::Incoming,
    client::conn::TrySendError,
    header::{ACCEPT, CONTENT_TYPE, DATE, HOST, HeaderValue, USER_AGENT},
    http::uri::Authority,
};
use mobileid::{
    config::Endpoint,
    load::Connection,
    login::Answer,
    mss::{self, BODY_MAX, HttpRequest, HttpResponse},
    outcome::Unreachable,
    secret::Secret,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use connect::Connector;
use pool::{Link, Pool, Taken};

pub use mobileid::driver::tls::Unusable;

/// A body is whole before it is sent, and wiped when the connection has taken it.
type Body = Full<Bytes>;

/// How many requests that are answered at once may be under way: those that come on top wait for one to end
/// instead of for a connection of their own.
const QUICK_MAX: usize = 64;
/// How many connections one request may try. After the first failure none that is as old is tried.
const TRIES_MAX: u8 = 3;
const AGENT: &str = concat!("mobileid-radiusd/", env!("CARGO_PKG_VERSION"));

/// The way to the service, with its TLS settings and its connections.
pub struct Https {
    connector: Connector,
    authority: Authority,
    host: HeaderValue,
    pool: Arc<Pool>,
    quick: Semaphore,
}

/// How long a request keeps its connection, which says how many may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Until the person has answered: as many as there are people.
    Held,
    /// It is answered at once.
    Quick,
}

/// The turn of one request, and a connection that is up, or why there is none.
pub struct Place<'a> {
    link: Result<Link, Failed>,
    _quick: Option<SemaphorePermit<'a>>,
}

/// How far an exchange came before it failed.
enum Failed {
    Before(Unreachable, String),
    After(String),
    /// The limit passed once the request may have been sent.
    TooLate,
}

impl Https {
    /// Prepares the way: server roots, our leaf certificate and its key. Nothing is connected yet.
    ///
    /// # Errors
    /// A root, certificate, key or name that rustls does not take, or a key that does not fit the certificate.
    pub fn new(connection: &Connection) -> Result<Self, Unusable> {
        let connector = Connector::new(connection)?;
        let named = Endpoint { host: connection.server_name.clone(), port: connection.service.port };
        let named = named.to_string();
        let authority = Authority::try_from(named.as_str()).map_err(|_| Unusable::name())?;
        let host = HeaderValue::try_from(named).map_err(|_| Unusable::name())?;
        Ok(Self {
            connector,
            authority,
            host,
            pool: Arc::new(Pool::default()),
            quick: Semaphore::new(QUICK_MAX),
        })
    }

    /// How many connections are kept that are not known to be closed.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        self.pool.open()
    }

    /// Waits for its turn, and for a connection. A request is best written down after that: the time in a crowd's
    /// queue is then not taken from the person, whose phone rings from the moment the request arrives.
    pub async fn place(&self, kind: Kind, by: Instant) -> Place<'_> {
        let turn = match kind {
            Kind::Held => Ok(None),
            // A crowd shares these connections; it does not open one for each of its requests.
            Kind::Quick => timeout_at(by, self.quick.acquire()).await.map(Result::ok),
        };
        match turn {
            Ok(quick) => Place { link: self.link(by).await, _quick: quick },
            Err(_) => Place { link: Err(self.too_slow()), _quick: None },
        }
    }

    /// Sends one request and waits for its answer, at most for the request's own limit.
    pub async fn exchange(&self, request: HttpRequest, place: Place<'_>) -> Answer {
        let now = Instant::now();
        let deadline = now.checked_add(request.limit).unwrap_or(now);
        match self.attempts(request, place, deadline).await {
            Ok(response) => Answer::Reply(response),
            Err(Failed::Before(why, detail)) => Answer::Unreachable(why, detail),
            Err(Failed::After(detail)) => Answer::Lost(detail),
            Err(Failed::TooLate) => Answer::TimedOut,
        }
    }

    async fn attempts(
        &self,
        request: HttpRequest,
        place: Place<'_>,
        deadline: Instant,
    ) -> Result<HttpResponse, Failed> {
        let repeatable = request.repeatable;
        let Place { link, _quick } = place;
        let mut link = link?;
        let mut post = Post::new(request);
        let mut tries = 0u8;
        loop {
            tries = tries.saturating_add(1);
            let spare = repeatable.then(|| post.clone());
            let (used, number) = (link.used(), link.number());
            let Ok(sent) = timeout_at(deadline, self.post(link, post)).await else {
                self.pool.retire(number);
                return Err(Failed::TooLate);
            };
            let (unsent, failed) = match sent {
                Ok(response) => return Ok(response),
                Err(Broken { unsent: Some(post), failed }) => (Some(post), failed),
                Err(Broken { unsent: None, failed }) => (spare, failed),
            };
            // Only what was open before may have been closed meanwhile; a new connection that fails is an answer.
            let (Some(unsent), Some(at)) = (unsent, used) else { return Err(failed) };
            if tries >= TRIES_MAX {
                return Err(failed);
            }
            self.pool.distrust(at);
            post = unsent;
            link = self.link(deadline).await?;
        }
    }

    /// A connection to use: one that is there, or a new one when it is this request's turn.
    async fn link(&self, deadline: Instant) -> Result<Link, Failed> {
        let turn = match timeout_at(deadline, self.pool.take()).await.map_err(|_| self.too_slow())? {
            Taken::Link(link) => return Ok(link),
            Taken::Turn(turn) => turn,
        };
        // Connecting has a limit of its own, which begins now.
        let by = self.connector.by().min(deadline);
        // Boxed: a login that waits for its answer does not carry the room that a handshake takes.
        let open = Box::pin(self.connector.open(by));
        let opened = timeout_at(by, open).await.map_err(|_| self.too_slow())??;
        Ok(self.pool.add(opened, turn))
    }

    async fn post(&self, link: Link, post: Post) -> Result<HttpResponse, Broken> {
        let path = post.path;
        match link {
            Link::Own(mut own) => {
                if let Err(error) = own.send.ready().await {
                    return Err(Broken { unsent: Some(post), failed: Failed::unsent(&error) });
                }
                let mut request = request(post, Uri::builder());
                request.headers_mut().insert(HOST, self.host.clone());
                let sent = own.send.try_send_request(request).await;
                let answer = read(sent.map_err(|e| Broken::new(path, e))?).await?;
                // After anything but a 200 the service closes, and its header that says so is misspelt.
                if answer.status == 200 && answer.body.len() <= BODY_MAX {
                    self.pool.give_back(own);
                }
                Ok(answer)
            }
            Link::Shared(mut shared) => {
                let uri = Uri::builder().scheme("https").authority(self.authority.clone());
                let sent = shared.send.try_send_request(request(post, uri)).await;
                read(sent.map_err(|e| Broken::new(path, e))?).await
            }
        }
    }

    fn too_slow(&self) -> Failed {
        let what = format!("{} did not let us in in time", self.connector.service());
        Failed::Before(Unreachable::TooSlow, what)
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").field("service", self.connector.service()).finish_non_exhaustive()
    }
}

/// What is left of a request on its way: the rest is the same for all.
#[derive(Clone)]
struct Post {
    path: &'static str,
    body: Body,
}

impl Post {
    fn new(request: HttpRequest) -> Self {
        Self { path: request.path, body: Full::new(Bytes::from_owner(Exposed(request.body))) }
    }
}

/// A secret that is on its way out: wiped when the connection has taken it.
struct Exposed(Secret);

impl AsRef<[u8]> for Exposed {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

fn request(post: Post, uri: hyper::http::uri::Builder) -> Request<Body> {
    let mut request = Request::new(post.body);
    *request.method_mut() = Method::POST;
    // The core's paths are constants; if one were none, the service would not know `/`.
    *request.uri_mut() = uri.path_and_query(post.path).build().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static(mss::ACCEPT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mss::CONTENT_TYPE));
    request
}

/// The whole answer, up to one byte more than is allowed, so that the reader sees that it was too much.
async fn read(response: Response<Incoming>) -> Result<HttpResponse, Broken> {
    let status = response.status().as_u16();
    let date = response.headers().get(DATE).and_then(|d| d.to_str().ok()).map(str::to_owned);
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|e| Broken { unsent: None, failed: Failed::After(words(&e)) })?;
        let Ok(data) = frame.into_data() else { continue };
        let room = BODY_MAX.saturating_add(1).saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if body.len() > BODY_MAX {
            break;
        }
    }
    Ok(HttpResponse { status, date, body })
}

/// A connection did not give an answer. The request is there if it was surely not written.
struct Broken {
    unsent: Option<Post>,
    failed: Failed,
}

impl Broken {
    /// hyper hands a request back only if it was still in the queue: not a byte of it was encoded.
    fn new(path: &'static str, mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(request) => Self {
                unsent: Some(Post { path, body: request.into_body() }),
                failed: Failed::unsent(error.error()),
            },
            None => Self { unsent: None, failed: Failed::After(words(error.error())) },
        }
    }
}

impl Failed {
    fn unsent(error: &hyper::Error) -> Self {
        let refused = causes(error).any(|cause| {
            let io = cause.downcast_ref::<std::io::Error>().and_then(|e| e.get_ref());
            cause.is::<rustls::Error>() || io.is_some_and(|inner| inner.is::<rustls::Error>())
        });
        let why = if refused { Unreachable::Tls } else { Unreachable::Connect };
        Self::Before(why, words(error))
    }
}

fn causes(error: &hyper::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |error| Error::source(*error))
}

/// hyper says little itself; what happened is in the causes below.
fn words(error: &hyper::Error) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
