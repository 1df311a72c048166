//! HTTP/2, for a service that would offer it: the same answers, and spoiled in the same ways as far as it has them.
//!
//! hyper serves it. Only what ends a connection differs: after a fault it stays open, and instead of the connection
//! it is the stream that is reset in the middle of a body.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::{Interval, Sleep, interval, sleep};
use tokio_rustls::server::TlsStream;

use crate::answers::Answer;
use crate::behaviour::Behaviour;
use crate::http::MAX_BODY;
use crate::server::{DRIP, UNAVAILABLE, distorted};
use crate::service::{Caller, Service};

/// Its name in ALPN.
pub(crate) const ALPN: &[u8] = b"h2";
/// How many requests may wait on one connection; what most servers allow.
const STREAMS: u32 = 100;

/// Serves one connection until its end.
pub(crate) async fn serve(stream: TlsStream<TcpStream>, service: Arc<Service>, caller: Caller) {
    let caller = Arc::new(caller);
    let answer = service_fn(|request| answer(request, service.clone(), caller.clone()));
    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(STREAMS)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    service: Arc<Service>,
    caller: Arc<Caller>,
) -> Result<Response<Outgoing>, Infallible> {
    let path = request.uri().path().to_owned();
    if !Service::has_path(&path) {
        return Ok(Outgoing::page(StatusCode::NOT_FOUND, b""));
    }
    if request.method() != Method::POST {
        return Ok(Outgoing::page(StatusCode::METHOD_NOT_ALLOWED, b""));
    }
    let Some(body) = read(request.into_body()).await else {
        return Ok(Outgoing::page(StatusCode::PAYLOAD_TOO_LARGE, b""));
    };
    Ok(match service.answer(&caller, &path, &body).await {
        Answer::Right(body) => Outgoing::json(StatusCode::OK, body.to_string(), Then::End),
        Answer::Fault(fault) => {
            Outgoing::json(StatusCode::INTERNAL_SERVER_ERROR, fault.to_json().to_string(), Then::End)
        }
        Answer::Spoiled(_, Behaviour::Http503) => {
            Outgoing::page(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE)
        }
        Answer::Spoiled(body, behaviour @ (Behaviour::DeepJson | Behaviour::HugeBody)) => {
            Outgoing::json(StatusCode::OK, distorted(body, behaviour), Then::End)
        }
        Answer::Spoiled(body, behaviour) => {
            let mut text = body.to_string();
            text.truncate(text.len() / 2);
            let then = match behaviour {
                Behaviour::BrokenJson => Then::End,
                Behaviour::SlowDrip => Then::Drip(interval(DRIP)),
                Behaviour::TlsReset => Then::Reset(Box::pin(sleep(DRIP))),
                _ => Then::Silence,
            };
            Outgoing::json(StatusCode::OK, text, then)
        }
        // The stream stays open until the client leaves.
        Answer::Silence => std::future::pending().await,
    })
}

/// The whole body; none if it is too long or does not arrive.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            whole.extend_from_slice(&data);
        }
        if whole.len() > MAX_BODY {
            return None;
        }
    }
    Some(whole.freeze())
}

/// A body on its way out, and what becomes of the stream behind it.
struct Outgoing {
    left: Bytes,
    then: Then,
}

enum Then {
    End,
    /// Nothing more comes, and no end either.
    Silence,
    /// When this has passed: what was queued before a reset is not sent.
    Reset(Pin<Box<Sleep>>),
    /// The body a byte at a time, blanks behind it, and no end.
    Drip(Interval),
}

impl Outgoing {
    fn json(status: StatusCode, text: String, then: Then) -> Response<Outgoing> {
        Outgoing { left: text.into(), then }.with(status, "application/json;charset=UTF-8")
    }

    fn page(status: StatusCode, text: &'static [u8]) -> Response<Outgoing> {
        Outgoing { left: Bytes::from_static(text), then: Then::End }.with(status, "text/html")
    }

    fn with(self, status: StatusCode, kind: &'static str) -> Response<Outgoing> {
        let mut response = Response::new(self);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(SERVER, HeaderValue::from_static("Kiuru REST API Server 9040"));
        response
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Then::Drip(interval) = &mut self.then {
            ready!(interval.poll_tick(cx));
            let byte = if self.left.is_empty() { Bytes::from_static(b" ") } else { self.left.split_to(1) };
            return Poll::Ready(Some(Ok(Frame::data(byte))));
        }
        if !self.left.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.left)))));
        }
        match &mut self.then {
            Then::End => Poll::Ready(None),
            Then::Reset(pause) => {
                ready!(pause.as_mut().poll(cx));
                Poll::Ready(Some(Err(io::Error::other("as the behaviour has it"))))
            }
            Then::Silence | Then::Drip(_) => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && matches!(self.then, Then::End)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
