//! What every test needs: a simulator, a folder that goes away, a request that is right.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use mobileid_simulator::{Behaviour, Options, Simulator, Subscriber};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::{Client, Response};

/// Long enough for a loaded machine; nothing here waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

fn count() -> u64 {
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// A private folder that is removed with its value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let name = format!("simulator-{}-{}", std::process::id(), count());
        Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A simulator with its folder. The fields are dropped in this order.
pub(crate) struct Running {
    simulator: Simulator,
    _folder: Folder,
}

impl Running {
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Running {
        let folder = Folder::new();
        let mut options = Options::new(&*folder);
        change(&mut options);
        Running { simulator: Simulator::start(options).unwrap(), _folder: folder }
    }

    /// One that all tests share while any of them runs: RSA keys are slow to make. Tests that change
    /// something do it to a subscriber of their own.
    pub(crate) fn shared() -> Arc<Running> {
        static SHARED: Mutex<Weak<Running>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let running = Arc::new(Running::with(|_| {}));
            *shared = Arc::downgrade(&running);
            running
        })
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(self.state_dir(), self.url())
    }

    /// A new subscriber's number.
    pub(crate) fn somebody(&self, change: impl FnOnce(&mut Subscriber)) -> String {
        let mut subscriber = Subscriber::new(&format!("+4179100{:04}", count())).unwrap();
        change(&mut subscriber);
        let msisdn = subscriber.msisdn.clone();
        self.add_subscriber(subscriber);
        msisdn
    }

    pub(crate) fn interactive(&self) -> String {
        self.somebody(|subscriber| subscriber.behaviour = Behaviour::Interactive)
    }

    pub(crate) fn sign(&self, request: &Value) -> Response {
        self.client().post("/rest/service/sign", request)
    }
}

impl Deref for Running {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

/// AP_Info with a transaction of its own, at this moment.
pub(crate) fn ap_info() -> Value {
    json!({
        "AP_ID": "mid://simulator.example",
        "AP_PWD": "not-needed",
        "AP_TransID": format!("T{}", count()),
        "Instant": OffsetDateTime::now_utc().format(&Rfc3339).unwrap(),
    })
}

/// A synchronous signature request as the guide has it.
pub(crate) fn sign_request(msisdn: &str) -> Value {
    json!({ "MSS_SignatureReq": {
        "AP_Info": ap_info(),
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MajorVersion": "1",
        "MinorVersion": "2",
        "MobileUser": { "MSISDN": msisdn },
        "MessagingMode": "synch",
        "SignatureProfile": "http://mid.swisscom.ch/Any-LoA4",
        "TimeOut": "80",
        "DataToBeSigned": { "Data": "SIM: Log in to box? (3D5K)", "Encoding": "UTF-8", "MimeType": "text/plain" },
        "AdditionalServices": [{
            "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang",
            "UserLang": { "Value": "en" },
        }],
    }})
}

/// The request with one field, named by its JSON pointer below the root key, replaced or removed.
pub(crate) fn changed(mut request: Value, pointer: &str, value: Value) -> Value {
    let root = request.as_object().unwrap().keys().next().unwrap().clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = request.pointer_mut(&format!("/{root}{parent}")).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key)
    } else {
        parent.insert(key.to_owned(), value)
    };
    request
}

/// Runs a program of the system that the tests lean on.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| {
        panic!("{program} is needed for this test ({error}): apt-get install {program}")
    })
}
