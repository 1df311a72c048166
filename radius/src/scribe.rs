//! Writes down what is to be kept, on a thread of its own: a disk or a journal that is slow holds up no packet.
//!
//! ```text
//!  loop ── a round of entries ──> scribe ──> audit lines        standard output, or a file
//!                                       ├──> evidence           two files per accepted login
//!                                       ├──> learnt addresses   one small file, replaced
//!                                       └──> administrator      standard error
//! ```
//!
//! The loop hands over what one round of it gave. The scribe writes as long as there is something, and has written
//! everything when there is nothing: no line waits for the next. A line for the auditor that cannot be written
//! where it belongs is written to standard error instead.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use mobileid::{audit::AuditRecord, driver::evidence, outcome::Proof};

use crate::{audit::Sink, learnt::Book, log::Log, server::Level};

/// Rounds that wait for a scribe that is busy.
const ROUNDS: usize = 1024;
/// Entries that wait, in those rounds and in the loop. Past it they are lost, and counted: the memory is not ours to
/// give away.
const WAITING_MAX: usize = 100_000;
/// Audit lines are written at the latest when there are so many octets of them.
const LINES_MAX: usize = 64 << 10;
/// A scribe that has written nothing for so long hangs, on a journal that nobody reads perhaps, and the end does not
/// wait for it any longer.
pub const STUCK: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
/// When learnt addresses that could not be written are tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Something to be written down.
#[derive(Debug)]
pub enum Entry {
    /// A login has ended.
    Audit(Box<AuditRecord>),
    /// A line of its own making for the auditor.
    Line(String),
    /// What proves a login, for this folder.
    Keep(Box<Proof>, PathBuf),
    /// An address has shown a valid Message-Authenticator.
    Learnt(String, IpAddr),
    /// Something for the administrator.
    Log(Level, String),
    /// From here on audit lines go there.
    Turn(Sink),
}

/// The loop's end of it.
#[derive(Debug)]
pub struct Scribe {
    rounds: Option<SyncSender<Vec<Entry>>>,
    round: Vec<Entry>,
    log: Log,
    lost: u64,
    trouble: Arc<Trouble>,
    /// Entries that were handed over and are not written yet.
    unwritten: Arc<AtomicUsize>,
    /// Nothing ever comes here; it closes when the thread has ended.
    ended: Option<Receiver<()>>,
}

/// What could not be written.
#[derive(Debug, Default)]
pub struct Trouble {
    audit: AtomicU64,
    evidence: AtomicU64,
    learnt: AtomicU64,
}

/// The same, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Writes of audit lines that failed; the lines went to standard error.
    pub audit: u64,
    /// Proofs that were not kept.
    pub evidence: u64,
    /// Writes of the learnt addresses that failed.
    pub learnt: u64,
    /// Entries that nobody was left to take.
    pub entries: u64,
}

impl Scribe {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(sink: Sink, book: Book, log: Log) -> std::io::Result<Self> {
        let (rounds, taken) = sync_channel(ROUNDS);
        let (works, ended) = sync_channel(0);
        let (trouble, unwritten) = (Arc::<Trouble>::default(), Arc::<AtomicUsize>::default());
        let desk = Desk {
            sink,
            book,
            log,
            lines: String::new(),
            learnt: false,
            again: None,
            trouble: Arc::clone(&trouble),
            unwritten: Arc::clone(&unwritten),
        };
        thread::Builder::new().name("scribe".into()).spawn(move || {
            let _works: SyncSender<()> = works;
            desk.work(&taken);
        })?;
        Ok(Self {
            rounds: Some(rounds),
            round: Vec::new(),
            log,
            lost: 0,
            trouble,
            unwritten,
            ended: Some(ended),
        })
    }

    /// Takes an entry of this round.
    pub fn note(&mut self, entry: Entry) {
        if let Entry::Log(level, _) = entry
            && !self.log.takes(level)
        {
            return;
        }
        // There are few of these, and what they do cannot be made up for.
        let matters = matches!(entry, Entry::Turn(_) | Entry::Learnt(..));
        let waiting = self.round.len().saturating_add(self.unwritten.load(Ordering::Relaxed));
        if matters || waiting < WAITING_MAX {
            self.round.push(entry);
        } else {
            self.lost += 1;
        }
    }

    /// A line for the administrator.
    pub fn log(&mut self, level: Level, text: impl Into<String>) {
        self.note(Entry::Log(level, text.into()));
    }

    /// Would a line of this urgency be written? Who asks can save the making of it.
    #[must_use]
    pub fn takes(&self, level: Level) -> bool {
        self.log.takes(level)
    }

    /// Hands over the round. If the scribe is behind, it waits here and goes with the next.
    pub fn end_round(&mut self) {
        let Some(rounds) = self.rounds.as_ref().filter(|_| !self.round.is_empty()) else { return };
        let entries = self.round.len();
        // Before it is sent: it may be written before the next line is reached.
        self.unwritten.fetch_add(entries, Ordering::Relaxed);
        if let Err(TrySendError::Full(round) | TrySendError::Disconnected(round)) =
            rounds.try_send(std::mem::take(&mut self.round))
        {
            self.unwritten.fetch_sub(entries, Ordering::Relaxed);
            self.round = round;
        }
    }

    /// What could not be written so far.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Losses {
            audit: count(&self.trouble.audit),
            evidence: count(&self.trouble.evidence),
            learnt: count(&self.trouble.learnt),
            entries: self.lost,
        }
    }

    /// Waits until all is written. False where nothing was written for [`STUCK`], and lines are lost; then standard
    /// error may hang as well, and whoever writes there hangs with it.
    pub fn finish(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some(ended) = self.ended.take() else { return true };
        let (mut least, mut since) = (usize::MAX, Instant::now());
        loop {
            self.end_round();
            if self.round.is_empty() {
                // Now the thread ends when it has written all.
                self.rounds = None;
            }
            match ended.recv_timeout(STUCK / 50) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.round.is_empty(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let left = self.unwritten.load(Ordering::Relaxed).saturating_add(self.round.len());
            if left < least {
                (least, since) = (left, Instant::now());
            } else if since.elapsed() >= STUCK {
                return false;
            }
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread's end of it.
struct Desk {
    sink: Sink,
    book: Book,
    log: Log,
    lines: String,
    /// There are learnt addresses that are not on disk.
    learnt: bool,
    /// When they are tried again, after a write that failed.
    again: Option<Instant>,
    trouble: Arc<Trouble>,
    unwritten: Arc<AtomicUsize>,
}

impl Desk {
    fn work(mut self, rounds: &Receiver<Vec<Entry>>) {
        while let Ok(mut round) = rounds.recv() {
            loop {
                for entry in round {
                    self.write(entry);
                    self.unwritten.fetch_sub(1, Ordering::Relaxed);
                }
                match rounds.try_recv() {
                    Ok(next) => round = next,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.rest();
        }
        if self.learnt {
            self.remember();
        }
    }

    fn write(&mut self, entry: Entry) {
        match entry {
            Entry::Audit(record) => self.line(&record.line()),
            Entry::Line(line) => self.line(&line),
            Entry::Keep(proof, folder) => self.keep(&proof, &folder),
            Entry::Learnt(client, address) => self.learnt |= self.book.add(&client, address),
            Entry::Log(level, text) => self.log.write(level, &text),
            Entry::Turn(sink) => {
                // What was said before belongs into the old file.
                self.put();
                self.sink = sink;
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
        if self.lines.len() >= LINES_MAX {
            self.put();
        }
    }

    fn put(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        if let Err(error) = self.sink.write(&self.lines) {
            self.trouble.audit.fetch_add(1, Ordering::Relaxed);
            self.log
                .write(Level::Error, &format!("audit lines cannot be written, so they follow here: {error}"));
            self.log.write(Level::Error, &self.lines);
        }
        self.lines.clear();
    }

    fn keep(&mut self, proof: &Proof, folder: &std::path::Path) {
        if let Err(error) = evidence::keep(folder, proof) {
            self.trouble.evidence.fetch_add(1, Ordering::Relaxed);
            let (id, folder) = (&proof.ap_trans_id, folder.display());
            self.log.write(Level::Error, &format!("the evidence of {id} was not kept in {folder}: {error}"));
        }
    }

    /// Nothing waits: everything is brought to its place.
    fn rest(&mut self) {
        self.put();
        if self.learnt && self.again.is_none_or(|again| again <= Instant::now()) {
            self.remember();
        }
    }

    fn remember(&mut self) {
        let written = self.book.write();
        self.learnt = written.is_err();
        // Not with the next line already: there are thousands a second, and a disk stays full for longer.
        self.again = written.is_err().then(|| Instant::now() + AGAIN);
        if let Err(error) = written {
            self.trouble.learnt.fetch_add(1, Ordering::Relaxed);
            let what = "learnt Message-Authenticators cannot be written, and a restart will forget them";
            self.log.write(Level::Error, &format!("{what}: {error}"));
        }
    }
}

#[cfg(test)]
mod tests;
