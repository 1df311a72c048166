//! The loop: it owns the responder, carries packets to it, and does what it says.
//!
//! ```text
//!   this thread                                        workers: one thread per core
//!  ┌───────────────────────────────────────┐
//!  │ listeners ── datagrams ──> Server     │           logins.rs   a task per login: engine, phone, verification
//!  │     ^                        │        │           upstreams   a task per first factor that is asked
//!  │     └────── answers ── Actions ───────┼── tasks ──────┘
//!  │                              ^        │               │
//!  │ mail <───────────────────────┼────────┼── Event ──────┘
//!  │   └── events ────────────────┘        │
//!  │ orders     reload, stop               │           plan.rs     a new configuration, read from disk
//!  │ questions  metrics, health            │           metrics     the loopback port
//!  │ time       the responder's, watchdog  │
//!  └──────────────┬────────────────────────┘
//!                 └── entries ──> scribe: a thread that writes files
//! ```
//!
//! One round takes what there is of everything, each in its share: packets that come in a flood keep no verdict
//! waiting, and the other way round. Nothing in a round waits, for a disk, for a person, or for a lock that
//! somebody holds who waits. The watchdog is fed here and nowhere else, so a loop that hangs is found dead.

mod ending;
mod logins;
mod plan;
#[cfg(test)]
mod tests;

use std::{
    future::poll_fn,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use mobileid::login::Now;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{Sleep, sleep_until},
};

use self::{ending::Ending, logins::Logins};
pub use self::{
    logins::Mail,
    plan::{Plan, Refused},
};
use crate::{
    config::Settings,
    learnt::Book,
    listener::{Address, Listeners},
    log::Log,
    metrics::{Bound, Facts, Metrics, Port, Question, Reply, Topic},
    notify::Notifier,
    scribe::{Entry, Scribe},
    server::{Action, Keys, Level, Purpose, Server},
};

/// How many datagrams of each listener one round takes.
const DATAGRAMS: usize = 64;
/// How many events one round takes.
const EVENTS: usize = 256;
/// How long the loop sleeps where nothing is to be done: a round now and then costs nothing.
const LONG: Duration = Duration::from_secs(60);

/// What the service manager or the administrator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read the configuration again (SIGHUP).
    Reload,
    /// Take no new logins, let the pending ones end, and end. Given twice: end now (SIGTERM, SIGINT).
    Stop,
}

/// What a daemon is given beside its configuration.
#[derive(Debug)]
pub struct Surroundings {
    /// The configuration file, read again on [`Order::Reload`].
    pub config: PathBuf,
    /// Where logins run.
    pub workers: Handle,
    /// The service manager.
    pub notifier: Notifier,
    /// The administrator's log.
    pub log: Log,
}

/// The daemon.
pub struct Daemon {
    config: PathBuf,
    settings: Arc<Settings>,
    certificates: Vec<crate::metrics::Certificate>,
    server: Server,
    listeners: Listeners,
    logins: Logins,
    mail: mpsc::UnboundedReceiver<Mail>,
    questions: mpsc::Receiver<Question>,
    ask: mpsc::Sender<Question>,
    port: Option<Port>,
    metrics: Metrics,
    scribe: Scribe,
    notifier: Notifier,
    fed: Instant,
    reading: bool,
    read_again: bool,
    ending: Ending,
    random: Randomness,
    actions: Vec<Action>,
}

/// What ended a wait, where a round alone does not find it.
enum Woken {
    Order(Order),
    Question(Question),
    Mail(Mail),
    Round,
}

impl Daemon {
    /// Takes up its listeners. Packets are answered when [`Self::run`] runs.
    ///
    /// # Errors
    /// [`Refused`]: sentences for the administrator.
    pub fn new(plan: Plan, around: Surroundings) -> Result<Self, Refused> {
        let Plan { settings, engine, sink, certificates } = plan;
        let book = Book::read(&settings.state_dir).map_err(Refused::one)?;
        let learnt = book.entries().map(|(_, address)| address).collect();
        let mut listeners = Listeners::default();
        listeners.change_to(listeners.open(addresses(&settings)).map_err(Refused::one)?);
        let mut random = Randomness::default();
        let keys = Keys::new(&settings, &mut |octets| random.fill(octets));
        random.check()?;
        let (post, mail) = mpsc::unbounded_channel();
        let (ask, questions) = mpsc::channel(1);
        let scribe = Scribe::start(sink, book, around.log).map_err(Refused::one)?;
        let mut daemon = Self {
            config: around.config,
            server: Server::new(Arc::clone(&settings), keys, learnt),
            listeners,
            logins: Logins::new(around.workers, post, &settings, engine),
            mail,
            questions,
            ask,
            port: None,
            metrics: Metrics::default(),
            scribe,
            notifier: around.notifier,
            fed: Instant::now(),
            reading: false,
            read_again: false,
            ending: Ending::NotYet,
            random,
            actions: Vec::new(),
            certificates,
            settings,
        };
        let port = daemon.settings.metrics.map(Bound::bind).transpose().map_err(Refused::metrics)?;
        daemon.serve_port(port).map_err(Refused::metrics)?;
        Ok(daemon)
    }

    /// Where packets are taken, with the ports that the system chose.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.listeners.bound()
    }

    /// Where metrics are served.
    #[must_use]
    pub fn metrics_address(&self) -> Option<std::net::SocketAddr> {
        self.port.as_ref().map(Port::address)
    }

    /// Answers packets until it is told to stop, and pending logins have ended.
    ///
    /// # Errors
    /// The system gives no randomness any more: nothing can be decided. Or, without a word, because nobody reads
    /// them: lines could not be written.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Result<(), Refused> {
        self.say_hello();
        let mut sleep = Box::pin(sleep_until(Instant::now().into()));
        while !self.ending.is_over(&self.server, Instant::now()) {
            match self.wait(&mut orders, sleep.as_mut()).await {
                Woken::Round => {}
                Woken::Mail(mail) => self.open(mail),
                Woken::Order(Order::Reload) => self.reread(),
                Woken::Order(Order::Stop) => self.stop(),
                Woken::Question(question) => self.answer(question),
            }
            self.round();
            self.random.check()?;
        }
        self.scribe.log(Level::Info, "ended");
        // Who does not read what we write will not read that either.
        if self.scribe.finish() { Ok(()) } else { Err(Refused(Vec::new())) }
    }

    async fn wait(&mut self, orders: &mut mpsc::Receiver<Order>, mut sleep: Pin<&mut Sleep>) -> Woken {
        let until = self.next_round().into();
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        let listeners = &self.listeners;
        tokio::select! {
            () = poll_fn(|context| listeners.poll_readable(context)) => Woken::Round,
            Some(mail) = self.mail.recv() => Woken::Mail(mail),
            Some(order) = orders.recv() => Woken::Order(order),
            Some(question) = self.questions.recv() => Woken::Question(question),
            () = sleep => Woken::Round,
        }
    }

    /// When something is to be done though nothing comes.
    fn next_round(&self) -> Instant {
        let fed = self.notifier.feeding_interval().map(|interval| self.fed + interval);
        let times = [self.server.due(), fed, self.ending.due()];
        times.into_iter().flatten().fold(Instant::now() + LONG, Instant::min)
    }

    /// Takes what there is of everything.
    fn round(&mut self) {
        let now = now();
        for _ in 0..EVENTS {
            match self.mail.try_recv() {
                Ok(mail) => self.open(mail),
                Err(_) => break,
            }
        }
        self.take_packets(now);
        if self.server.due().is_some_and(|due| due <= now.instant) {
            self.server.tick(now, &mut |octets| self.random.fill(octets), &mut self.actions);
        }
        self.act();
        if self.ending.gives_up(now.instant) {
            self.give_up();
        }
        if self.notifier.feeding_interval().is_some_and(|interval| now.instant - self.fed >= interval) {
            self.fed = now.instant;
            self.notifier.alive();
        }
        self.scribe.end_round();
    }

    fn take_packets(&mut self, now: Now) {
        let Self { listeners, server, actions, random, scribe, .. } = self;
        let explain = scribe.takes(Level::Debug);
        listeners.receive(DATAGRAMS, |peer, octets| {
            let before = explain.then(|| server.counters().clone());
            server.datagram(peer, octets, now, &mut |octets| random.fill(octets), actions);
            if let Some(before) = before {
                let text = server.counters().since(&before);
                let text = text.unwrap_or_else(|| "waits for its verdict".into());
                scribe.log(Level::Debug, format!("packet from {}: {text}", peer.remote));
            }
        });
    }

    /// Reads one piece of mail.
    fn open(&mut self, mail: Mail) {
        match mail {
            Mail::Event(event) => {
                self.logins.heard(&event);
                if let crate::server::Event::Ended { outcome, .. } = &event {
                    self.metrics.ended(outcome);
                }
                self.server.event(event, now(), &mut |octets| self.random.fill(octets), &mut self.actions);
            }
            Mail::Judged(answer, took) => self.metrics.upstream(answer, took),
            Mail::Say(level, text) => self.scribe.log(level, text),
            Mail::Read(plan) => self.change(*plan),
        }
    }

    /// Does what the responder wants done, in order. Without randomness nothing that it says can be relied on.
    fn act(&mut self) {
        if self.random.failed {
            self.actions.clear();
        }
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            if self.scribe.takes(Level::Debug)
                && let Some(text) = described(&action)
            {
                self.scribe.log(Level::Debug, text);
            }
            match action {
                Action::Send { to, packet } => self.listeners.send(to, &packet),
                Action::Audit(record) => {
                    self.metrics.login(&record);
                    self.scribe.note(Entry::Audit(record));
                }
                Action::Account(line) => self.scribe.note(Entry::Line(line)),
                Action::Keep(proof, settings) => {
                    if let Some(folder) = settings.setup.evidence.clone() {
                        self.scribe.note(Entry::Keep(proof, folder));
                    }
                }
                Action::Learnt(client, address) => self.scribe.note(Entry::Learnt(client, address)),
                Action::Log(level, text) => self.scribe.log(level, text),
                Action::Start { .. }
                | Action::Resume { .. }
                | Action::Upstream { .. }
                | Action::Judge { .. }
                | Action::Abandon { .. } => self.logins.act(action),
            }
        }
        // Its room is used again.
        self.actions = actions;
    }

    fn answer(&self, question: Question) {
        let reply = match question.topic {
            Topic::Live => Reply::Yes("the packet loop runs\n".into()),
            Topic::Ready if self.ending.has_begun() => Reply::No("draining: no new logins\n".into()),
            Topic::Ready => Reply::Yes("ready for logins\n".into()),
            Topic::Metrics => Reply::Yes(self.metrics.page(&Facts {
                packets: self.server.counters(),
                datagrams: self.listeners.counts(),
                losses: self.scribe.losses(),
                exchanges: self.logins.exchanges(),
                pending: self.server.pending(),
                draining: self.ending.has_begun(),
                certificates: &self.certificates,
                now: SystemTime::now(),
            })),
        };
        // Who asked may have stopped waiting.
        let _ = question.reply.send(reply);
    }

    fn say_hello(&mut self) {
        for warning in self.settings.warnings() {
            self.scribe.log(Level::Warning, warning);
        }
        for warning in self.listeners.warnings() {
            self.scribe.log(Level::Warning, warning);
        }
        for (address, purpose) in self.listeners.bound() {
            let what = match purpose {
                Purpose::Authentication => "logins",
                Purpose::Accounting => "accounting",
            };
            self.scribe.log(Level::Info, format!("takes {what} on {address}"));
        }
        if let Some(address) = self.metrics_address() {
            self.scribe.log(Level::Info, format!("metrics and health on http://{address}"));
        }
        self.scribe.end_round();
        self.notifier.ready("takes logins");
    }
}

/// The listeners that a configuration wants.
fn addresses(settings: &Settings) -> Vec<Address> {
    let logins = settings.listen.iter().map(|a| (*a, Purpose::Authentication));
    let accounting = settings.accounting.iter().map(|a| (*a, Purpose::Accounting));
    logins.chain(accounting).collect()
}

/// What an action is, for who looks for a mistake; none where the action says so itself.
fn described(action: &Action) -> Option<String> {
    Some(match action {
        Action::Send { to, packet } => {
            let code = packet.first().copied().unwrap_or_default();
            let code = match code {
                2 => "Access-Accept",
                3 => "Access-Reject",
                5 => "Accounting-Response",
                11 => "Access-Challenge",
                _ => "an answer",
            };
            format!("{code} of {} octets to {}", packet.len(), to.remote)
        }
        Action::Start { id, request, .. } => format!("{id}: begins, as {}", shown(&request.user)),
        Action::Resume { id, request, .. } => format!("{id}: taken over, as {}", shown(&request.user)),
        Action::Upstream { id, .. } => format!("{id}: the first factor is asked"),
        Action::Judge { id, password, .. } => {
            format!("{id}: the directory {} is asked for the first factor", password.directory)
        }
        Action::Abandon { id } => format!("{id}: nobody waits any more"),
        Action::Keep(..) | Action::Audit(_) | Action::Account(_) | Action::Learnt(..) | Action::Log(..) => {
            return None;
        }
    })
}

fn shown(user: &mobileid::subscriber::UserName) -> String {
    mobileid::text::escaped(&user.to_string(), 64)
}

/// Both clocks, now.
fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

/// The system's randomness. Should it ever have none, the loop ends: zeros would do no harm to it and all to others.
#[derive(Debug)]
struct Randomness {
    source: SystemRandom,
    failed: bool,
}

impl Default for Randomness {
    fn default() -> Self {
        Self { source: SystemRandom::new(), failed: false }
    }
}

impl Randomness {
    fn fill(&mut self, octets: &mut [u8]) {
        self.failed |= self.source.fill(octets).is_err();
    }

    fn check(&self) -> Result<(), Refused> {
        if self.failed { Err(Refused::one("the system has no randomness to give")) } else { Ok(()) }
    }
}
