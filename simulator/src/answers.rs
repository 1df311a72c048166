//! The JSON of the service's answers, as recorded from the live one, and what behaviours do to it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::behaviour::Behaviour;
use crate::faults::Fault;
use crate::keys::KeyKind;
use crate::pki::Signer;
use crate::profiles::Profile;
use crate::requests::{ApInfo, instant_text};
use crate::subscribers::{Method, Subscriber};
use crate::transactions::{Ending, Transaction};

/// An answer, and how it travels.
pub(crate) enum Answer {
    /// HTTP 200 with this body.
    Right(Value),
    /// HTTP 500, and the connection is closed.
    Fault(Fault),
    /// This body, spoiled on its way as the behaviour has it.
    Spoiled(Value, Behaviour),
    /// Nothing.
    Silence,
}

type Signature = Option<Arc<Vec<u8>>>;

/// The answer that tells of a transaction's end, in the body that `body` makes.
pub(crate) fn ended(
    transaction: &Transaction,
    ending: &Ending,
    body: impl FnOnce(&Transaction, &Signature) -> Value,
) -> Answer {
    match ending {
        Ending::Unanswered => Answer::Silence,
        Ending::Fault(fault) => Answer::Fault(fault.clone()),
        Ending::Signed(cms) => match transaction.subscriber.behaviour {
            behaviour @ (Behaviour::BrokenJson
            | Behaviour::DeepJson
            | Behaviour::HugeBody
            | Behaviour::HalfBody
            | Behaviour::SlowDrip
            | Behaviour::TlsReset
            | Behaviour::Http503) => Answer::Spoiled(body(transaction, cms), behaviour),
            _ => Answer::Right(body(transaction, cms)),
        },
    }
}

/// MSS_SignatureResp at the end of a synchronous request.
pub(crate) fn signature_resp(transaction: &Transaction, cms: &Signature) -> Value {
    let mut response = common(transaction, &transaction.request.ap);
    set(&mut response, "MSSP_TransID", json!(transaction.id));
    set(&mut response, "SignatureProfile", json!(Profile::resolved(transaction.method).uri()));
    conclude(&mut response, transaction, cms);
    json!({ "MSS_SignatureResp": response })
}

/// MSS_StatusResp at the end: without the transaction's id and the profile, which the client has to remember.
pub(crate) fn status_resp(transaction: &Transaction, ap: &ApInfo, cms: &Signature) -> Value {
    let mut response = common(transaction, ap);
    conclude(&mut response, transaction, cms);
    json!({ "MSS_StatusResp": response })
}

/// MSS_SignatureResp at the start of an asynchronous request.
pub(crate) fn accepted(transaction: &Transaction) -> Value {
    let mut response = common(transaction, &transaction.request.ap);
    set(&mut response, "MSSP_TransID", json!(transaction.id));
    set(&mut response, "SignatureProfile", json!(Profile::resolved(transaction.method).uri()));
    set(&mut response, "Status", status(100));
    json!({ "MSS_SignatureResp": response })
}

/// MSS_StatusResp while the person has not answered.
pub(crate) fn outstanding(transaction: &Transaction, ap: &ApInfo) -> Value {
    let mut response = common(transaction, ap);
    set(&mut response, "Status", status(504));
    json!({ "MSS_StatusResp": response })
}

/// MSS_ReceiptResp for a receipt that was acknowledged.
pub(crate) fn receipt(ap: &ApInfo, with_extension: bool) -> Value {
    let mut status = status(100);
    if with_extension {
        let extension = json!({
            "ClientAck": "false",
            "NetworkAck": "false",
            "ReceiptMessagingMode": "synch",
            "UserAck": "true",
            "UserResponse": "{\"status\":\"OK\"}",
        });
        set(&mut status, "StatusDetail", json!({ "ReceiptResponseExtension": extension }));
    }
    let mut response = parties(ap, "1", "1");
    set(&mut response, "Status", status);
    json!({ "MSS_ReceiptResp": response })
}

/// MSS_ProfileResp with the extensions that were asked for.
pub(crate) fn profile(
    ap: &ApInfo,
    subscriber: &Subscriber,
    profiles: &[Profile],
    params: &[String],
    signer: &Signer,
) -> Value {
    let asked = |word: &str| params.iter().any(|param| param == word);
    let mut user = json!({});
    if asked("aastatus") {
        set(&mut user, "AutoActivation", json!(false));
    }
    if asked("rcstatus") {
        set(&mut user, "RecoveryCodeCreated", json!(false));
    }
    let mut extension = json!({ "MobileUser": user });
    if asked("sscds") {
        let mut devices = json!({});
        if subscriber.methods.has(Method::App) {
            // The live service lists apps, and has a single SIM.
            set(&mut devices, "App", json!([device(subscriber, &asked, signer, Method::App)]));
        }
        if subscriber.methods.has(Method::Sim) {
            set(&mut devices, "Sim", device(subscriber, &asked, signer, Method::Sim));
        }
        set(&mut extension, "Sscds", devices);
    }
    let mut status = status(100);
    if !params.is_empty() {
        set(&mut status, "StatusDetail", json!({ "ProfileQueryExtension": extension }));
    }
    let mut response = parties(ap, "2", "0");
    let uris = profiles.iter().map(|profile| profile.uri()).collect::<Vec<_>>();
    set(&mut response, "SignatureProfile", json!(uris));
    set(&mut response, "Status", status);
    json!({ "MSS_ProfileResp": response })
}

fn device(subscriber: &Subscriber, asked: &dyn Fn(&str) -> bool, signer: &Signer, method: Method) -> Value {
    let mut device = json!({});
    if asked("state") {
        set(&mut device, "State", json!("ACTIVE"));
    }
    if asked("pinstatus") {
        set(&mut device, "PinStatus", json!({ "Blocked": false }));
    }
    if asked("certs") {
        let certificates = signer.chain().map(|der| STANDARD.encode(der)).collect::<Vec<_>>();
        let names = signer.names().map(|name| name.in_profile()).collect::<Vec<_>>();
        let certificate = json!({
            "Algorithm": if subscriber.key == KeyKind::Ec { "EC" } else { "RSA" },
            "State": "ACTIVE",
            "X509Certificate": certificates,
            "X509SubjectName": names,
        });
        set(&mut device, "MobileUserCertificate", json!([certificate]));
    }
    if asked("carddetails") && method == Method::Sim {
        set(&mut device, "CardDetails", json!({ "Mcc": "228", "Mnc": "01", "Network": "Swisscom" }));
    }
    device
}

/// What every answer about a transaction has.
fn common(transaction: &Transaction, ap: &ApInfo) -> Value {
    let mut response = parties(ap, "1", "1");
    // Without a plus sign, however it was asked for.
    set(&mut response, "MobileUser", json!({ "MSISDN": transaction.request.msisdn }));
    response
}

fn parties(ap: &ApInfo, major: &str, minor: &str) -> Value {
    json!({
        "AP_Info": {
            "AP_ID": ap.id,
            "AP_TransID": ap.trans_id,
            "Instant": instant_text(ap.instant),
        },
        "MSSP_Info": {
            "Instant": instant_text(OffsetDateTime::now_utc()),
            "MSSP_ID": { "URI": "http://mid.swisscom.ch/" },
        },
        "MajorVersion": major,
        "MinorVersion": minor,
    })
}

/// Adds signature and status, and tells the lies that a behaviour tells in this answer.
fn conclude(response: &mut Value, transaction: &Transaction, cms: &Signature) {
    if let Some(cms) = cms {
        set(response, "MSS_Signature", json!({ "Base64Signature": STANDARD.encode(cms.as_slice()) }));
    }
    if transaction.request.wants_geofencing {
        // This Application Provider has not subscribed to it, which is an answer and no fault.
        set(
            response,
            "ServiceResponses",
            json!([{
                "Description": "http://mid.swisscom.ch/as#geofencing",
                "Geofencing": {
                    "ErrorCode": "122",
                    "ErrorMessage": "AP is not authorized to use Geofencing additional service.",
                },
            }]),
        );
    }
    let behaviour = transaction.subscriber.behaviour;
    set(
        response,
        "Status",
        status(match behaviour {
            Behaviour::Status501 => 501,
            Behaviour::Status502 => 502,
            Behaviour::Status503 => 503,
            Behaviour::Status504 => 504,
            _ => 500,
        }),
    );
    match behaviour {
        Behaviour::WrongMsisdn => set(response, "MobileUser", json!({ "MSISDN": "41790009999" })),
        Behaviour::WrongTransId => {
            if let Some(ap) = response.get_mut("AP_Info") {
                set(ap, "AP_TransID", json!("SomebodyElses"));
            }
        }
        _ => {}
    }
}

fn status(code: u16) -> Value {
    let message = match code {
        100 => "REQUEST_OK",
        501 => "REVOKED_CERTIFICATE",
        502 => "VALID_SIGNATURE",
        503 => "INVALID_SIGNATURE",
        504 => "OUTSTANDING_TRANSACTION",
        _ => "SIGNATURE",
    };
    json!({ "StatusCode": { "Value": code.to_string() }, "StatusMessage": message })
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}
