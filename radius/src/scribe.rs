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
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use mobileid::{audit::AuditRecord, driver::evidence, outcome::Proof};

use crate::{audit::Sink, learnt::Book, log::Log, server::Level};

/// Rounds that wait for a scribe that is busy.
const ROUNDS: usize = 1024;
/// Entries that wait beside them, in the loop. Past it they are lost, and counted: the memory is not ours to give away.
const WAITING_MAX: usize = 100_000;
/// Audit lines are written at the latest when there are so many octets of them.
const LINES_MAX: usize = 64 << 10;

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
    thread: Option<JoinHandle<()>>,
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
        let trouble = Arc::new(Trouble::default());
        let desk =
            Desk { sink, book, log, lines: String::new(), learnt: false, trouble: Arc::clone(&trouble) };
        let thread = thread::Builder::new().name("scribe".into()).spawn(move || desk.work(&taken))?;
        Ok(Self { rounds: Some(rounds), round: Vec::new(), log, lost: 0, trouble, thread: Some(thread) })
    }

    /// Takes an entry of this round.
    pub fn note(&mut self, entry: Entry) {
        if let Entry::Log(level, _) = entry
            && !self.log.takes(level)
        {
            return;
        }
        if self.round.len() < WAITING_MAX {
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
        if let Err(TrySendError::Full(round) | TrySendError::Disconnected(round)) =
            rounds.try_send(std::mem::take(&mut self.round))
        {
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

    /// Waits until all is written.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(rounds) = self.rounds.take() {
            let _ = rounds.send(std::mem::take(&mut self.round));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
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
    learnt: bool,
    trouble: Arc<Trouble>,
}

impl Desk {
    fn work(mut self, rounds: &Receiver<Vec<Entry>>) {
        while let Ok(mut round) = rounds.recv() {
            loop {
                round.into_iter().for_each(|entry| self.write(entry));
                match rounds.try_recv() {
                    Ok(next) => round = next,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
            self.rest();
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
        if std::mem::take(&mut self.learnt)
            && let Err(error) = self.book.write()
        {
            self.trouble.learnt.fetch_add(1, Ordering::Relaxed);
            // Tried again with the next address.
            self.learnt = true;
            let what = "learnt Message-Authenticators cannot be written, and a restart will forget them";
            self.log.write(Level::Error, &format!("{what}: {error}"));
        }
    }
}

#[cfg(test)]
mod tests;
