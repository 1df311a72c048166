//! One login run to its end: the asynchronous twin of the core's blocking driver, a loop over the same machine.
//!
//! ```text
//!   Start, Resume ──> Login ──Lookup──> directories: tables at once, others aside
//!                       │  ──Show────> Progress::Shown
//!                       │  ──Send────> https: one exchange      <── cancel: the machine is told,
//!                       │  ──WaitUntil> Progress::Outstanding        and what was under way is dropped
//!                       v
//!                    Outcome
//! ```
//!
//! Thousands of these wait at once, so one that waits is small: in the asynchronous messaging mode it is the
//! machine and a timer, in the synchronous mode it has its exchange beside it, with a connection of its own or
//! a share of one. An answer is verified where it arrives, on the runtime's threads: that is a tenth to a half
//! of a millisecond, less than handing it to another thread and back would disturb, and as the runtime has
//! a thread for each core there is no other one that could do it sooner.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use mobileid::{
    config::MessagingMode,
    directory::Lookup,
    driver::{
        Tick, TickVerdict,
        directories::{self, GivenUp},
        pins::Pins,
    },
    load::{Connection, Setup},
    login::{self, Answer, Ask, Entropy, Login, Now, Pinned, Request, Step, Ticket, refuse},
    memory::pin::By,
    mss::HttpRequest,
    notice::Notice,
    outcome::{Outcome, Reason},
    subscriber::UserName,
};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    sync::oneshot,
    time::{Instant as TokioInstant, sleep_until},
};

use crate::aside::Aside;
use crate::https::{Https, Kind, Place, Unusable};

/// What runs logins under one configuration: the way to the service, which all of them share.
#[derive(Debug)]
pub struct Engine {
    https: Https,
    /// Where directories are asked.
    asking: Aside,
    /// Where what they are to keep is kept: whoever has confirmed does not wait for those who are looked up.
    keeping: Aside,
    pins: Pins,
}

/// What is to be run.
#[derive(Debug)]
pub enum Job {
    /// A login from its beginning.
    Start(Request),
    /// One that is outstanding and that somebody else has begun.
    Resume(Request, Ticket),
}

/// What is known before the login ends.
#[derive(Debug)]
pub enum Progress {
    /// This is to be shown to the person now: the phone is about to ring.
    Shown(Notice),
    /// The service has taken the request, and with this the login can be finished elsewhere. Told once, and only to
    /// whom has started the login: who resumes it has the ticket.
    Outstanding(Ticket),
    /// A directory was away, and the next ones were asked; the line is for the administrator.
    PassedOver(String),
    /// An exchange with the service took so long, whatever came of it; one that was given up is not told.
    Exchanged {
        /// Whether it asked what has become of a signature, and not for one.
        repeatable: bool,
        /// How long it took.
        took: Duration,
    },
}

/// Ends a login when it is sent or when its other end is dropped: a login that nobody can end any more is one that
/// nobody waits for.
pub type Cancel = oneshot::Receiver<()>;

impl Engine {
    /// Prepares the way to the service. Nothing is connected yet, and no serial number looked for.
    ///
    /// # Errors
    /// [`Unusable`] where certificate, key, roots or name cannot be used.
    pub fn new(connection: &Connection, pins: Pins) -> Result<Self, Unusable> {
        Ok(Self { https: Https::new(connection)?, asking: Aside::default(), keeping: Aside::default(), pins })
    }

    /// Runs one login to its end. Dropping the future ends it too, without an outcome.
    pub fn run(
        &self,
        job: Job,
        setup: &Setup,
        cancel: Cancel,
        progress: impl Fn(Progress),
    ) -> impl Future<Output = Outcome> {
        let is_told = matches!(job, Job::Resume(..));
        // Begun here, so that what waits does not carry the job for all its life.
        self.carry_out(begin(job, setup), is_told, setup, cancel, progress)
    }

    /// The loop.
    async fn carry_out(
        &self,
        mut step: Step,
        mut is_told: bool,
        setup: &Setup,
        mut cancel: Cancel,
        progress: impl Fn(Progress),
    ) -> Outcome {
        let mut place = None;
        loop {
            let (login, ask) = match step {
                Step::Done(outcome) => return *outcome,
                Step::Ask(login, ask) => (login, ask),
            };
            let answer = match ask {
                Ask::Lookup(user) => {
                    let found = Box::pin(self.lookup(user, setup, login.deadline(), &progress));
                    unless(&mut cancel, found).await.unwrap_or(Answer::Cancelled)
                }
                Ask::Show(notice) => {
                    progress(Progress::Shown(notice));
                    // The machine writes the request down when this is answered, with the time that is left then.
                    let free = Box::pin(self.https.place(kind(setup), login.deadline().into()));
                    place = unless(&mut cancel, free).await;
                    if place.is_some() { Answer::Shown } else { Answer::Cancelled }
                }
                // Boxed, so that a login which waits between two queries does not carry the room for one.
                Ask::Send(request) => {
                    let (repeatable, begun) = (request.repeatable, Instant::now());
                    let answer = Box::pin(self.send(request, place.take(), begun));
                    match unless(&mut cancel, answer).await {
                        Some(answer) => {
                            progress(Progress::Exchanged { repeatable, took: begun.elapsed() });
                            answer
                        }
                        None => Answer::Cancelled,
                    }
                }
                Ask::WaitUntil(at) => {
                    if let Some(ticket) = login.ticket().filter(|_| !is_told) {
                        progress(Progress::Outstanding(ticket));
                        is_told = true;
                    }
                    unless(&mut cancel, waited(at)).await.unwrap_or(Answer::Cancelled)
                }
                // Not given up any more: what is written on the way would stay.
                Ask::Pin(pin) => Box::pin(self.pin(pin, setup, login.deadline())).await,
            };
            step = login.step(answer, now());
        }
    }

    async fn lookup(
        &self,
        user: UserName,
        setup: &Setup,
        deadline: Instant,
        progress: &impl Fn(Progress),
    ) -> Answer {
        let directories = Arc::clone(&setup.directories);
        let (pins, policy) = (self.pins.clone(), setup.config.serial);
        // Whom a table knows before anybody else is asked waits for no directory that is slow.
        let at_hand = directories.all_at_hand() || directories.at_hand(&user).is_some();
        let ask = move |tick: &Tick| {
            let mut lines = Vec::new();
            let found =
                directories::lookup_told(&directories, &user, tick, deadline, |directory, answer| {
                    lines.extend(directories::passed_over(directory, answer, &user));
                })?;
            Ok((pins.complete(found, &directories, policy), lines))
        };
        // Tables are read at once, wherever one is; so is a file of a hundred octets.
        let found = match at_hand {
            true => Some(ask(&never())),
            false => self.asking.carry_out(ask).await,
        };
        match found {
            Some(Ok((known, lines))) => {
                lines.into_iter().for_each(|line| progress(Progress::PassedOver(line)));
                known.map_or_else(Answer::Withheld, Answer::Looked)
            }
            Some(Err(GivenUp)) => Answer::Cancelled,
            None => Answer::Looked(Lookup::Unavailable(
                "asking the directories came to no end: a defect".to_owned(),
            )),
        }
    }

    /// Beside the runtime's threads: what is kept is on the disk before anybody is let in.
    async fn pin(&self, pin: login::Pin, setup: &Setup, deadline: Instant) -> Answer {
        let (directories, pins) = (Arc::clone(&setup.directories), self.pins.clone());
        let keep = move |tick: &Tick| directories::pin(&directories, &pins, &pin, By::Login, tick, deadline);
        match self.keeping.carry_out(keep).await {
            Some(Ok(pinned)) => Answer::Pinned(pinned),
            Some(Err(GivenUp)) => Answer::Cancelled,
            None => Answer::Pinned(Pinned::Unavailable(
                "keeping the serial number came to no end: a defect".to_owned(),
            )),
        }
    }

    async fn send(&self, request: HttpRequest, place: Option<Place<'_>>, begun: Instant) -> Answer {
        let place = match place {
            Some(place) => place,
            // Of all requests only a query about one that was sent before has no place yet.
            None => {
                let by = begun.checked_add(request.limit).unwrap_or(begun);
                self.https.place(Kind::Quick, by.into()).await
            }
        };
        self.https.exchange(request, place).await
    }
}

/// Gives nothing up.
fn never() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}

/// How long a signature request keeps its connection.
fn kind(setup: &Setup) -> Kind {
    match setup.config.mode {
        MessagingMode::Synch => Kind::Held,
        MessagingMode::Asynch => Kind::Quick,
    }
}

fn begin(job: Job, setup: &Setup) -> Step {
    let mut entropy = Entropy::default();
    let drawn = SystemRandom::new().fill(&mut entropy);
    match (job, drawn) {
        (Job::Start(request), Ok(())) => Login::start(request, &setup.config, now(), &entropy),
        (Job::Resume(request, ticket), Ok(())) => {
            Login::resume(request, ticket, &setup.config, now(), &entropy)
        }
        (Job::Start(request) | Job::Resume(request, _), Err(_)) => {
            let why = "the system has no randomness to give";
            Step::Done(Box::new(refuse(request, Reason::Internal, why, setup.config.language, now())))
        }
    }
}

/// What comes of it, unless the login is given up first; if it already was, nothing is begun.
async fn unless<T>(cancel: &mut Cancel, answer: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        _ = cancel => None,
        answer = answer => Some(answer),
    }
}

async fn waited(until: Instant) -> Answer {
    sleep_until(TokioInstant::from_std(until)).await;
    Answer::Waited
}

/// Both clocks, now.
fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

#[cfg(test)]
mod tests;
