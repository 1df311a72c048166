//! The service itself: admits a request, puts the text on a phone, and says how it ended.
//!
//! It knows JSON and people, and nothing of sockets: `server` brings it a body and carries its answer away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;

use crate::answers::{self, Answer};
use crate::behaviour::{Behaviour, Decision};
use crate::faults::{Code, Fault};
use crate::journal::{Entry, Event, Journal};
use crate::lock;
use crate::pki::{Origin, Pki};
use crate::population::Population;
use crate::profiles::Profile;
use crate::requests::{Message, SignRequest};
use crate::signing::{identity, signature};
use crate::srs::Registry;
use crate::subscribers::{Method, Subscriber};
use crate::transactions::{Ending, Ledger, REMEMBERED, REMEMBERED_OF_CROWD, Transaction};

/// The one Application Provider this service has a contract with.
pub(crate) struct ApplicationProvider {
    pub(crate) id: String,
    pub(crate) dtbd_prefix: String,
    /// Those that it has registered; a client shows one of them.
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) profiles: Vec<Profile>,
}

/// Where a request came from.
pub(crate) struct Caller {
    pub(crate) connection: u64,
    /// What the client sent in the TLS handshake.
    pub(crate) certificates: Vec<Vec<u8>>,
}

/// The four operations, by the root key of their request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Sign,
    Status,
    Receipt,
    Profile,
}

impl Operation {
    const ALL: [(Operation, &'static str, &'static str); 4] = [
        (Operation::Sign, "/rest/service/sign", "MSS_SignatureReq"),
        (Operation::Status, "/rest/service/status", "MSS_StatusReq"),
        (Operation::Receipt, "/rest/service/receipt", "MSS_ReceiptReq"),
        (Operation::Profile, "/rest/service/profile", "MSS_ProfileReq"),
    ];
}

pub(crate) struct Service {
    provider: ApplicationProvider,
    pki: Arc<Pki>,
    pub(crate) journal: Journal,
    subscribers: Mutex<HashMap<String, Subscriber>>,
    crowd: Option<Population>,
    ledger: Mutex<Ledger>,
    /// What the Smart Registration Service knows.
    pub(crate) registry: Registry,
}

impl Service {
    pub(crate) fn new(
        provider: ApplicationProvider,
        pki: Arc<Pki>,
        journal: Journal,
        subscribers: impl IntoIterator<Item = Subscriber>,
        crowd: Option<Population>,
    ) -> Service {
        let by_number = |subscriber: Subscriber| (subscriber.msisdn.clone(), subscriber);
        let subscribers = Mutex::new(subscribers.into_iter().map(by_number).collect());
        let (ledger, registry) = (Mutex::default(), Registry::default());
        Service { provider, pki, journal, subscribers, crowd, ledger, registry }
    }

    /// Is this the path of an operation, or the one that tells operations apart by their root key?
    pub(crate) fn has_path(path: &str) -> bool {
        path == "/rest/service" || Operation::ALL.iter().any(|(_, own, _)| *own == path)
    }

    /// Answers one request. Waits as long as the person does, where the request is synchronous.
    pub(crate) async fn answer(self: &Arc<Self>, caller: &Caller, path: &str, body: &[u8]) -> Answer {
        let parsed = serde_json::from_slice::<Value>(body);
        let body = parsed.as_ref().unwrap_or(&Value::Null);
        let found = Operation::ALL.iter().find_map(|(operation, own, key)| {
            let message = body.get(key).filter(|_| path == *own || path == "/rest/service")?;
            Some((*operation, Message(message)))
        });
        let outcome = match found {
            _ if !self.is_registered(&caller.certificates) => Err(Code::UnauthorizedAccess.into()),
            _ if parsed.is_err() => Err(Fault::wrong("the request is no JSON")),
            None => Err(Code::MissingParam.into()),
            Some((Operation::Sign, message)) => self.sign(caller, message).await,
            Some((Operation::Status, message)) => self.status(caller, message),
            Some((Operation::Receipt, message)) => self.receipt(caller, message).await,
            Some((Operation::Profile, message)) => self.profile(caller, message).await,
        };
        outcome.unwrap_or_else(|fault| {
            let message = found.map_or(Message(&Value::Null), |(_, message)| message);
            let mut entry = asked(Event::Refused, caller, message);
            entry.outcome = Some(fault_outcome(&fault));
            self.journal.record(entry);
            Answer::Fault(fault)
        })
    }

    /// The client has to send a registered certificate and nothing else: the service does not build chains.
    fn is_registered(&self, certificates: &[Vec<u8>]) -> bool {
        matches!(certificates, [only] if self.provider.certificates.contains(only))
    }

    async fn sign(self: &Arc<Self>, caller: &Caller, message: Message<'_>) -> Result<Answer, Fault> {
        message.admit(&self.provider.id, ("1", "2"))?;
        let now = OffsetDateTime::now_utc();
        let request = message.sign_request(now)?;
        let (subscriber, method) = self.place(&request, now)?;
        let asynchronous = request.asynchronous;
        let id = transaction_id()?;
        let (transaction, decision) = Transaction::new(id, request, subscriber, method, caller.connection);
        lock(&self.ledger).show(&transaction)?;
        self.journal.record(pushed(Event::PushStarted, &transaction));
        tokio::spawn(self.clone().run(transaction.clone(), decision));
        if asynchronous {
            return Ok(Answer::Right(answers::accepted(&transaction)));
        }
        let ending = transaction.wait().await;
        Ok(answers::ended(&transaction, &ending, answers::signature_resp))
    }

    /// Finds whose phone a request goes to, and by which method.
    fn place(&self, request: &SignRequest, now: OffsetDateTime) -> Result<(Subscriber, Method), Fault> {
        if !lock(&self.ledger).use_triple(&request.ap, now) {
            return Err(Fault::wrong("AP_ID, AP_TransID and Instant have been used together before"));
        }
        let subscriber = self.subscriber(&request.msisdn)?;
        self.check_prefix(&request.text)?;
        let Some(profile) = request.profile else {
            return Err(Fault::new(
                Code::UnsupportedProfile,
                "The MSSP does not support this Mobile Signature Profile",
            ));
        };
        if !self.provider.profiles.contains(&profile) {
            return Err(Fault::new(
                Code::UnsupportedProfile,
                "The AP is not authorized to use this Mobile Signature Profile",
            ));
        }
        let method = profile.method_for(&subscriber).ok_or(Code::UnsupportedProfile)?;
        Ok((subscriber, method))
    }

    fn subscriber(&self, msisdn: &str) -> Result<Subscriber, Fault> {
        if let Some(code) = Code::of_test_number(msisdn) {
            return Err(code.into());
        }
        Ok(lock(&self.subscribers).get(msisdn).cloned().ok_or(Code::UnknownClient)?)
    }

    fn check_prefix(&self, text: &str) -> Result<(), Fault> {
        if text.starts_with(&self.provider.dtbd_prefix) {
            Ok(())
        } else {
            Err(Code::InappropriateData.into())
        }
    }

    /// Carries a transaction from the phone to its end.
    async fn run(
        self: Arc<Self>,
        transaction: Arc<Transaction>,
        decision: tokio::sync::oneshot::Receiver<Decision>,
    ) {
        let reflex = transaction.subscriber.behaviour.reflex();
        let ending = tokio::select! {
            biased;
            Ok(decision) = decision => self.decided(&transaction, decision).await,
            () = tokio::time::sleep(transaction.request.timeout) => Ending::Fault(Fault::no_answer_from_user()),
            () = tokio::time::sleep(transaction.subscriber.after), if reflex.is_some() => {
                self.decided(&transaction, reflex.unwrap_or(Decision::Cancel)).await
            }
        };
        let ending = match transaction.subscriber.behaviour {
            Behaviour::Never => Ending::Unanswered,
            _ => ending,
        };
        // Off the phone first: whoever hears of the end may ask again at once.
        lock(&self.ledger).hide(&transaction);
        let mut entry = pushed(Event::PushEnded, &transaction);
        entry.outcome = Some(match &ending {
            Ending::Signed(_) => "signed".to_owned(),
            Ending::Unanswered => "unanswered".to_owned(),
            Ending::Fault(fault) => fault_outcome(fault),
        });
        self.journal.record(entry);
        transaction.end(ending);
        let crowded = self.is_of_crowd(&transaction);
        tokio::time::sleep(if crowded { REMEMBERED_OF_CROWD } else { REMEMBERED }).await;
        lock(&self.ledger).forget(&transaction);
    }

    async fn decided(&self, transaction: &Arc<Transaction>, decision: Decision) -> Ending {
        if decision != Decision::Approve {
            return Ending::Fault(Code::UserCancel.into());
        }
        // Off the runtime's threads: a key may have to be made first.
        let (pki, transaction) = (self.pki.clone(), transaction.clone());
        match tokio::task::spawn_blocking(move || signature(&pki, &transaction)).await {
            Ok(Ok(cms)) => Ending::Signed(cms.map(Arc::new)),
            _ => Ending::Fault(Code::InternalError.into()),
        }
    }

    fn status(&self, caller: &Caller, message: Message<'_>) -> Result<Answer, Fault> {
        message.admit(&self.provider.id, ("1", "1"))?;
        let ap = message.ap_info(OffsetDateTime::now_utc())?;
        let known = lock(&self.ledger).find(&message.mssp_trans_id()?);
        let transaction = known.ok_or_else(|| Fault::wrong("MSSP_TransID is unknown"))?;
        let mut entry = asked(Event::StatusAnswered, caller, message);
        let answer = match transaction.ended() {
            None | Some(Ending::Unanswered) => {
                entry.outcome = Some("504".to_owned());
                Answer::Right(answers::outstanding(&transaction, &ap))
            }
            Some(Ending::Fault(fault)) if fault.code == Code::ExpiredTransaction => {
                return Err(Fault::new(Code::ExpiredTransaction, "original request timed out."));
            }
            Some(Ending::Fault(fault)) => return Err(fault),
            Some(ending) => {
                entry.outcome = Some("signed".to_owned());
                answers::ended(&transaction, &ending, |transaction, cms| {
                    answers::status_resp(transaction, &ap, cms)
                })
            }
        };
        // A crowd asks ten thousand times a second; what a test wants to know is in its pushes.
        if !self.is_of_crowd(&transaction) {
            self.journal.record(entry);
        }
        Ok(answer)
    }

    fn is_of_crowd(&self, transaction: &Transaction) -> bool {
        self.crowd.is_some_and(|crowd| crowd.has(&transaction.request.msisdn))
    }

    /// Shows a receipt; the person acknowledges it after the delay that is his.
    async fn receipt(&self, caller: &Caller, message: Message<'_>) -> Result<Answer, Fault> {
        message.admit(&self.provider.id, ("1", "1"))?;
        let ap = message.ap_info(OffsetDateTime::now_utc())?;
        let id = message.mssp_trans_id()?;
        let msisdn = message.msisdn()?;
        let text = message.receipt_text()?;
        self.subscriber(&msisdn)?;
        self.check_prefix(&text)?;
        let transaction =
            lock(&self.ledger).find(&id).filter(|transaction| transaction.request.msisdn == msisdn);
        let transaction = transaction.ok_or_else(|| Fault::wrong("MSSP_TransID is unknown"))?;
        if !matches!(transaction.ended(), Some(Ending::Signed(_))) || !transaction.take_receipt() {
            return Err(Fault::wrong("the transaction cannot have a receipt, or not another one"));
        }
        let mut entry = asked(Event::ReceiptShown, caller, message);
        entry.text = Some(text);
        self.journal.record(entry);
        tokio::time::sleep(transaction.subscriber.after).await;
        let with_extension = message.wants_receipt_extension() && transaction.method == Method::Sim;
        Ok(Answer::Right(answers::receipt(&ap, with_extension)))
    }

    async fn profile(&self, caller: &Caller, message: Message<'_>) -> Result<Answer, Fault> {
        message.admit(&self.provider.id, ("2", "0"))?;
        let ap = message.ap_info(OffsetDateTime::now_utc())?;
        let params = message.params()?;
        let subscriber = self.subscriber(&message.msisdn()?)?;
        let profiles = self.provider.profiles.iter().copied();
        let profiles =
            profiles.filter(|profile| profile.method_for(&subscriber).is_some()).collect::<Vec<_>>();
        let (pki, identity) = (self.pki.clone(), identity(&subscriber, Origin::Genuine));
        let signer = match tokio::task::spawn_blocking(move || pki.signer(&identity)).await {
            Ok(Ok(signer)) => signer,
            _ => return Err(Code::InternalError.into()),
        };
        self.journal.record(asked(Event::ProfileAnswered, caller, message));
        Ok(Answer::Right(answers::profile(&ap, &subscriber, &profiles, &params, &signer)))
    }

    pub(crate) fn set_behaviour(&self, msisdn: &str, behaviour: Behaviour) -> bool {
        let msisdn = msisdn.trim_start_matches('+');
        let mut subscribers = lock(&self.subscribers);
        subscribers.get_mut(msisdn).map(|subscriber| subscriber.behaviour = behaviour).is_some()
    }

    /// Activates a number anew, as on another phone and without a recovery code. The new serial number, if somebody
    /// has the number. What is on the old phone is signed there.
    pub(crate) fn reactivate(&self, msisdn: &str) -> Option<String> {
        let msisdn = msisdn.trim_start_matches('+');
        let serial = {
            let mut subscribers = lock(&self.subscribers);
            let subscriber = subscribers.get_mut(msisdn)?;
            subscriber.serial = subscriber.next_serial();
            subscriber.serial.clone()
        };
        let mut entry = Entry::new(Event::Reactivated, 0);
        entry.msisdn = Some(msisdn.to_owned());
        entry.outcome = Some(serial.clone());
        self.journal.record(entry);
        Some(serial)
    }

    /// What the person with this number does, and how long she takes.
    pub(crate) fn habit(&self, msisdn: &str) -> Option<(Behaviour, Duration)> {
        lock(&self.subscribers).get(msisdn).map(|subscriber| (subscriber.behaviour, subscriber.after))
    }

    pub(crate) fn add_subscriber(&self, subscriber: Subscriber) {
        lock(&self.subscribers).insert(subscriber.msisdn.clone(), subscriber);
    }

    /// What is on phones now, oldest first.
    pub(crate) fn pending(&self) -> Vec<Arc<Transaction>> {
        let mut pending = lock(&self.ledger).on_phones().cloned().collect::<Vec<_>>();
        pending.sort_by_key(|transaction| transaction.request.ap.instant);
        pending
    }

    /// Decides what is on a phone. False if it is not there, or no more.
    pub(crate) fn decide(&self, id: &str, decision: Decision) -> bool {
        let known = lock(&self.ledger).find(id);
        known.is_some_and(|transaction| transaction.decide(decision))
    }
}

/// An MSSP_TransID: opaque, short, and without meaning.
fn transaction_id() -> Result<String, Fault> {
    let mut bytes = [0; 6];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Fault::from(Code::InternalError))?;
    Ok(bytes.iter().fold("H".to_owned(), |id, byte| id + &format!("{byte:02x}")))
}

fn fault_outcome(fault: &Fault) -> String {
    format!("{} {}", fault.code.number(), fault.detail)
}

/// An entry with whatever the request says, right or wrong.
fn asked(event: Event, caller: &Caller, message: Message<'_>) -> Entry {
    let find = |path: &[&str]| {
        let value = path.iter().try_fold(message.0, |value, key| value.get(key));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let mut entry = Entry::new(event, caller.connection);
    entry.ap_trans_id = find(&["AP_Info", "AP_TransID"]);
    entry.mssp_trans_id = find(&["MSSP_TransID"]);
    entry.msisdn = find(&["MobileUser", "MSISDN"]).map(|msisdn| msisdn.trim_start_matches('+').to_owned());
    entry.text = find(&["DataToBeSigned", "Data"]);
    entry.profile = find(&["SignatureProfile"]);
    entry
}

fn pushed(event: Event, transaction: &Transaction) -> Entry {
    let request = &transaction.request;
    let mut entry = Entry::new(event, transaction.connection);
    entry.ap_trans_id = Some(request.ap.trans_id.clone());
    entry.mssp_trans_id = Some(transaction.id.clone());
    entry.msisdn = Some(request.msisdn.clone());
    entry.text = Some(request.text.clone());
    entry.language = Some(request.language.clone());
    entry.profile = Some(request.profile_uri.clone());
    entry.method = Some(transaction.method);
    entry.timeout = Some(request.timeout.as_secs());
    entry
}
