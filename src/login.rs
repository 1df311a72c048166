//! One login, as a machine that decides and never waits.
//!
//! ```text
//!  start ──Lookup──> Looking ──Found──> ──Show──> Showing ──Shown──> ──Send──> Sent ──Reply──> Done
//!                       │ NotEnrolled                │                           │
//!                       │ Unavailable                │ Cancelled                 │ Unreachable, Lost, Cancelled
//!                       v                            v                           v
//!                     Done                         Done                        Done
//! ```
//!
//! A driver carries out each [`Ask`] and answers with [`Login::step`]. The machine is consumed by every step:
//! a finished login cannot be stepped again, and one that is dropped has granted nothing. An answer that does
//! not fit the ask, or any answer after the deadline, is a denial. An accept needs a
//! [`VerifiedSigner`](crate::verify::VerifiedSigner), which only [`crate::verify::verify`] can make.
//!
//! One request is sent per login at most. There is no way back from `Sent` to `Send`.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    audit::AuditRecord,
    config::{Config, Unenrolled},
    directory::Lookup,
    mss::{
        self, ApTransId, HttpRequest, HttpResponse,
        signature::{self, SignatureReply, SignatureRequest, Signed, Transaction},
    },
    notice::Notice,
    outcome::{Exemption, Outcome, Proof, Reason, Unreachable, Verdict},
    policy::{self, Terms},
    prompt::{self, Code, Values},
    subscriber::{Language, Subscriber, UserName},
    text,
    verify::{self, Evidence, Expected},
};

/// The two clocks, read by the driver: one that only runs forward, and one that knows the date.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For timestamps and for the validity of certificates.
    pub wall: SystemTime,
}

/// Fresh random bytes for one login: the code and AP_TransID come from them.
pub type Entropy = [u8; 24];

/// Who wants to log in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The account.
    pub user: UserName,
    /// The service that asks, e.g. `sshd`.
    pub service: String,
    /// This host.
    pub host: String,
    /// Where the login comes from; none for a local one.
    pub rhost: Option<String>,
}

/// What happens next.
#[derive(Debug)]
pub enum Step {
    /// The driver carries this out and answers.
    Ask(Box<Login>, Ask),
    /// The login has ended.
    Done(Box<Outcome>),
}

/// What the driver is to carry out.
#[derive(Debug)]
pub enum Ask {
    /// Look the user up in the directory: answer with [`Answer::Looked`].
    Lookup(UserName),
    /// Show this to the person now: answer with [`Answer::Shown`], also where it could not be shown.
    Show(Notice),
    /// Send this to the service, once: answer with [`Answer::Reply`], [`Answer::Unreachable`] or [`Answer::Lost`].
    Send(HttpRequest),
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// What the directory says.
    Looked(Lookup),
    /// The notice was shown as well as the host could.
    Shown,
    /// The service answered.
    Reply(HttpResponse),
    /// The request was not sent, for this reason; the text is for the administrator.
    Unreachable(Unreachable, String),
    /// The request was sent or may have been, and no whole answer came; the text is for the administrator.
    Lost(String),
    /// The time limit of the ask passed after the request was sent.
    TimedOut,
    /// The host gives the login up. Fits every ask.
    Cancelled,
}

/// A login that is under way.
#[derive(Debug)]
pub struct Login {
    context: Context,
    state: State,
}

#[derive(Debug)]
struct Context {
    config: Arc<Config>,
    request: Request,
    started: Instant,
    deadline: Instant,
    code: Code,
    ap_trans_id: ApTransId,
}

#[derive(Debug)]
enum State {
    Looking,
    Showing(Subscriber),
    Sent(Asked),
}

/// What was asked of whom: the answer is held against it.
#[derive(Debug)]
struct Asked {
    subscriber: Subscriber,
    terms: Terms,
    text: String,
}

impl Login {
    /// Begins a login. The first ask is always the look-up.
    #[must_use]
    pub fn start(request: Request, config: &Arc<Config>, now: Now, entropy: &Entropy) -> Step {
        let (code, rest) = split(entropy);
        let longest = policy::longest(config);
        let ask = Ask::Lookup(request.user.clone());
        let context = Context {
            config: Arc::clone(config),
            request,
            started: now.instant,
            // A deadline that cannot be represented is one that has passed.
            deadline: now.instant.checked_add(longest).unwrap_or(now.instant),
            code: Code::from_entropy(&code),
            ap_trans_id: ApTransId::from_entropy(&rest),
        };
        Step::Ask(Box::new(Self { context, state: State::Looking }), ask)
    }

    /// Takes the answer to the last ask.
    #[must_use]
    pub fn step(self, answer: Answer, now: Now) -> Step {
        let Self { context, state } = self;
        if matches!(answer, Answer::Cancelled) {
            return context.deny(Reason::Cancelled, Found::of(&state), now);
        }
        let leads_on = matches!(answer, Answer::Looked(_) | Answer::Shown | Answer::Reply(_));
        if leads_on && now.instant >= context.deadline {
            return context.deny(Reason::TimedOut, Found::of(&state), now);
        }
        match (state, answer) {
            (State::Looking, Answer::Looked(lookup)) => context.looked(lookup, now),
            (State::Showing(subscriber), Answer::Shown) => context.shown(subscriber, now),
            (State::Sent(asked), Answer::Reply(response)) => context.replied(&asked, &response, now),
            (State::Sent(asked), Answer::Unreachable(why, detail)) => {
                context.deny(Reason::Unreachable(why), Found::asked(&asked).because(&detail), now)
            }
            (State::Sent(asked), Answer::Lost(detail)) => {
                context.deny(Reason::AnswerLost, Found::asked(&asked).because(&detail), now)
            }
            (State::Sent(asked), Answer::TimedOut) => {
                context.deny(Reason::TimedOut, Found::asked(&asked), now)
            }
            (state, _) => {
                let found =
                    Found { detail: Some("the answer does not fit the ask".into()), ..Found::of(&state) };
                context.deny(Reason::Internal, found, now)
            }
        }
    }

    /// Until when an answer counts.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.context.deadline
    }

    /// The identifier that the request has or will have: for a log line before the wait.
    #[must_use]
    pub fn ap_trans_id(&self) -> &ApTransId {
        &self.context.ap_trans_id
    }

    /// The text on the phone, once it is known.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.state {
            State::Sent(asked) => Some(&asked.text),
            State::Looking | State::Showing(_) => None,
        }
    }
}

/// A denial that a host decides before a login starts, with the same record and notice as any other.
#[must_use]
pub fn refuse(request: Request, reason: Reason, detail: &str, language: Language, now: Now) -> Outcome {
    let found =
        Found { detail: Some(text::escaped(detail, 600)).filter(|d| !d.is_empty()), ..Found::default() };
    Outcome {
        notice: Notice::denied(reason, language),
        audit: record(&request, &Verdict::Denied(reason), found, Duration::ZERO, now),
        verdict: Verdict::Denied(reason),
        evidence: None,
    }
}

impl Context {
    fn looked(self, lookup: Lookup, now: Now) -> Step {
        match lookup {
            Lookup::Found(subscriber) => {
                let language = subscriber.language.unwrap_or(self.config.language);
                let notice = Notice::confirm(self.code.clone(), language);
                let login = Login { context: self, state: State::Showing(subscriber) };
                Step::Ask(Box::new(login), Ask::Show(notice))
            }
            Lookup::NotEnrolled => match self.config.unenrolled {
                Unenrolled::Deny => self.deny(Reason::NotEnrolled, Found::default(), now),
                Unenrolled::Allow => {
                    let notice = Notice::exempt(self.config.language);
                    self.done(Verdict::Exempt(Exemption::Unenrolled), notice, Found::default(), None, now)
                }
            },
            Lookup::Unavailable(detail) => {
                let found = Found { detail: Some(text::escaped(&detail, 300)), ..Found::default() };
                self.deny(Reason::DirectoryUnavailable, found, now)
            }
        }
    }

    fn shown(self, subscriber: Subscriber, now: Now) -> Step {
        let left = self.deadline.saturating_duration_since(now.instant);
        let Some(terms) = policy::terms(&self.config, &subscriber, left) else {
            return self.deny(Reason::TimedOut, Found::subscriber(&subscriber), now);
        };
        let values = Values {
            user: self.request.user.as_str(),
            host: &self.request.host,
            service: &self.request.service,
            rhost: self.request.rhost.as_deref().unwrap_or_default(),
            code: &self.code,
        };
        let text = prompt::compose(&self.config.prefix, self.config.templates.get(terms.language), &values);
        let http = signature::request(&SignatureRequest {
            ap: &self.config.ap,
            ap_trans_id: &self.ap_trans_id,
            at: now.wall,
            msisdn: &subscriber.msisdn,
            text: &text,
            language: terms.language,
            profile: terms.profile,
            timeout: terms.patience,
            limit: terms.limit,
        });
        let state = State::Sent(Asked { subscriber, terms, text });
        Step::Ask(Box::new(Login { context: self, state }), Ask::Send(http))
    }

    fn replied(self, asked: &Asked, response: &HttpResponse, now: Now) -> Step {
        let found = Found::asked(asked);
        match signature::read(response) {
            Ok(SignatureReply::Signed(signed)) => self.signed(asked, signed, now),
            Ok(SignatureReply::NotSigned(status, transaction)) => {
                self.deny(Reason::Status(status), found.with(transaction), now)
            }
            Ok(SignatureReply::Fault(reply)) => {
                let found = Found { detail: Some(reply.detail).filter(|d| !d.is_empty()), ..found };
                self.deny(Reason::Fault(reply.fault), found, now)
            }
            Err(unreadable) => self.deny(Reason::Unreadable(unreadable), found, now),
        }
    }

    fn signed(self, asked: &Asked, signed: Signed, now: Now) -> Step {
        let found = Found::asked(asked).with(signed.transaction);
        let evidence =
            Evidence { ap_trans_id: &signed.ap_trans_id, msisdn: &signed.msisdn, signature: &signed.base64 };
        let expected = Expected {
            ap_trans_id: self.ap_trans_id.as_str(),
            msisdn: &asked.subscriber.msisdn,
            text: &asked.text,
            serial: asked.subscriber.serial.as_ref(),
        };
        match verify::verify(&evidence, &expected, &self.config.anchors, now.wall) {
            Ok(signer) => {
                let proof = Proof {
                    ap_trans_id: self.ap_trans_id.as_str().to_owned(),
                    text: asked.text.clone(),
                    signature: signed.base64,
                };
                let notice = Notice::accepted(asked.terms.language);
                self.done(Verdict::Accepted(signer), notice, found, Some(proof), now)
            }
            Err(refused) => {
                let found = Found { detail: Some(refused.detail), ..found };
                self.deny(Reason::Refused(refused.refusal), found, now)
            }
        }
    }

    fn deny(self, reason: Reason, found: Found, now: Now) -> Step {
        let language = found.language.unwrap_or(self.config.language);
        self.done(Verdict::Denied(reason), Notice::denied(reason, language), found, None, now)
    }

    fn done(self, verdict: Verdict, notice: Notice, found: Found, evidence: Option<Proof>, now: Now) -> Step {
        let found = Found { ap_trans_id: found.sent.then(|| self.ap_trans_id.to_string()), ..found };
        let took = now.instant.saturating_duration_since(self.started);
        let audit = record(&self.request, &verdict, found, took, now);
        Step::Done(Box::new(Outcome { verdict, notice, audit, evidence }))
    }
}

/// What is known for the record when a login ends.
#[derive(Debug, Default)]
struct Found {
    language: Option<Language>,
    msisdn: Option<String>,
    sent: bool,
    ap_trans_id: Option<String>,
    mssp_trans_id: Option<String>,
    profile: Option<String>,
    detail: Option<String>,
}

impl Found {
    fn of(state: &State) -> Self {
        match state {
            State::Looking => Self::default(),
            State::Showing(subscriber) => Self::subscriber(subscriber),
            State::Sent(asked) => Self::asked(asked),
        }
    }

    fn subscriber(subscriber: &Subscriber) -> Self {
        Self { language: subscriber.language, msisdn: Some(subscriber.msisdn.to_string()), ..Self::default() }
    }

    fn asked(asked: &Asked) -> Self {
        Self {
            language: Some(asked.terms.language),
            profile: Some(asked.terms.profile.uri().to_owned()),
            sent: true,
            ..Self::subscriber(&asked.subscriber)
        }
    }

    /// With what a driver says of a failure: words from the network are in it.
    fn because(self, detail: &str) -> Self {
        Self { detail: Some(text::foreign(detail, 300)), ..self }
    }

    fn with(self, transaction: Transaction) -> Self {
        Self {
            mssp_trans_id: transaction.mssp_trans_id,
            profile: transaction.profile.or(self.profile),
            ..self
        }
    }
}

fn record(request: &Request, verdict: &Verdict, found: Found, took: Duration, now: Now) -> AuditRecord {
    let (name, reason, code, serial) = match verdict {
        Verdict::Accepted(signer) => ("accepted", "verified", None, Some(signer.signer().serial.to_string())),
        Verdict::Exempt(Exemption::Unenrolled) => ("exempt", "unenrolled-allowed", None, None),
        Verdict::Denied(reason) => ("denied", reason.name(), reason.code(), None),
    };
    AuditRecord {
        time: mss::instant(now.wall),
        verdict: name,
        reason,
        code,
        user: text::escaped(request.user.as_str(), 256),
        service: text::escaped(&request.service, 64),
        host: text::escaped(&request.host, 256),
        rhost: request.rhost.as_deref().filter(|r| !r.is_empty()).map(|r| text::escaped(r, 256)),
        msisdn: found.msisdn,
        ap_trans_id: found.ap_trans_id,
        mssp_trans_id: found.mssp_trans_id,
        profile: found.profile,
        serial,
        ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        detail: found.detail,
    }
}

fn split(entropy: &Entropy) -> ([u8; 8], [u8; 16]) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *entropy;
    ([a, b, c, d, e, f, g, h], rest)
}

#[cfg(test)]
mod tests;
