//! A signature transaction from the moment its text appears on a phone until it is forgotten.
//!
//! ```text
//!                ┌─ somebody presses a button ──────────┐
//! on the phone ──┼─ the subscriber's reflex, after a while ─┼─> ended ── ten minutes ──> forgotten
//!                ├─ another request takes the screen (App) ─┤
//!                └─ TimeOut ────────────────────────────┘
//! ```
//!
//! A transaction is a task of its own and outlives the connection it came on, as in the live service: a
//! client that hangs up leaves the question on the phone.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{oneshot, watch};

use crate::behaviour::Decision;
use crate::faults::{Code, Fault};
use crate::lock;
use crate::requests::{ApInfo, CLOCK_TOLERANCE, SignRequest};
use crate::subscribers::{Method, Subscriber};

/// How long an ended transaction can still be asked about.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(600);
/// The same for a crowd: each remembered transaction holds ten kilobytes of signature.
pub(crate) const REMEMBERED_OF_CROWD: Duration = Duration::from_secs(60);

/// How a transaction ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// The person confirmed; this is the CMS, if the behaviour lets one through.
    Signed(Option<Arc<Vec<u8>>>),
    Fault(Fault),
    /// The behaviour is never to answer.
    Unanswered,
}

pub(crate) struct Transaction {
    /// MSSP_TransID.
    pub(crate) id: String,
    pub(crate) request: SignRequest,
    /// The subscriber as he was when the request came.
    pub(crate) subscriber: Subscriber,
    pub(crate) method: Method,
    pub(crate) connection: u64,
    decide: Mutex<Option<oneshot::Sender<Decision>>>,
    ending: watch::Sender<Option<Ending>>,
    has_receipt: AtomicBool,
}

impl Transaction {
    pub(crate) fn new(
        id: String,
        request: SignRequest,
        subscriber: Subscriber,
        method: Method,
        connection: u64,
    ) -> (Arc<Transaction>, oneshot::Receiver<Decision>) {
        let (decide, decision) = oneshot::channel();
        let transaction = Transaction {
            id,
            request,
            subscriber,
            method,
            connection,
            decide: Mutex::new(Some(decide)),
            ending: watch::Sender::new(None),
            has_receipt: AtomicBool::new(false),
        };
        (Arc::new(transaction), decision)
    }

    /// Hands a decision in. False if there was one already, or the time is over.
    pub(crate) fn decide(&self, decision: Decision) -> bool {
        lock(&self.decide).take().is_some_and(|decide| decide.send(decision).is_ok())
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.ending.send_replace(Some(ending));
    }

    /// The ending, if it has come.
    pub(crate) fn ended(&self) -> Option<Ending> {
        self.ending.borrow().clone()
    }

    /// Waits for the ending.
    pub(crate) async fn wait(&self) -> Ending {
        let mut ending = self.ending.subscribe();
        match ending.wait_for(Option::is_some).await.map(|ending| ending.clone()) {
            Ok(Some(ending)) => ending,
            // The sender lives in self: this is not reached, and would be an internal error if it were.
            _ => Ending::Fault(Code::InternalError.into()),
        }
    }

    /// Takes the one receipt that a transaction may have.
    pub(crate) fn take_receipt(&self) -> bool {
        !self.has_receipt.swap(true, Ordering::Relaxed)
    }
}

/// Which transactions there are, which of them are on a phone, and which triples have been used.
#[derive(Default)]
pub(crate) struct Ledger {
    known: HashMap<String, Arc<Transaction>>,
    on_phone: HashMap<(String, Method), Arc<Transaction>>,
    used: HashMap<Triple, ()>,
    used_in_order: VecDeque<(OffsetDateTime, Triple)>,
}

type Triple = (String, String, i128);

impl Ledger {
    /// Marks (AP_ID, AP_TransID, Instant) as used; false if it was. An Instant is judged as the moment it
    /// means, in whichever zone it is written.
    pub(crate) fn use_triple(&mut self, ap: &ApInfo, now: OffsetDateTime) -> bool {
        // An Instant outside the tolerance is refused anyway: older triples need no memory.
        while self.used_in_order.front().is_some_and(|(at, _)| now - *at > CLOCK_TOLERANCE * 3) {
            if let Some((_, triple)) = self.used_in_order.pop_front() {
                self.used.remove(&triple);
            }
        }
        let triple = (ap.id.clone(), ap.trans_id.clone(), ap.instant.unix_timestamp_nanos());
        let is_new = self.used.insert(triple.clone(), ()).is_none();
        if is_new {
            self.used_in_order.push_back((now, triple));
        }
        is_new
    }

    /// Puts a transaction on its phone, by the rules of the guide's section 4.1.3: a SIM that is busy stays
    /// so, the app drops what it shows.
    pub(crate) fn show(&mut self, transaction: &Arc<Transaction>) -> Result<(), Fault> {
        let place = (transaction.subscriber.msisdn.clone(), transaction.method);
        match self.on_phone.get(&place) {
            Some(_) if transaction.method == Method::Sim => return Err(Code::PbSignatureProcess.into()),
            Some(shown) => {
                shown.decide(Decision::Replaced);
            }
            None => {}
        }
        self.on_phone.insert(place, transaction.clone());
        self.known.insert(transaction.id.clone(), transaction.clone());
        Ok(())
    }

    /// Takes a transaction off its phone, unless another one has its place already.
    pub(crate) fn hide(&mut self, transaction: &Transaction) {
        let place = (transaction.subscriber.msisdn.clone(), transaction.method);
        if self.on_phone.get(&place).is_some_and(|shown| shown.id == transaction.id) {
            self.on_phone.remove(&place);
        }
    }

    pub(crate) fn forget(&mut self, transaction: &Transaction) {
        self.known.remove(&transaction.id);
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Transaction>> {
        self.known.get(id).cloned()
    }

    pub(crate) fn on_phones(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.on_phone.values()
    }
}
