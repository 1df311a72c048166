//! HTTP/1.1 by hand: a small strict reader, and writers that can stop where a well-behaved server would not.

use std::io;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The longest request head.
const MAX_HEAD: usize = 16 * 1024;
/// The longest request body.
pub(crate) const MAX_BODY: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;
/// How long a request may take to arrive once it has begun.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// A request, complete.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Does the client want the connection closed after the answer?
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// Why there is no request.
pub(crate) enum NoRequest {
    /// The client has left, or stayed silent for too long.
    Gone,
    /// It sent something that this status answers.
    Refused(u16),
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> NoRequest {
        NoRequest::Gone
    }
}

/// Reads one request. `buffer` keeps what came early between two calls.
pub(crate) async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    idle: Duration,
) -> Result<Request, NoRequest> {
    if buffer.is_empty() {
        fill(stream, buffer, idle).await?;
    }
    timeout(READ_LIMIT, read_begun(stream, buffer)).await.unwrap_or(Err(NoRequest::Refused(408)))
}

async fn read_begun<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Result<Request, NoRequest> {
    let (mut request, head_length, body_length) = loop {
        if let Some(head) = parse_head(buffer)? {
            break head;
        }
        if buffer.len() > MAX_HEAD {
            return Err(NoRequest::Refused(431));
        }
        fill(stream, buffer, READ_LIMIT).await?;
    };
    while buffer.len() < head_length + body_length {
        fill(stream, buffer, READ_LIMIT).await?;
    }
    let rest = buffer.split_off(head_length + body_length);
    request.body = std::mem::replace(buffer, rest).split_off(head_length);
    Ok(request)
}

async fn fill<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    limit: Duration,
) -> Result<(), NoRequest> {
    match timeout(limit, stream.read_buf(buffer)).await {
        Ok(Ok(1..)) => Ok(()),
        _ => Err(NoRequest::Gone),
    }
}

/// The head with the lengths of head and body, once it is all there.
fn parse_head(buffer: &[u8]) -> Result<Option<(Request, usize, usize)>, NoRequest> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(NoRequest::Refused(400)),
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| NoRequest::Refused(400));
    let headers = parsed.headers.iter().map(|header| Ok((header.name.to_owned(), text(header.value)?)));
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        body: Vec::new(),
        headers: headers.collect::<Result<_, NoRequest>>()?,
    };
    // Two lengths, or a length of another kind, are how requests are smuggled: neither is read.
    if request.header("transfer-encoding").is_some() {
        return Err(NoRequest::Refused(411));
    }
    let mut lengths = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let body_length = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some((_, length)), None) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse::<usize>().map_err(|_| NoRequest::Refused(413))?
        }
        _ => return Err(NoRequest::Refused(400)),
    };
    if body_length > MAX_BODY {
        return Err(NoRequest::Refused(413));
    }
    Ok(Some((request, head_length, body_length)))
}

/// Writes an answer with its length said in advance.
pub(crate) async fn write_plain<S: AsyncWrite + Unpin>(
    stream: &mut S,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<()> {
    let length = body.len().to_string();
    let headers = [headers, &[("Content-Length", length.as_str())]].concat();
    let mut out = head(status, &headers);
    out.extend_from_slice(body);
    stream.write_all(&out).await?;
    stream.flush().await
}

/// An answer's head.
pub(crate) fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    };
    let fields = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
    format!("HTTP/1.1 {status} {reason}\r\n{fields}\r\n").into_bytes()
}

/// One chunk of a chunked body.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// The chunk that ends a body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The Date header.
pub(crate) fn date() -> String {
    let now = OffsetDateTime::now_utc();
    let (weekday, month) = (now.weekday().to_string(), now.month().to_string());
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        weekday.get(..3).unwrap_or_default(),
        now.day(),
        month.get(..3).unwrap_or_default(),
        now.year(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(head: &str) -> Option<u16> {
        match parse_head(head.as_bytes()) {
            Err(NoRequest::Refused(status)) => Some(status),
            _ => None,
        }
    }

    #[test]
    fn ambiguous_and_oversized_bodies_are_refused() {
        assert_eq!(refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), Some(411));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"), Some(400));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n"), Some(400));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), Some(413));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), Some(413));
        assert_eq!(refusal("POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n"), None);
    }
}
