//! Logins under way: a task each, on the workers' threads.
//!
//! Whoever begins a login owes the responder its end. The debt is a value in the task ([`Owed`]): it is paid with the
//! outcome, and where the task ends in any other way, a panic above all, dropping it reports that instead.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::plan::{Plan, Refused};
use crate::{
    aside::Aside,
    config::Settings,
    directory,
    driver::{Engine, Job, Progress},
    metrics::Exchanges,
    server::{Action, Event, Level, LoginId, Password},
    upstream::{Answer, Ask, Upstreams},
};

/// What reaches the loop from other threads. It is not bounded here: the logins are, and each writes a few times.
#[derive(Debug)]
pub enum Mail {
    /// For the responder.
    Event(Event),
    /// A first factor's server has answered so, after so long.
    Judged(&'static str, Duration),
    /// A line for the administrator.
    Say(Level, String),
    /// The configuration has been read again.
    Read(Box<Result<Plan, Refused>>),
}

/// The tasks, and what they run with.
#[derive(Debug)]
pub(super) struct Logins {
    workers: Handle,
    post: mpsc::UnboundedSender<Mail>,
    upstreams: Arc<Upstreams>,
    /// Where directories are asked about passwords.
    judges: Aside,
    /// One engine for each snapshot of the settings that a login may still begin under.
    engines: Vec<(Weak<Settings>, Arc<Engine>)>,
    /// The end of each pending login that ends it: sent to or dropped.
    cancels: HashMap<LoginId, oneshot::Sender<()>>,
    exchanges: Arc<Exchanges>,
}

impl Logins {
    pub(super) fn new(
        workers: Handle,
        post: mpsc::UnboundedSender<Mail>,
        settings: &Arc<Settings>,
        engine: Engine,
    ) -> Self {
        let tell = post.clone();
        let upstreams = Upstreams::new(move |text| {
            // The loop is gone only when the process is about to be.
            let _ = tell.send(Mail::Say(Level::Warning, text));
        });
        let engines = vec![(Arc::downgrade(settings), Arc::new(engine))];
        Self {
            workers,
            post,
            upstreams: Arc::new(upstreams),
            judges: Aside::default(),
            engines,
            cancels: HashMap::new(),
            exchanges: Arc::default(),
        }
    }

    /// Logins under these settings are run by this engine; engines that nobody can ask for any more are let go, as
    /// soon as their last login has ended.
    pub(super) fn change_to(&mut self, settings: &Arc<Settings>, engine: Engine) {
        self.engines.retain(|(of, _)| of.strong_count() > 0);
        self.engines.push((Arc::downgrade(settings), Arc::new(engine)));
    }

    /// Does what the responder wants done with a login.
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Start { id, settings, request } => self.begin(id, settings, Job::Start(request)),
            Action::Resume { id, settings, request, ticket } => {
                self.begin(id, settings, Job::Resume(request, ticket));
            }
            Action::Upstream { id, ask, .. } => self.ask(id, ask),
            Action::Judge { id, settings, password } => self.judge(id, settings, password),
            // Dropping it ends the login.
            Action::Abandon { id } => drop(self.cancels.remove(&id)),
            _ => {}
        }
    }

    /// An event that is on its way to the responder.
    pub(super) fn heard(&mut self, event: &Event) {
        if let Event::Ended { id, .. } | Event::Broken { id, .. } | Event::Upstream { id, .. } = event {
            self.cancels.remove(id);
        }
    }

    /// Gives up all logins.
    pub(super) fn end_all(&mut self) {
        self.cancels.clear();
    }

    /// Runs on a worker, where it may wait for a disk; `Mail::Read` says what came of it.
    pub(super) fn read(&self, config: std::path::PathBuf) {
        let post = self.post.clone();
        let reads = self.workers.spawn_blocking(move || Plan::read(&config));
        self.workers.spawn(async move {
            let plan = reads.await.unwrap_or_else(|_| Err(Refused::one("reading it ended early: a defect")));
            let _ = post.send(Mail::Read(Box::new(plan)));
        });
    }

    pub(super) fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    pub(super) fn workers(&self) -> &Handle {
        &self.workers
    }

    fn begin(&mut self, id: LoginId, settings: Arc<Settings>, job: Job) {
        let owed = Owed::to(&self.post, id);
        let Some(engine) = self.engine(&settings) else {
            // Dropped unpaid.
            return owed.fail("no engine fits the settings that it began under");
        };
        let (cancel, cancelled) = oneshot::channel();
        self.cancels.insert(id, cancel);
        let exchanges = Arc::clone(&self.exchanges);
        // A task has room for all that it was given, for as long as it waits.
        let job = Box::new(job);
        self.workers.spawn(async move {
            #[cfg(test)]
            super::tests::may_panic(&job);
            let outcome = engine
                .run(*job, &settings.setup, cancelled, |progress| owed.report(progress, &exchanges))
                .await;
            owed.pay(Event::Ended { id, outcome: Box::new(outcome) });
        });
    }

    fn ask(&mut self, id: LoginId, ask: Ask) {
        let owed = Owed::to(&self.post, id);
        let upstreams = Arc::clone(&self.upstreams);
        self.workers.spawn(async move {
            let begun = Instant::now();
            let answer = upstreams.ask(ask).await;
            owed.send(Mail::Judged(answer.name(), begun.elapsed()));
            owed.pay(Event::Upstream { id, answer });
        });
    }

    fn judge(&mut self, id: LoginId, settings: Arc<Settings>, asked: Password) {
        let owed = Owed::to(&self.post, id);
        let (cancel, cancelled) = oneshot::channel();
        self.cancels.insert(id, cancel);
        let aside = self.judges.clone();
        self.workers.spawn(async move {
            let begun = Instant::now();
            let answer = tokio::select! {
                biased;
                _ = cancelled => Answer::Silent("nobody waits for the directory's answer any more".to_owned()),
                answer = directory::judge(&aside, settings, asked) => answer,
            };
            owed.send(Mail::Judged(answer.name(), begun.elapsed()));
            owed.pay(Event::Upstream { id, answer });
        });
    }

    fn engine(&self, settings: &Arc<Settings>) -> Option<Arc<Engine>> {
        let fits = |(of, _): &&(Weak<Settings>, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(settings));
        self.engines.iter().find(fits).map(|(_, engine)| Arc::clone(engine))
    }
}

/// The report that a task owes the responder.
struct Owed {
    id: LoginId,
    post: mpsc::UnboundedSender<Mail>,
    excuse: Option<&'static str>,
}

impl Owed {
    fn to(post: &mpsc::UnboundedSender<Mail>, id: LoginId) -> Self {
        Self { id, post: post.clone(), excuse: Some("its task ended early: a defect") }
    }

    fn report(&self, progress: Progress, exchanges: &Exchanges) {
        let id = self.id;
        match progress {
            // Counted here: in the asynchronous mode there are thousands a second, and the loop has packets to carry.
            Progress::Exchanged { repeatable: false, took } => exchanges.signature.observe(took),
            Progress::Exchanged { repeatable: true, took } => exchanges.status.observe(took),
            Progress::PassedOver(line) => self.send(Mail::Say(Level::Warning, line)),
            Progress::Shown(notice) => self.send(Mail::Event(Event::Shown { id, notice })),
            Progress::Outstanding(ticket) => self.send(Mail::Event(Event::Outstanding { id, ticket })),
        }
    }

    fn pay(mut self, event: Event) {
        self.excuse = None;
        self.send(Mail::Event(event));
    }

    fn fail(mut self, why: &'static str) {
        self.excuse = Some(why);
    }

    fn send(&self, mail: Mail) {
        // Nobody reads it only when the process is about to end.
        let _ = self.post.send(mail);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(detail) = self.excuse.take() {
            self.send(Mail::Event(Event::Broken { id: self.id, detail: detail.to_owned() }));
        }
    }
}
