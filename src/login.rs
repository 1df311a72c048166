//! One login, as a machine that decides and never waits.
//!
//! ```text
//!  start ──Lookup──> Looking ──Show──> Showing ──Send──> Sent ──────── signature or denial ────────> Done
//!                       │                 │                │ │  first signature ──Pin──> Pinning ──────▲
//!                       │                 │                │ taken (asynchronous mode)                 │
//!                       │                 │                ▼                                           │
//!                       │                 │             Waiting <──── outstanding, no answer ─────┐    │
//!                       │                 │                └──WaitUntil──> ──Send(status)──> Polling ──┤
//!                       └─────────────────┴── NotEnrolled, Unavailable, Cancelled, deadline, ... ──────┘
//!
//!  resume ──Lookup──> Looking ──Send(status)──> Polling        (asynchronous, begun on another node)
//! ```
//!
//! A driver carries out each [`Ask`] and answers with [`Login::step`]. The machine is consumed by every step:
//! a finished login cannot be stepped again, and one that is dropped has granted nothing. An answer that does
//! not fit the ask, or any answer after the deadline, is a denial. An accept needs a
//! [`VerifiedSigner`](crate::verify::VerifiedSigner), which only [`crate::verify::verify`] can make.
//!
//! One signature request is sent per login at most: there is no way back from `Sent` to its `Send`, and `resume`
//! has no way to it at all. Only the status request, which rings no phone, is repeated. A service that answers an
//! asynchronous request with the signature at once has done more than was asked: the signature is verified like
//! any other, because what it must hold against does not depend on how it came.

mod polling;
mod record;
mod ticket;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    config::{Config, SerialPolicy, Unenrolled},
    directory::Lookup,
    mss::{
        ApTransId, HttpRequest, HttpResponse,
        signature::{self, SignatureReply, SignatureRequest, Signed},
    },
    notice::Notice,
    outcome::{Exemption, Outcome, Proof, Reason, Unreachable, Verdict},
    policy,
    prompt::{self, Code, Command, Values},
    subscriber::{Entry, Language, Profile, SerialNumber, Subscriber, UserName},
    text,
    verify::{self, Evidence, Expected, VerifiedSigner},
};

pub use self::ticket::Ticket;
use self::{
    polling::Outstanding,
    record::{Found, record},
};

/// The two clocks, read by the driver: one that only runs forward, and one that knows the date.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For timestamps and for the validity of certificates.
    pub wall: SystemTime,
}

/// Fresh random bytes for one login: the code and the identifiers come from them.
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
    /// Whom the user wants to become, for sudo and su.
    pub target: Option<String>,
    /// What the user wants to run as the target, for sudo.
    pub command: Option<Command>,
    /// The RADIUS client that asks, by its configured name, for the record.
    pub client: Option<String>,
    /// How long the host can wait in all, where that is less than the configuration allows.
    pub limit: Option<Duration>,
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
    /// Send this to the service: answer with [`Answer::Reply`], [`Answer::Unreachable`], [`Answer::Lost`] or
    /// [`Answer::TimedOut`]. Once, unless it says that it may be repeated.
    Send(HttpRequest),
    /// Do nothing until then: answer with [`Answer::Waited`].
    WaitUntil(Instant),
    /// Keep this serial number unless another is kept: answer with [`Answer::Pinned`].
    Pin(Pin),
}

/// The serial number of a person's first signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// As the person was called.
    pub user: UserName,
    /// Whom it is kept for.
    pub entry: Entry,
    /// What is kept.
    pub serial: SerialNumber,
}

/// What became of a first serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// It is kept from now on.
    Kept,
    /// Somebody has kept the same one meanwhile.
    Same,
    /// Somebody has kept another one meanwhile.
    Other(SerialNumber),
    /// It cannot be kept; the text is for the administrator.
    Unavailable(String),
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
    /// It is later than what was waited for.
    Waited,
    /// What became of the first serial number.
    Pinned(Pinned),
    /// The host has not carried out the ask.
    Withheld(Withheld),
    /// The host gives the login up. Fits every ask.
    Cancelled,
}

/// Why a host goes no further with a login, whose phone was not asked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The reason of the denial that it ends in.
    pub reason: Reason,
    /// For the administrator.
    pub detail: String,
}

/// What cannot be written down or read is the administrator's to mend.
impl From<String> for Withheld {
    fn from(detail: String) -> Self {
        Self { reason: Reason::Misconfigured, detail }
    }
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
    /// The same on the wall's clock.
    began: SystemTime,
    deadline: Instant,
    /// What AP_TransID is made of.
    entropy: [u8; 16],
    ap_trans_id: ApTransId,
    /// What those of the status requests begin with: another one where the login was begun elsewhere, so that no two
    /// nodes ever send the same.
    poll_id: ApTransId,
}

#[derive(Debug)]
enum State {
    Looking(Aim),
    Showing(Subscriber, Code),
    Sent(Asked),
    Waiting(Outstanding, Instant),
    Polling(Outstanding),
    Pinning(Box<First>),
}

/// What the look-up is for.
#[derive(Debug)]
enum Aim {
    /// To ask the phone, which will show this code.
    Begin(Code),
    /// To finish what was begun elsewhere.
    Finish(Ticket),
}

/// What was asked of whom: the answer is held against it.
#[derive(Debug)]
struct Asked {
    subscriber: Subscriber,
    profile: Profile,
    text: String,
}

/// A login that is confirmed, once its serial number is kept.
#[derive(Debug)]
struct First {
    signer: VerifiedSigner,
    notice: Notice,
    found: Found,
    proof: Proof,
}

impl Asked {
    fn found(&self, context: &Context) -> Found {
        Found::of(&self.subscriber, &context.config).sent(&context.ap_trans_id).profile(self.profile)
    }
}

/// How much the clocks of two nodes may differ: the one whose clock is behind sees more time left than there ever was.
const SKEW: Duration = Duration::from_secs(5);

impl Login {
    /// Begins a login. The first ask is always the look-up.
    #[must_use]
    pub fn start(request: Request, config: &Arc<Config>, now: Now, entropy: &Entropy) -> Step {
        let (code, id) = split(entropy);
        let context = Context {
            deadline: deadline(now, policy::longest(config), &request),
            started: now.instant,
            began: now.wall,
            entropy: id,
            ap_trans_id: ApTransId::from_entropy(&id),
            poll_id: ApTransId::from_entropy(&id),
            config: Arc::clone(config),
            request,
        };
        context.look(Aim::Begin(Code::from_entropy(&code)))
    }

    /// Goes on with a login that was begun on another node and is outstanding at the service. No phone is asked. The
    /// user is looked up anew, so that who was removed stays out and a number or serial number that has changed since
    /// counts. The host answers for the ticket being this user's.
    #[must_use]
    pub fn resume(
        request: Request,
        ticket: Ticket,
        config: &Arc<Config>,
        now: Now,
        entropy: &Entropy,
    ) -> Step {
        let longest = policy::longest(config);
        // No time is left of a ticket that has ended.
        let left = ticket.ends().duration_since(now.wall).unwrap_or_default();
        let age = now.wall.duration_since(ticket.started()).unwrap_or_default();
        let context = Context {
            deadline: deadline(now, left.min(longest), &request),
            started: now.instant.checked_sub(age).unwrap_or(now.instant),
            began: ticket.started(),
            entropy: ticket.entropy,
            ap_trans_id: ticket.ap_trans_id(),
            poll_id: ApTransId::from_entropy(&split(entropy).1),
            config: Arc::clone(config),
            request,
        };
        let found = context.found_of(&ticket);
        if left.is_zero() {
            return context.deny(Reason::TimedOut, found, now);
        }
        if left > longest.saturating_add(SKEW) {
            let found = found.detail("the login ends later than any may that begins now");
            return context.deny(Reason::Internal, found, now);
        }
        context.look(Aim::Finish(ticket))
    }

    /// Takes the answer to the last ask.
    #[must_use]
    pub fn step(self, answer: Answer, now: Now) -> Step {
        let Self { context, state } = self;
        let found = context.found(&state);
        if matches!(answer, Answer::Cancelled) {
            return context.deny(Reason::Cancelled, found, now);
        }
        if let Answer::Withheld(Withheld { reason, detail }) = &answer {
            return context.deny(*reason, found.detail(text::escaped(detail, 600)), now);
        }
        let leads_on = matches!(
            answer,
            Answer::Looked(_) | Answer::Shown | Answer::Reply(_) | Answer::Waited | Answer::Pinned(_)
        );
        if leads_on && now.instant >= context.deadline {
            // It is kept all the same, and the record is where that is looked for.
            let is_kept = matches!((&state, &answer), (State::Pinning(_), Answer::Pinned(Pinned::Kept)));
            let found = if is_kept { found.first_use() } else { found };
            return context.deny(Reason::TimedOut, found, now);
        }
        match (state, answer) {
            (State::Looking(aim), Answer::Looked(lookup)) => context.looked(aim, lookup, now),
            (State::Showing(subscriber, code), Answer::Shown) => context.shown(subscriber, &code, now),
            (State::Sent(asked), Answer::Reply(response)) => context.replied(asked, &response, now),
            (State::Sent(_), Answer::Unreachable(why, detail)) => {
                context.deny(Reason::Unreachable(why), found.because(&detail), now)
            }
            (State::Sent(_), Answer::Lost(detail)) => {
                context.deny(Reason::AnswerLost, found.because(&detail), now)
            }
            (State::Sent(_), Answer::TimedOut) => context.deny(Reason::TimedOut, found, now),
            (State::Waiting(outstanding, due), Answer::Waited) => context.waited(outstanding, due, now),
            (State::Polling(outstanding), answer) => context.polled(outstanding, answer, now),
            (State::Pinning(first), Answer::Pinned(pinned)) => context.pinned(*first, pinned, now),
            _ => context.misfit(found, now),
        }
    }

    /// What it takes to finish this login on another node; none unless it is outstanding at the service.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        match &self.state {
            State::Waiting(outstanding, _) | State::Polling(outstanding) => outstanding.ticket(&self.context),
            State::Looking(_) | State::Showing(..) | State::Sent(_) | State::Pinning(_) => None,
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
            State::Waiting(outstanding, _) | State::Polling(outstanding) => Some(&outstanding.asked.text),
            State::Looking(_) | State::Showing(..) | State::Pinning(_) => None,
        }
    }
}

/// A denial that a host decides before a login starts, with the same record and notice as any other.
#[must_use]
pub fn refuse(request: Request, reason: Reason, detail: &str, language: Language, now: Now) -> Outcome {
    let found = Found::default().detail(text::escaped(detail, 600));
    unasked(&request, Verdict::Denied(reason), Notice::denied(reason, language), found, language, now)
}

/// An exemption that a host decides before a login starts: nobody is asked, and somebody is let in.
#[must_use]
pub fn exempt(request: Request, exemption: Exemption, detail: &str, language: Language, now: Now) -> Outcome {
    let notice = Notice::exempt(exemption, language);
    let found = Found::default().detail(text::escaped(detail, 600));
    unasked(&request, Verdict::Exempt(exemption), notice, found, language, now)
}

fn unasked(
    request: &Request,
    verdict: Verdict,
    notice: Notice,
    found: Found,
    language: Language,
    now: Now,
) -> Outcome {
    let audit = record(request, &verdict, found, Duration::ZERO, now);
    Outcome { verdict, notice, audit, evidence: None, groups: Vec::new(), language }
}

impl Context {
    fn look(self, aim: Aim) -> Step {
        let ask = Ask::Lookup(self.request.user.clone());
        Step::Ask(Box::new(Login { context: self, state: State::Looking(aim) }), ask)
    }

    fn looked(self, aim: Aim, lookup: Lookup, now: Now) -> Step {
        match (self.of_interest(lookup), aim) {
            (Lookup::Found(subscriber), aim) if self.lacks_serial(&subscriber) => {
                let found = match aim {
                    Aim::Begin(_) => Found::of(&subscriber, &self.config),
                    Aim::Finish(ticket) => self.found_of(&ticket),
                };
                let found = found.detail("signature.serial is \"required\", and no serial number is known");
                self.deny(Reason::SerialUnknown, found, now)
            }
            (Lookup::Found(subscriber), Aim::Begin(code)) => {
                let notice = Notice::confirm(code.clone(), policy::language(&self.config, &subscriber));
                let login = Login { context: self, state: State::Showing(subscriber, code) };
                Step::Ask(Box::new(login), Ask::Show(notice))
            }
            (Lookup::Found(subscriber), Aim::Finish(ticket)) => {
                let profile = policy::profile(&self.config, &subscriber);
                let asked = Asked { subscriber, profile, text: ticket.text().to_owned() };
                self.poll(Outstanding::resumed(asked, &ticket), now)
            }
            (Lookup::NotEnrolled, Aim::Begin(_)) if self.config.unenrolled == Unenrolled::Allow => {
                let notice = Notice::exempt(Exemption::Unenrolled, self.config.language);
                self.done(Verdict::Exempt(Exemption::Unenrolled), notice, Found::default(), None, now)
            }
            // Whoever was enrolled when the login began is not let in for having been removed since.
            (Lookup::NotEnrolled, aim) => {
                let found = self.aimed(&aim);
                self.deny(Reason::NotEnrolled, found, now)
            }
            (Lookup::Barred(detail), aim) => {
                let found = self.aimed(&aim).detail(text::escaped(&detail, 300));
                self.deny(Reason::AccountDisabled, found, now)
            }
            (Lookup::Unavailable(detail), aim) => {
                let found = self.aimed(&aim).detail(text::escaped(&detail, 300));
                self.deny(Reason::DirectoryUnavailable, found, now)
            }
        }
    }

    /// Without the serial number, where none is looked at.
    fn of_interest(&self, lookup: Lookup) -> Lookup {
        match lookup {
            Lookup::Found(subscriber) if self.config.serial == SerialPolicy::Ignore => {
                Lookup::Found(Subscriber { serial: None, ..subscriber })
            }
            lookup => lookup,
        }
    }

    fn lacks_serial(&self, subscriber: &Subscriber) -> bool {
        self.config.serial == SerialPolicy::Required && subscriber.serial.is_none()
    }

    fn shown(self, subscriber: Subscriber, code: &Code, now: Now) -> Step {
        let left = self.deadline.saturating_duration_since(now.instant);
        let Some(terms) = policy::terms(&self.config, &subscriber, left) else {
            let found = Found::of(&subscriber, &self.config);
            return self.deny(Reason::TimedOut, found, now);
        };
        let user = self.request.user.to_string();
        let values = Values {
            user: &user,
            host: &self.request.host,
            service: &self.request.service,
            rhost: self.request.rhost.as_deref().unwrap_or_default(),
            target: self.request.target.as_deref().unwrap_or_default(),
            command: self.request.command.as_ref(),
            code,
        };
        let templates = match (&self.request.command, &self.request.target) {
            (Some(_), _) => &self.config.sudo,
            (None, Some(_)) => &self.config.su,
            (None, None) => &self.config.templates,
        };
        let text = prompt::compose(&self.config.prefix, templates.get(terms.language), &values);
        let http = signature::request(&SignatureRequest {
            ap: &self.config.ap,
            ap_trans_id: &self.ap_trans_id,
            at: now.wall,
            msisdn: &subscriber.msisdn,
            text: &text,
            language: terms.language,
            profile: terms.profile,
            mode: self.config.mode,
            timeout: terms.patience,
            limit: terms.answer,
        });
        // With the method known, the time for it is.
        let deadline = now.instant.checked_add(terms.limit).unwrap_or(now.instant).min(self.deadline);
        let state = State::Sent(Asked { subscriber, profile: terms.profile, text });
        let context = Self { deadline, ..self };
        Step::Ask(Box::new(Login { context, state }), Ask::Send(http))
    }

    fn replied(self, asked: Asked, response: &HttpResponse, now: Now) -> Step {
        let found = asked.found(&self);
        match signature::read(response) {
            Ok(SignatureReply::Signed(signed)) => {
                let (id, found) = (self.ap_trans_id.clone(), found.with(&signed.transaction));
                self.signed(&asked, &id, signed, found, now)
            }
            Ok(SignatureReply::Taken(taken)) => self.taken(asked, taken, now),
            Ok(SignatureReply::NotSigned(status, transaction)) => {
                self.deny(Reason::Status(status), found.with(&transaction), now)
            }
            Ok(SignatureReply::Fault(reply)) => {
                self.deny(Reason::Fault(reply.fault), found.detail(reply.detail), now)
            }
            Err(unreadable) => self.deny(Reason::Unreadable(unreadable), found, now),
        }
    }

    /// A signature has come, in an answer to the request that was sent as `id`.
    fn signed(self, asked: &Asked, id: &ApTransId, signed: Signed, found: Found, now: Now) -> Step {
        let evidence =
            Evidence { ap_trans_id: &signed.ap_trans_id, msisdn: &signed.msisdn, signature: &signed.base64 };
        let expected = Expected {
            ap_trans_id: id.as_str(),
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
                let notice = Notice::accepted(policy::language(&self.config, &asked.subscriber));
                let found = found.verified(&signer.signer().serial);
                let first = First { signer, notice, found, proof };
                if self.config.serial == SerialPolicy::FirstUse && asked.subscriber.serial.is_none() {
                    return self.pin(&asked.subscriber, first);
                }
                self.confirmed(first, now)
            }
            Err(refused) => self.deny(Reason::Refused(refused.refusal), found.detail(refused.detail), now),
        }
    }

    /// Nobody is let in before the serial number is kept: the next login must be held against it.
    fn pin(self, subscriber: &Subscriber, first: First) -> Step {
        let ask = Ask::Pin(Pin {
            user: self.request.user.clone(),
            entry: subscriber.entry.clone(),
            serial: first.signer.signer().serial.clone(),
        });
        Step::Ask(Box::new(Login { context: self, state: State::Pinning(Box::new(first)) }), ask)
    }

    fn pinned(self, first: First, pinned: Pinned, now: Now) -> Step {
        match pinned {
            Pinned::Kept => {
                let found = first.found.first_use();
                self.confirmed(First { found, ..first }, now)
            }
            Pinned::Same => self.confirmed(first, now),
            Pinned::Other(kept) => {
                let refused = verify::another_serial(&first.signer.signer().serial, &kept);
                self.deny(Reason::Refused(refused.refusal), first.found.detail(refused.detail), now)
            }
            Pinned::Unavailable(why) => {
                self.deny(Reason::PinFailed, first.found.detail(text::escaped(&why, 600)), now)
            }
        }
    }

    fn confirmed(self, first: First, now: Now) -> Step {
        let First { signer, notice, found, proof } = first;
        self.done(Verdict::Accepted(signer), notice, found, Some(proof), now)
    }

    fn misfit(self, found: Found, now: Now) -> Step {
        self.deny(Reason::Internal, found.detail("the answer does not fit the ask"), now)
    }

    fn deny(self, reason: Reason, found: Found, now: Now) -> Step {
        let notice = Notice::denied(reason, found.language.unwrap_or(self.config.language));
        self.done(Verdict::Denied(reason), notice, found, None, now)
    }

    fn done(
        self,
        verdict: Verdict,
        notice: Notice,
        mut found: Found,
        evidence: Option<Proof>,
        now: Now,
    ) -> Step {
        let language = found.language.unwrap_or(self.config.language);
        let groups = std::mem::take(&mut found.groups);
        let took = now.instant.saturating_duration_since(self.started);
        let audit = record(&self.request, &verdict, found, took, now);
        Step::Done(Box::new(Outcome { verdict, notice, audit, evidence, groups, language }))
    }

    /// What is known in this state.
    fn found(&self, state: &State) -> Found {
        match state {
            State::Looking(aim) => self.aimed(aim),
            State::Showing(subscriber, _) => Found::of(subscriber, &self.config),
            State::Sent(asked) => asked.found(self),
            State::Waiting(outstanding, _) | State::Polling(outstanding) => outstanding.found(self),
            State::Pinning(first) => first.found.clone(),
        }
    }

    fn aimed(&self, aim: &Aim) -> Found {
        match aim {
            Aim::Begin(_) => Found::default(),
            Aim::Finish(ticket) => self.found_of(ticket),
        }
    }

    fn found_of(&self, ticket: &Ticket) -> Found {
        Found::default().sent(&self.ap_trans_id).with(&ticket.transaction())
    }
}

/// When a login ends that may take so long, and no longer than its host can wait. A deadline that cannot be
/// represented is one that has passed.
fn deadline(now: Now, longest: Duration, request: &Request) -> Instant {
    let longest = request.limit.map_or(longest, |limit| limit.min(longest));
    now.instant.checked_add(longest).unwrap_or(now.instant)
}

fn split(entropy: &Entropy) -> ([u8; 8], [u8; 16]) {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *entropy;
    ([a, b, c, d, e, f, g, h], rest)
}

#[cfg(test)]
mod tests;
