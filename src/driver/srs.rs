//! The Smart Registration Service over blocking sockets: carries out the requests of [`crate::srs`], and sees to the
//! token.
//!
//! ```text
//!   ask ──> a token there? ──no──> fetch one ──> send ──> answer
//!              │ yes                              │
//!              └──────────────────────> send ──> 401: the token is old. Fetch one, send once more, and that is it
//! ```
//!
//! Sending again after a 401 is safe also where something is ordered: who was not let in has ordered nothing. Nothing
//! else is sent twice.

use std::fmt;

use super::{
    Tick,
    https::{Exchange, Https},
    tls::Unusable,
};
use crate::{
    load::Registration,
    login::Answer,
    outcome::Unreachable,
    srs::{
        Client, Failure, Host, HttpResponse, Issuer, MethodName, RefId, Request, Token, Why,
        evidence::{self, Finding, Question},
        identification::{self, Identification, Person, Started},
        methods::{self, Filter, Method},
        token,
    },
};

/// The service, with the token that it gave last.
#[derive(Debug)]
pub struct Desk {
    client: Client,
    registration: Https,
    evidence: Https,
    token: Option<Token>,
}

/// Why there is no answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The service was not reached, and was asked nothing.
    Unreachable(Unreachable, String),
    /// It may have been asked, and no whole answer came.
    Lost(String),
    /// It gave no answer in time.
    TimedOut,
    /// The host gave the question up.
    Cancelled,
    /// It answered, and this is no answer to the question.
    Failure(Failure),
}

impl Desk {
    /// Prepares the way to both servers; asks nothing.
    ///
    /// # Errors
    /// Roots or a name that cannot be used.
    pub fn new(registration: &Registration) -> Result<Self, Unusable> {
        Ok(Self {
            client: registration.client.clone(),
            registration: Https::without_certificate(&registration.registration)?,
            evidence: Https::without_certificate(&registration.evidence)?,
            token: None,
        })
    }

    /// Which methods fit a filter.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn methods(&mut self, filter: &Filter, tick: &Tick) -> Result<Vec<Method>, NoAnswer> {
        self.ask(|token| methods::request(filter, token), |response| methods::read(filter, response), tick)
    }

    /// Orders an identification. After [`NoAnswer::Lost`] or [`NoAnswer::TimedOut`] there may be one without anybody
    /// knowing its Ref ID.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn start(
        &mut self,
        issuer: &Issuer,
        method: &MethodName,
        person: &Person,
        tick: &Tick,
    ) -> Result<Started, NoAnswer> {
        let request = |token: &Token| identification::start(issuer, method, person, token);
        self.ask(request, identification::read_start, tick)
    }

    /// How far an identification is.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn status(&mut self, ref_id: &RefId, tick: &Tick) -> Result<Identification, NoAnswer> {
        self.ask(|token| identification::status(ref_id, token), identification::read_status, tick)
    }

    /// Whether there is evidence. The Registration Authority is asked without the token, which is none of its business.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn verify(&mut self, question: &Question, tick: &Tick) -> Result<Finding, NoAnswer> {
        let response = self.carry_out(&evidence::request(question), tick)?;
        evidence::read(question, &response).map_err(NoAnswer::Failure)
    }

    fn ask<T>(
        &mut self,
        request: impl Fn(&Token) -> Request,
        read: impl Fn(&HttpResponse) -> Result<T, Failure>,
        tick: &Tick,
    ) -> Result<T, NoAnswer> {
        let token = match self.token.take() {
            Some(kept) => kept,
            None => self.fetch(tick)?,
        };
        let answer = read(&self.carry_out(&request(&token), tick)?);
        let old = matches!(&answer, Err(Failure::Refused(refused)) if refused.why == Why::Token);
        let (token, answer) = if old {
            let fresh = self.fetch(tick)?;
            let answer = read(&self.carry_out(&request(&fresh), tick)?);
            (fresh, answer)
        } else {
            (token, answer)
        };
        self.token = Some(token);
        answer.map_err(NoAnswer::Failure)
    }

    fn fetch(&self, tick: &Tick) -> Result<Token, NoAnswer> {
        let response = self.carry_out(&token::request(&self.client), tick)?;
        token::read(&response).map_err(NoAnswer::Failure)
    }

    fn carry_out(&self, request: &Request, tick: &Tick) -> Result<HttpResponse, NoAnswer> {
        let https = match request.host {
            Host::Registration => &self.registration,
            Host::Evidence => &self.evidence,
        };
        let exchange = Exchange {
            target: &request.target,
            accept: request.accept,
            authorization: request.authorization.as_ref(),
            body: request.body.as_ref().map(|body| (body.media_type, &body.text)),
            limit: request.limit,
        };
        match https.carry_out(&exchange, tick) {
            Answer::Reply(response) => Ok(response),
            Answer::Unreachable(why, detail) => Err(NoAnswer::Unreachable(why, detail)),
            Answer::Lost(detail) => Err(NoAnswer::Lost(detail)),
            Answer::TimedOut => Err(NoAnswer::TimedOut),
            _ => Err(NoAnswer::Cancelled),
        }
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(_, detail) => {
                write!(f, "the Smart Registration Service is not reached: {detail}")
            }
            Self::Lost(detail) => write!(f, "the Smart Registration Service gave no whole answer: {detail}"),
            Self::TimedOut => f.write_str("the Smart Registration Service gave no answer in time"),
            Self::Cancelled => f.write_str("given up"),
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NoAnswer {}

#[cfg(test)]
mod tests;
