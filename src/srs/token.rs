//! OAuth 2.0 client credentials (guide 2.4; RFC 6749, section 4.4): who we are becomes a token for some minutes.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    Body, Failure, Host, HttpResponse, LIMIT, Refused, Request, Unreadable, Why,
    answer::{self, Fields},
    encoding,
};
use crate::secret::Secret;

/// What Swisscom sent to the Service Provider (guide 3).
#[derive(Debug, Clone)]
pub struct Client {
    /// Client ID.
    pub id: String,
    /// Client Secret.
    pub secret: Secret,
}

/// An access token. How long it is good is for the service to say, by a 401.
#[derive(Debug, Clone)]
pub struct Token(Secret);

impl Token {
    /// The value of Authorization.
    pub(super) fn bearer(&self) -> Secret {
        Secret::new(format!("Bearer {}", self.0.expose()))
    }
}

/// The request for a token. Id and secret go into Authorization: every server must take them there.
#[must_use]
pub fn request(client: &Client) -> Request {
    let id = encoding::component(&client.id);
    let pair = Secret::new(format!("{id}:{}", encoding::component(client.secret.expose())));
    let basic = Secret::new(BASE64_STANDARD.encode(pair.expose()));
    Request {
        host: Host::Registration,
        target: "/oauth/token".to_owned(),
        accept: "application/json",
        authorization: Some(Secret::new(format!("Basic {}", basic.expose()))),
        body: Some(Body {
            media_type: "application/x-www-form-urlencoded",
            text: Secret::new(encoding::pairs([("grant_type", "client_credentials"), ("scope", "miss")])),
        }),
        limit: LIMIT,
    }
}

/// Reads the answer to [`request`].
///
/// # Errors
/// The client is refused, or what came is no token.
pub fn read(response: &HttpResponse) -> Result<Token, Failure> {
    let body = answer::body(response).map_err(|failure| match failure {
        // RFC 6749, section 5.2: a wrong client is 400 or 401.
        Failure::Refused(refused) if matches!(refused.status, 400 | 401 | 403) => {
            Failure::Refused(Refused { why: Why::Client, ..refused })
        }
        other => other,
    })?;
    let fields = Fields::of(&body)?;
    let text = fields.text(&["access_token"]).ok_or(Unreadable::Missing("access_token"))?;
    if text.len() > TOKEN_MAX || !text.bytes().all(is_token_character) {
        return Err(Unreadable::Invalid("access_token").into());
    }
    if fields.text(&["token_type"]).is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Unreadable::Invalid("token_type").into());
    }
    Ok(Token(Secret::new(text.to_owned())))
}

const TOKEN_MAX: usize = 8 << 10;

/// RFC 6750, section 2.1: nothing in it ends a header.
fn is_token_character(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}
